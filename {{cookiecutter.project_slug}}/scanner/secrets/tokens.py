"""Tokens: known by their form, or by what the text calls them."""

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from ..model import Severity
from . import formats, judge, keyboard, names
from .names import Says
from .source import Kind, Secret, Source

ASSIGNED = Kind("MCP-SEC-004", "Secret assigned to a name", Severity.HIGH)
LONG = 4096  # bytes; below, cutting a text up is faster than searching it
START = 3  # bytes of a keyword that are looked for first
TELLING = 3  # characters of a form that make it unmistakable
LONG_TOLD = 8  # characters of a form that no other data has by chance
LEAST_ENTROPY = 2.8  # bits for each byte; of 32 random hex digits it is 3.6
MIN_VALUE = 12  # bytes
MAX_VALUE = 2500  # bytes; what is longer is data, or known by its form
MIN_BEHIND_KEY = 16  # bytes; "key" alone says little
DULL = re.compile(
    rb"^(?:sha\d{1,3}|md5)[:=-]|://|arn:aws"  # named things
    rb"|(?:^|[=:])\$[\w-]{1,12}\$"  # a hash of a password
)
_BOUND = re.compile(rb"[:=]")
_BROKEN = re.compile(rb":|=[^=]")
_IN_WORDS = re.compile(rb"[\w.]")  # no token begins behind one of these
_EMPTY = b"A" * 12  # Base64 of zeros, as in certificates and images
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
    return [
        start
        for start, begun in _begun().items()
        if (begun in words if begun else start in text)
    ]


def _formed(source: Source, kind: Kind, form: str) -> Iterator[Secret]:
    for found in formats.regex(form).finditer(source.joined):
        if _genuine(found, form):
            for start in source.places(found):
                yield Secret(kind, start, found[0])


def by_name(source: Source) -> Iterator[Secret]:
    """A value that looks drawn by chance stands behind a secret's name.

    ``api_key``, ``token``, ``client_secret`` and the like: in code, settings,
    manifests and commands. Placeholders, digests, identifiers and public
    keys are left alone.
    """
    for run in source.runs:
        if not DULL.search(run) and source.budget.spend():
            for value in pieces(run):
                yield from _named(source, run, value.strip(b".:/,"))


def pieces(run: bytes) -> Iterable[bytes]:
    """Return what the value may be: the run, or what signs cut out of it."""
    if not _PIECES.search(run):
        return (run,)
    behind = _BOUND.split(run, maxsplit=1)[-1]
    return dict.fromkeys([run, behind, *_PIECES.split(run)])


def _named(source: Source, run: bytes, value: bytes) -> Iterator[Secret]:
    """Yield the places where its name makes a value a secret."""
    body = value.rstrip(b"=")
    if not MIN_VALUE <= len(value) <= MAX_VALUE or not judge.random(
        body, sure=True
    ):
        return
    random = judge.random(body)
    for begin in source.starts[run]:
        start = begin + run.find(value)
        if source.data.startswith((b"..", b"("), start + len(value)):
            continue  # the manual left the rest out, or it is called
        name = names.before(source.data, start)
        if name:
            kind = _issuer(name, value) or (
                ASSIGNED if random and tells(name, body) else None
            )
            if kind is not None and not source.harmless(start):
                yield Secret(kind, start, value, name)


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
    if judge.words(judge.decoded(value)) or judge.text(value):
        return False
    return meaning is not Says.KEY or len(value) >= MIN_BEHIND_KEY


def _genuine(found: re.Match[bytes], form: str) -> bool:
    """Tell a token from an example of one, and from a word with a dot."""
    value = found[0]
    if judge.placeholder(value) or keyboard.typed(value):
        return False
    if found.string[found.end() :].startswith(b".."):
        return False  # the manual left the rest out
    told = formats.literal(form)
    drawn = value[told:]
    if _EMPTY in drawn and told < LONG_TOLD:
        return False
    if _NUMBERS.fullmatch(drawn) or judge.entropy(value) < LEAST_ENTROPY:
        return False
    return told >= TELLING or judge.random(drawn, sure=True)


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
def _begun() -> dict[bytes, bytes]:
    """Return how the word begins that each start stands at the head of.

    Empty for those that may stand within a word, or are too short to tell.
    """
    within = {
        word[:START]
        for known in formats.load()
        for form in (known.forms if known.names is None else ())
        for word in (() if formats.begins(form) else formats.keywords(form))
    }
    return {
        start: b"" if start in within else _head(start) for start in _index()
    }


def _head(start: bytes) -> bytes:
    """Return the word at the head; b"" if more of it may come."""
    head = start.translate(_TO_WORDS).partition(b" ")[0]
    return b"" if head == start and len(head) < START else head


@functools.cache
def _fitting(size: int) -> tuple[tuple[formats.Format, str], ...]:
    """Return the forms of such a size that a name must go with."""
    return tuple(
        (known, form)
        for known in formats.load()
        for form in (known.forms if known.names is not None else ())
        if size in formats.sizes(form)
    )
