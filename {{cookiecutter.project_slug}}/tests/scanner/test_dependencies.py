"""The lock is judged, and nobody who did not answer has passed it."""

import json
import sys
from pathlib import Path

import pytest

from scanner.advisories import auditors
from scanner.checks.dependencies import check
from scanner.grade import grade
from scanner.model import CheckResult, Options, Severity, State

from . import advisory_service as osv
from .faulty_tools import FAILURES
from .small_lock import LOCK, NOBODY, NOW, PYPROJECT, REQUIRES, ids

VERSIONS = {"uv": "0.13.8", "pip-audit": "2.10.1", "safety": "3.8.1"}


def answer(
    *,
    found: bool = False,
    audited: int = 2,
    skipped: bool = False,
    fixed: bool = True,
):
    """Return what each program prints of the lock above."""
    vulnerability = {
        "id": "PYSEC-2099-1",
        "aliases": ["CVE-2099-1"],
        "fix_versions": ["2.0"] * fixed,
        "description": "bad",
    }
    named = {"name": "demo", "version": "1.0"}
    uv = {
        "summary": {"audited_packages": audited},
        "vulnerabilities": [{"dependency": named, **vulnerability}] * found,
        "adverse_statuses": [],
    }
    second = {"skip_reason": "?"} if skipped else {"vulns": []}
    pip_audit = {
        "dependencies": [
            {**named, "vulns": [vulnerability] * found},
            {"name": "h11", "version": "1.0", **second},
        ]
    }
    reported = {
        "package_name": "demo",
        "analyzed_version": "1.0",
        "vulnerability_id": "51457",
        "CVE": "CVE-2099-1",
    }
    packages = [named] if skipped else [named, {**named, "name": "h11"}]
    safety = {
        "scanned_packages": {p["name"]: p for p in packages},
        "vulnerabilities": [reported] * found,
    }
    return {"uv": uv, "pip-audit": pip_audit, "safety": safety}


@pytest.fixture
def install(bench):
    """Installs programs that answer well, as told, or not at all."""

    def run(*names: str, **more: bool | int) -> None:
        for name, printed in answer(**more).items():
            if name in names:
                text = json.dumps(printed)
                code = 1 if more.get("found") else 0
                body = f"echo '{text}'; exit {code}"
                if name == "uv":
                    body = f'case "$1" in audit) {body};; esac'
                bench.install(name, body, VERSIONS[name])

    return run


# Who was asked


def test_a_lock_that_two_programs_answer_for_passes(scan_lock, install):
    install("uv", "pip-audit")
    result = scan_lock()

    assert (result.state, result.reason) == (State.PASSED, "")
    assert result.complete
    assert result.coverage.covered == result.coverage.total == 2
    assert (result.tool, result.tool_version) == (
        "uv audit, pip-audit",
        "0.13.8, 2.10.1",
    )


def test_what_both_report_is_one_finding(scan_lock, install):
    install("uv", "pip-audit", found=True)
    (found,) = scan_lock().findings

    assert found.id == "MCP-DEP-PYSEC-2099-1"
    assert (found.path, found.line) == ("uv.lock", 6)
    assert "demo 1.0" in found.message
    upgrade = "uv lock --upgrade-package demo"
    assert found.remediation == f"Upgrade it: {upgrade}; fixed in 2.0"


def test_no_upgrade_is_advised_where_there_is_none(scan_lock, install):
    install("uv", "pip-audit", found=True, fixed=False)
    (found,) = scan_lock().findings

    assert found.remediation.startswith("No release has a fix yet: ")


def test_an_advisory_of_unknown_weight_is_high(scan_lock, install):
    install("uv", "pip-audit", found=True)
    (found,) = scan_lock().findings

    assert found.severity is Severity.HIGH


def test_the_weight_is_that_of_the_record_s_vector(scan_lock, install):
    install("uv", "pip-audit", found=True)
    rated = osv.record(
        "demo", severity=[{"type": "CVSS_V3", "score": osv.CRITICAL}]
    )
    with osv.service(rated) as url:
        (found,) = scan_lock(url).findings

    assert found.severity is Severity.CRITICAL


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("name", ["uv", "pip-audit"])
def test_a_program_that_fails_is_no_pass(
    name, failure, scan_lock, install, bench
):
    install(*{"uv", "pip-audit"} - {name})
    bench.fail(name, failure, VERSIONS[name])
    result = scan_lock()

    assert result.state in {State.NOT_RUN, State.ERROR}
    assert not result.complete
    assert name in result.reason
    assert grade(_others(result), ()) == "B (incomplete)"


@pytest.mark.parametrize("failure", sorted({*FAILURES} - {"absent"}))
def test_safety_must_work_where_it_is_installed(
    failure, scan_lock, install, bench
):
    install("uv", "pip-audit")
    bench.fail("safety", failure, VERSIONS["safety"])
    result = scan_lock()

    assert not result.complete
    assert "safety" in result.reason


def test_safety_must_be_there_where_there_is_a_key(
    scan_lock, install, monkeypatch
):
    install("uv", "pip-audit")
    monkeypatch.setenv(auditors.SAFETY_KEY, "0" * 8)
    result = scan_lock()

    assert result.state is State.NOT_RUN
    assert "safety is not installed" in result.reason


def test_what_safety_adds_is_merged_by_its_cve(scan_lock, install):
    install("uv", "pip-audit", "safety", found=True)

    assert ids(scan_lock()) == ["MCP-DEP-PYSEC-2099-1"]


def test_the_report_of_safety_s_scan_is_read(
    scan_lock, install, bench, monkeypatch
):
    install("uv", "pip-audit")
    monkeypatch.setenv(auditors.SAFETY_KEY, "0" * 8)
    specification = {
        "raw": "demo==1.0",
        "vulnerabilities": {"known_vulnerabilities": [{"id": "51457"}]},
    }
    clean = {
        "raw": "h11==1.0",
        "vulnerabilities": {"known_vulnerabilities": []},
    }
    dependencies = [
        {"name": "demo", "specifications": [specification]},
        {"name": "h11", "specifications": [clean]},
    ]
    files = [{"results": {"dependencies": dependencies}}]
    report = {"scan_results": {"projects": [{"files": files}]}}
    bench.install(
        "safety",
        f"echo 'a banner'; echo '{json.dumps(report)}'; exit 64",
        VERSIONS["safety"],
    )
    result = scan_lock()

    assert ids(result) == ["MCP-DEP-SAFETY-51457"]
    assert result.complete


PARTS = {
    "uv": ({"audited": 1}, "uv audit answered for 1 of 2 packages"),
    "pip-audit": ({"skipped": True}, "pip-audit answered for 1 of 2"),
    "safety": ({"skipped": True}, "safety answered for 1 of 2"),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_program_that_audits_a_part_is_no_pass(name, scan_lock, install):
    more, reason = PARTS[name]
    install("uv", "pip-audit")
    install(name, **more)
    result = scan_lock()

    assert result.coverage.partial
    assert not result.complete
    assert reason in result.reason


@pytest.mark.parametrize("name", ["uv", "pip-audit"])
def test_a_report_without_its_findings_is_an_error(
    name, scan_lock, install, bench
):
    install("uv", "pip-audit")
    bench.install(
        name, 'echo \'{"summary": {"audited_packages": 2}}\'', VERSIONS[name]
    )

    assert scan_lock().state is State.ERROR


def _others(result: CheckResult) -> list[CheckResult]:
    ran = [
        CheckResult(name=n, state=State.PASSED) for n in ("code", "secrets")
    ]
    return [*ran, result]


# The real programs


@pytest.fixture
def real(bench):
    """Only the real uv and pip-audit are there, and Python."""
    bench.keep("uv", "pip-audit", "python")
    for name in ("uv", "pip-audit"):
        if not (bench.folder / name).exists():
            pytest.skip(f"{name} is not installed beside {sys.prefix}")


@pytest.mark.usefixtures("real")
def test_the_real_programs_pass_a_clean_lock(scan_lock):
    with osv.service(osv.record("somebody-else")) as url:
        result = scan_lock(url, 30)

    assert result.state is State.PASSED, result.reason
    assert result.complete
    assert result.stale  # offline, nobody could be asked for yanks


@pytest.mark.usefixtures("real")
def test_the_real_programs_find_what_the_service_knows(scan_lock):
    rated = osv.record(
        "demo", severity=[{"type": "CVSS_V3", "score": osv.CRITICAL}]
    )
    with osv.service(rated) as url:
        result = scan_lock(url, 30)

    assert result.complete
    assert [(f.id, f.severity) for f in result.findings] == [
        ("MCP-DEP-PYSEC-2099-1", Severity.CRITICAL)
    ]
    assert result.coverage.covered == 2


@pytest.mark.usefixtures("real")
def test_the_project_s_settings_cannot_ignore_an_advisory(
    scan_lock, install, bench
):
    (bench.folder / "pip-audit").unlink()
    install("pip-audit")  # which knows of nothing
    ignoring = PYPROJECT + '\n[tool.uv.audit]\nignore = ["PYSEC-2099-1"]\n'
    with osv.service(osv.record("demo")) as url:
        result = scan_lock(url, 30, **{"pyproject.toml": ignoring})

    assert result.complete
    assert ids(result) == ["MCP-DEP-PYSEC-2099-1"]


@pytest.mark.usefixtures("real")
def test_where_nobody_answers_the_check_did_not_run_and_says_so(scan_lock):
    result = scan_lock(NOBODY, 50)  # it does not wait for that

    assert result.state is State.NOT_RUN
    assert f"uv audit did not reach {NOBODY}" in result.reason
    assert "--advisories DIR" in result.reason


def test_offline_nobody_is_asked(make_project):
    files = {"pyproject.toml": PYPROJECT, "uv.lock": LOCK}
    result = check(make_project(**files), Options(offline=True, now=NOW))

    assert result.state is State.NOT_RUN
    assert "offline" in result.reason
    assert result.coverage.covered == 0


def test_a_service_that_can_be_overheard_is_not_asked(scan_lock):
    result = scan_lock("http://osv.example")

    assert result.state is State.ERROR
    assert "https" in result.reason


# A copy of the advisories


@pytest.fixture
def copy(tmp_path: Path):
    def make(modified: str, **more: object) -> str:
        folder = tmp_path / "advisories"
        folder.mkdir()
        text = json.dumps(osv.record("demo", modified=modified, **more))
        (folder / "a.json").write_text(text)
        return str(folder)

    return make


def test_a_fresh_copy_is_enough_but_not_for_the_best_grade(scan_lock, copy):
    result = scan_lock(copy("2026-11-20T00:00:00Z", withdrawn=osv.NOW))

    assert result.state is State.PASSED
    assert result.complete
    assert result.stale
    assert grade(_others(result), ()) == "A"
    assert "1 OSV records, the newest of 2026-11-20, 1 days" in result.reason


def test_a_copy_finds_what_it_knows(scan_lock, copy):
    scored = [{"type": "CVSS_V3", "score": osv.CRITICAL}]
    (found,) = scan_lock(
        copy("2026-11-20T00:00:00Z", severity=scored)
    ).findings

    assert found.id == "MCP-DEP-PYSEC-2099-1"
    assert found.severity is Severity.CRITICAL


def test_a_copy_that_is_too_old_finds_and_is_no_pass(scan_lock, copy):
    result = scan_lock(copy("2026-10-01T00:00:00Z"))

    assert ids(result) == ["MCP-DEP-PYSEC-2099-1"]
    assert result.state is State.NOT_RUN
    assert "51 days ago" in result.reason
    assert "older than 14 days" in result.reason


# The lock


def test_without_a_lock_nothing_was_audited(scan_lock):
    result = scan_lock(**{"uv.lock": ""})

    assert result.state is State.NOT_RUN
    assert "no lock to audit" in result.reason
    assert (result.coverage.covered, result.coverage.total) == (0, 1)


def test_a_lock_that_cannot_be_read_is_an_error(scan_lock):
    result = scan_lock(**{"uv.lock": "all is well"})

    assert result.state is State.ERROR
    assert "uv.lock" in result.reason


ROOTLESS = 'version = 1\nrequires-python = ">=3.11"\n'


@pytest.mark.parametrize(
    "lock",
    [
        f"{ROOTLESS}package = []\n",
        f"{ROOTLESS}\n{osv.package('demo')}",
        LOCK.replace('editable = "."', 'editable = "x"'),
    ],
    ids=["empty", "without the project", "another's"],
)
def test_a_lock_of_no_project_is_no_pass(lock, scan_lock, install):
    install("uv", "pip-audit")
    result = scan_lock(**{"uv.lock": lock})

    assert result.state is State.ERROR
    assert "not made for this project" in result.reason


def test_a_lock_that_names_nothing_is_no_pass(scan_lock, install):
    install("uv", "pip-audit", audited=0)
    result = scan_lock(**{"uv.lock": osv.lock(requires=REQUIRES)})

    assert not result.complete
    assert "names none of 1 packages" in result.reason
    assert (result.coverage.covered, result.coverage.total) == (0, 1)


@pytest.mark.parametrize(
    "text", ["-e git+https://host/demo#egg=demo", f"-i {osv.INDEX}"]
)
def test_requirements_that_pin_nothing_are_no_pass(text, scan_lock, install):
    install("pip-audit")
    result = scan_lock(**{"uv.lock": "", "requirements.txt": text})

    assert not result.complete
    assert ids(result) == ["MCP-DEP-006"] * text.startswith("-e")


def test_what_else_names_packages_is_said(scan_lock, install):
    install("uv", "pip-audit")
    others = {"requirements.txt": "a==1\n", "part/uv.lock": "version = 1\n"}
    result = scan_lock(**others)

    assert result.complete
    assert result.reason == "not audited: part/uv.lock, requirements.txt"


def test_an_address_that_is_none_is_no_lock(scan_lock):
    lock = LOCK.replace(osv.INDEX, "https://[x", 1)
    result = scan_lock(**{"uv.lock": lock})

    assert (result.state, result.reason) == (
        State.ERROR,
        "uv.lock is not of a known form",
    )


def test_a_release_that_was_taken_back_is_found(scan_lock, install, bench):
    install("uv", "pip-audit")
    said = 'warning: `demo==1.0` is yanked (reason: "it breaks")'
    printed = json.dumps(answer()["uv"])
    bench.install(
        "uv",
        f"""case "$1" in audit) echo '{printed}';; """
        f"""pip) echo '{said}' >&2;; esac""",
        VERSIONS["uv"],
    )
    (found,) = scan_lock().findings

    assert (found.id, found.severity) == ("MCP-DEP-009", Severity.MEDIUM)
    assert "it breaks" in found.message


def test_yanks_that_could_not_be_looked_for_are_said(
    scan_lock, install, bench
):
    install("uv", "pip-audit")
    printed = json.dumps(answer()["uv"])
    bench.install(
        "uv",
        f"""case "$1" in audit) echo '{printed}';; *) exit 2;; esac""",
        VERSIONS["uv"],
    )
    offline = scan_lock()
    online = scan_lock(offline=False)

    assert "yanked releases were not looked for" in offline.reason
    assert (offline.complete, offline.stale) == (True, True)
    assert "yanked releases were not looked for" in online.reason
    assert not online.complete


@pytest.mark.parametrize(
    ("status", "severity"),
    [("quarantined", Severity.CRITICAL), ("archived", Severity.MEDIUM)],
)
def test_a_project_that_its_index_marks_is_found(
    status, severity, scan_lock, install, bench
):
    install("pip-audit")
    report = answer()["uv"]
    report["adverse_statuses"] = [{"name": "demo", "status": status}]
    bench.install(
        "uv",
        f"""case "$1" in audit) echo '{json.dumps(report)}';; esac""",
        VERSIONS["uv"],
    )
    (found,) = scan_lock().findings

    assert (found.id, found.severity) == ("MCP-DEP-010", severity)
