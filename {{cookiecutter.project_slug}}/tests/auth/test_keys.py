import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.__package_name }}.auth import keys
from {{ cookiecutter.__package_name }}.auth.keys import (
    COOLDOWN,
    FRESH,
    STALE,
    KeySet,
    configured_key,
    fetch_from,
)
from {{ cookiecutter.__package_name }}.auth.verifier import CannotVerify, InvalidToken
from {{ cookiecutter.__package_name }}.errors import SettingsError
from tests.auth import issuer


class Issuer:
    """What answers for a set of keys, or does not."""

    def __init__(self, *published: dict[str, Any]) -> None:
        self.published = list(published)
        self.asked = 0
        self.fault: Exception | None = None
        self.silent = False
        self.now = 0.0
        self.events: list[str] = []

    async def fetch(self) -> bytes:
        self.asked += 1
        if self.silent:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        if self.fault:
            raise self.fault
        return json.dumps({"keys": self.published}).encode()

    def tell(self, event: str, fields: Mapping[str, object]) -> None:
        self.events.append(event)

    def key_set(self) -> KeySet:
        return KeySet(self.fetch, on_event=self.tell, clock=lambda: self.now)


def first(**members: Any) -> dict[str, Any]:
    return issuer.jwk(issuer.rsa_key(), kid="1", **members)


def second() -> dict[str, Any]:
    return issuer.jwk(issuer.rsa_key("theirs"), kid="2")


async def test_set_is_fetched_once_for_all_who_wait() -> None:
    source = Issuer(first())
    found = source.key_set()
    await asyncio.gather(*(found.find("1", "RS256") for _ in range(50)))
    assert source.asked == 1


async def test_new_key_is_found_at_once() -> None:
    source = Issuer(first())
    found = source.key_set()
    await found.find("1", "RS256")
    source.published = [second()]
    source.now += COOLDOWN
    assert await found.find("2", "RS256")
    with pytest.raises(InvalidToken, match="unknown_key"):
        await found.find("1", "RS256")


async def test_unknown_keys_do_not_make_the_issuer_be_asked_without_end() -> (
    None
):
    source = Issuer(first())
    found = source.key_set()
    for number in range(100):
        with pytest.raises(InvalidToken, match="unknown_key"):
            await found.find(f"made up {number}", "RS256")
    assert source.asked == 1


async def test_withdrawn_key_is_used_no_longer_than_the_set_is_fresh() -> None:
    source = Issuer(first())
    found = source.key_set()
    epoch = found.epoch
    await found.find("1", "RS256")
    source.published = [second()]
    source.now += FRESH
    await found.find("1", "RS256")
    assert found._aside
    await found._aside
    assert found.epoch > epoch
    with pytest.raises(InvalidToken):
        await found.find("1", "RS256")


@pytest.mark.parametrize(
    "fault",
    [OSError("unreachable"), ValueError("no JSON"), TimeoutError()],
    ids=["away", "nonsense", "slow"],
)
async def test_keys_outlast_an_issuer_that_is_away(fault: Exception) -> None:
    source = Issuer(first())
    found = source.key_set()
    await found.find("1", "RS256")
    source.fault = fault
    source.now += STALE - 1
    assert await found.find("1", "RS256")
    source.now += 1
    with pytest.raises(CannotVerify):
        await found.find("1", "RS256")
    assert "keys_fetch_failed" in source.events


async def test_without_any_keys_nothing_can_be_verified() -> None:
    source = Issuer(first())
    source.fault = OSError("unreachable")
    found = source.key_set()
    with pytest.raises(CannotVerify):
        await found.find("1", "RS256")
    source.fault = None
    source.now += COOLDOWN
    assert await found.find("1", "RS256")


async def test_silent_issuer_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keys, "PATIENCE", 0.1)
    source = Issuer(first())
    source.silent = True
    found = source.key_set()
    async with asyncio.timeout(5):
        tries = (found.find("1", "RS256") for _ in range(20))
        results = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(result, CannotVerify) for result in results)
    assert source.asked == 1


@pytest.mark.parametrize(
    "entry",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "1", "alg": "HS256"},
        first(use="enc"),
        first(key_ops=["sign"]),
        first(key_ops=None),
        first(key_ops=5),
        first(alg=["RS256"]),
        first(alg="HS256"),
        first(alg="RSA-OAEP"),
        first(n="AAAA"),
        {"kid": "1"},
        "nonsense",
        issuer.jwk(issuer.rsa_key("weak", 1024), kid="1"),
    ],
    ids=[
        "symmetric",
        "for encryption",
        "for signing",
        "for nothing",
        "for a number",
        "for a list",
        "public key as a secret",
        "other algorithm",
        "broken",
        "no key",
        "no object",
        "weak",
    ],
)
async def test_unfit_key_is_passed_over(entry: Any) -> None:
    found = Issuer(entry, second()).key_set()
    assert await found.find("2", "RS256")
    for algorithm in ("RS256", "HS256"):
        with pytest.raises(InvalidToken):
            await found.find("1", algorithm)


@pytest.mark.parametrize("algorithm", ["HS256", "none", "ES256", "RS384"])
async def test_key_is_for_the_algorithm_that_it_names_only(
    algorithm: str,
) -> None:
    found = Issuer(first(alg="RS256")).key_set()
    assert await found.find("1", "RS256")
    with pytest.raises(InvalidToken, match="algorithm"):
        await found.find("1", algorithm)


async def test_token_that_names_no_key_needs_there_to_be_one_only() -> None:
    assert await Issuer(first()).key_set().find(None, "RS256")
    with pytest.raises(InvalidToken):
        await Issuer(first(), second()).key_set().find(None, "RS256")


@pytest.mark.parametrize(
    "content", [b'{"keys":5}', b'{"keys":null}', b'{"keys":"x"}', b"[]", b"5"]
)
async def test_what_is_no_set_cannot_verify_anything(content: bytes) -> None:
    """A broken answer of the issuer's is no failure of ours (500)."""

    async def fetch() -> bytes:
        return content

    source = Issuer()
    found = KeySet(fetch, on_event=source.tell)
    with pytest.raises(CannotVerify):
        await found.find("1", "RS256")
    assert source.events == ["keys_fetch_failed"]


async def test_set_is_fetched_over_http(free_port: int) -> None:
    body = json.dumps({"keys": [first()]}).encode()
    async with _answering(free_port, body):
        fetched = await fetch_from(f"http://127.0.0.1:{free_port}/jwks")()
    assert fetched == body


async def test_endless_set_is_not_read_to_the_end(free_port: int) -> None:
    async with _answering(free_port, b"x" * (keys.LARGEST_SET + 2**20)):
        with pytest.raises(ValueError, match="too large"):
            await fetch_from(f"http://127.0.0.1:{free_port}/jwks")()


def _answering(port: int, body: bytes) -> Any:
    class Answering:
        async def __aenter__(self) -> None:
            self._server = await asyncio.start_server(
                self._answer, "127.0.0.1", port
            )

        async def _answer(
            self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await reader.readuntil(b"\r\n\r\n")
            head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n"
            writer.write(head % len(body) + body)
            writer.close()

        async def __aexit__(self, *_: object) -> None:
            self._server.close()
            await self._server.wait_closed()

    return Answering()


def test_key_is_configured_as_text_or_by_a_file(tmp_path: Path) -> None:
    text = issuer.pem(issuer.rsa_key())
    file = tmp_path / "key.pem"
    file.write_text(text, "ascii")
    for given in (text, text.replace("\n", "\\n"), str(file)):
        assert "RS256" in configured_key(given).algorithms


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "/nowhere/key.pem",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        issuer.pem(issuer.rsa_key("weak", 1024)),
    ],
    ids=["nonsense", "no file", "broken", "weak"],
)
def test_key_that_cannot_be_used_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(SettingsError, match="MCP_AUTH_PUBLIC_KEY"):
        configured_key(text)
