"""Which programs may run, and where they lie."""

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import SettingsError
from .sandbox.files import SEARCHED


def resolve(allowed: Sequence[str], workspace: int) -> dict[str, str]:
    """Return the absolute path of each program by the names it goes by.

    A program goes by its own name, and by its path if that was given. Links
    are followed once, here: what is checked is what will run.

    Args:
        allowed: Bare names or absolute paths.
        workspace: A descriptor of the workspace's root.

    Raises:
        SettingsError: A program is not there, or somebody who may write to
            it could put another in its place (CWE-426, CWE-732).
    """
    programs: dict[str, str] = {}
    problems = []
    for entry in allowed:
        found = _find(entry)
        wrong = list(_problems(entry, found, workspace))
        problems += [f"MCP_ALLOWED_COMMANDS: {entry}: {p}" for p in wrong[:1]]
        if found is not None:
            programs[entry] = programs[Path(entry).name] = str(found)
    if problems:
        raise SettingsError(*problems)
    return programs


def _find(entry: str) -> Path | None:
    path = (
        entry
        if Path(entry).is_absolute()
        else None
        if "/" in entry
        else shutil.which(entry, path=SEARCHED)
    )
    return Path(path).resolve() if path else None


def _problems(
    entry: str, program: Path | None, workspace: int
) -> Iterator[str]:
    """Yield what speaks against running a program."""
    if "/" in entry and not Path(entry).is_absolute():
        yield "give a name or an absolute path"
    elif program is None or not _is_program(program):
        yield f"there is no such program in {SEARCHED}; give its absolute path"
    elif _is_inside(program, workspace):
        yield "it lies in the workspace; choose a program outside of it"
    else:
        for place in (program, *program.parents):
            if _is_replaceable(place):
                yield (
                    f"others than an administrator can change {place};"
                    " choose a program that only an administrator can change"
                )


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _is_inside(program: Path, workspace: int) -> bool:
    root = os.fstat(workspace)
    return any(os.path.samestat(p.stat(), root) for p in program.parents)


def _is_replaceable(place: Path) -> bool:
    """Return whether a process of the server's could change a place.

    Root can change all; there it counts who else can, its owner first.
    """
    status = place.stat()
    if os.geteuid() == 0:
        others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        shared = bool(others) and not status.st_mode & stat.S_ISVTX
        return shared or status.st_uid != 0
    return status.st_uid == os.geteuid() or os.access(place, os.W_OK)
