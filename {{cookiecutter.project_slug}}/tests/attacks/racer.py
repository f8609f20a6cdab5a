"""The other process in a race: swaps what lies in the workspace, for ever.

``python racer.py ARENA`` runs until it is killed.
"""

import ctypes
import os
import sys
from pathlib import Path

LIBRARY = ctypes.CDLL(None, use_errno=True)
HERE = -100  # AT_FDCWD
SWAP = 2  # RENAME_EXCHANGE, RENAME_SWAP


def main(arena: Path) -> None:
    """Turn a directory and a file into ways out of the workspace and back."""
    os.chdir(arena)
    Path("exit").symlink_to(arena / "outside")
    while True:
        swap("workspace/directory", "exit")
        toggle_link("workspace/toggled")
        swap("workspace/directory", "exit")
        turn_file("workspace/file")
        toggle_link("workspace/toggled")


def swap(first: str, second: str) -> None:
    """Let two names change places in one step: neither is ever missing."""
    names = os.fsencode(first), os.fsencode(second)
    if sys.platform == "darwin":
        failed = LIBRARY.renamex_np(*names, SWAP)
    else:
        failed = LIBRARY.renameat2(HERE, names[0], HERE, names[1], SWAP)
    if failed:
        raise OSError(ctypes.get_errno(), "swapping failed")


def turn_file(name: str) -> None:
    """Make a file a symbolic link, a hard link and honest again."""
    Path("staged").symlink_to(Path("outside/secret").absolute())
    Path("staged").rename(name)
    os.link("outside/secret", "staged")
    Path("staged").rename(name)
    Path("staged").write_text("honest content\n", "utf-8")
    Path("staged").rename(name)


def toggle_link(name: str) -> None:
    """Give the secret a second name for a moment.

    It goes while someone may hold the file open: then its link count is one.
    """
    os.link("outside/secret", name)
    Path(name).unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
