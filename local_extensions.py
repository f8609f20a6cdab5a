"""Any answer is text: checked early, never evaluated, quoted everywhere."""

import json
import logging
import re
import runpy
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment
from jinja2.ext import Extension

HERE = Path(__file__).resolve().parent
SLUG_LENGTH = 40

# What this template itself has evaluated outside of its files: in the names
# of files, in cookiecutter.json and in the hooks.
_OURS = (
    "{{cookiecutter.project_slug}}",
    "{{cookiecutter.__package_name}}",
    "{{ cookiecutter.project_name | slug }}",
    "{{ cookiecutter.project_slug | replace('-', '_') }}",
    "{{ cookiecutter | checked }}",
    'json.loads(r"""{{ cookiecutter | tojson }}""")',
)
_EXPRESSION = re.compile(r"(?<!\{)(" + "|".join(map(re.escape, _OURS)) + ")")
_DELIMITER = re.compile(r"\{[{%#]")
# What Markdown could take for its own: everywhere, as a list's or a heading's
# beginning, and as the name of an emoji.
_MARKDOWN = re.compile(
    r"([!#$&*<>\[\\\]_`|~]|^[-+=]|(?<=\d)[.)](?!\S)|:(?=[\w+-]+:))"
)


class Answers(Extension):
    """Adds the filters below, and keeps answers from being evaluated.

    Cookiecutter renders what comes from its command line as a template,
    outside of any sandbox (CWE-1336). Here such an answer renders to itself,
    for the check of the answers to refuse.
    """

    def __init__(self, environment: Environment) -> None:
        """Add the filters to an environment of Cookiecutter's."""
        super().__init__(environment)
        environment.filters["checked"] = checked
        environment.filters["literal"] = literal
        environment.filters["markdown"] = markdown
        environment.filters["slug"] = slug
        logging.getLogger("cookiecutter.hooks").addFilter(briefly)

    def preprocess(
        self, source: str, name: str | None, filename: str | None = None
    ) -> str:
        """Return source, as a string literal if it is an answer with code."""
        if name is None and _DELIMITER.search(_EXPRESSION.sub("", source)):
            return "{{ " + ascii(source) + " }}"
        return source


def briefly(record: logging.LogRecord) -> bool:
    """Take the traceback from what Cookiecutter says of a hook that refused.

    The hook has said why, and a screenful of Cookiecutter would hide it.
    """
    # By its name, for the site is built without Cookiecutter.
    kind = record.exc_info[0] if record.exc_info else None
    if kind is not None and kind.__name__ == "FailedHookException":
        record.exc_info = None
    return True


def checked(answers: Mapping[str, object]) -> str:
    """Refuse answers before Cookiecutter makes a directory named after them.

    The rules are the pre-generation hook's, which runs later and again: it
    sees replayed answers and the place of the project too.

    Raises:
        SystemExit: after one line on stderr for each problem.
    """
    hook = runpy.run_path(str(HERE / "hooks" / "pre_gen_project.py"))
    problems: list[str] = hook["problems"](answers)
    if problems:
        print(*problems, sep="\n", file=sys.stderr)
        raise SystemExit(1)
    return ""


def literal(value: object) -> str:
    """Return a value quoted so that TOML, YAML, JSON and Python agree on it.

    Characters that are not printable are escaped, as YAML breaks lines at
    some of them and TOML refuses others. Those above U+FFFF stand as they
    are: no escape for them is common to the four.
    """
    quoted = json.dumps(str(value), ensure_ascii=False)
    return "".join(
        c if c.isprintable() or ord(c) > 0xFFFF else f"\\u{ord(c):04x}"
        for c in quoted
    )


def markdown(value: object) -> str:
    """Return a value escaped so that Markdown shows it as it is."""
    return _MARKDOWN.sub(r"\\\1", str(value))


def slug(name: object) -> str:
    """Return a name as a lower-case ASCII slug with hyphens."""
    plain = unicodedata.normalize("NFKD", str(name)).encode("ascii", "ignore")
    words = re.sub(r"[^a-z0-9]+", "-", plain.decode().lower())
    return words.strip("-")[:SLUG_LENGTH].rstrip("-")
