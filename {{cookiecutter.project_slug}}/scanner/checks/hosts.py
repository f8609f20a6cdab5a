"""Where in a function the host of an address is known to be allowed.

It is looked up after the address was split: ``urlsplit(url).hostname in
ALLOWED``, in one step or in two, and the answer decides, as with paths.
"""

import ast

from .confinement import Confined, Finder, Flows
from .source import Source

_HOSTS = frozenset({"host", "hostname", "netloc"})
_SPLITTERS = frozenset(
    {"httpx.URL", "urllib.parse.urlparse", "urllib.parse.urlsplit"}
    | {"yarl.URL"}
)
_START = (0, 1)  # a caller's word is there from the first line on


def allowed_hosts(
    source: Source, nodes: list[ast.AST], steps: Flows, theirs: frozenset[str]
) -> Confined:
    """Find where each of a caller's addresses has been asked for its host."""
    if not any(_splits(source, node) for node in nodes):
        return Confined()
    return _Hosts(source, steps, theirs).over(nodes)


class _Hosts(Finder):
    def __init__(
        self, source: Source, steps: Flows, theirs: frozenset[str]
    ) -> None:
        super().__init__(steps)
        self.resolved = dict.fromkeys(theirs, _START)
        self._source = source
        self._theirs = theirs

    def by_comparison(self, test: ast.Compare, truth: bool) -> set[str]:
        """Judge ``parts.hostname in ALLOWED``; the list is not theirs."""
        op, right = test.ops[0], test.comparators[0]
        holds = isinstance(op, ast.In | ast.Eq)
        if not holds and not isinstance(op, ast.NotIn | ast.NotEq):
            return set()
        if holds is not truth or self._theirs & _names(right):
            return set()
        return {
            name
            for part in ast.walk(test.left)
            if isinstance(part, ast.Attribute) and part.attr in _HOSTS
            for name in self._addresses(part.value)
        }

    def _addresses(self, owner: ast.expr) -> set[str]:
        """Return the names of what was split, and of the parts."""
        name = owner.id if isinstance(owner, ast.Name) else ""
        whole = self.answers.get(name, owner)
        return (
            _names(whole) | {name} if _splits(self._source, whole) else set()
        )


def _names(part: ast.AST) -> set[str]:
    return {x.id for x in ast.walk(part) if isinstance(x, ast.Name)}


def _splits(source: Source, node: ast.AST) -> bool:
    called = source.called(node.func) if isinstance(node, ast.Call) else ""
    return called in _SPLITTERS
