"""Finds out whether answers tell which files lie outside.

A tool that only says whether a file is there, or how large it is, opens
nothing that Python would tell of, and no word comes back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..surface.components import Component
from .lab import Lab, clear
from .shots import Shot, placed

NAME: Final = "there.txt"
#: When the file is there while a request is sent again and again.
AGAIN: Final = (True, True, False, False) * 2

Ask = Callable[[Shot], str]


def telling(component: Component, lab: Lab, ask: Ask) -> Iterator[str]:
    """Yield the requests whose answers follow a file outside.

    The very same request is sent while the file is there and while it is not:
    what depends on the request alone does not change, and what depends on the
    time, or on chance, does not follow the file to and fro.
    """
    file = lab.root / "outside" / NAME
    ways = (
        ("parent", f"../outside/{NAME}"),
        ("absolute", f"{lab.door}/outside/{NAME}"),
        ("link to a folder", f"folder/{NAME}"),
    )
    shots = list(placed(component, lab, ways))
    with _there(file):
        first = [ask(shot) for shot in shots]
    then = [ask(shot) for shot in shots]
    for shot, one, other in zip(shots, first, then, strict=True):
        said = {True: one, False: other}
        if one != other and _follows(file, shot, said, ask):
            yield shot.label


def _follows(file: Path, shot: Shot, said: dict[bool, str], ask: Ask) -> bool:
    for is_there in AGAIN:
        if is_there:
            with _there(file):
                answer = ask(shot)
        else:
            answer = ask(shot)
        if answer != said[is_there]:
            return False
    return True


@contextmanager
def _there(file: Path) -> Iterator[None]:
    # An attack may have taken the folder away, or made one of the file.
    file.parent.mkdir(exist_ok=True)
    clear(file)
    file.write_text("outside\n")
    try:
        yield
    finally:
        clear(file)
