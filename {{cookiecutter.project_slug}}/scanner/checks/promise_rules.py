"""What a tool promises by its annotations, beside what it does."""

import ast
import re
from collections.abc import Iterator

from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .registrations import FUNCTIONS
from .source import Source, written

DESTROYERS = frozenset(
    {"os.remove", "os.removedirs", "os.rmdir", "os.truncate", "os.unlink"}
    | {"shutil.rmtree", "send2trash.send2trash"}
)
WRITERS = frozenset(
    {"os.makedirs", "os.mkdir", "os.rename", "os.replace", "shutil.copy"}
    | {"shutil.copy2", "shutil.copyfile", "shutil.copytree", "shutil.move"}
)
_METHODS = {
    **dict.fromkeys(("rmdir", "unlink"), True),
    **dict.fromkeys(("mkdir", "touch", "write_bytes", "write_text"), False),
}
#: The server's own, which a tool is lent: resources().workspace.remove(path).
_OURS = re.compile(r"(?:^|[._])workspace(?:\(\))?\.(?:remove|write)$")
Named = ast.FunctionDef | ast.AsyncFunctionDef
_MODE = re.compile(r"[rbt]*[wax+][rbt+]*")
promise = ruled(__file__, on="tool")


@promise("MCP-CODE-039")
def understated(source: Source) -> Iterator[Hit]:
    """Whether a user is asked, and what a client lets pass, hangs on its word.

    A tool that deletes and does not call itself destructive is run unasked;
    one that calls itself read-only, and writes, by clients that let reading
    pass. What a tool makes for itself (``tempfile``) is let be.
    """
    if any(x.partition(".")[0] == "tempfile" for x in source.names.values()):
        return
    plain = {n.name: n for n in source.nodes if isinstance(n, FUNCTIONS)}
    for node in plain.values():
        told = _promises(source, node)
        for call in _calls(source, node, plain) if told is not None else ():
            effect = _effect(source, call)
            if effect is None:
                continue
            if "read_only" in (told or ()):
                does = "deletes" if effect else "writes"
                message = f"{node.name} is read-only, and {does}"
                severity = Severity.HIGH if effect else None
                yield source.hit(call, message, severity)
                break
            if effect and "destructive" not in (told or ()):
                message = f"{node.name} deletes, and is not destructive"
                yield source.hit(call, message)
                break


def _promises(source: Source, node: Named) -> set[str] | None:
    """Return what is said with our ``@tool``; None where it is not there."""
    for item in node.decorator_list:
        call = item if isinstance(item, ast.Call) else None
        if source.called(call.func if call else item) == "tool":
            return {
                each.arg or "destructive"
                for each in (call.keywords if call else ())
                if not (
                    isinstance(each.value, ast.Constant)
                    and each.value.value is False
                )
            }
    return None


def _calls(
    source: Source, node: Named, plain: dict[str, Named]
) -> Iterator[ast.Call]:
    """Yield the calls in a function and in those of the file that it calls."""
    seen, waiting = {node.name}, [node]
    while waiting:
        for part in ast.walk(waiting.pop()):
            if not isinstance(part, ast.Call):
                continue
            yield part
            for each in (part.func, *part.args[:1]):
                name = source.called(each)
                if name in plain.keys() - seen:
                    seen.add(name)
                    waiting.append(plain[name])


def _effect(source: Source, call: ast.Call) -> bool | None:
    """Tell whether a call deletes, or (False) only writes; else None."""
    name = source.called(call.func)
    handed = source.called(call.args[0]) if call.args else ""
    if {name, handed} & DESTROYERS:
        return True
    if {name, handed} & WRITERS:
        return False
    method = call.func.attr if isinstance(call.func, ast.Attribute) else name
    if _OURS.search(written(call.func)):
        return method == "remove"
    if method == "open":
        place = 1 if name in {"open", "io.open"} else 0
        modes = [*call.args[place : place + 1]]
        modes += [k.value for k in call.keywords if k.arg == "mode"]
        texts = (getattr(mode, "value", None) for mode in modes)
        opens = any(isinstance(x, str) and _MODE.fullmatch(x) for x in texts)
        return False if opens else None
    return _METHODS.get(method) if method != name else None
