"""How records of advisories are read and rated."""

import pytest

from scanner.advisories.records import (
    Advisory,
    advisory,
    concerns,
    merge,
    severity,
)
from scanner.model import Severity

from . import advisory_service as osv

# Copies of the advisories


V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
SCORES = {
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H": Severity.CRITICAL,
    "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H": Severity.HIGH,
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N": Severity.MEDIUM,
    "CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N": Severity.LOW,
}


@pytest.mark.parametrize("vector", SCORES)
def test_the_vector_is_rated_as_first_rates_it(vector):
    rated = {"severity": [{"type": "CVSS_V3", "score": vector}]}

    assert severity(rated) is SCORES[vector]


def test_a_vector_of_version_4_is_rated():
    rated = {"severity": [{"type": "CVSS_V4", "score": V4}]}

    assert severity(rated) is Severity.CRITICAL


@pytest.mark.parametrize(
    ("kind", "score", "rated"),
    [
        ("CVSS_V3", "9.8", Severity.CRITICAL),
        ("CVSS_V3", "99", None),
        ("CVSS_V2", V4, Severity.CRITICAL),
        ("CVSS_V2", "AV:N/AC:L/Au:N/C:C/I:C/A:C", Severity.CRITICAL),
    ],
    ids=["number", "no score", "wrong version", "version 2"],
)
def test_a_score_is_read_by_its_own_form(kind, score, rated):
    record = {"severity": [{"type": kind, "score": score}]}

    assert severity(record) is rated


@pytest.mark.parametrize(
    ("name", "concerned"), [("pypi", True), ("PYPI", True), ("npm", False)]
)
def test_the_ecosystem_is_compared_without_its_case(name, concerned):
    record = osv.record("demo")
    record["affected"][0]["package"]["ecosystem"] = name

    assert concerns(record, "demo", "1.0") is concerned


@pytest.mark.parametrize(
    "place",
    [
        lambda said: {"database_specific": said},
        lambda said: {"affected": [{"ecosystem_specific": said}]},
    ],
    ids=["record", "affected"],
)
def test_the_database_s_word_is_taken_where_there_is_no_vector(place):
    assert severity(place({"severity": "MODERATE"})) is Severity.MEDIUM


def test_the_worst_of_what_is_said_holds():
    rated = {
        "severity": [{"type": "CVSS_V4", "score": V4}],
        "database_specific": {"severity": "LOW"},
    }

    assert severity(rated) is Severity.CRITICAL


@pytest.mark.parametrize(
    "rated",
    [
        {},
        {"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:X"}]},
        {"severity": [{"type": "Ubuntu", "score": "high"}]},
        {"severity": "high", "affected": "all", "database_specific": []},
    ],
    ids=["nothing", "no vector", "another scale", "wrong types"],
)
def test_what_cannot_be_rated_is_unknown(rated):
    assert severity(rated) is None


def within(version: str, *events: tuple[str, str], **more: object) -> bool:
    spread = {
        "type": "ECOSYSTEM",
        "events": [{kind: at} for kind, at in events],
        **more,
    }
    record = osv.record("demo")
    record["affected"][0]["ranges"] = [spread]
    return concerns(record, "demo", version)


RANGES = {
    "before the fix": ("1.9", [("introduced", "0"), ("fixed", "2.0")], True),
    "the fix": ("2.0", [("introduced", "0"), ("fixed", "2.0")], False),
    "before it came": ("0.9", [("introduced", "1.0")], False),
    "never fixed": ("99", [("introduced", "1.0")], True),
    "the last one": (
        "1.5",
        [("introduced", "0"), ("last_affected", "1.5")],
        True,
    ),
    "after the last one": (
        "1.5.post1",
        [("introduced", "0"), ("last_affected", "1.5")],
        False,
    ),
    "events out of order": (
        "3.5",
        [
            ("fixed", "2.0"),
            ("introduced", "3.0"),
            ("introduced", "0"),
            ("fixed", "4.0"),
        ],
        True,
    ),
    "between two ranges": (
        "2.5",
        [("introduced", "0"), ("fixed", "2"), ("introduced", "3")],
        False,
    ),
    "release candidate": (
        "2.0rc1",
        [("introduced", "0"), ("fixed", "2.0")],
        True,
    ),
    "ten is after nine": (
        "1.10",
        [("introduced", "0"), ("fixed", "1.9")],
        False,
    ),
}


@pytest.mark.parametrize("name", RANGES)
def test_ranges_are_read_as_the_schema_says(name):
    version, events, expected = RANGES[name]

    assert within(version, *events) is expected


def test_a_fix_that_cannot_be_compared_ends_nothing():
    assert within("1.0", ("introduced", "0"), ("fixed", "not a version"))


@pytest.mark.parametrize(
    ("version", "events", "concerned"),
    [
        ("1.0", [("introduced", "weird")], True),
        ("2004d-old", [("introduced", "0"), ("fixed", "2.0")], True),
        ("1.0", [("introduced", "weird"), ("fixed", "2.0")], True),
        ("3.0", [("introduced", "weird"), ("fixed", "2.0")], False),
        (
            "3.0",
            [("introduced", "0"), ("fixed", "2.0"), ("introduced", "weird")],
            True,
        ),
    ],
    ids=["beginning", "version", "before a fix", "after it", "once more"],
)
def test_what_cannot_be_compared_leaves_nothing_out(
    version, events, concerned
):
    assert within(version, *events) is concerned


def test_commits_are_no_versions():
    assert not within("1.0", ("introduced", "0"), type="GIT")


def test_a_listed_version_is_concerned():
    record = osv.record("demo")
    record["affected"][0].update(ranges=[], versions=["1.0"])

    assert concerns(record, "demo", "1.0")
    assert concerns(record, "demo", "1.0.0")
    assert not concerns(record, "demo", "1.1")


def test_a_withdrawn_record_says_nothing():
    record = osv.record("demo", withdrawn=osv.NOW)

    assert not concerns(record, "demo", "1.0")


def test_names_are_compared_as_indexes_compare_them():
    assert concerns(osv.record("Demo_Package"), "demo-package", "1.0")


def test_another_ecosystem_is_another_package():
    record = osv.record("demo")
    record["affected"][0]["package"]["ecosystem"] = "npm"

    assert not concerns(record, "demo", "1.0")


def test_what_shares_a_name_is_one_advisory():
    merged = merge(
        [
            Advisory("demo", "1.0", frozenset({"PYSEC-1", "CVE-1"})),
            Advisory(
                "demo",
                "1.0",
                frozenset({"GHSA-1", "CVE-1"}),
                severity=Severity.LOW,
            ),
            Advisory("demo", "1.0", frozenset({"CVE-2"})),
            Advisory("other", "1.0", frozenset({"CVE-1"})),
        ]
    )

    assert [(a.name, a.id) for a in merged] == [
        ("demo", "CVE-2"),
        ("demo", "PYSEC-1"),
        ("other", "CVE-1"),
    ]
    assert merged[1].severity is Severity.LOW


def test_an_advisory_tells_what_fixes_it():
    found = advisory(osv.record("demo", "2.0"), "demo", "1.0")

    assert found.id == "PYSEC-2099-1"
    assert found.fixed == {"2.0"}
    assert found.summary == "it does what it should not"


@pytest.mark.parametrize(
    ("more", "concerned"),
    [
        ({}, True),
        ({"ranges": [], "versions": []}, True),
        ({"versions": ["2"]}, False),
        ({"ranges": [{"type": "GIT", "events": []}]}, False),
    ],
    ids=["nothing", "empty", "another", "commits"],
)
def test_a_record_that_leaves_no_version_out_concerns_all(more, concerned):
    package = {"ecosystem": "PyPI", "name": "a"}
    record = {"id": "X-1", "affected": [{"package": package, **more}]}
    assert concerns(record, "a", "1") is concerned


def test_what_was_made_to_do_harm_is_critical():
    assert severity({"id": "MAL-2026-1"}) is Severity.CRITICAL
