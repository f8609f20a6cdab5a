"""The server under test over pipes, with several requests at once."""

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from .live import Silent, StdioServer


class ParallelServer(StdioServer):
    """A server that is asked more before it has answered.

    What it asks the user is declined.
    """

    capabilities: ClassVar[Mapping[str, Any]] = {"elicitation": {}}

    def __enter__(self) -> "ParallelServer":
        """Start the process and shake hands with it."""
        super().__enter__()
        self._answers: dict[int, dict[str, Any]] = {}
        return self

    def begin(self, tool: str) -> int:
        """Call a tool that needs no arguments; return the call's number."""
        number = next(self._ids)
        params = {"name": tool, "arguments": {}}
        self._send({"id": number, "method": "tools/call", "params": params})
        return number

    def cancel(self, number: int) -> None:
        """Say that a call's answer is no longer wanted."""
        method = "notifications/cancelled"
        self._send({"method": method, "params": {"requestId": number}})

    def answers(
        self, *numbers: int, patience: float
    ) -> dict[int, dict[str, Any]]:
        """Return the answers to calls, as far as they come in time.

        Raises:
            Ended: The server died.
            Noisy: It says something else than the protocol on stdout.
        """
        until = time.monotonic() + patience
        while not set(numbers) <= self._answers.keys():
            try:
                message = self._receive("calls", until)
            except Silent:
                break
            if "method" not in message:
                self._answers[message.get("id", 0)] = message
            elif "id" in message:
                declined = {"action": "decline"}
                self._send({"id": message["id"], "result": declined})
        return {n: self._answers[n] for n in numbers if n in self._answers}
