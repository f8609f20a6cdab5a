"""Whether a file holds certain words at all, however large it is."""

import re

from .project import Project, Unreadable

_PIECE = 2**20  # bytes that are searched at a time
_OVERLAP = 256  # longer than what is looked for


def mentions(project: Project, path: str, words: re.Pattern[bytes]) -> bool:
    """Tell whether a pattern is found in a file, in UTF-8 or UTF-16.

    Raises:
        Unreadable: The file cannot be read.
    """
    before = b""
    try:
        with project.open(path) as stream:
            while piece := stream.read(_PIECE):
                here = before + piece.replace(b"\0", b"")
                if words.search(here):
                    return True
                before = here[-_OVERLAP:]
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    return False
