"""Shows the documents of the generated project as pages of this site."""

import importlib
import json
import posixpath
import re
import sys
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

TEMPLATE = Path(__file__).parents[2]
PROJECT = TEMPLATE / "{{cookiecutter.project_slug}}"
#: The answers with which the documents say the most.
ANSWERS = {
    "transport": "http",
    "auth": "bearer",
    "deployment": "kubernetes",
}
#: Where each document of the project stands in the site.
PAGES = {
    "docs/tools.md": "project/tools.md",
    "docs/clients.md": "project/clients.md",
    "docs/identity.md": "project/identity.md",
    "docs/deploying.md": "project/deploying.md",
    "docs/events.md": "project/events.md",
    "SECURITY.md": "project/security.md",
}
LINK = re.compile(r"\[([^\]]*)\]\((?![a-z]+:|#)([^)#]+)(#[^)]*)?\)")
NOTE = """\
!!! note
    This is `{name}` of a project generated with `{answers}`.
    Yours says what your answers make of it.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents to the site."""
    for name, path in PAGES.items():
        text = page(name)
        files.append(File.generated(config, path, content=text))
    return files


def page(name: str) -> str:
    """Return a document as it is rendered, its links led within the site."""
    title, _, rest = rendered(name).partition("\n")
    answers = " ".join(f"{k}={v}" for k, v in ANSWERS.items())
    note = NOTE.format(name=name, answers=answers)
    return f"{title}\n\n{note}{led(rest, name)}"


def rendered(name: str) -> str:
    """Return a file of the project, rendered as Cookiecutter renders it."""
    if str(TEMPLATE) not in sys.path:
        sys.path.insert(0, str(TEMPLATE))
    configuration = json.loads((TEMPLATE / "cookiecutter.json").read_text())
    environment = Environment(  # noqa: S701 - Markdown, not HTML
        loader=FileSystemLoader(PROJECT),
        extensions=[importlib.import_module("local_extensions").Answers],
        keep_trailing_newline=True,
        **configuration["_jinja2_env_vars"],
    )
    answers = {
        name: value[0] if isinstance(value, list) else value
        for name, value in configuration.items()
    }
    derived = {"project_slug": "mcp-server", "__package_name": "mcp_server"}
    context = {**answers, **derived, **ANSWERS}
    return environment.get_template(name).render(cookiecutter=context)


def led(text: str, name: str) -> str:
    """Lead links to the site's pages; name the files that it has not."""

    def target(link: re.Match[str]) -> str:
        words, to, anchor = link[1], link[2], link[3] or ""
        to = posixpath.normpath(posixpath.join(posixpath.dirname(name), to))
        if to not in PAGES:
            return f"`{to}`"
        return f"[{words}]({posixpath.basename(PAGES[to])}{anchor})"

    return LINK.sub(target, text)
