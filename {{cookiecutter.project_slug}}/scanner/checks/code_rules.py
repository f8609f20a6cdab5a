"""What Bandit does not see: asyncio's shell, loaders, tools' arguments."""

import ast
import re
from collections.abc import Iterator

from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .credential_rules import has, is_constant
from .fixed import beginning
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
YAML = frozenset({"yaml.load", "yaml.load_all"})
UNSAFE_YAML_LOADERS = frozenset({"CLoader", "Loader", "UnsafeLoader"})
UNSAFE_YAML = ("ruamel.yaml.YAML",)
RUNNERS = frozenset(
    {"asyncio.create_subprocess_exec", "anyio.run_process", "invoke.run"}
    | {"pexpect.popen_spawn.PopenSpawn", "pexpect.run", "pexpect.runu"}
    | {"pexpect.spawn", "pexpect.spawnu", "fabric.Connection.run"}
    | {"anyio.open_process", "subprocess.Popen", "subprocess.call"}
    | {"os.execl", "os.execle", "os.execlp", "os.execlpe", "os.execv"}
    | {"os.execve", "os.execvp", "os.execvpe", "os.posix_spawn"}
    | {"os.posix_spawnp", "os.spawnl", "os.spawnlp", "os.spawnv"}
    | {"os.spawnve", "os.spawnvp", "os.spawnvpe"}
    | {"subprocess.check_call", "subprocess.check_output", "subprocess.run"}
)
SCRIPTED = frozenset({"-c", "-e", "-lc", "--command", "--eval"})
OPENERS = frozenset(
    {"open", "io.open", "os.listdir", "os.makedirs", "os.mkdir", "os.open"}
    | {"os.remove", "os.rename", "os.rmdir", "os.scandir", "os.unlink"}
    | {"os.walk", "shutil.copy", "shutil.copyfile", "shutil.copytree"}
    | {"shutil.move", "shutil.rmtree", "aiofiles.open", "glob.glob"}
    | {"bz2.open", "codecs.open", "fileinput.input", "gzip.open"}
    | {"linecache.getline", "linecache.getlines", "lzma.open", "os.chmod"}
    | {"os.chdir", "os.chown", "PIL.Image.open", "pandas.read_csv"}
    | {"pandas.read_excel", "pandas.read_json", "pandas.read_parquet"}
    | {"numpy.load", "numpy.loadtxt", "sqlite3.connect"}
    | {"starlette.responses.FileResponse", "fastapi.responses.FileResponse"}
    | {"os.link", "os.replace", "os.symlink", "os.truncate", "shutil.copy2"}
    | {"shutil.unpack_archive", "tarfile.open", "zipfile.ZipFile"}
)
PATH_METHODS = frozenset(
    {"glob", "hardlink_to", "iterdir", "mkdir", "open", "read_bytes"}
    | {"read_text", "rename", "rglob", "symlink_to"}
    | {"rmdir", "touch", "unlink", "write_bytes", "write_text"}
)
IN_MEMORY = ("io.BytesIO", "io.StringIO")
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
module_rule = ruled(__file__, on="")
tool_rule = ruled(__file__, on="tool")


@module_rule("MCP-CODE-003")
def shell(source: Source) -> Iterator[Hit]:
    """A shell reads ``;``, ``$(…)`` and ``|`` in the text that it is given.

    Whoever has a say in a part of the text runs what they like. Bandit knows
    ``os.system`` and ``shell=True``, not asyncio's way to a shell, nor what a
    thread is handed.
    """
    for call in source.calls:
        name = source.called(call.func)
        first = source.called(call.args[0]) if call.args else ""
        handed = first.startswith("subprocess.") and has(call, "shell", True)
        if handed or name in SHELLS or name.endswith(".subprocess_shell"):
            yield source.hit(call, f"{name} runs its text in a shell")


@module_rule("MCP-CODE-004")
def loader(source: Source) -> Iterator[Hit]:
    """These loaders build any object that the data names, and call it.

    Whoever wrote the data runs code in the server.
    """
    for call in source.calls:
        name = source.called(call.func)
        pickled = name == "numpy.load" and has(call, "allow_pickle", True)
        unsafe = name in UNSAFE_YAML and (
            any(is_constant(part, "unsafe") for part in call.args)
            or has(call, "typ", "unsafe")
        )
        if name in LOADERS or pickled or unsafe or _is_unsafe(source, call):
            yield source.hit(call, f"{name} can run what the data says")


@tool_rule("MCP-CODE-007")
def confined_path(source: Source) -> Iterator[Hit]:
    """A tool's arguments come from a model, and from whoever talks to it.

    A path out of them that goes to ``open`` reaches every file of the
    server's user, by ``../`` or through a link. The workspace resolves it
    without leaving its directory. One that is resolved, and then asked with
    ``is_relative_to``, is let be where the answer decides.
    """
    for tool, call in tool_calls(source):
        opened: list[ast.expr] = []
        if isinstance(call.func, ast.Attribute):
            opened += [call.func.value] * (call.func.attr in PATH_METHODS)
            opened += call.args * (call.func.attr in {"glob", "rglob"})
        name = source.called(call.func)
        if name in OPENERS or name.startswith("aiofiles.os."):
            opened += [*call.args, *(k.value for k in call.keywords)]
        theirs = [
            part
            for part in opened
            if given(part, tool) and not _is_in_memory(source, part, tool)
        ]
        if not all(tool.confined.at(_owner(part), call) for part in theirs):
            yield source.hit(call, f"{tool.name} opens what its caller names")


@tool_rule("MCP-CODE-008")
def confined_command(source: Source) -> Iterator[Hit]:
    """A program takes options, and many run others or write files by them.

    Without a shell a caller's word is still an option (``--output=…``), and
    the program runs with the server's rights. The command runner allows the
    programs that you name and starts them in a sandbox. Worse is a caller who
    names the program, or writes what ``sh -c`` reads.
    """
    for tool, call in tool_calls(source):
        shell_too = has(call, "shell", True)  # Bandit has the worse of it
        runs = source.called(call.func) in RUNNERS
        if runs and not shell_too and _takes(call, tool):
            severity = Severity.CRITICAL if _programs(call, tool) else None
            message = f"{tool.name} runs its caller's words"
            yield source.hit(call, message, severity)


@tool_rule("MCP-CODE-009")
def fixed_host(source: Source) -> Iterator[Hit]:
    """The server reaches what its caller cannot: your own network.

    Cloud metadata, admin pages and other services answer to it. A tool that
    fetches any address reads them out. One whose host is looked up among
    those that are allowed is let be where the answer decides.
    """
    for tool, call in tool_calls(source):
        if not _fetches(source, call, tool):
            continue
        named = [k.value for k in call.keywords if k.arg == "url"]
        if any(
            given(part, tool)
            and not _fixed(source, part)
            and not _allowed(part, tool, call)
            for part in [*call.args[:2], *named]
        ):
            yield source.hit(call, f"{tool.name} fetches any address")


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
            has(call, "resolve_entities", True)
            or has(call, "load_dtd", True)
            or has(call, "no_network", False)
        ):
            yield source.hit(call, "XML may name files and addresses")


def _is_unsafe(source: Source, call: ast.Call) -> bool:
    """Tell ``load`` that comes ``from yaml``, which Bandit does not follow."""
    name = source.called(call.func)
    if not isinstance(call.func, ast.Name) or name not in YAML:
        return False
    loaders = [k.value for k in call.keywords if k.arg == "Loader"]
    loaders += call.args[1:2]
    named = {source.called(x).rpartition(".")[2] for x in loaders}
    return not loaders or bool(named & UNSAFE_YAML_LOADERS)


def _is_in_memory(source: Source, part: ast.expr, tool: Tool) -> bool:
    """Tell bytes or text that is read like a file, and is none."""
    if isinstance(part, ast.Call):
        return source.called(part.func) in IN_MEMORY
    name = part.id if isinstance(part, ast.Name) else ""
    return tool.comes_from(name, IN_MEMORY)


def _owner(part: ast.expr) -> str:
    """Return the name of what ``path.parent`` is a part of."""
    while isinstance(part, ast.Attribute):
        part = part.value
    return part.id if isinstance(part, ast.Name) else ""


def _takes(call: ast.Call, tool: Tool) -> bool:
    """Tell whether something of the caller's goes into a call."""
    parts = [*call.args, *(k.value for k in call.keywords)]
    return any(given(part, tool) for part in parts)


def _programs(call: ast.Call, tool: Tool) -> bool:
    """Tell whether a caller names what is run, or writes the script."""
    first = call.args[0] if call.args else None
    argv = first.elts if isinstance(first, ast.List) else call.args
    said = getattr(argv[1], "value", "") if len(argv) > 2 else ""
    script = argv[2:3] if said in SCRIPTED else []
    return any(given(part, tool) for part in [*argv[:1], *script])


def _fetches(source: Source, call: ast.Call, tool: Tool) -> bool:
    """Tell whether a call goes out: a library's, a client's, a socket's."""
    name = source.called(call.func)
    if name.startswith(FETCHERS) or name in CONNECTORS:
        return True
    owner, _, verb = name.rpartition(".")
    if verb not in VERBS:
        return False
    named = owner.rpartition(".")[2].lower() in SESSIONS
    return named or tool.comes_from(owner, FETCHERS)


def _fixed(source: Source, part: ast.expr) -> bool:
    """Tell whether an address begins with a scheme and host of our own.

    Or with a path alone: then the client has the rest (``base_url``).
    """
    text = beginning(source, part)
    path = re.match(r"/[^/\\]", text) is not None
    return path or text.partition("://")[2].find("/") > 0


def _allowed(part: ast.expr, tool: Tool, call: ast.Call) -> bool:
    """Tell whether the host of each address in it was looked up before."""
    names = {x.id for x in ast.walk(part) if isinstance(x, ast.Name)}
    theirs = names & tool.theirs
    return bool(theirs) and all(tool.hosts.at(x, call) for x in theirs)
