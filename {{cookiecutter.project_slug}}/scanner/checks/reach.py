"""Code that is run by whoever calls a tool: nothing is worse."""

import ast
import dataclasses
from collections.abc import Iterator, Sequence

from ..model import Finding, Severity
from ..project import Project, Unreadable
from .python_files import read_python
from .source import Source, parse
from .taint import Tool, called_by_tools, given

#: A shell, eval, an import, a loader of objects, a template.
RUNS_CODE = frozenset(
    {"CWE-78", "CWE-94", "CWE-95", "CWE-470", "CWE-502", "CWE-1336"}
)


def weighed(project: Project, findings: Sequence[Finding]) -> list[Finding]:
    """Call critical what runs code in which a tool's caller has a say.

    Who finds the fault, be it a rule of ours or an outside tool, sees one
    line. How bad it is depends on who can bring it about: here any model
    that has read the wrong page. Tools call into other files; what they call
    there is known by its name.
    """
    suspects = {f.path or "" for f in findings if _runs_code(f)}
    if not suspects:
        return [*findings]
    names = {x for source in tool_files(project) for x in _called(source)}
    lines = {
        path: frozenset(_lines(source, names))
        for path in suspects
        for source in _read(project, path)
    }
    return [
        dataclasses.replace(f, severity=Severity.CRITICAL)
        if _runs_code(f) and f.line in lines.get(f.path or "", ())
        else f
        for f in findings
    ]


def _runs_code(finding: Finding) -> bool:
    return finding.cwe in RUNS_CODE and finding.severity is Severity.HIGH


def tool_files(project: Project) -> Iterator[Source]:
    """Yield the modules of which the server offers the functions."""
    for path in project.named(r"[^/]+/tools/[^/]+\.py"):
        if path.partition("/")[0] in project.packages:
            yield from _read(project, path)


def _read(project: Project, path: str) -> Iterator[Source]:
    try:
        yield parse(path, read_python(project, path))
    except (Unreadable, ValueError):
        return  # the check has said so


def _called(source: Source) -> Iterator[str]:
    """Yield what is called with a word of a caller's."""
    for tool in called_by_tools(source, ()):
        for call in tool.calls:
            if _takes(call, tool):
                for part in (call.func, *call.args[:1]):
                    yield str(getattr(part, "attr", getattr(part, "id", "")))


def _lines(source: Source, names: set[str]) -> Iterator[int]:
    for tool in called_by_tools(source, names - {""}):
        for call in tool.calls:
            if _takes(call, tool):
                yield from range(call.lineno, (call.end_lineno or 0) + 1)


def _takes(call: ast.Call, tool: Tool) -> bool:
    parts = [*call.args, *(k.value for k in call.keywords)]
    return any(given(part, tool) for part in parts)
