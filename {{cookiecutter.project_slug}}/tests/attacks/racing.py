"""A race between the workspace and a process that swaps what lies in it."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from {{ cookiecutter.__package_name }}.errors import Refusal
from {{ cookiecutter.__package_name }}.workspace import Workspace

OUTSIDE = b"secret content\n"
HONEST = b"honest content\n"
NAMES = ("file", "victim")


@dataclass
class Outcome:
    """What a number of tries came to, by kind of try."""

    tries: Counter[str] = field(default_factory=Counter)
    honest: Counter[str] = field(default_factory=Counter)
    escapes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


class Arena:
    """A workspace beside a directory with secrets; names are the same."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.workspace = path / "workspace"
        self.outside = path / "outside"
        for directory, content in (
            (self.outside, OUTSIDE),
            (self.workspace / "directory", HONEST),
        ):
            directory.mkdir(parents=True)
            for name in NAMES:
                (directory / name).write_bytes(content)
        (self.outside / "secret").write_bytes(OUTSIDE)
        (self.workspace / "file").write_bytes(HONEST)

    def damage(self) -> set[str]:
        """Return the names outside that were made, changed or removed."""
        found = {
            path.name: path.is_file() and path.read_bytes()
            for path in self.outside.iterdir()
        }
        expected = dict.fromkeys((*NAMES, "secret"), OUTSIDE)
        return {name for name, _ in found.items() ^ expected.items()}

    @contextmanager
    def racer(self) -> Iterator[None]:
        """Swap while the block runs, in a second process."""
        script = Path(__file__).with_name("racer.py")
        process = subprocess.Popen([sys.executable, script, self.path])
        try:
            yield
            if process.poll() is not None:
                raise RuntimeError("the racer gave up")
        finally:
            process.kill()
            process.wait()


def race(arena: Arena, workspace: Workspace, tries: int) -> Outcome:
    """Try everything in turn while the racer swaps."""
    outcome = Outcome()
    kinds = list(Tries(workspace).all.items())
    with arena.racer():
        for number in range(tries):
            kind, attempt = kinds[number % len(kinds)]
            outcome.tries[kind] += 1
            try:
                honest = attempt(number)
            except Refusal as refusal:
                outcome.reasons[refusal.reason] += 1
            else:
                (outcome.honest if honest else outcome.escapes)[kind] += 1
    outcome.escapes.update(f"outside: {name}" for name in arena.damage())
    return outcome


def beats_check_then_open(arena: Arena, tries: int) -> int:
    """Return how often the usual way out of a path was itself led out.

    It resolves the path, sees that it lies inside, and opens it by name. A
    racer that this withstands would prove nothing about the workspace.
    """
    escapes = 0
    with arena.racer():
        for _ in range(tries):
            with suppress(OSError):
                path = (arena.workspace / "directory/file").resolve()
                if path.is_relative_to(arena.workspace):
                    escapes += path.read_bytes() == OUTSIDE
    return escapes


class Tries:
    """One try of each kind; True for honest content, False for a secret."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.all: dict[str, Callable[[int], bool]] = {
            "read through directory": self._read("directory/file"),
            "read swapped file": self._read("file"),
            "read toggled link": self._read("toggled"),
            "list": self._list,
            "search": self._search,
            "replace": self._replace,
            "create": self._create,
            "remove": self._remove,
        }

    def _read(self, path: str) -> Callable[[int], bool]:
        return lambda _: self._workspace.read(path).data == HONEST

    def _list(self, _: int) -> bool:
        listing = self._workspace.list("directory")
        return all("secret" not in entry.path for entry in listing.entries)

    def _search(self, _: int) -> bool:
        result = self._workspace.search("content")
        return all(match.text == "honest content" for match in result.matches)

    def _replace(self, number: int) -> bool:
        path = ("directory/file", "file")[number // len(self.all) % 2]
        self._workspace.write(path, HONEST, overwrite=True)
        return True

    def _create(self, number: int) -> bool:
        path = f"directory/new{number % 8}/file{number}"
        self._workspace.write(path, HONEST, create_dirs=True)
        self._workspace.remove(path)
        return True

    def _remove(self, _: int) -> bool:
        self._workspace.write("directory/victim", HONEST, overwrite=True)
        self._workspace.remove("directory/victim")
        return True
