"""The check: every file, in full, and never a byte of a value."""

import json
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from scanner.checks import secrets
from scanner.checks.secrets import check
from scanner.model import CheckResult, Options, Severity, State
from scanner.project import Project
from scanner.secrets import blocks, history

from .secret_samples import FORMED, NAMED, placeholder, value

TOKEN = value(FORMED["GITHUB-PAT"])
OTHER = value(FORMED["GITHUB-PAT"], seed=3)
GITHUB = "MCP-SEC-GITHUB-PAT"
PASS = "hunt" + "er2Hx"


@pytest.fixture
def scan(make_project):
    def run(history: bool = False, **files: str | bytes) -> CheckResult:
        return check(make_project(**files), Options(history=history))

    return run


def ids(result: CheckResult) -> list[str]:
    return [finding.id for finding in result.findings]


def test_a_clean_project_passes_and_every_file_is_covered(scan):
    result = scan()

    assert result.state is State.PASSED
    assert result.findings == ()
    assert result.coverage.covered == result.coverage.total == 5


def test_a_token_is_critical_and_told_by_file_and_line(scan):
    (found,) = scan(**{"a/b.py": f"\n\ntoken = '{TOKEN}'\n"}).findings

    assert (found.id, found.severity) == (GITHUB, Severity.CRITICAL)
    assert (found.path, found.line, found.cwe) == ("a/b.py", 3, "CWE-798")


@pytest.mark.parametrize(
    "text", [TOKEN, f"PASSWORD={PASS}", "redis://:" + PASS + "@h"]
)
def test_the_value_is_in_no_part_of_the_result(scan, text):
    result = scan(**{"a.ini": f"x = {text}\ny = {text}\n"})
    told = json.dumps(asdict(result), default=str)
    told += "".join(f.fingerprint for f in result.findings)

    assert result.findings
    assert text not in told
    assert PASS not in told


def test_a_password_leaves_no_trace_in_the_fingerprint(scan):
    (one,) = scan(**{"a.ini": f"password = {PASS}"}).findings
    (other,) = scan(**{"a.ini": "password = Tr0ub4dor"}).findings

    assert one.fingerprint == other.fingerprint


def test_another_token_in_the_same_place_is_another_finding(scan):
    (one,) = scan(**{"a.ini": f"token = {TOKEN}"}).findings
    (moved,) = scan(**{"a.ini": f"\n\ntoken = {TOKEN}"}).findings
    (other,) = scan(**{"a.ini": f"token = {OTHER}"}).findings

    assert one.fingerprint == moved.fingerprint
    assert one.fingerprint != other.fingerprint


def test_two_places_of_one_value_are_told_apart(scan):
    found = scan(**{"a.ini": f"a = {TOKEN}\nb = {TOKEN}"}).findings

    assert [f.line for f in found] == [1, 2]
    assert len({f.fingerprint for f in found}) == 2


def test_a_reason_on_the_line_lets_a_value_pass(scan):
    line = f"token = '{TOKEN}'  # secret-ok: revoked, kept for the tests\n"

    assert scan(**{"a.py": line}).findings == ()


@pytest.mark.parametrize("note", ["secret-ok", "secret-ok:", "secret-ok: 1!"])
def test_without_a_reason_both_are_findings(scan, note):
    result = scan(**{"a.py": f"token = '{TOKEN}'  # {note}\n"})

    assert sorted(ids(result)) == ["MCP-SEC-010", GITHUB]


def test_the_reason_holds_for_its_own_line_alone(scan):
    text = f"a = 1  # secret-ok: no reason for more\ntoken = '{TOKEN}'\n"

    assert ids(scan(**{"a.py": text})) == [GITHUB]


def test_a_password_in_a_test_is_made_up_and_a_token_is_not(scan):
    text = f'password = "{PASS}"\ntoken = "{TOKEN}"\n'

    assert ids(scan(**{"tests/test_a.py": text})) == [GITHUB]


@pytest.mark.parametrize(
    "path",
    [
        "tests/a.py",
        "pkg/tests/a.py",
        "src/pkg/test_a.py",
        "web/a.test.ts",
        "fixtures/server.pem",
        "conftest.py",
    ],
)
def test_what_a_test_makes_up_is_no_finding(scan, path):
    begin, end = (f"-----{word} PRIVATE KEY-----" for word in ("BEGIN", "END"))
    key = f"{begin}\n{'MIIEvQIBADANBgkqhkiG9w0B' * 20}\n{end}\n"
    text = f'url = "redis://:{PASS}@h"\nAPI_KEY = "{value("<A32>")}"\n{key}'

    result = scan(**{path: text})

    assert result.findings == ()
    assert result.reason == "3 values in tests taken for made up"


@pytest.mark.parametrize("path", ["a.py", "contest.py", "latest/a.py"])
def test_elsewhere_it_is(scan, path):
    text = f'url = "redis://:{PASS}@h"\nAPI_KEY = "{value("<A32>")}"\n'

    assert sorted(ids(scan(**{path: text}))) == ["MCP-SEC-003", "MCP-SEC-004"]


def test_utf_16_is_read(scan):
    text = f"token = {TOKEN}\r\n".encode("utf-16")

    assert ids(scan(**{"a.txt": text})) == [GITHUB]


def test_a_binary_file_is_read_without_lines(scan):
    data = b"\x00\x01\x02" * 99 + TOKEN.encode() + b"\xff\x00"
    (found,) = scan(**{"a.sqlite": data}).findings

    assert (found.id, found.line) == (GITHUB, None)


@pytest.mark.parametrize("distance", [-20, 0, 20, 8192, 8192 + 256])
def test_a_value_across_the_edge_of_a_block_is_found_once(scan, distance):
    before = blocks.BLOCK - distance
    text = "\n" * before + f"token = {TOKEN}\n" + "\n" * blocks.BLOCK
    (found,) = scan(**{"a.txt": text}).findings

    assert (found.id, found.line) == (GITHUB, before + 1)


def test_a_file_that_is_too_dense_makes_the_coverage_partial(scan):
    result = scan(**{"a.txt": "password=" * 200_000})

    assert result.coverage.partial
    assert not result.complete
    assert "a.txt holds more" in result.reason


def test_a_token_in_a_file_that_is_too_dense_is_found_all_the_same(scan):
    result = scan(**{"a.txt": "password=" * 200_000 + f"\n{TOKEN}\n"})

    assert ids(result) == [GITHUB]


def test_a_file_with_countless_tokens_ends_early_and_says_so(scan):
    text = "\n".join(value(FORMED["NPM"], seed) for seed in range(3000))
    result = scan(**{"a.txt": text})

    assert 100 < len(result.findings) < 1000
    assert result.coverage.partial


def test_a_file_that_may_not_be_read_makes_the_coverage_partial(
    scan, monkeypatch
):
    real = Project.open

    def refuse(self: Project, path: str):
        if path == "a.txt":
            raise OSError("a.txt: Permission denied")
        return real(self, path)

    monkeypatch.setattr(Project, "open", refuse)
    result = scan(**{"a.txt": "x"})

    assert result.coverage.partial
    assert "Permission denied" in result.reason


def test_a_hundred_megabytes_on_one_line_are_survived(make_project, tmp_path):
    project = make_project(**{"a.txt": ""})
    with (project.root / "a.txt").open("wb") as stream:
        for _ in range(100):
            stream.write(b"a" * 2**20)
        stream.write(f" {TOKEN}".encode())

    assert ids(check(project, Options())) == [GITHUB]


def test_a_name_with_a_line_break_is_a_name(scan):
    (found,) = scan(**{"we\nird.txt": TOKEN}).findings

    assert found.path == "we\nird.txt"


# The history


def git(root: Path, *arguments: str) -> None:
    command = ["git", "-c", "user.name=n", "-c", "user.email=n@e", *arguments]
    subprocess.run(command, cwd=root, check=True, capture_output=True)


def sign(root: Path) -> None:
    """Make a commit that says it is signed, and check it out."""
    read = ["git", "cat-file", "commit", "HEAD"]
    write = ["git", "hash-object", "-t", "commit", "-w", "--stdin"]
    plain = subprocess.run(read, cwd=root, capture_output=True, check=True)
    begin = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQEz\n"
    head = begin + " -----END PGP SIGNATURE-----\n\n"
    signed = plain.stdout.replace(b"\n\n", b"\n" + head.encode(), 1)
    made = subprocess.run(
        write, cwd=root, input=signed, capture_output=True, check=True
    )
    git(root, "reset", "-q", "--hard", made.stdout.decode().strip())


@pytest.fixture
def repository(make_project):
    """A checkout that once held a token, on each of two branches."""
    project = make_project(**{"old.txt": f"token = {TOKEN}\n"})
    root = project.root
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")
    (root / "old.txt").write_text("token = 1\n")
    git(root, "commit", "-qam", "two")
    git(root, "checkout", "-qb", "side")
    (root / "side.txt").write_text(f"token = {OTHER}\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "three")
    git(root, "checkout", "-q", "-")
    return project


def test_the_history_is_left_alone_unless_asked_for(repository):
    assert check(repository, Options()).findings == ()


def test_what_was_removed_is_found_in_every_branch(repository):
    result = check(repository, Options(history=True))

    assert {f.path for f in result.findings} == {"old.txt", "side.txt"}
    assert {f.id for f in result.findings} == {GITHUB}
    assert all("commit" in f.message for f in result.findings)
    assert result.complete


def test_what_is_still_there_is_told_once(repository):
    (repository.root / "old.txt").write_text(f"token = {TOKEN}\n")
    result = check(repository, Options(history=True))
    old = [f for f in result.findings if f.path == "old.txt"]

    assert [f.line for f in old] == [1]


def test_what_a_merge_brings_in_is_found(repository):
    root = repository.root
    git(root, "merge", "--no-ff", "--no-commit", "side")
    (root / "evil.txt").write_text(value(FORMED["NPM"]))
    git(root, "add", "-A")
    git(root, "commit", "-qm", "merge")
    (root / "evil.txt").unlink()
    git(root, "commit", "-qam", "gone")

    result = check(repository, Options(history=True))

    assert "evil.txt" in {f.path for f in result.findings}


def test_no_program_of_the_repository_runs(repository, tmp_path):
    sign(repository.root)
    mark = tmp_path / "mark"
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {mark}\n")
    trap.chmod(0o755)
    (repository.root / ".gitattributes").write_text("* diff=trap\n")
    for name in (
        "diff.external",
        "diff.trap.textconv",
        "core.pager",
        "core.fsmonitor",
        "gpg.program",
    ):
        git(repository.root, "config", name, str(trap))
    git(repository.root, "config", "log.showSignature", "true")

    result = check(repository, Options(history=True))

    assert len(result.findings) == 2
    assert not mark.exists()


def test_without_a_repository_the_history_was_not_seen(scan):
    result = scan(history=True)

    assert not result.complete
    assert "history was not read: commit first" in result.reason


def test_a_history_that_is_too_long_was_not_seen_whole(
    repository, monkeypatch
):
    monkeypatch.setattr(history, "MAX_BYTES", 500)
    result = check(repository, Options(history=True))

    assert not result.complete
    assert "longer than 500 bytes" in result.reason


def test_git_that_never_ends_is_ended(repository, bench):
    bench.install("git", "exec sleep 600")

    with pytest.raises(history.Truncated, match="longer than"):
        list(history.additions(repository.root, 0.5))


@pytest.mark.parametrize("name", [*FORMED, *NAMED])
def test_every_kind_has_a_rule_that_explains_it(name):
    rule = secrets.RULES[f"MCP-SEC-{name}"]

    assert rule.title
    assert rule.explanation
    assert rule.remedy


def test_placeholders_of_every_kind_make_a_clean_project(scan):
    lines = [
        f'a{n} = "{placeholder(f)}"' for n, f in enumerate(FORMED.values())
    ]

    assert scan(**{"a.py": "\n".join(lines)}).findings == ()


@pytest.mark.parametrize("name", ["server.pem", "tls/a.key", "id_ed25519"])
def test_a_key_is_found_even_where_git_ignores_it(scan, name):
    begin, end = (f"-----{word} PRIVATE KEY-----" for word in ("BEGIN", "END"))
    key = f"{begin}\n{'MIIEvQIBADANBgkqhkiG9w0B' * 20}\n{end}\n"
    ignored = ".gitignore", "*.pem\n*.key\nid_*\n"
    result = scan(**{name: key}, **dict([ignored]))

    assert [found.path for found in result.findings] == [name]
