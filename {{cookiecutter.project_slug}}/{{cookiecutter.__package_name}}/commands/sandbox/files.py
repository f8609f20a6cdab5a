"""Which files a command may touch: the workspace, and the system's to read."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from . import landlock

_PROGRAMS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec")
_SHARED = ("share", "include")

#: Where a bare name is looked for, by the server and by what it runs: the
#: system's directories, never the server's own ``PATH``.
SEARCHED: Final = (
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

#: Programs, libraries and their data. Not all of ``/usr``: people put servers
#: into ``/usr/src/app``.
SYSTEM: Final = (
    *(f"/{name}" for name in _PROGRAMS),
    *(f"/usr/{name}" for name in _PROGRAMS + _SHARED),
    *(f"/usr/local/{name}" for name in _PROGRAMS + _SHARED),
    "/nix/store",
    "/gnu/store",
)

#: Files of ``/etc`` that everybody may read, and these directories of it:
#: names, zones, certificates, where libraries lie.
CONFIGURATION: Final = (
    "alternatives",
    "ca-certificates",
    "crypto-policies",
    "fonts",
    "java*",
    "ld.so.conf.d",
    "perl",
    "pki/ca-trust/extracted",
    "pki/tls/certs",
    "python3*",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
)

#: What runtimes ask of the machine; nothing of any process.
MACHINE: Final = (
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system/cpu",
)

_DEVICES = ("null", "zero", "full", "random", "urandom")


def grants(
    workspace: int, programs: Sequence[str], hidden: Sequence[str]
) -> Iterator[tuple[str | int, int]]:
    """Yield each place that a command may touch, and what it may do there.

    Args:
        workspace: A descriptor of the workspace's root.
        programs: The allowed programs. One that lies outside the system's
            directories brings those of its own prefix (``bin/../lib``).
        hidden: Directories that stay unreadable wherever they lie: the
            server's own source.
    """
    apart = tuple(Path(path).resolve() for path in hidden)
    yield workspace, landlock.CHANGE
    for place in _places(programs):
        # Names may be listed everywhere: Python looks for modules that way.
        yield str(place), landlock.READ_DIR
        for path in _around(place, apart):
            yield str(path), landlock.READ | landlock.EXECUTE
    for path in _configuration(Path("/etc")):
        yield str(path), landlock.READ
    for name in _DEVICES:
        access = landlock.READ_FILE | landlock.WRITE_FILE
        yield f"/dev/{name}", access
    for name in MACHINE:
        yield name, landlock.READ


def _configuration(place: Path) -> Iterator[Path]:
    for path in place.glob("*"):
        if path.is_file() and path.stat().st_mode & stat.S_IROTH:
            yield path
    for pattern in CONFIGURATION:
        yield from place.glob(pattern)


def _places(programs: Sequence[str]) -> set[Path]:
    """Return the directories of programs and libraries, without links."""
    system = {Path(path).resolve() for path in SYSTEM if Path(path).is_dir()}
    places = set(system)
    for program in map(Path, programs):
        if any(program.is_relative_to(place) for place in system):
            continue
        places.add(program)
        if program.parent.name == "bin":
            prefix = program.parent.parent
            places.update(prefix / name for name in _PROGRAMS)
    return places


def _around(place: Path, hidden: Sequence[Path]) -> Iterator[Path]:
    """Yield what makes up a directory without what is hidden in it."""
    if any(place.is_relative_to(path) for path in hidden):
        return
    if not any(path.is_relative_to(place) for path in hidden):
        yield place
        return
    with os.scandir(place) as entries:
        for entry in entries:
            if not entry.is_symlink():
                yield from _around(Path(entry.path), hidden)
