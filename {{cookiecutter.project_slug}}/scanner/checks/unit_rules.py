"""What a systemd unit gives the server that it need not have."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..container.names import fetched, is_root
from ..model import Severity
from ..project import Project, Unreadable
from ..rules import Hit
from ..ruletable import ruled

MAX_SIZE = 2**20  # bytes of one file
_NAME = (
    r"(?s)(?!tests/).+\.service(?:\.j2)?|(?!tests/).+\.service\.d/[^/]+\.conf"
)
_SETTING = re.compile(r"\s*(\w+)\s*=\s*(.*?)\s*")
_NO = frozenset({"0", "false", "no", "off"})
# What keeps an intruder in. Two of them are missed in every unit where they
# are not set, the others and two more in the server's.
_ASKED = ("NoNewPrivileges", "ProtectSystem")
_GUARDS = frozenset(
    {"LockPersonality", "MemoryDenyWriteExecute", "PrivateDevices"}
    | {"NoNewPrivileges", "PrivateTmp", "ProtectClock", "ProtectHome"}
    | {"ProtectControlGroups", "ProtectHostname", "ProtectKernelLogs"}
    | {"ProtectKernelModules", "ProtectKernelTunables", "ProtectSystem"}
    | {"RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID"}
)
_LIMITS = ("MemoryMax", "TasksMax")
SERVERS = (
    *sorted(_GUARDS),
    *("CapabilityBoundingSet", "SystemCallFilter", *_LIMITS),
    *("RestrictAddressFamilies", "SystemCallArchitectures", "UMask"),
)
# What is read or started from there, anybody can put there (CWE-379).
_ANYBODYS = re.compile(r"[-@:+!]*(?:/tmp|/var/tmp|/dev/shm)/")
_FROM = re.compile(r"Exec\w+|EnvironmentFile|WorkingDirectory|RootDirectory")
# Modules are then looked for in the folder that it is started in (CWE-427).
_BY_NAME = re.compile(r"\bpython[\d.]* (?!-[A-Za-z]*[PI])(?:-\S+ )*?-m ")
_CAPABILITY = re.compile(r"\b(?!CAP_NET_BIND_SERVICE\b)CAP_[A-Z_]+")
unit_rule = ruled(__file__, on="unit")


@dataclass(frozen=True, slots=True)
class Unit:
    """The ``[Service]`` part of a unit.

    Attributes:
        settings: Name, value and line, in their order.
        whole: It starts the program, and completes no other file.
        ours: What it starts is the server.
    """

    path: str
    settings: tuple[tuple[str, str, int], ...]
    whole: bool
    ours: bool

    def last(self, name: str) -> tuple[str, int]:
        """Return the value that holds, and its line; 1 where there is none."""
        found = [(v, n) for key, v, n in self.settings if key == name]
        return found[-1] if found else ("", 1)

    def hit(
        self, line: int, message: str, severity: Severity | None = None
    ) -> Hit:
        """Make a hit at a line."""
        return Hit(
            path=self.path,
            line=line,
            anchor=message,
            message=message,
            severity=severity,
        )


def units(project: Project) -> Iterator[Unit | Unreadable]:
    """Yield the units that start a program, and what completes one.

    One that cannot be read is yielded as the error.
    """
    for path in project.named(_NAME):
        part, found = "", []
        try:
            lines = project.text(path, MAX_SIZE).splitlines()
        except Unreadable as error:
            yield error
            continue
        for number, line in enumerate(lines, 1):
            if line.startswith("["):
                part = line.strip()
            elif part == "[Service]" and (set_ := _SETTING.fullmatch(line)):
                value = re.sub(r"^([\"'])(.*)\1$", r"\2", set_[2])
                found.append((set_[1], value, number))
        starts = [value for name, value, _ in found if name == "ExecStart"]
        whole = bool(starts) and not path.endswith(".conf")
        ours = whole and any(
            re.search(rf"\b{re.escape(name)}\b", value)
            for value in starts
            for name in filter(None, (project.package, project.name))
        )
        if found:
            yield Unit(path, tuple(found), whole, ours)


@unit_rule("MCP-CFG-032")
def root_unit(unit: Unit) -> Iterator[Hit]:
    """Without ``User=`` systemd starts the program as root.

    A ``+`` or ``!`` before the program takes the unit's user back.
    """
    user, line = unit.last("User")
    dynamic, _ = unit.last("DynamicUser")
    own = "/user/" in unit.path or dynamic.lower() in {"yes", "true", "1"}
    if (user and is_root(user)) or (unit.whole and not user and not own):
        yield unit.hit(line, f"User={user or ' is not set'}")
    for name, value, number in unit.settings:
        if name.startswith("Exec") and re.match(r"[-@:]*[+!]", value):
            yield unit.hit(number, f"{name} runs with full rights")


@unit_rule("MCP-CFG-033")
def loosened(unit: Unit) -> Iterator[Hit]:
    """Each of these settings is a wall between an intruder and the machine.

    ``systemd-analyze security`` weighs them in the same way.
    """
    for name in sorted(_GUARDS):
        value, line = unit.last(name)
        missing = unit.whole and not value and name in _ASKED
        if missing or value.lower() in _NO:
            yield unit.hit(line, f"{name} is {value or 'not set'}")
    given = {name for name, _, _ in unit.settings}
    missed = [x for x in SERVERS if x not in given and x not in _ASKED]
    if unit.ours and missed:
        yield unit.hit(1, f"{', '.join(missed)} not set")
    told = " ".join(f"{name}={value}" for name, value, _ in unit.settings)
    if unit.ours and _BY_NAME.search(told) and "PYTHONSAFEPATH" not in told:
        message = "neither PYTHONSAFEPATH nor python -P"
        yield unit.hit(unit.last("ExecStart")[1], message)
    for name in _LIMITS:
        value, line = unit.last(name)
        if value.lower() in {"infinity", "100%"}:
            yield unit.hit(line, f"{name}={value}", Severity.LOW)
    for name, value, line in unit.settings:
        told = re.split(r"--env-file[= ]", value)[-1]
        if _FROM.fullmatch(name) and any(map(_ANYBODYS.match, (value, told))):
            yield unit.hit(line, f"{name}={value[:60]}", Severity.HIGH)
        if name.startswith("Exec") and fetched(value.lstrip("-@:+!")):
            message = f"{name} executes what was fetched unverified"
            yield unit.hit(line, message, Severity.HIGH)
    for name in ("AmbientCapabilities", "CapabilityBoundingSet"):
        value, line = unit.last(name)
        if value and (value.startswith("~") or _CAPABILITY.search(value)):
            message = f"{name}={value[:60]}"
            yield unit.hit(line, message, Severity.HIGH)
    value, line = unit.last("ReadWritePaths")
    if {"/", "/etc", "/usr"} & {
        word.rstrip("/") or "/" for word in value.split()
    }:
        yield unit.hit(line, f"ReadWritePaths={value[:60]}", Severity.HIGH)
    mask, line = unit.last("UMask")
    if re.fullmatch(r"0?[0-7]{2}[0145]", mask):
        yield unit.hit(line, f"UMask={mask}")
