"""Any answer is rendered exactly, or refused with one line."""

import ast
import functools
import importlib
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
import yaml
from cookiecutter.main import cookiecutter
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment
from limits import parse_many
from markdown_it import MarkdownIt

from hostile import ANSWERS, CODE
from template import (
    CHOICES,
    PROMPTS,
    TEMPLATE,
    TEXTS,
    generate,
    load_hook,
    load_module,
    prompted,
    rendered_texts,
)

PRE_GEN = load_hook("pre_gen_project")
LINE = re.compile(r"error: (\w+): .+ \(.*\); for example \S.*")
# An answer like no other, so that it can be found again in what it became.
SENTINELS = {
    "project_name": "Sentinel",
    "project_slug": "senti-nel",
    "description": "Sentinel",
    "author_name": "Sentinel",
    "author_email": "sentinel@example.org",
    "github_owner": "Senti-Nel",
    "workspace_path": "/data/sentinel",
    "rate_limit": "4711/hour",
}

# Directories whose like the scan knows as the system's or somebody's home.
SYSTEM_NAMES = [
    *("bin", "data", "etc", "home", "lib64", "opt"),
    *("root", "run", "srv", "Users", "usr", "var"),
]

texts = st.one_of(
    st.text(max_size=80),
    st.text(st.characters(codec="utf-8"), max_size=250),
    st.lists(st.sampled_from(ANSWERS), min_size=2, max_size=4).map("".join),
    st.tuples(st.sampled_from(ANSWERS), st.text(max_size=20)).map("".join),
)


@pytest.fixture(autouse=True, scope="module")
def _compiled_once() -> Iterator[None]:
    """Cookiecutter compiles the same fifty templates for every answer."""
    known: dict[object, CodeType] = {}
    compile_ = Environment.compile

    def compiled(self: Environment, source: str, *names: Any) -> CodeType:
        key = (source, *names)
        if key not in known:
            known[key] = compile_(self, source, *names)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Environment, "compile", compiled)
        yield


def problems(**answers: object) -> list[str]:
    defaults = {k: PRE_GEN.EXAMPLES[k] for k in PROMPTS}
    lines: list[str] = PRE_GEN.problems({**defaults, **answers})
    return lines


def test_every_prompt_has_an_example_that_is_accepted() -> None:
    assert list(PRE_GEN.EXAMPLES) == list(PROMPTS)
    assert problems() == []


def test_the_hook_knows_the_choices_of_the_prompts() -> None:
    assert {k: tuple(v) for k, v in CHOICES.items()} == PRE_GEN.CHOICES


@pytest.mark.parametrize("prompt", TEXTS)
@pytest.mark.parametrize("answer", ANSWERS, ids=ascii)
def test_hostile_answer_is_refused_or_rendered_exactly(
    answer: str,
    prompt: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    if not problems(**{prompt: answer}):
        assert_exact(prompt, answer)
    else:
        with pytest.raises(SystemExit) as exit_:
            cookiecutter(
                str(TEMPLATE),
                no_input=True,
                extra_context={prompt: answer},
                output_dir=str(tmp_path),
                default_config=True,
            )
        assert exit_.value.code == 1
        assert_lines(capsys.readouterr().err, prompt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("prompt", TEXTS)
@given(answer=texts)
@settings(max_examples=200, deadline=None)
def test_any_text_is_refused_or_rendered_exactly(
    prompt: str, answer: str
) -> None:
    lines = problems(**{prompt: answer})
    if lines:
        assert_lines("\n".join(lines) + "\n", prompt)
    else:
        assert_exact(prompt, answer)


def assert_lines(printed: str, *prompts: str) -> None:
    """Expect one whole, printable line for each prompt that is refused."""
    assert printed.endswith("\n")
    lines = printed[:-1].split("\n")
    for line in lines:
        assert line.isprintable()
        assert len(line) < 300
    named = [match[1] for line in lines if (match := LINE.fullmatch(line))]
    assert len(named) == len(lines)
    assert set(prompts) <= set(named)


def assert_exact(prompt: str, answer: str) -> None:
    """Expect each file to say of the answer what it says of a plain one.

    The answers derived from this one are given, so that nothing else differs.
    """
    fixed = {"project_slug": "mcp-server"} if prompt == "project_name" else {}
    plain = SENTINELS[prompt]
    expected = rendered_texts(**{**fixed, prompt: plain})
    found = rendered_texts(**{**fixed, prompt: answer})
    for path, text in found.items():
        if text == expected[path] and plain not in text:
            continue  # the answer does not stand in it
        wanted = replaced(meaning(path, expected[path]), plain, answer)
        if prompt == "project_slug":
            names = (name.replace("-", "_") for name in (plain, answer))
            wanted = replaced(wanted, *names)
        if prompt == "github_owner":  # an image's name has no capitals
            wanted = replaced(wanted, plain.lower(), answer.lower())
        assert meaning(path, text) == wanted, path


@functools.lru_cache(maxsize=1000)
def meaning(path: str, text: str) -> Any:
    """Return what a file says, as a program that reads it would see it."""
    match Path(path).suffix:
        case ".json":
            return json.loads(text)
        case ".toml":
            return tomllib.loads(text)
        case ".yml" | ".yaml":
            return list(yaml.safe_load_all(text))
        case ".py":
            return ast.dump(ast.parse(text))
        case ".md":
            return list(markdown_texts(text))
        case _:
            return text


def markdown_texts(text: str) -> Iterator[tuple[str, str, Any]]:
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    for token in parser.parse(text):
        for part in token.children or [token]:
            yield part.type, part.content, part.attrs


def replaced(meant: Any, plain: str, answer: str) -> Any:
    """Return a structure with plain replaced wherever it stands in it."""
    match meant:
        case str():
            return meant.replace(plain, answer)
        case dict():
            return {
                replaced(key, plain, answer): replaced(value, plain, answer)
                for key, value in meant.items()
            }
        case list() | tuple():
            return type(meant)(replaced(x, plain, answer) for x in meant)
        case _:
            return meant


@pytest.mark.parametrize("prompt", CHOICES)
def test_answer_that_is_no_choice_is_refused(prompt: str) -> None:
    lines = problems(**{prompt: "bogus"})
    assert len(lines) == 1
    assert_lines(lines[0] + "\n", prompt)


@pytest.mark.parametrize("prompt", TEXTS)
@pytest.mark.parametrize("value", [None, 3, True, ["x"], {"x": 1}], ids=str)
def test_answer_that_is_not_text_is_refused(
    prompt: str, value: object
) -> None:
    assert_lines("\n".join(problems(**{prompt: value})) + "\n", prompt)


def test_derived_package_name_cannot_be_set() -> None:
    assert problems(__package_name="os")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    run = generate(
        tmp_path / "out",
        project_slug="../evil",
        author_email="nobody",
        rate_limit="lots",
        workspace_path="/etc",
    )
    assert run.returncode == 1
    assert_lines(
        run.stderr,
        *("project_slug", "author_email", "rate_limit", "workspace_path"),
    )
    assert "Traceback" not in run.stdout + run.stderr
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("name", ["天気サーバー", "Погода 2", "🔒"])
def test_name_without_latin_letters_asks_for_a_slug(
    tmp_path: Path, name: str
) -> None:
    run = generate(tmp_path / "out", project_name=name)
    assert run.returncode == 1
    assert_lines(run.stderr, "project_slug")
    assert "give a slug as well" in run.stderr
    assert "for example weather-server" in run.stderr
    assert not problems(project_name=name, project_slug="weather-server")


@pytest.mark.parametrize("slug", ["", "2", "-"])
def test_slug_is_not_blamed_on_a_name_that_has_letters(slug: str) -> None:
    (line,) = problems(project_name="Weather", project_slug=slug)
    assert "project_name" not in line


@pytest.mark.parametrize("slug", ["../evil", "a/b/c", "/tmp/evil", "."])
def test_refused_slug_leaves_no_directory(tmp_path: Path, slug: str) -> None:
    run = generate(tmp_path / "out", project_slug=slug)
    assert run.returncode == 1
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"out", "out-cookiecutter"}
    assert not list((tmp_path / "out").iterdir())
    assert not Path("/tmp/evil").exists()


@pytest.mark.parametrize("prompt", ["project_name", "description"])
@pytest.mark.parametrize("answer", CODE[:7], ids=ascii)
def test_code_in_an_answer_does_not_run(
    tmp_path: Path, prompt: str, answer: str
) -> None:
    canary = tmp_path / "canary"
    code: Any = {prompt: answer.replace("CANARY", str(canary))}
    run = generate(tmp_path / "out", **code)
    assert run.returncode == 1
    assert not canary.exists()
    assert "Traceback" not in run.stderr


def test_what_only_the_hook_can_refuse_is_one_line_too(tmp_path: Path) -> None:
    run = generate(tmp_path / "out", rate_limit="off")
    assert run.returncode == 1
    assert_lines(run.stderr, "rate_limit")
    assert "Traceback" not in run.stdout + run.stderr


def test_replayed_answers_are_checked_by_the_hook(tmp_path: Path) -> None:
    """A replay asks nothing, so that only the hook sees its answers."""
    answers = prompted()["cookiecutter"]
    answers |= {"description": '""" \\ {{ x', "license": "none"}
    replay = tmp_path / "replay.json"
    replay.write_text(json.dumps({"cookiecutter": answers}))
    run = generate(tmp_path / "out", "--replay-file", str(replay))
    assert run.returncode == 1, run.stderr
    errors = [x for x in run.stderr.splitlines() if x.startswith("error: ")]
    assert_lines("\n".join(errors) + "\n", "description", "license")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("overlap", ["", "/weather-server", "/x/.."])
def test_workspace_never_overlaps_the_project(
    tmp_path: Path, overlap: str
) -> None:
    assert problems(
        workspace_path=f"{tmp_path}{overlap}", _output_dir=str(tmp_path)
    )


def test_workspace_beside_the_project_is_accepted(tmp_path: Path) -> None:
    workspace = str(tmp_path / "workspace")
    assert not problems(workspace_path=workspace, _output_dir=str(tmp_path))


@given(st.one_of(texts, st.from_regex(PRE_GEN.LIMITS, fullmatch=True)))
@settings(max_examples=500, deadline=None)
def test_accepted_rate_limit_is_one_the_server_takes(limit: str) -> None:
    if not problems(rate_limit=limit) and limit not in {"0", "off"}:
        assert all(item.amount > 0 for item in parse_many(limit))


@pytest.mark.parametrize("answer", ["0", "off"])
@pytest.mark.parametrize("gate", CHOICES["security_gate"])
def test_no_limit_is_for_those_whom_the_gate_lets_through(
    answer: str, gate: str
) -> None:
    answers = {"rate_limit": answer, "security_gate": gate}
    assert not problems(**answers)  # nothing is scanned, so there is no gate
    lines = problems(**answers, _output_dir="/srv")
    assert bool(lines) is (gate == "strict")
    if lines:
        assert_lines("\n".join(lines) + "\n", "rate_limit")
        assert "security_gate=report" in lines[0]


class TestFirstScan:
    """No answer is taken that the first scan then reports as a setting."""

    def reported(self, name: str, value: str) -> list[str]:
        hook = load_module(TEMPLATE / "docs" / "hooks" / "rules.py")
        rules = hook.rules("MCP-CFG-")
        setup = importlib.import_module("scanner.checks.setup").Setup(
            *("defaults.toml", "defaults", {name: (value, 1)}),
            known=frozenset({name}),
        )
        return [
            finding.message
            for rule in rules
            if not rule.on
            for finding in rule.findings(setup)
        ]

    @pytest.mark.parametrize("path", ["/home/me", "/Users", "/var/run", "/"])
    def test_directory_that_is_reported_is_refused(self, path: str) -> None:
        assert self.reported("WORKSPACE_PATH", path)
        assert problems(workspace_path=path)

    @pytest.mark.parametrize(
        "path",
        [
            "/srv/.ssh",
            "/home/me/.aws/x",
            "/var/lib/docker/x",
            "/var/lib/kubelet",
        ],
    )
    def test_keys_and_the_state_of_engines_are_refused(
        self, path: str
    ) -> None:
        assert problems(workspace_path=path)

    @given(st.lists(st.sampled_from(SYSTEM_NAMES), max_size=3))
    @settings(max_examples=200, deadline=None)
    def test_accepted_directory_is_not_reported(
        self, names: list[str]
    ) -> None:
        path = "/" + "/".join(names)
        if not problems(workspace_path=path):
            assert not self.reported("WORKSPACE_PATH", path)

    @pytest.mark.parametrize("limit", ["20000/second", "999999999 per day"])
    def test_limit_that_is_reported_is_refused(self, limit: str) -> None:
        assert self.reported("MCP_RATE_LIMIT", limit)
        assert problems(rate_limit=limit)

    @given(st.from_regex(PRE_GEN.LIMITS, fullmatch=True))
    @settings(max_examples=200, deadline=None)
    def test_accepted_limit_is_not_reported(self, limit: str) -> None:
        if not problems(rate_limit=limit, _output_dir="/srv"):
            assert not self.reported("MCP_RATE_LIMIT", limit)
