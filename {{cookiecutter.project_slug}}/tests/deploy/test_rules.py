"""The rules of Prometheus, and the dashboard that reads them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastmcp import Client

from {{ cookiecutter.__package_name }}.controls.metrics import Metrics
from tests.conftest import MakeServer
from tests.deploy.running import DEPLOY, PROJECT, documents, program, run

PROMETHEUS = DEPLOY / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
DASHBOARD = json.loads(
    (DEPLOY / "grafana/dashboards/server.json").read_text("utf-8")
)
METRIC = re.compile(r"\b(?:mcp|process|python)_[a-z_]+")


def rules() -> Iterator[dict[str, Any]]:
    for path in RULES:
        for document in documents(path):
            for group in document["groups"]:
                yield from group["rules"]


def queries() -> Iterator[str]:
    for rule in rules():
        yield rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def test_prometheus_takes_the_configuration_and_the_rules() -> None:
    promtool = program("promtool")

    run(promtool, "check", "config", PROMETHEUS / "prometheus.yml")


def test_the_rules_pass_their_own_tests() -> None:
    promtool = program("promtool")

    run(promtool, "test", "rules", PROMETHEUS / "tests/rules.yml")


async def test_every_query_asks_for_a_metric_that_the_server_has(
    make_server: MakeServer, metrics: list[Metrics]
) -> None:
    async with Client(make_server()) as client:
        await client.list_tools()
    families = list(metrics[0].registry.collect())
    known = {name for family in families for name in _names(family)}
    recorded = {rule["record"] for rule in rules() if "record" in rule}

    for query in queries():
        for name in recorded:
            query = query.replace(name, "")
        for name in METRIC.findall(query):
            assert name in known, query


def test_every_recorded_series_is_read_somewhere() -> None:
    asked = "\n".join(queries())

    for rule in rules():
        if "record" in rule:
            assert rule["record"] in asked, rule["record"]


def test_every_alert_has_its_section_in_the_runbook() -> None:
    text = (PROJECT / "SECURITY.md").read_text("utf-8")
    sections = set(re.findall(r"^### (\w+)$", text, re.MULTILINE))

    for rule in rules():
        if "alert" in rule:
            link = rule["annotations"]["runbook_url"]
            assert rule["alert"] in sections
            assert link.endswith(f"SECURITY.md#{rule['alert'].lower()}")


@pytest.mark.parametrize(
    "panel", DASHBOARD["panels"], ids=lambda p: p["title"]
)
def test_no_panel_of_the_dashboard_covers_another(
    panel: dict[str, Any],
) -> None:
    for other in DASHBOARD["panels"]:
        if other["id"] != panel["id"]:
            assert not _overlap(panel["gridPos"], other["gridPos"])


def _names(family: Any) -> Iterator[str]:
    yield family.name
    suffixes = {
        "counter": ["_total"],
        "histogram": ["_bucket", "_count", "_sum"],
        "info": ["_info"],
    }
    for suffix in suffixes.get(family.type, ()):
        yield f"{family.name}{suffix}"


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )
