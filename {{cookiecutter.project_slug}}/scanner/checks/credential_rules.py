"""Certificates and tokens unchecked, and secrets compared byte by byte."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .kept import is_kept
from .source import Source

module_rule = ruled(__file__, on="")
SECRET = re.compile(
    r"(?:\w+_)?(?:password|passwd|passphrase|api_?key|(?:access|auth|bearer"
    r"|refresh|secret)_?token|private_?key|client_?secret|credentials?)"
    r"|token|secret",
    re.IGNORECASE,
)
_CHECKS = frozenset({"verify", "verify_ssl", "verify_certs", "ssl_verify"})
_DECODERS = frozenset({"jwt.decode", "jwt.decode_complete", "jose.jwt.decode"})
# Where the key stands among the arguments.
_KEYED = {
    **dict.fromkeys(("jwt.decode", "jwt.encode", "jose.jwt.encode"), 1),
    **dict.fromkeys(("jose.jwt.decode", "authlib.jose.jwt.encode"), 1),
    **dict.fromkeys(("hmac.new", "hmac.digest"), 0),
    "cryptography.fernet.Fernet": 0,
    "itsdangerous.URLSafeTimedSerializer": 0,
    "itsdangerous.URLSafeSerializer": 0,
    "starlette.middleware.sessions.SessionMiddleware": 1,
}
_HELD = re.compile(
    r"(?i)(?!.*(?:csrf|cursor|next|page))(?:\w+_)?(?:api_?key|password|secret"
    r"|token)"
)
_HOLDERS = frozenset({"config", "conf", "env", "environ", "settings"})
_DEFAULT = "_create_default_https_context"
_UNVERIFIED = "_create_unverified_context"
_CREDENTIALS = re.compile(
    r"(?i)(?:proxy-)?authorization|x-[\w-]*(?:key|secret|signature|token)[\w-]*"
)


@module_rule("MCP-CODE-005")
def certificate(source: Source) -> Iterator[Hit]:
    """Without the certificate's check anybody on the way can answer.

    They read the tokens that the server sends and choose what it gets back.
    """
    for call in source.calls:
        name = source.called(call.func)
        aiohttp = name.startswith("aiohttp.")
        httpx = name.startswith("httpx.") and has(call, "verify", False)
        unasked = any(
            k.arg in {"cert_reqs", "ssl_cert_reqs"}
            and (
                _named(k.value, "CERT_NONE")
                or is_constant(k.value, "CERT_NONE")
                or is_constant(k.value, "none")
            )
            for k in call.keywords
        )
        if unasked or httpx or (aiohttp and has(call, "ssl", False)):
            yield source.hit(call, "the certificate's check is switched off")
    for options in source.each(ast.Dict):
        for key, value in zip(options.keys, options.values, strict=True):
            named = isinstance(key, ast.Constant) and key.value in _CHECKS
            if named and is_constant(value, False):
                yield source.hit(value, "the certificate's check is off")
    clients = {"httpx", "requests"} & {*source.modules}
    off: dict[str, list[ast.Assign]]
    off = {"check_hostname": [], "verify_mode": []}
    for node in source.each(ast.Assign):
        target, value = node.targets[0], node.value
        name = target.attr if isinstance(target, ast.Attribute) else ""
        if name == "verify" and is_constant(value, False) and clients:
            yield source.hit(node, "the certificate's check is switched off")
        if name == _DEFAULT and _named(value, _UNVERIFIED):
            yield source.hit(node, "no certificate is checked any more")
        none = is_constant(value, False) or _named(value, "CERT_NONE")
        if none and name in off:
            off[name].append(node)
    if not off["verify_mode"] and any(map(_pins, source.calls)):
        return  # whoever holds the one certificate's key may have any name
    for node in off["verify_mode"] or off["check_hostname"]:
        yield source.hit(node, "the certificate's check is switched off")


@module_rule("MCP-CODE-006")
def unverified_token(source: Source) -> Iterator[Hit]:
    """A token that is decoded without its signature says what anybody wrote.

    ``algorithms`` with ``none`` in it comes to the same. One that never ends,
    or that was made out to another server, is as good as a stolen one.
    """
    for call in source.calls:
        name = source.called(call.func)
        if name == "jose.jwt.get_unverified_claims":
            yield source.hit(call, "the token's signature is not checked")
        if name == "jwt.encode" and has(call, "algorithm", "none"):
            yield source.hit(call, "the token is not signed")
        if name not in _DECODERS:
            continue
        text = " ".join(_written(source, k) for k in call.keywords).lower()
        off = ["'verify_signature': false", "verify_signature=false"]
        off += ["verify=false", "'none'"]
        if any(word in text for word in off):
            yield source.hit(call, "the token's signature is not checked")
            continue
        for claim in ("exp", "aud"):
            if f"'verify_{claim}': false" in text:
                yield replace(
                    source.hit(call, f"the token's {claim} is not checked"),
                    severity=Severity.HIGH,
                )


@module_rule("MCP-CODE-010")
def constant_time(source: Source) -> Iterator[Hit]:
    """``==`` stops at the first byte that differs.

    By the time that it takes, a signature is guessed byte after byte; so is
    a token that comes in a header.
    """
    names = source.given()
    for node in source.each(ast.Compare):
        equal = isinstance(node.ops[0], ast.Eq | ast.NotEq)
        sides = (node.left, *node.comparators)
        if equal and any(_is_hmac(source, side, names) for side in sides):
            yield source.hit(node, "an HMAC is compared with ==")
        elif equal and (
            any(map(is_credential, sides))
            or _is_from_outside(source, sides)
            or _is_held(source, sides)
            or is_kept(source, sides)
        ):
            yield source.hit(node, "a credential is compared with ==")


@module_rule("MCP-CODE-041")
def written_key(source: Source) -> Iterator[Hit]:
    """Whoever reads the code signs and reads as the server does.

    A key in the code is in every clone, and the same for all who run it.
    """
    for call in source.calls:
        place = _KEYED.get(source.called(call.func))
        if place is None:
            continue
        given = call.args[place : place + 1]
        given += [k.value for k in call.keywords if k.arg in {"key", "secret"}]
        for key in given:
            value = source.constants.get(getattr(key, "id", ""), key)
            said = value.value if isinstance(value, ast.Constant) else None
            if isinstance(said, str | bytes) and len(said) > 1:
                yield source.hit(call, "a key is written here")


def _is_held(source: Source, sides: tuple[ast.expr, ...]) -> bool:
    """Tell a word that came in beside the secret that the server holds."""
    if len(sides) != 2 or any(isinstance(x, ast.Constant) for x in sides):
        return False
    for held, other in (sides, sides[::-1]):
        asked = held
        while isinstance(asked, ast.Call) and isinstance(
            asked.func, ast.Attribute
        ):
            asked = asked.func.value  # settings.token.get_secret_value()
        name = source.called(asked)
        first, _, last = name.rpartition(".")
        owner = first.rpartition(".")[2]
        constant = last.isupper() and not owner[:1].isupper()
        ours = constant or owner in _HOLDERS  # not Kind.PASSWORD
        heard = isinstance(other, ast.Name) and not other.id.isupper()
        if ours and heard and _HELD.fullmatch(last):
            return True
    return False


def _written(source: Source, keyword: ast.keyword) -> str:
    """Return a keyword's text; of a name, what the file gives it."""
    value = keyword.value
    if not isinstance(value, ast.Name):
        return ast.unparse(keyword)
    return " ".join(
        ast.unparse(each.value)
        for each in source.each(ast.Assign)
        if any(
            isinstance(x, ast.Name) and x.id == value.id for x in each.targets
        )
    )


def _is_hmac(
    source: Source, node: ast.expr, names: Mapping[str, list[ast.expr]]
) -> bool:
    """Tell an HMAC, as bytes or as text, by itself or by a name for it."""
    if isinstance(node, ast.Name):
        values = names.get(node.id, [])
        return bool(values) and all(
            _is_hmac(source, part, {})
            for value in values
            for part in _last_part(value)
        )
    if not isinstance(node, ast.Call):
        return False
    if source.called(node.func) == "hmac.digest":
        return True
    if not isinstance(node.func, ast.Attribute):
        return False
    owner = node.func.value
    started = names.get(owner.id, []) if isinstance(owner, ast.Name) else []
    return node.func.attr in {"digest", "hexdigest"} and any(
        isinstance(each, ast.Call)
        and source.called(each.func) in {"hmac.new", "hmac.HMAC"}
        for each in (owner, *started)
    )


def _last_part(value: ast.expr) -> list[ast.expr]:
    """Return what stands last in a text: ``"sha256=" + …``."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        return [value.right]
    if isinstance(value, ast.JoinedStr) and value.values:
        last = value.values[-1]
        return [last.value if isinstance(last, ast.FormattedValue) else last]
    return [value]


def _is_from_outside(source: Source, sides: Sequence[ast.expr]) -> bool:
    """Tell whether a name that says secret meets the environment's."""
    named = [
        side.id if isinstance(side, ast.Name) else getattr(side, "attr", "")
        for side in sides
    ]
    read = (
        side.value if isinstance(side, ast.Subscript) else side
        for side in sides
        if isinstance(side, ast.Subscript | ast.Call)
    )
    return any(map(SECRET.fullmatch, named)) and any(
        source.called(each.func if isinstance(each, ast.Call) else each)
        in {"os.environ", "os.environ.get", "os.getenv"}
        for each in read
    )


def is_credential(node: ast.expr) -> bool:
    """Tell whether it is what a header brought to prove who is asking."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        read = node.func.attr == "get"
        owner, key = node.func.value, node.args[0] if node.args else node
    elif isinstance(node, ast.Subscript):
        read, owner, key = True, node.value, node.slice
    else:
        return False
    headers = _named(owner, "headers") or _named(owner, "META")
    name = key.value if isinstance(key, ast.Constant) else ""
    known = isinstance(name, str) and _CREDENTIALS.fullmatch(name)
    return read and headers and bool(known)


def has(call: ast.Call, keyword: str, value: object) -> bool:
    """Tell whether a call is given a keyword with this very value."""
    return any(
        k.arg == keyword and is_constant(k.value, value) for k in call.keywords
    )


def is_constant(node: ast.expr, value: object) -> bool:
    """Tell whether it is this value, written out, and of its very type."""
    if not isinstance(node, ast.Constant):
        return False
    return type(node.value) is type(value) and node.value == value


def _pins(call: ast.Call) -> bool:
    return any(k.arg in {"cafile", "cadata"} for k in call.keywords)


def _named(node: ast.expr, name: str) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == name) or (
        isinstance(node, ast.Name) and node.id == name
    )
