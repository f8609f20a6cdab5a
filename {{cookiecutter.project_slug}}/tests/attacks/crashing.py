"""Kills a process that writes, again and again, and looks what it left.

``python crashing.py WORKSPACE TIMES unnamed|named`` prints what it found as
JSON: ``torn`` files, temporary files ``left`` by the killed process, and
``stray`` ones that are still there after the next start.
"""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import NoReturn

from {{ cookiecutter.__package_name }}.workspace import Workspace, writing

SIZE = 300_000
LONGEST_LIFE = 0.02  # seconds


def main(root: Path, times: int, way: str) -> None:
    """Let a process write for a moment, as often as told."""
    if way == "named":
        writing.can_be_unnamed = lambda _: False
    found = Counter(torn=0, left=0, stray=0, written=0)
    for _ in range(times):
        kill_one_writer(root)
        found.update(inspect(root))
        Workspace.open(root, max_file_size=SIZE).close()
        found["stray"] += len(list(root.glob(".*")))
    print(json.dumps(found))  # noqa: T201 - a script's output


def kill_one_writer(root: Path) -> None:
    """End a writing process at a random moment."""
    ready, tell = os.pipe()
    child = os.fork()
    if not child:
        write_for_ever(root, tell)
    os.read(ready, 1)
    time.sleep(random.uniform(0, LONGEST_LIFE))  # noqa: S311 - no secret
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready)
    os.close(tell)


def write_for_ever(root: Path, tell: int) -> NoReturn:
    """Create one file after another and replace one again and again."""
    files = Workspace.open(root, max_file_size=SIZE)
    os.write(tell, b"!")
    for number in count():
        content = bytes([ord("a") + number % 26]) * SIZE
        files.write("replaced", content, overwrite=True)
        files.write(f"created-{os.getpid()}-{number}", content)
    raise AssertionError


def inspect(root: Path) -> Counter[str]:
    """Count torn files and temporary ones; remove those that were created."""
    found: Counter[str] = Counter()
    for path in root.iterdir():
        if path.name.startswith("."):
            found["left"] += 1
            continue
        content = path.read_bytes()
        found["written"] += 1
        found["torn"] += content != content[:1] * SIZE
        if path.name != "replaced":
            path.unlink()
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
