"""What Bandit does not see: asyncio's shell, unchecked tokens, tools."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .source import Source
from .taint import Tool, given, tool_calls

SHELLS = frozenset(
    {"asyncio.create_subprocess_shell", "asyncio.subprocess_shell"}
    | {"asyncio.subprocess.create_subprocess_shell", "pty.spawn"}
)
LOADERS = frozenset(
    {"yaml.unsafe_load", "yaml.unsafe_load_all", "joblib.load"}
    | {"cloudpickle.load", "cloudpickle.loads"}
)
UNSAFE_YAML = ("ruamel.yaml.YAML",)
RUNNERS = frozenset(
    {"asyncio.create_subprocess_exec", "anyio.run_process"}
    | {"anyio.open_process", "subprocess.Popen", "subprocess.call"}
    | {"os.execl", "os.execle", "os.execlp", "os.execlpe", "os.execv"}
    | {"os.execve", "os.execvp", "os.execvpe", "os.posix_spawn"}
    | {"os.posix_spawnp", "os.spawnl", "os.spawnlp", "os.spawnv"}
    | {"os.spawnve", "os.spawnvp", "os.spawnvpe"}
    | {"subprocess.check_call", "subprocess.check_output", "subprocess.run"}
)
OPENERS = frozenset(
    {"open", "io.open", "os.listdir", "os.makedirs", "os.mkdir", "os.open"}
    | {"os.remove", "os.rename", "os.rmdir", "os.scandir", "os.unlink"}
    | {"os.walk", "shutil.copy", "shutil.copyfile", "shutil.copytree"}
    | {"shutil.move", "shutil.rmtree", "aiofiles.open", "glob.glob"}
    | {"bz2.open", "codecs.open", "fileinput.input", "gzip.open"}
    | {"linecache.getline", "linecache.getlines", "lzma.open", "os.chmod"}
    | {"os.link", "os.replace", "os.symlink", "os.truncate", "shutil.copy2"}
    | {"shutil.unpack_archive", "tarfile.open", "zipfile.ZipFile"}
)
PATH_METHODS = frozenset(
    {"glob", "hardlink_to", "iterdir", "mkdir", "open", "read_bytes"}
    | {"read_text", "rename", "rglob", "symlink_to"}
    | {"rmdir", "touch", "unlink", "write_bytes", "write_text"}
)
FETCHERS = ("httpx.", "requests.", "aiohttp.", "urllib.request.", "urllib3.")
CONNECTORS = frozenset(
    {"asyncio.open_connection", "ftplib.FTP", "ftplib.FTP_TLS"}
    | {"http.client.HTTPConnection", "http.client.HTTPSConnection"}
    | {"smtplib.SMTP", "smtplib.SMTP_SSL", "socket.create_connection"}
    | {"websockets.connect", "websockets.sync.client.connect"}
)
DEBUGGERS = frozenset(
    {"breakpoint", "code.interact", "debugpy.listen", "IPython.embed"}
    | {"ipdb.set_trace", "pdb.post_mortem", "pdb.set_trace"}
    | {"pudb.set_trace"}
)
PARSERS = frozenset(
    {"lxml.etree.ETCompatXMLParser", "lxml.etree.XMLParser"}
    | {"lxml.etree.XMLPullParser", "lxml.etree.iterparse"}
)
SESSIONS = frozenset({"client", "session", "http", "http_client"})
VERBS = frozenset(
    {"delete", "get", "head", "patch", "post", "put", "request", "stream"}
)
SECRET = re.compile(
    r"(?:\w+_)?(?:password|passwd|passphrase|api_?key|(?:access|auth|bearer"
    r"|refresh|secret)_?token|private_?key|client_?secret|credentials?)"
    r"|token|secret",
    re.IGNORECASE,
)
_DEFAULT = "_create_default_https_context"
_UNVERIFIED = "_create_unverified_context"
_CREDENTIALS = re.compile(
    r"(?i)(?:proxy-)?authorization|x-[\w-]*(?:key|secret|signature|token)[\w-]*"
)
module_rule = ruled(__file__, on="")
tool_rule = ruled(__file__, on="tool")


@module_rule("MCP-CODE-003")
def shell(source: Source) -> Iterator[Hit]:
    """A shell reads ``;``, ``$(…)`` and ``|`` in the text that it is given.

    Whoever has a say in a part of the text runs what they like. Bandit knows
    ``os.system`` and ``shell=True``, not asyncio's way to a shell.
    """
    for call in source.calls:
        name = source.called(call.func)
        if name in SHELLS or name.endswith(".subprocess_shell"):
            yield source.hit(call, f"{name} runs its text in a shell")


@module_rule("MCP-CODE-004")
def loader(source: Source) -> Iterator[Hit]:
    """These loaders build any object that the data names, and call it.

    Whoever wrote the data runs code in the server.
    """
    for call in source.calls:
        name = source.called(call.func)
        pickled = name == "numpy.load" and _is(call, "allow_pickle", True)
        unsafe = name in UNSAFE_YAML and (
            any(_const(part, "unsafe") for part in call.args)
            or _is(call, "typ", "unsafe")
        )
        if name in LOADERS or pickled or unsafe:
            yield source.hit(call, f"{name} can run what the data says")


@module_rule("MCP-CODE-005")
def certificate(source: Source) -> Iterator[Hit]:
    """Without the certificate's check anybody on the way can answer.

    They read the tokens that the server sends and choose what it gets back.
    """
    for call in source.calls:
        aiohttp = source.called(call.func).startswith("aiohttp.")
        unasked = any(
            k.arg in {"cert_reqs", "ssl_cert_reqs"}
            and (
                _named(k.value, "CERT_NONE")
                or _const(k.value, "CERT_NONE")
                or _const(k.value, "none")
            )
            for k in call.keywords
        )
        if unasked or (aiohttp and _is(call, "ssl", False)):
            yield source.hit(call, "the certificate's check is switched off")
    off: dict[str, list[ast.Assign]]
    off = {"check_hostname": [], "verify_mode": []}
    for node in source.each(ast.Assign):
        target, value = node.targets[0], node.value
        name = target.attr if isinstance(target, ast.Attribute) else ""
        if name == _DEFAULT and _named(value, _UNVERIFIED):
            yield source.hit(node, "no certificate is checked any more")
        none = _const(value, False) or _named(value, "CERT_NONE")
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
        if name not in {"jwt.decode", "jose.jwt.decode"}:
            continue
        text = " ".join(ast.unparse(k) for k in call.keywords).lower()
        off = ("'verify_signature': false", "verify=false", "'none'")
        if any(word in text for word in off):
            yield source.hit(call, "the token's signature is not checked")
            continue
        for claim in ("exp", "aud"):
            if f"'verify_{claim}': false" in text:
                yield replace(
                    source.hit(call, f"the token's {claim} is not checked"),
                    severity=Severity.MEDIUM,
                )


@tool_rule("MCP-CODE-007")
def confined_path(source: Source) -> Iterator[Hit]:
    """A tool's arguments come from a model, and from whoever talks to it.

    A path out of them that goes to ``open`` reaches every file of the
    server's user, by ``../`` or through a link. The workspace resolves it
    without leaving its directory.
    """
    for tool, call in tool_calls(source):
        name = source.called(call.func)
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        through = (
            isinstance(call.func, ast.Attribute)
            and method in PATH_METHODS
            and given(call.func.value, tool)
        )
        if through or (name in OPENERS and _takes(call, tool)):
            yield source.hit(call, f"{tool.name} opens what its caller names")


@tool_rule("MCP-CODE-008")
def confined_command(source: Source) -> Iterator[Hit]:
    """A program takes options, and many run others or write files by them.

    Without a shell a caller's word is still an option (``--output=…``), and
    the program runs with the server's rights. The command runner allows the
    programs that you name and starts them in a sandbox.
    """
    for tool, call in tool_calls(source):
        shell_too = _is(call, "shell", True)  # Bandit has the worse of it
        runs = source.called(call.func) in RUNNERS
        if runs and not shell_too and _takes(call, tool):
            yield source.hit(call, f"{tool.name} runs its caller's words")


@tool_rule("MCP-CODE-009")
def fixed_host(source: Source) -> Iterator[Hit]:
    """The server reaches what its caller cannot: your own network.

    Cloud metadata, admin pages and other services answer to it. A tool that
    fetches any address reads them out.
    """
    for tool, call in tool_calls(source):
        if not _fetches(source, call, tool):
            continue
        named = [k.value for k in call.keywords if k.arg == "url"]
        if any(
            given(part, tool) and not _fixed(part)
            for part in [*call.args[:2], *named]
        ):
            yield source.hit(call, f"{tool.name} fetches any address")


@module_rule("MCP-CODE-010")
def constant_time(source: Source) -> Iterator[Hit]:
    """``==`` stops at the first byte that differs.

    By the time that it takes, a signature is guessed byte after byte; so is
    a token that comes in a header.
    """
    for node in source.each(ast.Compare):
        equal = isinstance(node.ops[0], ast.Eq | ast.NotEq)
        sides = (node.left, *node.comparators)
        if equal and any(_is_hmac(source, side) for side in sides):
            yield source.hit(node, "an HMAC is compared with ==")
        elif equal and (
            any(map(is_credential, sides)) or _is_from_outside(source, sides)
        ):
            yield source.hit(node, "a credential is compared with ==")


@module_rule("MCP-CODE-011")
def debugger(source: Source) -> Iterator[Hit]:
    """A debugger stops the server and hands its terminal all it holds."""
    for call in source.calls:
        name = source.called(call.func)
        if name in DEBUGGERS:
            yield source.hit(call, f"{name} stops the server")


@module_rule("MCP-CODE-022")
def external_entity(source: Source) -> Iterator[Hit]:
    """An entity can stand for a file of the server's, or for an address.

    With entities resolved, a document that comes in reads them out
    (CWE-611); with a DTD loaded, it grows to fill the memory.
    """
    for call in source.calls:
        if source.called(call.func) in PARSERS and (
            _is(call, "resolve_entities", True)
            or _is(call, "load_dtd", True)
            or _is(call, "no_network", False)
        ):
            yield source.hit(call, "XML may name files and addresses")


def _takes(call: ast.Call, tool: Tool) -> bool:
    """Tell whether something of the caller's goes into a call."""
    parts = [*call.args, *(k.value for k in call.keywords)]
    return any(given(part, tool) for part in parts)


def _fetches(source: Source, call: ast.Call, tool: Tool) -> bool:
    """Tell whether a call goes out: a library's, a client's, a socket's."""
    name = source.called(call.func)
    if name.startswith(FETCHERS) or name in CONNECTORS:
        return True
    owner, _, verb = name.rpartition(".")
    if verb not in VERBS:
        return False
    return owner.rpartition(".")[2].lower() in SESSIONS or any(
        source.called(made.func).startswith(FETCHERS)
        for made in tool.made.get(owner, ())
    )


def _fixed(part: ast.expr) -> bool:
    """Tell whether an address begins with a scheme and host of our own."""
    first: ast.expr = part
    while isinstance(first, ast.BinOp):
        first = first.left
    if isinstance(first, ast.JoinedStr) and first.values:
        first = first.values[0]
    text = first.value if isinstance(first, ast.Constant) else ""
    return isinstance(text, str) and text.partition("://")[2].find("/") > 0


def _is_hmac(source: Source, node: ast.expr) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(
        node.func, ast.Attribute
    ):
        return source.called(node) == "hmac.digest"
    made = node.func.value
    return (
        node.func.attr in {"digest", "hexdigest"}
        and isinstance(made, ast.Call)
        and source.called(made.func) in {"hmac.new", "hmac.HMAC"}
    )


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


def _is(call: ast.Call, keyword: str, value: object) -> bool:
    return any(
        k.arg == keyword and _const(k.value, value) for k in call.keywords
    )


def _const(node: ast.expr, value: object) -> bool:
    if not isinstance(node, ast.Constant):
        return False
    return type(node.value) is type(value) and node.value == value


def _pins(call: ast.Call) -> bool:
    return any(k.arg in {"cafile", "cadata"} for k in call.keywords)


def _named(node: ast.expr, name: str) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == name) or (
        isinstance(node, ast.Name) and node.id == name
    )
