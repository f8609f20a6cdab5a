from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from tests.auth import issuer
from tests.auth.issuer import AUDIENCE, ISSUER, token
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

METADATA = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Served]:
    settings = settings_of(
        tmp_path_factory.mktemp("workspace"),
        MCP_AUTH="jwt",
        MCP_AUTH_ISSUER=ISSUER,
        MCP_AUTH_AUDIENCE=AUDIENCE,
        MCP_AUTH_PUBLIC_KEY=issuer.pem(issuer.rsa_key()),
        MCP_BASE_URL="https://mcp.example.com",
    )
    async with serving(settings) as served:
        yield served


def holding(scope: str) -> str:
    return f"Bearer {token(scope=scope)}"


async def handshake_call(
    client: httpx2.AsyncClient, tool: str, bearer: str
) -> httpx2.Response:
    """Call a tool in the handshake era, which has no header for its name."""
    headers = {**JSON, "authorization": bearer}
    opened = await client.post("/mcp", json=INITIALIZE, headers=headers)
    session = {"mcp-session-id": opened.headers["mcp-session-id"]}
    request: dict[str, Any] = {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": {"name": tool, "arguments": {}},
    }
    return await client.post(
        "/mcp", json=request, headers={**headers, **session}
    )


@pytest.mark.parametrize("era", ["2026-07-28", "handshake"])
async def test_missing_scope_is_named(served: Served, era: str) -> None:
    bearer = holding("files:read")
    async with served.client() as client:
        if era == "handshake":
            answer = await handshake_call(client, "delete", bearer)
        else:
            answer = await post_call(client, "delete", Authorization=bearer)
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == (
        'Bearer error="insufficient_scope", scope="files:write",'
        f' resource_metadata="{METADATA}"'
    )


async def test_call_with_the_scope_is_served(served: Served) -> None:
    async with served.client() as client:
        bearer = holding("files:read files:write")
        answer = await post_call(client, "delete", Authorization=bearer)
        assert text_of(answer) == "deleted"


async def test_tool_that_asks_for_none_is_served(served: Served) -> None:
    async with served.client() as client:
        answer = await post_call(client, "who", Authorization=holding(""))
        assert text_of(answer) == "app/alice"


async def test_refusal_is_told(served: Served) -> None:
    async with served.client() as client:
        await post_call(client, "delete", Authorization=holding(""))
    assert served.named("auth_failed")[-1] == {
        "reason": "insufficient_scope",
        "scope": "files:write",
        "client_id": "app/alice",
        "peer": "127.0.0.1",
    }


async def test_tool_that_is_called_like_a_method_is_no_method(
    served: Served,
) -> None:
    bearer = holding("")
    headers = {**JSON, "authorization": bearer}
    async with served.client() as client:
        opened = await client.post("/mcp", json=INITIALIZE, headers=headers)
        assert opened.status_code == 200
        refused = await post_call(client, "initialize", Authorization=bearer)
        assert refused.status_code == 403


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"[]", b"[" * 100_000, b'{"method":"tools/call"}'],
    ids=["empty", "text", "array", "deep", "no name"],
)
async def test_what_is_no_call_is_left_to_mcp(
    served: Served, body: bytes
) -> None:
    async with served.client() as client:
        headers = {**JSON, "authorization": holding("")}
        answer = await client.post("/mcp", content=body, headers=headers)
        assert answer.status_code == 400
