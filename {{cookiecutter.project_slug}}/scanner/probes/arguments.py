"""Attacks through what a model may send: arguments, addresses, names."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..live import Ended, Noisy, Silent, StdioServer
from ..model import Finding
from ..surface.components import Component
from ..tools import ToolError
from .explanations import found
from .payloads import OTHERS, PIPE, Lab, kinds, misfits, sample
from .traces import traces

DEADLINE: Final = 3  # seconds; the server is told so
PATIENCE: Final = 10.0  # seconds for an answer; a busy machine takes longer
BUDGET: Final = 20.0  # seconds for one component
OUTPUT: Final = 2**16  # characters of a result; the server is told so
SETTINGS: Final = {
    "MCP_RATE_LIMIT": "off",
    "MCP_REQUEST_TIMEOUT": str(DEADLINE),
    "MCP_COMMAND_TIMEOUT": str(DEADLINE),
    "MCP_MAX_OUTPUT_SIZE": str(OUTPUT),
}
OUTSIDE: Final = "reaches the outside world; --probe-open-world calls it"
LOST: Final = (
    (Ended, "MCP-PRB-009"),
    (Silent, "MCP-PRB-008"),
    (Noisy, "MCP-PRB-024"),
)
_STACK: Final = re.compile(
    r"Traceback \(most recent|File \\?\"[^\"]+\", line \d"
)
_INSIDE: Final = re.compile(
    r"pydantic\.|input_value=|errors\.pydantic\.dev|\bat 0x[0-9a-f]{8,}|"
    r"(?:Attribute|Key|Type|Value|OS|Unicode\w*)Error\b|site-packages|Errno"
)


@dataclass(frozen=True, slots=True)
class Shot:
    """One request, and what is bad about it.

    Attributes:
        misfit: It must be refused.
    """

    label: str
    method: str
    params: Mapping[str, Any]
    misfit: bool = False


@dataclass(slots=True)
class Attack:
    """The attacks on one server after the other, and what they found.

    Attributes:
        waiting: What is still to be attacked.
        left: Why something was not attacked in full, by its name.
    """

    lab: Lab
    project: str
    waiting: list[Component] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)

    def plan(
        self, components: list[Component], ours: str, open_world: bool
    ) -> None:
        """Decide what is attacked.

        Args:
            components: What the server offers.
            ours: The module whose tool reaches no further than a sandbox.
            open_world: Call tools that reach the outside world, too.
        """
        for component in components:
            marks = component.data.get("annotations") or {}
            there = component.declared
            is_ours = there is not None and there.path == ours
            if component.kind == "instructions":
                continue
            if marks.get("openWorldHint") and not (open_world or is_ours):
                self.left[component.name] = OUTSIDE
            else:
                self.waiting.append(component)

    def on(self, server: StdioServer) -> None:
        """Attack what waits, until it is done or the server is lost."""
        calls: Counter[str] = Counter()
        done: list[Component] = []
        while self.waiting:
            component = self.waiting.pop(0)
            done.append(component)
            others = self.lab.files(*OTHERS)
            files = self.lab.files("workspace")
            try:
                self._attack(server, component, calls)
            except (Ended, Silent, Noisy) as error:
                self._lost(component, error)
                return
            finally:
                self._changed(component, others, files)
        tools = [c for c in done if c.kind == "tool"]
        self.findings += traces(server.log, self.lab, calls, tools)

    def _attack(
        self, server: StdioServer, component: Component, calls: Counter[str]
    ) -> None:
        start = time.monotonic()
        for shot in shots(component, self.lab):
            sent = time.monotonic()
            answer = server.exchange(shot.method, shot.params, PATIENCE)
            now = time.monotonic()
            if shot.method == "tools/call" and answer.get("id") is not None:
                calls[component.name] += 1
            self._judge(component, shot, answer)
            if shot.label.startswith(PIPE) and now - sent >= DEADLINE:
                self._add("MCP-PRB-026", component, f"by {shot.label}")
            if now - start > BUDGET:
                self.left[component.name] = "is too slow to be tried in full"
                return

    def _lost(self, component: Component, error: ToolError) -> None:
        probe = next(p for kind, p in LOST if isinstance(error, kind))
        self._add(probe, component, error.reason)
        self.left[component.name] = "could not be tried in full"

    def _judge(
        self, component: Component, shot: Shot, answer: Mapping[str, Any]
    ) -> None:
        """Look for what must not be in an answer, and must not be done."""
        text = json.dumps(answer, ensure_ascii=False)
        sent = json.dumps(shot.params, ensure_ascii=False)
        refused = _refused(answer)
        faults = {
            "MCP-PRB-001": self.lab.outside in text,
            "MCP-PRB-003": self.lab.inside in text,
            "MCP-PRB-004": self.lab.mark.exists(),
            "MCP-PRB-005": bool(
                _STACK.search(text) or (refused and _INSIDE.search(text))
            ),
            "MCP-PRB-006": any(
                path in text and path not in sent
                for path in (str(self.lab.root), self.project)
            ),
            "MCP-PRB-007": shot.misfit and not refused,
            "MCP-PRB-025": len(text) > 4 * OUTPUT,
        }
        self.lab.mark.unlink(missing_ok=True)
        worse = ("MCP-PRB-001", "MCP-PRB-003", "MCP-PRB-005")
        if any(faults[probe] for probe in worse):
            faults["MCP-PRB-006"] = False  # a stack names paths: one fault
        for probe, is_there in faults.items():
            if is_there:
                self._add(probe, component, f"by {shot.label}")

    def _changed(
        self,
        component: Component,
        others: Mapping[str, object],
        files: Mapping[str, object],
    ) -> None:
        if self.lab.files(*OTHERS) != others:
            self._add("MCP-PRB-002", component, "changed what is not its own")
        marks = component.data.get("annotations") or {}
        harmless = component.kind != "tool" or marks.get("readOnlyHint")
        if harmless and self.lab.files("workspace") != files:
            self._add("MCP-PRB-022", component, "changed the workspace")

    def _add(self, probe: str, component: Component, message: str) -> None:
        """Add a finding, once for each probe and component."""
        made = found(probe, message, component.hit(message, anchor=probe))
        known = {f.fingerprint for f in self.findings}
        if made.fingerprint not in known:
            self.findings.append(made)


def shots(component: Component, lab: Lab) -> Iterator[Shot]:
    """Yield the requests that a component is attacked with."""
    if component.kind == "tool":
        yield from _on_tool(component, lab)
    elif component.kind == "prompt":
        names = [a.get("name") for a in component.data.get("arguments") or []]
        for label, payload in lab.payloads():
            given = dict.fromkeys(map(str, names), payload)
            params = {"name": component.name, "arguments": given}
            yield Shot(label, "prompts/get", params)
    else:
        parts = re.split(r"\{[^}]*\}", component.name)
        for label, payload in lab.payloads():
            params = {"uri": payload.join(parts)}
            yield Shot(label, "resources/read", params)


def _on_tool(tool: Component, lab: Lab) -> Iterator[Shot]:
    schemas = tool.parameters
    needed = {k: v for k, v in schemas.items() if "default" not in v}
    good = {k: sample(v, lab.file) for k, v in needed.items()}
    given = [("a good call", good)] + [
        (f"{label} as {name}", {**good, name: payload})
        for name, schema in schemas.items()
        for label, payload in _payloads(lab, schema)
    ]
    for label, arguments in given:
        params = {"name": tool.name, "arguments": arguments}
        yield Shot(label, "tools/call", params)
    required = tool.data.get("inputSchema", {}).get("required") or []
    for label, arguments in misfits(schemas, good, required):
        params = {"name": tool.name, "arguments": arguments}
        yield Shot(label, "tools/call", params, misfit=True)


def _payloads(
    lab: Lab, schema: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    allowed = kinds(schema)
    if not allowed or "string" in allowed:
        yield from lab.payloads()
    if "array" in allowed:
        yield from lab.lists()
        yield from ((label, [text]) for label, text in lab.payloads())


def _refused(answer: Mapping[str, Any]) -> bool:
    result = answer.get("result")
    return "error" in answer or bool(
        isinstance(result, dict) and result.get("isError")
    )
