"""A module dropped into ``tools/`` gets every control by itself."""

import asyncio
import importlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from fastmcp.client.elicitation import ElicitResult

from {{ cookiecutter.__package_name }} import registration, tools
from {{ cookiecutter.__package_name }}.errors import SettingsError

Drop = Callable[[str], None]


@pytest.fixture
def drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drop]:
    """Drops a module into the package of tools, as a user would."""
    folder = tmp_path / "dropped"
    folder.mkdir()
    monkeypatch.setattr(tools, "__path__", [*tools.__path__, str(folder)])

    def write(source: str) -> None:
        (folder / "dropped.py").write_text(dedent(source), "utf-8")
        importlib.invalidate_caches()

    yield write
    monkeypatch.undo()
    importlib.sys.modules.pop(f"{tools.__name__}.dropped", None)
    vars(tools).pop("dropped", None)


PLAIN = """
    from . import tool

    @tool(scope="words:count", read_only=True)
    def count_words(text: str) -> int:
        \"\"\"Count the words of a text.\"\"\"
        return len(text.split())
"""


async def test_plain_function_becomes_a_tool(
    drop: Drop, make_server: Any, connect: Any
) -> None:
    drop(PLAIN)
    async with connect(make_server()) as client:
        found = {t.name: t for t in await client.list_tools()}
        result = await client.call_tool("count_words", {"text": "a b c"})
    described = found["count_words"]
    assert described.description == "Count the words of a text."
    assert described.annotations.read_only_hint is True
    assert described.annotations.destructive_hint is False
    assert described.input_schema["additionalProperties"] is False
    assert result.content[0].text == "3"


async def test_it_is_limited_audited_and_validated(
    drop: Drop, make_server: Any, connect: Any, events: Any
) -> None:
    drop(PLAIN)
    async with connect(make_server(MCP_RATE_LIMIT="2/minute")) as client:
        endings = [
            await client.call_tool(
                "count_words", {"text": text}, raise_on_error=False
            )
            for text in ("a", 7, "b")
        ]
    assert [e.is_error for e in endings] == [False, True, True]
    assert endings[2].structured_content["retry_after"] >= 1
    assert {e["tool"] for e in events("tool_request_started")} == {
        "count_words"
    }


async def test_plain_function_that_hangs_is_answered_in_time(
    drop: Drop, make_server: Any, connect: Any
) -> None:
    drop("""
        import threading
        from . import tool

        gate = threading.Event()

        @tool
        def hang() -> None:
            gate.wait(30)
    """)
    server = make_server(MCP_REQUEST_TIMEOUT="0.2")
    async with connect(server) as client, asyncio.timeout(5):
        result = await client.call_tool("hang", {}, raise_on_error=False)
        health = await client.call_tool("health_check", {})
    gate: threading.Event = vars(tools)["dropped"].gate
    gate.set()
    assert result.is_error
    assert "0.2 seconds" in result.content[0].text
    assert not health.is_error


async def test_destructive_tool_is_asked_about(
    drop: Drop, make_server: Any, connect: Any
) -> None:
    drop("""
        from . import tool

        @tool(destructive=True)
        async def wipe(disk: str) -> str:
            return "wiped"
    """)
    async with connect(make_server(MCP_APPROVAL="always")) as client:
        result = await client.call_tool(
            "wipe", {"disk": "a"}, raise_on_error=False
        )
    assert result.is_error
    assert "approval" in result.content[0].text


async def test_question_hides_nothing_behind_a_long_argument(
    drop: Drop, make_server: Any, connect: Any
) -> None:
    drop("""
        from . import tool

        @tool(destructive=True)
        async def wipe(note: str, disk: str) -> str:
            return "wiped"
    """)
    asked = []

    async def decline(message: str, *_: Any) -> ElicitResult[Any]:
        asked.append(message)
        return ElicitResult(action="decline")

    given = {"note": "x" * 20_000, "disk": "production"}
    many = {f"note{number}": "x" * 300 for number in range(100)}
    async with connect(make_server(), elicitation_handler=decline) as client:
        for arguments in given, {**many, **given}:
            result = await client.call_tool(
                "wipe", arguments, raise_on_error=False
            )
            assert result.is_error
    (question,) = asked
    assert question.endswith("… (19802 more), disk='production'?")
    assert "too long for a user" in result.content[0].text


async def test_threads_left_behind_stay_bounded(
    drop: Drop,
    make_server: Any,
    connect: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A tool that never ends takes no more threads than there are."""
    drop("""
        import threading
        from . import tool

        gate = threading.Event()
        inside = []

        @tool
        def hang() -> None:
            inside.append(threading.get_ident())
            gate.wait(30)
    """)
    pool = ThreadPoolExecutor(2)
    monkeypatch.setattr(registration, "_THREADS", pool)
    server = make_server(MCP_REQUEST_TIMEOUT="0.1")
    async with connect(server) as client, asyncio.timeout(10):
        for _ in range(5):
            await client.call_tool("hang", {}, raise_on_error=False)
    dropped = vars(tools)["dropped"]
    inside = len(dropped.inside)
    dropped.gate.set()
    pool.shutdown()
    assert inside == 2


async def test_imported_tool_is_not_registered_twice(
    drop: Drop, make_server: Any, connect: Any
) -> None:
    drop("from .health import echo")
    async with connect(make_server()) as client:
        names = [t.name for t in await client.list_tools()]
    assert names.count("echo") == 1


def test_module_that_cannot_be_imported_is_one_line(
    drop: Drop, make_server: Any
) -> None:
    drop("import no_such_module")
    with pytest.raises(SettingsError, match=r"^tools/dropped\.py cannot"):
        make_server()


def test_name_that_is_taken_is_one_line(drop: Drop, make_server: Any) -> None:
    drop("""
        from . import tool

        @tool
        def echo() -> None: ...
    """)
    with pytest.raises(SettingsError, match="two tools are called echo"):
        make_server()


def test_limit_may_name_a_tool_that_is_switched_off(make_server: Any) -> None:
    make_server(MCP_TOOL_RATE_LIMITS="run_command=10/minute")


def test_limit_for_an_unknown_tool_is_one_line(make_server: Any) -> None:
    with pytest.raises(SettingsError, match="there is no tool ehco"):
        make_server(MCP_TOOL_RATE_LIMITS="ehco=1/minute")
