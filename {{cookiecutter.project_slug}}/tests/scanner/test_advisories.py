"""Records, locks and copies of the advisories, one at a time."""

import datetime as dt
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from scanner.advisories import directory, service
from scanner.advisories.lock import Lock, read_lock
from scanner.advisories.packages import Malformed, Package
from scanner.model import State
from scanner.tools import ToolError

from . import advisory_service as osv

# Copies of the advisories

LOCK = Lock("uv.lock", (Package("demo", "1.0"), Package("other", "1.0")))
TODAY = dt.date(2026, 11, 21)
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
    found = directory.search(copy(tmp_path), LOCK, TODAY)

    assert {a.id for a in found.advisories} == {
        "PYSEC-2098-1",
        "PYSEC-2097-1",
    }
    assert found.records == 3
    assert found.newest == dt.date(2026, 11, 21)


HALF = '{"name": "demo", "ecosystem": "PyPI", "modified": "2026-01-01"'
PYPI = "ecosystem: PyPI\nmodified: 2026-01-01\n"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "holds no OSV record"),
        ({"a.json": "all is well"}, "holds no OSV record"),
        ({"a.json": f"{HALF}"}, "is no OSV"),
        ({"a.yaml": f"name: demo\n{PYPI}- a: ["}, "is no OSV"),
    ],
    ids=["empty", "no record", "half a record", "no YAML"],
)
def test_a_copy_that_says_nothing_is_an_error(files, reason, tmp_path):
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    with pytest.raises(ToolError, match=reason):
        directory.search(tmp_path, LOCK, TODAY)


def write(folder: Path, *records: osv.Record) -> Path:
    for number, record in enumerate(records):
        (folder / f"{number}.json").write_text(json.dumps(record))
    return folder


def test_a_record_from_the_future_makes_no_copy_fresh(tmp_path):
    future = osv.record("else", modified="2099-01-01T00:00:00Z")
    found = directory.search(write(tmp_path, OLD, future), LOCK, TODAY)

    assert (found.records, found.newest) == (1, dt.date(2026, 1, 1))


@pytest.mark.parametrize("day", ["2099-01-01", "2026-99-99", "2026-02-31"])
def test_a_copy_of_no_day_that_was_did_not_answer(day, tmp_path):
    place = write(tmp_path, osv.record("demo", modified=day))

    with pytest.raises(ToolError) as refused:
        directory.search(place, LOCK, TODAY)
    assert refused.value.state is State.NOT_RUN


def test_a_copy_of_another_ecosystem_did_not_answer(tmp_path):
    record = osv.record("demo")
    record["affected"][0]["package"]["ecosystem"] = "npm"

    with pytest.raises(ToolError, match="no OSV record of PyPI") as refused:
        directory.search(write(tmp_path, record), LOCK, TODAY)
    assert refused.value.state is State.NOT_RUN


def test_a_copy_is_read_whatever_its_spaces(tmp_path):
    text = json.dumps(osv.record("demo"), indent=1, separators=(" ,", " : "))
    (tmp_path / "a.json").write_text(text)

    assert directory.search(tmp_path, LOCK, TODAY).advisories


def test_a_copy_of_too_many_records_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(directory, "MAX_RECORDS", 1)
    place = write(tmp_path, osv.record("demo"), osv.record("else"))

    with pytest.raises(ToolError, match="more than 1 records"):
        directory.search(place, LOCK, TODAY)


def test_a_copy_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ToolError, match="cannot be read"):
        directory.search(tmp_path / "nothing", LOCK, TODAY)


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

    found = directory.search(path, LOCK, TODAY)

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
        "# by uv\n-i https://mirror.example/simple\n"
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


def test_requirements_are_followed_inside_the_project(make_project):
    found = read_lock(
        make_project(
            **{
                "requirements.txt": "-r deploy/more.txt\na==1\n",
                "deploy/more.txt": "-r ../requirements.txt\nb==2\n",
                "requirements-dev.txt": "c==3\n",
            }
        )
    )

    assert found is not None
    assert [(p.name, p.line) for p in found.packages] == [
        ("a", 2),
        ("b", None),
    ]
    assert found.others == ("requirements-dev.txt",)


@pytest.mark.parametrize(
    "line", ["-r gone.txt", "-r ../x.txt", "--requirement=https://h/r.txt"]
)
def test_requirements_that_are_not_there_are_no_empty_lock(line, make_project):
    with pytest.raises(Malformed, match="includes what is not there"):
        read_lock(make_project(**{"requirements.txt": f"a==1\n{line}\n"}))
