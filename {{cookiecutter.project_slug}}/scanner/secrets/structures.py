"""Credentials that are known by the structure around them."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from ..model import Severity
from . import commands, judge, keyboard
from .source import Kind, Secret, Source

_KEY_HEAD = re.compile(rb"[A-Z0-9 ]{0,40} PRIVATE KEY(?: BLOCK)?-----")
# PKCS #8, PEM, and OpenSSH's, whose Base64 names the cipher.
_LOCKED = re.compile(
    rb"BEGIN ENCRYPTED |Proc-Type: 4,ENCRYPTED"
    rb"|b3BlbnNzaC1rZXktdjEAAAAA(?!BG5vbmU)"
)
_KEY_REACH = 1000  # bytes after the head in which the key itself begins
_KEY_COST = 20  # places in a text that are looked at in the same time
_KEY_LONG = 400  # characters; a key that long was not cut short
_KEY_BODY = re.compile(
    rb"[A-Za-z0-9+/]{56,}(?:={1,3}[A-Za-z0-9+/]{4}(?=-)|=*)"  # RFC 4880, 6.1
)
_KEY_LINE = re.compile(
    rb"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{64}(?![A-Za-z0-9+/=])"
)
_KEY_LINES = 2  # whole ones, each behind the mark that a log puts there
_BREAKS = re.compile(rb"\\{1,4}[nr]|[\s\"',+\\]+")
_JWK_REACH = 4000  # bytes; a key of 4096 bits has 3200
_JWK = re.compile(
    rb"\\{0,3}\"[dk]\\{0,3}\"\s{0,9}:\s{0,9}\\{0,3}\"(?P<value>[\w-]{20,})"
)
_PUTTY = re.compile(rb"\d:.{0,4000}?Private-Lines:", re.DOTALL)
_JWT = re.compile(rb"(?<![\w-])ey[\w-]{10,}\.ey[\w-]{8,}\.[\w-]{10,}")
_CLAIMS = frozenset(
    {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "azp", "role", "scope"}
)
_WRAPPED = re.compile(rb"(?:LS0tLS1CRUdJTi|ZXlK)[A-Za-z0-9+/]{40,}={0,2}")
_AFTER_SCHEME = re.compile(
    rb"(?P<user>[^\s/:\"'`<>?#]{0,80}):(?!\d{1,5},)"  # a port, another host
    rb"(?P<password>[^\s/\"'`<>?#]{3,200})@[\w.\-\[]"
)
_AFTER_HEADER = re.compile(
    rb"[\"']?[ \t]{0,4}(?:[:=,]|[ \t](?=[\"']))[ \t]{0,4}[\"']?"
    rb"(?:(?P<scheme>[A-Za-z][\w-]{3,15})[ \t]+)?(?P<value>[\w+/.~@=-]{8,500})"
)
_SENT = re.compile(rb"(?:-H|--header)[ =][\"'][\w-]{1,40}$")
_ODD = re.compile(rb"[^\x20-\x7e]")
LONG_HIDDEN = 40  # bytes; a placeholder is shorter
MOST_ODD = 0.1  # of what Base64 stands for, where it stands for text
_NONCE = b"sec-websocket-key"  # drawn for each connection (RFC 6455)
_LOGIN = re.compile(
    rb"auth\\?[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\?[\"']?"
    rb"(?P<value>[A-Za-z0-9+/]{8,500}={0,2})(?![\w+/=])"
)
_DOCUMENTS = re.compile(rb"^---", re.MULTILINE)
_KIND_SECRET = re.compile(
    rb"^[\"' \t]{0,8}kind[\"']?:[ \t]*[\"']?secret[\"']?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_DATA = re.compile(
    rb"^[\"' \t]{0,8}data[\"']?:[ \t]*\n(?P<block>(?:[ \t].*\n?)+)",
    re.MULTILINE,
)
_ENTRY = re.compile(
    rb"^[ \t]+[\"']?[\w.\-]{1,80}[\"']?:[ \t]*(?:[|>][-+]?[ \t]*\n[ \t]+)?"
    rb"[\"']?(?P<value>[A-Za-z0-9+/]{8,}={0,2})[\"']?[ \t]*$",
    re.MULTILINE,
)
_STORE = re.compile(
    r"(?:.*/)?(?:[^/]+\.(?:p12|pfx|jks|keystore|kdbx|ppk)"
    r"|\.(?:htpasswd|pgpass))",
    re.IGNORECASE,
)


def private_keys(source: Source) -> Iterator[Secret]:
    """A private key stands in the file.

    Whoever has the repository has the key: of a server, a signature or a
    login. It is found in its PEM, OpenPGP or PuTTY armour, plain, escaped in
    a string, or wrapped in Base64, and as a JSON Web Key (RFC 7517).
    """
    for at in source.all(b"-----begin"):
        head = _KEY_HEAD.match(source.data, at)
        if head and source.budget.spend(_KEY_COST):
            after = source.data[head.end() : head.end() + _KEY_REACH]
            if _is_key(after):
                foot = source.data.find(b"-----END", head.end())
                end = foot if foot > 0 else head.end() + _KEY_REACH
                locked = _LOCKED.search(source.data, at - 11, end)
                kind = LOCKED if locked else KEY
                yield Secret(kind, at, source.data[at:end])
    for at in source.all(b"putty-user-key-file-"):
        if source.budget.spend(_KEY_COST) and _PUTTY.match(source.data, at):
            yield Secret(KEY, at, b"PuTTY")
    for at in source.all(b'"kty'):
        begin = source.data.rfind(b"{", max(0, at - _JWK_REACH), at)
        end = source.data.find(b"}", at, at + _JWK_REACH)
        if begin < 0 or end < 0 or not source.budget.spend(_KEY_COST):
            continue
        found = _JWK.search(source.data, begin, end)
        if found and not judge.placeholder(found["value"]):
            yield Secret(KEY, found.start("value"), found["value"])
    yield from _wrapped(source, KEY, lambda text: b" PRIVATE KEY" in text)


def json_web_tokens(source: Source) -> Iterator[Secret]:
    """A signed JSON Web Token (RFC 7519) stands in the file.

    It admits whoever shows it until it expires, and many never do. Header
    and claims are decoded: what only looks like a token is left alone.
    """
    for found in _JWT.finditer(source.joined):
        if _is_jwt(found[0]):
            for start in source.places(found):
                yield Secret(TOKEN, start, found[0])
    yield from _wrapped(source, TOKEN, lambda text: bool(_JWT.match(text)))


def urls(source: Source) -> Iterator[Secret]:
    """A password stands in a URL, before the host (RFC 3986, 3.2.1).

    URLs are logged, shown and passed on by every program that they meet.
    """
    for at in source.all(b"://"):
        found = _AFTER_SCHEME.match(source.data, at)
        if found and judge.password(
            unquote_to_bytes(found["password"]), found["user"]
        ):
            yield Secret(URL, found.start("password"), found["password"])


def headers(source: Source) -> Iterator[Secret]:
    """A credential stands in an HTTP header.

    Authorization and API key headers; Basic credentials are decoded and
    judged by their password (RFC 7617).
    """
    for at in source.all(b"authorization", b"-key", b"-token", b"apikey"):
        found = _AFTER_HEADER.match(source.data, at)
        if found is None:
            continue
        scheme, value = (found["scheme"] or b"").lower(), found["value"]
        if scheme == b"basic":
            real = _is_basic(value)
        else:
            header = scheme or source.data[at - 4 : at] == b"-Key"
            nonce = source.lower.endswith(_NONCE, 0, at)
            real = bool(header and not nonce) and judge.random(
                value.rstrip(b"=")
            )
            real |= not scheme and _is_sent(source.data, at, value)
        if real:
            yield Secret(HEADER, found.start("value"), value)


def registry_logins(source: Source) -> Iterator[Secret]:
    """A login to a registry of images or packages stands in the file.

    Docker's config.json and npm's .npmrc keep user and password together in
    Base64, which hides nothing. Whoever can push there runs on every host
    that pulls.
    """
    for quote in (b'auth"', b"auth=", b"auth\\"):
        for at in source.all(quote):
            found = _LOGIN.match(source.data, at - len(quote))
            if found and _is_basic(found["value"]):
                yield Secret(LOGIN, found.start("value"), found["value"])


def kubernetes_secrets(source: Source) -> Iterator[Secret]:
    """A Kubernetes Secret holds its values in the manifest.

    Base64 hides nothing: the file must be guarded like the secret itself.
    """
    if b"secret" not in source.lower or b"data" not in source.lower:
        return
    if not source.path.endswith((".yaml", ".yml")):
        return
    begin = 0
    for document in _DOCUMENTS.split(source.data):
        if _KIND_SECRET.search(document):
            for block in _DATA.finditer(document):
                for entry in _ENTRY.finditer(block["block"]):
                    start = begin + block.start("block") + entry.start("value")
                    if _hidden(entry["value"]):
                        yield Secret(MANIFEST, start, entry["value"])
        begin += len(document) + len(b"---")


def key_stores(source: Source) -> Iterator[Secret]:
    """A key store or a password safe lies in the repository.

    PKCS #12, Java, KeePass and PuTTY files hold private keys, .htpasswd and
    .pgpass passwords; what guards them can be tried offline, without limit.
    """
    if _STORE.fullmatch(source.path):
        yield Secret(STORE, 0, source.data[:1])


KEY = Kind("MCP-SEC-001", "Private key", Severity.CRITICAL)
LOCKED = Kind("MCP-SEC-015", "Private key under a password", Severity.MEDIUM)
TOKEN = Kind("MCP-SEC-002", "JSON Web Token", Severity.HIGH)
URL = Kind("MCP-SEC-003", "Password in a URL", Severity.HIGH)
HEADER = Kind("MCP-SEC-006", "Credential in an HTTP header", Severity.HIGH)
MANIFEST = Kind("MCP-SEC-008", "Kubernetes Secret", Severity.HIGH)
STORE = Kind("MCP-SEC-009", "Key store", Severity.HIGH)
LOGIN = Kind("MCP-SEC-011", "Login to a registry", Severity.HIGH)


@dataclass(frozen=True, slots=True)
class Structure:
    """One kind of credential, and what finds it."""

    kind: Kind
    find: Callable[[Source], Iterator[Secret]]


STRUCTURES = (
    Structure(KEY, private_keys),
    Structure(TOKEN, json_web_tokens),
    Structure(URL, urls),
    Structure(HEADER, headers),
    Structure(commands.COMMAND, commands.find),
    Structure(LOGIN, registry_logins),
    Structure(MANIFEST, kubernetes_secrets),
    Structure(STORE, key_stores),
)


def _is_basic(value: bytes) -> bool:
    """Tell whether Base64 stands for a user and a password in use."""
    user, colon, password = judge.decoded(value).partition(b":")
    odd = len(_ODD.findall(user + password))
    plain = odd < MOST_ODD * len(value)
    return bool(colon) and plain and judge.password(password or user, b"")


def _is_sent(data: bytes, at: int, value: bytes) -> bool:
    """Tell whether a command sends a short value in a header of its own."""
    return (
        judge.has_digit(value)
        and judge.password(value, b"")
        and not keyboard.typed(value, keyboard.HALF)
        and _SENT.search(data, max(0, at - 60), at) is not None
    )


def _wrapped(
    source: Source, kind: Kind, wanted: Callable[[bytes], bool]
) -> Iterator[Secret]:
    """Yield the Base64 in which what is wanted is wrapped up."""
    if b"LS0tLS1CRUdJTi" in source.joined or b"ZXlK" in source.joined:
        for found in _WRAPPED.finditer(source.joined):
            if wanted(judge.decoded(found[0])):
                for start in source.places(found):
                    yield Secret(kind, start, found[0])


def _is_key(text: bytes) -> bool:
    """Tell a key from the first line of one, as manuals show it."""
    lines = _KEY_LINE.findall(text.partition(b"-----")[0])
    text = _BREAKS.sub(b"", text)
    body = _KEY_BODY.search(text)
    if body is None or judge.placeholder(body[0][:56]):
        return False
    whole = text.startswith(b"-----", body.end())
    return len(body[0]) > _KEY_LONG or whole or len(lines) >= _KEY_LINES


def _hidden(value: bytes) -> bool:
    plain = judge.decoded(value)
    return len(plain) > LONG_HIDDEN or (
        len(plain) > 3 and not judge.placeholder(plain)
    )


def _is_jwt(token: bytes) -> bool:
    """Tell whether header and claims are those of a token in use."""
    try:
        header, claims = (
            json.loads(judge.decoded(part)) for part in token.split(b".")[:2]
        )
    except (ValueError, RecursionError):
        return False
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return False
    sample = claims.get("sub") == "1234567890"  # what jwt.io shows
    return "alg" in header and bool(_CLAIMS & claims.keys()) and not sample
