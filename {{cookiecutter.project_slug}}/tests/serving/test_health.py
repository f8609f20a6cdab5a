import asyncio
import dataclasses

import pytest

from {{ cookiecutter.__package_name }}.serving.application import Application
from tests.conftest import MakeSettings
from tests.serving.demo import build_demo
from tests.serving.harness import serving


class Dependency:
    """What a server depends on, and how often it was asked for."""

    def __init__(self, answer: object = True) -> None:
        self.answer = answer
        self.asked = 0

    async def ready(self) -> bool:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is None:
            await asyncio.Event().wait()
        return bool(self.answer)


def application(
    make_settings: MakeSettings, dependency: Dependency
) -> Application:
    settings = make_settings(MCP_TRANSPORT="http")
    demo = build_demo(settings, lambda *_: None)
    return dataclasses.replace(
        demo, ready=dependency.ready, missing=lambda: ("Landlock",)
    )


async def test_living_server_names_what_its_sandbox_lacks(
    make_settings: MakeSettings,
) -> None:
    app = application(make_settings, Dependency())
    async with (
        serving(make_settings(MCP_TRANSPORT="http"), app) as served,
        served.client() as client,
    ):
        answer = await client.get("/health")
        assert answer.json() == {"status": "alive", "missing": ["Landlock"]}


async def test_nobody_else_learns_what_its_sandbox_lacks(
    make_settings: MakeSettings,
) -> None:
    app = application(make_settings, Dependency())
    settings = make_settings(
        MCP_TRANSPORT="http", MCP_TRUSTED_PROXIES="127.0.0.1"
    )
    elsewhere = {"x-forwarded-for": "198.51.100.7"}
    async with serving(settings, app) as served, served.client() as client:
        answer = await client.get("/health", headers=elsewhere)
        assert answer.json() == {"status": "alive"}


@pytest.mark.parametrize(
    ("state", "status"),
    [(True, 200), (False, 503), (OSError(), 503), (None, 503)],
    ids=["there", "away", "failing", "hanging"],
)
async def test_server_is_ready_when_what_it_depends_on_is_there(
    make_settings: MakeSettings, state: object, status: int
) -> None:
    app = application(make_settings, Dependency(state))
    async with (
        serving(make_settings(MCP_TRANSPORT="http"), app) as served,
        served.client() as client,
    ):
        assert (await client.get("/ready")).status_code == status
        assert (await client.get("/health")).status_code == 200


async def test_many_probes_ask_once(make_settings: MakeSettings) -> None:
    dependency = Dependency()
    app = application(make_settings, dependency)
    async with (
        serving(make_settings(MCP_TRANSPORT="http"), app) as served,
        served.client() as client,
    ):
        await asyncio.gather(*(client.get("/ready") for _ in range(20)))
    assert dependency.asked == 1


async def test_probe_is_answered_without_a_body_to_head(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(MCP_TRANSPORT="http")
    async with serving(settings) as served, served.client() as client:
        assert (await client.head("/ready")).status_code == 200
        assert (await client.post("/ready")).status_code == 405
