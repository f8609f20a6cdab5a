"""Where in a function a path is known to lie in its directory.

A path is asked with ``path.is_relative_to(ROOT)``, ``ROOT in path.parents``,
``path.relative_to(ROOT)`` or ``os.path.commonpath([ROOT, path]) == ROOT``
after it was resolved, and the answer decides: what opens it stands where the
answer was yes, or behind what leaves when it was no.
"""

import ast
import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

Place = tuple[int, int]
Flows = list[tuple[ast.expr, ast.expr]]
_RESOLVERS = frozenset({"realpath", "resolve"})
_LEAVING = (ast.Raise, ast.Return, ast.Continue, ast.Break)
_LEAVERS = frozenset({"abort", "exit", "fail"})
_FAILURES = frozenset({"BaseException", "Exception", "ValueError"})
_NESTED = 20  # deeper, a condition proves nothing


@dataclass(frozen=True, slots=True)
class Confined:
    """The stretches of a function in which a path is known to be inside.

    Attributes:
        spans: For each path, where a stretch ends and where it begins.
    """

    spans: dict[str, dict[Place, Place]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def add(self, name: str, first: ast.AST, last: ast.AST) -> None:
        """Note a stretch; of those that end together the longest will do."""
        begin, known = _begin(first), self.spans[name].get(_end(last))
        self.spans[name][_end(last)] = min(begin, known or begin)

    def at(self, name: str, node: ast.expr) -> bool:
        """Tell whether a path is known to lie inside, at a place."""
        here = (node.lineno, node.col_offset)
        spans = self.spans.get(name, {}).items()
        return any(begin <= here < end for end, begin in spans)


def confined_names(nodes: list[ast.AST], steps: Flows) -> Confined:
    """Find where each resolved path has been asked where it lies."""
    return Finder(steps).over(nodes)


class Finder:
    """Goes through a function's conditions and blocks, each once.

    Attributes:
        asks: The method that answers where its owner lies.
        refuses: The one that raises where that is elsewhere.
    """

    asks, refuses = "is_relative_to", "relative_to"

    def __init__(self, steps: Flows) -> None:
        self.resolved: dict[str, Place] = {}
        self.answers: dict[str, ast.expr] = {}
        self._told: dict[tuple[str, bool], set[str]] = {}
        for target, value in steps:
            if isinstance(target, ast.Name):
                self.answers[target.id] = value
                if any(_method(x) in _RESOLVERS for x in ast.walk(value)):
                    self.resolved.setdefault(target.id, _end(target))

    def over(self, nodes: list[ast.AST]) -> Confined:
        """Look at each condition and each block once."""
        found = Confined()
        if not self.resolved:
            return found
        for node in nodes:
            for names, first, last in self._stretches(node):
                for name in names:
                    begin = self.resolved.get(name)
                    if begin and begin <= _begin(first):
                        found.add(name, first, last)
        return found

    def _stretches(
        self, node: ast.AST
    ) -> Iterator[tuple[set[str], ast.AST, ast.AST]]:
        """Yield which paths are inside, from the first node to the last."""
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            for branch, truth in ((node.body, True), (node.orelse, False)):
                parts = branch if isinstance(branch, list) else [branch]
                if parts:
                    yield self._proved(node.test, truth), parts[0], parts[-1]
        elif isinstance(node, ast.BoolOp):
            truth = isinstance(node.op, ast.And)
            for part, after in itertools.pairwise(node.values):
                yield self._proved(part, truth), after, node.values[-1]
        elif isinstance(
            node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
        ):
            tests = [test for part in node.generators for test in part.ifs]
            names = {n for test in tests for n in self._proved(test, True)}
            first = node.key if isinstance(node, ast.DictComp) else node.elt
            last = node.value if isinstance(node, ast.DictComp) else node.elt
            yield names, first, last
        for block in _blocks(node):
            for done, next_ in itertools.pairwise(block):
                yield self.after(done), next_, block[-1]

    def after(self, done: ast.stmt) -> set[str]:
        """Return what is known to be inside when a statement is over."""
        names: set[str] = set()
        if isinstance(done, ast.If):
            for branch, truth in ((done.body, False), (done.orelse, True)):
                if branch and _leaves(branch[-1]):
                    names |= self._proved(done.test, truth)
        elif isinstance(done, ast.Assert):
            names |= self._proved(done.test, truth=True)
        elif isinstance(done, ast.Try):
            if not any(map(_goes_on, done.handlers)):
                names |= self.after_all(done.body)
        elif isinstance(done, ast.With | ast.AsyncWith):
            if not any(
                _method(item.context_expr) == "suppress" for item in done.items
            ):
                names |= self.after_all(done.body)
        elif not hasattr(done, "body") and not isinstance(done, ast.Match):
            calls = (n for n in ast.walk(done) if isinstance(n, ast.Call))
            names |= {
                name
                for call in calls
                if _method(call) == self.refuses
                for name in _owners(call)
            }
        return names

    def after_all(self, block: list[ast.stmt]) -> set[str]:
        """Return the same when all of a block is over."""
        return {name for done in block for name in self.after(done)}

    def _proved(self, test: ast.expr, truth: bool, depth: int = 0) -> set[str]:
        """Return the paths that are inside if a condition is true, or not."""
        if depth > _NESTED:
            return set()
        deeper = depth + 1
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return self._proved(test.operand, not truth, deeper)
        if isinstance(test, ast.BoolOp):
            each = [self._proved(x, truth, deeper) for x in test.values]
            every = isinstance(test.op, ast.And) is truth
            return set.union(*each) if every else set.intersection(*each)
        if isinstance(test, ast.NamedExpr):
            return self._proved(test.value, truth, deeper)
        if isinstance(test, ast.Name):
            return self._by_name(test.id, truth, deeper)
        if isinstance(test, ast.Call):
            return self.by_call(test, truth, deeper)
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            return self.by_comparison(test, truth)
        return set()

    def _by_name(self, name: str, truth: bool, depth: int) -> set[str]:
        """Judge ``inside``, after ``inside = path.is_relative_to(ROOT)``."""
        answer = self.answers.get(name)
        if answer is not None and (name, truth) not in self._told:
            self._told[name, truth] = set()  # it may be made of itself
            self._told[name, truth] = self._proved(answer, truth, depth)
        return self._told.get((name, truth), set())

    def by_call(self, test: ast.Call, truth: bool, depth: int) -> set[str]:
        """Judge ``path.is_relative_to(ROOT)``, of each of many too."""
        if _method(test) == self.asks and truth:
            return _owners(test)
        among = _method(test) in {"all", "any"} and test.args
        if among and isinstance(among[0], ast.GeneratorExp):
            return self._proved(among[0].elt, truth, depth)
        return set()

    def by_comparison(self, test: ast.Compare, truth: bool) -> set[str]:
        """Judge ``commonpath(…) == ROOT`` and ``ROOT in path.parents``."""
        op, right = test.ops[0], test.comparators[0]
        if isinstance(op, ast.Eq | ast.NotEq):
            asked = [
                x for x in (test.left, right) if _method(x) == "commonpath"
            ]
            holds = isinstance(op, ast.Eq) is truth
            return {n for x in asked for n in _names(x)} if holds else set()
        parents = isinstance(right, ast.Attribute) and right.attr == "parents"
        if parents and isinstance(op, ast.In | ast.NotIn):
            return _names(right) if isinstance(op, ast.In) is truth else set()
        return set()


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def _leaves(last: ast.stmt) -> bool:
    """Tell whether what comes after a block is not reached from it."""
    if isinstance(last, ast.Expr):
        return _method(last.value) in _LEAVERS
    return isinstance(last, _LEAVING)


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Tell whether the refusal of ``relative_to`` comes to nothing."""
    kinds = [] if handler.type is None else [*ast.walk(handler.type)]
    names = {kind.id for kind in kinds if isinstance(kind, ast.Name)}
    catches = not names or bool(names & _FAILURES)
    return catches and not _leaves(handler.body[-1])


def _owners(call: ast.Call) -> set[str]:
    """Return the names of the path whose method is called."""
    func = call.func
    return _names(func.value) if isinstance(func, ast.Attribute) else set()


def _names(part: ast.AST) -> set[str]:
    return {x.id for x in ast.walk(part) if isinstance(x, ast.Name)}


def _method(node: ast.AST) -> str:
    """Return the last name of what is called; else nothing."""
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(called, ast.Name):
        return called.id
    return called.attr if isinstance(called, ast.Attribute) else ""


def _begin(node: ast.AST) -> Place:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _end(node: ast.AST) -> Place:
    return (
        getattr(node, "end_lineno", None) or 0,
        getattr(node, "end_col_offset", None) or 0,
    )
