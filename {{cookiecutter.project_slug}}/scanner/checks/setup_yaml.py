"""The server's variables as YAML gives them, in each way to write them."""

import re
from collections.abc import Iterator
from typing import Any

from ..documents import Items, Malformed, Table, load
from ..project import Unreadable
from ..tools import ToolError

_NAME = r"(?P<name>MCP_[A-Z0-9_]+|WORKSPACE_PATH)"
_GIVEN = re.compile(
    rf"\s*(?:-\s+)?[\"']?{_NAME}(?:[\"']?:\s|=)\s*(?P<value>.*?)[\"']?,?\s*"
)
_NAMED = re.compile(rf"\s*(?:-\s+)?name:\s*[\"']?{_NAME}[\"']?\s*")
_VALUE = re.compile(r"\s*value:\s*(?P<value>.*)")
_PAIR = re.compile(rf"{_NAME}=(?P<value>.*)", re.DOTALL)
UNKNOWN = "${?}"  # what only the run will tell
_Given = tuple[str, tuple[str, int]]


def variables(path: str, text: str) -> list[_Given]:
    """Return names, values and lines in their order.

    The lines tell what stands in a template, or in a file within the file;
    the parsed values tell what is written in a style that the lines are not.

    Raises:
        Unreadable: PyYAML is not installed.
    """
    try:
        parsed = list(_walked(load(text)))
    except Malformed:  # a template, or what the container check names
        parsed = []
    except ToolError as error:
        raise Unreadable(f"{path}: {error.reason}") from None
    every = [*_on_lines(text.splitlines()), *parsed]
    return sorted(every, key=lambda given: given[1][1])


def plain(value: str) -> str:
    """Take off the quotes, or the comment, as the readers of .env do."""
    value = value.strip()
    quoted = re.match(r"([\"'])(.*?)\1", value)
    return quoted[2] if quoted else re.split(r"\s+#", value)[0].strip("\"'")


def _on_lines(lines: list[str]) -> Iterator[_Given]:
    name = ""
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#"):
            continue
        value = _VALUE.fullmatch(line)
        if name and value:
            yield name, (plain(value["value"]), number)
        named, given = _NAMED.fullmatch(line), _GIVEN.fullmatch(line)
        name = named["name"] if named else ""
        if named:
            yield name, (UNKNOWN, number)  # until its value follows
        elif given:
            yield given["name"], (plain(given["value"]), number)


def _walked(contents: list[Any]) -> Iterator[_Given]:
    """Yield what mappings and lists set, however they are written."""
    waiting: list[tuple[Any, int]] = [(each, 1) for each in contents]
    while waiting:
        here, line = waiting.pop()
        if isinstance(here, Items):
            waiting += zip(here, here.lines, strict=True)
        elif isinstance(here, Table):
            waiting += [(here[key], here.at(key)) for key in here]
            yield from _in_table(here)
        elif isinstance(here, str) and (pair := _PAIR.fullmatch(here)):
            yield pair["name"], (pair["value"], line)


def _in_table(here: Table) -> Iterator[_Given]:
    for key, value in here.items():
        if re.fullmatch(_NAME, key) and _is_said(value):
            yield key, (_written(value), here.at(key))
    name = here.get("name")
    if isinstance(name, str) and re.fullmatch(_NAME, name):
        value = here.get("value", UNKNOWN)
        if _is_said(value):
            yield name, (_written(value), here.at("value"))


def _is_said(value: Any) -> bool:
    return value is not None and not isinstance(value, Items | Table)


def _written(value: Any) -> str:
    """Return a value as text; a truth in the word that rates know too."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
