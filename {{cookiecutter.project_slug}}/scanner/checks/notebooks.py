"""The Python in a notebook, each line where it stands in the file."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

# Before a line of IPython's own: a shell's command, a magic, a question.
_MAGIC = re.compile(r"(\s*)(?:[!%?].*|[\w.]+\?{1,2}\s*$)")
_ASSIGNED = re.compile(r"([\w.,\s]+=\s*)[!%].*")
# Of these the rest of the cell is Python all the same; of others it is not.
_PYTHON_CELLS = frozenset(
    {"%%capture", "%%debug", "%%prun", "%%python", "%%python3", "%%time"}
    | {"%%timeit"}
)


class _Placed(str):
    """A text of a JSON file, and the line in which it stands."""

    __slots__ = ("line",)
    line: int


def python_of(data: bytes) -> bytes:
    """Return the code cells, on the lines that they have in the file.

    What IPython adds to Python, such as ``!ls`` and ``%pip``, is left out,
    and so are the cells of other languages.

    Raises:
        ValueError: It is no notebook, or several lines of its code stand on
            one line of the file, where no finding could say which.
    """
    text = data.decode("utf-8-sig")
    try:
        notebook = _load(text)
        if not _is_python(notebook):
            return b""
        cells = [*_cells(notebook)]
    except (LookupError, TypeError, AttributeError, RecursionError):
        raise ValueError("no notebook of a known form") from None
    lines = [""] * (text.count("\n") + 1)
    for cell in cells:
        for line, code in cell:
            if lines[line]:
                raise ValueError("a cell on one line: save it with Jupyter")
            lines[line] = code
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _load(text: str) -> Any:
    """Parse JSON, and keep in mind where each text begins."""
    decoder: Any = json.JSONDecoder()
    scan = decoder.parse_string
    at = [0, 0]  # up to where lines have been counted, and how many

    def placed(text: str, begin: int, strict: bool = True) -> tuple[str, int]:
        value, end = scan(text, begin, strict)
        found = _Placed(value)
        at[1] += text.count("\n", at[0], begin)
        at[0], found.line = begin, at[1]
        return found, end

    decoder.parse_string = placed
    scanner: Any = import_module("json.scanner")  # its own, in Python
    decoder.scan_once = scanner.py_make_scanner(decoder)
    return decoder.decode(text)


def _is_python(notebook: Any) -> bool:
    """Tell by its kernel; without one it is taken for Python."""
    about = notebook.get("metadata", {})
    spec, info = about.get("kernelspec", {}), about.get("language_info", {})
    named = str(spec.get("language") or info.get("name") or "python")
    return named.lower().startswith(("ipython", "python"))


def _cells(notebook: Any) -> Iterator[list[tuple[int, str]]]:
    """Yield the lines of each code cell, and where they stand."""
    cells = notebook.get("cells")
    if cells is None:  # before format 4
        cells = [c for sheet in notebook["worksheets"] for c in sheet["cells"]]
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        source = cell["source"] if "source" in cell else cell["input"]
        parts: list[Any] = [source] if isinstance(source, str) else source
        yield [*_python(parts)]


def _python(parts: list[_Placed]) -> Iterator[tuple[int, str]]:
    """Yield a cell's lines, with what is not Python made nothing of."""
    first = next((part.strip() for part in parts if part.strip()), "")
    magic = first.split(maxsplit=1)[0] if first.startswith("%%") else ""
    if magic and magic not in _PYTHON_CELLS:
        return
    for part in parts:
        for number, line in enumerate(part.splitlines() or [""]):
            if number and line.strip():
                raise ValueError("a cell on one line: save it with Jupyter")
            if number == 0:
                yield part.line, _plain(line)


def _plain(line: str) -> str:
    if found := _MAGIC.fullmatch(line):
        return f"{found[1]}pass"
    if found := _ASSIGNED.fullmatch(line):
        return f"{found[1]}None"
    return line
