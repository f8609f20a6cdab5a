"""Attacks on the controls that every tool gets, with tools of our own."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from ..live import Ended, refusals, refused
from ..live_stdio import ParallelServer
from ..model import Finding
from ..project import Project
from ..tools import ToolError
from .answers import faults
from .findings import found
from .lab import Lab
from .shots import Shot
from .traces import tells

PLANTED: Final = Path(__file__).parent / "planted" / "probe_controls.py"
DEADLINE: Final = 2  # seconds; less than a blocked thread takes
AT_ONCE: Final = 4
LINE: Final = 2**16  # bytes of a request
PATIENCE: Final = 10.0  # seconds
SETTINGS: Final = {
    "MCP_APPROVAL": "auto",
    "MCP_MAX_CONCURRENCY": str(AT_ONCE),
    "MCP_MAX_OUTPUT_SIZE": str(2**16),
    "MCP_MAX_REQUEST_SIZE": str(LINE),
    "MCP_RATE_LIMIT": "off",
    "MCP_REQUEST_TIMEOUT": str(DEADLINE),
}
_FAILS: Final = Shot("an error", "tools/call", {"name": "probe_fails"})


def with_planted_tools(project: Project, lab: Lab) -> list[Finding]:
    """Call tools that wait, block, fail, fill and destroy.

    What gives way has to do so twice: on a machine that stands still for
    seconds every control seems to fail.

    Args:
        project: Whose server it is.
        lab: Where it works.

    Raises:
        ToolError: It does not start, or does not find the tools.
    """
    first = _tried(project, lab)
    if not first:
        return []
    lab.build()
    again = {finding.fingerprint for finding in _tried(project, lab)}
    return [finding for finding in first if finding.fingerprint in again]


def _tried(project: Project, lab: Lab) -> list[Finding]:
    """Try two servers beside each other: one waits, the other is stopped."""

    def tried(trial: Callable[[_Trial], Iterator[Finding]]) -> list[Finding]:
        through, place = [str(PLANTED)], lab.workspace
        with ParallelServer(
            project, place, through=through, **SETTINGS
        ) as server:
            listed = server.everything("tools/list", "tools")
            if "probe_waits" not in [tool.get("name") for tool in listed]:
                raise ToolError("the server finds no tool dropped into tools/")
            return list(trial(_Trial(server, lab, str(project.root))))

    with ThreadPoolExecutor(2) as pool:
        trials = pool.map(tried, (_Trial.calls, _Trial.stop))
        return [finding for findings in trials for finding in findings]


class _Trial:
    """What is tried of one server."""

    def __init__(self, server: ParallelServer, lab: Lab, project: str) -> None:
        self._server, self._here = server, lab.root / "here"
        self._lab, self._project = lab, project

    def calls(self) -> Iterator[Finding]:
        """Call one tool after the other, while a thread is blocked."""
        blocked = self._server.begin("probe_blocks")
        self._answer("probe_answers")
        if self._left("blocked"):  # all the rest came too late as well
            yield found("MCP-PRB-008", "a plain function holds up the others")
            return
        yield from self._alone()
        yield from self._at_once(blocked)

    def _alone(self) -> Iterator[Finding]:
        failed = self._answer("probe_fails")
        if [*faults(self._lab, self._project, _FAILS, failed)]:
            yield found("MCP-PRB-005", "what a tool raises comes back")
        if tells(self._server.log, self._lab):
            yield found("MCP-PRB-019", "what a tool raises")
        if not refused(self._answer("probe_fills")):
            yield found("MCP-PRB-025", "whatever a tool returns comes back")
        if not refused(self._server.padded("probe_answers", LINE, PATIENCE)):
            yield found("MCP-PRB-021", f"a line of more than {LINE} bytes")
        for _ in refusals():
            self._answer("probe_destroys")
        if self._left("destroyed"):
            yield found("MCP-PRB-033", "the user said no, and it was done")

    def _at_once(self, blocked: int) -> Iterator[Finding]:
        """Fill every place, cancel one call, and wait for the others' end."""
        waiting = [self._server.begin("probe_waits") for _ in "12"]
        stopped = self._server.begin("probe_stops")
        self._until(lambda: self._left("stops") and self._size("waits") == 2)
        if not refused(self._answer("probe_answers")):
            yield found("MCP-PRB-031", f"a call beside {AT_ONCE} others")
        self._server.cancel(stopped)
        self._until(lambda: self._left("stopped") or self._left("waited"))
        if not self._left("stopped"):
            yield found("MCP-PRB-032", "it ran on until its time was up")
        calls = (blocked, *waiting)
        answers = self._server.answers(*calls, patience=PATIENCE)
        if not all(refused(answers.get(n, {})) for n in calls):
            yield found("MCP-PRB-008", "a call that waits for ever")

    def stop(self) -> Iterator[Finding]:
        """Send SIGTERM while a call is being served."""
        served = self._server.begin("probe_lingers")
        self._until(lambda: self._left("lingers"))
        self._server.terminate()
        with contextlib.suppress(Ended):
            self._server.answers(served, patience=PATIENCE)
        answers = self._server.answers(served, patience=0)
        code = self._server.wait(PATIENCE)
        if code != 0:
            how = "did not end" if code is None else f"ended with {code}"
            yield found("MCP-PRB-018", f"after SIGTERM it {how}, on stdio")
        elif refused(answers.get(served, {"error": "none"})):
            yield found("MCP-PRB-018", "a call got no answer, on stdio")

    def _answer(self, tool: str) -> dict[str, Any]:
        """Return the answer to one call; empty if there is none."""
        number = self._server.begin(tool)
        return self._server.answers(number, patience=PATIENCE).get(number, {})

    def _left(self, name: str) -> bool:
        return (self._here / name).exists()

    def _size(self, name: str) -> int:
        return (self._here / name).stat().st_size if self._left(name) else 0

    def _until(self, is_so: Callable[[], object]) -> None:
        until = time.monotonic() + PATIENCE
        while not is_so() and time.monotonic() < until:
            time.sleep(0.01)
