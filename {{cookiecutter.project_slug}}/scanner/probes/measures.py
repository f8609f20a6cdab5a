"""Looks whether the metrics tell what was done, and no more."""

import contextlib
import http.client
import re
from collections.abc import Iterator
from typing import Final

from ..live import PATIENCE
from ..model import Finding
from .findings import found
from .limits import LIMIT
from .target import Target, address, harmless, is_served

#: What becomes of calls that are served, and of others.
STATUSES: Final = ("success", "rate_limited")
INVENTED: Final = "probe_invented_name"


def measures(target: Target) -> Iterator[Finding]:
    """Call a tool once too often, and one that is not there; then count."""
    server, source = target.server, address(9)
    tool = harmless(target.components)
    session = server.session(source)
    ended = {
        STATUSES[not is_served(server, tool, session, source)]
        for _ in range(LIMIT + 1)
    }
    server.call(INVENTED, {}, session, source)
    page = _page(target.metrics)
    lacking = [s for s in sorted(ended) if not _counts(page, tool.name, s)]
    if lacking:
        said = f"no call is counted as {' or '.join(lacking)}"
        yield found("MCP-PRB-051", said)
    if INVENTED in page:
        yield found("MCP-PRB-051", "a name that a caller made up is a label")


def _counts(page: str, tool: str, status: str) -> bool:
    """Tell whether a tool's calls of this status are more than none."""
    labels = (f'tool="{re.escape(tool)}"', f'status="{status}"')
    ahead = "".join(rf"(?=[^}}]*{label})" for label in labels)
    line = rf"^mcp_requests_total\{{{ahead}[^}}]*\}} (?!0(?:\.0)?$)\d"
    return re.search(line, page, re.M) is not None


def _page(port: int) -> str:
    """Return the metrics; empty if nobody answers."""
    with (
        contextlib.suppress(OSError, http.client.HTTPException),
        contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        ) as connection,
    ):
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode("utf-8", "replace")
    return ""
