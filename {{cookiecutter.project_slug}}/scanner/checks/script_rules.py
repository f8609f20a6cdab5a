"""What the project's own shell scripts run, believe and leave open."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..container.run_rules import all_may_write
from ..downloads import BRANCH, Downloads, unchecked
from ..model import Severity
from ..project import Project, Unreadable
from ..rules import Hit
from ..ruletable import ruled
from ..shell import MAX_LENGTH, Command, commands

_NAME = r"(?s)(?!tests/)(?:.+\.(?:sh|bash)|(?:.*/)?[^./]+|(?:.+\.)?mk)"
_SHELL = re.compile(rb"#![^\n]{0,80}\b(?:ba|da|k|z)?sh\b")
_MAKE = re.compile(r"(?:.*/)?(?:GNU)?[Mm]akefile|.+\.mk")
_RECIPE = re.compile(r"\t[@+-]*")
script_rule = ruled(__file__, on="script")


@dataclass(frozen=True, slots=True)
class Script:
    """A script, or the recipes of a Makefile, as commands."""

    path: str
    commands: list[Command]

    def hit(self, command: Command, message: str) -> Hit:
        """Make a hit at a command."""
        return Hit(
            path=self.path,
            line=command.line + 1,
            anchor=message,
            message=message,
        )


def scripts(project: Project) -> Iterator[Script | Unreadable]:
    """Yield each shell script, by its name or its first line.

    One that cannot be read is yielded as the error.
    """
    for path in project.named(_NAME):
        try:
            makes = _MAKE.fullmatch(path) is not None
            if makes or path.endswith(("sh", ".bash")) or _runs(project, path):
                text = project.text(path, MAX_LENGTH)
                recipes = _recipes(text) if makes else text
                yield Script(path, commands(recipes))
        except Unreadable as error:
            yield error
        except ValueError as error:
            yield Unreadable(f"{path}: {error}")


@script_rule("MCP-CFG-047")
def fetched_script(script: Script) -> Iterator[Hit]:
    """``curl … | sh`` runs whatever the other side sends that day.

    Whoever starts the script, at the desk or where it is deployed, does so
    with all that they may.
    """
    for command in Downloads().executed(script.commands):
        message = f"{command.name} executes what was fetched unverified"
        yield script.hit(command, message)


@script_rule("MCP-CFG-048")
def unchecked_origin(script: Script) -> Iterator[Hit]:
    """Without certificates and signatures, anybody on the way can answer.

    Such as ``curl -k``, ``pip --trusted-host``, or a package from a branch.
    """
    for command in script.commands:
        if loose := unchecked(command):
            hit = script.hit(command, f"{command.name} with {loose[:60]}")
            severity = Severity.MEDIUM if BRANCH in loose else None
            yield replace(hit, severity=severity)


@script_rule("MCP-CFG-049")
def opened_files(script: Script) -> Iterator[Hit]:
    """``chmod 777`` and ``umask 000`` let every account write the files.

    And so change what the server runs, or read what it keeps.
    """
    for command in script.commands:
        modes = command.operands[:1]
        masks = command.name == "umask" and any(
            re.fullmatch(r"[0-7]{1,4}", x) and not int(x, 8) & 0o002
            for x in modes
        )
        if masks or (
            command.name == "chmod" and any(map(all_may_write, modes))
        ):
            yield script.hit(command, " ".join(command.program[:3])[:80])


def _runs(project: Project, path: str) -> bool:
    """Tell a shell's script by its first line."""
    with project.open(path) as file:
        return _SHELL.match(file.read(100)) is not None


def _recipes(text: str) -> str:
    """Return a Makefile's commands, each on the line where it stands."""
    return "\n".join(
        line[found.end() :] if (found := _RECIPE.match(line)) else ""
        for line in text.splitlines()
    )
