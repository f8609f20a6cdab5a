"""A secret that somebody shows, beside the one that is kept."""

import ast
import re

from .source import Source

_SURE_WORDS = (
    r"(?:api_?key|client_?secret|passphrase|passwd|password|private_?key"
    r"|secret|(?:access|admin|api|auth|bearer|refresh|session|webhook)_?token)"
)
_SURE = re.compile(rf"(?i)_*(?:\w+_)?(?:{_SURE_WORDS}|get_secret_value)")
#: Words of lexers and of tables, too.
_VAGUE = re.compile(r"(?i)_*(?:\w+_)?(?:key|signature|token)")
_SHOWN = re.compile(r"(?i)candidate|given|presented|provided|shown")
_KEPT = re.compile(
    r"(?i)_*(?:actual|configured|correct|expected|known|real|saved|stored"
    r"|valid)_\w+"
)
#: Both come from the same hand, or neither is a secret.
_OTHER = re.compile(
    r"(?i)(?:\w+_)?(?:again|confirm\w*|csrf|cursor|current|field|file|header"
    r"|kind|last|name|new|next|old|page|path|prev\w*|repeat\w*|type|url"
    r"|verif\w*)(?:_\w+)?"
)
_IN_AUTH = re.compile(
    r"(?i)authori[sz]|authenticat|bearer|credential|\b40[13]\b|log_?in\b"
)
_IN_PARSER = re.compile(
    r"(?i)\b(?:ast|grammar|lex\w*|pars\w*|syntax\w*|tokeni[sz]\w*|tokens)\b"
)


def is_kept(source: Source, sides: tuple[ast.expr, ...]) -> bool:
    """Tell a secret by its name beside one that is kept or looked up."""
    if len(sides) != 2 or any(isinstance(x, ast.Constant) for x in sides):
        return False
    names = [_name(side) for side in sides]
    if any(not name or _OTHER.fullmatch(name) for name in names):
        return False
    if not any(_is_secret(name) for name in names):
        return False
    sure = any(map(_SURE.fullmatch, names))
    return any(
        (_is_secret(_name(shown)) or _SHOWN.fullmatch(_name(shown)))
        and _is_held(kept, shown)
        for shown, kept in (sides, sides[::-1])
    ) and (sure or _means_secrets(source, names))


def _means_secrets(source: Source, names: list[str]) -> bool:
    """Tell by the rest of a file what is meant by a key, or a token."""
    text = "\n".join(source.lines)
    expected = any(_KEPT.fullmatch(x) and x.endswith("token") for x in names)
    shown = expected and not _IN_PARSER.search(text)
    return shown or _IN_AUTH.search(text) is not None


def _is_held(kept: ast.expr, shown: ast.expr) -> bool:
    """Tell what the server has: an attribute, an entry, what it looks up."""
    name = _name(kept)
    if isinstance(kept, ast.Name):
        return _KEPT.fullmatch(name) is not None
    if isinstance(kept, ast.Attribute):
        kind = _name(kept.value)[:1].isupper()  # Kind.PASSWORD
        return _is_secret(name) and isinstance(shown, ast.Name) and not kind
    entry = _SURE.fullmatch(_name(shown)) and _table(kept) is not None
    return bool(entry) or _is_secret(name.removesuffix("s"))


def _is_secret(name: str) -> bool:
    return bool(_SURE.fullmatch(name) or _VAGUE.fullmatch(name))


def _name(node: ast.expr) -> str:
    """Return the last word of what a value is called, or looked up in."""
    table = _table(node)
    if table is not None:
        return _name(table)
    if isinstance(node, ast.Call):
        return _name(node.func)
    return str(getattr(node, "attr", getattr(node, "id", "")))


def _table(node: ast.expr) -> ast.expr | None:
    """Return the table of ``table[key]`` and ``table.get(key)``."""
    if isinstance(node, ast.Subscript):
        return node.value
    func = node.func if isinstance(node, ast.Call) else None
    reads = isinstance(func, ast.Attribute) and func.attr == "get"
    return func.value if reads and isinstance(func, ast.Attribute) else None
