"""What files of one package know of each other's functions."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..project import Project, Unreadable
from .python_files import read_python
from .reach import tool_files
from .registrations import functions
from .source import Source, parse
from .taint import Places, cleaners, from_beside, handed_on


@dataclass(frozen=True, slots=True)
class Spread:
    """Where tools hand words to other files, and what lets no harm through.

    Attributes:
        handed: By module and function, the places at which there is a word.
        clean: By file, the names of functions that come from elsewhere.
    """

    handed: dict[str, dict[str, Places]] = field(default_factory=dict)
    clean: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, project: Project) -> "Spread":
        """Read the tools, and what they call in the files beside them."""
        spread = cls()
        known: dict[str, frozenset[str]] = {}
        for source in tool_files(project):
            spread.clean[source.path] = {
                alias
                for alias, (module, name) in _called(source)
                if name in _cleaners(project, module, known)
            }
            spread.into(source)
            for (module, name), places in handed_on(source):
                at = spread.handed.setdefault(module, {})
                at.setdefault(name, set()).update(places)
        return spread

    def into(self, source: Source) -> None:
        """Tell a file what others know."""
        source.handed.update(self.handed.get(_module(source.path), {}))
        source.clean.update(self.clean.get(source.path, ()))


def _called(source: Source) -> Iterator[tuple[str, tuple[str, str]]]:
    called = {source.called(call.func) for call in source.calls}
    yield from (each for each in from_beside(source) if each[0] in called)


def _cleaners(
    project: Project, module: str, known: dict[str, frozenset[str]]
) -> frozenset[str]:
    """Return the functions of a module that let no harm through."""
    if module not in known:
        found = known[module] = frozenset()
        for path in project.named(r"[^/]+/(?:[^/]+/)*[^/]+\.py"):
            ours = path.partition("/")[0] in project.packages
            if ours and module and _module(path) == module:
                try:
                    source = parse(path, read_python(project, path))
                except (Unreadable, ValueError):
                    continue  # the check has said so
                found |= cleaners(source, functions(source))
        known[module] = found
    return known[module]


def _module(path: str) -> str:
    path = path.removesuffix("/__init__.py").removesuffix(".py")
    return path.rpartition("/")[2]
