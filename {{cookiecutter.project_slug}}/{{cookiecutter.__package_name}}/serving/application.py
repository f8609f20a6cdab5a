"""What is served, and what serving it has to ask."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from fastmcp import FastMCP

Observer: TypeAlias = Callable[[str, Mapping[str, object]], None]
#: By the method, and by the tool that it names, if it does.
Scopes: TypeAlias = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One server, ready to be served over any transport.

    Attributes:
        server: The server with all its controls.
        ready: Tells whether what the server depends on is there, for
            ``/ready``. It is given a second.
        missing: Names the parts of the sandbox that this machine lacks, for
            ``/health``.
        scopes: The scope that each method, and each tool of ``tools/call``,
            asks for.
        on_event: Told of each event, its name first, for log and metrics.
    """

    server: FastMCP[Any]
    ready: Callable[[], Awaitable[bool]]
    missing: Callable[[], Sequence[str]]
    scopes: Scopes
    on_event: Observer
