import pytest

from {{ cookiecutter.__package_name }}.errors import SettingsError
from tests.conftest import MakeSettings
from tests.serving.harness import Served, serving

LOOPBACK = {"MCP_TRANSPORT": "http"}
PUBLIC = {
    "MCP_TRANSPORT": "http",
    "MCP_ALLOWED_HOSTS": "mcp.example.com,*.internal.example.com",
    "MCP_ALLOWED_ORIGINS": "https://app.example.com",
}


async def status(served: Served, **headers: str) -> int:
    async with served.client() as client:
        return (await client.get("/health", headers=headers)).status_code


@pytest.mark.parametrize(
    ("variables", "host", "expected"),
    [
        (LOOPBACK, "127.0.0.1", 200),
        (LOOPBACK, "LOCALHOST:8080", 200),
        (LOOPBACK, "[::1]:8080", 200),
        (LOOPBACK, "evil.example", 421),
        (LOOPBACK, "localhost.evil.example", 421),
        (LOOPBACK, "127.0.0.1.evil.example:8080", 421),
        (LOOPBACK, "localhost@evil.example", 421),
        (LOOPBACK, "", 421),
        (PUBLIC, "mcp.example.com", 200),
        (PUBLIC, "a.internal.example.com:443", 200),
        (PUBLIC, "internal.example.com", 421),
        (PUBLIC, "evilinternal.example.com", 421),
        (PUBLIC, "localhost", 200),
    ],
)
async def test_only_hosts_that_are_served_are_answered(
    make_settings: MakeSettings,
    variables: dict[str, str],
    host: str,
    expected: int,
) -> None:
    async with serving(make_settings(**variables)) as served:
        assert await status(served, Host=host) == expected


@pytest.mark.parametrize(
    ("variables", "origin", "expected"),
    [
        (LOOPBACK, "http://localhost:6274", 200),
        (LOOPBACK, "http://127.0.0.1", 200),
        (LOOPBACK, "https://app.example.com", 403),
        (LOOPBACK, "null", 403),
        (LOOPBACK, "", 403),
        (LOOPBACK, "http://localhost.evil.example", 403),
        (LOOPBACK, "http://evil.example/localhost", 403),
        (PUBLIC, "https://app.example.com", 200),
        (PUBLIC, "https://APP.example.com:443", 200),
        (PUBLIC, "http://app.example.com", 403),
        (PUBLIC, "https://app.example.com:8443", 403),
        (PUBLIC, "http://localhost:6274", 403),
    ],
)
async def test_only_origins_that_are_allowed_are_answered(
    make_settings: MakeSettings,
    variables: dict[str, str],
    origin: str,
    expected: int,
) -> None:
    async with serving(make_settings(**variables)) as served:
        assert await status(served, Origin=origin) == expected


async def test_page_of_the_server_itself_is_answered(
    make_settings: MakeSettings,
) -> None:
    async with serving(make_settings(**PUBLIC)) as served:
        origin = f"http://127.0.0.1:{served.port}"
        assert await status(served, Origin=origin) == 200


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
    make_settings: MakeSettings,
) -> None:
    async with serving(make_settings(**LOOPBACK)) as served:
        answer = await served.raw(
            b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
            b"Origin: http://localhost\r\nOrigin: http://evil.example\r\n\r\n"
        )
        assert answer.status == 403


async def test_request_without_a_host_is_refused(
    make_settings: MakeSettings,
) -> None:
    async with serving(make_settings(**LOOPBACK)) as served:
        answer = await served.raw(b"GET /health HTTP/1.0\r\n\r\n")
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


async def test_refusals_are_told(make_settings: MakeSettings) -> None:
    async with serving(make_settings(**LOOPBACK)) as served:
        await status(served, Host="evil.example")
        await status(served, Origin="http://evil.example")
        assert served.named("origin_denied") == [
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
