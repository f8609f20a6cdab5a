"""What the kernel said, as one sentence without anything absolute."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import PathDenied, Refusal
from .paths import Names, show

_REASONS: dict[int, tuple[type[Refusal], str, str]] = {
    errno.ELOOP: (PathDenied, "symlink", "leads through a symbolic link"),
    errno.EXDEV: (PathDenied, "outside", "leads out of the workspace"),
    errno.EMLINK: (PathDenied, "hard_link", "has a second name (hard link)"),
    errno.ENXIO: (PathDenied, "special_file", "is not a regular file"),
    errno.ENAMETOOLONG: (PathDenied, "too_long", "is too long"),
    errno.ENOENT: (Refusal, "not_found", "does not exist"),
    errno.EEXIST: (
        Refusal,
        "exists",
        "exists already; set overwrite to replace it",
    ),
    errno.EISDIR: (Refusal, "directory", "is a directory"),
    errno.ENOTDIR: (Refusal, "not_a_directory", "is not a directory"),
    errno.EACCES: (Refusal, "permission", "may not be accessed"),
    errno.EROFS: (Refusal, "read_only", "is on a read-only file system"),
    errno.ENOSPC: (
        Refusal,
        "disk_full",
        "finds no room left; nothing was changed",
    ),
    errno.EAGAIN: (Refusal, "changed", "changed meanwhile; try again"),
    errno.EMFILE: (Refusal, "busy", "cannot be opened now; try again"),
}
_ALIASES = {
    errno.EPERM: errno.EACCES,
    errno.EDQUOT: errno.ENOSPC,
    errno.EFBIG: errno.ENOSPC,
    errno.ENODEV: errno.ENXIO,
    errno.EOPNOTSUPP: errno.ENXIO,
    errno.EBUSY: errno.EAGAIN,
    errno.ESTALE: errno.EAGAIN,
    errno.ETXTBSY: errno.EAGAIN,
    errno.ENFILE: errno.EMFILE,
    errno.ENOMEM: errno.EMFILE,
}
_SHOWN_CHARACTERS = 200


@contextmanager
def refusing(names: Names) -> Iterator[None]:
    """Turn what the system refuses into a ``Refusal`` that names ``names``."""
    try:
        yield
    except OSError as error:
        raise _refusal(error.errno or 0, names) from None


def _refusal(code: int, names: Names) -> Refusal:
    kind, reason, text = _REASONS.get(
        _ALIASES.get(code, code),
        (Refusal, "io_error", "could not be accessed"),
    )
    path = show(names)
    if len(path) > _SHOWN_CHARACTERS:
        path = f"…{path[-_SHOWN_CHARACTERS:]}"
    return kind(f"'{path}' {text}.", reason=reason)
