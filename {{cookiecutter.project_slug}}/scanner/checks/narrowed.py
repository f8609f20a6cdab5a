"""Where in a function a caller's word is known to be a harmless one.

It is looked up in a list of ours (``name in NAMES``), matched as a whole
against a pattern of letters, or asked for what it is made of
(``name.isalnum()``), and the answer decides, as with paths. A word that
stands for its last part (``name == Path(name).name``) names no other folder.
"""

import ast
import functools
import re
from collections import Counter
from collections.abc import Collection, Mapping

from .confinement import Confined, Finder, Flows
from .registrations import FUNCTIONS, flows
from .source import Source
from .words import is_harmless

_START = (0, 1)  # an argument is there from the first line on
_MADE_OF = frozenset({"isalnum", "isalpha", "isdecimal", "isdigit"})
_MADE_OF |= {"isidentifier", "isnumeric"}
_MATCHERS = frozenset({"fullmatch", "match"})
_NUMBERS = frozenset({"bool", "float", "int", "len"})
#: All but letters, digits and dashes.
_REST = re.compile(r"\[\^(?:[a-z]-[a-z]|[A-Z]-[A-Z]|\d-\d|[\w-]|\\[dw])+\]\+?")
_PUT_IN = re.compile(r"[\w-]*")
_TABLES = ast.Dict | ast.List | ast.Set | ast.Tuple


def harmless_words(
    source: Source, nodes: list[ast.AST], steps: Flows
) -> Confined:
    """Find where each word has been asked, and not been changed since."""
    return _Narrowed(source, nodes, steps, _refusers(source)).over(nodes)


@functools.lru_cache(maxsize=1)
def _refusers(source: Source) -> Mapping[str, frozenset[int]]:
    """Return the functions that refuse harm, and where it is given them.

    ``_check(name)`` comes back if the name is a harmless one, or not at all.
    """
    found: dict[str, frozenset[int]] = {}
    for node in source.nodes:
        if isinstance(node, FUNCTIONS) and not node.decorator_list:
            nodes = list(ast.walk(node))
            finder = _Narrowed(source, nodes, list(flows(nodes)), {})
            known = finder.after_all(node.body)
            order = [arg.arg for arg in node.args.args]
            places = frozenset(
                place for place, name in enumerate(order) if name in known
            )
            found[node.name] = found.get(node.name, places) & places
    return found


class _Narrowed(Finder):
    asks = refuses = "?"  # where a path lies is asked of it resolved

    def __init__(
        self,
        source: Source,
        nodes: list[ast.AST],
        steps: Flows,
        refusers: Mapping[str, frozenset[int]],
    ) -> None:
        super().__init__(steps)
        self._source, self._refusers = source, refusers
        given = [target for target, _ in steps if isinstance(target, ast.Name)]
        often = Counter(target.id for target in given)
        here = {x.id for x in nodes if isinstance(x, ast.Name)}
        here |= {x.arg for x in nodes if isinstance(x, ast.arg)}
        self.resolved = {
            x.id: (x.end_lineno or 0, x.end_col_offset or 0)
            for x in given
            if often[x.id] == 1
        }
        inner = [x.target for x in nodes if isinstance(x, ast.comprehension)]
        early = {x.id for x in inner if isinstance(x, ast.Name)}
        for name in here:  # in a comprehension, what is made stands before
            if not often[name] or (often[name] == 1 and name in early):
                self.resolved[name] = _START

    def after(self, done: ast.stmt) -> set[str]:
        """Know a word, too, that ``_check(word)`` has let pass."""
        names = super().after(done)
        call = done.value if isinstance(done, ast.Expr) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            for place in self._refusers.get(call.func.id, ()):
                for word in call.args[place : place + 1]:
                    names |= _name(word)
        return names

    def by_call(self, test: ast.Call, truth: bool, depth: int) -> set[str]:
        """Judge ``PATTERN.fullmatch(word)`` and ``word.isalnum()``."""
        func = test.func
        if not isinstance(func, ast.Attribute) or not truth:
            return super().by_call(test, truth, depth)
        if func.attr in _MADE_OF:
            return _name(func.value)
        if func.attr in _MATCHERS and test.args:
            pattern, word = func.value, test.args[0]
            if self._source.called(func).startswith("re.") and test.args[1:]:
                pattern, word = test.args[0], test.args[1]
            return _name(word) if self._matches(pattern, func.attr) else set()
        return super().by_call(test, truth, depth)

    def by_comparison(self, test: ast.Compare, truth: bool) -> set[str]:
        """Judge ``word in NAMES``, and a match that ``is not None``."""
        op, right = test.ops[0], test.comparators[0]
        if isinstance(op, ast.Is | ast.IsNot):
            found = isinstance(op, ast.IsNot) is truth
            call = test.left if isinstance(test.left, ast.Call) else None
            nothing = isinstance(right, ast.Constant) and right.value is None
            return self.by_call(call, found, 0) if call and nothing else set()
        holds = isinstance(op, ast.In | ast.Eq)
        if holds is not truth or not isinstance(
            op, ast.In | ast.NotIn | ast.Eq | ast.NotEq
        ):
            return set()
        if isinstance(op, ast.In | ast.NotIn):
            return _name(test.left) if self._is_ours(right) else set()
        sides = ((test.left, right), (right, test.left))
        return {
            name
            for one, other in sides
            for name in _name(one)
            if isinstance(other, ast.Constant) or _last_part(other, name)
        }

    def _is_ours(self, table: ast.expr) -> bool:
        """Tell a table that stands in the file, by its name or itself."""
        last = self._source.called(table).rpartition(".")[2]
        if last and last.isupper():
            return True
        value = self._source.constants.get(last, table)
        return isinstance(value, _TABLES) and not any(
            isinstance(x, ast.Name | ast.Call) for x in ast.walk(value)
        )

    def _matches(self, pattern: ast.expr, how: str) -> bool:
        known = self._source.constants.get(getattr(pattern, "id", ""), pattern)
        if isinstance(known, ast.Call):  # re.compile("…")
            known = next(iter(known.args), known)
        said = known.value if isinstance(known, ast.Constant) else ""
        text = str(said).removesuffix(r"\Z").removeprefix("^")
        whole = how == "fullmatch" or text != str(said).removeprefix("^")
        text = text if text.endswith("$") else text + "$" * whole
        return is_harmless(f"^{text}")


def is_clean(call: ast.Call, clean: Collection[str]) -> bool:
    """Tell a call of which no harm comes, whatever goes in.

    That is a number, a digest, ``re.sub`` that leaves letters alone, or a
    function that is known for it.
    """
    func = call.func
    if isinstance(func, ast.Name):
        return func.id in _NUMBERS or func.id in clean
    if not isinstance(func, ast.Attribute):
        return False
    if func.attr == "sub" and len(call.args) > 2:
        said = [
            x.value if isinstance(x, ast.Constant) else None
            for x in call.args[:2]
        ]
        return bool(
            _REST.fullmatch(str(said[0])) and _PUT_IN.fullmatch(str(said[1]))
        )
    return func.attr == "hexdigest"


def _name(word: ast.expr) -> set[str]:
    return {word.id} if isinstance(word, ast.Name) else set()


def _last_part(value: ast.expr, name: str) -> bool:
    """Tell ``Path(name).name`` and ``os.path.basename(name)``."""
    inner = value
    if isinstance(value, ast.Attribute) and value.attr == "name":
        inner = value.value
    elif not (
        isinstance(value, ast.Call)
        and getattr(value.func, "attr", "") == "basename"
    ):
        return False
    return isinstance(inner, ast.Call) and any(
        isinstance(each, ast.Name) and each.id == name for each in inner.args
    )
