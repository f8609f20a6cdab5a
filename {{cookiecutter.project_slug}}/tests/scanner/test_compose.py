import pytest

from scanner.checks import container
from tests.scanner.compose_cases import SERVICE


@pytest.fixture
def found(make_project, options, bench):
    """The rules that fire in each of these files."""

    def check(**files):
        result = container.check(make_project(**files), options)
        return {
            (f.id.removeprefix("MCP-CON-"), f.path) for f in result.findings
        }

    return check


LOOSE = "services: {server: {image: a:1}}\n"
ABSENCES = {"106", "107", "108", "114"}


@pytest.mark.parametrize(
    "path",
    [
        "compose.yml",
        "docker-compose.yaml",
        "deploy/compose.prod.yaml",
        "deploy/docker-compose-dev.yml",
        "stack.yaml",
    ],
)
def test_a_compose_file_is_known_by_its_name_or_its_services(found, path):
    assert {rule for rule, _path in found(**{path: LOOSE})} == ABSENCES


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("services.yaml", "services: [a, b]\n"),
        ("openapi.yaml", "services: {a: {url: b}}\n"),
        (".github/workflows/ci.yaml", LOOSE),
    ],
)
def test_what_only_looks_like_one_is_none(found, path, text):
    assert found(**{path: text}) == set()


def test_a_file_that_completes_another_need_not_say_it_all(found):
    more = "services: {server: {image: 'a:1', ports: ['8080:8080']}}\n"
    files = {"compose.yaml": SERVICE, "compose.override.yaml": more}
    assert found(**files) == set()


def test_a_file_that_completes_another_may_not_loosen_it(found):
    more = "services: {server: {privileged: true}}\n"
    files = {"compose.yaml": SERVICE, "compose.override.yaml": more}
    assert found(**files) == {("101", "compose.override.yaml")}


def test_what_a_service_extends_counts_for_it(found):
    more = "  worker: {extends: {service: server}, command: [work]}\n"
    assert found(**{"compose.yaml": SERVICE + more}) == set()
    looser = "  worker: {extends: server, read_only: false}\n"
    assert found(**{"compose.yaml": SERVICE + looser}) == {
        ("108", "compose.yaml")
    }


def test_services_that_extend_each_other_end(found):
    text = "services: {a: {extends: b, image: x:1}, b: {extends: a}}\n"
    assert {rule for rule, _path in found(**{"compose.yaml": text})}


def test_merged_keys_count(found):
    merged = SERVICE.replace("  server:", "  server: &base") + (
        "  worker:\n    <<: *base\n    command: [work]\n"
    )
    assert found(**{"compose.yaml": merged}) == set()


def test_a_finding_names_its_service_and_line(make_project, options, bench):
    text = SERVICE + '    volumes:\n      - "a:/b"\n      - "/:/host"\n'
    project = make_project(**{"compose.yaml": text})
    (finding,) = container.check(project, options).findings
    assert (finding.path, finding.line) == ("compose.yaml", 12)
    assert finding.message.startswith("service server: ")
