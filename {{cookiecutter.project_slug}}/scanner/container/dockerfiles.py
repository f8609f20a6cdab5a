"""Which files are Dockerfiles: by their names, or by what builds them."""

import contextlib
import posixpath
import re
from collections.abc import Iterator

from ..documents import MAX_BYTES
from ..project import Project, Unreadable

_NAME = re.compile(
    r"(?is)(.*/)?(?:(?:docker|container)file(?:\d+|[._-].+)?"
    r"|[^/]+\.(?:docker|container)file)"
)
_OTHER = re.compile(r"(?is).+\.(?:dockerignore|html|j2|md|py|rst|txt)")
# How compose files and workflows name the file of a build.
_BUILT = re.compile(
    r"""(?m)(?:^|[\s{,])["']?(?:docker)?file["']?:\s*["']?([^\s"',}]+)"""
)
_FROM = re.compile(rb"(?im)^[ \t]*FROM[ \t]+\S")


def dockerfiles(project: Project) -> Iterator[str]:
    """Yield what an image is built from, whatever it is called.

    A file of another name is one where compose or a workflow names it for a
    build, and it has a stage.
    """
    built = _built(project)
    for path in project.files:
        named = _NAME.fullmatch(path) and not _OTHER.fullmatch(path)
        known = posixpath.basename(path) in built
        if named or (known and _holds_stage(project, path)):
            yield path


def _built(project: Project) -> set[str]:
    found: set[str] = set()
    for path in project.named(r"(?is).+\.ya?ml"):
        with contextlib.suppress(Unreadable):  # said by who judges it
            text = project.text(path, MAX_BYTES)
            found.update(map(posixpath.basename, _BUILT.findall(text)))
    return found


def _holds_stage(project: Project, path: str) -> bool:
    try:
        return _FROM.search(project.read(path)) is not None
    except Unreadable:
        return False
