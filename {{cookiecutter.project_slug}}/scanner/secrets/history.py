"""What earlier commits added, as one text for each file of each commit."""

import contextlib
import os
import re
import signal
import subprocess  # nosec B404 # an argument list, never a shell
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..tools import ToolError, find_tool

MAX_BYTES = 2**30  # of `git log -p`; the history of a large project
MAX_LINE = 2**20  # bytes; what is longer is cut there
MAX_TEXT = 2**22  # bytes that one commit adds to one file, at a time
_OPTIONS = (
    *("--no-pager", "-c", "core.quotePath=off", "-c", "core.fsmonitor=false"),
    *("-c", "log.showSignature=false", "-c", "protocol.allow=never"),
    *("log", "--all", "--cc", "--no-color", "--no-ext-diff", "--no-textconv"),
    *("--no-renames", "--unified=0", "--src-prefix=a/", "--dst-prefix=b/"),
    "--format=commit %H",
)
_HUNK = re.compile(rb"(@{2,})[ ]-")


@dataclass(frozen=True, slots=True)
class Addition:
    """The lines that one commit added to one file."""

    commit: str
    path: str
    text: bytes


class Truncated(Exception):
    """The history is too long to be read to its end."""


def additions(root: Path, timeout: float) -> Iterator[Addition]:
    """Yield what each commit of each branch added, the newest first.

    No hook, filter, pager or signature check of the repository runs, and
    nothing is fetched (CWE-78).

    Raises:
        ToolError: There is no git, or it fails: no checkout, say.
        Truncated: It took too long, or there was too much.
    """
    git = find_tool("git")
    if git is None:
        raise ToolError("git is not installed; the history was not read")
    process = subprocess.Popen(  # nosec B603 # no shell
        [git, *_OPTIONS],
        cwd=root,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=os.name != "nt",
    )
    end = time.monotonic() + timeout
    timer = threading.Timer(timeout, _kill, [process])
    timer.start()
    try:
        yield from _parse(_lines(process))
        if process.wait() != 0 and time.monotonic() >= end:
            raise Truncated(f"the history took longer than {timeout:g} s")
        if process.returncode != 0:
            raise ToolError(
                "git log failed; the history was not read: commit first, or"
                " leave out --history"
            )
    finally:
        timer.cancel()
        _kill(process)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _lines(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield git's lines; of one that is too long, its pieces."""
    stream = process.stdout
    left = MAX_BYTES
    while stream is not None and (line := stream.readline(MAX_LINE)):
        left -= len(line)
        if left < 0:
            raise Truncated(f"the history is longer than {MAX_BYTES} bytes")
        yield line


def _parse(lines: Iterator[bytes]) -> Iterator[Addition]:
    """Take what was added out of the patches."""
    commit = path = ""
    signs = 0  # columns of "+" and "-": one for each parent; 0 in a head
    text = bytearray()
    adding = whole = False
    for line in lines:
        if whole or not signs:
            adding = signs > 0 and _is_added(line[:signs])
            line = line[signs:] if adding else line
        if adding:
            text += line
        if text and (not adding or len(text) > MAX_TEXT):
            yield Addition(commit, path, bytes(text))
            text.clear()
        if whole and not adding and line[:1] not in b" -+\\":
            hunk = _HUNK.match(line)
            signs = len(hunk[1]) - 1 if hunk else 0
            if line.startswith(b"commit "):
                commit = line[7:].strip().decode("ascii", "replace")
        if not signs and line.startswith(b"+++ "):
            path = os.fsdecode(line[4:].strip().strip(b'"')[2:])
        whole = line.endswith(b"\n")
    if text:
        yield Addition(commit, path, bytes(text))


def _is_added(signs: bytes) -> bool:
    return b"+" in signs and not signs.strip(b"+ ")


def _environment() -> dict[str, str]:
    """Return ours without what would point git elsewhere."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    return {**kept, "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
