"""A Python file, parsed once for all the rules that look at it."""

import ast
import io
import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar, cast

from ..model import Severity
from ..rules import Hit, anchored

MAX_SIZE = 2**20  # bytes
MAX_WORDS = 100_000  # some 10,000 lines; a word takes a kilobyte, parsed
_WORD = re.compile(rb"\w+|[^\w\s]|\n")
_NOTES = ("nosec", "noqa", "nosemgrep", "mcp-code-")
#: A library under another name, which Bandit does not know yet.
_FORK = re.compile(r"\bhttpx2\b")
_NOTED = re.compile(rf"(?i)#.*(?:{'|'.join(_NOTES)})")
Node = TypeVar("Node", bound=ast.AST)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One file: its lines, the nodes of its tree, its imported names.

    Attributes:
        nodes: Every node, from the outermost inwards, but for contexts.
        names: What each imported name stands for (``sp``: ``subprocess``).
        modules: The modules that it imports, by their whole names.
        constants: What the module's names stand for that are given once.
        notes: Comments that speak to a linter, by line.
        handed: By function, where tools of other files hand it a word.
        clean: Functions that return nothing harmful, whatever they are given.
    """

    path: str
    lines: list[str]
    nodes: list[ast.AST]
    calls: list[ast.Call]
    names: dict[str, str]
    modules: frozenset[str]
    constants: dict[str, ast.expr]
    notes: dict[int, str]
    handed: dict[str, set[str | int]] = field(default_factory=dict)
    clean: set[str] = field(default_factory=set)
    _called: dict[ast.expr, str] = field(default_factory=dict)

    def each(self, kind: type[Node]) -> list[Node]:
        """Return the nodes of one kind, in their order."""
        return each(self.nodes, kind)

    def called(self, node: ast.expr) -> str:
        """Return the whole dotted name of what is called; or nothing."""
        known = self._called.get(node)
        if known is None:  # most rules ask
            known = self._called[node] = self._dotted(node)
        return known

    def _dotted(self, node: ast.expr) -> str:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        parts.append(self.names.get(node.id, node.id))
        return ".".join(reversed(parts))

    def given(self) -> dict[str, list[ast.expr]]:
        """Return what each name is given, anywhere in the file."""
        found: dict[str, list[ast.expr]] = defaultdict(list)
        for node in self.each(ast.Assign):
            for target in node.targets:
                for each in ast.walk(target):
                    if isinstance(each, ast.Name):
                        found[each.id].append(node.value)
        return found

    def line(self, number: int) -> str:
        """Return a line's text, which anchors a finding when it moves."""
        known = 0 < number <= len(self.lines)
        return self.lines[number - 1].strip() if known else ""

    def _rest(self, node: ast.expr | ast.stmt) -> list[str]:
        """Return a statement's further lines; none of a block of them."""
        if hasattr(node, "body") and isinstance(node.body, list):
            return []
        last = node.end_lineno or node.lineno
        return [*map(self.line, range(node.lineno + 1, last + 1))]

    def hit(
        self,
        node: ast.expr | ast.stmt,
        message: str,
        severity: Severity | None = None,
    ) -> Hit:
        """Return what a rule finds in a part of the tree."""
        return Hit(
            path=self.path,
            line=node.lineno,
            anchor=anchored(self.line(node.lineno), *self._rest(node)),
            message=message,
            severity=severity,
        )


def fits(data: bytes) -> bool:
    """Tell whether a file can be parsed in the memory there is (CWE-770)."""
    if len(data) <= MAX_WORDS:
        return True
    words = sum(1 for _ in _WORD.finditer(data[:MAX_SIZE]))
    return len(data) <= MAX_SIZE and words <= MAX_WORDS


def parse(path: str, data: bytes, *, whole: bool = True) -> Source:
    """Parse a file that fits; or only read it, if it is not wanted whole.

    Raises:
        ValueError: It is no Python that this interpreter knows, or so deep
            that the parser gives up (CWE-674).
    """
    try:
        nodes = _walk(ast.parse(data)) if whole else []
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.msg}") from None
    except (RecursionError, MemoryError, LookupError) as error:
        raise ValueError(type(error).__name__) from None
    return Source(
        path=path,
        lines=text.splitlines(),
        nodes=nodes,
        calls=each(nodes, ast.Call),
        names=dict(_imports(nodes)),
        modules=frozenset(
            _FORK.sub("httpx", item.name)
            for node in each(nodes, ast.Import)
            for item in node.names
        ),
        constants=_constants(nodes),
        notes=dict(_notes(text)),
    )


def written(node: ast.AST) -> str:
    """Return a part of the tree as Python; nothing of one that is too deep."""
    try:
        return ast.unparse(node)
    except RecursionError:
        return ""


def each(nodes: list[ast.AST], kind: type[Node]) -> list[Node]:
    """Return the nodes of one kind, of which the parser makes no subclass."""
    return cast("list[Node]", [node for node in nodes if type(node) is kind])


def _walk(tree: ast.AST) -> list[ast.AST]:
    """Return the nodes as ``ast.walk`` has them, which takes twice as long."""
    nodes = [tree]
    for node in nodes:  # which grows meanwhile
        for name in node._fields:
            value = None if name == "ctx" else getattr(node, name, None)
            if isinstance(value, list):
                nodes += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                nodes.append(value)
    return nodes


def _imports(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            for item in node.names:
                name = item.asname or item.name.partition(".")[0]
                meant = item.name if item.asname else name
                yield name, _FORK.sub("httpx", meant)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for item in node.names:
                whole = f"{node.module}.{item.name}"
                yield item.asname or item.name, _FORK.sub("httpx", whole)


def _constants(nodes: list[ast.AST]) -> dict[str, ast.expr]:
    """Return what the module names once, where no function has the name."""
    stored = Counter(
        node.id
        for node in nodes
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    stored.update(node.arg for node in nodes if isinstance(node, ast.arg))
    found: dict[str, ast.expr] = {}
    module = nodes[0] if nodes else None
    for step in module.body if isinstance(module, ast.Module) else ():
        targets: list[ast.expr] = []
        if isinstance(step, ast.Assign):
            targets = step.targets
        elif isinstance(step, ast.AnnAssign):
            targets = [step.target]
        value = getattr(step, "value", None)
        for name in targets:
            once = isinstance(name, ast.Name) and stored[name.id] == 1
            if once and isinstance(value, ast.expr):
                found[ast.unparse(name)] = value
    return found


def _notes(text: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of a file that silences a linter; most do not."""
    lower = text.lower()
    if not any(word in lower for word in _NOTES) or not _NOTED.search(text):
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
