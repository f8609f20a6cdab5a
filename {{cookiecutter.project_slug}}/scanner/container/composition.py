"""What a compose file is made of: others that it names, and what they say."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..documents import Items, Table, listed, table
from ..project import Project, Unreadable
from .names import compose_value

MAX_ENV = 2**15  # bytes of a file of variables


@dataclass(slots=True)
class Composition:
    """The compose files of a project, as they refer to each other.

    Attributes:
        found: What each YAML file holds.
        missing: What a file names and nobody has read.
    """

    project: Project
    found: Mapping[str, list[Any]]
    missing: dict[str, str] = field(default_factory=dict)
    _read: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def parts(self) -> set[str]:
        """Return the files that others include or extend."""
        named: set[str] = set()
        for path, documents in self.found.items():
            for document in documents:
                for place in [*_included(document), *_extended(document)]:
                    named.add(beside(path, place))
        return named & self.found.keys()

    def check(self, path: str, document: Any) -> None:
        """Note what a file includes, from here, that was not read."""
        for place in _included(document):
            if beside(path, place) not in self.found:
                self.missing.setdefault(path, f"{place[:80]} is not read")

    def services(self, path: str, place: str) -> tuple[str, Table]:
        """Return another file's path and services; none if it is not read."""
        other = beside(path, place)
        if other not in self.found:
            self.missing.setdefault(path, f"{place[:80]} is not read")
        documents = self.found.get(other) or [None]
        return other, table(documents[0], "services")

    def variables(
        self, path: str, settings: Table
    ) -> Iterator[tuple[str, str]]:
        """Yield what the files of ``env_file`` set, if git has them."""
        known = frozenset(self.project.files)
        value = settings.get("env_file")
        for each in value if isinstance(value, list) else [value]:
            place = each.get("path") if isinstance(each, Table) else each
            file = beside(path, str(place or ""))
            if file not in known:
                continue
            try:
                if file not in self._read:
                    text = self.project.text(file, MAX_ENV)
                    self._read[file] = [*_settings(text)]
                yield from self._read[file]
            except Unreadable as error:
                self.missing.setdefault(path, str(error))


@dataclass(frozen=True, slots=True)
class Build:
    """An image that a service is built as.

    Attributes:
        path: The Dockerfile; of one inside of a compose file, that file.
        target: The stage that is built; empty for the last.
        text: What stands in the compose file; empty for a file of its own.
        line: The one before that text.
    """

    path: str
    target: str = ""
    text: str = ""
    line: int = 0


def builds(path: str, document: Any) -> Iterator[Build]:
    """Yield what is built otherwise than as a Dockerfile's last stage."""
    every = table(document, "services")
    for name in every:
        build = table(every, name, "build")
        target = compose_value(build.get("target") or "").lower()
        inline = build.get("dockerfile_inline")
        if inline:
            line = build.at("dockerfile_inline")
            yield Build(path, target, str(inline), line)
        elif target:
            context = compose_value(build.get("context") or ".")
            file = compose_value(build.get("dockerfile") or "Dockerfile")
            yield Build(beside(path, posixpath.join(context, file)), target)


def beside(path: str, place: str) -> str:
    """Return where a path leads to that stands in a file."""
    folder = posixpath.dirname(path)
    return posixpath.normpath(posixpath.join(folder, compose_value(place)))


def relined(value: Any, line: int) -> Any:
    """Return what another file says as if it stood on a line of this one."""
    if isinstance(value, Table):
        copy = Table(line)
        copy.update({k: relined(each, line) for k, each in value.items()})
        copy.lines.update(dict.fromkeys(value, line))
        copy.tags.update(value.tags)
        return copy
    if isinstance(value, Items):
        items = Items()
        items += [relined(each, line) for each in value]
        items.lines += [line] * len(items)
        return items
    return value


def _settings(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, given, content = line.strip().partition("=")
        if given and not name.startswith("#"):
            plain = name.removeprefix("export ").strip()
            yield plain, content.strip().strip("\"'")


def _included(document: Any) -> Iterator[str]:
    """Yield the files of this machine's that a file includes."""
    for each in listed(document, "include"):
        value = each.get("path") if isinstance(each, Table) else each
        for place in value if isinstance(value, list) else [value]:
            text = str(place or "")
            if text and "://" not in text and not text.startswith("git@"):
                yield text


def _extended(document: Any) -> Iterator[str]:
    every = table(document, "services")
    for name in every:
        if file := table(every, name, "extends").get("file"):
            yield str(file)
