"""Traps for the tools of a server: a workspace, and what lies around it."""

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..live import CANARY
from .parcels import ALMOST, tarred, zipped

LARGE: Final = 2**20  # bytes of the largest file in the workspace
TRAPS: Final = ("outside", "workspace-evil")
OTHERS: Final = (*TRAPS, "here")  # nobody's business


@dataclass(frozen=True, slots=True)
class Lab:
    """A workspace full of traps, beside files that nobody may touch.

    Attributes:
        root: What holds it all, thrown away afterwards.
        door: Another name of it. Callers use this one; so the other, in an
            answer, is no echo.
        outside: The word in the files outside of the workspace.
        inside: The word in the server's environment.
        sent: The word in the arguments, and in the name of a file that may
            be read.
        within: The word in that file.
    """

    root: Path
    door: Path
    outside: str
    inside: str
    sent: str
    within: str

    @property
    def file(self) -> str:
        """The name of a file that may be read."""
        return f"{self.sent}.txt"

    @property
    def workspace(self) -> Path:
        """The directory that the tools may touch."""
        return self.root / "workspace"

    @property
    def mark(self) -> Path:
        """What an executed payload leaves behind, under the callers' name."""
        return self.door / "executed"

    @property
    def trace(self) -> str:
        """The same for a payload that may name no path: a name alone."""
        return f"{self.sent}-ran"

    @property
    def seen(self) -> Path:
        """Where the witness in the server writes."""
        return self.root / "seen"

    @property
    def own_path(self) -> re.Pattern[str]:
        """Finds the lab's own name, but where a caller has to use it."""
        return re.compile(
            rf"{re.escape(str(self.root))}"
            r"(?!/workspace(?:-evil|/\.\.)|/outside/secret)"
        )

    def files(self, *folders: str) -> dict[str, tuple[int, bytes]]:
        """Return what lies in folders: kind and content of each entry."""
        found = {}
        for folder in folders:
            for path in sorted((self.root / folder).rglob("*")):
                plain = path.is_file() and not path.is_symlink()
                data = path.read_bytes() if plain else b""
                found[str(path)] = path.lstat().st_mode, data
        return found

    @contextmanager
    def held(self) -> Iterator[Callable[[], bool]]:
        """Hold the workspace; yield what tells whether it is still the same.

        While it is held, no other directory gets its number.
        """
        held = os.open(self.workspace, os.O_RDONLY)
        try:
            first = os.fstat(held)
            yield lambda: os.path.samestat(first, self.workspace.stat())
        finally:
            os.close(held)

    def executed(self) -> bool:
        """Tell whether a payload has left its mark, and remove that."""
        places = (self.root / "here", self.workspace)
        marks = [self.mark, *(place / self.trace for place in places)]
        left = [mark for mark in marks if mark.exists()]
        for mark in left:
            mark.unlink()
        return bool(left)

    def build(self) -> None:
        """Put every trap in its place, and nothing else."""
        for name in ("workspace", *OTHERS):
            folder = self.root / name
            folder.mkdir(exist_ok=True)
            for path in folder.iterdir():
                clear(path)
        for name in (*TRAPS, "home"):
            path = self.root / name / "secret.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{self.outside}\n")
        # A file of its own: who asks for names counts them, and would refuse
        # what the links lead to for that alone.
        twice = self.root / "outside/twice.txt"
        twice.write_text(f"{self.outside}\n")
        work = self.workspace
        (work / self.file).write_text(f"one\n{self.within}\n{ALMOST}\n")
        (work / "large.txt").write_text("large\n" * (LARGE // 6))
        (work / "link.txt").symlink_to("../outside/secret.txt")
        (work / "folder").symlink_to("../outside")
        (work / "hard.txt").hardlink_to(twice)
        (work / "archive.zip").write_bytes(zipped(self.sent))
        (work / "archive.tar").write_bytes(tarred(self.sent))
        os.mkfifo(work / "pipe")


@contextmanager
def lab() -> Iterator[Lab]:
    """Build the traps, and take them away again."""
    outside, sent, within = (new_word() for _ in range(3))
    with tempfile.TemporaryDirectory(prefix="probes-") as folder:
        root = Path(folder).resolve() / "lab"
        door = Path(folder).resolve() / "door"
        root.mkdir()
        door.symlink_to("lab")
        made = Lab(root, door, outside, CANARY, sent, within)
        made.build()
        yield made


def new_word() -> str:
    """Return a word that nobody can guess."""
    return f"probe{secrets.token_hex(12)}"


def clear(path: Path) -> None:
    """Remove whatever is there by this name."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
