import json
import os
import re
import sys
import types
from pathlib import Path

import pytest

from scanner import checks, cli
from scanner.model import CheckResult, Coverage, Finding, Severity, State

FAULT = Finding(
    id="MCP-CODE-B307",
    severity=Severity.MEDIUM,
    title="eval runs text",
    path="small_server/a.py",
    line=3,
    message="eval",
    remediation="Parse it.",
    anchor="eval(x)",
)


@pytest.fixture
def scan(monkeypatch, make_project, capsys):
    """Runs the command line over two checks; returns code, output, errors."""
    results = {
        "code": CheckResult(name="code", state=State.PASSED),
        "secrets": CheckResult(name="secrets", state=State.PASSED),
    }
    asked = []
    for name in results:
        module = types.ModuleType(name)

        def check(project, options, name=name):
            asked.append(options)
            return results[name]

        module.check = check
        monkeypatch.setitem(sys.modules, f"scanner.checks.{name}", module)
    monkeypatch.setattr(checks, "CHECKS", tuple(results))
    root = make_project().root

    def start(*argv, **changed):
        for name, (state, rest) in changed.items():
            results[name] = CheckResult(name=name, state=state, **rest)
        code = cli.main(argv, str(root))
        out, err = capsys.readouterr()
        return code, out, err

    start.root = root
    start.asked = asked
    return start


FOUND = (State.FINDINGS, {"findings": (FAULT,)})


def test_a_clean_scan_exits_with_0(scan):
    code, out, err = scan()
    assert code == 0
    assert out.endswith("Security Grade: EXCEPTIONAL (A+)\n")
    assert err == ""


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        ([], 1),
        (["--fail-on", "medium"], 1),
        (["--fail-on", "high"], 0),
        (["--skip", "code"], 0),
    ],
    ids=str,
)
def test_findings_exit_with_1_from_the_severity_asked_for(scan, argv, code):
    assert scan(*argv, code=FOUND)[0] == code


@pytest.mark.parametrize(
    "gap",
    [
        (State.NOT_RUN, {}),
        (State.ERROR, {}),
        (
            State.PASSED,
            {"coverage": Coverage(unit="files", covered=0, total=1)},
        ),
    ],
    ids=["not run", "error", "partial"],
)
def test_a_gap_exits_with_3(scan, gap):
    code, out, _ = scan(secrets=gap)
    assert code == 3
    assert "Overall Status: INCOMPLETE" in out


def test_a_check_left_out_does_not_fail_the_others(scan):
    code, out, _ = scan("--only", "code", secrets=(State.ERROR, {}))
    assert code == 0
    assert "Overall Status: INCOMPLETE" in out
    assert "A+" not in out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--only", "secret"], "did you mean secrets?"),
        (["--skip", "cod"], "did you mean code?"),
        (["--only", ","], "name a check"),
        (["--only", "code", "--skip", "code"], "no check is left"),
        (["--skip", "code,secrets"], "no check is left"),
        (["--format", "pdf"], "invalid choice"),
        (["--fail-on", "never"], "invalid choice"),
        (["--fail", "low"], "unrecognized arguments"),
        (["--timeout", "0"], "more than 0 seconds"),
        (["--timeout", "soon"], "more than 0 seconds"),
        (["--explain", "zzz"], "all lists them"),
        (["--baseline", "none.json"], "there is no such baseline"),
        (["--output", "no/where/x"], "cannot be written"),
        (["--output", "."], "cannot be written"),
        (["--frobnicate"], "unrecognized arguments"),
        (["a\x1b[31m\nb"], r"\x1b[31m\x0ab"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_usage_error_is_one_line_and_exits_with_2(scan, argv, words):
    code, out, err = scan(*argv)
    assert code == 2
    assert re.fullmatch(r"error: [^\n]+\n", err)
    assert words in err
    assert out == ""
    assert scan.asked == []


def test_a_baseline_that_cannot_be_read_is_a_usage_error(scan):
    path = scan.root / ".security" / "baseline.json"
    path.parent.mkdir()
    path.write_text("{")
    code, _, err = scan()
    assert code == 2
    assert "the baseline cannot be read" in err


def test_an_update_records_findings_as_open_and_they_still_count(scan):
    assert scan("--update-baseline", code=FOUND)[0] == 1
    path = scan.root / ".security" / "baseline.json"
    (entry,) = json.loads(path.read_text("utf-8"))["findings"]
    assert entry["status"] == "open"
    assert entry["id"] == "MCP-CODE-B307"
    assert scan(code=FOUND)[0] == 1


def test_what_the_baseline_accepts_is_shown_and_does_not_count(scan):
    scan("--update-baseline", code=FOUND)
    path = scan.root / ".security" / "baseline.json"
    data = json.loads(path.read_text("utf-8"))
    data["findings"][0] |= {"status": "accepted", "reason": "ours alone"}
    path.write_text(json.dumps(data), "utf-8")
    code, out, _ = scan(code=FOUND)
    assert code == 0
    assert "Accepted: ours alone" in out
    assert "SECURE (0 critical, 0 high, 0 medium, 0 low)" in out
    assert scan("--update-baseline", code=FOUND)[0] == 0
    assert json.loads(path.read_text("utf-8")) == data


def test_another_baseline_can_be_named(scan, tmp_path):
    path = tmp_path / "other.json"
    scan("--baseline", str(path), "--update-baseline", code=FOUND)
    assert path.exists()
    assert not (scan.root / ".security").exists()


def test_a_report_goes_to_a_file_and_the_summary_to_the_screen(scan, tmp_path):
    path = tmp_path / "report.json"
    code, out, _ = scan("--format", "json", "--output", str(path), code=FOUND)
    assert code == 1
    assert json.loads(path.read_text("utf-8"))["overall_status"]
    assert out.startswith("Security scan of small-server\n")


@pytest.mark.parametrize(
    "name", ["console", "json", "sarif", "html", "markdown"]
)
def test_every_format_is_printed_whole(scan, name):
    code, out, _ = scan("--format", name, code=FOUND)
    assert code == 1
    assert "MCP-CODE-B307" in out
    assert "\x1b" not in out


def test_options_reach_the_checks(scan):
    argv = ["--offline", "--history", "--no-probe", "--probe-open-world"]
    scan(*argv, "--advisories", "https://x.example", "--timeout", "5")
    options = scan.asked[0]
    assert options.offline
    assert options.history
    assert not options.probe
    assert options.probe_open_world
    assert options.advisories == "https://x.example"
    assert options.timeout == 5


def test_checks_are_given_what_the_baseline_keeps_of_them(scan):
    kept = {"components": {"code:x": "1"}}
    scan("--update-baseline", code=(State.PASSED, kept))
    scan()
    assert scan.asked[0].components is None
    assert scan.asked[-1].components == {"code:x": "1"}


def terminal(monkeypatch, *names):
    for name in names:
        monkeypatch.setattr(getattr(sys, name), "isatty", lambda: True)


def test_colour_and_progress_are_for_a_terminal(scan, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal(monkeypatch, "stdout", "stderr")
    _, out, err = scan(code=FOUND)
    assert "\x1b[33mMEDIUM" in out
    assert "code: findings" in err


def test_no_color_is_heard(scan, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    terminal(monkeypatch, "stdout")
    assert "\x1b" not in scan(code=FOUND)[1]


def test_a_rule_is_explained_and_nothing_scanned(capsys):
    assert cli.main(["--explain", "mcp-code-b307"], "nowhere") == 0
    out = capsys.readouterr().out
    assert out.startswith("MCP-CODE-B307: eval runs text as code\n")


def test_an_unknown_rule_names_the_nearest(capsys):
    assert cli.main(["--explain", "MCP-CFG-01"], "nowhere") == 2
    err = capsys.readouterr().err
    assert err.startswith("error: there is no MCP-CFG-01; did you mean MCP-")


def test_every_rule_is_explained_with_all(capsys):
    assert cli.main(["--explain", "all"], "nowhere") == 0
    assert capsys.readouterr().out.count("Remedy: ") >= 100


def test_help_names_the_checks_and_the_exit_codes(scan, capsys):
    with pytest.raises(SystemExit) as caught:
        scan("--help")
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "code, secrets" in text
    assert "3  a check that was asked for did not run" in text


@pytest.mark.skipif(os.name != "posix", reason="devices")
def test_a_full_disk_is_one_line(scan):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    code, _, err = scan("--output", "/dev/full")
    assert code == 2
    assert err == "error: /dev/full: No space left on device\n"
