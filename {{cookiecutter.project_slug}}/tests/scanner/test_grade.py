import dataclasses

import pytest

from scanner import grade
from scanner.model import CheckResult, Coverage, Finding, Severity, State


def ran(name, state=State.PASSED, **rest):
    return CheckResult(name=name, state=state, **rest)


def faults(**counts):
    return [
        Finding(
            id="MCP-X-001",
            severity=Severity(kind),
            title="t",
            message=f"{kind} {number}",
            remediation="r",
        )
        for kind, count in counts.items()
        for number in range(count)
    ]


WHOLE = (ran("code"), ran("secrets"), ran("container"))
PARTIAL = Coverage(unit="files", covered=1, total=2)


@pytest.mark.parametrize(
    ("counts", "letter"),
    [
        ({}, "A+"),
        ({"low": 1}, "A"),
        ({"low": 5}, "A"),
        ({"low": 6}, "B"),
        ({"medium": 1}, "B"),
        ({"medium": 2}, "B"),
        ({"medium": 3}, "C"),
        ({"high": 1}, "C"),
        ({"high": 1, "medium": 2}, "D"),
        ({"high": 2}, "D"),
        ({"high": 3}, "F"),
        ({"critical": 1}, "F"),
        ({"low": 60}, "F"),
    ],
    ids=str,
)
def test_points_and_caps_give_the_grade(counts, letter):
    assert grade.grade(WHOLE, faults(**counts)) == letter


@pytest.mark.parametrize(
    "gap",
    [
        ran("container", State.NOT_RUN),
        ran("container", State.ERROR),
        ran("container", coverage=PARTIAL),
        ran("container", State.FINDINGS, coverage=PARTIAL),
    ],
    ids=["not run", "error", "partial", "partial with findings"],
)
def test_what_was_not_seen_caps_the_grade_and_is_said(gap):
    checks = (*WHOLE[:2], gap)
    assert grade.grade(checks, []) == "B (incomplete)"
    assert grade.overall_status(checks, []) == "INCOMPLETE"
    assert grade.exit_code(checks, [], Severity.LOW) == 3


def test_a_check_that_does_not_apply_costs_nothing():
    checks = (*WHOLE[:2], ran("container", State.NOT_APPLICABLE))
    assert grade.grade(checks, []) == "A+"
    assert grade.overall_status(checks, []) == "SECURE"


@pytest.mark.parametrize("name", ["code", "secrets"])
@pytest.mark.parametrize(
    "state", [State.NOT_RUN, State.ERROR, State.NOT_APPLICABLE]
)
def test_no_grade_without_code_or_secrets(name, state):
    checks = [c for c in WHOLE if c.name != name] + [ran(name, state)]
    assert grade.grade(checks, []) is None


def test_no_grade_when_an_essential_check_is_missing_altogether():
    assert grade.grade((ran("code"),), []) is None


def test_advisories_of_another_day_bar_an_a_plus():
    checks = (*WHOLE, ran("dependencies", stale=True))
    assert grade.grade(checks, []) == "A"


def test_an_accepted_suppression_without_a_reason_bars_an_a_plus():
    (finding,) = faults(low=1)
    finding = dataclasses.replace(finding, id="MCP-CODE-001")
    checks = (ran("code", State.FINDINGS, findings=(finding,)), *WHOLE[1:])
    assert grade.grade(checks, []) == "A"


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({}, "SECURE"),
        ({"low": 1}, "LOW_RISK"),
        ({"medium": 1, "low": 9}, "MEDIUM_RISK"),
        ({"high": 1, "medium": 9}, "HIGH_RISK"),
        ({"critical": 1, "high": 9}, "CRITICAL"),
    ],
    ids=str,
)
def test_the_worst_finding_names_the_status(counts, status):
    assert grade.overall_status(WHOLE, faults(**counts)) == status


@pytest.mark.parametrize(
    ("kind", "fail_on", "code"),
    [
        ("low", "low", 1),
        ("low", "medium", 0),
        ("medium", "medium", 1),
        ("high", "critical", 0),
        ("critical", "critical", 1),
    ],
)
def test_fail_on_sets_what_counts_for_the_exit_code(kind, fail_on, code):
    found = faults(**{kind: 1})
    assert grade.exit_code(WHOLE, found, Severity(fail_on)) == code


def test_findings_weigh_more_than_gaps_in_the_exit_code():
    checks = (*WHOLE, ran("dependencies", State.NOT_RUN))
    assert grade.exit_code(checks, faults(low=1), Severity.LOW) == 1
    assert grade.exit_code(checks, faults(low=1), Severity.HIGH) == 3


def test_a_check_left_out_on_purpose_caps_the_grade_but_not_the_exit():
    left_out = ran("container", State.NOT_RUN, selected=False)
    checks = (*WHOLE[:2], left_out)
    assert grade.exit_code(checks, [], Severity.LOW) == 0
    assert grade.grade(checks, []) == "B (incomplete)"
    assert grade.overall_status(checks, []) == "INCOMPLETE"
