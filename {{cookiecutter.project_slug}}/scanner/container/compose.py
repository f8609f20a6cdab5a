"""The services of a compose file, as its rules look at them."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..documents import Table, listed, table
from ..model import Severity
from ..rules import Hit
from .composition import Composition, relined
from .names import (
    compose_value,
)

MAINS = (
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
)
NAME = re.compile(r"(?:.*[.-])?compose(?:[.-].+)?\.ya?ml")


@dataclass(frozen=True, slots=True)
class Mount:
    """A place of the host's that a service sees."""

    source: str
    readonly: bool
    line: int
    target: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a compose file.

    Attributes:
        volumes: The file's volumes, which services name.
        given: What its files of variables set.
    """

    path: str
    name: str
    line: int
    settings: Table
    whole: bool
    volumes: Table
    given: tuple[tuple[str, str], ...] = ()

    def hit(
        self,
        key: str,
        message: str,
        *,
        severity: Severity | None = None,
        line: int = 0,
    ) -> Hit:
        """Make a hit at one of its settings, or at the service itself."""
        return Hit(
            path=self.path,
            line=line or self.settings.lines.get(key, self.line),
            anchor=f"{self.name}.{key}.{message}",
            message=f"service {self.name[:60]}: {message}",
            severity=severity,
        )

    def words(self, key: str) -> list[str]:
        """Return a list of words, also where a single one is written."""
        value = self.settings.get(key)
        many = value if isinstance(value, list) else [value]
        return [str(each) for each in many if each is not None]

    def variables(self) -> Iterator[tuple[str, str, int]]:
        """Yield what is set for it, and for its build."""
        for name, value in self.given:
            yield name, value, self.settings.at("env_file")
        build = table(self.settings, "build")
        for holder, key in ((self.settings, "environment"), (build, "args")):
            found = table(holder, key)
            for name, value in found.items():
                yield name, str(value or ""), found.at(name)
            items = listed(holder, key)
            for item, line in zip(items, items.lines, strict=True):
                name, _, value = str(item).partition("=")
                yield name, value, line

    def mounts(self) -> Iterator[Mount]:
        """Yield what of the host's file system is mounted."""
        volumes = listed(self.settings, "volumes")
        for volume, line in zip(volumes, volumes.lines, strict=True):
            if isinstance(volume, Table):
                source = self._place(volume.get("source", ""))
                kept = truth(volume.get("read_only"))
                if volume.get("type") in {"bind", "npipe"}:
                    target = str(volume.get("target"))
                    yield Mount(source, kept, line, target)
                continue
            source, _, rest = compose_value(volume).partition(":")
            options = rest.rpartition(":")[2].split(",")
            if rest and source[:1] in {"/", "~", ".", "$"}:
                target = rest.partition(":")[0]
                kept = "ro" in options
                yield Mount(self._place(source), kept, line, target)
            elif place := self._bound(source):
                yield Mount(place, "ro" in options, line)

    def _bound(self, name: str) -> str:
        """Return the place of the host's to which a volume is bound."""
        options = table(self.volumes, name, "driver_opts")
        kinds = re.split(r"[,\s]+", str(options.get("o") or ""))
        bound = {"bind", "rbind"} & {*kinds}
        return self._place(options.get("device") or "") if bound else ""

    def _place(self, source: object) -> str:
        """Return where a path leads to, whatever it goes through.

        A relative one that leaves the project by two folders or more counts
        from the top: who knows where the project lies.
        """
        text = compose_value(source)
        if re.match(r"[A-Za-z]:|[^./~$]", text) or text in {"", "."}:
            return text
        if text[0] in "~$":
            if "/.." not in text:
                return text
            text = f"/home/user/{text.partition('/')[2]}"
        if text[0] == "/":
            return "/" + posixpath.normpath(text).lstrip("/")
        place = posixpath.join(posixpath.dirname(self.path), text)
        place = posixpath.normpath(place)
        if not place.startswith("../.."):
            return text
        return "/" + re.sub(r"^(?:\.\.(?:/|$))+", "", place)


def is_compose(path: str, document: Any) -> bool:
    """Tell a compose file by its name, or by its services."""
    services = table(document, "services")
    named = NAME.fullmatch(posixpath.basename(path)) is not None
    return bool(services) and (
        named
        or any(
            {"image", "build"} & table(services, name).keys()
            for name in services
        )
    )


def services(
    path: str, document: Any, main: Table | None, whole: Composition
) -> list[Service]:
    """Return a file's services, with what ``extends`` adds to them.

    Args:
        path: The file.
        document: What it holds.
        main: The services of the folder's main compose file, which this one
            completes; None where it is the main one itself.
        whole: The other files that it refers to.
    """
    found = []
    every = table(document, "services")
    volumes = table(document, "volumes")
    for name in every:
        settings = _extended(whole, path, every, name)
        complete = not (main and name in main) and bool(
            {"image", "build"} & settings.keys()
        )
        line = every.at(name)
        given = tuple(whole.variables(path, settings))
        found.append(
            Service(path, name, line, settings, complete, volumes, given)
        )
    return found


def truth(value: object) -> bool:
    """Tell whether a setting is on, also where it is written as text."""
    return str(value).strip().lower() in {"true", "yes", "on", "1"}


def _extended(
    whole: Composition, path: str, every: Table, name: str, depth: int = 0
) -> Table:
    """Return a service's settings on top of what it extends, here or there."""
    own = table(every, name)
    parent = own.get("extends")
    base = parent if isinstance(parent, str) else table(parent).get("service")
    file = table(parent).get("file")
    if not isinstance(base, str) or depth > 8 or (base == name and not file):
        return own
    if file:
        path, every = whole.services(path, str(file))
    inherited = _extended(whole, path, every, base, depth + 1)
    if file:
        inherited = relined(inherited, own.at("extends"))
    merged = Table(own.line)
    for source in (inherited, own):
        merged.update(source)
        merged.lines.update(source.lines)
    return merged
