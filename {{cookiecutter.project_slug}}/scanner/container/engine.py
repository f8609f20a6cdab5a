"""What ``docker run`` and its like are told on a command line."""

import re
from collections.abc import Sequence

from ..model import Severity
from .names import HARMLESS, SENSITIVE, SOCKETS, is_root

_ENGINES = frozenset({"docker", "nerdctl", "podman"})
_SWITCHES = re.compile(
    r"-[ditP]{1,4}|--(?:detach|init|interactive|no-healthcheck|oom-kill-disable"
    r"|privileged|publish-all|read-only|rm|tty)"
)
_MOUNTS = frozenset({"--mount", "--volume", "-v"})
SHARED = frozenset({"--ipc", "--net", "--network", "--pid", "--userns"})


def contained(argv: Sequence[str]) -> tuple[str, list[tuple[str, str]]]:
    """Return the image that ``docker run`` starts, and the options for it."""
    program = re.split(r"[\\/]", argv[0])[-1] if argv else ""
    options: list[tuple[str, str]] = []
    if program not in _ENGINES or "run" not in argv:
        return "", options
    rest = iter(argv[argv.index("run") + 1 :])
    for word in rest:
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            return word, options
        if equals or _SWITCHES.fullmatch(word):
            options.append((name, value))
        else:
            options.append((name, next(rest, "")))
    return "", options


def opened(name: str, value: str) -> Severity | None:
    """Say how bad an option of ``docker run`` is; None for the others."""
    if name in _MOUNTS:
        fields = dict(x.partition("=")[::2] for x in value.split(","))
        source = fields.get("source") or fields.get("src") or ""
        bare = re.match(r"[A-Za-z]:[\\/][^:]*|[^:]*", value)
        source = source or (bare[0] if bare and name != "--mount" else "")
        place = re.sub(r"\$\{(?:env:HOME|userHome)\}", "~", source)
        place = place.rstrip("/") or ("/" if place else "")
        if place == "/" or SOCKETS.search(source):
            return Severity.CRITICAL
        harmless = HARMLESS.fullmatch(place)
        fatal = SENSITIVE.fullmatch(place) and not harmless
        return Severity.HIGH if fatal else None
    if name == "--privileged":
        return Severity.CRITICAL
    loose = (
        name in {"--cap-add", "--device"}
        or (name in SHARED and value == "host")
        or (name == "--security-opt" and value.endswith("unconfined"))
        or (name in {"--user", "-u"} and is_root(value))
    )
    return Severity.HIGH if loose else None
