"""An answer holds once, for the one call, at whoever shares the key."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.__package_name }}.server import build
from {{ cookiecutter.__package_name }}.settings import Settings
from tests.conftest import MakeSettings
from tests.serving.harness import call, call_headers, serving

KEY = "0123456789abcdef" * 2
OVERWRITE = {"path": "plan.md", "content": "new", "overwrite": True}
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
YES = {"approve": {"action": "accept", "content": {"approve": True}}}


@pytest.fixture
def file(workspace: Path) -> Path:
    path = workspace / "plan.md"
    path.write_text("old")
    return path


@pytest.fixture
def replica(make_settings: MakeSettings) -> Callable[..., Settings]:
    def make(**variables: object) -> Settings:
        return make_settings(MCP_TRANSPORT="http", **variables)

    return make


async def send(
    served: Any,
    state: str | None = None,
    *,
    modes: dict[str, Any] | None = None,
    **changes: Any,
) -> Any:
    """Overwrite the file, with the user's yes where there is a question."""
    message = call("write_file", {**OVERWRITE, **changes})
    message["params"]["_meta"][CAPABILITIES] = {"elicitation": modes or {}}
    if state is not None:
        message["params"] |= {"requestState": state, "inputResponses": YES}
    headers = call_headers("write_file")
    async with served.client() as http:
        answer = await http.post("/mcp", json=message, headers=headers)
    read = answer.json()
    return read.get("result") or read["error"]


async def test_yes_lets_the_call_through_once(
    replica: Any, file: Path
) -> None:
    settings = replica()
    async with serving(settings, build(settings)) as served:
        question = await send(served)
        assert file.read_text() == "old"
        state = question["requestState"]
        done = await send(served, state)
        assert file.read_text() == "new"
        file.write_text("newer")
        again = await send(served, state)
    assert not done.get("isError")
    assert again["requestState"] != state
    assert file.read_text() == "newer"


async def test_changed_argument_is_not_what_was_approved(
    replica: Any, file: Path
) -> None:
    settings = replica()
    async with serving(settings, build(settings)) as served:
        state = (await send(served))["requestState"]
        refused = await send(served, state, content="other")
    assert refused["data"] == {"reason": "invalid_request_state"}
    assert file.read_text() == "old"


async def test_replica_with_the_key_takes_the_answer(
    replica: Any, file: Path
) -> None:
    settings = replica(MCP_APPROVAL_KEY=KEY)
    async with (
        serving(settings, build(settings)) as one,
        serving(settings, build(settings)) as other,
    ):
        state = (await send(one))["requestState"]
        await send(other, state)
    assert file.read_text() == "new"


async def test_server_without_the_key_does_not(
    replica: Any, file: Path
) -> None:
    mine, foreign = replica(MCP_APPROVAL_KEY=KEY), replica()
    async with (
        serving(mine, build(mine)) as one,
        serving(foreign, build(foreign)) as other,
    ):
        state = (await send(one))["requestState"]
        refused = await send(other, state)
    assert refused["data"] == {"reason": "invalid_request_state"}
    assert file.read_text() == "old"


@pytest.mark.parametrize(
    ("modes", "asked"),
    [({}, True), ({"form": {}, "url": {}}, True), ({"url": {}}, False)],
    ids=["no mode", "both", "only addresses"],
)
async def test_form_is_sent_to_who_can_show_one(
    replica: Any, file: Path, modes: dict[str, Any], asked: bool
) -> None:
    settings = replica(MCP_APPROVAL="always")
    async with serving(settings, build(settings)) as served:
        answer = await send(served, modes=modes)
    assert ("inputRequests" in answer) is asked
    assert answer.get("isError", False) is not asked
    assert file.read_text() == "old"
