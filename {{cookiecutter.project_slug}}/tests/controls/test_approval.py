"""The user is asked before a call that destroys something."""

from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult


class User:
    """A user who always gives the same answer, and what was asked."""

    def __init__(self, action: str, *, approve: bool = True) -> None:
        self.action = action
        self.approve = approve
        self.asked: list[str] = []

    async def __call__(self, message: str, *_: Any) -> ElicitResult[Any]:
        self.asked.append(message)
        if self.action != "accept":
            return ElicitResult(action=self.action)
        return ElicitResult(action="accept", content={"approve": self.approve})


@pytest.fixture
def file(workspace: Path) -> Path:
    path = workspace / "plan.md"
    path.write_text("old")
    return path


OVERWRITE = {"path": "plan.md", "content": "new", "overwrite": True}


async def write(client: Any, **arguments: Any) -> Any:
    return await client.call_tool(
        "write_file", {**OVERWRITE, **arguments}, raise_on_error=False
    )


async def test_question_names_what_will_happen(
    make_server: Any, connect: Any, file: Path, events: Any
) -> None:
    user = User("accept")
    async with connect(make_server(), elicitation_handler=user) as client:
        result = await write(client)
    assert not result.is_error
    assert user.asked == [
        "Replace the file 'plan.md' by 3 characters of new content?"
    ]
    assert file.read_text() == "new"
    assert len(events("approval_requested")) == 1


@pytest.mark.parametrize(
    "user",
    [
        User("decline"),
        User("cancel"),
        User("accept", approve=False),
    ],
    ids=["declined", "cancelled", "box not ticked"],
)
async def test_no_is_no(
    make_server: Any, connect: Any, file: Path, events: Any, user: User
) -> None:
    async with connect(make_server(), elicitation_handler=user) as client:
        result = await write(client)
    assert result.is_error
    assert file.read_text() == "old"
    assert events("approval_denied")[0]["reason"] == "user_said_no"


async def test_new_file_destroys_nothing_and_is_not_asked_about(
    make_server: Any, connect: Any, workspace: Path
) -> None:
    user = User("decline")
    async with connect(make_server(), elicitation_handler=user) as client:
        result = await write(client, path="other.md")
    assert not result.is_error
    assert user.asked == []


async def test_each_call_is_asked_about_anew(
    make_server: Any, connect: Any, file: Path
) -> None:
    user = User("accept")
    async with connect(make_server(), elicitation_handler=user) as client:
        await write(client)
        await write(client)
        await write(client, content="newer")
    assert len(user.asked) == 3


@pytest.mark.parametrize(
    ("policy", "written"), [("auto", True), ("always", False), ("never", True)]
)
async def test_client_that_cannot_ask(
    make_server: Any, connect: Any, file: Path, policy: str, written: bool
) -> None:
    async with connect(make_server(MCP_APPROVAL=policy)) as client:
        result = await write(client)
    assert (file.read_text() == "new") is written
    assert result.is_error is not written


async def test_never_does_not_ask(
    make_server: Any, connect: Any, file: Path
) -> None:
    user = User("decline")
    server = make_server(MCP_APPROVAL="never")
    async with connect(server, elicitation_handler=user) as client:
        await write(client)
    assert user.asked == []
    assert file.read_text() == "new"


async def test_client_that_fails_to_ask_has_no_yes(
    make_server: Any, file: Path, events: Any
) -> None:
    """What it says of its failure is no answer of ours, and no fault."""

    async def fail(*_: Any) -> None:
        raise RuntimeError("the client's own trouble")

    server = make_server()
    async with Client(
        server, mode="legacy", elicitation_handler=fail
    ) as client:
        result = await write(client)
    assert result.is_error
    assert "could not ask the user" in result.content[0].text
    assert file.read_text() == "old"
    assert events("approval_denied")[0]["reason"] == "client_failed"
    assert events("tool_request_failed")[0]["status"] == "denied"
