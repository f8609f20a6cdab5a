"""Jinja filters that let any answer stand in any file."""

import json
import re
import unicodedata

from jinja2 import Environment
from jinja2.ext import Extension


class Literals(Extension):
    """Adds the filters ``literal`` and ``slug``."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.filters["literal"] = literal
        environment.filters["slug"] = slug


def literal(value: object) -> str:
    """Return a value quoted so that TOML, YAML, JSON and Python agree on it.

    Characters that are not printable are escaped, as YAML breaks lines at
    some of them and TOML refuses others.
    """
    quoted = json.dumps(str(value), ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in quoted)


def slug(name: str) -> str:
    """Return a name as a lower-case ASCII slug with hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore")
    return re.sub(r"[^a-z0-9]+", "-", plain.decode().lower()).strip("-")
