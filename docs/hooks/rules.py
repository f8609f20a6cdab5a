"""Makes the pages of the scan's rules out of the rules themselves."""

import importlib
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PROJECT = Path(__file__).parents[2] / "{{cookiecutter.project_slug}}"
#: The checks, by what their rules' ids begin with.
CHECKS = {
    "MCP-CODE-": "code",
    "MCP-DEP-": "dependencies",
    "MCP-SEC-": "secrets",
    "MCP-PERM-": "permissions",
    "MCP-CON-": "container",
    "MCP-WF-": "workflows",
    "MCP-CFG-": "configuration",
    "MCP-SUR-": "surface",
    "MCP-PRB-": "probes",
}
#: So many rules that say the same are told in one table.
MANY = 3


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each check to the site."""
    for prefix, check in CHECKS.items():
        path = f"rules/{check}.md"
        text = page(check, rules(prefix))
        files.append(File.generated(config, path, content=text))
    return files


def rules(prefix: str = "MCP-") -> list[Any]:
    """Return the rules of the template's scanner, as the scanner has them.

    Raises:
        ImportError: A library that a check needs is not installed, so its
            rules would be missing.
    """
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(PROJECT))
    try:
        checks = importlib.import_module("scanner.checks")
        for check in checks.CHECKS:
            checks.load(check)
        registry = importlib.import_module("scanner.rules").RULES
    finally:
        sys.path.remove(str(PROJECT))
        sys.dont_write_bytecode = before
    return [
        registry[name] for name in sorted(registry) if name.startswith(prefix)
    ]


def page(check: str, found: Iterable[Any]) -> str:
    """Return a check's page: a table where many rules say the same."""
    said = groupby(sorted(found, key=_words), key=_words)
    groups = sorted((list(group) for _, group in said), key=lambda g: g[0].id)
    single = [group for group in groups if len(group) < MANY]
    tables = [group for group in groups if len(group) >= MANY]
    return "\n".join(
        [
            f"# Rules: {check}\n",
            f"What the check `{check}` looks for."
            " This page is made of the scanner's own rules when the site is"
            " built; `security_scan.py --explain ID` prints the same.\n",
            *(
                line
                for group in single
                for rule in group
                for line in one(rule)
            ),
            *(line for group in tables for line in many(group)),
        ]
    )


def one(rule: Any) -> Iterator[str]:
    """Yield a rule's heading, facts, explanation and remedy."""
    facts = (rule.severity.value, rule.cwe, rule.risk)
    yield f"## {rule.id}: {prose(rule.title)} {{ #{anchor(rule)} }}\n"
    yield " · ".join(fact for fact in facts if fact) + "\n"
    yield f"{prose(rule.explanation.strip())}\n"
    yield f"**Remedy:** {prose(rule.remedy)}\n"


def many(group: list[Any]) -> Iterator[str]:
    """Yield a table of rules with the same explanation."""
    first, *rest = group[0].explanation.strip().split("\n\n")
    yield f"## {prose(first.rstrip('.'))}\n"
    yield from (f"{prose(paragraph)}\n" for paragraph in rest)
    alike = len({rule.remedy for rule in group}) == 1
    if alike:
        yield f"**Remedy:** {prose(group[0].remedy)}\n"
    last = "" if alike else " remedy |"
    yield f"| rule | | severity | |{last}\n|---|---|---|---|{last and '---|'}"
    for rule in group:
        facts = f"{rule.severity.value} | {rule.cwe or ''}"
        name = f'<span id="{anchor(rule)}">`{rule.id}`</span>'
        remedy = "" if alike else f" {prose(rule.remedy)} |"
        yield f"| {name} | {prose(rule.title)} | {facts} |{remedy}"
    yield ""


def anchor(rule: Any) -> str:
    """Return a rule's place in its page."""
    return str(rule.id).lower().replace("*", "others")


def prose(text: str) -> str:
    """Return text as Markdown that shows it; what is quoted stays code."""
    text = text.replace("``", "`")
    parts = re.split(r"(`[^`]*`)", text)
    escaped = (
        part
        if part.startswith("`")
        else re.sub(r"([<>*_\[\]{}|])", r"\\\1", part)
        for part in parts
    )
    return "".join(escaped)


def _words(rule: Any) -> str:
    return str(rule.explanation)
