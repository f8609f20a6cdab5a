"""Passwords: short values of any form, known by the name before them."""

import re
from collections.abc import Iterator

from ..model import Severity
from . import judge, names
from .names import Says
from .source import Kind, Secret, Source

PASSWORD = Kind("MCP-SEC-005", "Password assigned to a name", Severity.HIGH)
_LEFT = re.compile(rb"[\w.$\-]{0,40}$")
_RIGHT = re.compile(rb"[\w.\-]{0,30}")
_BOUND = re.compile(
    rb"[\"'`\])]{0,3}[ \t]{0,20}"
    rb"(?::[ \t]{0,5}[\w.\[\]|? ]{1,30}?(?==))?"
    rb"(?:(?::{0,3}=>?|={2,3}|!={1,2}|[?+.|]=|=>|:)[ \t]{0,20}"
    rb"(?:[bBuUrRfF@$]{1,2}(?=[\"'`]))?"
    rb"(?:\"(?P<double>[^\"\n]{4,120})\"|'(?P<single>[^'\n]{4,120})'"
    rb"|`(?P<back>[^`\n]{4,120})`"
    rb"|(?P<bare>[^\s\"'`,;#(){}\[\]<>]{5,120})(?=[\s,;#\"]|$))"
    rb"|>[ \t]{0,8}(?P<element>[^\s<>]{4,120})[ \t]{0,8}</"
    rb"|\"[ \t]{0,4}\{[^{}\"]{0,200}?\bdefault[ \t]{0,8}=[ \t]{0,8}"
    rb"\"(?P<variable>[^\"\n]{4,120})\""  # of Terraform
    rb"|\"[ \t]{1,8}value=\"(?P<attribute>[^\"\n]{4,120})\""
    rb"|(?:(?<=[\"']),|(?:or|\|\||\?\?)[ \t])[ \t]{0,8}"
    rb"[\"'](?P<default>[^\"'\n]{4,120})[\"'])"
)
_FLAG = re.compile(
    rb"[ \t]{1,4}(?:\"(?P<double>[^\"\n]{4,120})\"|'(?P<single>[^'\n]{4,120})'"
    rb"|(?P<bare>[^\s\"'`;|&<>$-][^\s\"'`;|&<>]{4,120}))"
)
_LOOSE = frozenset({"bare", "default"})  # bound less tightly to their name
_CODE = re.compile(
    r".*\.(?:pyi?|[cm]?[jt]sx?|go|rs|java|kts?|c|h|cc|cpp|hpp|cs|rb|php|swift"
    r"|scala|lua|p[lm]|exs?|vue|html?|css|ipynb)"
)
_ARN = re.compile(rb"arn:[\w:.-]{1,80}$")  # Amazon's name of a secret
_LOGIN = re.compile(
    rb"[ \t]{0,4}=?[ \t]{0,4}\([ \t]{0,4}[\"'][^\"'\n]{1,80}[\"'],[ \t]{0,4}"
    rb"[\"'](?P<password>[^\"'\n]{4,120})[\"'][ \t]{0,4}\)"
)
_SYMBOL = re.compile(rb"[^\w.:/\\-]")
_BROKEN = re.compile(
    rb"[,;:)\]}>#./\\]|[\W\d_]+$|!\w+$|0x[0-9A-Fa-f]+$"  # a tag, a number
)
_EMAIL = re.compile(rb"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_REFERENCE = re.compile(rb"[A-Za-z_]\w*(?:[.:]+[A-Za-z_]\w*)+")
_TELLS = re.compile(rb"passw|secret", re.IGNORECASE)
_ACTS = re.compile(
    r"(?:^|_)(?:ask|change|check|enter|forgot|get|has|is|needs?|no|reset|set"
    r"|show|update|use|verify|with)_"
)
_LETTERS = re.compile(rb"[A-Za-z]{6,}")
_ENDS = re.compile(r".*(?:passw(?:or)?d|pwd|passphrase)\d?")


def passwords(source: Source) -> Iterator[Secret]:
    """A password is written down behind its name.

    In code only literals count; in settings, manifests and shell scripts
    bare words too. Placeholders, references to variables and words about
    passwords are left alone. So are files under tests/.
    """
    code = _CODE.fullmatch(source.path) is not None
    for at in source.all(b"pass", b"pwd", b"secret"):
        end = _right(source.data, at)
        begin = _left(source.data, at)
        flag = source.data[begin : begin + 1] == b"-"
        found = (_FLAG if flag else _BOUND).match(source.data, end)
        found = found or _BOUND.match(source.data, end)
        if found is None or found.lastgroup is None:
            continue
        if code and found.lastgroup == "bare" and not flag:
            continue  # an expression
        name = names.plain(source.data[begin:end])
        if found.lastgroup == "default" and not _ENDS.fullmatch(name):
            continue
        value = found[found.lastgroup]
        if source.shown(at) or _ARN.search(
            source.data, max(0, begin - 80), begin
        ):
            continue
        if _credible(value, name, bare=found.lastgroup in _LOOSE):
            yield Secret(PASSWORD, found.start(found.lastgroup), value, name)

    for at in source.all(b"auth", b"login"):
        found = _LOGIN.match(source.data, at)
        if found and _credible(found["password"], "password", bare=True):
            start = found.start("password")
            yield Secret(PASSWORD, start, found["password"])


def _right(data: bytes, at: int) -> int:
    found = _RIGHT.match(data, at)
    return found.end() if found else at


def _left(data: bytes, at: int) -> int:
    found = _LEFT.search(data, max(0, at - 40), at)
    return found.start() if found else at


def _credible(value: bytes, name: str, *, bare: bool) -> bool:
    """Tell a password from a word about passwords."""
    meaning = names.says(name)
    if meaning not in {Says.PASSWORD, Says.SECRET} or _ACTS.search(name):
        return False
    if (
        b" " in value
        or _EMAIL.fullmatch(value)
        or _BROKEN.match(value)
        or judge.placeholder(value)
    ):
        return False
    if judge.words(value) or judge.constant(value):
        return False
    if bare and _REFERENCE.fullmatch(value):
        return False
    digit = judge.has_digit(value)
    symbol = _SYMBOL.search(value) is not None
    if meaning is Says.SECRET:
        rare = symbol or judge.wordiness(value) < judge.MAX_WORDINESS
        return digit and rare and len(value) >= 8 and not judge.typed(value)
    if digit or (symbol and not _TELLS.search(value)):
        return len(value) >= 6
    return (
        not bare
        and _LETTERS.fullmatch(value) is not None
        and not _TELLS.search(value)
        and _ENDS.fullmatch(name) is not None
    )
