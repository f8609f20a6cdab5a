"""A workflow or an action, as jobs and steps that know their lines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..documents import Items, Table, table, tables
from ..rules import Hit, anchored

WORKFLOW = re.compile(r"(?s)\.github/workflows/[^/]+\.ya?ml")
ACTION = re.compile(r"(?s)(?:.*/)?action\.ya?ml")
DEPENDABOT = re.compile(r"\.github/dependabot\.ya?ml")


@dataclass(frozen=True, slots=True)
class Workflow:
    """One file under ``.github``, or an ``action.yml``."""

    path: str
    content: Table
    text: str

    @property
    def triggers(self) -> set[str]:
        """The events that start it."""
        found = self.content.get("on")
        if isinstance(found, (Table, Items)):
            return {str(each) for each in found}
        return {str(found)}

    @property
    def jobs(self) -> list[tuple[str, Table]]:
        """Its jobs by name; an action is one."""
        jobs = table(self.content, "jobs")
        found = [(name, table(jobs, name)) for name in jobs]
        return [*found, ("runs", table(self.content, "runs"))]

    def steps(self) -> Iterator[tuple[str, Table]]:
        """Yield each step with its job's name."""
        for name, job in self.jobs:
            yield from ((name, step) for step in tables(job, "steps"))

    def hit(self, where: Table, key: str, message: str, more: int = 0) -> Hit:
        """Make a hit at a key, or some lines below it.

        A script that is another one is another fault.
        """
        script = where.get(key) if key == "run" else ""
        return Hit(
            path=self.path,
            line=where.at(key) + more,
            anchor=anchored(f"{key}: {message}", script),
            message=message,
        )
