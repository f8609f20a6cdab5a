"""Files, confined to one directory tree."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from ..errors import Refusal, SettingsError
from . import writing
from .directories import Below, Choice, Opener, choose, walk
from .files import check_kind, open_file
from .listing import Listing, list_entries
from .paths import Names, parse, show
from .reading import Chunk, read_chunk
from .refusals import refusing
from .searching import Search, SearchResult

__all__ = ["Workspace"]

_FARTHEST = 1 << 62  # bytes; more than any file has, and fit for the system


class Workspace:
    """One directory tree, and no way out of it (CWE-22, CWE-59, CWE-367).

    Every access starts at one descriptor of the root and goes by descriptors
    from there, so that nothing others do to the tree meanwhile can lead it
    astray. All methods may be called from any thread. Each raises
    ``PathDenied`` for what is not allowed anywhere and ``Refusal`` for what
    does not work here and now: one sentence, with the relative path alone.
    """

    def __init__(
        self, root: int, opener: Opener, *, max_file_size: int
    ) -> None:
        self._root = root
        self._opener = opener
        self._max_file_size = max_file_size
        self._unnamed = False

    @classmethod
    def open(
        cls, root: Path, *, max_file_size: int, resolver: Choice = "auto"
    ) -> Self:
        """Open the workspace and remove what a killed write left in it.

        Args:
            root: The directory.
            max_file_size: Bytes that one write or one read may have.
            resolver: How a path is followed; ``auto`` takes ``openat2`` where
                the kernel lets it.

        Raises:
            SettingsError: The workspace cannot be confined or opened.
        """
        if os.open not in os.supports_dir_fd or not hasattr(os, "O_NOFOLLOW"):
            raise SettingsError(
                "files cannot be confined on this system; run the server in"
                " its container, on Linux, on macOS or in WSL 2"
            )
        try:
            descriptor = os.open(root, os.O_DIRECTORY)
        except OSError as error:
            raise SettingsError(
                f"the workspace cannot be opened ({error.strerror}); set"
                " WORKSPACE_PATH to a directory that the server may read"
            ) from None
        try:
            opener = choose(descriptor, resolver)
            workspace = cls(descriptor, opener, max_file_size=max_file_size)
            workspace._prepare()
        except BaseException:
            os.close(descriptor)
            raise
        return workspace

    def _prepare(self) -> None:
        self._unnamed = writing.can_be_unnamed(self._root)
        writing.clean(self._below((), recursive=True))

    @property
    def writable(self) -> bool:
        """Whether the server's user may make files in the root directory.

        A mounted workspace often belongs to somebody else.
        """
        effective = os.access in os.supports_effective_ids
        return os.access(
            ".",
            os.W_OK | os.X_OK,
            dir_fd=self._root,
            effective_ids=effective,
        )

    def close(self) -> None:
        """Close the root; every later call is refused."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def list(
        self,
        path: str = ".",
        *,
        recursive: bool = False,
        max_entries: int = 5_000,
        max_size: int = 1 << 20,
    ) -> Listing:
        """Return the names in a directory, or all below it.

        ``max_size`` is that of the listing as JSON, in characters.
        """
        names = parse(path)
        with refusing(names):
            tree = self._below(names, recursive=recursive)
            return list_entries(tree, max_entries, max_size)

    def read(
        self, path: str, *, offset: int = 0, limit: int | None = None
    ) -> Chunk:
        """Return a part of a file, never more than the largest size."""
        if offset < 0 or (limit is not None and limit < 1):
            raise Refusal(
                "An offset is 0 or more, a limit 1 or more.", reason="range"
            )
        count = min(limit or self._max_file_size, self._max_file_size)
        with self._file(parse(path)) as descriptor:
            return read_chunk(descriptor, min(offset, _FARTHEST), count)

    def search(
        self,
        pattern: str,
        path: str = ".",
        *,
        max_results: int = 200,
        max_size: int = 1 << 20,
        max_bytes: int = 1 << 30,
        max_seconds: float = 10.0,
    ) -> SearchResult:
        """Return the lines that hold a text, in a file or below a directory.

        The text is taken as it is, letter by letter: no pattern language, so
        that the time depends on the size of the files alone. ``max_size`` is
        that of the result as JSON, in characters.
        """
        search = Search(
            pattern,
            max_results=max_results,
            max_size=max_size,
            max_bytes=max_bytes,
            max_seconds=max_seconds,
        )
        names = parse(path)
        if stat.S_ISDIR(self._find(names).st_mode):
            with refusing(names):
                return search.tree(self._below(names, recursive=True))
        with self._file(names) as descriptor:
            return search.file(descriptor, names)

    def write(
        self,
        path: str,
        content: bytes,
        *,
        create_dirs: bool = False,
        overwrite: bool = False,
    ) -> int:
        """Put a file in place, whole and durably; return its size in bytes."""
        names = parse(path)
        if len(content) > self._max_file_size:
            raise Refusal(
                f"'{show(names)}' would have {len(content)} bytes; at most"
                f" {self._max_file_size} are allowed.",
                reason="too_large",
            )
        with (
            self._parent(names, create=create_dirs) as parent,
            refusing(names),
        ):
            writing.put(
                parent,
                names[-1],
                content,
                overwrite=overwrite,
                unnamed=self._unnamed,
            )
        return len(content)

    def remove(self, path: str) -> None:
        """Remove a file."""
        names = parse(path)
        with self._parent(names) as parent, refusing(names):
            writing.remove(parent, names[-1])

    def exists(self, path: str) -> bool:
        """Tell whether a path leads to a file or a directory."""
        names = parse(path)
        try:
            self._find(names)
        except Refusal as refusal:
            if refusal.reason == "not_found":
                return False
            raise
        return True

    @contextmanager
    def directory(self, path: str = ".") -> Iterator[int]:
        """Lend a descriptor of a directory; it is closed at the end."""
        with self._open(parse(path)) as descriptor:
            yield descriptor

    @contextmanager
    def _open(self, names: Names, *, create: bool = False) -> Iterator[int]:
        with refusing(names):
            descriptor = (
                walk(self._root, names, create=True)
                if create
                else self._opener(self._root, names)
            )
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _parent(self, names: Names, *, create: bool = False) -> Iterator[int]:
        if not names:
            raise Refusal("'.' is a directory.", reason="directory")
        with self._open(names[:-1], create=create) as descriptor:
            yield descriptor

    @contextmanager
    def _file(self, names: Names) -> Iterator[int]:
        with self._parent(names) as parent, refusing(names):
            descriptor = open_file(parent, names[-1])
            try:
                yield descriptor
            finally:
                os.close(descriptor)

    def _find(self, names: Names) -> os.stat_result:
        """Return what a path leads to, unless it is a link."""
        if not names:
            with refusing(names):
                return os.fstat(self._root)
        with self._parent(names) as parent, refusing(names):
            found = os.stat(names[-1], dir_fd=parent, follow_symlinks=False)
            return found if stat.S_ISDIR(found.st_mode) else check_kind(found)

    def _below(self, names: Names, *, recursive: bool) -> Below:
        return Below(self._opener, self._root, names, recursive=recursive)
