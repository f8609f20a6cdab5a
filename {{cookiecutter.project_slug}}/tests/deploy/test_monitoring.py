"""A real Prometheus scrapes real servers while things happen to them."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from {{ cookiecutter.__package_name }}.tokens import create
from tests.deploy.running import (
    DEPLOY,
    Running,
    documents,
    eventually,
    free_port,
    program,
    serving,
    started,
    status_of,
)
from tests.deploy.test_rules import DASHBOARD, RULES, rules
from tests.serving.harness import call, call_headers

# Several servers start at once, and a busy machine takes its time.
pytestmark = pytest.mark.timeout(300)

THRESHOLD = re.compile(r"\s*(?:==|>)\s*[0-9][0-9.e* ]*")
CONFIG = documents(DEPLOY / "prometheus/prometheus.yml")[0]
JOB = CONFIG["scrape_configs"][0]["job_name"]


def every_query() -> Iterator[tuple[str, str]]:
    """Yield each query with its name, without what it is compared with."""
    for rule in rules():
        name = rule.get("alert") or rule["record"]
        yield name, THRESHOLD.sub("", rule["expr"])
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            expr = target["expr"].replace("$job", JOB)
            yield panel["title"], expr.replace("$__rate_interval", "1m")


QUERIES = list(every_query())


@dataclass(frozen=True)
class Prometheus:
    """What the servers' metrics are asked of."""

    url: str

    def answer(self, query: str) -> list[dict[str, Any]]:
        asked = httpx2.get(
            f"{self.url}/api/v1/query",
            params={"query": query},
            trust_env=False,
        )
        assert asked.status_code == 200, asked.text
        return list(asked.json()["data"]["result"])


@pytest.fixture(scope="module")
def prometheus(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Prometheus]:
    """Prometheus, after each event of interest has happened twice."""
    binary = program("prometheus")
    folder = tmp_path_factory.mktemp("monitoring")
    with ExitStack() as stack:
        tokens = folder / "tokens"
        token = create(tokens, "me", ["files:read", "commands:run"])
        server = stack.enter_context(
            serving(
                folder / "one",
                MCP_AUTH="bearer",
                MCP_AUTH_TOKENS_FILE=tokens,
                MCP_ALLOWED_COMMANDS="sleep",
                MCP_COMMAND_SANDBOX="best-effort",
                MCP_COMMAND_TIMEOUT="0.2",
                MCP_APPROVAL="never",
                MCP_TOOL_RATE_LIMITS="echo=1/minute",
            )
        )
        storage = f"redis://127.0.0.1:{free_port()}"
        lost = stack.enter_context(
            serving(folder / "two", MCP_RATE_LIMIT_STORAGE=storage)
        )
        watching = stack.enter_context(_watching(binary, folder, server, lost))
        for _ in range(2):
            _let_things_happen(server, token, lost)
            _wait_for_a_scrape(watching)
        eventually(lambda: watching.answer("mcp:requests:rate5m"))
        yield watching


@pytest.mark.parametrize(
    "query", [q for _, q in QUERIES], ids=[name for name, _ in QUERIES]
)
def test_the_query_finds_what_has_happened(
    prometheus: Prometheus, query: str
) -> None:
    assert eventually(lambda: prometheus.answer(query))


def test_every_replica_is_seen(prometheus: Prometheus) -> None:
    assert len(prometheus.answer("up == 1")) == 2


@contextmanager
def _watching(
    binary: str, folder: Path, *servers: Running
) -> Iterator[Prometheus]:
    targets = [f"127.0.0.1:{server.metrics_port}" for server in servers]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in RULES],
        "scrape_configs": [
            {"job_name": JOB, "static_configs": [{"targets": targets}]}
        ],
    }
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config), "utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = (
        binary,
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    )
    with started(*command, log=folder / "prometheus.log"):
        url = f"http://{address}"
        eventually(lambda: status_of(f"{url}/-/ready") == 200)
        yield Prometheus(url)


def _let_things_happen(server: Running, token: str, lost: Running) -> None:
    """Make each event once, and an answer that is as it should be."""
    tools = (
        ("health_check", {}),
        ("echo", {"message": "1"}),
        ("echo", {"message": "2"}),
        ("read_file", {"path": "../outside"}),
        ("run_command", {"argv": ["rm", "-r", "."]}),
        ("run_command", {"argv": ["sleep", "5"]}),
    )
    for tool, arguments in tools:
        _call(server, tool, arguments, authorization=f"Bearer {token}")
    _call(server, "echo", {"message": "3"}, authorization="Bearer wrong")
    _call(server, "echo", {"message": "4"}, host="evil.example")
    _call(lost, "echo", {"message": "5"})


def _call(
    server: Running, tool: str, arguments: dict[str, Any], **headers: str
) -> None:
    httpx2.post(
        f"{server.url}/mcp",
        json=call(tool, arguments),
        headers={**call_headers(tool), **headers},
        trust_env=False,
        timeout=20,
    )


def _scrapes(watching: Prometheus) -> int:
    counted = watching.answer("sum(count_over_time(up[5m]))")
    return int(counted[0]["value"][1]) if counted else 0


def _wait_for_a_scrape(watching: Prometheus) -> None:
    before = _scrapes(watching)
    eventually(lambda: _scrapes(watching) >= before + 4)
