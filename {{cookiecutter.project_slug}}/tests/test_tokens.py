import argparse
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }} import tokens
from {{ cookiecutter.__package_name }}.errors import SettingsError
from {{ cookiecutter.__package_name }}.tokens import create, read_tokens


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens"


def write(file: Path, text: str) -> Path:
    file.write_text(text, "utf-8")
    file.chmod(0o600)
    return file


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    parser.set_defaults(env_file=None)
    tokens.add_parser(parser.add_subparsers())
    options = parser.parse_args(["token", "create", *arguments])
    code = options.run(options)
    assert isinstance(code, int)
    return code


def test_token_is_printed_once_and_kept_as_a_hash(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scopes = ("--scope", "files:read", "--scope", "files:write")
    assert run("laptop", *scopes, "--file", str(file)) == 0
    token = capsys.readouterr().out.strip()
    digest = sha256(token.encode()).hexdigest()
    assert file.read_text("utf-8") == (
        f"laptop:{digest}:files:read,files:write\n"
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_token_has_256_bits(file: Path) -> None:
    one, other = create(file, "a", []), create(file, "b", [])
    assert one != other
    assert len(one) >= 43


def test_what_is_created_can_be_read(file: Path) -> None:
    token = create(file, "laptop", ["files:read"])
    (entry,) = read_tokens(file)
    assert entry.client == "laptop"
    assert entry.digest == sha256(token.encode()).digest()
    assert entry.scopes == ("files:read",)


def test_client_that_has_a_token_is_given_another_only_if_asked(
    file: Path,
) -> None:
    create(file, "laptop", [])
    with pytest.raises(SettingsError, match="--add"):
        create(file, "laptop", [])
    create(file, "laptop", [], add=True)
    assert len(read_tokens(file)) == 2


def test_line_without_an_end_is_not_mixed_with_the_next(file: Path) -> None:
    write(file, f"laptop:{'0' * 64}:files:read")
    create(file, "desktop", [])
    assert [e.client for e in read_tokens(file)] == ["laptop", "desktop"]


@pytest.mark.parametrize(
    ("client", "scope"),
    [
        ("", "files:read"),
        ("a:b", "files:read"),
        ("a b", "files:read"),
        ("-a", "files:read"),
        ("x" * 65, "files:read"),
        ("laptop", "files read"),
        ("laptop", 'files"read'),
        ("laptop\nroot", "files:read"),
        ("laptop", "a\nroot"),
    ],
)
def test_name_that_would_break_the_file_is_refused(
    file: Path, client: str, scope: str
) -> None:
    with pytest.raises(SettingsError):
        create(file, client, [scope])
    assert not file.exists()


def test_file_is_named_or_else_asked_for(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    monkeypatch.delenv(tokens.VARIABLE, raising=False)
    with pytest.raises(SettingsError, match="--file"):
        run("laptop")
    monkeypatch.setenv(tokens.VARIABLE, str(file))
    run("laptop")
    assert len(read_tokens(file)) == 1


def test_comments_and_empty_lines_are_passed_over(file: Path) -> None:
    write(file, f"# mine\n\n  laptop:{'0' * 64}:\n")
    (entry,) = read_tokens(file)
    assert entry.scopes == ()


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o644, 0o606], ids=oct)
def test_file_that_others_can_read_is_refused(file: Path, mode: int) -> None:
    write(file, "").chmod(mode)
    with pytest.raises(ValueError, match="chmod 600"):
        read_tokens(file)
    with pytest.raises(SettingsError, match="chmod 600"):
        create(file, "laptop", [])


@pytest.mark.parametrize(
    "text",
    [
        "laptop",
        "laptop:abc:files:read",
        f"laptop:{'0' * 63}g:files:read",
        f"laptop:{'A' * 64}:files:read",
        f"lap top:{'0' * 64}:files:read",
        f"laptop:{'0' * 64}:files read",
        f"a:{'0' * 64}:x\nb:{'0' * 64}:y",
        "token-in-the-clear:" + "x" * 40,
        "x" * 2**20 + "x",
    ],
    ids=[
        "client alone",
        "short hash",
        "no hash",
        "capitals",
        "client",
        "scope",
        "twice",
        "token",
        "too long",
    ],
)
def test_broken_file_is_refused_without_repeating_it(
    file: Path, text: str
) -> None:
    write(file, text)
    with pytest.raises(ValueError, match=r"line|longer") as refused:
        read_tokens(file)
    assert "token-in-the-clear" not in str(refused.value)
    assert "x" * 20 not in str(refused.value)


def test_something_else_than_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises((ValueError, OSError)):
        read_tokens(tmp_path)
