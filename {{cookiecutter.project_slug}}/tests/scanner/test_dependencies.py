"""The lock is judged, and nobody who did not answer has passed it."""

import datetime as dt
import json
import sys
from pathlib import Path

import pytest

from scanner.advisories import auditors
from scanner.checks.dependencies import check
from scanner.grade import grade
from scanner.model import CheckResult, Options, Severity, State
from scanner.rules import RULES

from . import advisory_service as osv
from .faulty_tools import FAILURES

PYPROJECT = """\
[project]
name = "small-server"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [
  "demo>=1,<2",
]

[project.scripts]
small-server = "small_server.__main__:main"
"""
REQUIRES = '{ name = "demo", specifier = ">=1,<2" }'
LOCK = osv.lock(osv.package("demo"), osv.package("h11"), requires=REQUIRES)
NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
NOBODY = "http://127.0.0.1:1"
VERSIONS = {"uv": "0.13.8", "pip-audit": "2.10.1", "safety": "3.8.1"}


def answer(*, found: bool = False, audited: int = 2, skipped: bool = False):
    """Return what each program prints of the lock above."""
    vulnerability = {
        "id": "PYSEC-2099-1",
        "aliases": ["CVE-2099-1"],
        "fix_versions": ["2.0"],
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


@pytest.fixture
def scan(make_project, bench):
    def run(
        advisories: str | None = NOBODY, timeout: float = 2, **files: str
    ) -> CheckResult:
        given = {"pyproject.toml": PYPROJECT, "uv.lock": LOCK, **files}
        project = make_project(**{k: v for k, v in given.items() if v})
        options = Options(
            advisories=advisories, offline=True, timeout=timeout, now=NOW
        )
        return check(project, options)

    return run


def ids(result: CheckResult) -> list[str]:
    return [finding.id for finding in result.findings]


# Who was asked


def test_a_lock_that_two_programs_answer_for_passes(scan, install):
    install("uv", "pip-audit")
    result = scan()

    assert (result.state, result.reason) == (State.PASSED, "")
    assert result.complete
    assert result.coverage.covered == result.coverage.total == 2
    assert (result.tool, result.tool_version) == (
        "uv audit, pip-audit",
        "0.13.8, 2.10.1",
    )


def test_what_both_report_is_one_finding(scan, install):
    install("uv", "pip-audit", found=True)
    (found,) = scan().findings

    assert found.id == "MCP-DEP-PYSEC-2099-1"
    assert (found.path, found.line) == ("uv.lock", 6)
    assert "demo 1.0" in found.message
    assert "fixed in 2.0" in found.remediation


def test_an_advisory_of_unknown_weight_is_high(scan, install):
    install("uv", "pip-audit", found=True)
    (found,) = scan().findings

    assert found.severity is Severity.HIGH


def test_the_weight_is_that_of_the_record_s_vector(scan, install):
    install("uv", "pip-audit", found=True)
    rated = osv.record(
        "demo", severity=[{"type": "CVSS_V3", "score": osv.CRITICAL}]
    )
    with osv.service(rated) as url:
        (found,) = scan(url).findings

    assert found.severity is Severity.CRITICAL


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("name", ["uv", "pip-audit"])
def test_a_program_that_fails_is_no_pass(name, failure, scan, install, bench):
    install(*{"uv", "pip-audit"} - {name})
    bench.fail(name, failure, VERSIONS[name])
    result = scan()

    assert result.state in {State.NOT_RUN, State.ERROR}
    assert not result.complete
    assert name in result.reason
    assert grade(_others(result), ()) == "B (incomplete)"


@pytest.mark.parametrize("failure", sorted({*FAILURES} - {"absent"}))
def test_safety_must_work_where_it_is_installed(failure, scan, install, bench):
    install("uv", "pip-audit")
    bench.fail("safety", failure, VERSIONS["safety"])
    result = scan()

    assert not result.complete
    assert "safety" in result.reason


def test_safety_must_be_there_where_there_is_a_key(scan, install, monkeypatch):
    install("uv", "pip-audit")
    monkeypatch.setenv(auditors.SAFETY_KEY, "0" * 8)
    result = scan()

    assert result.state is State.NOT_RUN
    assert "safety is not installed" in result.reason


def test_what_safety_adds_is_merged_by_its_cve(scan, install):
    install("uv", "pip-audit", "safety", found=True)

    assert ids(scan()) == ["MCP-DEP-PYSEC-2099-1"]


def test_the_report_of_safety_s_scan_is_read(
    scan, install, bench, monkeypatch
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
    result = scan()

    assert ids(result) == ["MCP-DEP-SAFETY-51457"]
    assert result.complete


PARTS = {
    "uv": ({"audited": 1}, "uv audit answered for 1 of 2 packages"),
    "pip-audit": ({"skipped": True}, "pip-audit answered for 1 of 2"),
    "safety": ({"skipped": True}, "safety answered for 1 of 2"),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_program_that_audits_a_part_is_no_pass(name, scan, install):
    more, reason = PARTS[name]
    install("uv", "pip-audit")
    install(name, **more)
    result = scan()

    assert result.coverage.partial
    assert not result.complete
    assert reason in result.reason


@pytest.mark.parametrize("name", ["uv", "pip-audit"])
def test_a_report_without_its_findings_is_an_error(name, scan, install, bench):
    install("uv", "pip-audit")
    bench.install(
        name, 'echo \'{"summary": {"audited_packages": 2}}\'', VERSIONS[name]
    )

    assert scan().state is State.ERROR


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
def test_the_real_programs_pass_a_clean_lock(scan):
    with osv.service(osv.record("somebody-else")) as url:
        result = scan(url, 30)

    assert result.state is State.PASSED, result.reason
    assert result.complete
    assert not result.stale


@pytest.mark.usefixtures("real")
def test_the_real_programs_find_what_the_service_knows(scan):
    rated = osv.record(
        "demo", severity=[{"type": "CVSS_V3", "score": osv.CRITICAL}]
    )
    with osv.service(rated) as url:
        result = scan(url, 30)

    assert result.complete
    assert [(f.id, f.severity) for f in result.findings] == [
        ("MCP-DEP-PYSEC-2099-1", Severity.CRITICAL)
    ]
    assert result.coverage.covered == 2


@pytest.mark.usefixtures("real")
def test_the_project_s_settings_cannot_ignore_an_advisory(
    scan, install, bench
):
    (bench.folder / "pip-audit").unlink()
    install("pip-audit")  # which knows of nothing
    ignoring = PYPROJECT + '\n[tool.uv.audit]\nignore = ["PYSEC-2099-1"]\n'
    with osv.service(osv.record("demo")) as url:
        result = scan(url, 30, **{"pyproject.toml": ignoring})

    assert result.complete
    assert ids(result) == ["MCP-DEP-PYSEC-2099-1"]


@pytest.mark.usefixtures("real")
def test_where_nobody_answers_the_check_did_not_run_and_says_so(scan):
    result = scan(NOBODY, 50)  # it does not wait for that

    assert result.state is State.NOT_RUN
    assert f"uv audit did not reach {NOBODY}" in result.reason
    assert "--advisories DIR" in result.reason


def test_offline_nobody_is_asked(make_project):
    files = {"pyproject.toml": PYPROJECT, "uv.lock": LOCK}
    result = check(make_project(**files), Options(offline=True, now=NOW))

    assert result.state is State.NOT_RUN
    assert "offline" in result.reason
    assert result.coverage.covered == 0


def test_a_service_that_can_be_overheard_is_not_asked(scan):
    result = scan("http://osv.example")

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


def test_a_fresh_copy_is_enough_but_not_for_the_best_grade(scan, copy):
    result = scan(copy("2026-11-20T00:00:00Z", withdrawn=osv.NOW))

    assert result.state is State.PASSED
    assert result.complete
    assert result.stale
    assert grade(_others(result), ()) == "A"
    assert "1 OSV records, the newest of 2026-11-20, 1 days" in result.reason


def test_a_copy_finds_what_it_knows(scan, copy):
    scored = [{"type": "CVSS_V3", "score": osv.CRITICAL}]
    (found,) = scan(copy("2026-11-20T00:00:00Z", severity=scored)).findings

    assert found.id == "MCP-DEP-PYSEC-2099-1"
    assert found.severity is Severity.CRITICAL


def test_a_copy_that_is_too_old_finds_and_is_no_pass(scan, copy):
    result = scan(copy("2026-10-01T00:00:00Z"))

    assert ids(result) == ["MCP-DEP-PYSEC-2099-1"]
    assert result.state is State.NOT_RUN
    assert "51 days ago" in result.reason
    assert "older than 14 days" in result.reason


# The lock itself

UNBOUNDED = PYPROJECT.replace(">=1,<2", ">=1")
WISH = REQUIRES.replace(">=1,<2", ">=1")
PROTOCOL = PYPROJECT.replace("demo>=1,<2", "fastmcp>=4")
GIT = '{ git = "https://host/demo?rev=1#0" }'
RULES_OF_LOCKS = {
    "001": (Severity.HIGH, {"uv.lock": ""}),
    "002": (
        Severity.MEDIUM,
        {"uv.lock": LOCK.replace(">=1,<2", ">=1,<3")},
    ),
    "003": (
        Severity.MEDIUM,
        {
            "uv.lock": osv.lock(
                osv.package("demo", hashed=False), requires=REQUIRES
            )
        },
    ),
    "004": (
        Severity.MEDIUM,
        {
            "pyproject.toml": PROTOCOL,
            "uv.lock": LOCK.replace(
                REQUIRES, '{ name = "fastmcp", specifier = ">=4" }'
            ),
        },
    ),
    "005": (
        Severity.LOW,
        {"pyproject.toml": UNBOUNDED, "uv.lock": LOCK.replace(REQUIRES, WISH)},
    ),
    "006": (
        Severity.MEDIUM,
        {
            "uv.lock": osv.lock(
                osv.package("demo", source=GIT), requires=REQUIRES
            )
        },
    ),
    "007": (
        Severity.HIGH,
        {
            "uv.lock": osv.lock(
                osv.package("demo", source='{ registry = "http://host/x" }'),
                requires=REQUIRES,
            )
        },
    ),
    "008": (
        Severity.LOW,
        {
            "uv.lock": osv.lock(
                osv.package("demo", uploaded="2026-08-01T00:00:00Z"),
                requires=REQUIRES,
            )
        },
    ),
    "012": (
        Severity.MEDIUM,
        {
            "pyproject.toml": PYPROJECT
            + '[tool.uv]\nindex-strategy = "unsafe-best-match"\n'
        },
    ),
    "013": (
        Severity.HIGH,
        {"uv.lock": LOCK.replace('{ name = "h11" }', '{ name = "gone" }', 1)},
    ),
    "014": (
        Severity.HIGH,
        {"uv.lock": LOCK.replace("//x/h11-", "//other.example/h11-")},
    ),
    "015": (
        Severity.LOW,
        {"pyproject.toml": f'[build-system]\nrequires = ["b"]\n\n{PYPROJECT}'},
    ),
    "011": (
        Severity.HIGH,
        {"uv.lock": "", "requirements.txt": f"demo --hash=sha256:{'0' * 64}"},
    ),
}


@pytest.mark.parametrize("number", RULES_OF_LOCKS)
def test_a_planted_fault_of_the_lock_is_found(number, scan):
    severity, files = RULES_OF_LOCKS[number]
    found = {(f.id, f.severity) for f in scan(**files).findings}

    assert found == {(f"MCP-DEP-{number}", severity)}


BY_HAND = {
    "removed": LOCK.replace(osv.package("h11"), ""),
    "added": LOCK.replace(
        "[[package]]", f"{osv.package('evil')}[[package]]", 1
    ),
    "out of bounds": LOCK.replace(
        osv.package("demo"), osv.package("demo", "2.0")
    ),
    "another version": LOCK.replace('version = "1.0"', 'version = "1.1"', 1),
    "another's file": LOCK.replace("h11-1.0-py3", "hll-1.0-py3"),
    "a longer version": LOCK.replace("h11-1.0-py3", "h11-1.0.1-py3"),
}


@pytest.mark.parametrize("way", BY_HAND)
def test_a_lock_that_was_changed_by_hand_is_found(way, scan):
    found = scan(**{"uv.lock": BY_HAND[way]}).findings

    assert [f.id for f in found] == ["MCP-DEP-013"]


def test_a_package_of_an_index_that_nobody_named_is_found(scan):
    mine = osv.package("h11", source='{ registry = "https://mine/simple" }')
    lock = osv.lock(
        osv.package("demo"), osv.package("tool"), mine, requires=REQUIRES
    )
    index = '\n[[tool.uv.index]]\nname = "mine"\nurl = "https://mine/simple"\n'

    assert ids(scan(**{"uv.lock": lock})) == ["MCP-DEP-014"]
    named = {"uv.lock": lock, "pyproject.toml": PYPROJECT + index}
    assert ids(scan(**named)) == []


def test_a_member_of_the_workspace_is_no_missing_package(scan):
    member = osv.package("part", source='{ editable = "part" }')
    lock = osv.lock(osv.package("demo"), member, requires=REQUIRES)

    assert scan(**{"uv.lock": lock}).findings == ()


WEAK = {
    "MD5": ("MCP-DEP-003", LOCK.replace("sha256:" + "0" * 64, "md5:0", 1)),
    "http": ("MCP-DEP-007", LOCK.replace("https://x/", "http://x/", 1)),
    "Python": ("MCP-DEP-002", LOCK.replace(">=3.11", ">=3.12", 1)),
}


@pytest.mark.parametrize("way", WEAK)
def test_a_part_of_the_lock_that_is_weak_or_off_is_found(way, scan):
    known, lock = WEAK[way]

    assert ids(scan(**{"uv.lock": lock})) == [known]


SOURCES = {
    "git": (
        "MCP-DEP-006",
        '[tool.uv.sources]\ndemo = { git = "https://h/d" }',
    ),
    "path": ("MCP-DEP-006", '[tool.uv.sources]\ndemo = { path = "../demo" }'),
    "override": (
        "MCP-DEP-002",
        '[tool.uv]\noverride-dependencies = ["h11==2"]',
    ),
    "prerelease": ("MCP-DEP-012", '[tool.uv]\nprerelease = "allow"'),
    "index": ("MCP-DEP-012", '[[tool.uv.index]]\nurl = "http://host/simple"'),
    "extra": ("MCP-DEP-012", '[tool.uv]\nextra-index-url = ["http://h/s"]'),
    "backend": (
        "MCP-DEP-015",
        '[build-system]\nrequires = ["b @ git+https://host/b"]',
    ),
}


@pytest.mark.parametrize("way", SOURCES)
def test_what_pyproject_says_of_sources_is_judged(way, scan):
    known, text = SOURCES[way]

    assert ids(scan(**{"pyproject.toml": f"{PYPROJECT}\n{text}\n"})) == [known]


def test_sources_that_are_no_fault_are_let_be(scan):
    text = (
        '[build-system]\nrequires = ["b>=1,<2"]\n[tool.uv]\n'
        'prerelease = "if-necessary"\nindex-url = "http://localhost:8/simple"\n'
        "[tool.uv.sources]\ndemo = { workspace = true }\n"
    )

    assert ids(scan(**{"pyproject.toml": f"{PYPROJECT}\n{text}"})) == []


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("--extra-index-url https://host/simple", Severity.MEDIUM),
        ("--trusted-host host", Severity.MEDIUM),
        ("--index-url=http://host/simple", Severity.HIGH),
        ("--index-url https://host/simple", None),
    ],
)
def test_an_option_in_a_requirements_file_is_judged(line, severity, scan):
    found = scan(**{"requirements-dev.txt": f"{line}\n"}).findings

    assert [f.severity for f in found] == [severity] * bool(severity)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('allow-insecure-host = ["host"]\n', [1]),
        ('[pip]\nindex-strategy = "unsafe-first-match"\n', [2]),
        ('index-strategy = "first-index"\nallow-insecure-host = []\n', []),
        ("no TOML", []),
    ],
)
def test_a_file_of_uv_s_own_is_read_too(text, lines, scan):
    found = scan(**{"uv.toml": text}).findings

    assert [(f.id, f.path, f.line) for f in found] == [
        ("MCP-DEP-012", "uv.toml", line) for line in lines
    ]


def test_a_sound_lock_has_no_finding(scan):
    assert scan().findings == ()


@pytest.mark.parametrize(
    "text",
    [
        '"demo == 1.0"',
        '"demo ~= 1.0"',
        '"demo <= 1.9"',
        "'demo[extra] >= 1, < 2 ; python_version > \"3\"'",
    ],
)
def test_each_way_to_bound_a_dependency_counts(text, scan):
    pyproject = PYPROJECT.replace('"demo>=1,<2"', text)

    assert "MCP-DEP-005" not in ids(scan(**{"pyproject.toml": pyproject}))


def test_extras_and_groups_are_compared_too(scan):
    groups = (
        '\n[project.optional-dependencies]\nx = ["extra<3"]\n'
        '\n[dependency-groups]\nbase = ["tool<4"]\n'
        'dev = [{include-group = "base"}]\n'
    )
    wanted = PYPROJECT + groups
    extra = REQUIRES + ', { name = "extra", specifier = "<3" }'
    made = (
        f"requires-dist = [{extra}]\n[package.metadata.requires-dev]\n"
        'base = [{ name = "tool", specifier = "<4" }]\n'
        'dev = [{ name = "tool", specifier = "<4" }]\n'
    )
    lock = LOCK.replace(f"requires-dist = [{REQUIRES}]\n", made)

    assert scan(**{"pyproject.toml": wanted, "uv.lock": lock}).findings == ()
    assert ids(scan(**{"pyproject.toml": wanted})) == ["MCP-DEP-002"]


def test_without_a_lock_nothing_was_audited(scan):
    result = scan(**{"uv.lock": ""})

    assert result.state is State.NOT_RUN
    assert "no lock to audit" in result.reason
    assert (result.coverage.covered, result.coverage.total) == (0, 1)


def test_a_lock_that_cannot_be_read_is_an_error(scan):
    result = scan(**{"uv.lock": "all is well"})

    assert result.state is State.ERROR
    assert "uv.lock" in result.reason


def test_a_release_that_was_taken_back_is_found(scan, install, bench):
    install("uv", "pip-audit")
    said = 'warning: `demo==1.0` is yanked (reason: "it breaks")'
    printed = json.dumps(answer()["uv"])
    bench.install(
        "uv",
        f"""case "$1" in audit) echo '{printed}';; """
        f"""pip) echo '{said}' >&2;; esac""",
        VERSIONS["uv"],
    )
    (found,) = scan().findings

    assert (found.id, found.severity) == ("MCP-DEP-009", Severity.MEDIUM)
    assert "it breaks" in found.message


def test_yanks_that_could_not_be_looked_for_are_said(scan, install, bench):
    install("uv", "pip-audit")
    printed = json.dumps(answer()["uv"])
    bench.install(
        "uv",
        f"""case "$1" in audit) echo '{printed}';; *) exit 2;; esac""",
        VERSIONS["uv"],
    )
    result = scan()

    assert result.state is State.PASSED
    assert "yanked releases were not looked for" in result.reason


@pytest.mark.parametrize(
    ("status", "severity"),
    [("quarantined", Severity.CRITICAL), ("archived", Severity.LOW)],
)
def test_a_project_that_its_index_marks_is_found(
    status, severity, scan, install, bench
):
    install("pip-audit")
    report = answer()["uv"]
    report["adverse_statuses"] = [{"name": "demo", "status": status}]
    bench.install(
        "uv",
        f"""case "$1" in audit) echo '{json.dumps(report)}';; esac""",
        VERSIONS["uv"],
    )
    (found,) = scan().findings

    assert (found.id, found.severity) == ("MCP-DEP-010", severity)


def test_every_rule_of_the_lock_is_tried_here():
    tried = {f"MCP-DEP-{n}" for n in [*RULES_OF_LOCKS, "009", "010"]}
    there = {i for i in RULES if i.startswith("MCP-DEP-") and RULES[i].find}

    assert tried == there
