"""The project under the scanner: which files there are, read with care."""

import os
import re
import stat
import threading
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from .listing import SKIPPED, Lister, Listing

MAX_READ = 8 * 2**20  # bytes that one call reads into memory
PIECE = 2**20  # bytes that are searched at a time
OVERLAP = 256  # of two pieces: longer than what is looked for
_KEY = re.compile(r"id_(?:rsa|dsa|ecdsa|ed25519)|.+\.(?:pem|key|ppk)")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


class Unreadable(Exception):
    """A file that could not be looked at; say so in the coverage."""


class Project:
    """A folder of files that are not trusted, not even in their names.

    Paths are relative to it, with ``/``; bytes in names that are no UTF-8
    are kept as Python's surrogate escapes. No link is ever followed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._folders: dict[str, bool] = {}
        self._listing: Listing | None = None
        self._lock = threading.Lock()

    @property
    def listing(self) -> Listing:
        """Everything that git would take; caches and .venv are left out."""
        with self._lock:  # the checks run side by side: list once
            if self._listing is None:
                lister = Lister(self.root, self._mode, self._gitignore)
                self._listing = lister.listing(self.packages)
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
        return stat.S_ISREG(self._mode(path))

    def open(self, path: str) -> BinaryIO:
        """Open a regular file of the project without following a link.

        Raises:
            Unreadable: It is no such file, or may not be read.
        """
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        if not self.exists(path):
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

    def _gitignore(self, folder: str) -> str:
        try:
            return self.text(f"{folder}/.gitignore".lstrip("/"), 2**20)
        except Unreadable:
            return ""

    def _mode(self, path: str) -> int:
        """Return the mode of what lies there; 0 if nothing can be seen."""
        try:
            return self.status(path).st_mode
        except Unreadable:
            return 0

    def _plain(self, folder: str) -> bool:
        """Tell whether a folder is reached through no link, once each."""
        known = self._folders.get(folder)
        if known is None:
            here = self.root / folder
            known = here.is_relative_to(self.root) and here.resolve() == here
            self._folders[folder] = known
        return known


def _read(stream: BinaryIO, path: str, size: int) -> bytes:
    try:
        return stream.read(size)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
