"""What a tool's function does to what stays, by the names that it calls."""

import ast
import builtins
import re

from .components import Declared

#: Names that lead out of a function and change nothing there.
_INERT = frozenset(
    {"base64", "collections", "date", "datetime", "decimal", "difflib"}
    | {"hashlib", "html", "itertools", "json", "math", "re", "statistics"}
    | {"string", "textwrap", "timedelta", "unicodedata", "Refusal"}
    | set(dir(builtins)) - {"open", "exec", "eval", "__import__"}
)
_WRITES = frozenset(
    {"write", "write_text", "write_bytes", "writelines", "unlink", "rmdir"}
    | {"rmtree", "remove", "removedirs", "rename", "renames", "replace"}
    | {"mkdir", "makedirs", "touch", "chmod", "chown", "symlink_to"}
    | {"truncate", "copy", "copyfile", "copytree", "move", "Popen", "system"}
    | {"execute", "executemany", "executescript"}
    | {"put", "post", "patch", "delete"}
)
_STRINGS = frozenset({"replace", "remove", "copy", "put", "move"})
_STATEMENT = re.compile(
    r"\s*(?:alter|create|delete|drop|insert|merge|replace|truncate|update)\b",
    re.IGNORECASE,
)
_MEMORY = ("BytesIO", "StringIO", "TemporaryFile", "TemporaryDirectory")


def stays_within(declared: Declared | None) -> bool:
    """Tell whether all that a function calls was given to it, or is inert."""
    if declared is None:
        return False
    inside = list(ast.walk(ast.Module(declared.function.body, [])))
    calls = [node.func for node in inside if isinstance(node, ast.Call)]
    called = {
        part.id
        for call in calls
        for part in ast.walk(call)
        if isinstance(part, ast.Name)
    }
    own = {
        n.id
        for n in inside
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    own |= {
        n.arg for n in ast.walk(declared.function) if isinstance(n, ast.arg)
    }
    return called <= own | _INERT


def change_in(function: ast.AST) -> str:
    """Name the first call in a function that changes what stays."""
    passing = _passing(function)
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = getattr(called, "attr", getattr(called, "id", ""))
        if name == "open" and _opens_to_write(node):
            return "open() to write"
        owner = called.value if isinstance(called, ast.Attribute) else None
        text = isinstance(owner, ast.Constant | ast.JoinedStr)
        text = text or getattr(owner, "attr", "") in {"stderr", "stdout"}
        if text or getattr(owner, "id", "") in passing:
            continue
        if name in _WRITES and _is_sure(node, name):
            return f"{name}()"
    return ""


def _passing(function: ast.AST) -> set[str]:
    """Return the names of what is in memory, or goes away by itself.

    And of what is made of them, such as an archive in a buffer.
    """
    named = [
        (step.targets[0], step.value)
        if isinstance(step, ast.Assign)
        else (step.optional_vars, step.context_expr)
        for step in ast.walk(function)
        if isinstance(step, ast.Assign | ast.withitem)
    ]
    found: set[str] = set()
    for target, value in named * 2:
        while isinstance(value, ast.BinOp):  # what lies in a folder: / name
            value = value.left
        if not isinstance(value, ast.Call) or not isinstance(target, ast.Name):
            continue
        made = getattr(value.func, "attr", getattr(value.func, "id", ""))
        of = {getattr(given, "id", "") for given in value.args}
        of.add(getattr(getattr(value.func, "value", None), "id", ""))
        in_memory = any(_text(x) == ":memory:" for x in ast.walk(value))
        if made.endswith(_MEMORY) or in_memory or of & found:
            found.add(target.id)
    return found


def _is_sure(call: ast.Call, name: str) -> bool:
    """Tell whether a name that strings and lists have too means a file.

    A path is moved to one place; a text has one part replaced by another.
    """
    if name.startswith("execute"):
        # What is asked need not change anything, and most of it does not.
        return any(_STATEMENT.match(_text(given)) for given in call.args[:1])
    if name not in _STRINGS:
        return True
    owner = getattr(getattr(call.func, "value", None), "id", "")
    if owner == "path":
        return name != "replace" or len(call.args) + len(call.keywords) == 1
    return owner in {"os", "shutil", "requests", "httpx"}


def _text(node: ast.AST) -> str:
    """Return the text that an expression begins with; empty if unknown."""
    if isinstance(node, ast.JoinedStr):
        return _text(node.values[0]) if node.values else ""
    value = getattr(node, "value", None)
    return value if isinstance(value, str) else ""


def _opens_to_write(call: ast.Call) -> bool:
    modes = [*call.args[:2], *(k.value for k in call.keywords)]
    return any(
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and re.fullmatch(r"[rbt]*[wax+][wax+rbt]*", mode.value) is not None
        for mode in modes
    )
