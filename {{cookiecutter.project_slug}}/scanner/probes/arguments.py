"""Attacks through what a model may send: arguments, addresses, names."""

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from ..live import Ended, Noisy, Silent, StdioServer
from ..model import Finding
from ..surface.components import Component
from ..tools import ToolError
from .answers import OUTPUT, faults
from .explanations import found
from .lab import OTHERS, Lab
from .oracle import telling
from .payloads import PIPE
from .sayings import behind_backs
from .shots import GOOD, Shot, shots
from .sightings import Sightings
from .traces import tells, traces

DEADLINE: Final = 3  # seconds; the server is told so
PATIENCE: Final = 10.0  # seconds for an answer; a busy machine takes longer
BUDGET: Final = 20.0  # seconds for one component
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
#: What follows from a worse fault is none of its own: who reads any file
#: learns paths, who opens any waits for pipes, and a shell logs its errors.
FOLLOWS: Final[Mapping[str, frozenset[str]]] = {
    "MCP-PRB-006": frozenset({"MCP-PRB-001", "MCP-PRB-003", "MCP-PRB-005"}),
    "MCP-PRB-019": frozenset({"MCP-PRB-004"}),
    "MCP-PRB-026": frozenset({"MCP-PRB-001", "MCP-PRB-002", "MCP-PRB-004"}),
    "MCP-PRB-034": frozenset(
        {"MCP-PRB-001", "MCP-PRB-002", "MCP-PRB-004", "MCP-PRB-028"}
    ),
}

Files = Mapping[str, tuple[int, bytes]]


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
        """Attack what waits, until it is done or the server is lost.

        A tool that takes the workspace itself away takes it from the server,
        too; the others get a server of their own.
        """
        calls: Counter[str] = Counter()
        done: list[Component] = []
        with self.lab.held() as is_the_same:
            while self.waiting and is_the_same():
                component = self.waiting.pop(0)
                done.append(component)
                one = _One(self, component, server)
                try:
                    one.attack(calls)
                except (Ended, Silent, Noisy) as error:
                    one.lost(error)
                    return
                finally:
                    self.findings += one.ended()
        self.findings += traces(server.log, calls, done)


class _One:
    """The attack on one component."""

    def __init__(
        self, attack: Attack, component: Component, server: StdioServer
    ) -> None:
        self._lab, self._project = attack.lab, attack.project
        self._left = attack.left
        self._component, self._server = component, server
        self._logged = len(server.log)
        self._faults: dict[str, str] = {}
        self._others: Files = self._lab.files(*OTHERS)
        self._files: Files = self._lab.files("workspace")
        self._sightings = Sightings(self._lab)

    def attack(self, calls: Counter[str]) -> None:
        """Fire every shot."""
        start = time.monotonic()
        for shot in shots(self._component, self._lab):
            self._fire(shot, calls)
            if time.monotonic() - start > BUDGET:
                name = self._component.name
                self._left[name] = "is too slow to be tried in full"
                return
        ask = partial(self._fire, calls=calls)
        for label in telling(self._component, self._lab, ask):
            self._add("MCP-PRB-034", f"by {label}")

    def _fire(self, shot: Shot, calls: Counter[str]) -> str:
        """Send one request, judge what comes of it, and return the answer."""
        sent = time.monotonic()
        answer = self._server.exchange(shot.method, shot.params, PATIENCE)
        took = time.monotonic() - sent
        if shot.method == "tools/call" and answer.get("id") is not None:
            calls[self._component.name] += 1
        said = f"by {shot.label}"
        if shot.label == GOOD:
            for message in behind_backs(self._component, answer):
                self._add("MCP-PRB-036", message)
        for probe in faults(self._lab, self._project, shot, answer):
            self._add(probe, said)
        for probe, message in self._sightings.of(self._component):
            self._add(probe, f"{said}: {message}")
        if shot.label.startswith(PIPE) and took >= DEADLINE:
            self._add("MCP-PRB-026", said)
        return json.dumps({k: v for k, v in answer.items() if k != "id"})

    def lost(self, error: ToolError) -> None:
        """Take down that the server did not survive it."""
        probe = next(p for kind, p in LOST if isinstance(error, kind))
        self._add(probe, error.reason)
        self._left[self._component.name] = "could not be tried in full"

    def ended(self) -> list[Finding]:
        """Look at what is left of it, and return what was found."""
        self._changed()
        if tells(self._server.log[self._logged :], self._lab):
            self._add("MCP-PRB-019", "what it is given")
        return [
            found(probe, said, self._component.hit(said, anchor=probe))
            for probe, said in self._faults.items()
            if not FOLLOWS.get(probe, frozenset()) & self._faults.keys()
        ]

    def _changed(self) -> None:
        lab, component = self._lab, self._component
        others, files = lab.files(*OTHERS), lab.files("workspace")
        if others != self._others:
            self._add("MCP-PRB-002", "changed what is not its own")
        marks = component.data.get("annotations") or {}
        harmless = component.kind != "tool" or marks.get("readOnlyHint")
        if harmless and files != self._files:
            self._add("MCP-PRB-022", "changed the workspace")
        new = [v for k, v in files.items() if self._files.get(k) != v]
        if any(lab.outside.encode() in data for _, data in new):
            self._add("MCP-PRB-001", "copied it into the workspace")
        if (others, files) != (self._others, self._files):
            lab.build()  # the next one shall find every trap

    def _add(self, probe: str, message: str) -> None:
        """Keep the first reason for a finding of each probe."""
        self._faults.setdefault(probe, message)
