"""What arguments are attacked with."""

from collections.abc import Iterator
from typing import Final

from .lab import Lab
from .parcels import parcels
from .witness import PORT, SQL

LONG: Final = 100_000
LONG_TEXT: Final = "long text"
PIPE: Final = "a pipe without a writer"
ENVIRONMENT: Final = "the environment as a file"


def texts(lab: Lab) -> Iterator[tuple[str, str]]:
    """Yield a name and a text for each attack on a string."""
    yield from _paths(lab)
    yield from _forms(lab)
    yield from _programs(lab)
    secret = f"{lab.door}/outside/secret.txt"
    yield from parcels(lab.sent, str(lab.mark), secret)


def few(lab: Lab) -> Iterator[tuple[str, str]]:
    """Yield those that are tried again with each switch set otherwise."""
    tried = {"parent", "absolute", "link to a file", "shell", "option"}
    tried |= {LONG_TEXT, "new file by a link"}
    yield from (pair for pair in texts(lab) if pair[0] in tried)


def lists(lab: Lab) -> Iterator[tuple[str, list[str]]]:
    """Yield a name and a list for each attack on a list of strings."""
    yield "shell", ["sh", "-c", f"touch {lab.mark}"]
    yield "path of a shell", ["/bin/sh", "-c", f"touch {lab.mark}; env"]
    yield "reader", ["cat", f"{lab.door}/outside/secret.txt"]
    yield "environment", ["env"]
    yield "printed environment", ["printenv", "PROBE_CANARY"]
    yield "second command", ["ls", f"; touch {lab.mark}"]
    yield "listing", ["ls", "-la", f"{lab.door}/outside", lab.sent]
    outside = f"{lab.door}/outside/{lab.sent}"
    yield "program that is not allowed", ["touch", lab.trace]
    yield "writer", ["bash", "-c", f"echo > {outside}"]
    yield "network", ["bash", "-c", _reaching(lab)]
    yield "empty list", []
    yield "many", ["x"] * 5_000
    yield "NUL", [f"ls\0{lab.sent}"]


def _paths(lab: Lab) -> Iterator[tuple[str, str]]:
    secret = f"{lab.door}/outside/secret.txt"
    yield "parent", "../outside/secret.txt"
    yield "parents", "../" * 12 + secret.lstrip("/")
    yield "absolute", secret
    yield "from the root", secret.lstrip("/")
    yield "sibling", "../workspace-evil/secret.txt"
    yield "sibling by prefix", f"{lab.workspace}-evil/secret.txt"
    yield "inside and out", f"{lab.workspace}/../outside/secret.txt"
    yield "parent folder", "../outside"
    yield "files by a pattern", "../outside/*"
    yield "home", "~/secret.txt"
    yield "new file", f"../outside/{lab.sent}"
    yield "address", f"file://{secret}"
    yield "address of a host", f"http://127.0.0.1:{PORT}/{lab.sent}"
    yield "name of a host", f"{lab.sent}.invalid"
    yield "encoded", "..%2foutside%2fsecret.txt"
    yield "encoded dots", "%2e%2e%2foutside%2fsecret.txt"
    yield "twice encoded", "%252e%252e%252foutside%252fsecret.txt"
    yield "doubled", "....//outside/secret.txt"
    yield "backslash", "..\\outside\\secret.txt"
    yield "link to a file", "link.txt"
    yield "link to a folder", "folder/secret.txt"
    yield "new file by a link", f"folder/{lab.sent}"
    yield "hard link", "hard.txt"
    yield PIPE, "pipe"
    yield "large file", "large.txt"
    yield ENVIRONMENT, "/proc/self/environ"
    yield "other root", "/proc/self/root" + secret


def _forms(lab: Lab) -> Iterator[tuple[str, str]]:
    yield "NUL", f"../outside/secret.txt\0{lab.sent}"
    yield "look-alike dots", "\uff0e\uff0e/outside/secret.txt"
    yield "half a character", f"\ud800{lab.sent}"
    yield "control characters", f"\x1b{_shown(lab)}\r\n\u202e"
    yield LONG_TEXT, "A" * LONG
    yield "empty text", ""


def _programs(lab: Lab) -> Iterator[tuple[str, str]]:
    mark = lab.mark
    yield "shell", f"$(touch {mark})"
    yield "backquotes", f"`touch {mark}`"
    yield "semicolon", f"; touch {mark} #"
    yield "shell pipe", f"x | touch {mark}"
    yield "quotes", f"x'; touch {mark}; echo '"
    yield "double quotes", f'x"; touch {mark}; echo "'
    yield "newline", f"x\ntouch {mark}\n"
    yield "shell without a path", f"$(touch {lab.trace})"
    yield "quotes without a path", f"'$(touch {lab.trace})'"
    touch = _touching(lab)
    yield "expression", touch
    yield "expression in quotes", f'"+str({touch})+"'
    doubled = touch.replace("'", '"')
    yield "expression in single quotes", f"'+str({doubled})+'"
    yield "template", template(lab)
    yield "template with a percent sign", f"{lab.sent}%.0s{lab.sent}"
    yield "SQL", SQL
    yield "environment name", "$PROBE_CANARY ${PROBE_CANARY}"
    yield "variable", "PROBE_CANARY"
    yield "option", option(lab)


def called(lab: Lab) -> Iterator[tuple[str, str]]:
    """Yield a function of ``os`` or of Python's own, and what it is given."""
    yield "system", f"touch {lab.mark}"
    yield "eval", _touching(lab)


def _reaching(lab: Lab) -> str:
    """Return what says in two words whether any network is there."""
    tried = "(echo > /dev/{}/127.0.0.1/{}) 2>&1"
    tcp, udp = (tried.format(kind, PORT) for kind in ("tcp", "udp"))
    say = f"printf %s-%s {lab.sent} reached"
    return f'case "$({tcp})" in *refused*) {say};; esac; {udp} && {say}'


def reached(lab: Lab) -> str:
    """Return what is said where a network is there."""
    return f"{lab.sent}-reached"


def _touching(lab: Lab) -> str:
    return f"__import__('pathlib').Path('{lab.mark}').touch()"


def _shown(lab: Lab) -> str:
    return f"[2J{lab.sent}"


def unseen(lab: Lab) -> tuple[str, ...]:
    """Return what stands beside what nobody sees, in all that we send."""
    return _shown(lab), f"../outside/{lab.sent}."


def template(lab: Lab) -> str:
    """Return a text in which templates of several kinds have work to do."""
    return f"{lab.sent}{{{{ ''.__class__.__mro__ }}}}"


def filled(lab: Lab) -> tuple[str, ...]:
    """Return what becomes of them: by ``str.format``, by Jinja, by ``%``."""
    sent = lab.sent
    return f"{sent}{{ ''.", f"{sent}(<class", f"{sent}(&lt;class", sent * 2


def option(lab: Lab) -> str:
    """Return a text that a program takes for an option."""
    return f"--{lab.sent}"
