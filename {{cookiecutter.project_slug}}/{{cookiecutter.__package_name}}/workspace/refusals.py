"""What the kernel said, as one sentence without anything absolute."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import PathDenied, Refusal
from .paths import Names, show

_DENIED = {
    errno.ELOOP: ("symlink", "leads through a symbolic link"),
    errno.EXDEV: ("outside", "leads out of the workspace"),
    errno.EMLINK: ("hard_link", "has a second name (a hard link)"),
    errno.ENXIO: ("special_file", "is not a regular file"),
    errno.ENAMETOOLONG: ("too_long", "is too long"),
}
_REFUSED = {
    errno.ENOENT: ("not_found", "does not exist"),
    errno.EEXIST: ("exists", "exists; set overwrite to replace it"),
    errno.EISDIR: ("directory", "is a directory"),
    errno.ENOTDIR: ("not_a_directory", "is not a directory"),
    errno.EACCES: ("permission", "may not be accessed by the server"),
    errno.EROFS: ("read_only", "is on a read-only file system"),
    errno.ENOSPC: ("disk_full", "does not fit on the disk; nothing changed"),
    errno.EAGAIN: ("changed", "changed meanwhile; try again"),
    errno.EBUSY: ("busy", "is in use now; try again later"),
}
_SAME = {
    errno.EPERM: errno.EACCES,
    errno.EDQUOT: errno.ENOSPC,
    errno.EFBIG: errno.ENOSPC,
    errno.ENODEV: errno.ENXIO,
    errno.EOPNOTSUPP: errno.ENXIO,
    errno.ESTALE: errno.EAGAIN,
    errno.ETXTBSY: errno.EBUSY,
    errno.EMFILE: errno.EBUSY,
    errno.ENFILE: errno.EBUSY,
}
_SHOWN = 200  # characters; the end of a path says most


@contextmanager
def refusing(names: Names) -> Iterator[None]:
    """Turn what the system refuses into a ``Refusal`` that names ``names``."""
    try:
        yield
    except OSError as error:
        raise _refusal(error.errno or 0, names) from None


def _refusal(code: int, names: Names) -> Refusal:
    code = _SAME.get(code, code)
    kind = PathDenied if code in _DENIED else Refusal
    failed = ("io_error", "could not be accessed")
    reason, text = _DENIED.get(code) or _REFUSED.get(code) or failed
    return kind(f"'{show(names)[-_SHOWN:]}' {text}.", reason=reason)
