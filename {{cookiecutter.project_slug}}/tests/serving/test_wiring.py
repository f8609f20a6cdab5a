"""The real server behind the real transport: what no part alone can show."""

from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client

from {{ cookiecutter.__package_name }}.attempts import TOLD
from {{ cookiecutter.__package_name }}.controls.metrics import Metrics
from {{ cookiecutter.__package_name }}.errors import SettingsError
from {{ cookiecutter.__package_name }}.server import build
from {{ cookiecutter.__package_name }}.serving import check
from {{ cookiecutter.__package_name }}.tokens import create
from tests.auth import issuer
from tests.conftest import MakeSettings
from tests.serving.harness import post_call, serving, text_of


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, Any]:
    return {
        "MCP_TRANSPORT": "http",
        "MCP_AUTH": "bearer",
        "MCP_AUTH_TOKENS_FILE": tmp_path / "tokens",
    }


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_token_opens_what_its_scopes_name_and_nothing_else(
    make_settings: MakeSettings, variables: dict[str, Any], mode: Any
) -> None:
    file = variables["MCP_AUTH_TOKENS_FILE"]
    token = create(file, "reader", ["files:read"])
    settings = make_settings(**variables)
    async with serving(settings, build(settings)) as served:
        url = f"http://127.0.0.1:{served.port}/mcp"
        async with Client(url, auth=token, mode=mode) as client:
            names = {tool.name for tool in await client.list_tools()}
            assert "list_files" in names
            assert "write_file" not in names
            assert await client.call_tool("list_files", {})
        async with served.client() as http:
            bearer = f"Bearer {token}"
            new = {"path": "a", "content": "b"}
            answer = await post_call(
                http, "write_file", new, Authorization=bearer
            )
            assert answer.status_code == 403
            challenge = answer.headers["www-authenticate"]
            assert 'scope="files:write"' in challenge


async def test_call_is_counted_and_logged_as_its_token_s_client(
    make_settings: MakeSettings, variables: dict[str, Any], events: Any
) -> None:
    file = variables["MCP_AUTH_TOKENS_FILE"]
    token = create(file, "reader", [])
    settings = make_settings(**variables)
    async with (
        serving(settings, build(settings)) as served,
        served.client() as client,
    ):
        bearer = f"Bearer {token}"
        hello = {"message": "hello"}
        answer = await post_call(client, "echo", hello, Authorization=bearer)
        assert "hello" in text_of(answer)
    (done,) = events("tool_request_completed")
    assert done["client_id"] == "reader"
    assert token not in str(events())


async def test_token_is_told_of_by_the_name_of_its_calls(
    make_settings: MakeSettings, events: Any
) -> None:
    settings = make_settings(
        MCP_TRANSPORT="http",
        MCP_AUTH="jwt",
        MCP_AUTH_ISSUER=issuer.ISSUER,
        MCP_AUTH_AUDIENCE=issuer.AUDIENCE,
        MCP_AUTH_PUBLIC_KEY=issuer.pem(issuer.rsa_key()),
        MCP_BASE_URL="https://mcp.example.com",
    )
    async with (
        serving(settings, build(settings)) as served,
        served.client() as client,
    ):
        bearer = f"Bearer {issuer.token(scope='')}"
        await post_call(client, "health_check", Authorization=bearer)
    told = events("auth_succeeded") + events("tool_request_completed")
    assert [line["client_id"] for line in told] == ["app/alice"] * 2


async def test_refusals_are_counted_each_time_and_do_not_fill_the_log(
    make_settings: MakeSettings, events: Any, metrics: list[Metrics]
) -> None:
    settings = make_settings(MCP_TRANSPORT="http")
    async with serving(settings, build(settings)) as served:
        for _ in range(3 * TOLD):
            await served.raw(b"nonsense\r\n\r\n")
    assert len(events("request_denied")) == TOLD
    counted = metrics[0].registry.get_sample_value(
        "mcp_security_events_total", {"event": "request_denied"}
    )
    assert counted == 3 * TOLD


@pytest.mark.parametrize(
    "wrong",
    [
        {"MCP_ALLOWED_HOSTS": "*"},
        {"MCP_TLS_CERTFILE": "/nowhere", "MCP_TLS_KEYFILE": "/nowhere"},
        {"MCP_AUTH": "bearer", "MCP_AUTH_TOKENS_FILE": "/nowhere"},
    ],
    ids=["hosts", "TLS", "tokens"],
)
def test_check_refuses_what_the_start_would_refuse(
    make_settings: MakeSettings, wrong: dict[str, str]
) -> None:
    settings = make_settings(MCP_TRANSPORT="http", **wrong)
    with pytest.raises(SettingsError):
        check(build, settings)


async def test_start_and_stop_are_logged(
    make_settings: MakeSettings, events: Any
) -> None:
    settings = make_settings(MCP_TRANSPORT="http")
    async with serving(settings, build(settings)) as served:
        (started,) = events("server_started")
        assert started["level"] == "INFO"
        assert (started["host"], started["port"]) == (
            "127.0.0.1",
            served.port,
        )
