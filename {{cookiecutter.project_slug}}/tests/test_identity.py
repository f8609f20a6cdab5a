import sys
from ipaddress import ip_network
from typing import Any

import pytest
from fastmcp import Client, FastMCP
from fastmcp.server.auth import AccessToken
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser

from {{ cookiecutter.__package_name }}.identity import (
    PROCESS,
    address_id,
    client_id,
    current_client_id,
    resolve_peer,
)
from tests.conftest import MakeSettings
from tests.serving.harness import call, call_headers, serving, text_of

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def scope(peer: str, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", f.encode()) for f in forwarded]
    return {"client": (peer, 4321), "headers": headers}


def user(client: str, subject: str | None = None) -> AuthenticatedUser:
    return AuthenticatedUser(
        AccessToken(token="", client_id=client, scopes=["a"], subject=subject)
    )


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7:55123"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["nonsense, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("fd00::1", ["[2001:db8::7]:443"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
    ],
    ids=[
        "no proxy of ours",
        "says nothing",
        "one hop",
        "with its port",
        "what the client wrote",
        "what the client wrote apart",
        "two proxies",
        "unreadable hop",
        "unreadable beyond",
        "proxies alone",
        "empty",
        "IPv6",
        "IPv4 in IPv6",
    ],
)
def test_client_is_the_last_hop_that_no_trusted_proxy_is(
    peer: str, forwarded: list[str], expected: str
) -> None:
    request = scope(peer, *forwarded)
    resolve_peer(request, PROXIES)
    assert request["client"][0] == expected


def test_nobody_is_believed_unless_trusted() -> None:
    request = scope("10.0.0.1", "198.51.100.7")
    resolve_peer(request, [])
    assert request["client"][0] == "10.0.0.1"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("", "unknown"),
    ],
)
def test_ipv6_addresses_count_by_their_network(
    address: str, expected: str
) -> None:
    assert address_id(address) == expected


def test_token_names_client_and_subject() -> None:
    assert client_id({"user": user("app", "alice")}) == "app/alice"


def test_service_that_acts_for_itself_is_named_once() -> None:
    assert client_id({"user": user("app", "app")}) == "app"
    assert client_id({"user": user("app")}) == "app"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "b/c"), ("a/b", "c")),
        (("a", None), ("b", None)),
        (("x" * 300, None), ("x" * 300 + "y", None)),
        (("a", "x" * 300), ("a", "x" * 300 + "y")),
        (("a", "b\n"), ("a", "b")),
        (("a", "\ud800"), ("a", "\ud801")),
        (("a", "\ud800" * 300), ("a", "\ud801" * 300)),
    ],
    ids=[
        *("slash", "plain", "long client", "long subject", "control"),
        *("half a character", "halves"),
    ],
)
def test_no_two_holders_share_a_name(
    one: tuple[str, str | None], other: tuple[str, str | None]
) -> None:
    names = [client_id({"user": user(*who)}) for who in (one, other)]
    assert names[0] != names[1]
    assert all(name.isprintable() and len(name) < 200 for name in names)


async def test_caller_in_memory_is_the_process() -> None:
    server: FastMCP[Any] = FastMCP("test")
    server.tool(current_client_id, name="who")
    async with Client(server) as client:
        result = await client.call_tool("who", {})
        assert result.content[0].text == PROCESS


@pytest.mark.parametrize("session", ["", "0123456789abcdef"])
async def test_what_a_caller_says_of_itself_does_not_count(
    make_settings: MakeSettings, session: str
) -> None:
    settings = make_settings(MCP_TRANSPORT="http")
    async with serving(settings) as served, served.client() as client:
        request = call("who")
        request["params"]["_meta"]["client_id"] = "somebody else"
        answer = await client.post(
            "/mcp",
            json=request,
            headers={
                **call_headers("who"),
                "x-forwarded-for": "198.51.100.7",
                "forwarded": "for=198.51.100.7",
                "x-real-ip": "198.51.100.7",
                "x-client-id": "somebody else",
                **({"mcp-session-id": session} if session else {}),
            },
        )
        assert text_of(answer) == "127.0.0.1"


async def test_trusted_proxy_names_the_client(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(
        MCP_TRANSPORT="http", MCP_TRUSTED_PROXIES="127.0.0.1"
    )
    async with serving(settings) as served, served.client() as client:
        headers = {**call_headers("who"), "x-forwarded-for": "198.51.100.7"}
        answer = await client.post("/mcp", json=call("who"), headers=headers)
        assert text_of(answer) == "198.51.100.7"


def test_identity_is_cheap() -> None:
    """It is asked for on every call, so few functions are called for it."""
    request: dict[str, Any] = {"user": user("app", "alice")}
    client_id(request)
    called: list[str] = []
    sys.setprofile(lambda _, event, __: called.append(event))
    try:
        client_id(request)
    finally:
        sys.setprofile(None)
    assert called.count("call") + called.count("c_call") < 50
