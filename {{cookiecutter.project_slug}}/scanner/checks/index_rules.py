"""What uv is told about where packages come from."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..advisories.packages import host_of
from ..model import Severity
from ..project import Project, Unreadable
from ..rules import Hit
from ..ruletable import ruled
from .dependency_rules import PYPROJECT, Subject

UV = "uv.toml"  # where there is one, uv does not look into pyproject.toml
_OPTION = re.compile(
    r"\s*--(?P<name>extra-index-url|find-links|index-url|trusted-host)"
    r"[ =]+(?P<value>\S+)"
)
_PIP = r"(.*/)?(\.?pip/)?pip\.(conf|ini)"
_SETTING = re.compile(
    r"\s*(?P<name>extra-index-url|find-links|index-url|trusted-host)"
    r"\s*[=:]\s*(?P<value>\S+)"
)
VARIABLES = (
    *("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"),
    *("UV_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"),
)
_NAMED = re.compile(r"^[\w.-]+=")  # UV_INDEX may give each a name
UNSAFE = frozenset({"unsafe-best-match", "unsafe-first-match"})
dependency_rule = ruled(__file__, on="")


@dependency_rule("MCP-DEP-012")
def open_sources(subject: Subject) -> Iterator[Hit]:
    """With an unsafe strategy a public package takes a private one's place.

    Whoever publishes a higher version under the name is installed with the
    next lock (dependency confusion). A host that is let in without a
    certificate can be played by anybody on the way.
    """
    for path, settings in _with_pip(subject.project):
        strategy = settings.get("index-strategy")
        if strategy in UNSAFE:
            others = any(key != "index-url" for key, _ in indexes(settings))
            severity = None if others else Severity.MEDIUM
            message = f"index-strategy is {strategy}"
            yield _hit(subject.project, path, message, severity)
        if settings.get("allow-insecure-host"):
            message = "allow-insecure-host names a host"
            yield _hit(subject.project, path, message)
        more = [x for key, x in indexes(settings) if key == "extra-index-url"]
        if more and not any(map(_in_clear, more)):
            message = "extra-index-url: any of them may give any package"
            yield _hit(subject.project, path, message)
        if settings.get("prerelease") == "allow":
            message = "prerelease is allow: nobody has released these"
            yield _hit(subject.project, path, message, Severity.LOW)
        for key, address in indexes(settings):
            if _in_clear(address):
                message = f"{key} names an index without encryption"
                yield _hit(subject.project, path, message)
    yield from _by_pip(subject.project)


def _with_pip(project: Project) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the settings, and those of uv's commands that stand for pip's."""
    for path, settings in uv_settings(project):
        tables = [settings, settings.get("pip")]
        yield from ((path, x) for x in tables if isinstance(x, dict))


def _by_pip(project: Project) -> Iterator[Hit]:
    """Yield the options of pip's, in its own files, that open the sources."""
    forms = [(r"(.*/)?requirements[^/]*\.(txt|lock|in)", _OPTION, "--")]
    forms.append((_PIP, _SETTING, ""))
    for names, form, dashes in forms:
        for path in project.named(names):
            yield from _opened(project, path, form, dashes)


def _opened(
    project: Project, path: str, form: re.Pattern[str], dashes: str
) -> Iterator[Hit]:
    """Yield the lines of a file by which others may offer packages."""
    for number, line in enumerate(project.text(path).splitlines(), 1):
        found = form.match(line)
        if found is None:
            continue
        clear = _in_clear(found["value"])
        if clear or found["name"] in {"extra-index-url", "trusted-host"}:
            yield Hit(
                path=path,
                line=number,
                message=f"{dashes}{found['name']} lets others offer packages",
                anchor=found["name"],
            )


def indexes(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the indexes that settings name: the key, and the address."""
    for key in ("index-url", "extra-index-url", "find-links"):
        value = settings.get(key)
        for address in value if isinstance(value, list) else [value]:
            if address:
                yield key, str(address)
    named = settings.get("index")
    for index in named if isinstance(named, list) else ():
        url = index.get("url") if isinstance(index, Mapping) else index
        yield "index", str(url)


def _in_clear(address: str) -> bool:
    """Tell whether an address goes over the network without encryption."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False  # uv refuses it
    here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    return parts.scheme == "http" and not here


def named_hosts(project: Project) -> frozenset[str]:
    """Return the hosts of the indexes that somebody here has named.

    That is the project, or whoever set up this machine: a mirror that the
    environment names is not in the project's files.
    """
    given = " ".join(os.environ.get(name, "") for name in VARIABLES).split()
    addresses = [_NAMED.sub("", each) for each in given]
    settings = [found for _, found in uv_settings(project)]
    settings += map(_settings, _machine_s())
    addresses += [a for each in settings for _, a in indexes(each)]
    return frozenset(filter(None, map(_host, addresses)))


def _machine_s() -> Iterator[Path]:
    """Yield where uv looks for settings outside of the project."""
    if chosen := os.environ.get("UV_CONFIG_FILE"):
        yield Path(chosen)
    home = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    yield Path(home, "uv", UV)
    yield Path("/etc/uv", UV)


def _settings(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def _host(address: str) -> str:
    try:
        return host_of(address)
    except ValueError:
        return ""


def uv_settings(project: Project) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield where uv finds settings for its locks, and these."""
    for path, keys in ((PYPROJECT, ("tool", "uv")), (UV, ())):
        try:
            found = tomllib.loads(project.text(path))
        except (Unreadable, ValueError, RecursionError):
            continue
        for key in keys:
            inner = found.get(key)
            found = inner if isinstance(inner, dict) else {}
        yield path, found


def _hit(
    project: Project,
    path: str,
    message: str,
    severity: Severity | None = None,
) -> Hit:
    name = message.partition(" ")[0]
    lines = enumerate(project.text(path).splitlines(), 1)
    line = next((n for n, text in lines if text.startswith(name)), None)
    return Hit(
        path=path, line=line, message=message, anchor=name, severity=severity
    )
