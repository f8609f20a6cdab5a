"""What the name before a value says about the value."""

import functools
import re
from enum import IntEnum
from itertools import pairwise

from . import formats
from .keyboard import KEPT


class Says(IntEnum):
    """How much a name speaks for a secret."""

    NOTHING = 0
    KEY = 1
    SECRET = 2
    PASSWORD = 3


# Names are compared in one form: words in lower case with "_" between them.
_PASSWORD = re.compile(
    r"p(?:a?ss?)w(?:o?r?d)|passphrase|passwort|(?:^|_)(?:\w+?pwd|pwd\d?|(?:my|sql|db|smtp|ftp|root|user|src|dest|store|key)*pass|pw|psk)(?:_|$)"
)
_COMPOUND = (
    r"(?:(?:^|_)|access|api|auth|bearer|bot|client|csrf|id|jwt|oauth|refresh"
    r"|session|user|my|app|job|git|npm)"
)
_SECRET = re.compile(
    rf"{_COMPOUND}(?:secret|token)"
    r"|(?:api|app|access|auth|private|encryption|crypt|signing|master"
    r"|session|service|account|secret|license|subscription)_?key|(?:^|_)pat(?:_|$)"
    r"|credential|(?:^|_)creds?(?:_|$)|bearer|authorization|passkey"
)
_KEY = re.compile(
    r"(?:^|_)(?:\w+?key|key|auth|access|api|fernet|totp)s?(?:_|$|\d)"
)
_OTHER = re.compile(
    r"^of_|(?:_|^)(?:ids?|names?|urls?|uri|path|files?|dir|type|len|length|size"
    r"|format|version|hash|digest|checksum|regex|pattern|field|label|header"
    r"|prefix|suffix|count|limit|ttl|expir\w*|endpoint|host|index|idx|code"
    r"|frame|used|env|var|vars|policy|mode|required|enabled|alias|enc|alg|algorithm|method|event|ref|arn|column|sha\d*|md_?5|selector|(?:help|hint|msg|message|title|tooltip)\d*|s)$"
    r"|(?:^|_)(?:public|pub|gpg|pgp|pubkey|primary|foreign|natural|partition|bucket"
    r"|sequence|schema|sort|cache|csrf|xsrf|authenticity|fingerprint"
    r"|thumbprint|issuer|checksum|integrity|digest|sha_?\d+|md_?5|etag"
    r"|commit|revision|next|continuation|page|pagination|idempotency|random"
    r"|client_request|host_key|known_hosts|author|hash|nonce|id_secret"
    r"|(?:(?:tur|mon|don|joc|hoc|whis)keys?)|keyword|keyboard|idx)(?:_|$)"
    r"|key_?(?:ids?|name|board|words?|code|down|up|press|frame|size|length"
    r"|pair|ring|hash|vault|mesh|selector|signature|store|s?tab)"
    r"|access_?id|password_key$|api_?version|site_?key|tokeni[sz]|secret_?names?|user_secrets|web_?socket"
    r"|(?:^|_)(?:action|change|cursor|delta|lock|resume|stream|sync)_token"
    r"|(?:^|_)(?:ghsa|cve)$"
)
_MADE_UP = re.compile(
    r"(?:^|_)(?:bad|bogus|dummy|example|fake|invalid|mock|non_matching"
    r"|placeholder|sample|wrong)(?:_|$)"
)
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TAIL = re.compile(
    rb"(?=[^A-Za-hj-z0-9_])(?:\\{0,3}[\"'`\])}]){0,3}[ \t]{0,20}"
    rb"(?::{1,3}=|\?\?=|[?+.!=|]?={1,2}>?|->|=>|:|,|>|\|{1,2}|\(|\bis\b"
    rb"|[ \t]-(?=[ \t])|[ \t](?=[\"'`])|[ \t](?:(?<=[Tt]oken.)|(?<=TOKEN.)"
    rb"|(?<=[Ss]ecret.)|(?<=SECRET.)|(?<=[Kk]ey.)|(?<=KEY.)))"
    rb"[\s\"'`\\({\[]{0,40}(?:[bBuUrRfF@$]{1,2}[\"'`]{1,3})?"
    rb"(?:(?i:bearer|token|apikey) {1,2}|(?:base64|hex|oauth2):)?$"
)
_LONGEST_TAIL = 100  # bytes
_ELEMENT = re.compile(
    rb"<(?P<name>[\w.:-]{2,40})>[\s{]{0,40}(?:[\w.:-]{1,30}[ ]){0,3}$"
)
_LAST_WORD = re.compile(rb"(?<![\w.@/-])(?P<name>[A-Za-z][\w-]{2,30})[ \t]$")
# What a declaration says of a name: public static String KEY, KEY: &str.
_DECLARED = re.compile(
    rb"\bpublic[ \t]+(?=(?:const|final|let|override|readonly|static|string|val"
    rb"|var)\b)|&(?:'static[ \t])?(?=str\b)",
    re.IGNORECASE,
)
_OPENED = (b"${", b"$(", b"#{", b"%{", b"<", b"{" * 2)  # a reference
_CUT = re.compile(rb"[\n,;{}()<>&?|]|//|==?")
_REACH = 25  # characters between the telling word and what binds the value
_EMPTY = frozenset({"value", "val", "default", "content", "data"})


def before(data: bytes, start: int) -> str:
    """Return the name to which the value that starts there is bound, or ""."""
    left = data[max(0, start - 160) : start]
    if left.rstrip(b" ").endswith(_OPENED):
        return ""
    tail = _TAIL.search(left, max(0, len(left) - _LONGEST_TAIL))
    if tail is None:
        return _loose(left)
    text = left[: tail.start()]
    if b"&" in text or b"public" in text.lower():
        text = _DECLARED.sub(b"", text)
    pieces = [piece for piece in _CUT.split(text) if piece.strip()]
    name = plain(pieces[-1]) if pieces else ""
    if name.rpartition("_")[2] in _EMPTY and len(pieces) > 1:
        name = f"{plain(pieces[-2])}_{name}".removesuffix(
            "_value"
        ).removesuffix("_default")
    return name[-80:]


def _loose(left: bytes) -> str:
    """Return the name of the element around the value, or its service's."""
    element = _ELEMENT.search(left)
    if element:
        return plain(element["name"])
    word = _LAST_WORD.search(left)
    name = plain(word["name"]) if word else ""
    return name if service(name) else ""


@functools.lru_cache(KEPT)
def service(name: str) -> bool:
    """Tell whether it is the name of a service that gives out keys."""
    known = formats.services()
    return not known.isdisjoint([name.replace("_", ""), *name.split("_")[-3:]])


def mentions(words: list[str]) -> bool:
    """Tell whether one word, or two together, name such a service."""
    pairs = (one + other for one, other in pairwise(words))
    return not formats.services().isdisjoint([*words, *pairs])


def plain(name: bytes) -> str:
    """Return a name as words in lower case: ``apiKey`` is ``api_key``."""
    words = _WORD.sub("_", name.decode("ascii", "replace"))
    return re.sub(r"[\W_]+", "_", words).strip("_").lower()


@functools.lru_cache(KEPT)
def other(name: str) -> bool:
    """Tell whether the name is that of something that is no secret."""
    return _OTHER.search(name) is not None or made_up(name)


def made_up(name: str) -> bool:
    """Tell whether the name says that its value is not in use."""
    return _MADE_UP.search(name) is not None


@functools.lru_cache(KEPT)
def says(name: str) -> Says:
    """Judge a name; one that tells of something else says nothing."""
    if other(name):
        return Says.NOTHING
    for pattern, meaning in (
        (_PASSWORD, Says.PASSWORD),
        (_SECRET, Says.SECRET),
        (_KEY, Says.KEY),
    ):
        found = [*pattern.finditer(name)]
        if found and len(name) - found[-1].end() <= _REACH:
            return meaning
    return Says.NOTHING
