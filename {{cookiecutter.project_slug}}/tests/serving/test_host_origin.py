from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from {{ cookiecutter.__package_name }}.errors import SettingsError
from tests.conftest import MakeSettings
from tests.serving.harness import Served, serving, settings_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOPBACK = {"MCP_TRANSPORT": "http"}
PUBLIC = {
    "MCP_TRANSPORT": "http",
    "MCP_ALLOWED_HOSTS": "mcp.example.com,*.internal.example.com",
    "MCP_ALLOWED_ORIGINS": "https://app.example.com",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Served]:
    """A server with the defaults."""
    workspace = tmp_path_factory.mktemp("workspace")
    async with serving(settings_of(workspace, **LOOPBACK)) as served:
        yield served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def public(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Served]:
    """A server that has a name and a page that may call it."""
    workspace = tmp_path_factory.mktemp("workspace")
    async with serving(settings_of(workspace, **PUBLIC)) as served:
        yield served


async def status(served: Served, **headers: str) -> int:
    async with served.client() as client:
        return (await client.get("/health", headers=headers)).status_code


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", 200),
        ("LOCALHOST:8080", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example:8080", 421),
        ("localhost@evil.example", 421),
        ("", 421),
    ],
)
async def test_hosts_of_this_machine_are_answered(
    local: Served, host: str, expected: int
) -> None:
    assert await status(local, Host=host) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("mcp.example.com", 200),
        ("a.internal.example.com:443", 200),
        ("internal.example.com", 421),
        ("evilinternal.example.com", 421),
        ("localhost", 200),
    ],
)
async def test_hosts_that_are_named_are_answered(
    public: Served, host: str, expected: int
) -> None:
    assert await status(public, Host=host) == expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost:6274", 200),
        ("http://127.0.0.1", 200),
        ("https://app.example.com", 403),
        ("null", 403),
        ("", 403),
        ("http://localhost.evil.example", 403),
        ("http://evil.example/localhost", 403),
    ],
)
async def test_origins_of_this_machine_are_answered(
    local: Served, origin: str, expected: int
) -> None:
    assert await status(local, Origin=origin) == expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://app.example.com", 200),
        ("https://APP.example.com:443", 200),
        ("http://app.example.com", 403),
        ("https://app.example.com:8443", 403),
        ("http://localhost:6274", 403),
    ],
)
async def test_origins_that_are_named_are_answered(
    public: Served, origin: str, expected: int
) -> None:
    assert await status(public, Origin=origin) == expected


async def test_page_of_the_server_itself_is_answered(public: Served) -> None:
    origin = f"http://127.0.0.1:{public.port}"
    assert await status(public, Origin=origin) == 200


async def test_the_public_address_is_allowed_behind_a_proxy_that_ends_tls(
    make_settings: MakeSettings,
) -> None:
    variables = {**LOOPBACK, "MCP_BASE_URL": "https://mcp.example.com"}
    async with serving(make_settings(**variables)) as served:
        headers = {
            "Host": "mcp.example.com",
            "Origin": "https://mcp.example.com",
        }
        assert await status(served, **headers) == 200


async def test_second_origin_cannot_hide_behind_the_first(
    local: Served,
) -> None:
    answer = await local.raw(
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
        b"Origin: http://localhost\r\nOrigin: http://evil.example\r\n\r\n"
    )
    assert answer.status == 403


async def test_request_without_a_host_is_refused(local: Served) -> None:
    answer = await local.raw(b"GET /health HTTP/1.0\r\n\r\n")
    assert answer.status == 421


async def test_probe_may_address_the_pod_that_it_reaches(
    make_settings: MakeSettings,
) -> None:
    """What arrives at 127.0.0.2 may call it 127.0.0.2, and nothing else."""
    settings = make_settings(MCP_TRANSPORT="http", MCP_HOST="127.0.0.2")
    async with serving(settings) as served:
        url = f"http://127.0.0.2:{served.port}/health"
        async with served.client() as client:
            assert (await client.get(url)).status_code == 200
            other = await client.get(url, headers={"Host": "127.0.0.3"})
            assert other.status_code == 421


async def test_refusals_are_told(local: Served) -> None:
    await status(local, Host="evil.example")
    await status(local, Origin="http://evil.example")
    assert local.named("origin_denied")[-2:] == [
        {"reason": "host", "peer": "127.0.0.1"},
        {"reason": "origin", "peer": "127.0.0.1"},
    ]


@pytest.mark.parametrize(
    "variables",
    [
        {"MCP_ALLOWED_HOSTS": "*"},
        {"MCP_ALLOWED_HOSTS": "https://mcp.example.com"},
        {"MCP_ALLOWED_ORIGINS": "*"},
        {"MCP_ALLOWED_ORIGINS": "null"},
        {"MCP_ALLOWED_ORIGINS": "app.example.com"},
    ],
    ids=["any host", "URL", "any origin", "null", "no scheme"],
)
async def test_allowing_everybody_is_refused_at_the_start(
    make_settings: MakeSettings, variables: dict[str, str]
) -> None:
    settings = make_settings(**LOOPBACK, **variables)
    with pytest.raises(SettingsError, match="for example"):
        async with serving(settings):
            pass
