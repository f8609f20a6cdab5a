"""Tokens: known by their form, or by what the text calls them."""

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

from ..model import Severity
from . import formats, judge, keyboard, names
from .names import Says
from .source import Kind, Secret, Source

ASSIGNED = Kind("MCP-SEC-004", "Secret assigned to a name", Severity.HIGH)
SAMPLE = Kind("MCP-SEC-013", "Key that looks made up", Severity.LOW)
LONG = 4096  # bytes; below, cutting a text up is faster than searching it
START = 3  # bytes of a keyword that are looked for first
TELLING = 3  # characters of a form that make it unmistakable
LONG_TOLD = 8  # characters of a form that no other data has by chance
LEAST_ENTROPY = 2.8  # bits for each byte; of 32 random hex digits it is 3.6
MIN_VALUE = 12  # bytes
MAX_VALUE = 2500  # bytes; what is longer is data, or known by its form
MIN_BEHIND_KEY = 16  # bytes; "key" alone says little
_BOUND = re.compile(rb"[:=]")
_BROKEN = re.compile(
    rb":|=[^=]"
    rb"|\.[a-z]{2,4}\d?$|^[a-z_]+(?:\.[A-Za-z_]+){2,}\d*$"  # a file, a class
)
_IN_WORDS = re.compile(rb"[\w.]")  # no token begins behind one of these
_EMPTY = b"A" * 12  # Base64 of zeros, as in certificates and images
_ZEROS = "A" * 10  # in a form, which fewer zeros fill up
_ALPHABET = bytes(range(97, 123))  # who writes all of it shows a form
_ROWS = (b"12345", b"abcde", b"qwert", b"a1b2c", b"54321")
_ROW = re.compile(b"|".join(_ROWS), re.IGNORECASE)
_NUMBERS = re.compile(rb"[\d-]+")
_TO_WORDS = bytes(n if _IN_WORDS.match(bytes([n])) else 32 for n in range(256))
_PIECES = re.compile(rb"[:@%!$|]|=(?=[^=])")


def by_form(source: Source) -> Iterator[Secret]:
    """Yield the tokens whose form says what they are, wherever they stand."""
    for start in _starts(source.joined):
        for word, kind, form in _index()[start]:
            if word in source.joined:
                yield from _formed(source, kind, form)


def _starts(text: bytes) -> list[bytes]:
    """Return the starts of keywords in a text, in the table's order.

    A short text is cut up into words once, for most keywords begin one; in a
    long one a search for each is faster.
    """
    known = _index()
    if len(text) > LONG:
        return [start for start in known if start in text]
    words = {word[:START] for word in text.translate(_TO_WORDS).split()}
    heads, glued = _heads(), _glued()
    starts = {start for word in words & heads.keys() for start in heads[word]}
    starts.update(*(glued[first] for first in glued if first in text))
    return sorted(start for start in starts if start in text)


def _formed(source: Source, kind: Kind, form: str) -> Iterator[Secret]:
    for found in formats.regex(form).finditer(source.joined):
        judged = _judged(found, form, kind)
        if judged is None:
            continue
        serious = judged.severity.rank <= Severity.HIGH.rank
        for start in source.places(found):
            if serious or not _shown(source, start):
                yield Secret(judged, start, found[0])


def _shown(source: Source, at: int) -> bool:
    """Tell whether a manual or a name says that the value is not in use."""
    return source.harmless(at) or names.made_up(names.before(source.data, at))


def by_name(source: Source) -> Iterator[Secret]:
    """A value that looks drawn by chance stands behind a secret's name.

    ``api_key``, ``token``, ``client_secret`` and the like: in code, settings,
    manifests and commands. Placeholders, digests, identifiers and public
    keys are left alone.
    """
    rows = any(row in source.lower for row in _ROWS)
    for run in source.runs:
        if source.budget.spend():
            for piece in pieces(run):
                value = piece.strip(b".:/,")
                body = value.rstrip(b"=")
                if MIN_VALUE <= len(value) <= MAX_VALUE and (
                    judge.random(body, sure=True) or (rows and _sample(body))
                ):
                    yield from _named(source, run, value, body)


def pieces(run: bytes) -> Iterable[bytes]:
    """Return what the value may be: the run, or what signs cut out of it."""
    if not _PIECES.search(run):
        return (run,)
    behind = _BOUND.split(run, maxsplit=1)[-1]
    return dict.fromkeys([run, behind, *_PIECES.split(run)])


def _named(
    source: Source, run: bytes, value: bytes, body: bytes
) -> Iterator[Secret]:
    """Yield the places where its name makes a value a secret."""
    for begin in source.starts[run]:
        start = begin + run.find(value)
        if source.data.startswith((b"..", b"("), start + len(value)):
            continue  # the manual left the rest out, or it is called
        name = names.before(source.data, start)
        kind = _kind(name, value, body) if name else None
        if kind is not None and not source.harmless(start):
            yield Secret(kind, start, value, name)


def _kind(name: str, value: bytes, body: bytes) -> Kind | None:
    """Return what the value is under this name."""
    if judge.random(body, sure=True):
        issuer = _issuer(name, value)
        if issuer is not None:
            return issuer
        if judge.random(body) and tells(name, body):
            return ASSIGNED
    secret = names.says(name) is Says.SECRET or (
        names.service(name) and not names.other(name)
    )
    return SAMPLE if secret and _sample(body) else None


def _sample(value: bytes) -> bool:
    """Tell whether somebody typed it in rows, and does not say so."""
    return (
        len(value) >= MIN_BEHIND_KEY
        and _ROW.search(value) is not None
        and keyboard.typed(value, keyboard.HALF)
        and _ALPHABET not in value.lower()
        and not judge.placeholder(value)
    )


def _issuer(name: str, value: bytes) -> Kind | None:
    """Return the format whose name and form both fit.

    Where a name is that of something else, the table must say all of it.
    """
    other = names.other(name)
    for known, form in _fitting(len(value)):
        said = known.names.search(name) if known.names else None
        if (
            said
            and (not other or names.other(said[0]))
            and formats.regex(form).fullmatch(value)
            and not (judge.digest(value) and formats.wide(form))
        ):
            return known.kind
    return None


def tells(name: str, value: bytes) -> bool:
    """Tell whether the name says that a value drawn by chance is secret."""
    meaning = names.says(name)
    if names.other(name):
        return False
    if meaning is Says.NOTHING and names.service(name):
        meaning = Says.KEY
    if (
        meaning is Says.NOTHING
        or _BROKEN.search(value)
        or judge.constant(value)
    ):
        return False
    if judge.text(value):
        return False
    return meaning is not Says.KEY or len(value) >= MIN_BEHIND_KEY


def _judged(found: re.Match[bytes], form: str, kind: Kind) -> Kind | None:
    """Tell a token from one that was typed, and from a word with a dot."""
    value, told = found[0], formats.literal(form)
    drawn = value[told:]
    if found.string[found.end() :].startswith(b".."):
        return None  # the manual left the rest out
    if _EMPTY in drawn and (told < LONG_TOLD or _ZEROS in form):
        return None
    if (
        judge.placeholder(value.lstrip(b"$"))
        or judge.entropy(value) < LEAST_ENTROPY
    ):
        return None
    if keyboard.typed(value):
        return None if told < TELLING or _ALPHABET in value.lower() else SAMPLE
    if _NUMBERS.fullmatch(drawn):
        return None
    return kind if told >= TELLING or judge.random(drawn, sure=True) else None


@functools.cache
def _index() -> dict[bytes, list[tuple[bytes, Kind, str]]]:
    """Return forms with their keywords, by how the keywords start."""
    table: dict[bytes, list[tuple[bytes, Kind, str]]] = defaultdict(list)
    for known in formats.load():
        for form in known.forms if known.names is None else ():
            for word in formats.keywords(form):
                table[word[:START]].append((word, known.kind, form))
    return dict(table)


@functools.cache
def _heads() -> dict[bytes, set[bytes]]:
    """Return the starts by how the first word of their keywords begins."""
    heads: dict[bytes, set[bytes]] = defaultdict(set)
    for start, known in _index().items():
        for word, _, form in known:
            heads[_head(word) if formats.begins(form) else b""].add(start)
    return dict(heads)


@functools.cache
def _glued() -> dict[bytes, list[bytes]]:
    """Return those that may stand within a word, by their first byte."""
    starts = sorted(_heads()[b""])
    return {first: [*some] for first, some in groupby(starts, lambda x: x[:1])}


def _head(word: bytes) -> bytes:
    """Return how its first word begins; b"" if more of it may come."""
    head, cut, _ = word.translate(_TO_WORDS).lstrip().partition(b" ")
    return head[:START] if cut or len(head) >= START else b""


@functools.cache
def _fitting(size: int) -> tuple[tuple[formats.Format, str], ...]:
    """Return the forms of such a size that a name must go with."""
    return tuple(
        (known, form)
        for known in formats.load()
        for form in (known.forms if known.names is not None else ())
        if size in formats.sizes(form)
    )
