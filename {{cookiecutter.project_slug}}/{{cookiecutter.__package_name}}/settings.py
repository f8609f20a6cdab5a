"""Every variable that the server reads, typed and checked at start."""

import os
import re
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from limits import RateLimitItem, parse_many
from pydantic import (
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from . import location
from .settings_rules import HIGHEST_PORT, problems, variable

PACKAGE = Path(__file__).parent


def _split(value: object) -> object:
    """Turn ``a, b`` into its items; an empty value has none."""
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


def _limits(value: object) -> object:
    """Turn ``5/second;100/minute`` into limits; ``0`` and ``off`` are none."""
    if not isinstance(value, str):
        return value
    if value.strip().lower() in {"0", "off"}:
        return ()
    return tuple(parse_many(value))


def _limits_per_tool(value: object) -> object:
    """Turn ``tool=10/minute,other=off`` into limits by tool."""
    if not isinstance(value, str):
        return value
    items = [item.partition("=") for item in value.split(",") if item.strip()]
    if not all(equals for _, equals, _ in items):
        raise ValueError("each part is a tool, = and a limit")
    return {tool.strip(): limit for tool, _, limit in items}


def _seconds(value: object) -> object:
    """Let a duration be written ``30`` or ``30s``."""
    return value.strip().removesuffix("s") if isinstance(value, str) else value


#: Whoever is in a network of proxies says who calls (CWE-348).
LEAST_PREFIX: Final = {4: 8, 6: 16}

Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Networks = Annotated[
    tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_split)
]
Limits = Annotated[tuple[RateLimitItem, ...], BeforeValidator(_limits)]
LimitsPerTool = Annotated[dict[str, Limits], BeforeValidator(_limits_per_tool)]
Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0, le=86_400)]
Size = Annotated[ByteSize, Field(gt=0, le=2**40)]
Port = Annotated[int, Field(ge=0, le=HIGHEST_PORT)]


class Settings(BaseModel):
    """What the server was told, once and for its whole life.

    Every field is read from the variable of its name, ``MCP_`` before it
    (``WORKSPACE_PATH`` alone has no prefix).
    """

    model_config = ConfigDict(
        alias_generator=variable,
        arbitrary_types_allowed=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    server_name: str = Field(min_length=1, max_length=100)
    transport: Literal["stdio", "http", "sse"]
    host: str = "127.0.0.1"
    port: Port = 8080
    workspace_path: Path
    rate_limit: Limits
    tool_rate_limits: LimitsPerTool = {}
    rate_limit_storage: SecretStr = SecretStr("memory://")
    rate_limit_on_failure: Literal["deny", "allow"] = "deny"
    metrics_host: str = "127.0.0.1"
    metrics_port: Port = 9090
    max_file_size: Size = ByteSize(10 * 2**20)
    max_output_size: Size = ByteSize(2**20)
    max_request_size: Size = ByteSize(4 * 2**20)
    request_timeout: Seconds = 30.0
    command_timeout: Seconds = 30.0
    max_concurrency: int = Field(default=64, ge=1, le=10_000)
    workers: int = Field(default=1, ge=1, le=64)
    allowed_commands: Names = ()
    command_sandbox: Literal["require", "best-effort"] = "require"
    command_network: Literal["deny", "allow"] = "deny"
    auth: Literal["none", "bearer", "jwt"]
    auth_tokens_file: Path | None = None
    auth_issuer: str | None = None
    auth_audience: str | None = None
    auth_jwks_uri: HttpUrl | None = None
    auth_public_key: str | None = None
    base_url: HttpUrl | None = None
    allowed_hosts: Names = ()
    allowed_origins: Names = ()
    trusted_proxies: Networks = ()
    tls_certfile: Path | None = None
    tls_keyfile: Path | None = None
    approval: Literal["auto", "always", "never"] = "auto"
    approval_key: SecretStr | None = Field(default=None, min_length=32)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_file: Path | None = None
    shutdown_grace: Seconds = 10.0

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("rate_limit_storage")
    @classmethod
    def _known_storage(cls, value: SecretStr) -> SecretStr:
        scheme = r"memory://|(redis|rediss|redis\+unix)://.+"
        if not re.fullmatch(scheme, value.get_secret_value()):
            raise _refuse("use memory:// or redis://host:6379/0")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _few(
        cls, value: tuple[IPv4Network | IPv6Network, ...]
    ) -> tuple[IPv4Network | IPv6Network, ...]:
        if any(each.prefixlen < LEAST_PREFIX[each.version] for each in value):
            raise _refuse(
                "so many addresses are not all proxies, and any caller could"
                " claim another's; name the proxies' own network"
            )
        return value

    @field_validator("workspace_path")
    @classmethod
    def _workspace(cls, value: Path) -> Path:
        # Path.is_dir raises where a name is too long or may not be asked for.
        if not os.path.isdir(value):  # noqa: PTH112
            raise _refuse(
                f"there is no directory {value} that the server may open;"
                " create it, or name another"
            )
        root = value.resolve()
        if problem := location.problem(root):
            raise _refuse(problem)
        return root

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if found := list(problems(self)):
            raise _refuse("\n".join(found))
        return self

    @property
    def on_loopback(self) -> bool:
        """Whether nobody but this machine can reach the server."""
        return self.transport == "stdio" or is_loopback(self.host)

    @property
    def endpoint(self) -> str:
        """Where MCP is served over HTTP."""
        return "/sse" if self.transport == "sse" else "/mcp"

    @property
    def shares_storage(self) -> bool:
        """Whether other processes count the same clients' calls."""
        return self.rate_limit_storage.get_secret_value() != "memory://"

    @property
    def keeps_sessions(self) -> bool:
        """Whether a client's next call reaches the process of its last one.

        Several workers or replicas, which share their counts, have nothing
        else in common. A user is asked within a session, but for the
        2026-07-28 protocol, which has none.
        """
        alone = self.workers == 1 and not self.shares_storage
        return alone or self.transport != "http"


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refuse(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("refused", "{text}", {"text": sentence})
