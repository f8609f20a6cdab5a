"""The processes that a process started, wherever they went from there."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Set
from typing import Final

from . import kernel

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
#: Seconds between two looks at processes that are being ended.
_LOOK: Final = 0.002
_SIGNALS: Final = 4096
_TOTAL, _NEWEST = 3, 4  # in /proc/loadavg
_PARENT, _THREADS = 1, 17  # in /proc/PID/stat, after the name
#: Lines of /proc/PID/status: what a process has alone, and what it shares.
_HELD: Final = (b"RssAnon:", b"RssShmem:")
_LISTS_CHILDREN: Final = os.access("/proc/thread-self/children", os.R_OK)


def adopt() -> int:
    """Become the parent of all orphans below this process.

    Returns:
        A descriptor that can be read whenever a child has ended.
    """
    if sys.platform == "linux":
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    children, wake = os.pipe()
    os.set_blocking(children, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return children


def settle(children: int) -> None:
    """Take note that children have ended, until the next one does."""
    with contextlib.suppress(BlockingIOError):
        os.read(children, _SIGNALS)


def below(root: int) -> dict[int, int]:
    """Return the descendants of a process, and how many tasks each is.

    It costs what there is below, whatever else the machine runs. What starts
    or ends meanwhile can be missed, unless it is stopped.
    """
    return dict(_listed(root) if _LISTS_CHILDREN else _by_parents(root))


def is_below(pid: int, root: int) -> bool:
    """Return whether a process descends from another, and is not that one."""
    while fields := _fields(pid):
        pid = int(fields[_PARENT])
        if pid == root:
            return True
    return False


def _listed(root: int) -> Iterator[tuple[int, int]]:
    queue = [root]
    while queue:
        pid = queue.pop()
        threads = _names(f"/proc/{pid}/task")
        if pid != root:
            yield pid, max(len(threads), 1)
        for thread in threads:
            children = _read(f"/proc/{pid}/task/{thread}/children")
            queue.extend(map(int, children.split()))


def _by_parents(root: int) -> Iterator[tuple[int, int]]:
    """Read every process there is: not every kernel lists children."""
    children: dict[int, list[tuple[int, int]]] = {}
    for name in filter(str.isdecimal, _names("/proc")):
        if fields := _fields(int(name)):
            family = children.setdefault(int(fields[_PARENT]), [])
            family.append((int(name), int(fields[_THREADS])))
    queue = [root]
    while queue:
        for pid, threads in children.get(queue.pop(), ()):
            yield pid, max(threads, 1)
            queue.append(pid)


def pulse() -> tuple[int, int]:
    """Return how many tasks the machine has, and the newest one's number."""
    fields = _read("/proc/loadavg").split()
    if len(fields) < _NEWEST + 1:
        return 0, 0
    return int(fields[_TOTAL].partition(b"/")[2]), int(fields[_NEWEST])


def memory(pids: Collection[int], enough: int) -> int:
    """Return the bytes of memory that the processes hold, files apart.

    What they share with each other counts for each of them.

    Args:
        pids: The processes.
        enough: Up to here files may be counted as well, which is quicker.
    """
    resident = sum(map(_resident, pids))
    return resident if resident <= enough else sum(map(_held, pids))


def _resident(pid: int) -> int:
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * _PAGE if fields else 0


def _held(pid: int) -> int:
    """Return the bytes of a process that belong to no file."""
    lines = _read(f"/proc/{pid}/status").splitlines()
    held = (line.split() for line in lines if line.startswith(_HELD))
    return sum(int(kibibytes) for _, kibibytes, _ in held) * 1024


def signal_all(number: int, *, sealed: bool, group: int) -> None:
    """Signal all that this process started, at once where that can be done.

    Args:
        number: The signal.
        sealed: Whether this process can signal nothing but what it started:
            then one signal reaches all, and no fork can slip through.
        group: The process group that is signalled where it is not sealed.
    """
    if sealed:
        _send(os.kill, -1, number)
    else:
        _send(os.killpg, group, number)


def end(*, sealed: bool = False, group: int | None = None) -> dict[int, int]:
    """Kill all that this process started, and wait until nothing is left.

    This process is their subreaper: whoever loses its parent becomes its
    child, so that "no child" means "nothing below".

    Args:
        sealed: As for ``signal_all``; else they are read from ``/proc`` and
            killed one by one, until there are no more.
        group: The process group that is all to be found without ``/proc``.

    Returns:
        The wait status of each child that ended.
    """
    ended: dict[int, int] = {}
    if group is not None and sys.platform != "linux":
        _send(os.killpg, group, signal.SIGKILL)
    while reap(ended):
        for pid in (-1,) if sealed else below(os.getpid()):
            _send(os.kill, pid, signal.SIGKILL)
        time.sleep(_LOOK)
    return ended


def end_strays(keep: Set[int]) -> None:
    """Kill what others left to this process.

    Args:
        keep: Children to leave alone, with all that they started.
    """
    while strays := _strays(keep):
        for pid in strays:
            _send(os.kill, pid, signal.SIGKILL)
        time.sleep(_LOOK)
        reap({})


def reap(ended: dict[int, int]) -> bool:
    """Collect the children that ended; return whether any child is left."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if not pid:
            return True
        ended[pid] = status


def _strays(keep: Set[int]) -> set[int]:
    kept = {pid for child in keep for pid in (child, *below(child))}
    return below(os.getpid()).keys() - kept


def _fields(pid: int) -> list[bytes]:
    """Return what the kernel says of a process; nothing if it has gone."""
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()


def _names(path: str) -> list[str]:
    """Return what is in a directory; on macOS there is no ``/proc``."""
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries]
    except OSError:
        return []


def _send(how: Callable[[int, int], None], whom: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        how(whom, number)


def _read(path: str) -> bytes:
    """Return a file of a process, nothing when it has gone meanwhile."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 # quicker
            return file.read()
    except OSError:
        return b""
