"""The template under test, and the ways to make a project of it."""

import functools
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from cookiecutter.generate import generate_context
from cookiecutter.main import cookiecutter
from cookiecutter.prompt import prompt_for_config
from cookiecutter.utils import create_env_with_context
from jinja2 import FileSystemLoader, Template

TEMPLATE = Path(__file__).resolve().parent.parent
PROJECT_FOLDER = TEMPLATE / "{{cookiecutter.project_slug}}"
PROMPTS: dict[str, Any] = {
    name: value
    for name, value in json.loads(
        (TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8")
    ).items()
    if not name.startswith("_")
}
CHOICES = {k: v for k, v in PROMPTS.items() if isinstance(v, list)}
TEXTS = [name for name in PROMPTS if name not in CHOICES]


def load_hook(name: str) -> ModuleType:
    """Import a hook as it stands in the repository, without its answers."""
    return load_module(TEMPLATE / "hooks" / f"{name}.py")


def load_module(path: Path) -> ModuleType:
    """Import the module at a path, and leave no bytecode beside it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def render(folder: Path, **answers: str) -> Path:
    """Render into folder as the hooks would, without an environment."""
    unknown = answers.keys() - PROMPTS.keys()
    assert not unknown, f"no such prompt: {unknown}"
    project = Path(
        cookiecutter(
            str(TEMPLATE),
            no_input=True,
            extra_context=answers,
            output_dir=str(folder),
            accept_hooks=False,
            config_file=str(_configuration(folder)),
        )
    )
    hook = load_hook("post_gen_project")
    before = Path.cwd()
    os.chdir(project)
    try:
        hook.prune(full_answers(**answers))
        hook.set_modes(Path())
    finally:
        os.chdir(before)
    return project


def full_answers(**answers: str) -> dict[str, str]:
    """Return answers with the defaults of the prompts left out."""
    defaults = {
        name: value[0] if isinstance(value, list) else value
        for name, value in PROMPTS.items()
    }
    return {**defaults, "project_slug": "mcp-server", **answers}


def generate(
    folder: Path,
    *options: str,
    env: Mapping[str, str] | None = None,
    template: Path = TEMPLATE,
    **answers: str,
) -> subprocess.CompletedProcess[str]:
    """Call Cookiecutter as a person does, with hooks; the real thing."""
    return subprocess.run(
        cookiecutter_command(folder, *options, template=template, **answers),
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        timeout=900,
    )


def cookiecutter_command(
    folder: Path, *options: str, template: Path = TEMPLATE, **answers: str
) -> list[str]:
    """Return the command line that generates a project into folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        *(sys.executable, "-m", "cookiecutter"),
        *([] if "--replay-file" in options else ["--no-input"]),
        *("--config-file", str(_configuration(folder))),
        *("--output-dir", str(folder)),
        *options,
        str(template),
        *(f"{name}={value}" for name, value in answers.items()),
    ]


def _configuration(folder: Path) -> Path:
    """Write a Cookiecutter configuration that keeps to the test's folder."""
    home = folder.parent / f"{folder.name}-cookiecutter"
    home.mkdir(exist_ok=True)
    configuration = home / "config.yaml"
    folders = {
        "cookiecutters_dir": str(home / "templates"),
        "replay_dir": str(home / "replay"),
    }
    configuration.write_text(json.dumps(folders), encoding="utf-8")
    return configuration


def clone(folder: Path) -> Path:
    """Copy what git has of the template into folder, as a clone would."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=TEMPLATE,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (TEMPLATE / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TEMPLATE / name, folder / name)
    return folder


def files(project: Path) -> Iterator[Path]:
    """Yield a project's own files, relative to it and sorted."""
    made = {".venv", ".git", ".security", "uv.lock", "__pycache__"}
    for path in sorted(project.rglob("*")):
        relative = path.relative_to(project)
        if path.is_file() and not made.intersection(relative.parts):
            yield relative


def unpaired(text: str) -> list[str]:
    """Return what is left of a template in a rendered file."""
    return [part for part in ("cookiecutter.", "{%", "{#") if part in text]


def rendered_texts(**answers: str) -> dict[str, str]:
    """Render the files that hold an answer, by path, and write none.

    Raises:
        SystemExit: as Cookiecutter would, when an answer is refused.
    """
    context = prompted(**answers)
    return {
        path: template.render(**context)
        for path, template in _answer_files().items()
    }


def prompted(**answers: str) -> dict[str, Any]:
    """Return the context that Cookiecutter makes of answers."""
    unknown = answers.keys() - PROMPTS.keys()
    assert not unknown, f"no such prompt: {unknown}"
    context = generate_context(
        context_file=str(TEMPLATE / "cookiecutter.json"),
        extra_context=answers,
    )
    context["cookiecutter"] = prompt_for_config(context, no_input=True)
    return dict(context)


@functools.cache
def _answer_files() -> dict[str, Template]:
    environment = create_env_with_context(prompted())
    environment.loader = FileSystemLoader(str(PROJECT_FOLDER))
    paths = (
        path.relative_to(PROJECT_FOLDER).as_posix()
        for path in sorted(PROJECT_FOLDER.rglob("*"))
        if path.is_file()
        and "__pycache__" not in path.parts
        and b"cookiecutter." in path.read_bytes()
    )
    return {path: environment.get_template(path) for path in paths}
