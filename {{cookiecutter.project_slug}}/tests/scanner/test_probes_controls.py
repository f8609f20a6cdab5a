"""Controls that fail, whatever tools there are."""

import sys

import pytest

from scanner import live
from scanner.probes import controls
from scanner.probes.controls import with_planted_tools
from scanner.probes.lab import lab
from tests.scanner.broken import (
    Edit,
    broken,
)

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="probing needs links and signals"
)

GRACE = 4.0
CONTROLS: list[tuple[str, str, list[Edit]]] = [
    (
        "no time limit",
        "MCP-PRB-008",
        [("controls/guard.py", "timeout(seconds)", "timeout(None)")],
    ),
    (
        "plain functions on the loop",
        "MCP-PRB-008",
        [
            (
                "registration.py",
                "return await loop.run_in_executor(_THREADS, call)",
                "return call()",
            )
        ],
    ),
    (
        "masking that tells",
        "MCP-PRB-005",
        [
            (
                "server.py",
                "mask_error_details=True",
                "mask_error_details=False",
            )
        ],
    ),
    (
        "errors in the log as they are",
        "MCP-PRB-019",
        [
            (
                "log.py",
                "exception=type(cause).__name__,",
                "exception=repr(cause),",
            )
        ],
    ),
    (
        "masking that shows its place",
        "MCP-PRB-005",
        [
            (
                "controls/masking.py",
                "        return str(error)\n",
                "        return f'{error} ({__file__})'\n",
            )
        ],
    ),
    (
        "no limit of output",
        "MCP-PRB-025",
        [("controls/guard.py", "if size > self._size:", "if False:")],
    ),
    (
        "no limit of calls at once",
        "MCP-PRB-031",
        [
            (
                "controls/guard.py",
                "if self._running >= self._most and",
                "if False and",
            )
        ],
    ),
    (
        "no limit of lines",
        "MCP-PRB-021",
        [
            (
                "serving/stdio.py",
                "limit=settings.max_request_size",
                "limit=2**30",
            )
        ],
    ),
    (
        "calls that cannot be cancelled",
        "MCP-PRB-032",
        [
            (
                "controls/guard.py",
                "return await call_next(context)",
                "return await asyncio.shield(call_next(context))",
            )
        ],
    ),
    (
        "calls lost at the end",
        "MCP-PRB-018",
        [
            (
                "serving/stdio.py",
                "            await self._settle()\n",
                "",
            )
        ],
    ),
    (
        "nobody is asked",
        "MCP-PRB-033",
        [
            (
                "controls/approval.py",
                "        if danger is None:",
                "        if True:",
            )
        ],
    ),
    (
        "no answer is taken for a yes",
        "MCP-PRB-033",
        [
            (
                "controls/approval.py",
                "content.get(QUESTION):",
                "content.get(QUESTION, True):",
            )
        ],
    ),
    (
        "a no is taken for a yes",
        "MCP-PRB-033",
        [
            (
                "controls/approval.py",
                'if getattr(answer, "action", "") == "accept" and',
                "if True or",
            )
        ],
    ),
]


@pytest.mark.parametrize(
    ("probe", "edits"),
    [case[1:] for case in CONTROLS],
    ids=[case[0] for case in CONTROLS],
)
def test_control_that_fails_is_found_whatever_tools_there_are(
    monkeypatch: pytest.MonkeyPatch,
    probe: str,
    edits: list[Edit],
) -> None:
    monkeypatch.setattr(controls, "PATIENCE", GRACE)
    monkeypatch.setattr(live, "STOP", 0.5)
    with lab() as traps:
        found = with_planted_tools(broken(*edits), traps)
    assert {f.id for f in found} == {probe}
