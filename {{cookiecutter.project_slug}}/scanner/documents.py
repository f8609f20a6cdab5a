"""YAML as plain values that remember their lines, whatever the file does.

The values are built from the parser's events, not by its loader: the fast
loader ends the process on 200,000 brackets, and an alias can stand for a
billion nodes (CWE-674, CWE-776).
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .model import State
from .tools import ToolError

MAX_BYTES = 2**20  # of one file
MAX_NODES = 50_000  # in one file, each alias counted as what it stands for
MAX_DEPTH = 64
_CORE = "tag:yaml.org,2002:"  # what ``!!bool`` stands for
_TRUE = frozenset({"yes", "true", "on"})


class Malformed(Exception):
    """The text is no YAML, or larger than any real file of its kind."""


class Table(dict[str, Any]):
    """A mapping; knows the line of itself and of each of its keys.

    And, in ``tags``, with which tags of a program's own its values stand.
    """

    __slots__ = ("line", "lines", "tags")

    def __init__(self, line: int = 1) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}
        self.tags: dict[str, str] = {}

    def at(self, key: str) -> int:
        """Return the line of a key; the mapping's own where it is absent."""
        return self.lines.get(key, self.line)


class Items(list[Any]):
    """A list; knows the line of each of its items."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


def table(value: Any, *keys: str) -> Table:
    """Return the mapping under these keys; an empty one when there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, Table) else None
    return value if isinstance(value, Table) else Table()


def tables(value: Any, *keys: str) -> list[Table]:
    """Return the mappings in the list under these keys."""
    return [each for each in listed(value, *keys) if isinstance(each, Table)]


def listed(value: Any, *keys: str) -> Items:
    """Return the list under these keys; an empty one when there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, Table) else None
    return value if isinstance(value, Items) else Items()


@dataclass(slots=True)
class Room:
    """How many nodes all the files of one check may have together."""

    nodes: int = 800_000  # of some 120 bytes each


def load(text: str, room: Room | None = None) -> list[Any]:
    """Return the documents of a text.

    Raises:
        Malformed: It is no YAML, or has too many, or too deep, nodes.
        ToolError: PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError:
        raise ToolError(
            "PyYAML is not installed; run uv sync --group security",
            State.NOT_RUN,
        ) from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(yaml, yaml.parse(text, loader), room or Room())
    try:
        return list(builder.documents())
    except yaml.YAMLError as error:
        # From 6.0.4 on, PyYAML gives up before we do: it reads ahead.
        if "nesting depth" in str(getattr(error, "problem", "")):
            raise Malformed("nested too deep") from None
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise Malformed(f"no valid YAML{where}") from None


class _Builder:
    """Turns events into values, counting as it goes."""

    def __init__(self, yaml: Any, events: Iterator[Any], room: Room) -> None:
        self._yaml = yaml
        self._room = room
        self._resolver = yaml.SafeLoader("")
        self._events = events
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0

    def documents(self) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, self._yaml.DocumentStartEvent):
                self._anchors.clear()
                yield self._value(next(self._events), 0)

    def _value(self, event: Any, depth: int) -> Any:
        if isinstance(event, self._yaml.AliasEvent):
            return self._alias(event)
        before = self._count(1)
        if depth > MAX_DEPTH:
            raise Malformed("nested too deep")
        if isinstance(event, self._yaml.ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, self._yaml.MappingStartEvent):
            value = self._table(event.start_mark.line + 1, depth)
        else:
            value = self._list(depth)
        if event.anchor:
            self._anchors[event.anchor] = value, self._nodes - before + 1
        return value

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise Malformed("an alias without its anchor")
        value, size = self._anchors[event.anchor]
        self._count(size)
        return value

    def _table(self, line: int, depth: int) -> Table:
        found = Table(line)
        merged: list[Table] = []
        end = self._yaml.MappingEndEvent
        while not isinstance(event := next(self._events), end):
            key = getattr(event, "value", None)
            value_of = self._value(event, depth + 1)
            name = sys.intern(key if isinstance(key, str) else str(value_of))
            given = next(self._events)
            value = self._value(given, depth + 1)
            tag = getattr(given, "tag", None) or ""
            if name == "<<":
                every = value if isinstance(value, Items) else [value]
                merged += [each for each in every if isinstance(each, Table)]
                continue
            found[name] = value
            found.lines[name] = event.start_mark.line + 1
            if tag.startswith("!") and len(tag) > 1:
                found.tags[name] = tag
        for other in merged:
            self._count(len(other))
            for name in other.keys() - found.keys():
                found[name] = other[name]
                found.lines[name] = other.at(name)
        return found

    def _list(self, depth: int) -> Items:
        found = Items()
        end = self._yaml.SequenceEndEvent
        while not isinstance(event := next(self._events), end):
            found.append(self._value(event, depth + 1))
            found.lines.append(event.start_mark.line + 1)
        return found

    def _count(self, nodes: int) -> int:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise Malformed(f"more than {MAX_NODES} nodes")
        self._room.nodes -= nodes
        if self._room.nodes < 0:
            raise Malformed("too much YAML in all")
        return self._nodes

    def _scalar(self, event: Any) -> Any:
        """Tell truth, nothing and numbers from text, as YAML 1.1 does."""
        text: str = event.value
        tag = event.tag or ""
        if not (event.implicit[0] or tag.startswith(_CORE)):
            return text
        if event.implicit[0]:
            tag = self._resolver.resolve(
                self._yaml.ScalarNode, text, event.implicit
            )
        if tag.endswith(":null"):
            return None
        if tag.endswith(":bool"):
            return text.lower() in _TRUE
        if tag.endswith(":int") and text.lstrip("-+").isdecimal():
            base = 8 if re.fullmatch(r"0[0-7]+", text) else 10  # YAML 1.1
            return int(text, base) if len(text) < 20 else text
        return text
