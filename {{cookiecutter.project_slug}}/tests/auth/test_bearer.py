from collections.abc import Mapping
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }}.auth.bearer import TokenFile, TokenFileVerifier
from {{ cookiecutter.__package_name }}.auth.verifier import InvalidToken
from {{ cookiecutter.__package_name }}.errors import SettingsError
from {{ cookiecutter.__package_name }}.tokens import create


class Clock:
    """A clock that is ten seconds on whenever it is looked at."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 10
        return self.now


class Told(list[str]):
    def __call__(self, event: str, fields: Mapping[str, object]) -> None:
        self.append(event)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens"


def verifier(file: Path, told: Told) -> TokenFileVerifier:
    return TokenFileVerifier(TokenFile(file, on_event=told, clock=Clock()))


async def test_token_tells_client_and_scopes(file: Path, told: Told) -> None:
    token = create(file, "laptop", ["files:read", "files:write"])
    create(file, "desktop", [])
    holder = await verifier(file, told).verify(token)
    assert holder.client_id == "laptop"
    assert holder.scopes == ("files:read", "files:write")


@pytest.mark.parametrize("token", ["", "nonsense", "0" * 64, "ü" * 10])
async def test_unknown_token_is_refused(
    file: Path, told: Told, token: str
) -> None:
    create(file, "laptop", [])
    with pytest.raises(InvalidToken, match="unknown"):
        await verifier(file, told).verify(token)


async def test_new_token_is_good_without_a_restart(
    file: Path, told: Told
) -> None:
    create(file, "laptop", [])
    running = verifier(file, told)
    epoch = running.epoch
    token = create(file, "desktop", [])
    assert (await running.verify(token)).client_id == "desktop"
    assert running.epoch != epoch
    assert told == ["tokens_reloaded"]


async def test_removed_token_is_no_good_any_more(
    file: Path, told: Told
) -> None:
    token = create(file, "laptop", [])
    running = verifier(file, told)
    await running.verify(token)
    file.write_text("", "utf-8")
    with pytest.raises(InvalidToken):
        await running.verify(token)


@pytest.mark.parametrize("breakage", ["nonsense", "mode", "gone"])
async def test_broken_file_keeps_the_old_tokens_and_is_told_of_once(
    file: Path, told: Told, breakage: str
) -> None:
    token = create(file, "laptop", [])
    running = verifier(file, told)
    if breakage == "nonsense":
        file.write_text("nonsense\n", "utf-8")
    elif breakage == "mode":
        file.chmod(0o644)
    else:
        file.unlink()
    for _ in range(3):
        assert (await running.verify(token)).client_id == "laptop"
    assert told == ["tokens_reload_failed"]


async def test_mended_file_is_read_again(file: Path, told: Told) -> None:
    create(file, "laptop", [])
    running = verifier(file, told)
    file.write_text("nonsense\n", "utf-8")
    assert running.epoch == 0
    file.unlink()
    token = create(file, "desktop", [])
    assert (await running.verify(token)).client_id == "desktop"
    assert told == ["tokens_reload_failed", "tokens_reloaded"]


def test_start_with_a_broken_file_is_refused_in_one_line(
    file: Path, told: Told
) -> None:
    with pytest.raises(SettingsError, match=r"TOKENS_FILE.*token create"):
        verifier(file, told)
    file.write_text("", "utf-8")
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600") as refused:
        verifier(file, told)
    assert "\n" not in refused.value.problems[0]
