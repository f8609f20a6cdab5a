"""Why a start was refused, apart from what needs FastMCP to be said.

The health check asks every half minute: it loads the settings and nothing
more, a fifth of what FastMCP takes to be imported.
"""


class SettingsError(Exception):
    """The start is refused: one line a problem, each with what to do."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
