"""An alert reaches whoever is named: a real Alertmanager tells them."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.deploy.running import (
    DEPLOY,
    documents,
    eventually,
    free_port,
    program,
    started,
    status_of,
)
from tests.deploy.test_rules import rules

FILE = DEPLOY / "alertmanager/alertmanager.yml"
CONFIG = documents(FILE)[0]
COMPOSE = documents(DEPLOY / "compose.yaml")[0]
ALERT = {"alertname": "McpServerDown", "severity": "critical", "job": "x"}


class Person(BaseHTTPRequestHandler):
    """Takes what Alertmanager posts."""

    told: list[dict[str, Any]]

    def do_POST(self) -> None:
        """Keep it, and say nothing."""
        size = int(self.headers["content-length"])
        self.told.append(json.loads(self.rfile.read(size)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Leave standard error alone."""


@pytest.fixture
def person() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Somebody who is to be told, at an address."""
    told: list[dict[str, Any]] = []
    handler = type("Handler", (Person,), {"told": told})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", told
        server.shutdown()
        thread.join()


def test_an_alert_reaches_whoever_is_named(
    tmp_path: Path, person: tuple[str, list[dict[str, Any]]]
) -> None:
    url, told = person
    alertmanager = program("alertmanager", "prometheus-alertmanager")
    # Debian's is older than url_file, which is what keeps it a secret.
    told_by_file = "url_file: /run/secrets/alert-webhook"
    text = FILE.read_text("utf-8")
    assert told_by_file in text
    text = text.replace(told_by_file, f"url: {url}")
    config = tmp_path / "alertmanager.yml"
    config.write_text(text.replace("group_wait: 10s", "group_wait: 1s"))
    address = f"127.0.0.1:{free_port()}"
    command = (
        *(alertmanager, f"--config.file={config}"),
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    )
    with started(*command, log=tmp_path / "log"):
        api = f"http://{address}"
        eventually(lambda: status_of(f"{api}/-/ready") == 200)
        sent = httpx2.post(
            f"{api}/api/v2/alerts", json=[{"labels": ALERT}], trust_env=False
        )
        assert sent.status_code == 200, sent.text
        assert eventually(lambda: told)

    assert told[0]["status"] == "firing"
    assert told[0]["alerts"][0]["labels"] == ALERT


def test_prometheus_sends_alerts_to_where_alertmanager_is() -> None:
    config = documents(DEPLOY / "prometheus/prometheus.yml")[0]
    (manager,) = config["alerting"]["alertmanagers"]
    service = COMPOSE["services"]["alertmanager"]
    watching = COMPOSE["services"]["prometheus"]["networks"]

    assert manager["static_configs"] == [{"targets": ["alertmanager:9093"]}]
    assert set(service["networks"]) & set(watching) == {"alarms"}
    assert service["secrets"] == ["alert-webhook"]


def test_every_severity_has_somebody_who_is_told() -> None:
    receivers = {r["name"]: r for r in CONFIG["receivers"]}
    routes = [CONFIG["route"], *CONFIG["route"]["routes"]]
    known = {r["labels"]["severity"] for r in rules() if "alert" in r}

    assert known == {"critical", "warning"}
    for route in routes:
        assert receivers[route["receiver"]]["webhook_configs"]
