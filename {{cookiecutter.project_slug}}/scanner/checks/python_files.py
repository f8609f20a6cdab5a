"""Which files hold Python: modules, scripts without a suffix, notebooks."""

import re

from ..project import Project, Unreadable
from .notebooks import python_of
from .source import MAX_SIZE

MODULES = (".py", ".pyw")
NOTEBOOK = ".ipynb"
_SCRIPT = re.compile(rb"#![^\n]*\b(?:python|pypy|uv\s+run\b)[^\n]*")
_LOOK = 200  # bytes of a file's beginning


def python_files(project: Project) -> list[str]:
    """Return what Python, or Jupyter, would run."""
    return [
        path
        for path in project.files
        if path.endswith((*MODULES, NOTEBOOK)) or _is_script(project, path)
    ]


def read_python(project: Project, path: str) -> bytes:
    """Return the Python in a file, each line where it stands.

    Raises:
        Unreadable: As ``Project.read``; or it is no notebook that we know.
    """
    if not path.endswith(NOTEBOOK):
        return project.read(path, MAX_SIZE)
    try:
        return python_of(project.read(path))
    except ValueError as error:
        raise Unreadable(f"{path} is not read ({error})") from None


def _is_script(project: Project, path: str) -> bool:
    try:
        with project.open(path) as stream:
            return _SCRIPT.match(stream.read(_LOOK)) is not None
    except (OSError, Unreadable):  # said by the check that reads every file
        return False
