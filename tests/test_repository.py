"""The repository itself: what it holds, and how it is built."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from template import PROJECT_FOLDER, PROMPTS, TEMPLATE

WORKFLOWS = sorted((TEMPLATE / ".github" / "workflows").glob("*.yml"))
CONFIGURATION = json.loads((TEMPLATE / "cookiecutter.json").read_text())
ILLEGAL_ON_WINDOWS = re.compile(r'[<>:"|?*\\\x00-\x1f]|[. ]$')
DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def git(*arguments: str) -> list[str]:
    run = subprocess.run(
        ["git", *arguments, "-z"],
        cwd=TEMPLATE,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return [name for name in run.stdout.split("\0") if name]


def test_every_file_that_would_be_rendered_is_in_git() -> None:
    """Cookiecutter copies whatever lies there, caches and secrets too."""
    known = set(git("ls-files", PROJECT_FOLDER.name))
    walked = {
        path.relative_to(TEMPLATE).as_posix()
        for path in PROJECT_FOLDER.rglob("*")
        if not path.is_dir()
    }
    assert walked == known


def test_no_link_is_rendered() -> None:
    links = [path for path in PROJECT_FOLDER.rglob("*") if path.is_symlink()]
    assert links == []


@pytest.mark.parametrize("name", git("ls-files"))
def test_name_is_one_that_every_file_system_takes(name: str) -> None:
    for part in name.split("/"):
        assert not ILLEGAL_ON_WINDOWS.search(part)
        assert not DEVICE.fullmatch(part)
        assert part.isascii()
    assert len(name) < 150


@pytest.mark.parametrize("folder", [TEMPLATE, PROJECT_FOLDER])
def test_checkout_on_windows_keeps_the_line_ends(
    folder: Path, tmp_path: Path
) -> None:
    """Git for Windows asks for its own, with which no script would run."""
    attributes = (folder / ".gitattributes").read_bytes()
    script = (PROJECT_FOLDER / "deploy" / "up").read_bytes()
    (tmp_path / "up").write_bytes(script)
    (tmp_path / ".gitattributes").write_bytes(attributes)
    windows = ("git", "-c", "core.autocrlf=true")
    for command in (
        ("git", "init", "--quiet"),
        (*windows, "add", "."),
        (*windows, "checkout-index", "--all", "--prefix=kept/"),
        ("git", "rm", "--quiet", "--force", ".gitattributes"),
        (*windows, "checkout-index", "--all", "--prefix=without/"),
    ):
        subprocess.run(command, cwd=tmp_path, check=True)
    assert (tmp_path / "kept" / "up").read_bytes() == script
    assert b"\r\n" in (tmp_path / "without" / "up").read_bytes()


def test_no_two_names_differ_only_in_case() -> None:
    names = [name.casefold() for name in git("ls-files")]
    assert len(names) == len(set(names))


def test_every_prompt_and_choice_that_needs_one_has_a_label() -> None:
    labels = CONFIGURATION["__prompts__"]
    assert list(labels) == list(PROMPTS)
    for prompt, label in labels.items():
        if isinstance(label, dict):
            assert set(label) <= {"__prompt__", *PROMPTS[prompt]}


def test_every_prompt_is_documented() -> None:
    page = (TEMPLATE / "docs" / "prompts.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(\w+)` \| (\S.*?) \|", page, re.MULTILINE)
    assert [name for name, _ in table][: len(PROMPTS)] == list(PROMPTS)


@pytest.mark.parametrize("hook", ["pre_gen_project", "post_gen_project"])
def test_hook_holds_nothing_to_render_but_the_answers(hook: str) -> None:
    source = (TEMPLATE / "hooks" / f"{hook}.py").read_text(encoding="utf-8")
    answers = 'json.loads(r"""{{ cookiecutter | tojson }}""")'
    assert source.count(answers) == 1
    rest = source.replace(answers, "")
    assert not re.search(r"\{[{%#]|[%#}]\}", rest)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
class TestWorkflow:
    def test_starts_without_permissions(self, workflow: Path) -> None:
        assert yaml.safe_load(workflow.read_text())["permissions"] == {}

    def test_actions_are_pinned_to_commits(self, workflow: Path) -> None:
        used = re.findall(r"uses: *(\S+) *(.*)", workflow.read_text())
        for action, comment in used:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)
            assert re.fullmatch(r"# v\d+(\.\d+)*", comment)

    def test_every_job_ends_in_time(self, workflow: Path) -> None:
        jobs = yaml.safe_load(workflow.read_text())["jobs"].values()
        assert all(job["timeout-minutes"] <= 40 for job in jobs)


@pytest.mark.parametrize(
    "workflow",
    sorted((PROJECT_FOLDER / ".github").rglob("*.yml")),
    ids=lambda path: path.stem,
)
def test_dependabot_can_read_what_is_not_rendered(workflow: Path) -> None:
    """It keeps the actions of the generated project up to date as well."""
    read = yaml.safe_load(workflow.read_text(encoding="utf-8"))

    for job in read.get("jobs", {}).values():
        for step in job["steps"]:
            assert {"uses", "run"} & step.keys()


def test_workflows_have_no_finding() -> None:
    run = subprocess.run(
        ["zizmor", "--offline", "--pedantic", "--no-progress", ".github"],
        cwd=TEMPLATE,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert "completed .github/workflows/ci.yml" in run.stderr
    assert run.returncode == 0, run.stdout


def test_ci_runs_the_commands_of_the_readme() -> None:
    readme = (TEMPLATE / "README.md").read_text(encoding="utf-8")
    script = (TEMPLATE / ".ci" / "run").read_text(encoding="utf-8")
    ci = (TEMPLATE / ".github" / "workflows" / "ci.yml").read_text()
    for pattern, user in (
        (r"^python3 .*--session tests$", script),
        (r"^python3 .*--no-input$", ci),
    ):
        assert len(re.findall(pattern, readme, re.MULTILINE)) == 1
        assert f"/{pattern}/p" in user


def test_documents_link_to_what_is_there() -> None:
    """Pages that the site's build makes are looked for by that build."""
    made = ("rules/", "project/")
    for page in (*TEMPLATE.glob("*.md"), *TEMPLATE.glob("docs/**/*.md")):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            there = (page.parent / target).exists()
            built = page.parent.name == "docs" and target.startswith(made)
            assert there or built, f"{page.name}: {target}"


def test_security_policy_names_tests_that_exist() -> None:
    policy = (TEMPLATE / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/\w+\.py)`", policy)
    assert named
    assert all((TEMPLATE / path).is_file() for path in named)
