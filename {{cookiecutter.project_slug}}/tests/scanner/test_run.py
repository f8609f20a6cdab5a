import sys
import threading
import types
from pathlib import Path

import pytest

from scanner import checks, rules, run
from scanner.model import (
    CheckResult,
    Finding,
    Options,
    Severity,
    State,
)
from scanner.project import Project
from scanner.tools import ToolError


def finding(rule="MCP-X-001", line=1):
    return Finding(
        id=rule,
        severity=Severity.HIGH,
        title="t",
        path="a.py",
        line=line,
        message="m",
        remediation="r",
        anchor=f"text of {line}",
    )


@pytest.fixture
def scan(monkeypatch, make_project):
    """Runs these functions as the checks of their names."""

    def start(selected=None, **functions):
        monkeypatch.setattr(checks, "CHECKS", tuple(functions))
        for name, function in functions.items():
            module = types.ModuleType(name)
            module.check = function
            monkeypatch.setitem(sys.modules, f"scanner.checks.{name}", module)
        told = []
        wanted = list(functions) if selected is None else selected
        results = run.run(make_project(), Options(), wanted, told.append)
        assert len(told) == len(wanted)
        return {result.name: result for result in results}

    return start


def passing(name, **rest):
    return lambda project, options: CheckResult(
        name=name, state=State.PASSED, **rest
    )


def raising(error):
    def check(project, options):
        raise error

    return check


def test_a_check_that_passes_passed(scan):
    assert scan(code=passing("code"))["code"].state is State.PASSED


def test_findings_make_a_pass_into_findings(scan):
    result = scan(code=passing("code", findings=(finding(),)))["code"]
    assert result.state is State.FINDINGS


def test_the_same_finding_is_told_once(scan):
    twice = (finding(), finding())
    assert (
        len(scan(code=passing("code", findings=twice))["code"].findings) == 1
    )


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (ToolError("bandit printed nothing"), State.ERROR, "bandit printed"),
        (ToolError("no bandit", State.NOT_RUN), State.NOT_RUN, "no bandit"),
        (RuntimeError("a\x1b[31mb\nc"), State.ERROR, r"a\x1b[31mb\x0ac"),
        (RecursionError(), State.ERROR, "RecursionError"),
        (MemoryError(), State.ERROR, "MemoryError"),
        (
            ModuleNotFoundError("no yaml", name="yaml"),
            State.NOT_RUN,
            "it needs yaml",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_in_a_check_is_its_result_alone(scan, error, state, reason):
    results = scan(code=raising(error), secrets=passing("secrets"))
    assert results["code"].state is state
    assert reason in results["code"].reason
    assert results["secrets"].state is State.PASSED


def test_a_check_without_its_module_did_not_pass(monkeypatch):
    monkeypatch.delitem(sys.modules, "scanner.checks.nowhere", raising=False)
    monkeypatch.setattr(checks, "CHECKS", ("nowhere",))
    results = run.run(
        Project(Path()), Options(), ["nowhere"], lambda result: None
    )
    assert results[0].state is State.NOT_RUN


def test_a_check_that_never_ends_did_not_pass(scan, monkeypatch):
    monkeypatch.setattr(run, "DEADLINE", 0.2)
    never = threading.Event()
    results = scan(
        code=lambda project, options: never.wait(),
        secrets=passing("secrets"),
    )
    assert results["code"].state is State.ERROR
    assert results["code"].reason == "did not end in time"
    assert results["secrets"].state is State.PASSED


def test_a_check_left_out_did_not_run(scan):
    results = scan(
        selected=["code"], code=passing("code"), secrets=passing("secrets")
    )
    assert results["secrets"].state is State.NOT_RUN
    assert not results["secrets"].selected
    assert results["code"].selected


def test_a_password_that_secrets_sees_is_not_told_by_code_too(scan):
    password, other = finding("MCP-CODE-B105"), finding("MCP-CODE-B105", 2)
    results = scan(
        code=passing("code", findings=(password, other)),
        secrets=passing("secrets", findings=(finding("MCP-SEC-001"),)),
    )
    assert results["code"].findings == (other,)
    assert len(results["secrets"].findings) == 1


def test_a_suppression_without_a_reason_hides_nothing(scan):
    password = finding("MCP-CODE-B105")
    results = scan(
        code=passing("code", findings=(password,)),
        secrets=passing("secrets", findings=(finding("MCP-SEC-010"),)),
    )
    assert results["code"].findings == (password,)


def test_a_check_whose_only_finding_is_anothers_passes(scan):
    results = scan(
        code=passing("code", findings=(finding("MCP-CODE-B105"),)),
        secrets=passing("secrets", findings=(finding("MCP-SEC-001"),)),
    )
    assert results["code"].state is State.PASSED


def test_results_keep_the_order_of_the_checks(scan):
    names = ["code", "secrets", "container"]
    assert list(scan(**{name: passing(name) for name in names})) == names


def test_rules_that_are_imported_meanwhile_disturb_no_check(monkeypatch):
    known = {}

    class Late:
        on, find = "", print

        @property
        def id(self):
            known[f"MCP-LATE-{len(known)}"] = self
            return "MCP-OTHER-1"

    known["MCP-OTHER-1"] = late = Late()
    monkeypatch.setattr(rules, "RULES", known)

    assert rules.rules_for("MCP-OTHER-") == [late]
