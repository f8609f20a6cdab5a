"""The rendered files: which there are, and that each is as it should be."""

import ast
import itertools
import json
import os
import re
import stat
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from template import CHOICES, TEMPLATE, files, render, rendered_texts

Answers = Mapping[str, str]
EXPECTED = TEMPLATE / "tests" / "files.txt"
TEXTS = {
    "project_name": 'Ümlaut & Co\'s "Server"',
    "project_slug": "umlaut-server",
    "description": "Reads {a} \\ 'b' <c> # d: [e] 🔒",
    "author_name": "Zoë O'Brien-Müller",
    "author_email": "zoe+mcp@example.com",
    "github_owner": "zoe-obrien",
    "workspace_path": "/srv/daten.d/mcp_1",
    "rate_limit": "10/second;100 per 5 minutes",
}


def pairwise() -> Iterator[dict[str, str]]:
    """Yield answers so that every two choices stand together in one."""
    wanted = {
        frozenset(pair)
        for one, other in itertools.combinations(CHOICES.items(), 2)
        for pair in itertools.product(named(*one), named(*other))
    }
    while wanted:
        rows = itertools.product(*(named(*item) for item in CHOICES.items()))
        row = max(rows, key=lambda row: len(wanted & pairs(row)))
        wanted -= pairs(row)
        yield dict(row)


def named(prompt: str, choices: list[str]) -> list[tuple[str, str]]:
    return [(prompt, choice) for choice in choices]


def pairs(row: tuple[tuple[str, str], ...]) -> set[frozenset[tuple[str, str]]]:
    return {frozenset(pair) for pair in itertools.combinations(row, 2)}


FLIPPED: list[Answers] = [
    {},
    *({prompt: c} for prompt, all_ in CHOICES.items() for c in all_[1:]),
    *({prompt: text} for prompt, text in TEXTS.items()),
    TEXTS,
]
MATRIX = [*FLIPPED, *pairwise()]
# Files that were looked at: most are the same whatever was answered.
RIGHT: set[tuple[Path, str]] = set()


def label(answers: Answers) -> str:
    values = {k: v for k, v in answers.items() if k in CHOICES}
    return "-".join(values.values() or answers) or "defaults"


@pytest.fixture(params=MATRIX, ids=label)
def answers(request: pytest.FixtureRequest) -> Answers:
    given: Answers = request.param
    return given


@pytest.fixture
def project(tmp_path: Path, answers: Answers) -> Path:
    return render(tmp_path / "first", **answers)


def test_rendering_is_right(project: Path, answers: Answers) -> None:
    """One render, many rules: rendering costs more than looking."""
    assert_expected_files(project, answers)
    texts = {
        p: (project / p).read_text(encoding="utf-8") for p in files(project)
    }
    unknown = dict(texts.items() - RIGHT)
    for path, text in unknown.items():
        assert_parses(path, text)
        assert_tidy(path, text)
        assert_nothing_is_left(path, text)
    assert_formatted(project, unknown)
    RIGHT.update(unknown.items())
    assert_modes(project)
    assert_same_in_memory(project, answers, texts)


@pytest.mark.parametrize("answers", [{}, TEXTS], ids=label, indirect=True)
def test_second_render_is_the_same(
    project: Path, answers: Answers, tmp_path: Path
) -> None:
    second = render(tmp_path / "second", **answers)
    assert list(files(project)) == list(files(second))
    for path in files(project):
        assert (project / path).read_bytes() == (second / path).read_bytes()


def assert_expected_files(project: Path, answers: Answers) -> None:
    names = {
        "project_slug": project.name,
        "package": project.name.replace("-", "_"),
    }
    expected = []
    for line in EXPECTED.read_text(encoding="utf-8").splitlines():
        path, _, condition = line.partition("  # ")
        prompt, _, choice = condition.partition("=")
        if not condition or answers.get(prompt) == choice:
            expected.append(path.format(**names))
    assert [path.as_posix() for path in files(project)] == sorted(expected)


def assert_parses(path: Path, text: str) -> None:
    match path.suffix:
        case ".json":
            json.loads(text)
        case ".toml":
            tomllib.loads(text)
        case ".yml" | ".yaml":
            assert list(yaml.safe_load_all(text))
        case ".py":
            ast.parse(text)


def assert_tidy(path: Path, text: str) -> None:
    """Expect what formatters want, or each update would conflict."""
    assert "\r" not in text, path
    assert "\t" not in text or path.name in {"Makefile"}, path
    assert not re.search(r"[ \t]+$", text, re.MULTILINE), path
    assert not text or re.search(r"[^\n]\n\Z", text), path
    if path.suffix in {".json", ".toml", ".yaml", ".yml"}:
        assert "\n\n\n" not in text, path


def assert_nothing_is_left(path: Path, text: str) -> None:
    assert "cookiecutter." not in text, path
    assert not re.search(r"\{[{%] *(end)?(raw|if|for|include)\b", text), path


def assert_modes(project: Path) -> None:
    if os.name == "nt":
        return
    for path in project.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        script = path.is_file() and path.read_bytes()[:2] == b"#!"
        assert mode == (0o755 if path.is_dir() or script else 0o644), path


def assert_same_in_memory(
    project: Path, answers: Answers, texts: Mapping[Path, str]
) -> None:
    """Render all that holds an answer once more, and expect the same."""
    slug = project.name
    again = {
        Path(
            name.replace("{{cookiecutter.project_slug}}", slug).replace(
                "{{cookiecutter.__package_name}}", slug.replace("-", "_")
            )
        ): text
        for name, text in rendered_texts(**answers).items()
    }
    left_out = again.keys() - texts.keys()
    assert all(path.parts[0] in {"deploy", "tests"} for path in left_out)
    for path in again.keys() - left_out:
        assert texts[path] == again[path], path


def assert_formatted(project: Path, paths: Iterable[Path]) -> None:
    names = [str(path) for path in paths if path.suffix == ".py"]
    for command in ("format --check", "check") if names else ():
        run = subprocess.run(
            [
                *("ruff", *command.split(), "--no-cache"),
                *("--force-exclude", "--output-format=concise", *names),
            ],
            cwd=project,
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
        assert run.returncode == 0, run.stdout + run.stderr


def test_every_pair_of_choices_is_rendered() -> None:
    everything = {
        pair
        for one, other in itertools.combinations(CHOICES.items(), 2)
        for pair in itertools.product(named(*one), named(*other))
    }
    rendered = {
        pair
        for answers in pairwise()
        for pair in itertools.combinations(answers.items(), 2)
    }
    assert everything == rendered


def test_readme_names_the_purpose_of_every_file(tmp_path: Path) -> None:
    """A file counts as named with the folder that the README names."""
    project = render(tmp_path)
    readme = (project / "README.md").read_text(encoding="utf-8")
    unnamed = [
        path
        for path in files(project)
        if not any(
            f"`{name}`" in readme or f"`{name}/`" in readme
            for name in (path.name, *map(str, (path, *path.parents)))
        )
    ]
    assert unnamed == []
