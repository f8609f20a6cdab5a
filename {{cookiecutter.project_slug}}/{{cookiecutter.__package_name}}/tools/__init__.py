"""What a model sees. A module dropped in here is found by itself.

A tool is a plain or an async function below ``@tool``. Its name, docstring
and annotated arguments are what the model reads; every control applies to it
with no further line::

    from typing import Annotated

    from pydantic import Field

    from . import tool


    @tool(scope="files:read", read_only=True)
    def count_words(text: Annotated[str, Field(max_length=10_000)]) -> int:
        \"\"\"Count the words of a text.\"\"\"
        return len(text.split())
"""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar, overload
from weakref import WeakKeyDictionary

from fastmcp import FastMCP
from fastmcp.server.dependencies import get_context

from ..commands import CommandRunner
from ..errors import SettingsError
from ..settings import Settings
from ..workspace import Workspace

Function = TypeVar("Function", bound=Callable[..., Any])
Warn = Callable[[Mapping[str, Any]], Awaitable[str | None]]

_MARK = "__mcp_tool__"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """What the controls have to know of a tool.

    Attributes:
        function: What runs.
        scope: What a token must hold to see and to call it; none if empty.
        read_only: It changes nothing.
        destructive: It may destroy something; the user is asked before.
        open_world: It reaches beyond this machine.
        warn: Says what a call will destroy, None where it destroys nothing;
            a destructive tool without it is asked about at each call.
    """

    function: Callable[..., Any]
    scope: str = ""
    read_only: bool = False
    destructive: bool = False
    open_world: bool = False
    warn: Warn | None = None

    @property
    def name(self) -> str:
        """The name that the model calls it by."""
        return self.function.__name__


@overload
def tool(function: Function, /) -> Function: ...


@overload
def tool(
    *,
    scope: str = "",
    read_only: bool = False,
    destructive: bool = False,
    open_world: bool = False,
    warn: Warn | None = None,
) -> Callable[[Function], Function]: ...


def tool(function: Any = None, /, **spec: Any) -> Any:
    """Mark a function as a tool; it stays callable as it was."""

    def mark(marked: Function) -> Function:
        setattr(marked, _MARK, ToolSpec(function=marked, **spec))
        return marked

    return mark if function is None else mark(function)


@dataclass(frozen=True, slots=True)
class Resources:
    """What a server lends to its tools."""

    settings: Settings
    workspace: Workspace
    commands: CommandRunner | None
    count_command: Callable[[str], None]


_lent: WeakKeyDictionary[FastMCP[Any], Resources] = WeakKeyDictionary()


def lend(server: FastMCP[Any], resources: Resources) -> None:
    """Let the tools of one server reach what they work on."""
    _lent[server] = resources


def resources() -> Resources:
    """Return what the server that runs the current call lends to it."""
    return _lent[get_context().fastmcp]


def discover() -> Iterator[ToolSpec]:
    """Find every tool in this package's modules.

    Raises:
        SettingsError: A module cannot be imported.
    """
    for found in pkgutil.iter_modules(__path__):
        yield from _tools_of(_import(found.name))


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except Exception as error:
        raise SettingsError(
            f"tools/{name}.py cannot be imported:"
            f" {type(error).__name__}: {error}; mend or remove it"
        ) from error


def _tools_of(module: ModuleType) -> Iterator[ToolSpec]:
    for value in vars(module).values():
        spec = getattr(value, _MARK, None)
        if isinstance(spec, ToolSpec) and value.__module__ == module.__name__:
            yield spec
