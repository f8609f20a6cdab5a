"""Records, locks and copies of the advisories, one at a time."""

import datetime as dt
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from scanner.advisories import directory, service
from scanner.advisories.lock import Lock, Malformed, Package, read_lock
from scanner.advisories.records import (
    Advisory,
    advisory,
    concerns,
    merge,
    severity,
)
from scanner.model import Severity
from scanner.tools import ToolError

from . import advisory_service as osv

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


# Copies of the advisories

LOCK = Lock("uv.lock", (Package("demo", "1.0"), Package("other", "1.0")))
OLD = osv.record(
    "demo", number="PYSEC-2098-1", modified="2026-01-01T00:00:00Z"
)
YAML = """\
id: PYSEC-2097-1
modified: '2026-11-21T10:00:00Z'
affected:
- package: {ecosystem: PyPI, name: demo}
  versions: ['1.0']
"""


def tree(root: Path) -> Path:
    for name, text in {
        "vulns/demo/PYSEC-2098-1.json": json.dumps(OLD),
        "vulns/demo/PYSEC-2097-1.yaml": YAML,
        "vulns/else/PYSEC-1.json": json.dumps(osv.record("else")),
        "README.md": "name: demo",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def tar(root: Path) -> Path:
    path = root / "copy.tar.xz"
    with tarfile.open(path, "w:xz") as archive:
        archive.add(tree(root / "tree"), "copy")
    return path


def zipped(root: Path) -> Path:
    path = root / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in tree(root / "tree").rglob("*.*"):
            archive.write(file, file.name)
    return path


@pytest.mark.parametrize("copy", [tree, tar, zipped])
def test_a_copy_is_searched_for_every_locked_package(copy, tmp_path):
    found = directory.search(copy(tmp_path), LOCK)

    assert {a.id for a in found.advisories} == {
        "PYSEC-2098-1",
        "PYSEC-2097-1",
    }
    assert found.records == 3
    assert found.newest == dt.date(2026, 11, 21)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "holds no OSV record"),
        ({"a.json": "all is well"}, "holds no OSV record"),
        ({"a.json": '{"name": "demo", "modified": "2026-01-01"'}, "is no OSV"),
        ({"a.yaml": "name: demo\nmodified: 2026-01-01\n- a: ["}, "is no OSV"),
    ],
    ids=["empty", "no record", "half a record", "no YAML"],
)
def test_a_copy_that_says_nothing_is_an_error(files, reason, tmp_path):
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    with pytest.raises(ToolError, match=reason):
        directory.search(tmp_path, LOCK)


def test_a_copy_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ToolError, match="cannot be read"):
        directory.search(tmp_path / "nothing", LOCK)


def test_an_archive_with_devices_and_links_is_read_without_them(tmp_path):
    path = tmp_path / "copy.tar"
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo("a.json")
            member.type = kind
            member.linkname = "/etc/passwd"
            archive.addfile(member)
        data = json.dumps(OLD).encode()
        member = tarfile.TarInfo("../../b.json")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))

    found = directory.search(path, LOCK)

    assert found.records == 1
    assert not (tmp_path.parent / "b.json").exists()


# The service


@pytest.mark.parametrize(
    "url",
    ["http://osv.example", "ftp://127.0.0.1", "https://", "file:///etc"],
)
def test_advisories_that_can_be_changed_on_the_way_are_refused(url):
    with pytest.raises(ToolError, match="https"):
        service.service_url(url)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://api.osv.dev/v1/", "https://api.osv.dev"),
        ("http://127.0.0.1:80/", "http://127.0.0.1:80"),
        ("http://localhost:80", "http://localhost:80"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_the_address_of_a_service_is_taken_in_one_form(given, url):
    assert service.service_url(given) == url


def test_records_are_fetched_and_those_that_are_not_there_left_out():
    with osv.service(osv.record("demo")) as url:
        found = service.records(url, ["PYSEC-2099-1", "GHSA-x", "../x"])

    assert list(found) == ["PYSEC-2099-1"]


def test_a_service_that_is_gone_has_no_records():
    assert service.records("http://127.0.0.1:1", ["PYSEC-2099-1"]) == {}


# Locks


def test_a_lock_is_read_without_the_project_itself(make_project):
    text = osv.lock(osv.package("demo"), osv.package("Other_One", "2"))
    found = read_lock(make_project(**{"uv.lock": text}))

    assert found is not None
    assert list(found.audited) == [("demo", "1.0"), ("other-one", "2")]
    assert found.packages[0].line == 6


def test_two_versions_of_one_package_are_two(make_project):
    text = osv.lock(osv.package("demo"), osv.package("demo", "2"))
    found = read_lock(make_project(**{"uv.lock": text}))

    assert found is not None
    assert len(found.audited) == 2


@pytest.mark.parametrize(
    "text",
    ["", "[", "package = 1", "[[package]]\nname = 1", 'package = [""]'],
)
def test_a_lock_that_cannot_be_read_is_no_empty_lock(text, make_project):
    with pytest.raises(Malformed):
        read_lock(make_project(**{"uv.lock": text}))


def test_pinned_requirements_are_a_lock(make_project):
    text = (
        "# by uv\n-i https://pypi.org/simple\n"
        "demo==1.0 ; python_version > '3' \\\n"
        f"    --hash=sha256:{'0' * 64}\n"
        "other[extra]>=2  # unpinned\n"
    )
    found = read_lock(make_project(**{"requirements.lock": text}))

    assert found is not None
    assert [(p.name, p.version, p.hashed, p.line) for p in found.packages] == [
        ("demo", "1.0", True, 3),
        ("other", "", False, 5),
    ]
