"""What the controls rest on: there as it comes, and missed when it is not."""

import ast
import tomllib
from pathlib import Path

import pytest

from scanner.checks import essentials
from scanner.checks.source import parse

ROOT = Path(__file__).parent.parent.parent
PACKAGE = next(ROOT.glob("*/defaults.toml")).parent
TABLE = tomllib.loads(
    Path(essentials.__file__).with_suffix(".toml").read_text("utf-8")
)
FILES = sorted({path for files in TABLE.values() for path in files})
PARTS = [
    (path, name, part)
    for files in TABLE.values()
    for path, functions in files.items()
    for name, parts in functions.items()
    for part in parts
]
# By file: what is written in place of what, and how bad that is.
WEAKER = {
    "a plain comparison": (
        "auth/bearer.py",
        "hmac.compare_digest(entry.digest, digest)",
        "entry.digest == digest",
        "medium",
    ),
    "a guest": (
        "auth/bearer.py",
        'raise InvalidToken("unknown")',
        'return Holder("guest", ())',
        "critical",
    ),
    "no scope": (
        "registration.py",
        "return require_scopes(scope) if scope and proved else None",
        "return None",
        "high",
    ),
    "no limit": (
        "server.py",
        "default=settings.rate_limit,",
        "default=(),",
        "high",
    ),
    "a way around": (
        "controls/rate_limit.py",
        "        call = Call.current.get()\n        for",
        "        call = Call.current.get()\n        if call.tool == 'x':\n"
        "            return await call_next(context)\n        for",
        "high",
    ),
    "a condition that never holds": (
        "commands/__init__.py",
        "if argv[0] not in self._allowed:",
        "if argv[0] not in self._allowed and False:",
        "critical",
    ),
    "a check behind a way out": (
        "private_file.py",
        "    if os.name != ",
        "    return\n    if os.name != ",
        "high",
    ),
    "a token that is guessed": (
        "tokens.py",
        "ENTROPY: Final = 32",
        "ENTROPY: Final = 4",
        "high",
    ),
    "keys in clear": (
        "auth/__init__.py",
        'if uri.scheme != "https" and',
        "if uri.scheme and",
        "high",
    ),
    "a token in the address": (
        "auth/layer.py",
        "    if len(values) != 1:\n        return None",
        "    if len(values) != 1:\n        return scope['path'] or None",
        "critical",
    ),
    "a public key as a secret": (
        "auth/keys.py",
        'frozenset({"RS256", ',
        'frozenset({"HS256", "RS256", ',
        "high",
    ),
    "what failed": (
        "controls/masking.py",
        'return "The server failed to answer this call; its log says why."',
        "return repr(error)",
        "medium",
    ),
    "links are followed": (
        "workspace/files.py",
        'getattr(os, "O_NOFOLLOW", 0)',
        "0",
        "high",
    ),
    "as many tries as one likes": (
        "auth/layer.py",
        "FAILURES: Final = 10\n",
        "FAILURES: Final = 1_000_000\n",
        "medium",
    ),
    "a tool that says it only reads": (
        "tools/run.py",
        "    destructive=True,\n",
        "    read_only=True,\n",
        "high",
    ),
    "a metric of another name": (
        "controls/metrics.py",
        'self._counter("requests", ',
        'self._counter("calls", ',
        "medium",
    ),
    "metrics that nobody can read": (
        "server.py",
        "metrics.listen(settings.metrics_host, port)",
        "log.event('metrics')",
        "medium",
    ),
    "a tool in another's place": (
        "server.py",
        'on_duplicate="error"',
        'on_duplicate="replace"',
        "medium",
    ),
    "a variable that does not exist": (
        "settings.py",
        'extra="forbid"',
        'extra="ignore"',
        "low",
    ),
    "any size": (
        "controls/guard.py",
        "self._check_size(result)",
        "pass",
        "medium",
    ),
}


def _found(path, text):
    source = parse(f"a_server/{path}", text.encode())
    return [
        finding
        for rule in (essentials.weakened, essentials.undecided)
        for finding in rule.findings(source)
    ]


@pytest.mark.parametrize("path", FILES)
def test_as_it_comes_a_control_has_all_that_it_rests_on(path):
    text = (PACKAGE / path).read_text("utf-8")
    assert _found(path, text) == []


@pytest.mark.parametrize("path", FILES)
def test_each_part_is_missed_where_it_is_not(path):
    tree = ast.parse((PACKAGE / path).read_text("utf-8"))
    empty, every = ast.Tuple([]), ast.Tuple(9 * [ast.Tuple([tree])])
    for where, name, part in PARTS:
        if where == path:
            assert essentials._named(tree, name) is not None
            other = every if part[:1] in set("1237") else empty
            bound = essentials._is_bound(essentials._parsed(part)[1])
            assert (
                bound
                or part[:1] == "0"
                or [*essentials._problems(other, [part])]
            )


def test_a_function_that_is_gone_is_a_finding_and_another_file_is_none():
    text = (PACKAGE / "private_file.py").read_text("utf-8")
    gone = text.partition("def _check(")[0]
    (found,) = _found("private_file.py", gone.replace("_check(", "print("))[1:]
    assert "it is gone" in found.message
    tools = (PACKAGE / "tools/files.py").read_text("utf-8")
    fewer = ast.parse(tools)
    fewer.body = [x for x in fewer.body if "write_file" not in ast.dump(x)]
    assert _found("tools/files.py", ast.unparse(fewer)) == []
    assert _found("server.py", "def build():\n    return 1\n") == []


@pytest.mark.parametrize(
    ("path", "old", "new", "severity"), WEAKER.values(), ids=WEAKER
)
def test_a_control_that_was_weakened_is_a_finding(path, old, new, severity):
    text = (PACKAGE / path).read_text("utf-8")
    assert old in text
    found = _found(path, text.replace(old, new, 1))
    assert {f.severity.value for f in found if f.id.endswith("37")} == {
        severity
    }


def test_what_is_added_or_laid_out_otherwise_weakens_nothing():
    text = (PACKAGE / "server.py").read_text("utf-8")
    more = text.replace(
        "\n        rate_limit,\n", "\n        Mine(), rate_limit,\n"
    )
    assert more != text
    assert _found("server.py", ast.unparse(ast.parse(more))) == []


@pytest.mark.parametrize(
    "text",
    [
        "if False:\n    check()\n",
        "x = asked and False\n",
        "def f(a):\n    return a\n    check(a)\n",
        "for a in b:\n    continue\n    check(a)\n",
    ],
)
def test_what_is_decided_or_never_reached_is_a_finding(text):
    assert [f.id for f in _found("a.py", text)] == ["MCP-CODE-038"]


@pytest.mark.parametrize(
    "text",
    [
        "while True:\n    check()\n",
        "x = asked or False\ny = asked or 'name'\n",
        "def f(a):\n    return\n    yield\n",
        "def f(a):\n    if a:\n        return a\n    check(a)\n",
    ],
)
def test_what_is_asked_and_reached_is_none(text):
    assert _found("a.py", text) == []
