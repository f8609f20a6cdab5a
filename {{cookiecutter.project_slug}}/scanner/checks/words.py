"""Which arguments hold words: text in which a caller can write what it likes.

The server checks each argument against its annotation before the tool runs.
A number, a choice, and a text of a few harmless letters lead out of no
directory, end no statement and are no option of a program.
"""

import ast
import re

from .source import Source

_DEPTH = 10  # of names for annotations, and of what is inside of what
_NUMBERS = frozenset(
    {"bool", "date", "datetime", "Decimal", "float", "int", "time"}
    | {"timedelta", "UUID", "None"}
)
_OF_PARTS = frozenset(
    {"dict", "frozenset", "list", "Optional", "Sequence", "set", "tuple"}
    | {"Union"}
)
_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum"})
_LETTERS = r"(?:[a-z]-[a-z]|[A-Z]-[A-Z]|\d-\d|\w|\\[dw])"
#: Letters and digits; a dash, but not as the first.
_HARMLESS = re.compile(
    rf"\^(?:\[{_LETTERS}+\]|\\d|\w)(?:\+|\{{[1-9][\d,]*\}})?"
    rf"(?:(?:\[(?:{_LETTERS}|-)+\]|\\d|[\w-])(?:[+*?]|\{{[\d,]+\}})?)*\$"
)


def is_word(source: Source, kind: ast.expr | None, depth: int = 0) -> bool:
    """Tell whether an annotation lets a caller write what it likes."""
    if kind is None or depth > _DEPTH:
        return True
    deeper = depth + 1
    if isinstance(kind, ast.BinOp):  # int | None
        sides = (kind.left, kind.right)
        return any(is_word(source, side, deeper) for side in sides)
    if isinstance(kind, ast.Constant):
        return kind.value is not None
    if isinstance(kind, ast.Subscript):
        return _is_word_inside(source, kind, deeper)
    name = source.called(kind).rpartition(".")[2]
    named = source.constants.get(name)
    if named is not None:
        return is_word(source, named, deeper)
    if name in _NUMBERS:
        return False
    return not name[:1].isupper() or not _is_choice(source, name)


def holds_no_word(source: Source, name: str) -> bool:
    """Tell a name that stands for such an argument, wherever it is one."""
    kinds = [x.annotation for x in source.each(ast.arg) if x.arg == name]
    return kinds != [] and not any(is_word(source, kind) for kind in kinds)


def _is_word_inside(source: Source, kind: ast.Subscript, depth: int) -> bool:
    name = source.called(kind.value).rpartition(".")[2]
    parts = kind.slice.elts if isinstance(kind.slice, ast.Tuple) else []
    if name == "Literal":
        return False
    if name == "Annotated" and parts:
        said = any(map(_is_bound, parts[1:]))
        return not said and is_word(source, parts[0], depth)
    if name in _OF_PARTS:
        inner = [x for x in parts or [kind.slice] if not _is_more(x)]
        return any(is_word(source, part, depth) for part in inner)
    return True


def is_harmless(pattern: str) -> bool:
    """Tell a pattern, ``^`` to ``$``, that only lets harmless letters pass."""
    return _HARMLESS.fullmatch(pattern) is not None


def _is_bound(field: ast.expr) -> bool:
    """Tell ``Field(pattern="^[a-z]+$")``."""
    return isinstance(field, ast.Call) and any(
        k.arg == "pattern"
        and isinstance(k.value, ast.Constant)
        and is_harmless(str(k.value.value))
        for k in field.keywords
    )


def _is_more(part: ast.expr) -> bool:
    """Tell the dots of ``tuple[int, ...]``."""
    return isinstance(part, ast.Constant) and part.value is ...


def _is_choice(source: Source, name: str) -> bool:
    return any(
        kind.name == name
        and any(
            source.called(base).rpartition(".")[2] in _ENUMS
            for base in kind.bases
        )
        for kind in source.each(ast.ClassDef)
    )
