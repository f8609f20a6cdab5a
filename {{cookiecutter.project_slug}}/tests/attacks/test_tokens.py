"""What somebody without a good token can show, and what it costs."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio

from {{ cookiecutter.__package_name }}.auth import bearer, layer
from {{ cookiecutter.__package_name }}.tokens import create
from tests.auth import issuer
from tests.auth.issuer import AUDIENCE, ISSUER, token
from tests.auth.test_jwt_verifier import BAD
from tests.conftest import MakeSettings
from tests.serving.harness import (
    INITIALIZE,
    JSON,
    Served,
    post_call,
    serving,
    settings_of,
    text_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

FAILURES, STRANGERS = layer.FAILURES, layer.STRANGERS
METADATA = "/.well-known/oauth-protected-resource/mcp"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Served]:
    """A server that takes the tests' issuer for its own."""
    settings = settings_of(
        tmp_path_factory.mktemp("workspace"),
        MCP_AUTH="jwt",
        MCP_AUTH_ISSUER=ISSUER,
        MCP_AUTH_AUDIENCE=AUDIENCE,
        MCP_AUTH_PUBLIC_KEY=issuer.pem(issuer.rsa_key()),
        MCP_BASE_URL="https://mcp.example.com",
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(layer, "FAILURES", 10_000)
        patched.setattr(layer, "STRANGERS", 10_000)
        async with serving(settings) as served:
            yield served


@pytest_asyncio.fixture(loop_scope="module")
async def guessed(
    make_settings: MakeSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[Served, str]]:
    """A server with bearer tokens, and one good token."""
    monkeypatch.setattr(layer, "FAILURES", FAILURES)
    monkeypatch.setattr(layer, "STRANGERS", STRANGERS)
    file = tmp_path / "tokens"
    good = create(file, "laptop", ["files:read"])
    settings = make_settings(
        MCP_TRANSPORT="http",
        MCP_AUTH="bearer",
        MCP_AUTH_TOKENS_FILE=file,
        MCP_TRUSTED_PROXIES="127.0.0.1",
    )
    async with serving(settings) as served:
        yield served, good


async def show(served: Served, text: str, **headers: str) -> tuple[int, str]:
    async with served.client() as client:
        answer = await post_call(
            client,
            "who",
            Authorization=f"Bearer {text}".strip().encode(),
            **headers,
        )
        if answer.status_code == 200:
            return 200, text_of(answer)
        return answer.status_code, answer.headers.get("www-authenticate", "")


async def test_good_token_is_let_in(served: Served) -> None:
    assert await show(served, token()) == (200, "app/alice")


@pytest.mark.parametrize("name", BAD)
async def test_bad_token_is_answered_401_whatever_is_wrong(
    served: Served, name: str
) -> None:
    status, challenge = await show(served, BAD[name]())
    assert status == 401
    assert challenge == (
        'Bearer error="invalid_token", scope="files:read",'
        f' resource_metadata="https://mcp.example.com{METADATA}"'
    )


async def test_huge_token_is_refused_unread(served: Served) -> None:
    status, _ = await show(served, "x" * 15_000)
    assert status == 401
    assert served.named("auth_failed")[-1]["reason"] == "too_long"


@pytest.mark.parametrize("name", BAD)
async def test_nothing_but_the_kind_is_told(
    served: Served, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level("DEBUG")
    bad = BAD[name]()
    await show(served, bad)
    assert set(served.named("auth_failed")[-1]) == {"reason", "peer"}
    logged = "".join(record.getMessage() for record in caplog.records)
    for part in bad.split("."):
        assert len(part) < 8 or part not in logged


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "Basic YTpi")],
        [("Cookie", f"token={token()}")],
        [("X-Authorization", f"Bearer {token()}")],
    ],
    ids=["none", "Basic", "cookie", "other header"],
)
async def test_request_without_a_token_is_told_where_to_get_one(
    served: Served, headers: list[tuple[str, str]]
) -> None:
    async with served.client() as client:
        answer = await client.post("/mcp", headers=headers)
        assert answer.status_code == 401
        challenge = answer.headers["www-authenticate"]
        assert METADATA in challenge
        assert "error=" not in challenge


async def test_two_tokens_are_no_request(served: Served) -> None:
    """Whoever stands between could have read the other one (CWE-444)."""
    bearer = f"Bearer {token()}"
    async with served.client() as client:
        for other in (bearer, "x"):
            both = [("Authorization", bearer), ("Authorization", other)]
            answer = await client.post("/mcp", headers=both)
            assert answer.status_code == 400


async def test_token_in_the_address_is_not_taken(served: Served) -> None:
    async with served.client() as client:
        answer = await client.post("/mcp", params={"access_token": token()})
        assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/mcp", "/nowhere", "/%6dcp", "//mcp"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
async def test_no_path_but_the_metadata_is_open(
    served: Served, path: str, method: str
) -> None:
    async with served.client() as client:
        answer = await client.request(method, path)
        assert answer.status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/../mcp",
        "/.well-known/%2e%2e/mcp",
        "/.well-known//../mcp",
    ],
)
async def test_metadata_are_no_way_round_the_check(
    served: Served, path: str
) -> None:
    answer = await served.raw(
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Length: 0\r\n\r\n".encode()
    )
    assert answer.status in {401, 404}


async def test_metadata_name_the_issuer(served: Served) -> None:
    async with served.client() as client:
        for path in (METADATA, METADATA.removesuffix("/mcp")):
            answer = (await client.get(path)).json()
            assert answer["resource"] == "https://mcp.example.com/mcp"
            assert answer["authorization_servers"] == [ISSUER]
            assert answer["scopes_supported"] == ["files:read", "files:write"]


async def test_session_cannot_be_taken_over_with_another_token(
    served: Served,
) -> None:
    async with served.client() as client:
        alice = {**JSON, "authorization": f"Bearer {token()}"}
        opened = await client.post("/mcp", json=INITIALIZE, headers=alice)
        session = opened.headers["mcp-session-id"]
        mallory = {
            **JSON,
            "authorization": f"Bearer {token(sub='mallory')}",
            "mcp-session-id": session,
        }
        listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        answer = await client.post("/mcp", json=listing, headers=mallory)
        assert answer.status_code == 404


async def test_guessing_is_stopped_before_anything_is_compared(
    guessed: tuple[Served, str],
) -> None:
    served, good = guessed
    answers = [(await show(served, f"guess {n}"))[0] for n in range(20)]
    assert answers == [401] * FAILURES + [429] * 10
    assert (await show(served, good))[0] == 429
    async with served.client() as client:
        answer = await post_call(client, "who", Authorization="Bearer x")
        assert 0 < int(answer.headers["retry-after"]) <= layer.WINDOW
    reasons = [fields["reason"] for fields in served.named("auth_failed")]
    assert reasons == ["unknown"] * FAILURES + ["too_many_attempts"]


async def test_neighbours_failures_do_not_lock_a_known_token_out(
    guessed: tuple[Served, str],
) -> None:
    served, good = guessed
    assert (await show(served, good))[0] == 200
    for number in range(20):
        await show(served, f"guess {number}")
    assert (await show(served, good))[0] == 200


async def test_neighbours_failures_do_not_lock_it_out_later_either(
    guessed: tuple[Served, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must be looked at again each minute; whoever fails is not asked."""
    served, good = guessed
    assert (await show(served, good))[0] == 200
    for number in range(20):
        await show(served, f"guess {number}")
    _let_pass(monkeypatch, layer.KEPT)
    assert (await show(served, good))[0] == 200


async def test_token_that_was_good_once_is_looked_at_once_more(
    guessed: tuple[Served, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served, good = guessed
    assert (await show(served, good))[0] == 200
    for number in range(20):
        await show(served, f"guess {number}")
    monkeypatch.setattr(bearer, "INTERVAL", 0.0)
    (tmp_path / "tokens").write_text("# revoked\n")
    assert (await show(served, good))[0] == 401
    assert (await show(served, good))[0] == 429


def _let_pass(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Move the clock by which tokens are known, and no other."""
    later = time.monotonic() + seconds
    clock = SimpleNamespace(monotonic=lambda: later, time=time.time)
    monkeypatch.setattr(layer, "time", clock)


async def test_other_addresses_are_not_stopped(
    guessed: tuple[Served, str],
) -> None:
    served, good = guessed
    here = {"X-Forwarded-For": "198.51.100.7"}
    for number in range(20):
        await show(served, f"guess {number}", **here)
    assert (await show(served, good, **here))[0] == 429
    there = {"X-Forwarded-For": "198.51.100.8"}
    assert (await show(served, good, **there))[0] == 200


async def test_address_that_the_guesser_makes_up_does_not_help(
    guessed: tuple[Served, str],
) -> None:
    served, _ = guessed
    answers = []
    for number in range(20):
        made_up = {"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.7"}
        answers.append((await show(served, f"guess {number}", **made_up))[0])
    assert answers.count(401) == FAILURES


async def test_requests_without_a_token_are_limited(
    guessed: tuple[Served, str],
) -> None:
    served, _ = guessed
    async with served.client() as client:
        statuses = [
            (await client.post("/mcp")).status_code
            for _ in range(STRANGERS + 5)
        ]
    assert statuses == [401] * STRANGERS + [429] * 5


async def test_no_bad_token_takes_long_to_be_refused(
    served: Served,
) -> None:
    """The dearest check of a bad token is that of a good one's signature."""
    for name in BAD:
        async with asyncio.timeout(10):  # no measure: it finds what hangs
            await show(served, BAD[name]())


async def test_token_is_not_to_be_had_from_inside(
    guessed: tuple[Served, str],
) -> None:
    served, good = guessed
    await show(served, good)
    assert good not in repr(served.events)
