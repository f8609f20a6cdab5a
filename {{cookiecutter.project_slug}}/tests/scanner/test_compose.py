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


def test_what_a_service_extends_in_another_file_counts_too(found):
    base = SERVICE.replace("    image: ghcr.io/example/server:1.2.3\n", "")
    text = (
        "services:\n  server:\n    image: a:1.2.3\n"
        "    extends: {file: ../base.yaml, service: server}\n"
    )
    files = {"base.yaml": base, "deploy/compose.yaml": text}
    assert found(**files) == set()
    files["base.yaml"] += "    privileged: true\n"
    assert found(**files) == {
        ("101", "base.yaml"),
        ("101", "deploy/compose.yaml"),
    }


def test_files_that_extend_each_other_end(found):
    files = {
        f"{name}.yaml": "services: {a: {image: 'x:1.1', extends: {file: "
        f"{other}.yaml, service: a}}}}}}\n"
        for name, other in (("a", "b"), ("b", "a"))
    }
    assert {path for _rule, path in found(**files)} == {"a.yaml", "b.yaml"}


def test_an_included_file_is_judged_whatever_it_is_called(found):
    stack = "services: {server: {privileged: true}}\n"
    assert found(**{"parts.yaml": stack}) == set()
    for include in ("parts.yaml", "{path: [other.yaml, parts.yaml]}"):
        files = {
            "parts.yaml": stack,
            "other.yaml": "services: {}\n",
            "compose.yaml": f"{SERVICE}include: [{include}]\n",
        }
        assert found(**files) >= {("101", "parts.yaml")}


@pytest.mark.parametrize(
    "text",
    [
        f"{SERVICE}include: [../elsewhere.yaml]\n",
        f"{SERVICE}    extends: {{file: gone.yaml, service: a}}\n",
        f'{SERVICE}    build:\n      dockerfile_inline: "FROM a:1.1"\n',
    ],
    ids=["include", "extends", "inline"],
)
def test_what_is_not_seen_is_a_gap(make_project, options, bench, text):
    project = make_project(**{"compose.yaml": text})
    result = container.check(project, options)
    assert not result.complete
    assert "compose.yaml: " in result.reason


def test_the_stage_that_is_built_is_the_one_that_is_judged(found):
    text = (
        'FROM python:3.13.1-slim AS Debug\nUSER root\nCMD ["a"]\n'
        "FROM python:3.13.1-slim\nUSER 10001\nHEALTHCHECK CMD a\nCMD a\n"
    )
    files = {"deploy/x.Dockerfile": text}
    plain = f"{SERVICE}    build: {{context: ., dockerfile: x.Dockerfile"
    before = found(**files, **{"deploy/compose.yaml": f"{plain}}}\n"})
    built = {"deploy/compose.yaml": f"{plain}, target: debug}}\n"}
    added = found(**files, **built) - before
    assert {path for _rule, path in added} == {"deploy/x.Dockerfile"}
    assert ("002", "deploy/x.Dockerfile") in added


def test_a_dockerfile_inside_is_judged_where_it_stands(
    make_project, options, bench
):
    text = (
        f"{SERVICE}    build:\n      dockerfile_inline: |\n"
        "        FROM python:3.13.1-slim\n"
        "        RUN curl https://example.com/i.sh | sh\n"
        "        USER 10001\n        HEALTHCHECK CMD a\n"
    )
    project = make_project(**{"compose.yaml": text})
    found = container.check(project, options).findings
    (fetched,) = (f for f in found if f.id == "MCP-CON-004")
    line = text.splitlines()[(fetched.line or 0) - 1]
    assert line.strip().startswith("RUN curl")


def test_what_a_file_of_variables_sets_counts(found):
    secret = "".join(["hun", "ter2", "!Zq"])
    for form in ("x.env", "[x.env]", "[{path: ./x.env, required: false}]"):
        files = {
            "compose.yaml": f"{SERVICE}    env_file: {form}\n",
            "x.env": f"# a\nexport DB_PASSWORD='{secret}'\nDEBUG=1\n",
        }
        assert found(**files) == {
            ("113", "compose.yaml"),
            ("120", "compose.yaml"),
        }
    files["compose.yaml"] = SERVICE
    assert found(**files) == set()


def test_a_service_of_a_profile_is_judged_like_any_other(found):
    text = f"{SERVICE}    profiles: [debug]\n    privileged: true\n"
    assert found(**{"compose.yaml": text}) == {("101", "compose.yaml")}


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
