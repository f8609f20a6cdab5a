"""Rules whose severity, title and remedy stand in a table."""

import inspect
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .model import Severity
from .rules import Hit, Rule, register

COLUMNS = ("severity", "title", "cwe", "owasp", "remedy", "explanation")
Find = Callable[..., Iterable[Hit]]
Decorator = Callable[[Find], Rule]


def ruled(module: str, on: str) -> Callable[[str], Decorator]:
    """Return what decorates a rule's function with its id.

    Its docstring is the explanation; the rest is in ``rules.toml``, in the
    folder of the module that has the function.

    Args:
        module: The module's ``__file__``.
        on: The kind of thing at which its rules look.
    """
    table = _read(Path(module).with_name("rules.toml"))

    def named(rule: str) -> Decorator:
        def decorate(find: Find) -> Rule:
            told = inspect.getdoc(find) or ""
            facts = {**table[rule], "explanation": told}
            return register(Rule(id=rule, on=on, find=find, **facts))

        return decorate

    return named


def registered(path: Path, **common: Any) -> dict[str, Rule]:
    """Register the rules of a table that no function of theirs looks for.

    Args:
        path: The table.
        common: What it leaves out, since it is the same for all of them.
    """
    return {
        name: register(Rule(id=name, **{**common, **facts}))
        for name, facts in _read(path).items()
    }


@cache
def _read(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Read ``id = [severity, title, CWE, OWASP MCP item, remedy, …]``."""
    table = tomllib.loads(path.read_text("utf-8"))
    return {
        name: {
            **dict(zip(COLUMNS, row, strict=False)),
            "severity": Severity(row[0]),
        }
        for name, row in table.items()
    }
