"""What a comment tells hadolint to ignore, and whether it says why."""

import re
from collections.abc import Iterable, Iterator

from ..model import Finding
from ..rules import Hit
from ..ruletable import ruled
from ..text import gives_reason

_PRAGMA = re.compile(
    r"(?im)^[ \t]*#[ \t]*hadolint[ \t]+(?P<all>global[ \t]+)?ignore[ \t]*="
    r"(?P<said>.*)"
)
_CODE = re.compile(r"(?i)\b(?:DL|SC)\d+")
# Which of hadolint's rules ours take the place of, where they are no more
# than a matter of versions and of order.
_OURS: dict[str, set[str]] = {
    "MCP-CON-003": {"DL3006", "DL3007"},
    "MCP-CON-007": {"DL3020"},
    "MCP-CON-012": {"DL3004"},
    "MCP-CON-032": {"DL3013", "DL3016"},
}
text_rule = ruled(__file__, on="text")


@text_rule("MCP-CON-023")
def unreasoned_ignore(path: str, text: str) -> Iterator[Hit]:
    """What is ignored is ignored for everybody who scans after you."""
    for pragma in _PRAGMA.finditer(text):
        if not _reasoned(pragma):
            yield Hit(
                path=path,
                line=text.count("\n", 0, pragma.start()) + 1,
                anchor=pragma[0].strip()[:200],
                message=f"{pragma[0].strip()[:100]} gives no reason",
            )


def kept(findings: Iterable[Finding], text: str) -> list[Finding]:
    """Leave out what a comment before the instruction accepts, and says why.

    Args:
        findings: Of one Dockerfile, by our rules.
        text: Its text.
    """
    accepted = [
        (_below(text, pragma), {*_CODE.findall(pragma["said"].upper())})
        for pragma in _PRAGMA.finditer(text)
        if _reasoned(pragma)
    ]
    return [
        finding
        for finding in findings
        if not any(
            finding.line in lines and codes & _OURS.get(finding.id, set())
            for lines, codes in accepted
        )
    ]


def _reasoned(pragma: re.Match[str]) -> bool:
    return gives_reason(_CODE.sub("", pragma["said"]))


def _below(text: str, pragma: re.Match[str]) -> range:
    """Return the lines for which a comment speaks: of one instruction."""
    lines = text.splitlines()
    if pragma["all"]:
        return range(1, len(lines) + 1)
    first = text.count("\n", 0, pragma.start()) + 1  # counted from 0
    while first < len(lines) and lines[first].lstrip()[:1] in {"", "#"}:
        first += 1
    last = first
    while last < len(lines) and _goes_on(lines[last]):
        last += 1
    return range(first + 1, last + 2)


def _goes_on(line: str) -> bool:
    return line.rstrip().endswith("\\") or line.lstrip()[:1] in {"", "#"}
