"""Keys of services, known by the service's name and a word for "key" near by.

Most services give out keys that have no form of their own. Text that sets one
names the service, says what the value is, and then holds it, on one line.
"""

import re
from collections.abc import Iterator

from . import judge, keyboard, names, tokens
from .source import Kind, Secret, Source

NEAR = 100  # bytes before the value in which the service is named
REACH = 3  # characters behind the word for "key": a plural, a number
MIXED = 0.7  # wordiness that letters with digits between them seldom have
LEAST = 16  # bytes; a shorter value must be bound to its name
LEAST_ENTROPY = 2.3  # bits for each byte; one row of six, again and again
_SHAPE = re.compile(rb"[\w+/=.-]{%d,200}" % LEAST)
_SAYS = re.compile(r"access|auth|bearer|private|secret|token|key")
_BEHIND = re.compile(
    rb"(?i:access|private|secret|token|key)\w{0,12}[-.](?P<value>[\w-]{16,200}={0,2})$"
)
_ROW = re.compile(rb"(?i:abcde|mnopq|vwxyz|zyxwv|qwert)")
_WORDS = re.compile(r"_|(?=access|private|secret|token|key)")
_CUT = re.compile(rb"[;<>&?{}\n]|//")


def keys(source: Source) -> Iterator[Secret]:
    """Yield values behind the name of a service and a word for "key"."""
    for run in source.runs:
        if _telling(run) and source.budget.spend():
            for value in _values(run):
                kind = _kind(value)
                for begin in source.starts[run] if kind else ():
                    start = begin + run.find(value)
                    name = _name(source.data, start)
                    if kind and name and not source.harmless(start):
                        yield Secret(kind, start, value, name)


def _telling(run: bytes) -> bool:
    """Tell whether a key may stand in it: the quick questions come first."""
    return len(run) >= LEAST and (
        judge.has_digit(run) or _ROW.search(run) is not None
    )


def _values(run: bytes) -> Iterator[bytes]:
    """Yield what of a run may be the key."""
    for piece in tokens.pieces(run):
        value = piece.strip(b".:/,")
        if _SHAPE.fullmatch(value):
            yield value
        behind = _BEHIND.search(value)
        if behind:
            yield behind["value"]


def _kind(value: bytes) -> Kind | None:
    """Return what the value is, if its name says that it is a key."""
    body = value.rstrip(b"=")
    if judge.wordiness(body) > MIXED or judge.entropy(body) < LEAST_ENTROPY:
        return None
    if judge.placeholder(body):
        return None
    if made_up(body):
        return tokens.SAMPLE
    drawn = judge.entropy(body) > tokens.LEAST_ENTROPY and not body.isdigit()
    return tokens.ASSIGNED if drawn else None


def _name(data: bytes, start: int) -> str:
    """Return the words before the value, if they name a service and a key."""
    text = _CUT.split(data[max(0, start - NEAR) : start])[-1]
    name = names.plain(text)
    said = [found.end() for found in _SAYS.finditer(name)]
    if not said or len(name) - said[-1] > REACH or names.other(name):
        return ""
    words = [word for word in _WORDS.split(name) if word]
    return name[-80:] if names.mentions(words) else ""


def made_up(value: bytes) -> bool:
    """Tell whether somebody typed it in rows, or one row again and again."""
    return keyboard.typed(value, keyboard.HALF) or _repeats(value)


def _repeats(value: bytes) -> bool:
    """Tell whether it consists of one part: ``abc123abc123abc``."""
    step = value.find(value[:2], 2)
    while 0 < step <= len(value) // 2:
        if value.startswith(value[step:]):
            return True
        step = value.find(value[:2], step + 1)
    return False
