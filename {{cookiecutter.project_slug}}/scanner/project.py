"""The project under the scanner: which files there are, read with care."""

import os
import re
import stat
import threading
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from . import ignore
from .tools import ToolError, find_tool, run_tool

MAX_READ = 8 * 2**20  # bytes that one call reads into memory
PIECE = 2**20  # bytes that are searched at a time
OVERLAP = 256  # of two pieces: longer than what is looked for
MAX_DEPTH = 100  # folders inside each other
SKIPPED = frozenset(
    {".git", ".hg", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache"}
    | {".svn", ".tox", ".venv", "__pycache__", "node_modules"}
)
# What is read for what its name says it is; a link can give any file a name.
_TELLING = re.compile(r"dockerfile|\.(?:pyw?|ya?ml|toml|json|sh)$")
_KEY = re.compile(r"id_(?:rsa|dsa|ecdsa|ed25519)|.+\.(?:pem|key|ppk)")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


class Unreadable(Exception):
    """A file that could not be looked at; say so in the coverage."""


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


class Project:
    """A folder of files that are not trusted, not even in their names.

    Paths are relative to it, with ``/``; bytes in names that are no UTF-8
    are kept as Python's surrogate escapes. No link is ever followed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._folders: dict[str, bool] = {}
        self._unseen: list[str] = []
        self._listing: Listing | None = None
        self._lock = threading.Lock()

    @property
    def listing(self) -> Listing:
        """Everything that git would take; caches and .venv are left out."""
        with self._lock:  # the checks run side by side: list once
            if self._listing is None:
                paths = self._from_git()
                found = self._walk("") if paths is None else paths
                self._listing = self._sorted(found | self._code())
            return self._listing

    @property
    def files(self) -> tuple[str, ...]:
        """The regular files that git would take, sorted."""
        return self.listing.files

    @cached_property
    def pyproject(self) -> Mapping[str, Any]:
        """The parsed pyproject.toml; empty when there is none to read."""
        return self._toml("pyproject.toml")

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """What the server's settings are by default; empty if unknown."""
        return self._toml(f"{self.package}/defaults.toml")

    @cached_property
    def name(self) -> str:
        """The distribution's name, or the folder's."""
        named = self.table("project").get("name")
        return named if isinstance(named, str) else self.root.name

    @cached_property
    def package(self) -> str:
        """The server's package: the folder behind the console script."""
        return next(iter(self.packages), "")

    @cached_property
    def packages(self) -> tuple[str, ...]:
        """The folders behind every script and entry point, the server's first.

        What any of them runs is the project's, and a plugin's is loaded by
        whoever asks for it.
        """
        tables = [
            self.table("project", "scripts"),
            self.table("project", "gui-scripts"),
        ]
        groups = self.table("project", "entry-points")
        tables += [self.table("project", "entry-points", x) for x in groups]
        guesses = [
            str(target).strip().partition(":")[0].partition(".")[0]
            for table in tables
            for target in table.values()
        ]
        guesses.insert(
            len(tables[0]), re.sub(r"[-.]+", "_", self.name).lower()
        )
        return tuple(
            guess
            for guess in dict.fromkeys(guesses)
            if _IDENTIFIER.fullmatch(guess) and (self.root / guess).is_dir()
        )

    def table(self, *keys: str) -> Mapping[str, Any]:
        """Return a table of pyproject.toml; empty when there is none."""
        found: Any = self.pyproject
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    def named(self, pattern: str) -> list[str]:
        """Return the files whose path matches a regular expression whole."""
        match = re.compile(pattern).fullmatch
        return [path for path in self.files if match(path)]

    def exists(self, path: str) -> bool:
        """Tell whether a regular file lies there, ignored by git or not."""
        return self._regular(path)

    def open(self, path: str) -> BinaryIO:
        """Open a regular file of the project without following a link.

        Raises:
            Unreadable: It is no such file, or may not be read.
        """
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        if not self._regular(path):
            raise Unreadable(f"{path} is no regular file")
        try:
            found = os.open(f"{self.root}/{path}", flags)
            stream = os.fdopen(found, "rb")
        except OSError as error:
            raise Unreadable(f"{path}: {error.strerror}") from None
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            stream.close()
            raise Unreadable(f"{path} is no regular file")
        return stream

    def read(self, path: str, limit: int = MAX_READ) -> bytes:
        """Return a file's bytes, all of them or none.

        Raises:
            Unreadable: As for ``open``; or it is larger than the limit.
        """
        with self.open(path) as stream:
            data = _read(stream, path, limit + 1)
        if len(data) > limit:
            raise Unreadable(f"{path} is larger than {limit} bytes")
        return data

    def text(self, path: str, limit: int = MAX_READ) -> str:
        """Return a file's text; bytes that are no UTF-8 become U+FFFD."""
        return self.read(path, limit).decode("utf-8-sig", "replace")

    def mentions(self, path: str, words: re.Pattern[bytes]) -> bool:
        """Tell whether words stand in a file, in UTF-8 or UTF-16.

        However large it is.

        Raises:
            Unreadable: The file cannot be read.
        """
        before = b""
        with self.open(path) as stream:
            while piece := _read(stream, path, PIECE):
                here = before + piece.replace(b"\0", b"")
                if words.search(here):
                    return True
                before = here[-OVERLAP:]
        return False

    def status(self, path: str) -> os.stat_result:
        """Return what the file system says of the file or link itself.

        Raises:
            Unreadable: There is nothing there, or it lies behind a link.
        """
        folder = path.rpartition("/")[0]
        try:
            if not self._plain(folder):
                raise Unreadable(f"{path} lies behind a link")
            return os.lstat(f"{self.root}/{path}")
        except (OSError, ValueError):
            raise Unreadable(f"{path} cannot be looked at") from None

    def ignored_keys(self) -> Iterator[str]:
        """Yield what git would not take and is named like a private key.

        So is all that lies in a folder of secrets.
        """
        known = frozenset(self.files)
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(set(folders) - SKIPPED)
            secret = Path(folder).name == "secrets"
            for name in sorted(names):
                if not secret and not _KEY.fullmatch(name):
                    continue
                path = Path(folder, name).relative_to(self.root).as_posix()
                if path not in known and self.exists(path):
                    yield path

    def _toml(self, path: str) -> Mapping[str, Any]:
        try:
            return tomllib.loads(self.text(path))
        except (Unreadable, ValueError, RecursionError):
            return {}

    def _regular(self, path: str) -> bool:
        try:
            return stat.S_ISREG(self.status(path).st_mode)
        except Unreadable:
            return False

    def _plain(self, folder: str) -> bool:
        """Tell whether a folder is reached through no link, once each."""
        known = self._folders.get(folder)
        if known is None:
            here = self.root / folder
            known = here.is_relative_to(self.root) and here.resolve() == here
            self._folders[folder] = known
        return known

    def _from_git(self) -> set[str] | None:
        """Ask git; None where this is no checkout, or is ignored by one."""
        git = find_tool("git")
        if git is None:
            return None
        options = ["-c", "core.fsmonitor=false"]  # it may name a program
        options += ["-c", "core.untrackedCache=false"]
        listing = ["ls-files", "-z", "-co", "--exclude-standard"]
        try:
            run = run_tool([git, *options, *listing], cwd=self.root)
            names = run.expect(0).stdout.split(b"\0")
        except ToolError:
            return None
        paths = {os.fsdecode(name).rstrip("/") for name in names if name}
        return paths or None

    def _code(self) -> set[str]:
        """List the packages' modules, which load though git ignores them."""
        found = {
            path
            for package in self.packages
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
            if not all_ and self._regular(f"{base}.gitignore"):
                patterns = patterns + self._ignores(folder)
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
            with os.scandir(self.root / folder) as entries:
                for entry in entries:
                    yield entry.name, entry.is_dir(follow_symlinks=False)
        except OSError:
            self._unseen.append(folder)

    def _ignores(self, folder: str) -> list[ignore.Pattern]:
        try:
            name = f"{folder}/.gitignore" if folder else ".gitignore"
            return ignore.parse(self.text(name, 2**20), folder)
        except Unreadable:
            return []

    def _is_venv(self, folder: str) -> bool:
        return self._regular(f"{folder}/pyvenv.cfg")

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
        try:
            return _named(self.status(path).st_mode)
        except Unreadable:
            pass
        try:
            (self.root / path).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return "gone"
        except (OSError, ValueError):
            pass
        return "unknown"

    def _disguises(self, link: str) -> bool:
        """Tell whether it gives a file in here a name of another kind."""
        try:
            target = (self.root / link).resolve()
        except (OSError, RuntimeError):  # it leads to itself
            return False
        if not target.is_relative_to(self.root) or not target.is_file():
            return False
        kinds = _TELLING.findall(Path(link).name.lower())
        return kinds > [] and kinds != _TELLING.findall(target.name.lower())


def _read(stream: BinaryIO, path: str, size: int) -> bytes:
    try:
        return stream.read(size)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None


def _named(mode: int) -> str:
    """Name what a mode says the thing is."""
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISLNK(mode):
        return "link"
    return "folder" if stat.S_ISDIR(mode) else "special"
