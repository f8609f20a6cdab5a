import dataclasses
import datetime as dt
import json

import pytest

from scanner import baseline
from scanner.baseline import Baseline, BaselineError
from scanner.model import (
    CheckResult,
    Coverage,
    Finding,
    Severity,
    Standing,
    State,
)

TODAY = dt.date(2026, 11, 21)


def fault(line=1, anchor="eval(x)", severity=Severity.HIGH, **rest):
    return Finding(
        id="MCP-CODE-B307",
        severity=severity,
        title="eval runs text as code",
        path="server/a.py",
        line=line,
        message="eval",
        remediation="Parse it.",
        anchor=anchor,
        **rest,
    )


def checked(*findings, **rest):
    state = State.FINDINGS if findings else State.PASSED
    given = {"name": "code", "state": state, "findings": findings, **rest}
    return (CheckResult(**given),)


def recorded(*findings, **changes):
    """A baseline of these findings, each entry with these changes."""
    checks = checked(*findings)
    made = baseline.updated(
        None, checks, baseline.compare(None, checks, TODAY)
    )
    known = (dataclasses.replace(entry, **changes) for entry in made.known)
    return Baseline(tuple(known))


def standings(held, *findings, today=TODAY, **rest):
    compared = baseline.compare(held, checked(*findings, **rest), today)
    return [compared.standing[finding].value for finding in findings]


ACCEPTED = {"status": "accepted", "reason": "only our own text gets there"}


def test_without_a_baseline_every_finding_is_new():
    assert standings(None, fault()) == ["new"]


def test_a_known_finding_is_open_wherever_its_line_has_moved():
    assert standings(recorded(fault(line=1)), fault(line=70)) == ["open"]


def test_another_text_or_file_or_rule_is_new():
    held = recorded(fault())
    other = dataclasses.replace(fault(), path="server/b.py")
    rule = dataclasses.replace(fault(), id="MCP-CODE-B102")
    found = [fault(anchor="eval(y)"), other, rule]
    assert standings(held, *found) == ["new"] * 3


def test_an_accepted_finding_with_a_reason_is_let_off():
    assert standings(recorded(fault(), **ACCEPTED), fault()) == ["accepted"]


@pytest.mark.parametrize("reason", ["", "  ", "-", "ok", "000", "___"])
def test_accepting_without_a_reason_accepts_nothing(reason):
    held = recorded(fault(), status="accepted", reason=reason)
    assert standings(held, fault()) == ["open"]


@pytest.mark.parametrize(
    ("until", "standing"),
    [
        ("2026-11-22", "accepted"),
        ("2026-11-21", "open"),
        ("2025-01-01", "open"),
    ],
)
def test_an_acceptance_ends_on_its_date(until, standing):
    held = recorded(fault(), **ACCEPTED, until=until)
    assert standings(held, fault()) == [standing]


def test_an_accepted_finding_that_gets_worse_counts_again():
    held = recorded(fault(severity=Severity.LOW), **ACCEPTED)
    assert standings(held, fault(severity=Severity.HIGH)) == ["open"]


def test_a_second_copy_of_an_accepted_fault_is_new():
    held = recorded(fault(line=3), **ACCEPTED)
    found = [fault(line=3), fault(line=9)]
    assert sorted(standings(held, *found)) == ["accepted", "new"]


def test_two_accepted_copies_are_both_let_off():
    held = recorded(fault(line=3), fault(line=9), **ACCEPTED)
    assert held.known[0].count == 2
    assert standings(held, fault(line=4), fault(line=10)) == ["accepted"] * 2


def test_what_is_gone_is_fixed_and_counted():
    held = recorded(fault(line=3), fault(line=9))
    compared = baseline.compare(held, checked(fault(line=3)), TODAY)
    assert [entry.id for entry in compared.fixed] == ["MCP-CODE-B307"]


@pytest.mark.parametrize(
    "rest",
    [
        {"state": State.NOT_RUN},
        {"state": State.ERROR},
        {"coverage": Coverage(unit="files", covered=1, total=2)},
    ],
    ids=["not run", "error", "partial"],
)
def test_nothing_is_fixed_by_a_check_that_did_not_look(rest):
    held = recorded(fault())
    checks = checked(**rest)
    compared = baseline.compare(held, checks, TODAY)
    assert compared.fixed == ()
    assert baseline.updated(held, checks, compared).known == held.known


def test_an_update_keeps_what_was_accepted_and_opens_what_is_new():
    held = recorded(fault(), **ACCEPTED, until="2027-01-01")
    checks = checked(fault(line=5), fault(anchor="eval(y)"))
    new = baseline.updated(held, checks, baseline.compare(held, checks, TODAY))
    assert held.known[0] in new.known
    assert [e.status for e in new.known] == ["accepted", "open"]


def test_an_update_drops_what_is_fixed():
    held = recorded(fault(), **ACCEPTED)
    checks = checked()
    compared = baseline.compare(held, checks, TODAY)
    assert baseline.updated(held, checks, compared).known == ()


def test_components_are_kept_until_their_check_runs_in_full():
    held = Baseline((), {"surface:echo": "1", "surface:gone": "2"})
    checks = (
        CheckResult(
            name="surface",
            state=State.PASSED,
            components={"surface:echo": "3"},
        ),
    )
    compared = baseline.compare(held, checks, TODAY)
    new = baseline.updated(held, checks, compared)
    assert new.components == {"surface:echo": "1"}
    unseen = (CheckResult(name="surface", state=State.ERROR),)
    kept = baseline.updated(held, unseen, compared)
    assert kept.components == held.components


def test_a_changed_component_is_kept_until_a_person_accepts_it():
    held = Baseline((), {"surface:echo": "old"})
    change = fault(anchor="surface:echo new")
    checks = checked(change, components={"surface:echo": "new"})
    compared = baseline.compare(held, checks, TODAY)
    opened = baseline.updated(held, checks, compared)
    assert opened.components == held.components
    known = dataclasses.replace(opened.known[0], **ACCEPTED)
    agreed = Baseline((known,), opened.components)
    compared = baseline.compare(agreed, checks, TODAY)
    after = baseline.updated(agreed, checks, compared)
    assert after.components == {"surface:echo": "new"}


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / ".security" / "baseline.json"
    made = Baseline(recorded(fault(), **ACCEPTED).known, {"surface:a": "1"})
    baseline.write(path, made)
    assert baseline.load(path) == made
    assert path.stat().st_mode & 0o777 == 0o644
    assert [p.name for p in path.parent.iterdir()] == ["baseline.json"]


def test_a_write_that_fails_leaves_the_old_baseline(tmp_path, monkeypatch):
    path = tmp_path / "baseline.json"
    baseline.write(path, Baseline())
    before = path.read_text("utf-8")

    def refuse(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(BaselineError, match="No space left"):
        baseline.write(path, recorded(fault()))
    assert path.read_text("utf-8") == before
    assert [p.name for p in tmp_path.iterdir()] == ["baseline.json"]


def entry(**changes):
    known = dataclasses.asdict(recorded(fault()).known[0]) | changes
    return {
        "schema_version": 1,
        "findings": [{k: v for k, v in known.items() if v is not ...}],
        "components": {},
    }


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"schema_version": 2, "findings": [], "components": {}}',
        json.dumps(entry(untill="2027-01-01")),
        json.dumps(entry(until="soon")),
        json.dumps(entry(reason=None)),
        json.dumps(entry(count=0)),
        json.dumps(entry(count="many")),
        json.dumps(entry(severity="dire")),
        json.dumps(entry(fingerprint=...)),
        "[" * 100_000,
    ],
    ids=[
        "empty",
        "list",
        "bare",
        "version",
        "misspelt key",
        "no date",
        "no reason",
        "no count",
        "count",
        "severity",
        "no fingerprint",
        "deep",
    ],
)
def test_a_baseline_that_cannot_be_read_is_refused(tmp_path, content):
    path = tmp_path / "baseline.json"
    path.write_text(content, "utf-8")
    with pytest.raises(BaselineError, match="cannot be read"):
        baseline.load(path)


def test_no_baseline_is_none(tmp_path):
    assert baseline.load(tmp_path / "none.json") is None


def test_standing_words_are_those_of_the_report():
    assert [str(kind) for kind in Standing] == ["new", "open", "accepted"]
