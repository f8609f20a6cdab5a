import tomllib
from pathlib import Path

import pytest

from scanner.checks import container
from scanner.container import image_rules
from scanner.model import Options
from scanner.project import Project
from scanner.rules import RULES, rules_for
from tests.scanner.compose_cases import COMPOSE
from tests.scanner.dockerfile_cases import DOCKERFILES
from tests.scanner.faulty_tools import bench
from tests.scanner.kubernetes_cases import KUBERNETES

SETS = {
    "Dockerfile": DOCKERFILES,
    "compose.yaml": COMPOSE,
    "deploy/server.yaml": KUBERNETES,
}


def cases(which):
    """Each case under its name: its rule, severity, path and text."""
    return {
        f"{number}-{severity}-{n}": (
            f"MCP-CON-{number}",
            severity,
            path,
            text,
        )
        for path, rules in SETS.items()
        for (number, severity), texts in rules.items()
        for n, text in enumerate(texts[which])
    }


PLANTED, CLEAN = cases(0), cases(1)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What our own rules, without hadolint, find in each case's project."""
    root = tmp_path_factory.mktemp("cases")

    def scan(name, path, text):
        place = root / name / path
        place.parent.mkdir(parents=True)
        place.write_text(text)
        findings = container.check(Project(root / name), Options()).findings
        return {(finding.id, finding.severity) for finding in findings}

    with pytest.MonkeyPatch.context() as patch:
        bench(patch, root / "bench")
        patch.setenv("PATH", "")  # without git the files are listed faster
        every = [("planted", PLANTED), ("clean", CLEAN)]
        return {
            (kind, name): scan(f"{kind}-{name}", path, text)
            for kind, named in every
            for name, (_rule, _severity, path, text) in named.items()
        }


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_fault_is_found_and_nothing_else(found, case):
    assert found["planted", case] == {PLANTED[case][:2]}


@pytest.mark.parametrize("case", CLEAN)
def test_what_is_like_a_fault_and_right_is_none(found, case):
    assert found["clean", case] == set()


def test_every_rule_has_a_planted_and_a_clean_case():
    kinds = ("dockerfile", "run", "context", "text", "compose")
    kinds += (
        "compose-file",
        "compose-whole",
        "pod",
        "container",
        "manifest",
        "cluster",
    )
    ours = {x.id for kind in kinds for x in rules_for("MCP-CON-", on=kind)}
    ours -= {"MCP-CON-224", "MCP-CON-232"}  # see test_kustomize
    ours -= {"MCP-CON-034"}  # see test_container
    assert {rule for rule, *_rest in PLANTED.values()} == ours
    assert {rule for rule, *_rest in CLEAN.values()} == ours


def test_every_row_of_the_table_has_its_rule():
    table = Path(image_rules.__file__).with_name("rules.toml")
    assert tomllib.loads(table.read_text("utf-8")).keys() <= RULES.keys()
