"""Judges what the witness in the server has seen."""

import json
from collections.abc import Iterator
from typing import Final

from ..surface.components import Component
from .lab import Lab
from .payloads import option

#: By what was tried: the probe, and how that is said.
PROBES: Final = {
    "read": ("MCP-PRB-001", "tries to read"),
    "list": ("MCP-PRB-049", "lists"),
    "write": ("MCP-PRB-002", "tries to write"),
    "fixed": ("MCP-PRB-048", "tries to write"),
    "option": ("MCP-PRB-028", "gives a program the option"),
    "connect": ("MCP-PRB-029", "connects to"),
    "run": ("MCP-PRB-004", "runs"),
    "statement": ("MCP-PRB-035", "executes"),
    "block": ("MCP-PRB-008", "holds up"),
    "common": ("MCP-PRB-030", "changes what all clients share:"),
    "reach": ("MCP-PRB-044", "connects to"),
}


class Sightings:
    """What the tools of one server have tried, as far as it is new."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._read = self._size()

    def of(self, component: Component) -> Iterator[tuple[str, str]]:
        """Yield the probe and the message for each new attempt."""
        size = self._size()
        if size == self._read:
            return
        with self._lab.seen.open("rb") as file:
            file.seek(self._read)
            lines = file.read(size - self._read).splitlines()
        self._read = size
        may_connect = component.marks.get("openWorldHint")
        for kind, what in map(json.loads, lines):
            if kind == "option" and not what.startswith(option(self._lab)):
                continue
            if kind in {"connect", "reach"} and may_connect:
                continue
            probe, said = PROBES[kind]
            what = what.replace(self._lab.sent, "…")  # another at each scan
            yield probe, f"{said} {what[:60]}"

    def _size(self) -> int:
        try:
            return self._lab.seen.stat().st_size
        except OSError:
            return 0
