"""Libraries used without the protection that they come with."""

import ast
import re
from collections.abc import Callable, Iterator

from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .credential_rules import is_constant
from .source import Source

_PASSWORD = re.compile(r"(?i)(?:\w+_)?(?:password|passwd|passphrase|pwd)")
_HASHES = re.compile(
    r"hashlib\.(?:md5|new|sha\d+|sha3_\d+|blake2[bs])"
    r"|cryptography\.hazmat\.primitives\.hashes\.Hash"
)
_VECTORS = re.compile(r"(?:.*\.)?modes\.(?:CBC|CFB|CFB8|CTR|GCM|OFB)")
_CIPHERS = re.compile(r"(?:.*\.)?(?:AES|Blowfish|ChaCha20|DES|DES3)\.new")
_SEALERS = ("AESCCM", "AESGCM", "AESGCMSIV", "AESOCB3", "ChaCha20Poly1305")
_ASKED = re.compile(
    r"(?i)\b(?:password|passphrase|api[ _-]?key|secret|access token|pin code"
    r"|credit card|private key)\b"
)
MOST_DIGITS = 100_000  # Python's own limit is 4,300 (CVE-2020-10735)
_FOR_TESTS = frozenset(
    {"DebugTokenVerifier", "InMemoryOAuthProvider", "StaticTokenVerifier"}
)
Test = Callable[[ast.expr], bool]
module_rule = ruled(__file__, on="")


def _says(*values: object) -> Test:
    return lambda node: any(is_constant(node, value) for value in values)


def _stars(node: ast.expr) -> bool:
    """Tell ``"*"``, ``["*"]`` and ``["https://*"]``."""
    items = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    every = ("*", "http://*", "https://*")
    return any(is_constant(item, each) for item in items for each in every)


def _below(least: int) -> Test:
    def test(node: ast.expr) -> bool:
        value = node.value if isinstance(node, ast.Constant) else least
        return type(value) is int and value < least

    return test


# The end of a call's name, a keyword, what makes it a fault, and what is said.
_LOOSE: tuple[tuple[str, str, Test, Severity, str], ...] = (
    (
        "set_cookie",
        "httponly",
        _says(False),
        Severity.MEDIUM,
        "scripts read the cookie",
    ),
    (
        "set_cookie",
        "secure",
        _says(False),
        Severity.MEDIUM,
        "the cookie crosses the network in clear",
    ),
    (
        "Middleware",
        "allowed_hosts",
        _stars,
        Severity.MEDIUM,
        "every host name is answered",
    ),
    (
        "Middleware",
        "trusted_hosts",
        _stars,
        Severity.HIGH,
        "everybody is trusted to say who they are",
    ),
    (
        "",
        "forwarded_allow_ips",
        _stars,
        Severity.HIGH,
        "everybody is trusted to say who they are",
    ),
    (
        "",
        "mask_error_details",
        _says(False),
        Severity.MEDIUM,
        "callers are told what went wrong inside",
    ),
    (
        "",
        "strict_input_validation",
        _says(False),
        Severity.MEDIUM,
        "arguments are bent until they fit the tool's schema",
    ),
    *(
        (
            "",
            key,
            _says("replace"),
            Severity.MEDIUM,
            "a tool takes the place of another of its name",
        )
        for key in ("on_duplicate", "on_duplicate_tools")
    ),
    *(
        (
            name,
            "reload",
            _says(True),
            Severity.MEDIUM,
            "whatever is written into its folder is run",
        )
        for name in ("uvicorn.Config", "uvicorn.run")
    ),
    (
        "Starlette",
        "debug",
        _says(True),
        Severity.MEDIUM,
        "callers are shown the stack, and the code around it",
    ),
    (
        "FastAPI",
        "debug",
        _says(True),
        Severity.MEDIUM,
        "callers are shown the stack, and the code around it",
    ),
    (
        "",
        "allowed_client_redirect_uris",
        _stars,
        Severity.HIGH,
        "a code for a token is sent wherever a link says",
    ),
    *(
        (
            f"httpx.{name}",
            "timeout",
            _says(None),
            Severity.MEDIUM,
            "a peer that never answers holds the call for ever",
        )
        for name in ("AsyncClient", "Client", "get", "post", "request")
    ),
    *(
        (name, key, _below(least), Severity.MEDIUM, "its hash is guessed fast")
        for name, key, least in (
            ("PBKDF2HMAC", "iterations", 100_000),
            ("pbkdf2_hmac", "iterations", 100_000),
            ("gensalt", "rounds", 10),
            ("scrypt", "n", 2**13),
            ("Scrypt", "n", 2**13),
        )
    ),
)
# Where a call gives the keyword by its place.
_PLACES = {"gensalt": ("rounds", 0), "pbkdf2_hmac": ("iterations", 3)}
_KEYS = frozenset(key for _, key, *_ in _LOOSE)
# What sends a password as it stands, and what encrypts the line before.
_CLEAR = frozenset({"imaplib.IMAP4", "poplib.POP3", "smtplib.SMTP"})
_ENCRYPTING = frozenset({"starttls", "stls"})
_SILENCERS = frozenset(
    {"logging.disable", "urllib3.disable_warnings"}
    | {"requests.packages.urllib3.disable_warnings"}
)
_BLOCK = "warnings.catch_warnings"
_LOGINS = frozenset({"login", "pass_"})


@module_rule("MCP-CODE-026")
def loose_setting(source: Source) -> Iterator[Hit]:
    """A keyword of the library's that takes its protection off."""
    for call in source.calls:
        name = source.called(call.func) or getattr(call.func, "attr", "")
        last = name.rpartition(".")[2]
        for given in [*call.keywords, *_placed(call, last)]:
            if given.arg in _KEYS:
                yield from _loose(source, call, name, given)
        if last in _FOR_TESTS:
            yield source.hit(call, "its tokens are for trying things out")
        elif name == "sys.set_int_max_str_digits" and _unbounds(call):
            yield source.hit(call, "a number of any length is read")
        elif name.startswith("cryptography.hazmat.decrepit."):
            yield source.hit(call, "a broken cipher", Severity.HIGH)
        elif last == "bind" and _is_everywhere(call):
            yield source.hit(call, "it listens on every interface")
        elif name in _SILENCERS or _silences(name, call):
            yield from _silenced(source, call, name)


def _placed(call: ast.Call, name: str) -> Iterator[ast.keyword]:
    key, place = _PLACES.get(name, ("", 0))
    if key and len(call.args) > place:
        yield ast.keyword(key, call.args[place])


def _loose(
    source: Source, call: ast.Call, name: str, given: ast.keyword
) -> Iterator[Hit]:
    """Judge a keyword; of ``add_middleware``, as the middleware's own."""
    names = [name]
    if name.endswith("add_middleware"):
        names += [source.called(first) for first in call.args[:1]]
    for ending, key, test, severity, message in _LOOSE:
        called = any(each.endswith(ending) for each in names)
        if key == given.arg and called and test(given.value):
            yield source.hit(call, message, severity)


def _silences(name: str, call: ast.Call) -> bool:
    """Tell what hides every warning; one that is named may be known."""
    hides = name in {"warnings.filterwarnings", "warnings.simplefilter"}
    every = len(call.args) == 1 and not call.keywords
    return hides and every and is_constant(call.args[0], "ignore")


def _silenced(source: Source, call: ast.Call, name: str) -> Iterator[Hit]:
    """Let a block be that hears its warnings no more, and the rest does."""
    blocks = (
        node
        for node in source.each(ast.With)
        for item in node.items
        if isinstance(item.context_expr, ast.Call)
        and source.called(item.context_expr.func) == _BLOCK
    )
    if not any(call in ast.walk(block) for block in blocks):
        yield source.hit(call, f"{name} silences warnings", Severity.LOW)


def _unbounds(call: ast.Call) -> bool:
    """Tell no limit, or one under which a number takes seconds to read."""
    most = call.args[0] if call.args else None
    value = most.value if isinstance(most, ast.Constant) else None
    return isinstance(value, int) and (value == 0 or value > MOST_DIGITS)


def _is_everywhere(call: ast.Call) -> bool:
    address = call.args[0] if call.args else None
    host = address.elts[:1] if isinstance(address, ast.Tuple) else []
    return any(is_constant(each, "") for each in host)


@module_rule("MCP-CODE-035")
def clear_login(source: Source) -> Iterator[Hit]:
    """Whoever sits between reads the password, and the mail that follows."""
    made = {source.called(call.func) for call in source.calls}
    methods = {getattr(call.func, "attr", "") for call in source.calls}
    if made & _CLEAR and not methods & _ENCRYPTING:
        for call in source.calls:
            if getattr(call.func, "attr", "") in _LOGINS:
                yield source.hit(call, "it logs in without encryption")


@module_rule("MCP-CODE-027")
def fixed_vector(source: Source) -> Iterator[Hit]:
    """The same vector twice shows where two texts are alike.

    In counter modes, GCM among them, it gives both texts away, and the key
    that signs with them.
    """
    sealing = any(name.endswith(_SEALERS) for name in source.names.values())
    for call in source.calls:
        name = source.called(call.func)
        parts = [k.value for k in call.keywords if k.arg in {"iv", "nonce"}]
        if sealing and getattr(call.func, "attr", "") == "encrypt":
            parts += call.args[:1]
        if _VECTORS.fullmatch(name):
            parts += call.args[:1]
        elif _CIPHERS.fullmatch(name):
            parts += call.args[2:3]
        if any(map(_is_fixed, parts)):
            yield source.hit(call, "the vector stands in the code")


@module_rule("MCP-CODE-028")
def fast_hash(source: Source) -> Iterator[Hit]:
    """A graphics card tries a billion of these hashes a second.

    Most passwords are found in a day, salted or not.
    """
    for call in source.calls:
        if not _HASHES.fullmatch(source.called(call.func)):
            continue
        names = (
            getattr(node, "id", None) or getattr(node, "attr", "")
            for part in call.args
            for node in ast.walk(part)
        )
        if any(_PASSWORD.fullmatch(str(name)) for name in names):
            yield source.hit(call, "a password is hashed fast")


@module_rule("MCP-CODE-029")
def asked_secret(source: Source) -> Iterator[Hit]:
    """What a user answers goes through the client, and the model may see it.

    The specification forbids to ask for it: "Servers MUST NOT use elicitation
    to request sensitive information".
    """
    for call in source.calls:
        if getattr(call.func, "attr", "") != "elicit":
            continue
        told = [*call.args[:1], *(k.value for k in call.keywords)]
        if any(_ASKED.search(text) for part in told for text in _texts(part)):
            yield source.hit(call, "it asks the user for a secret")


def _texts(part: ast.expr) -> Iterator[str]:
    for node in ast.walk(part):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _is_fixed(part: ast.expr) -> bool:
    """Tell bytes that are written out, also ``b"0" * 16``."""
    if isinstance(part, ast.BinOp):
        return _is_fixed(part.left) or _is_fixed(part.right)
    if isinstance(part, ast.Call) and getattr(part.func, "id", "") == "bytes":
        return all(isinstance(each, ast.Constant) for each in part.args)
    return isinstance(part, ast.Constant) and isinstance(part.value, bytes)
