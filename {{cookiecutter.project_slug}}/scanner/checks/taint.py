"""Which words in a tool's code are its caller's."""

import ast
import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from .confinement import Confined, confined_names
from .hosts import allowed_hosts
from .narrowed import harmless_words, is_clean
from .registrations import Function, Functions, flows, functions, registered
from .source import Source
from .words import is_word

_OURS = frozenset({"Context", "Workspace"})  # given by the server, not a model
_ALL = "*"  # stands for every argument of a function
# Where stands what is called: asyncio.to_thread's first, an executor's second.
_HANDING = {"to_thread": 1, "run_sync": 1, "submit": 1, "run_in_executor": 2}
Key = str | tuple[ast.ClassDef, str] | None  # a function's, or a method's
Places = set[str | int]  # where a call gives something: by place, by name


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """A function that a model can call, and the names its words reach.

    Attributes:
        theirs: The names that hold a word of the caller's.
        given: The parts of it in which there is one.
        made: The names of what each name comes from.
        confined: Where which path is known to lie in its directory.
        hosts: Where which address is known to have an allowed host.
    """

    name: str
    node: Function
    calls: list[ast.Call]
    theirs: frozenset[str]
    given: frozenset[ast.AST]
    made: Mapping[str, frozenset[str]]
    confined: Confined
    hosts: Confined
    _asked: dict[tuple[str, tuple[str, ...]], bool] = field(
        default_factory=dict
    )

    def comes_from(
        self, name: str, wanted: tuple[str, ...], *, ending: bool = False
    ) -> bool:
        """Tell whether a name holds what a certain function has made."""
        known = self._asked.get((name, wanted))
        if known is None:
            known = any(
                made.endswith(wanted) if ending else made.startswith(wanted)
                for made in self.made.get(name, ())
            )
            self._asked[name, wanted] = known
        return known


@functools.lru_cache(maxsize=1)
def tools(source: Source) -> tuple[Tool, ...]:
    """Return the functions that a model can call, however they are added.

    With each come the functions of the same file to which it hands its
    caller's words, and those to which they do. Each is looked at twice at
    most, the second time with every argument: so the time is bounded by the
    file's size.
    """
    return tuple(_tools(source, functions(source)))


def called_by_tools(source: Source, names: Collection[str]) -> Iterator[Tool]:
    """Yield the same, and what a tool elsewhere calls by these names."""
    known = functions(source)
    tables = (known.plain.values(), known.methods.values())
    more = [
        node
        for nodes in chain(*tables)
        for node in nodes
        if getattr(node, "name", "") in names
    ]
    yield from _tools(source, known, more)


def _tools(
    source: Source, known: Functions, more: Iterable[Function] = ()
) -> Iterator[Tool]:
    waiting = [
        (node, frozenset(_theirs(source, node, known)))
        for node in (*registered(source, known), *more)
    ]
    seen: dict[Function, frozenset[str]] = {}
    handed = _Handed(source, known)
    waiting += handed.from_elsewhere()
    source.clean.update(cleaners(source, known) if waiting else ())
    while waiting:
        node, first = waiting.pop()
        before = seen.get(node)
        if before is not None and first <= before:
            continue
        if before is not None:  # once more, with all of them: no third time
            first = frozenset(_theirs(source, node, known))
        seen[node] = first
        tool = _tool(source, node, first)
        yield tool
        waiting += handed.by(tool)


def _tool(source: Source, node: Function, first: frozenset[str]) -> Tool:
    nodes = list(ast.walk(node))
    steps = list(flows(nodes))
    plain = harmless_words(source, nodes, steps)
    clean = frozenset(source.clean)
    theirs = reached(steps, first, plain, clean)
    return Tool(
        name=getattr(node, "name", "a lambda"),
        node=node,
        calls=[part for part in nodes if isinstance(part, ast.Call)],
        theirs=theirs,
        given=_holding(nodes, theirs, plain, clean),
        made=_made(source, steps),
        confined=confined_names(nodes, steps),
        hosts=allowed_hosts(source, nodes, steps, theirs),
    )


def given(part: ast.expr, tool: Tool) -> bool:
    """Tell whether a word of the caller's is in an expression."""
    return part in tool.given


def tool_calls(source: Source) -> Iterator[tuple[Tool, ast.Call]]:
    """Yield each call in a tool, with the tool.

    So is what a thread is handed: ``to_thread(shutil.copy, a, b)``.
    """
    for tool in tools(source):
        for call in tool.calls:
            yield tool, call
            method = getattr(call.func, "attr", "")
            if place := _HANDING.get(method):
                handed, rest = call.args[place - 1 : place], call.args[place:]
                for function in handed:
                    inner = ast.Call(function, rest, call.keywords)
                    yield tool, ast.copy_location(inner, call)


def cleaners(source: Source, known: Functions) -> frozenset[str]:
    """Return the functions that let no harm through, by their names.

    Such a one returns a path that it has asked where it lies, or a word that
    it has looked up, and nothing else of what it was given.
    """
    return frozenset(
        name
        for name, nodes in known.plain.items()
        if all(_is_cleaner(source, node, known) for node in nodes)
    )


def _is_cleaner(source: Source, node: Function, known: Functions) -> bool:
    first = frozenset(_theirs(source, node, known))
    returned = [
        step.value
        for step in ast.walk(node)
        if isinstance(step, ast.Return) and step.value is not None
    ]
    if not first or not returned:
        return False
    tool = _tool(source, node, first)
    return all(
        not given(value, tool)
        or tool.confined.at(getattr(value, "id", ""), value)
        for value in returned
    )


def handed_on(
    source: Source,
) -> Iterator[tuple[tuple[str, str], Places]]:
    """Yield the functions of other files that get a word, and where.

    Each is told by its module's last name and its own.
    """
    there = dict(from_beside(source))
    for tool, call in tool_calls(source):
        owner, _, name = source.called(call.func).rpartition(".")
        place = there.get(name) if not owner else None
        if owner in there:  # from .. import disk
            place = there[owner][1], name
        places = _places(call.args, call.keywords, tool) if place else set()
        if place and places:
            yield place, places


def from_beside(source: Source) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield what each name stands for that comes from the same package."""
    for node in source.each(ast.ImportFrom):
        module = (node.module or "").rpartition(".")[2]
        for item in node.names if node.level else ():
            yield item.asname or item.name, (module, item.name)


class _Handed:
    """Follows a caller's words from one function to the next."""

    def __init__(self, source: Source, known: Functions) -> None:
        self._source, self._known = source, known
        self._told: dict[Key, frozenset[str | int]] = {}
        self._kinds = {kind.name: kind for kind in known.owners.values()}

    def from_elsewhere(self) -> Iterator[tuple[Function, frozenset[str]]]:
        """Yield the same for what tools in other files call."""
        for name, places in self._source.handed.items():
            for called in self._known.plain.get(name, ()):
                yield called, self._arguments(called, frozenset(places))

    def by(self, tool: Tool) -> Iterator[tuple[Function, frozenset[str]]]:
        """Yield the functions that get a word, and the arguments with it.

        What calls itself, or many of one name, is told once for all.
        """
        found: dict[Key, Places] = defaultdict(set)
        for call in tool.calls:
            for key, places in self._given(call, tool):
                found[key] |= places
        for key, places in found.items():
            before = self._told.get(key, frozenset())
            if places <= before or _ALL in before:
                continue
            new = frozenset([_ALL]) if before else frozenset(places)
            self._told[key] = new
            for called in self._named(key):
                names = self._arguments(called, new)
                if names and called is not tool.node:
                    yield called, names

    def _given(
        self, call: ast.Call, tool: Tool
    ) -> Iterator[tuple[Key, Places]]:
        """Yield what is called, itself or by a thread, with whose words."""
        key = self._key(call.func, tool)
        if self._named(key):
            yield key, _places(call.args, call.keywords, tool)
        for place, part in enumerate(call.args):
            key = self._key(part, tool)
            if self._named(key):  # asyncio.to_thread(function, word)
                yield key, _places(call.args[place + 1 :], [], tool)
                break

    def _key(self, called: ast.expr, tool: Tool) -> Key:
        if isinstance(called, ast.Name):
            return called.id
        if not isinstance(called, ast.Attribute):
            return None
        part = called.value
        own = isinstance(part, ast.Name) and part.id in {"cls", "self"}
        owner = self._known.owners.get(tool.node) if own else None
        kind = owner or self._kind(part, tool)
        return (kind, called.attr) if kind else None

    def _kind(self, part: ast.expr, tool: Tool) -> ast.ClassDef | None:
        """Return the class of this file of which an object was made."""
        name = part.id if isinstance(part, ast.Name) else ""
        made = {*tool.made.get(name, ())}
        value = self._source.constants.get(name, part)
        if isinstance(value, ast.Call):
            made.add(self._source.called(value.func))
        return next((self._kinds[x] for x in made if x in self._kinds), None)

    def _named(self, key: Key) -> list[Function]:
        if isinstance(key, tuple):
            return self._known.methods.get(key, [])
        return self._known.plain.get(key, []) if isinstance(key, str) else []

    def _arguments(
        self, called: Function, places: frozenset[str | int]
    ) -> frozenset[str]:
        every = frozenset(_theirs(self._source, called, self._known))
        if _ALL in places:
            return every
        order = [arg.arg for arg in self._known.arguments(called)]
        rest = [arg.arg for arg in (called.args.vararg,) if arg]
        names = {x for x in places if isinstance(x, str)}
        for place in places:
            if isinstance(place, int):
                names |= {*order[place : place + 1]} or {*rest}
        if not names <= every and called.args.kwarg:
            names.add(called.args.kwarg.arg)
        return every & names


def _places(
    args: list[ast.expr], keywords: list[ast.keyword], tool: Tool
) -> Places:
    """Return the places and names at which a call gives a caller's word."""
    places: Places = set()
    for place, part in enumerate(args):
        if given(part, tool):
            places.add(_ALL if isinstance(part, ast.Starred) else place)
    for keyword in keywords:
        if given(keyword.value, tool):
            places.add(keyword.arg or _ALL)
    return places


def reached(
    steps: list[tuple[ast.expr, ast.expr]],
    first: frozenset[str],
    plain: Confined | None = None,
    clean: Collection[str] = (),
) -> frozenset[str]:
    """Follow names through assignments, each of them once.

    Args:
        steps: The assignments.
        first: The names that hold a word of a caller's.
        plain: Where such a word is known to be harmless.
        clean: Functions of which nothing harmful comes.
    """
    onward: dict[str, list[int]] = defaultdict(list)
    for number, (_, value) in enumerate(steps):
        for name in {
            word.id
            for word in _words(value, clean)
            if plain is None or not plain.at(word.id, word)
        }:
            onward[name].append(number)
    theirs, waiting = set(first), [*first]
    while waiting:
        for number in onward.pop(waiting.pop(), ()):
            for part in ast.walk(steps[number][0]):
                if isinstance(part, ast.Name) and part.id not in theirs:
                    theirs.add(part.id)
                    waiting.append(part.id)
    return frozenset(theirs)


def _theirs(source: Source, node: Function, known: Functions) -> Iterator[str]:
    """Yield the arguments in which a caller can write what it likes."""
    spec = node.args
    arguments = [*known.arguments(node), *spec.kwonlyargs]
    arguments += [arg for arg in (spec.vararg, spec.kwarg) if arg]
    yield from (
        arg.arg
        for arg in arguments
        if not _is_ours(arg) and is_word(source, arg.annotation)
    )


def _made(
    source: Source, steps: list[tuple[ast.expr, ast.expr]]
) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for target, value in steps:
        if isinstance(target, ast.Name) and isinstance(value, ast.Call):
            func = value.func
            method = func.attr if isinstance(func, ast.Attribute) else ""
            found[target.id].add(source.called(func) or method)
    return {name: frozenset(made) for name, made in found.items()}


def _is_ours(arg: ast.arg) -> bool:
    if arg.annotation is None:
        return False
    words = (getattr(n, "id", "") for n in ast.walk(arg.annotation))
    return any(word in _OURS for word in words)


def _words(part: ast.AST, clean: Collection[str]) -> Iterator[ast.Name]:
    """Yield the names that have a say in what comes out."""
    waiting = [part]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            yield node
        waiting += _parts(node, clean)


def _holding(
    nodes: list[ast.AST],
    theirs: frozenset[str],
    plain: Confined,
    clean: Collection[str],
) -> frozenset[ast.AST]:
    """Return the nodes in which one of these names has a say, in one go."""
    found: set[ast.AST] = set()
    for node in reversed(nodes):  # from the innermost outwards
        if isinstance(node, ast.Name):
            if node.id in theirs and not plain.at(node.id, node):
                found.add(node)
        elif any(part in found for part in _parts(node, clean)):
            found.add(node)
    return frozenset(found)


def _parts(node: ast.AST, clean: Collection[str]) -> Iterable[ast.AST]:
    """Return what a node is made of.

    What is looked up in a table of ours (``TABLE[word]``) is ours, and so is
    what is only counted (``"?" for _ in words``, ``len(words)``), and what
    comes of a function that lets no harm through.
    """
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        return [node.elt]
    if isinstance(node, ast.DictComp):
        return [node.key, node.value]
    if isinstance(node, ast.Call) and is_clean(node, clean):
        return []
    table = _looked_up(node)
    return ast.iter_child_nodes(node) if table is None else [table]


def _looked_up(node: ast.AST) -> ast.AST | None:
    """Return the table of ``TABLE[word]`` and ``TABLE.get(word)``."""
    table: ast.AST | None = None
    if isinstance(node, ast.Subscript):
        table = node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        table = node.func.value if node.func.attr == "get" else None
        table = table if len(node.args) == 1 else None
    constant = isinstance(table, ast.Name) and table.id.isupper()
    return table if constant else None
