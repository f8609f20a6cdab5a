"""Attacks through what a model may send: arguments, addresses, names."""

import json
import time
from ast import FunctionDef
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from ..live import Ended, Noisy, Silent
from ..live_stdio import StdioServer
from ..model import Finding
from ..surface.components import Component
from ..tools import ToolError
from .answers import OUTPUT, credentials, faults
from .findings import found
from .lab import OTHERS, Lab
from .oracle import telling
from .payloads import LONG_TEXT, PIPE, unseen
from .proc import MOST, MOST_OF_ANY, Memory, Strays, threads, worked
from .sayings import behind_backs
from .shots import ANY_NUMBER, GOOD, HOUR, Shot, shots
from .sightings import Sightings
from .traces import tells, traces, unreached

DEADLINE: Final = 3  # seconds; the server is told so
PATIENCE: Final = 10.0  # seconds for an answer; a busy machine takes longer
BUDGET: Final = 20.0  # seconds for one component
WORK: Final = 0.25  # seconds for ten million, where more can be asked for
THREADS: Final = 24  # that a server may start while one tool is called
FILE: Final = 80_000  # bytes of a file; the server is told so
SETTINGS: Final = {
    "MCP_RATE_LIMIT": "off",
    "MCP_REQUEST_TIMEOUT": str(DEADLINE),
    "MCP_COMMAND_TIMEOUT": str(DEADLINE),
    "MCP_MAX_FILE_SIZE": str(FILE),
    "MCP_MAX_OUTPUT_SIZE": str(OUTPUT),
}
UNFIT: Final = "takes nothing that was tried"
OUTSIDE: Final = "reaches the outside world; --probe-open-world calls it"
HELD_UP: Final = "MCP-PRB-008"
LARGE: Final = "MCP-PRB-038"
HELD_ON: Final = "MCP-PRB-047"
#: Who unpacks a link reads nothing yet; who does read it, shows the word.
UNPACKED: Final = "tar "
#: What stands in the log where a tool's name would.
LOGGED_AS: Final = {name: name for name in ("resources/read", "prompts/get")}
LOST: Final = (
    (Ended, "MCP-PRB-009"),
    (Silent, HELD_UP),
    (Noisy, "MCP-PRB-024"),
)
BEYOND: Final = frozenset(
    {"MCP-PRB-001", "MCP-PRB-002", "MCP-PRB-004", "MCP-PRB-028"}
)
#: What follows from a worse fault is none of its own: who reads any file
#: learns paths, who opens any waits for pipes, a shell knows variables and
#: logs its errors, and who writes anywhere writes as much as it likes.
FOLLOWS: Final[Mapping[str, frozenset[str]]] = {
    "MCP-PRB-002": frozenset({"MCP-PRB-004"}),
    "MCP-PRB-003": frozenset({"MCP-PRB-004"}),
    "MCP-PRB-006": frozenset(
        {"MCP-PRB-001", "MCP-PRB-003", "MCP-PRB-004", "MCP-PRB-005"}
    ),
    "MCP-PRB-019": frozenset({"MCP-PRB-004"}),
    "MCP-PRB-026": frozenset({"MCP-PRB-001", "MCP-PRB-002", "MCP-PRB-004"}),
    "MCP-PRB-037": frozenset({"MCP-PRB-002", "MCP-PRB-004"}),
    "MCP-PRB-040": frozenset({"MCP-PRB-001", "MCP-PRB-002", "MCP-PRB-004"}),
    HELD_ON: frozenset({HELD_UP}),
    "MCP-PRB-050": frozenset({"MCP-PRB-004"}),
    "MCP-PRB-048": frozenset({"MCP-PRB-004", "MCP-PRB-022"}),
    "MCP-PRB-041": frozenset(
        {"MCP-PRB-003", "MCP-PRB-004", "MCP-PRB-026", "MCP-PRB-028"}
    ),
    "MCP-PRB-044": frozenset({"MCP-PRB-004", "MCP-PRB-029"}),
    "MCP-PRB-034": BEYOND | {"MCP-PRB-049"},
    "MCP-PRB-049": BEYOND,
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
            there = component.declared
            may = open_world or (there is not None and there.path == ours)
            if component.kind == "instructions":
                continue
            if component.marks.get("openWorldHint") and not may:
                self.left[component.name] = OUTSIDE
            else:
                self.waiting.append(component)

    def on(self, server: StdioServer) -> None:
        """Attack what waits, until it is done or the server is lost.

        A tool that takes the workspace itself away takes it from the server,
        too, and one that runs on holds up the others: they get a server of
        their own.
        """
        calls: Counter[str] = Counter()
        done: list[Component] = []
        logged = len(server.log)
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
                if one.is_left_running():
                    break
        log = server.log[logged:]
        known = {finding.fingerprint for finding in self.findings}
        left = traces(log, calls, done)
        self.findings += [f for f in left if f.fingerprint not in known]
        tools = {c.name for c in done if c.kind == "tool"}
        self.left.update(dict.fromkeys(tools & unreached(log), UNFIT))


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
        self._memory = Memory(server.pid)
        self._strays = Strays(self._lab, server.pid)
        self._threads, self._calls = threads(server.pid), 0
        self._label, self._until = "", 0.0

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
        answer = self._send(shot, calls)
        took = time.monotonic() - sent
        said = f"by {shot.label}"
        if shot.label == GOOD:
            ours = unseen(self._lab)
            for message in behind_backs(self._component, answer, ours):
                self._add("MCP-PRB-036", message)
            self._credentials(shot, answer, calls)
        for probe in faults(self._lab, self._project, shot, answer):
            self._add(probe, said)
        if shot.label.startswith(PIPE) and took >= DEADLINE:
            self._add("MCP-PRB-026", said)
        if shot.label.startswith(HOUR) and took >= DEADLINE and self._is_plain:
            self._add(HELD_ON, said)
        if shot.label.startswith(LONG_TEXT) and self._grown():
            self._add("MCP-PRB-037", said)
        if self._seen(said) - self._faults.keys():
            self._send(shot, calls)
            for probe in self._seen(said):
                self._add(probe, said)
        return json.dumps({k: v for k, v in answer.items() if k != "id"})

    def _credentials(
        self, shot: Shot, answer: Mapping[str, Any], calls: Counter[str]
    ) -> None:
        """Look for those that come back twice; one made anew is no fault."""
        if there := credentials(answer, self._lab):
            again = credentials(self._send(shot, calls), self._lab)
            for kind in sorted(there[v] for v in there.keys() & again.keys()):
                self._add("MCP-PRB-046", kind)

    @property
    def _is_plain(self) -> bool:
        """Whether a thread runs it, which nobody can stop."""
        there = self._component.declared
        return there is not None and isinstance(there.function, FunctionDef)

    def _send(self, shot: Shot, calls: Counter[str]) -> dict[str, Any]:
        self._label = shot.label
        self._calls += 1
        self._memory.begin()
        self._until = worked(self._server.pid) + WORK
        answer = self._server.exchange(shot.method, shot.params, PATIENCE)
        if answer.get("id") is not None:
            calls[LOGGED_AS.get(shot.method, self._component.name)] += 1
        return answer

    def _seen(self, said: str) -> set[str]:
        """Judge what could be seen from inside; return what is in doubt.

        A busy machine stands still, and what is imported late takes its time
        and its memory once.
        """
        most = MOST_OF_ANY if self._label.startswith(ANY_NUMBER) else MOST
        doubts = {LARGE} if self._memory.is_much(most) else set()
        if most == MOST_OF_ANY and worked(self._server.pid) > self._until:
            doubts.add(HELD_ON if self._is_plain else HELD_UP)
        for probe, message in self._sightings.of(self._component):
            if probe == HELD_UP:
                doubts.add(probe)
            elif (self._label[:4], probe) != (UNPACKED, "MCP-PRB-001"):
                self._add(probe, f"{said}: {message}")
        return doubts

    def lost(self, error: ToolError) -> None:
        """Take down that the server did not survive it."""
        probe = next(p for kind, p in LOST if isinstance(error, kind))
        if probe == HELD_UP and self._label.startswith(PIPE):
            probe = "MCP-PRB-026"
        self._add(probe, error.reason)
        self._left[self._component.name] = "could not be tried in full"

    def ended(self) -> list[Finding]:
        """Look at what is left of it, and return what was found."""
        self._changed()
        for name in self._strays.end():
            self._add("MCP-PRB-041", f"{name} runs on")
        most = max(THREADS, self._calls // 2)  # of each second call, or less
        if threads(self._server.pid) - self._threads > most:
            self._add("MCP-PRB-041", "a thread of each call runs on")
        if tells(self._server.log[self._logged :], self._lab):
            self._add("MCP-PRB-019", "what it is given")
        return [
            found(probe, said, self._component)
            for probe, said in self._faults.items()
            if not FOLLOWS.get(probe, frozenset()) & self._faults.keys()
        ]

    def is_left_running(self) -> bool:
        """Tell whether it may still be at what it was asked to do."""
        return not self._faults.keys().isdisjoint({HELD_UP, HELD_ON, LARGE})

    def _grown(self) -> bool:
        """Tell whether a file has grown by more than a file may hold."""
        return any(
            path.lstat().st_size - len(self._files.get(str(path), (0, b""))[1])
            > FILE
            for path in self._lab.workspace.rglob("*")
            if path.is_file() and not path.is_symlink()
        )

    def _changed(self) -> None:
        lab, component = self._lab, self._component
        others, files = lab.files(*OTHERS), lab.files("workspace")
        if others != self._others:
            self._add("MCP-PRB-002", "changed what is not its own")
        marks = component.marks
        harmless = component.kind != "tool" or marks.get("readOnlyHint")
        if harmless and files != self._files:
            self._add("MCP-PRB-022", "changed the workspace")
        elif not marks.get("destructiveHint") and _lost(self._files, files):
            self._add("MCP-PRB-040", "removed or replaced what was there")
        new = [v for k, v in files.items() if self._files.get(k) != v]
        if any(lab.outside.encode() in data for _, data in new):
            self._add("MCP-PRB-001", "copied it into the workspace")
        if (others, files) != (self._others, self._files):
            lab.build()  # the next one shall find every trap

    def _add(self, probe: str, message: str) -> None:
        """Keep the first reason for a finding of each probe."""
        self._faults.setdefault(probe, message)


def _lost(before: Files, after: Files) -> bool:
    """Tell whether something was taken away, or is no longer as it began."""
    return any(
        name not in after or not after[name][1].startswith(data)
        for name, (_, data) in before.items()
    )
