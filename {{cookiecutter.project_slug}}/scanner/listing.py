"""Which files there are in a project: what git would take, without links."""

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import ignore
from .tools import ToolError, find_tool, run_tool

MAX_DEPTH = 100  # folders inside each other
SKIPPED = frozenset(
    {".git", ".hg", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache"}
    | {".svn", ".tox", ".venv", "__pycache__", "node_modules"}
)
# What is read for what its name says it is; a link can give any file a name.
_TELLING = re.compile(r"dockerfile|\.(?:pyw?|ya?ml|toml|json|sh)$")


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in the project, as paths relative to it, sorted.

    Attributes:
        files: Regular files that git would take, and the code of the
            package, which is imported whatever git takes.
        links: Symbolic links that git would take; nothing follows them.
        special: FIFOs, sockets and devices.
        unseen: Folders that could not be listed, or lie too deep; files that
            could not be asked about; links that make code or settings of
            what is read as something else.
    """

    files: tuple[str, ...]
    links: tuple[str, ...]
    special: tuple[str, ...]
    unseen: tuple[str, ...]


class Lister:
    """Lists what lies in a folder, once.

    Args:
        root: The folder.
        mode: Tells the mode of what lies at a path, behind no link; or 0.
        gitignore: Returns the text of the .gitignore in a folder; or none.
    """

    def __init__(
        self,
        root: Path,
        mode: Callable[[str], int],
        gitignore: Callable[[str], str],
    ) -> None:
        self._root, self._mode, self._gitignore = root, mode, gitignore
        self._unseen: list[str] = []

    def listing(self, packages: Iterable[str]) -> Listing:
        """Return everything that git would take, and the packages' code."""
        paths = self._from_git()
        found = self._walk("") if paths is None else paths
        return self._sorted(found | self._code(packages))

    def _from_git(self) -> set[str] | None:
        """Ask git; None where this is no checkout, or is ignored by one."""
        git = find_tool("git")
        if git is None:
            return None
        options = ["-c", "core.fsmonitor=false"]  # it may name a program
        options += ["-c", "core.untrackedCache=false"]
        listing = ["ls-files", "-z", "-co", "--exclude-standard"]
        try:
            run = run_tool([git, *options, *listing], cwd=self._root)
            names = run.expect(0).stdout.split(b"\0")
        except ToolError:
            return None
        paths = {os.fsdecode(name).rstrip("/") for name in names if name}
        return paths or None

    def _code(self, packages: Iterable[str]) -> set[str]:
        """List the packages' modules, which load though git ignores them."""
        found = {
            path
            for package in packages
            for path in self._walk(package, all_=True)
        }
        return {path for path in found if path.endswith((".py", ".pyw"))}

    def _walk(self, start: str, *, all_: bool = False) -> set[str]:
        """List what .gitignore leaves, folder by folder, without links."""
        found: set[str] = set()
        waiting: list[tuple[str, list[ignore.Pattern]]] = [(start, [])]
        while waiting:
            folder, patterns = waiting.pop()
            base = f"{folder}/" if folder else ""
            if not all_:
                text = self._gitignore(folder)
                patterns = patterns + ignore.parse(text, folder)
            for name, is_folder in self._entries(folder):
                path = base + name
                if is_folder and (name in SKIPPED or self._is_venv(path)):
                    continue
                if ignore.ignored(path, patterns, folder=is_folder):
                    continue
                if is_folder:
                    waiting.append((path, patterns))
                else:
                    found.add(path)
        return found

    def _entries(self, folder: str) -> Iterator[tuple[str, bool]]:
        """Yield the names in a folder, and whether each is one itself."""
        try:
            if folder.count("/") >= MAX_DEPTH:
                raise OSError
            with os.scandir(self._root / folder) as entries:
                for entry in entries:
                    yield entry.name, entry.is_dir(follow_symlinks=False)
        except OSError:
            self._unseen.append(folder)

    def _is_venv(self, folder: str) -> bool:
        return stat.S_ISREG(self._mode(f"{folder}/pyvenv.cfg"))

    def _sorted(self, paths: set[str]) -> Listing:
        """Tell files, links and special files apart; what is gone, goes.

        A folder among them is a repository in this one, or a submodule.
        """
        kinds: dict[str, set[str]] = {"file": set(), "link": set()}
        waiting = sorted(paths)
        while waiting:
            path = waiting.pop()
            kind = self._kind(path)
            if kind == "folder":
                waiting += self._walk(path)
            elif kind == "link" and self._disguises(path):
                self._unseen.append(path)
            kinds.setdefault(kind, set()).add(path)
        self._unseen += kinds.get("unknown", ())
        return Listing(
            files=tuple(sorted(kinds["file"])),
            links=tuple(sorted(kinds["link"])),
            special=tuple(sorted(kinds.get("special", ()))),
            unseen=tuple(sorted({*self._unseen})),
        )

    def _kind(self, path: str) -> str:
        if mode := self._mode(path):
            return _named(mode)
        try:
            (self._root / path).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return "gone"
        except (OSError, ValueError):
            pass
        return "unknown"

    def _disguises(self, link: str) -> bool:
        """Tell whether it gives a file in here a name of another kind."""
        try:
            target = (self._root / link).resolve()
        except (OSError, RuntimeError):  # it leads to itself
            return False
        if not target.is_relative_to(self._root) or not target.is_file():
            return False
        kinds = _TELLING.findall(Path(link).name.lower())
        return kinds > [] and kinds != _TELLING.findall(target.name.lower())


def _named(mode: int) -> str:
    """Name what a mode says the thing is."""
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISLNK(mode):
        return "link"
    return "folder" if stat.S_ISDIR(mode) else "special"
