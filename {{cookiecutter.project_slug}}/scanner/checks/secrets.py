"""Credentials in the files that git would take, and in their history."""

import inspect
import re
from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b

from ..model import CheckResult, Coverage, Finding, Options, Severity, State
from ..project import Project, Unreadable
from ..rules import RULES, Hit, Rule, register
from ..secrets import (
    formats,
    headings,
    judge,
    passwords,
    structures,
    tokens,
)
from ..secrets.blocks import Block, blocks
from ..secrets.engine import find
from ..secrets.fixtures import made_up
from ..secrets.history import Truncated, additions
from ..secrets.source import Budget, Kind, Secret
from ..text import gives_reason
from ..tools import ToolError

STRONG = 80  # bits; four bytes of a digest tell nothing about so much
_ALLOWED = re.compile(rb"(?:#|//|--|;|/\*|<!--)[ \t]*secret-ok\b:?([^\n]*)")
_UNREASONED = Kind(
    "MCP-SEC-010",
    "A credential is waved through without a reason",
    Severity.MEDIUM,
)
_REMEDY = (
    "Revoke it; take it out of the file, and out of the history; read it from"
    " the environment or from a secret store. If it is no secret, say why in"
    " a comment on its line: # secret-ok: reason"
)
_SAY_SO = (
    "Write what nobody can take for a key: <your-key>. If it is one, revoke"
    " it, and read the new one from the environment or from a secret store."
)
_PUBLISHED = """\
The text has the form that the issuer publishes for this credential.

Whoever reads the repository, the image or a log that quotes them can use it.
That it was replaced in a later commit changes nothing: revoke it.
"""
_HASHED = """\
The hash of a password stands in the text, as crypt(5) writes it.

Whoever has it can try passwords offline, without limit, and people use one in
many places. A login's line of /etc/shadow or .htpasswd is one.
"""
_TYPED = """\
A value stands where a key does, and was typed in rows, as in abcd1234.

It has an issuer's form, or the name of a secret or of a service before it. So
it is hardly in use; but nobody can tell. A placeholder that says so
(<your-key>) is left alone, and so is a file of samples (.env.example).
"""
_NAMED = """\
A value of the issuer's form stands behind the issuer's name.

The form is that of many things; the name before it says which one it is.
"""
_TRIED = """\
A private key stands in the file, encrypted under a password.

Whoever has the file tries passwords offline, without limit; a weak one opens
it. Keep it outside the repository.
"""
_SILENT = """\
A comment hides a credential from everyone who scans later, and says no reason.

Nobody can tell whether it was looked at.
"""
_DRAWN = {tokens.ASSIGNED.id} | {known.kind.id for known in formats.load()}


def check(project: Project, options: Options) -> CheckResult:
    """Look at every file that git would take; always, and offline.

    Keys are looked at even where git is told to ignore them: an image, an
    archive or a backup takes them all the same.
    """
    seen = _Seen()
    files = [*project.files, *project.ignored_keys()]
    for path in files:
        try:
            _look(project, path, seen)
        except (Unreadable, OSError) as error:
            seen.gaps.append(str(error))
    unseen = project.listing.unseen
    seen.gaps += [f"{folder} could not be listed" for folder in unseen]
    total = len(files) + len(unseen)
    covered = total - len(seen.gaps)
    if options.history:
        total += 1
        covered += _look_back(project, options, seen)
    return CheckResult(
        name="secrets",
        state=State.PASSED,
        reason="; ".join([*seen.gaps[:3], *seen.left_out()]),
        coverage=Coverage(unit="files", covered=covered, total=total),
        findings=tuple(seen.findings),
    )


@dataclass(slots=True)
class _Seen:
    """What was found so far, and what was left out.

    Attributes:
        values: Digests of the values, so that none is told of twice in the
            history; they stay in memory.
        made_up: How many stand in tests, and are taken for made up.
    """

    findings: list[Finding] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    values: set[bytes] = field(default_factory=set)
    places: Counter[tuple[str, ...]] = field(default_factory=Counter)
    made_up: int = 0

    def left_out(self) -> list[str]:
        """Return a sentence on what is not reported, if there is any."""
        values = "value" if self.made_up == 1 else "values"
        said = f"{self.made_up} {values} in tests taken for made up"
        return [said] if self.made_up else []

    def add(
        self, path: str, line: int | None, secret: Secret, where: str
    ) -> None:
        """Report a credential, without a byte of it."""
        self.values.add(_digest(secret.value, 32))
        if made_up(path, secret):
            self.made_up += 1
            return
        place = (secret.kind.id, path, secret.name, _trace(secret))
        self.places[place] += 1
        hit = Hit(
            path=path,
            line=line,
            message=f"{secret.kind.title}{where}",
            anchor="|".join((*place[2:], where, str(self.places[place]))),
        )
        self.findings.append(RULES[secret.kind.id].at(hit))


def _look(project: Project, path: str, seen: _Seen) -> None:
    """Look at one file, of any size and with any content."""
    budget = Budget()
    with project.open(path) as stream:
        for block in blocks(stream):
            allowed = _allowed(block, path, seen)
            for secret in find(block.data, path, budget):
                line = block.line(secret.start)
                if line in allowed or not block.owns(secret.start):
                    continue
                seen.add(path, line, secret, "")
    if budget.overdrawn:
        seen.gaps.append(f"{path} holds more than can be looked at")


def _look_back(project: Project, options: Options, seen: _Seen) -> bool:
    """Look at the history; tell whether it was read to its end."""
    try:
        for addition in additions(project.root, options.timeout * 5):
            for secret in find(addition.text, addition.path):
                if _digest(secret.value, 32) not in seen.values:
                    where = f", in the history (commit {addition.commit[:12]})"
                    seen.add(addition.path, None, secret, where)
    except (ToolError, Truncated) as error:
        seen.gaps.append(str(error))
        return False
    return True


def _allowed(block: Block, path: str, seen: _Seen) -> set[int | None]:
    """Return the lines whose credential a person has explained."""
    lines: set[int | None] = set()
    if b"secret-ok" not in block.data:
        return lines
    for found in _ALLOWED.finditer(block.data):
        line = block.line(found.start())
        if gives_reason(found[1].decode("utf-8", "replace")):
            lines.add(line)
        elif block.owns(found.start()):
            seen.findings.append(
                RULES[_UNREASONED.id].at(
                    Hit(path=path, line=line, message=_UNREASONED.title)
                )
            )
    return lines - {None}


def _trace(secret: Secret) -> str:
    """Return what tells one token from another, and tells nobody a password.

    A short hash of a password can be found by trying passwords; a token
    drawn by chance cannot be tried (CWE-916).
    """
    bits = len(secret.value) * judge.entropy(secret.value)
    if secret.kind.id not in _DRAWN or bits < STRONG:
        return ""
    return _digest(secret.value, 4).hex()


def _digest(value: bytes, size: int) -> bytes:
    return blake2b(value, digest_size=size, person=b"mcp-secrets").digest()


def _register(kind: Kind, explanation: str, remedy: str = _REMEDY) -> None:
    register(
        Rule(
            id=kind.id,
            severity=kind.severity,
            title=kind.title,
            cwe="CWE-798",
            owasp="MCP01",
            remedy=remedy,
            explanation=explanation,
        )
    )


for _structure in structures.STRUCTURES:
    _register(_structure.kind, inspect.getdoc(_structure.find) or "")
for _format in formats.load():
    _published = _PUBLISHED if _format.names is None else _NAMED
    _hash = _format.kind.id == "MCP-SEC-014"
    _register(_format.kind, _HASHED if _hash else _published)
_register(tokens.ASSIGNED, inspect.getdoc(tokens.by_name) or "")
_register(tokens.SAMPLE, _TYPED, _SAY_SO)
_register(passwords.PASSWORD, inspect.getdoc(passwords.passwords) or "")
_register(headings.COLUMN, inspect.getdoc(headings.columns) or "")
_register(structures.LOCKED, _TRIED)
_register(_UNREASONED, _SILENT, "Say why: # secret-ok: a sample of the RFC.")
