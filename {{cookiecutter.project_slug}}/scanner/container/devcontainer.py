"""The container in which editors open the project, as a service of compose.

Whoever opens the folder runs it: what it is given of the machine, everybody
who can change the repository is given. It need not be as hard as what is
deployed, so only what it is given is judged.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..documents import Items, Table
from .compose import Service

NAME = re.compile(
    r"(?s)(?:.*/)?\.devcontainer(?:(?:/[^/]+)?/devcontainer)?\.json"
)
# Comments and trailing commas, outside of strings.
_LOOSE = re.compile(
    r"(?s)(\"(?:[^\"\\]|\\.)*(?:\"|$))|//[^\n]*|/\*.*?(?:\*/|$)"
    r"|,(?=\s*[}\]])"
)
_COMMANDS = re.compile(r"(?:initialize|onCreate|updateContent|post\w+)Command")
# Options of ``docker run``, and the settings of compose that they stand for.
_LISTS = {
    "--cap-add": "cap_add",
    "--device": "devices",
    "--group-add": "group_add",
    "--mount": "volumes",
    "--security-opt": "security_opt",
    "--sysctl": "sysctls",
    "--volume": "volumes",
    "-v": "volumes",
}
_SINGLE = {
    "--ipc": "ipc",
    "--net": "network_mode",
    "--network": "network_mode",
    "--pid": "pid",
    "--userns": "userns_mode",
    "--uts": "uts",
}
_SOCKET = "/var/run/docker.sock"


def services(path: str, text: str) -> Iterator[Service]:
    """Yield the container, and each command that is run when it is made.

    Raises:
        ValueError: The text is no JSON.
    """
    plain = text
    for _ in range(2):  # a comma may stand before a comment
        plain = _LOOSE.sub(lambda found: found[1] or "", plain)
    held = json.loads(plain or "{}")
    if not isinstance(held, dict):
        raise ValueError("no table")
    lines = text.splitlines()
    settings = Table()
    for key, name, value in _given(held):
        line = _line(lines, key)
        settings.lines.setdefault(name, line)
        if name in _SINGLE.values() or name == "privileged":
            settings[name] = value
            continue
        items = settings.setdefault(name, Items())
        items.append(value)
        items.lines.append(line)
    yield Service(path, "devcontainer", 1, settings, False, Table())
    for key, value in held.items():
        if _COMMANDS.fullmatch(key):
            for command in _commands(value):
                run = Table(_line(lines, key))
                run["command"] = command
                yield Service(path, key, run.line, run, False, Table())


def _given(held: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield what is given: the key here, the setting of compose, the value."""
    if held.get("privileged"):
        yield "privileged", "privileged", held["privileged"]
    for key, name in (("capAdd", "cap_add"), ("securityOpt", "security_opt")):
        for value in _list(held.get(key)):
            yield key, name, str(value)
    for key in ("mounts", "workspaceMount"):
        value = held.get(key)
        for mount in [value] if isinstance(value, str) else _list(value):
            yield key, "volumes", _mount(mount)
    features = held.get("features")
    for feature in features if isinstance(features, Mapping) else ():
        if "docker-outside-of-docker" in feature:
            yield feature, "volumes", f"{_SOCKET}:{_SOCKET}"
    words = [str(word) for word in _list(held.get("runArgs"))]
    for word, following in zip(words, [*words[1:], ""], strict=True):
        option, glued, value = word.partition("=")
        value = value if glued else following
        if option == "--privileged":
            yield "runArgs", "privileged", value != "false" or not glued
        elif option in _SINGLE:
            yield "runArgs", _SINGLE[option], value
        elif option in _LISTS:
            mount = option == "--mount"
            yield "runArgs", _LISTS[option], _mount(value) if mount else value


def _mount(mount: Any) -> str:
    """Return a mount, written as a table or as words, as compose's text."""
    if isinstance(mount, Mapping):
        parts = {str(key): str(value) for key, value in mount.items()}
    else:
        pairs = (part.partition("=") for part in str(mount).split(","))
        parts = {key.strip(): value for key, _, value in pairs}
    source = parts.get("source") or parts.get("src") or ""
    source = source.replace("${localWorkspaceFolder}", ".")
    source = re.sub(r"\$\{localEnv:(\w+)(?::[^}]*)?\}", r"${\1}", source)
    mode = "ro" if {"readonly", "ro"} & parts.keys() else "rw"
    bound = parts.get("type") == "bind"
    return f"{source if bound else 'volume'}:/there:{mode}"


def _commands(value: Any) -> Iterator[Any]:
    """Yield a text, a list of words, or several of them side by side."""
    for command in value.values() if isinstance(value, Mapping) else [value]:
        if isinstance(command, list):
            items = Items()
            items += map(str, command)
            items.lines += [1] * len(items)
            yield items
        else:
            yield str(command or "")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _line(lines: list[str], key: str) -> int:
    named = json.dumps(key)
    return next((n for n, text in enumerate(lines, 1) if named in text), 1)
