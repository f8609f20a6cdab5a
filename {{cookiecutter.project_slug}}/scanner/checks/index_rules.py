"""What uv is told about where packages come from."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from ..model import Severity
from ..project import Project, Unreadable
from ..rules import Hit, rule
from .dependency_rules import PYPROJECT, Subject

UV = "uv.toml"  # where there is one, uv does not look into pyproject.toml
UNSAFE = frozenset({"unsafe-best-match", "unsafe-first-match"})


@rule(
    "MCP-DEP-012",
    severity=Severity.MEDIUM,
    title="uv takes packages from whoever offers them",
    cwe="CWE-427",
    owasp="MCP04 Supply Chain Attacks",
    remedy="Remove the setting; name each package's index in tool.uv.sources",
)
def open_sources(subject: Subject) -> Iterator[Hit]:
    """With an unsafe strategy a public package takes a private one's place.

    Whoever publishes a higher version under the name is installed with the
    next lock (dependency confusion). A host that is let in without a
    certificate can be played by anybody on the way.
    """
    for path, settings in _settings(subject.project):
        strategy = settings.get("index-strategy")
        if strategy in UNSAFE:
            yield _hit(subject.project, path, f"index-strategy is {strategy}")
        if settings.get("allow-insecure-host"):
            message = "allow-insecure-host names a host"
            yield _hit(subject.project, path, message)


def _settings(project: Project) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield where uv finds settings, and these."""
    for path, keys in ((PYPROJECT, ("tool", "uv")), (UV, ())):
        try:
            found = tomllib.loads(project.text(path))
        except (Unreadable, ValueError, RecursionError):
            continue
        for key in keys:
            inner = found.get(key)
            found = inner if isinstance(inner, dict) else {}
        tables = [found, found.get("pip")]
        yield from ((path, x) for x in tables if isinstance(x, dict))


def _hit(project: Project, path: str, message: str) -> Hit:
    name = message.partition(" ")[0]
    lines = enumerate(project.text(path).splitlines(), 1)
    line = next((n for n, text in lines if text.startswith(name)), None)
    return Hit(path=path, line=line, message=message, anchor=name)
