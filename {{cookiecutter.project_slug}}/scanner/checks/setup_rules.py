"""What a setup of the server opens that it need not."""

import difflib
import math
import re
from collections.abc import Iterator
from dataclasses import replace

from ..model import Severity
from ..rules import Hit, anchored
from ..ruletable import ruled
from .setup import LOOPBACK, Setup

EVERYWHERE = re.compile(r"0(\.0)*|::|\[::\]|\*")
# Programs that run others, or whatever they are told: one of them allowed is
# every program allowed (https://gtfobins.github.io).
LAUNCHERS = frozenset(
    {"ash", "awk", "bash", "busybox", "bun", "cmd", "cpulimit", "csh", "dash"}
    | {"deno", "docker", "doas", "ed", "emacs", "env", "ex", "expect", "find"}
    | {"fish", "flock", "gawk", "gdb", "git", "ionice", "irb", "java", "ksh"}
    | {"kubectl", "less", "lua", "make", "man", "mawk", "more", "nawk", "nice"}
    | {"node", "nohup", "npm", "npx", "parallel", "perl", "php", "pip", "pipx"}
    | {"podman", "powershell", "pwsh", "rsync", "ruby", "sed", "setsid", "sh"}
    | {"socat", "ssh", "stdbuf", "strace", "su", "sudo", "tar", "taskset"}
    | {"tclsh", "tcsh", "time", "timeout", "uv", "uvx", "vi", "vim", "watch"}
    | {"xargs", "zsh"}
)
_LAUNCHER = re.compile(r"(?:python|pypy|perl|ruby|node|php|lua)[\d.]*")
SYSTEM = re.compile(
    r"/|[A-Za-z]:[\\/]?|~/?|/(bin|boot|dev|etc|home|lib|lib64|opt|proc|root"
    r"|run|sbin|sys|usr|var|var/run|Users|home/[^/]+|Users/[^/]+)/?"
)
MOST_CALLS = 10_000  # a second; no server of tools answers so many
MOST_AT_ONCE = 4096
_BOUNDS = re.compile(
    r"MCP_(?:MAX_(?:(?:FILE|OUTPUT|REQUEST)_SIZE|CONCURRENCY)"
    r"|(?:REQUEST|COMMAND)_TIMEOUT)"
)
_RATE = re.compile(r"(\d+)\s*(?:/|per)\s*(?:(\d+)\s*)?(mo|[smhdy])", re.I)
_SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "mo": 2_592_000}
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_PUBLIC = re.compile(r"/(?:tmp|var/tmp|dev/shm)/")  # nosec B108 # looked for, not used
_CLEAR_REDIS = re.compile(
    r"redis://(?:[^@/]*@)?([\w-]+(?:\.[\w-]+)+)(?=[:/]|$)"
)
setup_rule = ruled(__file__, on="")


@setup_rule("MCP-CFG-001")
def open_to_all(setup: Setup) -> Iterator[Hit]:
    """A host other than loopback is reached by whoever is on the network.

    Without authentication all of them call every tool. The server refuses to
    start so; a setup that says it is meant to be so is a fault all the same.
    Where commands are allowed as well, it is a shell for everybody.
    """
    host, auth = setup.value("MCP_HOST"), setup.value("MCP_AUTH")
    line = setup.sets("MCP_HOST", "MCP_AUTH")
    if line and _public(host) and auth in {"none", ""}:
        commands = setup.value("MCP_ALLOWED_COMMANDS")
        yield Hit(
            path=setup.path,
            line=line,
            anchor=anchored("MCP_HOST", host, commands),
            message=f"MCP_HOST is {host} and MCP_AUTH is {auth or 'not set'}",
            severity=Severity.CRITICAL if commands else None,
        )


@setup_rule("MCP-CFG-002")
def unknown_variable(setup: Setup) -> Iterator[Hit]:
    """A misspelt variable leaves the control that it names as it was.

    The server refuses to start with one.
    """
    for name, (_, line) in setup.given.items():
        if name not in setup.known:
            near = difflib.get_close_matches(name, sorted(setup.known), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            yield Hit(
                path=setup.path,
                line=line,
                anchor=name,
                message=f"there is no {name}{hint}",
            )


@setup_rule("MCP-CFG-003")
def unlimited(setup: Setup) -> Iterator[Hit]:
    """Without a limit one caller takes the server from all others.

    A model in a loop is such a caller.
    """
    for name in ("MCP_RATE_LIMIT", "MCP_TOOL_RATE_LIMITS"):
        value = setup.value(name) or ""
        if re.search(r"(^|=)\s*(0|off)\s*(,|$)", value.lower()):
            yield from _hits(setup, f"{name} is {value}", name)


@setup_rule("MCP-CFG-004")
def unasked(setup: Setup) -> Iterator[Hit]:
    """The user is the last who can stop what an injected prompt asks for.

    With approval off nobody is asked before a command runs, nor before a file
    is replaced, which is the lesser evil.
    """
    if setup.value("MCP_APPROVAL") != "never":
        return
    commands = setup.value("MCP_ALLOWED_COMMANDS")
    names = ("MCP_APPROVAL", "MCP_ALLOWED_COMMANDS")
    for found in _hits(setup, "MCP_APPROVAL is never", *names):
        yield found if commands else replace(found, severity=Severity.MEDIUM)


@setup_rule("MCP-CFG-005")
def wildcard(setup: Setup) -> Iterator[Hit]:
    """Any web page that the user opens can then talk to the server.

    Its name is made to point at 127.0.0.1 (DNS rebinding), and the browser
    sends along what it likes; the host and origin checks are what stops it
    (MCP specification, Streamable HTTP, security warning).
    """
    for name in ("MCP_ALLOWED_HOSTS", "MCP_ALLOWED_ORIGINS"):
        items = re.split(r"\s*,\s*", setup.value(name) or "")
        if any(re.fullmatch(r"\*(:\*)?|https?://\*.*", x) for x in items):
            yield from _hits(setup, f"{name} allows every one", name)


@setup_rule("MCP-CFG-006")
def loose_sandbox(setup: Setup) -> Iterator[Hit]:
    """With best-effort a kernel that lacks a part runs the command without.

    Nobody sees it, and the command reaches files outside the workspace. Any
    other word, such as off, keeps the server from starting.
    """
    name = "MCP_COMMAND_SANDBOX"
    value = setup.value(name)
    if value not in {None, "", "require"}:
        yield from _hits(setup, f"{name} is {value}", name)


@setup_rule("MCP-CFG-007")
def networked(setup: Setup) -> Iterator[Hit]:
    """A command that reads the workspace can send it anywhere."""
    if setup.value("MCP_COMMAND_NETWORK") == "allow":
        name = "MCP_COMMAND_NETWORK"
        yield from _hits(setup, f"{name} is allow", name)


@setup_rule("MCP-CFG-008")
def open_metrics(setup: Setup) -> Iterator[Hit]:
    """Metrics have no login: they tell which tools run, and how often.

    Inside a container's own network that is how they are read; on a machine
    they belong on loopback.
    """
    inside = setup.kind in {"image", "compose", "kubernetes"}
    host = setup.value("MCP_METRICS_HOST")
    if EVERYWHERE.fullmatch(host or "") and not inside:
        name = "MCP_METRICS_HOST"
        yield from _hits(setup, f"{name} is {host}", name)


@setup_rule("MCP-CFG-009")
def clear_text(setup: Setup) -> Iterator[Hit]:
    """A bearer token is all that a thief needs; on the wire it is readable.

    A proxy that ends TLS does as well; MCP_TRUSTED_PROXIES says there is one.
    """
    reached = setup.kind == "env" or setup.published
    safe = setup.value("MCP_TLS_CERTFILE") != ""
    if not setup.published:  # else there is a way past the proxy
        safe = safe or setup.value("MCP_TRUSTED_PROXIES") != ""
    authenticated = setup.value("MCP_AUTH") in {"bearer", "jwt"}
    public = _public(setup.value("MCP_HOST")) and reached
    if public and authenticated and not safe:
        yield from _hits(setup, "there is no TLS", "MCP_HOST", "MCP_AUTH")


@setup_rule("MCP-CFG-010")
def debugging(setup: Setup) -> Iterator[Hit]:
    """At DEBUG, the log has a line for each call that begins.

    It grows twice as fast, and what matters is harder to find in it.
    """
    name = "MCP_LOG_LEVEL"
    if (setup.value(name) or "").upper() == "DEBUG":
        yield from _hits(setup, f"{name} is DEBUG", name)


@setup_rule("MCP-CFG-011")
def fails_open(setup: Setup) -> Iterator[Hit]:
    """Whoever can bring the storage down then has no limit."""
    name = "MCP_RATE_LIMIT_ON_FAILURE"
    if setup.value(name) == "allow":
        yield from _hits(setup, f"{name} is allow", name)


@setup_rule("MCP-CFG-012")
def launcher(setup: Setup) -> Iterator[Hit]:
    """An interpreter, a shell, env, find, xargs: each runs what it is told.

    One of them in MCP_ALLOWED_COMMANDS makes the list worth nothing.
    """
    name = "MCP_ALLOWED_COMMANDS"
    for item in re.split(r"[\s,]+", setup.value(name) or ""):
        program = re.split(r"[\\/]", item)[-1].lower().removesuffix(".exe")
        if program in LAUNCHERS or _LAUNCHER.fullmatch(program):
            message = f"{name} allows {program}"
            yield from _hits(setup, message, name, anchor=program)


@setup_rule("MCP-CFG-016")
def trusts_all(setup: Setup) -> Iterator[Hit]:
    """A trusted proxy's X-Forwarded-For is believed.

    Where every address is trusted, or a large part of them, a caller writes
    a new one into each request, and no limit ever counts up to it.
    """
    name = "MCP_TRUSTED_PROXIES"
    if re.search(
        r"(^|[\s,])(\*|[\d.]+/[0-7](?!\d)|[\da-f:]+/(?:1[0-5]|\d)(?!\d))",
        setup.value(name) or "",
    ):
        yield from _hits(setup, f"{name} is everybody", name)


@setup_rule("MCP-CFG-017")
def clear_keys(setup: Setup) -> Iterator[Hit]:
    """Whoever answers for the key server signs tokens for everybody.

    Without TLS that is anybody on the way.
    """
    for name in ("MCP_AUTH_JWKS_URI", "MCP_AUTH_ISSUER", "MCP_BASE_URL"):
        found = re.match(r"http://(\[.*?\]|[^:/]*)", setup.value(name) or "")
        if found and not LOOPBACK.fullmatch(found[1]):
            ours = Severity.MEDIUM if name == "MCP_BASE_URL" else None
            for hit in _hits(setup, f"{name} is http", name, anchor=name):
                yield replace(hit, severity=ours)


@setup_rule("MCP-CFG-018")
def whole_system(setup: Setup) -> Iterator[Hit]:
    """The file tools are confined to the workspace, and to nothing less.

    With /, /etc or a home as the workspace they read keys and passwords.
    """
    name = "WORKSPACE_PATH"
    if SYSTEM.fullmatch(setup.value(name) or ""):
        yield from _hits(setup, f"{name} is {setup.value(name)}", name)


@setup_rule("MCP-CFG-019")
def too_much(setup: Setup) -> Iterator[Hit]:
    """A size above the memory, a time above the patience: no limit is left.

    Nor is one of more calls than a server can answer, or none at all.
    """
    for name in setup.given:
        value = setup.value(name) or ""
        none = _BOUNDS.fullmatch(name) and value in {"0", "None", "inf"}
        size = re.fullmatch(r"(?i)(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", value)
        bytes_ = float(size[1]) * _UNITS[size[2].lower()] if size else 0
        span = re.fullmatch(r"(\d+(?:\.\d+)?)s?", value)
        seconds = float(span[1]) if span else 0
        large = name.endswith("_SIZE") and bytes_ > 2**30
        long = name.endswith("_TIMEOUT") and seconds > 3600
        if name.endswith("_RATE_LIMIT"):
            large = any(rate > MOST_CALLS for rate in _rates(value))
        elif name == "MCP_MAX_CONCURRENCY":
            large = bytes_ > MOST_AT_ONCE
        if none or large or long:
            yield from _hits(setup, f"{name} is {value}", name)


_KEPT_APART = (
    *("MCP_AUTH_TOKENS_FILE", "MCP_TLS_KEYFILE", "MCP_ENV_FILE"),
    "MCP_LOG_FILE",
)


@setup_rule("MCP-CFG-036")
def reachable_secret(setup: Setup) -> Iterator[Hit]:
    """A tool reads what lies in the workspace, and may write it.

    So it is with the log, which tells who called what. Everybody on the
    machine can put a file of their own into ``/tmp``.
    """
    workspace = (setup.value("WORKSPACE_PATH") or "?").rstrip("/") or "/"
    for name in _KEPT_APART:
        value = setup.value(name) or ""
        if value.startswith(f"{workspace}/"):
            message = f"{name} lies in the workspace"
            yield from _hits(setup, message, name, "WORKSPACE_PATH")
        elif _PUBLIC.match(value):
            for found in _hits(setup, f"{name} is {value}", name):
                yield replace(found, severity=Severity.MEDIUM)


@setup_rule("MCP-CFG-037")
def clear_storage(setup: Setup) -> Iterator[Hit]:
    """Who calls how often is readable, and whoever answers sets the limits.

    Inside one network of containers, where names have no dot, it stays there.
    """
    name = "MCP_RATE_LIMIT_STORAGE"
    found = _CLEAR_REDIS.match(setup.value(name) or "")
    if found and not LOOPBACK.fullmatch(found[1]):
        yield from _hits(setup, f"{name} is redis, without TLS", name)


def _rates(limit: str) -> Iterator[float]:
    """Yield the calls a second of each part of a limit."""
    for amount, many, span in _RATE.findall(limit):
        seconds = int(many or 1) * _SPANS.get(span.lower(), math.inf)
        yield int(amount) / (seconds or 1)


def _public(host: str | None) -> bool:
    return bool(host) and not LOOPBACK.fullmatch(host or "")


def _hits(
    setup: Setup, message: str, *names: str, anchor: str = ""
) -> Iterator[Hit]:
    """Yield a hit, if this file and not one below it says so."""
    line = setup.sets(*names)
    if line:
        yield Hit(
            path=setup.path,
            line=line,
            anchor=anchored(anchor or names[0], *map(setup.shown, names)),
            message=message,
        )
