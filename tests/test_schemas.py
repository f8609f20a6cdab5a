"""Each rendered file against the schema that is published for its kind."""

import copy
import json
import tomllib
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import FormatChecker, ValidationError
from jsonschema.validators import validator_for
from ruamel.yaml import YAML
from validate_pyproject.api import Validator
from validate_pyproject.errors import ValidationError as PyprojectError

from template import TEMPLATE, render
from test_files import TEXTS

ISSUES = ".github/ISSUE_TEMPLATE/"
LAYOUTS: dict[str, dict[str, str]] = {
    "defaults": {},
    "production": {
        "transport": "http",
        "auth": "jwt",
        "deployment": "kubernetes",
        "license": "MIT",
    },
    "bearer": {"transport": "sse", "auth": "bearer", "license": "Proprietary"},
    "texts": TEXTS,
}


def _vendored(name: str) -> Any:
    return get_builtin_schema(f"vendor.{name}")


def _registry() -> Any:
    """Return the schema of the MCP registry that server.json names."""
    folder = resources("skillsaw") / "schemas/mcp_registry/v2025_12_11"
    return json.loads((folder / "server.schema.json").read_text("utf-8"))


#: What a pattern of files is validated with.
SCHEMAS = {
    "deploy/compose.yaml": _vendored("compose-spec"),
    ".github/workflows/*.yml": _vendored("github-workflows"),
    ".github/dependabot.yml": _vendored("dependabot"),
    f"{ISSUES}config.yml": _vendored("github-issue-config"),
    f"{ISSUES}[!c]*.yml": _vendored("github-issue-forms"),
    "server.json": _registry(),
}
# A fault of each kind: where it is put, and what.
FAULTS: list[tuple[str, tuple[str | int, ...], object]] = [
    ("deploy/compose.yaml", ("services", "server", "mem_limits"), "512m"),
    ("deploy/compose.yaml", ("networks",), ["metrics"]),
    (".github/workflows/*.yml", ("permission",), {}),
    (".github/workflows/*.yml", ("jobs", "x"), {"steps": []}),
    (".github/dependabot.yml", ("updates", 0, "schedule"), "weekly"),
    (f"{ISSUES}config.yml", ("blank_issues_enabled",), "sometimes"),
    (f"{ISSUES}[!c]*.yml", ("body", 0, "type"), "text"),
    ("server.json", ("description",), "a" * 101),
    ("server.json", ("name",), "no-namespace"),
    ("server.json", ("packages", 0, "transport"), {"type": "stdin"}),
    ("server.json", ("repository", "url"), "not an address"),
]


@pytest.fixture(scope="module", params=LAYOUTS)
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("schemas")
    return render(folder, **LAYOUTS[request.param])


def read(path: Path) -> Any:
    """Read JSON or YAML; of 1.2, where ``on`` is no word for true."""
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def validate(kind: str, content: Any) -> None:
    schema = SCHEMAS[kind]
    validator_for(schema)(schema, format_checker=FormatChecker()).validate(
        content
    )


@pytest.mark.parametrize("kind", SCHEMAS)
def test_file_is_what_its_schema_says(project: Path, kind: str) -> None:
    paths = list(project.glob(kind))
    assert paths
    for path in paths:
        validate(kind, read(path))


@pytest.mark.parametrize(
    "kind", [".github/workflows/*.yml", ".github/dependabot.yml"]
)
def test_own_file_is_what_its_schema_says(kind: str) -> None:
    for path in TEMPLATE.glob(kind):
        validate(kind, read(path))


@pytest.mark.parametrize(
    ("kind", "place", "fault"), FAULTS, ids=lambda value: str(value)[:40]
)
def test_fault_is_found(
    project: Path, kind: str, place: tuple[str | int, ...], fault: object
) -> None:
    content = read(min(project.glob(kind)))
    with pytest.raises(ValidationError):
        validate(kind, planted(content, place, fault))


def test_entry_names_the_schema_that_it_is_held_against(
    project: Path,
) -> None:
    named = read(project / "server.json")["$schema"]
    assert named == SCHEMAS["server.json"]["$id"]


class TestPyproject:
    """The tables of the standards, and those of the tools."""

    #: It takes seconds to make, at its first use.
    validate = staticmethod(Validator())

    def test_it_is_what_the_schemas_say(self, project: Path) -> None:
        for folder in (project, TEMPLATE):
            self.validate(self.content(folder))

    @pytest.mark.parametrize(
        ("place", "fault"),
        [
            (("project", "license"), 4),
            (("project", "requires-python"), "3.11 or newer"),
            (("tool", "uv", "package"), "no"),
            (("tool", "ruff", "lint", "select"), "all"),
            (("tool", "mypy", "strict"), "yes"),
        ],
        ids=str,
    )
    def test_fault_is_found(
        self, project: Path, place: tuple[str, ...], fault: object
    ) -> None:
        with pytest.raises(PyprojectError):
            self.validate(planted(self.content(project), place, fault))

    def content(self, folder: Path) -> dict[str, Any]:
        return tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))


def planted(content: Any, place: tuple[str | int, ...], fault: object) -> Any:
    """Return a copy of content with the fault in its place."""
    faulty = copy.deepcopy(content)
    there = faulty
    for step in place[:-1]:
        there = there[step]
    there[place[-1]] = fault
    return faulty
