"""Where the workspace may lie: apart from code, from keys and from homes.

Whoever may call the tools reads and writes there. A file that Python imports,
that a shell runs or that says who may call must not be among what they reach
(CWE-552).
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pydantic

_PACKAGE: Final = Path(__file__).parent
#: Whatever lies in one of these is the system's. Who writes into the state of
#: a container engine is root on the machine.
SYSTEM: Final = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32"),
    *("/proc", "/run", "/sbin", "/sys", "/usr", "/var/lib/containerd"),
    *("/var/lib/containers", "/var/lib/docker", "/var/lib/kubelet"),
)
#: These are everybody's; a directory in one of them can be one's own.
SHARED: Final = (
    "/ /home /media /mnt /opt /root /srv /tmp /Users /var /var/lib /var/tmp"
)
_HOME: Final = re.compile(r"/(home|Users)/[^/]+")
#: Directories of keys, by their names in a home.
KEYS: Final = (".aws", ".azure", ".docker", ".gnupg", ".kube", ".ssh")


def problem(root: Path) -> str | None:
    """Say what speaks against a workspace, and what to do instead."""
    if _PACKAGE.resolve().is_relative_to(root):
        return (
            "the server's own code lies inside it; name a directory apart from"
            " the code"
        )
    if _lies_in(root, _code()):
        return "it lies in the server's code; name a directory apart from it"
    if root in _resolved(SHARED.split()) or _lies_in(root, _resolved(SYSTEM)):
        return (
            "it belongs to the system or to everybody; name a directory of"
            " its own"
        )
    if not set(KEYS).isdisjoint(root.parts):
        return "it is where keys are kept; name a directory apart from them"
    if _is_home(root):
        return "it is a whole home, with its keys; name a directory in it"
    if _is_imported_from(root):
        return (
            "its modules would be imported; start the server elsewhere, or"
            " name another directory"
        )
    return None


def holds(root: Path, file: Path) -> bool:
    """Tell whether callers could reach a file, or a link that leads to it."""
    link = file.parent.resolve() / file.name
    return link.is_relative_to(root) or file.resolve().is_relative_to(root)


def _code() -> Iterator[Path]:
    """Yield where our modules lie, Python's own, and those we depend on."""
    yield _PACKAGE.resolve()
    yield Path(os.__file__).parent.resolve()
    yield Path(pydantic.__file__).parent.parent.resolve()


def _is_imported_from(root: Path) -> bool:
    """Tell whether a file written there could be run at the next start.

    ``python -m`` looks for modules in the working directory first.
    """
    searched = (Path(place or ".").resolve() for place in sys.path)
    return any(place.is_relative_to(root) for place in searched)


def _is_home(root: Path) -> bool:
    try:
        home = Path.home().resolve()
    except RuntimeError:  # a user that the system does not know
        home = Path("/")
    return (
        home.is_relative_to(root)
        or _HOME.fullmatch(str(root)) is not None
        or os.path.isdir(root / ".ssh")  # noqa: PTH112 # says no, never raises
    )


def _resolved(paths: Iterable[str]) -> Iterator[Path]:
    return (Path(path).resolve() for path in paths)


def _lies_in(path: Path, places: Iterable[Path]) -> bool:
    return any(path.is_relative_to(place) for place in places)
