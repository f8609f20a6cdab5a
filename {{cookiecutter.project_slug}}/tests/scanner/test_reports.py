import json
import os
import re

import pytest

from scanner.model import CheckResult, State
from scanner.report import console, html, markdown, sarif
from scanner.report import json as json_report
from scanner.rules import RULES
from tests.scanner import reports

FORMATS = {
    "console": console.render,
    "json": json_report.render,
    "sarif": sarif.render,
    "html": html.render,
    "markdown": markdown.render,
}


@pytest.fixture(scope="module")
def full():
    return reports.full()


@pytest.mark.parametrize("name", FORMATS)
def test_no_control_character_reaches_a_report(full, name):
    text = FORMATS[name](full)
    assert not set(re.findall(r"[^\n\x20-\x7e]", text)) & set(reports.EVIL)
    assert "\x1b" not in text
    text.encode("utf-8")


@pytest.mark.parametrize("name", FORMATS)
def test_every_finding_is_in_every_report(full, name):
    text = FORMATS[name](full)
    assert all(finding.id in text for finding in full.findings)


def test_the_console_ends_as_its_users_know_it():
    assert console.render(reports.clean()).endswith(
        "\nOverall Status: SECURE (0 critical, 0 high, 0 medium, 0 low)\n"
        "Security Grade: EXCEPTIONAL (A+)\n"
    )


def test_the_console_says_what_is_missing(full):
    text = console.render(full)
    assert "Incomplete: code, secrets\n" in text
    assert text.endswith(
        "Security Grade: NONE (there is none without code and secrets)\n"
    )


def test_an_incomplete_grade_says_so():
    gap = CheckResult(name="container", state=State.ERROR, reason="crashed")
    checks = [
        CheckResult(name=n, state=State.PASSED) for n in ("code", "secrets")
    ]
    text = console.render(reports.report(*checks, gap))
    assert text.endswith("Security Grade: GOOD (B, incomplete)\n")
    assert "crashed" in text


def test_the_summary_fits_a_screen(full):
    names = (
        "code",
        "dependencies",
        "secrets",
        "permissions",
        "container",
        "workflows",
        "configuration",
        "surface",
        "probes",
    )
    gaps = [
        CheckResult(name=n, state=State.ERROR, reason="why " * 60)
        for n in names
    ]
    lines = console.summary(reports.report(*gaps)).splitlines()
    assert len(lines) <= 36
    assert max(map(len, lines)) <= 79


def test_colour_changes_nothing_but_colour(full):
    text = console.render(full)
    painted = console.paint(text)
    assert painted != text
    assert re.sub(r"\x1b\[\d+m", "", painted) == text


def test_a_rule_is_explained():
    text = console.explain(RULES["MCP-CFG-001"])
    assert text.startswith("MCP-CFG-001: Other machines reach the server")
    assert "CWE-306" in text
    assert "Remedy: Set MCP_AUTH" in text


def test_json_has_the_form_of_the_contract(full):
    data = json.loads(json_report.render(full))
    assert list(data)[:7] == [
        "schema_version",
        "timestamp",
        "project",
        "overall_status",
        "grade",
        "counts",
        "checks",
    ]
    assert data["timestamp"] == "2026-11-21T12:00:00+00:00"
    assert data["counts"] == {"critical": 1, "high": 2, "medium": 1, "low": 0}
    code = data["checks"][0]
    assert list(code) == [
        "name",
        "state",
        "reason",
        "tool",
        "tool_version",
        "duration_seconds",
        "coverage",
        "findings",
    ]
    assert code["coverage"] == {"unit": "files", "covered": 3, "total": 4}
    assert list(code["findings"][0]) == [
        "id",
        "severity",
        "title",
        "path",
        "line",
        "message",
        "remediation",
        "cwe",
        "fingerprint",
    ]
    assert data["checks"][1]["state"] == "not_run"


def test_json_tells_new_open_and_accepted_apart(full):
    told = json.loads(json_report.render(full))["baseline"]
    assert len(told["open"]) == 4
    (accepted,) = told["accepted"]
    assert accepted["id"] == "MCP-CODE-B101"
    assert accepted["reason"] == "ours <b>only</b>"
    assert told["new"] == told["fixed"] == []


def test_sarif_has_what_code_hosts_ask_for(full):
    log = json.loads(sarif.render(full))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    ids = [rule["id"] for rule in rules]
    assert len(ids) == len(set(ids))
    for rule in rules:
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert float(rule["properties"]["security-severity"]) > 0
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert re.fullmatch(r"[\w.%/-]+", place["artifactLocation"]["uri"])
        assert place["region"]["startLine"] >= 1
        assert result["level"] in {"error", "warning", "note"}


def test_sarif_fingerprints_tell_equal_faults_apart():
    checks = [
        CheckResult(
            name="code",
            state=State.FINDINGS,
            findings=tuple(
                reports.finding(line=number, message="m")
                for number in range(1, 4)
            ),
        )
    ]
    (run,) = json.loads(sarif.render(reports.report(*checks)))["runs"]
    prints = [
        r["partialFingerprints"]["primaryLocationLineHash"]
        for r in run["results"]
    ]
    assert len(set(prints)) == 3


@pytest.mark.skipif(os.name != "posix", reason="bytes in names")
def test_sarif_names_a_file_by_its_bytes(full):
    (run,) = json.loads(sarif.render(full))["runs"]
    uris = [
        r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for r in run["results"]
    ]
    assert any("%1B%5B31m%3Cscript%3E" in u and "%FF.py" in u for u in uris)


def test_sarif_says_what_did_not_run_and_what_was_accepted(full):
    (run,) = json.loads(sarif.render(full))["runs"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    notes = [
        n["message"]["text"] for n in invocation["toolExecutionNotifications"]
    ]
    assert "secrets: it is not installed" in notes
    (accepted,) = [r for r in run["results"] if "suppressions" in r]
    assert accepted["ruleId"] == "MCP-CODE-B101"
    assert accepted["suppressions"][0]["status"] == "accepted"


def test_markdown_lets_no_name_break_its_table(full):
    text = markdown.render(full)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    widths = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert widths == {5, 6}
    assert "<script" not in re.sub(r"`[^`]*`", "", text)
    assert "@" not in re.sub(r"`[^`]*`", "", text)


def test_markdown_fits_into_a_comment():
    many = tuple(reports.finding(line=n) for n in range(1, 3000))
    check = CheckResult(name="code", state=State.FINDINGS, findings=many)
    text = markdown.render(reports.report(check))
    assert len(text) < 65_536
    assert re.search(r"… and \d+ more\.", text)
