"""What a build leaves in the image that the server has no use for."""

import contextlib
import posixpath
import re
from collections.abc import Iterator

from ..project import Project
from ..rules import Hit
from ..ruletable import ruled
from ..shell import commands
from .dockerfile import Dockerfile, Instruction
from .image_rules import hit

INSTALLERS = frozenset({"pdm", "pip", "pipx", "poetry", "uv", "uvx"})
context = ruled(__file__, on="context")


@context("MCP-CON-031")
def leftover(file: Dockerfile, project: Project) -> Iterator[Hit]:
    """With uv or pip in it, an intruder fetches the rest of the tools.

    Where one stage builds and another is shipped, the other needs neither.
    That Python's image brings pip, and programs with the rights of their
    owner (CIS 4.8), is said of the server's own image.
    """
    last = file.final if len(file.stages) > 1 else []
    ours = any(project.package in each.text for each in last[1:])
    told = " ".join(f"{x.text} {x.body}" for x in last if x.name == "RUN")
    brings = last and re.match(r"(?:.*/)?python:", last[0].stage.image)
    if brings and ours and not re.search(r"\bpip\b", told):
        yield hit(file, last[0], "pip of the base image is left in it")
    if brings and ours and not re.search(r"\b[ugoa]+-s\b", told):
        message = "set-user-id bits of the base image are left in it"
        yield hit(file, last[0], message, anchor="set-user-id")
    for where in last:
        copies = where.words[:-1] if where.name in {"ADD", "COPY"} else []
        names = {posixpath.basename(source) for source in copies}
        if found := sorted(names & INSTALLERS):
            yield hit(file, where, f"{found[0]} is copied into the image")
        if where.name == "RUN" and (found := _installed(where)):
            yield hit(file, where, f"{found[0]} is installed in the image")


@context("MCP-CON-034")
def unsafe_path(file: Dockerfile, project: Project) -> Iterator[Hit]:
    """``python -m`` looks for modules first in the folder it is started in.

    Where that is the workspace, what a caller writes there is imported in the
    place of a library.
    """
    for where in (file.last("ENTRYPOINT"), file.last("CMD")):
        ours = where and where.words[1:3] == ["-m", project.package]
        if where and ours and not where.stage.lookup("PYTHONSAFEPATH"):
            yield hit(file, where, "neither PYTHONSAFEPATH nor python -P")


def _installed(where: Instruction) -> list[str]:
    """Return what installs more among what pip is told to install."""
    with contextlib.suppress(ValueError):
        return sorted(
            word.partition("=")[0]
            for command in commands(where.script)
            if {"install", "pip"} <= {*command.words, command.name}
            for word in command.operands
            if word.partition("=")[0] in INSTALLERS - {"pip"}
        )
    return []
