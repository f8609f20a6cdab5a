"""The compose file: who may do what, and who reaches whom."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.__package_name }}.environment import KNOWN, load
from tests.deploy.running import DEPLOY, documents, missing, program, run

FILE = DEPLOY / "compose.yaml"
COMPOSE = documents(FILE)[0]
SERVICES = COMPOSE["services"]
SUBNET = "${MCP_SUBNET:-10.213.87.0/24}"
#: Docker that does nothing; the token is there already.
DOCKER = "#!/bin/sh\nexit 0\n"
ISSUER = {
    "MCP_AUTH_ISSUER": "https://id.example.com",
    "MCP_AUTH_AUDIENCE": "https://mcp.example.com",
    "MCP_AUTH_JWKS_URI": "https://id.example.com/jwks.json",
}


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(SERVICES[request.param])


def test_a_service_may_do_nothing_that_it_need_not(
    service: Mapping[str, Any],
) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "pid", "ipc"} & service.keys()
    assert service["user"].split(":")[0] not in {"0", "root"}


def test_a_service_cannot_take_the_machine(
    service: Mapping[str, Any],
) -> None:
    assert {"mem_limit", "cpus", "pids_limit"} <= service.keys()


def test_an_image_is_named_by_an_exact_version(
    service: Mapping[str, Any],
) -> None:
    name, _, tag = service["image"].rpartition(":")

    assert name
    assert tag == "local" or any(c.isdigit() for c in tag.split(".")[1])


def test_nothing_but_the_proxy_and_the_dashboards_is_published() -> None:
    published = {name for name, s in SERVICES.items() if "ports" in s}

    assert published == {"proxy", "grafana"}
    assert SERVICES["grafana"]["ports"] == [
        "${GRAFANA_PUBLISH:-127.0.0.1:3000}:3000"
    ]
    assert SERVICES["proxy"]["ports"] == [
        "${MCP_PUBLISH:-127.0.0.1:8443}:8443"
    ]


def test_the_proxy_reaches_no_metrics_and_the_watchers_no_outside() -> None:
    assert COMPOSE["networks"]["metrics"] == {"internal": True}
    assert COMPOSE["networks"]["serving"]["internal"] is True
    assert "metrics" not in SERVICES["proxy"]["networks"]
    assert SERVICES["prometheus"]["networks"] == ["alarms", "metrics"]
    assert COMPOSE["networks"]["alarms"] == {"internal": True}
    assert "alarms" not in SERVICES["server"]["networks"]
    assert SERVICES["valkey"]["network_mode"] == "none"


def test_no_secret_stands_in_the_environment() -> None:
    for name, service in SERVICES.items():
        for variable in service.get("environment", {}):
            secret = any(w in variable for w in ("PASSWORD", "TOKEN", "KEY"))
            assert not secret or variable.endswith("FILE"), (name, variable)


def test_the_server_starts_with_these_variables(tmp_path: Path) -> None:
    given = dict(SERVICES["server"]["environment"])
    assert given.keys() <= KNOWN
    given["MCP_BASE_URL"] = "https://localhost:8443"
    given["MCP_LOG_LEVEL"] = "INFO"
    subnet = COMPOSE["networks"]["serving"]["ipam"]["config"][0]["subnet"]
    assert given["MCP_TRUSTED_PROXIES"] == subnet == SUBNET
    given["MCP_TRUSTED_PROXIES"] = "10.213.87.0/24"
    given.update({k: v for k, v in ISSUER.items() if k in given})

    settings = load({**given, "WORKSPACE_PATH": str(tmp_path)})

    assert settings.auth != "none"


def test_docker_takes_the_file(tmp_path: Path) -> None:
    docker = program("docker")
    plugins = subprocess.run([docker, "compose", "version"], check=False)
    if plugins.returncode:
        missing("docker compose")
    env = {**os.environ, **ISSUER, "DOCKER_CONFIG": str(tmp_path)}

    shown = run(
        *(docker, "compose", "--file", FILE, "--profile", "alerts"),
        *("config", "--format", "json"),
        env=env,
    )

    assert json.loads(shown)["services"].keys() == SERVICES.keys()


def test_the_command_that_starts_it_is_a_script_without_a_fault() -> None:
    assert (DEPLOY / "up").stat().st_mode & 0o100
    run(program("shellcheck"), DEPLOY / "up")


@pytest.fixture
def up(tmp_path: Path) -> Callable[..., str]:
    """Runs deploy/up in a folder of its own, with a Docker of no effect."""
    for tool in ("openssl", "sh"):
        program(tool)
    shutil.copy(DEPLOY / "up", tmp_path)
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER, "utf-8")
    docker.chmod(0o700)
    env = {"PATH": f"{docker.parent}:{os.environ['PATH']}"}
    return lambda **given: run(tmp_path / "up", env={**env, **given})


def test_what_is_made_once_is_kept(up: Any, tmp_path: Path) -> None:
    up()
    files = ("tls.key", "tls.crt", "grafana-password")
    made = [(tmp_path / "secrets" / name).read_bytes() for name in files]
    up()

    assert all(made)
    assert made == [
        (tmp_path / "secrets" / name).read_bytes() for name in files
    ]
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("lost", ["tls.key", "tls.crt"])
def test_half_a_certificate_is_none(
    up: Any, tmp_path: Path, lost: str
) -> None:
    up()
    (tmp_path / "secrets" / lost).unlink()
    up()
    shown = [
        run(program("openssl"), *command, "-in", tmp_path / "secrets" / name)
        for command, name in (
            (("x509", "-noout", "-pubkey"), "tls.crt"),
            (("pkey", "-pubout"), "tls.key"),
        )
    ]

    assert shown[0] == shown[1]


def test_a_certificate_that_ends_is_renewed_if_it_is_ours(
    up: Any, tmp_path: Path
) -> None:
    for name, renewed in (("localhost", True), ("mcp.example.com", False)):
        up()
        folder = tmp_path / "secrets"
        for file in ("tls.key", "tls.crt"):
            (folder / file).unlink()
        run(
            *(program("openssl"), "req", "-x509", "-newkey", "ec"),
            *("-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3"),
            *("-subj", f"/CN={name}"),
            *("-keyout", folder / "tls.key", "-out", folder / "tls.crt"),
        )
        before = (folder / "tls.crt").read_bytes()
        up()

        assert ((folder / "tls.crt").read_bytes() != before) is renewed


def test_what_openssl_cannot_do_is_said(up: Any, tmp_path: Path) -> None:
    openssl = tmp_path / "bin/openssl"
    openssl.write_text("#!/bin/sh\necho 'no entropy' >&2; exit 1\n", "utf-8")
    openssl.chmod(0o700)

    with pytest.raises(AssertionError, match="no entropy"):
        up()
    assert not (tmp_path / "secrets/tls.key").exists()


def test_alerts_go_where_the_secrets_say(up: Any, tmp_path: Path) -> None:
    docker = tmp_path / "bin/docker"
    docker.write_text('#!/bin/sh\necho "profiles: $COMPOSE_PROFILES"\n')
    assert "alerts      go to nobody: put" in (shown := up())
    assert "profiles: \n" in shown
    (tmp_path / "secrets/alert-webhook").write_text("https://pager.test/x\n")
    assert "alerts      go to the address in" in (shown := up())
    assert "profiles: alerts\n" in shown
    assert "pager.test" not in shown


def test_the_address_that_is_published_is_printed(up: Any) -> None:
    shown = up(MCP_PUBLISH="0.0.0.0:443", MCP_BASE_URL="https://mcp.test")

    assert "https://mcp.test/mcp, published on 0.0.0.0:443" in shown
