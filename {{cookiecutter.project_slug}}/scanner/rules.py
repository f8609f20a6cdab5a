"""Rules are data: an id, a severity, a remedy, and one small function."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .model import Explained, Finding, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A place where a rule fires, and what is wrong there.

    Attributes:
        severity: Overrides the rule's, where the place makes it better or
            worse.
    """

    message: str
    path: str | None = None
    line: int | None = None
    anchor: str = ""
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Explained):
    """A rule and the function that looks for it.

    Attributes:
        explanation: The function's docstring: what a report shows.
        on: What the rule's function looks at, where a check has several
            kinds (``dockerfile``, ``compose`` …).
        find: Yields the places; None where an outside tool does the finding.
    """

    on: str = ""
    find: Callable[..., Iterable[Hit]] | None = None

    def at(self, hit: Hit) -> Finding:
        """Make the finding for one place."""
        return Finding(
            id=self.id,
            severity=hit.severity or self.severity,
            title=self.title,
            path=hit.path,
            line=hit.line,
            message=hit.message,
            remediation=self.remedy,
            cwe=self.cwe,
            anchor=hit.anchor,
        )

    def findings(self, *subject: Any) -> Iterator[Finding]:
        """Yield what the rule's function finds in the subject."""
        if self.find is not None:
            yield from (self.at(hit) for hit in self.find(*subject))


def anchored(place: str, *values: object) -> str:
    """Return an anchor that tells one value at a place from another.

    Only a digest of the values is kept, so that whoever accepts one fault
    does not accept the next at its place. A secret's value is never one:
    it could be guessed from its digest.
    """
    told = "\0".join(map(str, values))
    if not told:
        return place
    data = told.encode("utf-8", "surrogateescape")
    return f"{place} {hashlib.sha256(data).hexdigest()[:16]}"


RULES: dict[str, Rule] = {}


def register(new: Rule) -> Rule:
    """Enter a rule into the registry, where an id stands once.

    Raises:
        ValueError: Another rule has this id.
    """
    if new.id in RULES:
        msg = f"two rules have the id {new.id}"
        raise ValueError(msg)
    RULES[new.id] = new
    return new


def rules_for(prefix: str, on: str = "") -> list[Rule]:
    """Return a check's own rules (``MCP-CFG-``) for one kind of subject.

    Of a copy: another thread may be importing the rules of another check.
    """
    return [
        known
        for known in list(RULES.values())
        if known.id.startswith(prefix) and known.on == on and known.find
    ]


def rule_of(name: str) -> Rule | None:
    """Return the rule with this id, or its family's (``MCP-DEP-*``)."""
    families = (f"{name[:end]}*" for end in range(len(name), 0, -1))
    return next((RULES[x] for x in (name, *families) if x in RULES), None)


def explained(finding: Finding) -> Explained:
    """Return the rule behind a finding; of an outside tool's, what it says."""
    family = rule_of(finding.id)
    return RULES.get(finding.id) or Explained(
        id=finding.id,
        severity=finding.severity,
        title=finding.title,
        cwe=finding.cwe,
        owasp=family.owasp if family else "",
        remedy=finding.remediation,
        explanation=family.explanation if family else finding.title,
    )
