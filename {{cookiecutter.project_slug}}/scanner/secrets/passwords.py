"""Passwords: short values of any form, known by the name before them."""

import re
from collections.abc import Iterator

from ..model import Severity
from . import bindings, judge, keyboard, names
from .names import Says
from .source import Kind, Secret, Source

PASSWORD = Kind("MCP-SEC-005", "Password assigned to a name", Severity.HIGH)
LEAST_DRAWN = 12  # letters alone; fewer may be anybody's word or name
_LEFT = re.compile(rb"[\w.$\-]{0,40}$")
_RIGHT = re.compile(rb"[\w.\-]{0,30}")
_LOOSE = frozenset({"bare", "default", "spaced"})
_CODE = re.compile(
    r".*\.(?:pyi?|[cm]?[jt]sx?|go|rs|java|kts?|c|h|cc|cpp|hpp|cs|rb|php|swift"
    r"|scala|lua|p[lm]|exs?|vue|html?|css|ipynb)"
)
# Files that hold nothing but settings, and are no samples of one.
_SETTINGS = re.compile(
    r"(?!.*[._-](?:example|sample|template|dist|tmpl))"
    r"(?:.*/)?(?:\.env(?:\.\w+)?|[\w.-]+\.env)"
)
_ARN = re.compile(rb"arn:[\w:.-]{1,80}$")  # Amazon's name of a secret
_SETS = (b"ENV ", b"setenv ")  # what comes next is a name, then a value
_LOGIN = re.compile(
    rb"[ \t]{0,4}=?[ \t]{0,4}\([ \t]{0,4}[\"'][^\"'\n]{1,80}[\"'],[ \t]{0,4}"
    rb"[\"'](?P<password>[^\"'\n]{4,120})[\"'][ \t]{0,4}\)"
)
_SYMBOL = re.compile(rb"[^\w.:/\\-]")
_BROKEN = re.compile(
    rb"[\W\d_]+$|!\w+$|0x[0-9A-Fa-f]+$"  # a tag, a number
)
_CUT = re.compile(rb"[,;:)\]}>#./\\]")  # hardly how one begins
_EMAIL = re.compile(rb"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_REFERENCE = re.compile(rb"[A-Za-z_]\w*(?:[.:]+[A-Za-z_]\w*)+|\w+\[[\w.:]*\]")
_TELLS = re.compile(rb"passw|secret", re.IGNORECASE)
_ACTS = re.compile(
    r"(?:^|_)(?:ask|change|check|enter|forgot|get|has|is|needs?|no|reset|set"
    r"|show|update|use|verify|with)_"
)
_LETTERS = re.compile(rb"[A-Za-z]{6,}")
_ENDS = re.compile(r".*(?:pa?ss?wo?r?d|pwd|passphrase)\d?")
_BESIDE = {  # how a name ends that has a value beside it, not bound to it
    "spaced": _ENDS,
    "default": re.compile(rf"{_ENDS.pattern}|(?:.+_)?secret_key|.+_secret"),
}
_WORDS = (b"pass", b"pw", b"secret", b"psw", b"pssw", b"pasw", b"psk")


def passwords(source: Source) -> Iterator[Secret]:
    """A password is written down behind its name.

    In code only literals count; in settings, manifests and shell scripts
    bare words too. Placeholders, references to variables and words about
    passwords are left alone. So are files under tests/.
    """
    code = _CODE.fullmatch(source.path) is not None
    settings = _SETTINGS.fullmatch(source.path) is not None
    loose = _LOOSE - {"bare"} if settings else _LOOSE
    for at in source.all(*_WORDS):
        end = _right(source.data, at)
        begin = _left(source.data, at)
        flag = source.data[begin : begin + 1] == b"-"
        flag |= source.data.endswith(_SETS, 0, begin)
        found = bindings.after(source.data, end, flag=flag)
        if found is None or (
            code and found.way == "bare" and not (flag or source.quoted(begin))
        ):
            continue  # in code a bare word is an expression
        name = names.plain(source.data[begin:end])
        if found.way in _BESIDE and not _BESIDE[found.way].fullmatch(name):
            continue
        if (
            credible(found.value, name, bare=found.way in loose)
            and not source.harmless(at)
            and not _ARN.search(source.data, max(0, begin - 80), begin)
        ):
            yield Secret(PASSWORD, found.start, found.value, name)

    for at in source.all(b"auth", b"login"):
        login = _LOGIN.match(source.data, at)
        if login and credible(login["password"], "password", bare=True):
            start = login.start("password")
            yield Secret(PASSWORD, start, login["password"])


def _right(data: bytes, at: int) -> int:
    found = _RIGHT.match(data, at)
    return found.end() if found else at


def _left(data: bytes, at: int) -> int:
    found = _LEFT.search(data, max(0, at - 40), at)
    return found.start() if found else at


def credible(value: bytes, name: str, *, bare: bool) -> bool:
    """Tell a password from a word about passwords.

    Args:
        value: What may be one.
        name: What the text calls it.
        bare: It is bound to the name less tightly: doubt more.
    """
    meaning = names.says(name)
    if meaning not in {Says.PASSWORD, Says.SECRET} or _ACTS.search(name):
        return False
    if (
        b" " in value
        or _EMAIL.fullmatch(value)
        or _BROKEN.match(value)
        or (_CUT.match(value) and (bare or not judge.random(value)))
        or judge.placeholder(value)
        or judge.hashed(value)
        or keyboard.typed(value)
    ):
        return False
    if judge.words(value) or judge.constant(value):
        return False
    if _REFERENCE.fullmatch(value) and (bare or value.count(b".") != 1):
        return False
    if set(names.plain(value).split("_")) <= {*name.split("_")}:
        return False  # a label
    digit = judge.has_digit(value)
    symbol = _SYMBOL.search(value) is not None
    if meaning is Says.SECRET:
        rare = symbol or judge.wordiness(value) < judge.MAX_WORDINESS
        return digit and rare and len(value) >= 8
    if digit or (symbol and not _TELLS.search(value)):
        return len(value) >= 6
    return (
        (not bare or judge.shuffled(value, LEAST_DRAWN))
        and _LETTERS.fullmatch(value) is not None
        and not _TELLS.search(value)
        and _ENDS.fullmatch(name) is not None
    )
