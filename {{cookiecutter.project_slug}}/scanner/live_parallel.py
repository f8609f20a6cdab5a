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

    def begin(self, tool: str, padding: str = "") -> int:
        """Call a tool that needs no arguments; return the call's number."""
        number = next(self._ids)
        params = {"name": tool, "arguments": {}}
        message = {"id": number, "method": "tools/call", "params": params}
        self._send(message, padding)
        return number

    def padded(self, tool: str, size: int, patience: float) -> dict[str, Any]:
        """Call a tool with so many blanks too much; return the answer.

        A line that is not read has no number in its answer.
        """
        number = self.begin(tool, " " * size)
        until = time.monotonic() + patience
        while True:
            message = self._receive("calls", until)
            if message.get("id") in {None, number}:
                return message

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
