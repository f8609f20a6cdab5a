"""What Bandit warns of by its look, and what a closer look finds right.

Bandit judges a line; here the whole file is at hand. What is left out is
never a caller's to fill: fixed programs, statements of fixed parts, chance
that guards nothing, and imports of which nothing dangerous is used.
"""

import ast
import re
from collections.abc import Iterator

from .credential_rules import is_constant
from .fixed import beginning, is_fixed
from .source import Source
from .statements import fixed_statements
from .words import holds_no_word

Place = tuple[str, int]  # a finding's id and line
# By Bandit's tests of imports: what can do harm of what is imported.
_HARMFUL = {
    "B403": re.compile(
        r"(?:_?c?[Pp]ickle|dill|shelve)\b.*\.(?:loads?|open|Unpickler"
        r"|\w*Shelf)"
    ),
    "B404": re.compile(
        r"subprocess\.(?:run|Popen|call|check_call|check_output|getoutput"
        r"|getstatusoutput)"
    ),
}
_XML = re.compile(
    r"(?:xml|defused)\w*\..*\.(?:XML|XMLID|XMLParser|XMLPullParser|parse"
    r"|parseString|fromstring|fromstringlist|iterparse|make_parser"
    r"|createParser|create_parser|ParserCreate)"
)
_HARMFUL |= dict.fromkeys(("B405", "B406", "B407", "B408", "B409"), _XML)
_RISKY = re.compile(r"(?:_?c?[Pp]ickle|dill|shelve|subprocess|xml)\b.*")
# Distributions that make no token, and shuffling.
_CHANCE = re.compile(
    r"random\.(?:betavariate|expovariate|gauss|lognormvariate|normalvariate"
    r"|shuffle|triangular|uniform)"
)
_WAITING = re.compile(
    r"(?i)(?:\w+_)?(?:back_?off|delay|interval|jitter|pause|sleep|timeout"
    r"|wait)(?:_\w+)?"
)
_SHELLS = re.compile(
    r"(?:.*/)?(?:ash|bash|cmd|dash|ksh|powershell|pwsh|sh|zsh)"
)
_STARTERS = re.compile(
    r"subprocess\.(?:run|Popen|call|check_call|check_output)"
)
_OPENERS = frozenset({"urllib.request.urlopen", "urllib.request.Request"})


def harmless(source: Source) -> frozenset[Place]:
    """Return where Bandit's findings are none."""
    found = [*_imports(source), *_programs(source), *_addresses(source)]
    found += [*_chance(source)]
    found += [("B608", line) for line in fixed_statements(source)]
    return frozenset((f"MCP-CODE-{test}", line) for test, line in found)


def _imports(source: Source) -> Iterator[Place]:
    """An import does nothing; what is called of it has its own finding.

    Where it is handed on uncalled (``map(pickle.loads, …)``), nothing but
    the import shows.
    """
    if not any(map(_RISKY.fullmatch, source.names.values())):
        return  # and nothing to look for
    called = {id(call.func) for call in source.calls}
    passed = [
        source.called(node)
        for node in source.nodes
        if isinstance(node, ast.Attribute | ast.Name)
        and id(node) not in called
    ]
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom) and any(
            item.name == "*" for item in node.names
        ):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            for test, harmful in _HARMFUL.items():
                if not any(map(harmful.fullmatch, passed)):
                    yield test, node.lineno


def _programs(source: Source) -> Iterator[Place]:
    """A program of our own choosing, with words of our own, and no shell."""
    for call in source.calls:
        if not _STARTERS.fullmatch(source.called(call.func)):
            continue
        given = {k.arg: k.value for k in call.keywords}
        argv = call.args[0] if call.args else given.get("args")
        shell = given.get("shell", ast.Constant(False))
        if argv is None or not is_constant(shell, False):
            continue
        lines = _lists(source, argv)
        if lines and not any(map(_runs_text, lines)):
            yield from (("B603", call.lineno), ("B607", call.lineno))


def _lists(source: Source, argv: ast.expr) -> list[ast.List | ast.Tuple]:
    """Return the fixed lists that it may be; none if it may be another."""
    values = [argv]
    if isinstance(argv, ast.Name):
        values = source.given()[argv.id]
        others = [each.arg for each in source.each(ast.arg)]
        others += [
            getattr(getattr(call.func, "value", None), "id", "")
            for call in source.calls  # argv.append(word)
        ]
        stored = [
            node
            for node in source.each(ast.Name)
            if node.id == argv.id and isinstance(node.ctx, ast.Store)
        ]
        if argv.id in others or len(stored) != len(values):
            values = [*filter(None, [source.constants.get(argv.id)])]
    found = [x for x in values if isinstance(x, ast.List | ast.Tuple)]
    fixed = all(_is_ours(source, word) for each in found for word in each.elts)
    return found if fixed and len(found) == len(values) else []


def _is_ours(source: Source, word: ast.expr) -> bool:
    """Tell a word that is fixed, a number, or the place of a program."""
    if isinstance(word, ast.Name):
        given = source.given()[word.id]
        found = bool(given) and all(_is_found(source, x) for x in given)
        fixed = found or holds_no_word(source, word.id)
    elif isinstance(word, ast.JoinedStr):
        fixed = all(_is_ours(source, part) for part in word.values)
    elif isinstance(word, ast.FormattedValue):
        fixed = _is_ours(source, word.value)
    elif isinstance(word, ast.Call):
        whole = source.called(word.func) == "str" and bool(word.args)
        fixed = whole and _is_ours(source, word.args[0])
    else:
        fixed = False
    return fixed or _is_found(source, word) or is_fixed(source, word)


def _is_found(source: Source, value: ast.expr) -> bool:
    """Tell ``shutil.which("git") or "/usr/bin/git"``."""
    if isinstance(value, ast.BoolOp):
        return all(
            _is_found(source, x) or is_fixed(source, x) for x in value.values
        )
    return (
        isinstance(value, ast.Call)
        and source.called(value.func) == "shutil.which"
        and all(is_fixed(source, x) for x in value.args)
    )


def _runs_text(argv: ast.List | ast.Tuple) -> bool:
    """Tell a shell, which runs its last word."""
    first = argv.elts[0] if argv.elts else None
    name = first.value if isinstance(first, ast.Constant) else ""
    return isinstance(name, str) and _SHELLS.fullmatch(name) is not None


def _addresses(source: Source) -> Iterator[Place]:
    """An address of which scheme and host stand in the file."""
    for call in source.calls:
        if source.called(call.func) in _OPENERS and call.args:
            told = beginning(source, call.args[0])
            if re.match(r"https?://[^/\s]+/", f"{told}/"):
                yield "B310", call.lineno


def _chance(source: Source) -> Iterator[Place]:
    """Jitter, noise and the order of things need no secret chance."""
    if not any(n.startswith("random") for n in source.names.values()):
        return
    waits: set[int] = set()
    for node in source.nodes:
        if _waits(source, node):
            waits |= {id(each) for each in ast.walk(node)}
    right: set[int] = set()
    wrong: set[int] = set()
    for call in source.calls:
        name = source.called(call.func)
        if name.startswith("random."):
            ours = _CHANCE.fullmatch(name) or id(call) in waits
            (right if ours else wrong).add(call.lineno)
    yield from (("B311", line) for line in right - wrong)


def _waits(source: Source, node: ast.AST) -> bool:
    """Tell what makes a delay: a name for one, or a call that waits."""
    if isinstance(node, ast.Call):
        name = source.called(node.func).rpartition(".")[2]
        return _WAITING.fullmatch(name) is not None
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target]
        )
        names = (
            getattr(t, "id", "") or getattr(t, "attr", "") for t in targets
        )
        return any(_WAITING.fullmatch(name) for name in names)
    return isinstance(node, ast.keyword) and bool(
        node.arg and _WAITING.fullmatch(node.arg)
    )
