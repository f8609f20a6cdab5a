"""The ways in which files bind a value to the name before it."""

import re
from typing import NamedTuple

_LITERAL = (
    rb"(?:\"(?P<double%(n)d>[^\"\n]{4,120})\"|'(?P<single%(n)d>[^'\n]{4,120})'"
    rb"|`(?P<back%(n)d>[^`\n]{4,120})`"
    rb"|\\{1,3}[\"'](?P<escaped%(n)d>[^\"'\\\n]{4,120})\\{1,3}[\"'])"
)
_WORD = rb"(?P<bare%(n)d>[^\s\"'`,;#(){}\[\]<>]{5,120})(?=[\s,;#)}\"']|$)"
# Field(default="value"), SecretStr("value")
_WRAPPED = (
    rb"(?:(?:Field|Secret(?:Str|Bytes)?)\(\s{0,20}(?:default[ \t]{0,4}=)?"
    rb"[ \t]{0,4}){0,2}"
)
_CLOSED = rb"(?:\\{0,3}[\"'`\])}]){0,3}[ \t]{0,20}"  # the name, if quoted
_WAYS = (
    # password = "value", password: str = "value", password=value
    _CLOSED + rb"(?::[ \t]{0,5}[\w.\[\]|? ]{1,30}?(?==))?"
    rb"(?::{0,3}=>?|={2,3}|!={1,2}|[?+.|]=|=>|:)[ \t]{0,20}"
    rb"(?:[|>][-+]?[ \t]{0,4}\n[ \t]{1,20})?"  # a block of YAML
    + _WRAPPED
    + rb"(?:[bBuUrRfF@$]{1,2}(?=[\"'`]))?(?:"
    + _LITERAL
    + rb"|"
    + _WORD
    + rb")",
    # - name: PASSWORD, then value: "value"; <property name="password" value=…
    _CLOSED + rb"[\s,]{1,40}[\"']?value[\"']?[ \t]{0,4}[:=][ \t]{0,4}"
    rb"(?:" + _LITERAL + rb"|" + _WORD + rb")",
    # <password>value</password>
    rb"(?:[ \t][^<>\n]{1,80})?>[ \t]{0,8}(?:<!\[CDATA\[)?"
    rb"(?P<element>[^\s<>]{4,120}?)(?:\]\]>)?[ \t]{0,8}</",
    # variable "password" { default = "value" }
    rb"\"[ \t]{0,4}\{[^{}\"]{0,200}?\bdefault[ \t]{0,8}=[ \t]{0,8}" + _LITERAL,
    # environ.get("PASSWORD", "value"), setopt(PASSWORD, "value")
    _CLOSED + rb"(?:(?<=[\"'A-Z]),|(?:or|\|\||\?\?)[ \t])[ \t]{0,8}"
    rb"(?:default[ \t]{0,4}[=:][ \t]{0,4})?"
    rb"[\"'](?P<default>[^\"'\n]{4,120})[\"']",
    # ${PASSWORD:-value}
    rb":?-(?P<fallback>[^\s\"'{}]{4,120})\}",
    # PASSWORD 'value', the password is "value"
    rb"[ \t]{1,4}(?:is:?[ \t]{1,4})?[\"'`](?P<spaced>[^\"'`\n]{4,120})[\"'`]",
)
_BOUND = re.compile(
    b"|".join(way.replace(b"%(n)d", b"%d" % n) for n, way in enumerate(_WAYS))
)
_FLAGGED = re.compile(
    rb"[ \t]{1,4}(?:\"(?P<double>[^\"\n]{4,120})\"|'(?P<single>[^'\n]{4,120})'"
    rb"|(?P<bare>[^\s\"'`;|&<>$-][^\s\"'`;|&<>]{4,120}))"
)


class Bound(NamedTuple):
    """A value and how it is bound to its name.

    Attributes:
        way: ``bare`` is a word without quotes, ``default`` what holds where
            nothing else is given, ``spaced`` what merely stands behind.
    """

    start: int
    value: bytes
    way: str


def after(data: bytes, end: int, *, flag: bool = False) -> Bound | None:
    """Return the value that is bound to the name that ends there."""
    found = _FLAGGED.match(data, end) if flag else None
    found = found or _BOUND.match(data, end)
    if found is None or found.lastgroup is None:
        return None
    way = found.lastgroup.rstrip("0123456789")
    return Bound(found.start(found.lastgroup), found[found.lastgroup], way)
