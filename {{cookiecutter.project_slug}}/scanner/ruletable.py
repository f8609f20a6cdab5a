"""Rules whose severity, title and remedy stand in a table beside them."""

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

from .model import Severity
from .rules import Hit, Rule, rule

Find = Callable[..., Iterable[Hit]]
Decorator = Callable[[Find], Rule]


def ruled(module: str, on: str) -> Callable[[str], Decorator]:
    """Return what decorates a rule's function with its id.

    The rest is in ``rules.toml``, in the folder of the module that has the
    functions: ``id = [severity, title, CWE, OWASP MCP item, remedy]``.

    Args:
        module: The module's ``__file__``.
        on: The kind of thing at which its rules look.
    """
    path = Path(module).with_name("rules.toml")
    table = tomllib.loads(path.read_text("utf-8"))

    def named(id: str) -> Decorator:  # noqa: A002 - as in rules.rule
        severity, title, cwe, owasp, remedy = table[id]
        return rule(
            id,
            severity=Severity(severity),
            title=title,
            cwe=cwe,
            owasp=owasp,
            remedy=remedy,
            on=on,
        )

    return named
