"""What a model can call, where its words go, and what has been asked."""

import ast

import pytest

from scanner.checks import code
from scanner.checks.source import Source, parse
from scanner.checks.taint import given, tools
from scanner.model import Options

OPENS = "    return open(name).read()\n"
FUNCTION = f"def f(name: str):\n{OPENS}"
# Each way to make a tool of a function, and what has to stand before it.
ADDED = {
    "renamed": ("from fastmcp.tools import tool as t\n", f"@t\n{FUNCTION}"),
    "renamed_here": ("from . import tool as t\n", f"@t()\n{FUNCTION}"),
    "bound": ("register = mcp.tool\n", f"@register\n{FUNCTION}"),
    "bound_call": ("reader = mcp.tool(tags={'a'})\n", f"@reader\n{FUNCTION}"),
    "bound_partial": (
        "import functools\nt = functools.partial(tool, scope='x')\n",
        f"@t()\n{FUNCTION}",
    ),
    "added": ("", f"{FUNCTION}mcp.add_tool(f)\n"),
    "added_as": ("", f"{FUNCTION}mcp.tool('g')(f)\n"),
    "called": ("", f"{FUNCTION}mcp.tool(f, name='g')\n"),
    "made": ("", f"{FUNCTION}mcp.add_tool(Tool.from_function(f))\n"),
    "made_by_name": ("", f"{FUNCTION}t = FunctionTool.from_function(fn=f)\n"),
    "resource": ("", f"{FUNCTION}mcp.add_resource_fn(f, 'x://{{name}}')\n"),
    "each": ("", f"{FUNCTION}for one in (f, len):\n    mcp.tool(one)\n"),
    "wrapped": ("", f"{FUNCTION}mcp.add_tool(audited(f))\n"),
    "partial": (
        "import functools\n",
        f"{FUNCTION}mcp.tool(functools.partial(f, 'x'))\n",
    ),
    "lambda": ("", "mcp.add_tool(lambda name: open(name).read())\n"),
    "method": (
        "",
        "class A:\n    def f(self, name: str):\n    " + OPENS + "\n"
        "mcp.add_tool(A().f)\n",
    ),
    "class": (
        "from fastmcp.tools import Tool\n",
        "class A(Tool):\n    async def run(self, name: dict):\n    " + OPENS,
    ),
    "low_level": ("", f"@server.call_tool()\nasync {FUNCTION}"),
}
# What is no tool, or is no word of a caller's.
OTHERS = {
    "untold": FUNCTION,
    "method": f"class A:\n    def f(self, name):\n    {OPENS}",
    "object": "@tool\ndef f(a: int):\n    return g(a, '/x')\n"
    "def g(a, name):\n    return open(name)\n",
    "self": "class A:\n    @tool\n    def f(self, a: int):\n"
    "        return open(self.path)\n",
    "named": "@tool\ndef f(a: int):\n    return g(name='/x', b=a)\n"
    "def g(name, b):\n    return open(name)\n",
}
# Ways that a word takes on from the function that a model calls.
HANDED = {
    "method_of_the_name": f"@tool\n{FUNCTION}class A:\n    def f(self):\n"
    "        return 1\n",
    "function_inside": f"@tool\n{FUNCTION}def g():\n    def f():\n"
    "        return 1\n",
    "own_method": "class A:\n    @tool\n    def g(self, x):\n"
    "        return self.f(x)\n    def f(self, name):\n    " + OPENS,
    "thread": "@tool\nasync def g(x):\n"
    f"    return await asyncio.to_thread(f, x)\n{FUNCTION}",
    "all": f"@tool\ndef g(*x, **y):\n    return f(*x)\n{FUNCTION}",
    "all_by_name": f"@tool\ndef g(**y):\n    return f(**y)\n{FUNCTION}",
    "the_second": "@tool\ndef g(x):\n    f(1, x)\n    f(x, 1)\n"
    "def f(name, other):\n" + OPENS,
}
RESOLVED = (
    "import os\nfrom pathlib import Path\nROOT = Path('/srv')\n@tool\n"
    "def f(name: str, strict: bool, log):\n"
    "    path = (ROOT / name).resolve()\n"
)
READ = "    return path.read_text()\n"
INSIDE = "path.is_relative_to(ROOT)"
# Where the answer decides, and where it does not.
CONFINED = {
    "refused": f"    if not {INSIDE}:\n        raise ValueError\n{READ}",
    "left": f"    if not {INSIDE}:\n        return ''\n{READ}",
    "inside": f"    if {INSIDE}:\n    {READ}    return ''\n",
    "else": f"    if {INSIDE}:\n        pass\n    else:\n"
    "        raise OSError\n" + READ,
    "named": f"    inside = {INSIDE}\n    if not inside:\n"
    f"        raise OSError\n{READ}",
    "asked_in_place": f"    if not (inside := {INSIDE}):\n"
    f"        raise OSError(inside)\n{READ}",
    "either": f"    if strict or not {INSIDE}:\n        raise OSError\n{READ}",
    "any_root": "    if not any(path.is_relative_to(r) for r in [ROOT]):\n"
    f"        raise OSError\n{READ}",
    "in_one_line": f"    return path.read_text() if {INSIDE} else ''\n",
    "and": f"    return {INSIDE} and path.read_text()\n",
    "asserted": f"    assert {INSIDE}  # nosec B101 # an example\n{READ}",
    "raised": f"    path.relative_to(ROOT)\n{READ}",
    "raised_on": "    try:\n        path.relative_to(ROOT)\n"
    f"    except ValueError:\n        raise OSError from None\n{READ}",
    "parents": "    if ROOT not in path.parents:\n"
    f"        raise OSError\n{READ}",
    "common": "    if os.path.commonpath([ROOT, path]) != str(ROOT):\n"
    f"        raise OSError\n{READ}",
    "comprehension": "    paths = [path.resolve() for path in [path]]\n"
    f"    return [path.read_text() for path in paths if {INSIDE}]\n",
}
LOOSE = {
    "ignored": f"    {INSIDE}\n{READ}",
    "only_logged": f"    log.info({INSIDE})\n{READ}",
    "only_named": f"    inside = {INSIDE}\n    log.info(inside)\n{READ}",
    "goes_on": f"    if not {INSIDE}:\n        log.info(name)\n{READ}",
    "wrong_way": f"    if {INSIDE}:\n        raise ValueError\n{READ}",
    "only_if_strict": f"    if strict and not {INSIDE}:\n"
    f"        raise ValueError\n{READ}",
    "too_late": f"    path.unlink()\n    if not {INSIDE}:\n"
    "        raise ValueError\n    return ''\n",
    "elsewhere": f"    if strict:\n        if not {INSIDE}:\n"
    f"            raise ValueError\n{READ}",
    "caught": "    try:\n        path.relative_to(ROOT)\n"
    f"    except ValueError:\n        log.info(name)\n{READ}",
    "suppressed": "    with contextlib.suppress(ValueError):\n"
    f"        path.relative_to(ROOT)\n{READ}",
    "not_compared": f"    os.path.commonpath([ROOT, path])\n{READ}",
    "another": "    if not ROOT.is_relative_to(ROOT):\n"
    f"        raise ValueError\n{READ}",
    "of_itself": "    ok = ok and ok and not ok\n    if not ok:\n"
    f"        raise ValueError\n{READ}",
}


def read(text: str) -> Source:
    return parse("small_server/x.py", text.encode())


def opened(text: str) -> list[int]:
    """Return the lines in which a tool opens what its caller names."""
    source = read(text)
    (rule,) = (
        r
        for r in code.rules_for("MCP-CODE-", on="tool")
        if r.id == "MCP-CODE-007"
    )
    return [found.line or 0 for found in rule.findings(source)]


@pytest.mark.parametrize("way", ADDED)
def test_a_function_is_a_tool_however_it_is_added(way):
    before, text = ADDED[way]
    assert opened(before + text), way
    assert ast.parse(before + text)


@pytest.mark.parametrize("name", OTHERS)
def test_what_no_model_calls_or_names_is_let_be(name):
    assert opened(OTHERS[name]) == []


@pytest.mark.parametrize("name", HANDED)
def test_a_word_is_followed_to_where_it_is_used(name):
    assert opened(HANDED[name])


@pytest.mark.parametrize("name", CONFINED)
def test_a_path_is_let_be_where_the_answer_decides(name):
    assert opened(RESOLVED + CONFINED[name]) == []


@pytest.mark.parametrize("name", LOOSE)
def test_a_question_whose_answer_decides_nothing_is_no_check(name):
    assert opened(RESOLVED + LOOSE[name])


def test_a_path_has_to_be_resolved_before_it_is_asked():
    text = RESOLVED.replace(".resolve()", "") + CONFINED["refused"]
    assert opened(text)
    late = text.replace(READ, f"    path = path.resolve()\n{READ}")
    assert opened(late)


def test_a_word_is_followed_through_any_number_of_assignments():
    steps = "".join(f"    x{n} = x{n + 1}\n" for n in reversed(range(3000)))
    straight = read(f"@tool\ndef f(x3000):\n{steps}    open(x0)\n")
    turned = "".join(f"    x{n} = x{n + 1}\n" for n in range(3000))
    reversed_ = read(f"@tool\ndef f(x3000):\n{turned}    open(x0)\n")
    for source in (straight, reversed_):
        (tool,) = tools(source)
        assert given(tool.calls[0].args[0], tool)


# Large enough that what is quadratic in the lines, or in the length of one,
# takes minutes.
IF = "    if a:\n        f()\n"
CHAIN = f"    a{'.open()' * 60}\n"
LARGE = {
    "reversed": "@tool\ndef f(x5000):\n"
    + "".join(f"    x{n} = x{n + 1}\n" for n in range(5000)),
    "one_name": "@tool\ndef f(a):\n"
    + "    f(a)\ndef f(a):\n" * 3000
    + "    f(a)",
    "each_other": "@tool\ndef f(a):\n    g(a)\n" * 1500
    + "def g(a):\n    f(a)\n" * 1500,
    "asked": RESOLVED
    + f"    if not {INSIDE}:\n        raise OSError\n    open(path)\n" * 1500,
    "and": f"@tool\ndef f(a):\n    {'ok and ' * 20_000}ok\n    ok = ok and ok",
    "handed": f"@tool\ndef f(a):\n    f({'f, ' * 20_000}a)\n",
    "tuples": f"@tool\ndef f(a):\n    {'x, ' * 15_000} = {'a, ' * 15_000}\n",
    "deep": f"@tool\ndef f(a):\n    a = {'not ' * 900}a.b()\n{IF}",
    "chains": f"@tool\ndef f(a):\n{CHAIN * 150}",
    "made": "@tool\ndef f(a):\n"
    + "".join(f"    x = a{n}()\n    x.get(a)\n" for n in range(2500)),
}


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("without_bandit")
@pytest.mark.parametrize("name", LARGE)
def test_no_file_takes_more_time_than_its_size(make_project, name):
    project = make_project(**{"small_server/x.py": LARGE[name]})
    result = code.check(project, Options(timeout=100))
    assert result.complete, result.reason


HELPER = "def load(root, name):\n    open(root)\n    return open(name)\n"


@pytest.mark.usefixtures("without_bandit")
@pytest.mark.parametrize(
    ("calling", "lines"),
    [
        ("from ..disk import load\n@tool\ndef f(x):\n    load(R, x)\n", [3]),
        ("from ..disk import load as g\n@tool\ndef f(x):\n    g(R, x)\n", [3]),
        ("from .. import disk\n@tool\ndef f(x):\n    disk.load(x, R)\n", [2]),
        ("from ..disk import load\n@tool\ndef f(x):\n    load(R, 'a')\n", []),
        ("from ..other import load\n@tool\ndef f(x):\n    load(R, x)\n", []),
    ],
)
def test_a_word_is_followed_into_another_file(make_project, calling, lines):
    project = make_project(
        **{
            "small_server/disk.py": HELPER,
            "small_server/tools/extra.py": f"from . import tool\n{calling}",
        }
    )
    found = code.check(project, Options()).findings
    assert [f.line for f in found if f.path == "small_server/disk.py"] == lines


@pytest.mark.usefixtures("without_bandit")
def test_what_another_file_has_asked_is_let_be(make_project):
    project = make_project(
        **{
            "small_server/places.py": "def inside(name):\n"
            "    path = (ROOT / name).resolve()\n"
            "    if not path.is_relative_to(ROOT):\n        raise OSError\n"
            "    return path\ndef below(name):\n    return ROOT / name\n",
            "small_server/tools/extra.py": "from . import tool\n"
            "from ..places import below, inside\n@tool\ndef f(x):\n"
            "    inside(x).read_text()\n    below(x).read_text()\n",
        }
    )
    found = code.check(project, Options()).findings
    assert [(f.id, f.line) for f in found] == [("MCP-CODE-007", 6)]
