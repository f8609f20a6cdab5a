"""A fault that is silenced needs a reason beside it."""

import re
from collections.abc import Iterator, Mapping

from ..model import Finding
from ..rules import Hit
from ..ruletable import ruled
from ..text import gives_reason
from .source import Source

IDS = frozenset({"MCP-CODE-001", "MCP-CODE-002"})

# What in such a comment is not a reason: the words that silence, the names
# of rules, and how the two are written.
_CODES = re.compile(
    r"(?i)#|\bMCP-CODE-\d+\b|\b(nosec|noqa|ruff|flake8|nosemgrep|file-level)\b|\b[a-z]+\d+\b"
    r"|\b[a-z\d]+(_[a-z\d]+)+\b|\S+\.\S+|\btype: ignore(\[[\w, -]*\])?"
)
_NOSEC = re.compile(r"(?i)#\s*nosec")
_NOQA = re.compile(
    r"(?i)#\s*(?:(?:ruff|flake8)[:=]\s*)?noqa(?P<codes>\s*:\s*[A-Z]+\d+"
    r"(?:[\s,]+[A-Z]+\d+)*)?"
)
_NOSEMGREP = re.compile(r"(?i)#\s*nosemgrep")
module_rule = ruled(__file__, on="")


@module_rule("MCP-CODE-001")
def nosec(source: Source) -> Iterator[Hit]:
    """A ``# nosec`` hides a fault from everybody who scans after you.

    It is right where the fault is none: then a few words in the same comment
    say why, and the next reader need not find it out again. Without them
    nobody can tell a decision from a habit.
    """
    yield from _unreasoned(source, _NOSEC)


@module_rule("MCP-CODE-002")
def noqa(source: Source) -> Iterator[Hit]:
    """A ``# noqa`` for a security rule (``S…``), or for every rule, hides it.

    The same holds for ``# nosemgrep``. Name the rule, and say in the same
    comment why it does not apply.
    """
    for hit in _unreasoned(source, _NOQA, _NOSEMGREP):
        note = source.notes[hit.line or 0]
        found = _NOQA.search(note)
        codes = found["codes"] if found else None
        security = codes is None or re.search(r"(?i)\bS\d+", codes)
        if security and not _NOSEC.search(note):  # that is one fault already
            yield hit


def accepted(notes: Mapping[int, str], finding: Finding) -> bool:
    """Tell whether a comment on the line names the rule, and says why.

    So one of our rules is let off: ``# MCP-CODE-005: asks this machine only``.

    Args:
        notes: The file's comments to a linter, by line.
        finding: What was found in it.
    """
    note = notes.get(finding.line or 0, "")
    return finding.id in note and _has_reason(note)


def _has_reason(note: str) -> bool:
    return gives_reason(_CODES.sub(" ", note))


def _unreasoned(source: Source, *silencers: re.Pattern[str]) -> Iterator[Hit]:
    for line, note in source.notes.items():
        if not any(silencer.search(note) for silencer in silencers):
            continue
        if not _has_reason(note):
            yield Hit(
                path=source.path,
                line=line,
                anchor=source.line(line),
                message=f"{note[:100]} gives no reason",
            )
