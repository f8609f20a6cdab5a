"""The forms of known credentials, read from formats.toml."""

import functools
import itertools
import re
import tomllib
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ..model import Severity
from .source import Kind

_CLASSES = {
    "d": "0-9",
    "x": "0-9a-f",
    "X": "0-9A-Fa-f",
    "h": "a-h0-9",
    "a": "a-z0-9",
    "u": "A-Z0-9",
    "v": "A-Z2-7",
    "l": "A-Za-z",
    "A": "A-Za-z0-9",
    "w": r"A-Za-z0-9_\-",
    "b": "A-Za-z0-9+/",
    "c": "A-Za-z0-9./",
    "k": r"A-Za-z0-9_.@:$\-",
    "s": r"A-Za-z0-9_=\-",
    "e": r"A-Za-z0-9_=+/\-",
    "t": r"A-Za-z0-9_=.\-",
    "z": r"A-Za-z0-9_~.\-",
    "p": "A-Za-z0-9%",
}
UUID = 36  # characters
_UUID = r"\w{8}-\w{4}-\w{4}-\w{4}-\w{12}"
_PART = re.compile(
    r"<g>|<(?P<kind>\w)(?P<least>\d+)(?:-(?P<most>\d+))?>"
    r"|\((?P<choice>[^)]*)\)|(?P<text>[^<(]+)"
)


_WIDE = re.compile(r"<[lAwbcsetzp]\d{2}")


@dataclass(frozen=True, slots=True)
class Format:
    """A credential that its form gives away, or its form and its name.

    Attributes:
        names: Finds the words of which one stands in the name; None where
            the form is enough.
    """

    kind: Kind
    names: re.Pattern[str] | None
    forms: tuple[str, ...]


@functools.cache
def load() -> tuple[Format, ...]:
    """Return every format of the table beside this module."""
    return tuple(
        _format(section, name, row)
        for section, rows in _table().items()
        if section not in {"examples", "services"}
        for name, row in rows.items()
    )


@functools.cache
def examples() -> re.Pattern[bytes]:
    """Find values that standards and manuals show, and nobody uses."""
    values = map(re.escape, _table()["examples"]["values"])
    return re.compile("|".join(values).encode())


@functools.cache
def _published() -> frozenset[str]:
    return frozenset(_table()["examples"]["published"])


def published(value: bytes) -> bool:
    """Tell whether a vendor shows this key to all the world in its samples."""
    digest = blake2b(value, digest_size=8, person=b"mcp-examples")
    return digest.hexdigest() in _published()


@functools.cache
def services() -> frozenset[str]:
    """Return the names of services whose keys have no form of their own."""
    return frozenset(_table()["services"]["names"])


@functools.cache
def regex(form: str) -> re.Pattern[bytes]:
    """Turn a form into an expression that takes time linear in the text."""
    parts = [*_PART.finditer(form)]
    last = _CLASSES.get(parts[-1]["kind"] or "A", "")
    body = "".join(map(_expression, parts))
    before = r"(?<![\w.])" if form[0] != "/" else ""  # a host's path
    return re.compile(rf"{before}(?:{body})(?![\w{last}])".encode())


@functools.cache
def literal(form: str) -> int:
    """Return how many characters of the form are told, not drawn."""
    told = [part for part in _PART.finditer(form) if not part["kind"]]
    return sum(
        min(map(len, _choices(part))) for part in told if part[0] != "<g>"
    )


@functools.cache
def sizes(form: str) -> range:
    """Return how many characters a value of the form may have."""
    least = most = 0
    for part in _PART.finditer(form):
        if part[0] == "<g>":
            ends = [UUID, UUID]
        elif part["kind"]:
            ends = [int(part["least"]), int(part["most"] or part["least"])]
        else:
            ends = [len(text) for text in _choices(part)]
        least += min(ends)
        most += max(ends)
    return range(least, most + 1)


def wide(form: str) -> bool:
    """Tell whether what is drawn is hardly ever of hex digits alone."""
    return _WIDE.search(form) is not None


def keywords(form: str) -> list[bytes]:
    """Return texts of which one stands in every match of the form."""
    best = max(_told(form), key=_least)
    return [text.encode() for text in best]


def begins(form: str) -> bool:
    """Tell whether every match of the form begins with a keyword."""
    told = _told(form)
    return form[0] != "/" and _least(told[0]) == max(map(_least, told))


def _told(form: str) -> list[list[str]]:
    """Return the texts that are told between what is drawn."""
    groups: list[list[str]] = [[""]]
    for part in _PART.finditer(form):
        if part["text"] or part["choice"] is not None:
            ends = _choices(part)
            groups[-1] = [
                "".join(x) for x in itertools.product(groups[-1], ends)
            ]
        else:
            groups.append([""])
    return groups


def _least(texts: list[str]) -> int:
    return min(map(len, texts))


@functools.cache
def _table() -> dict[str, Any]:
    text = Path(__file__).with_suffix(".toml").read_text("utf-8")
    return tomllib.loads(text)


def _format(section: str, name: str, row: list[str]) -> Format:
    named = section == "named"
    words = re.compile(rf"(?<![a-z])(?:{row[1]})") if named else None
    severity = Severity.HIGH if named else Severity(section)
    forms = tuple(row[2:] if named else row[1:])
    return Format(Kind(f"MCP-SEC-{name}", row[0], severity), words, forms)


def _choices(part: re.Match[str]) -> list[str]:
    return [part["text"]] if part["text"] else part["choice"].split("|")


def _expression(part: re.Match[str]) -> str:
    if part["kind"]:
        sizes = f"{part['least']},{part['most'] or part['least']}"
        return f"[{_CLASSES[part['kind']]}]" + "{" + sizes + "}"
    if part[0] == "<g>":
        return _UUID
    return f"(?:{'|'.join(map(re.escape, _choices(part)))})"
