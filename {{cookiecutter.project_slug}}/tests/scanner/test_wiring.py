import pytest

from scanner.checks import code
from scanner.model import Options

CONTROLS = (
    "from fastmcp.server.middleware import Middleware\n"
    "class Base(Middleware):\n    pass\n"
    "class Audit(Base):\n    pass\n"
    "class Limit(Base):\n    pass\n"
)
MADE = "from fastmcp import FastMCP\nfrom .controls import Audit, Limit\n"
WIRED = (
    f"{MADE}def controls(settings, limit):\n"
    "    return [Audit(settings), limit]\n"
    "def build(settings, auth):\n    limit = Limit(settings)\n"
    "    return FastMCP('a', auth=auth, middleware=controls(1, limit))\n"
)
LAYERS = (
    "class Outer:\n    async def __call__(self, scope, receive, send):\n"
    "        pass\n"
    "class Inner:\n    async def __call__(self, scope, receive, send):\n"
    "        pass\n"
    "def front(app):\n    return Outer()\n"
)


@pytest.fixture
def found(make_project, without_bandit):
    """What is found in a package with these files, as ids and messages."""

    def check(**texts):
        files = {f"small_server/{n}.py": text for n, text in texts.items()}
        files["tests/test_a.py"] = f"{MADE}m = FastMCP('a')\n"
        result = code.check(make_project(**files), Options())
        return [
            (f.id.removeprefix("MCP-CODE-"), f.message)
            for f in result.findings
        ]

    return check


def test_controls_in_the_list_are_no_finding(found):
    assert found(controls=CONTROLS, server=WIRED) == []


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("Audit(settings), limit", "limit", "Audit"),
        ("Audit(settings), limit", "Audit(settings)", "Limit"),
        ("controls(1, limit)", "[Audit(1)]", "Limit"),
    ],
    ids=["not made", "made and left out", "a list of its own"],
)
def test_a_control_that_no_call_passes_is_a_finding(found, old, new, name):
    server = WIRED.replace(old, new)
    assert found(controls=CONTROLS, server=server) == [
        ("031", f"no call passes {name}")
    ]


def test_a_control_that_is_added_later_is_no_finding(found):
    later = f"{WIRED.replace('Audit(settings), ', '')}server = build(1)\n"
    later += "server.add_middleware(Audit(1))\n"
    assert found(controls=CONTROLS, server=later) == []


def test_a_list_that_cannot_be_read_whole_is_given_the_doubt(found):
    starred = WIRED.replace("limit]", "*more, limit]")
    unread = starred.replace("Audit(settings), ", "").replace(
        "def build", "more = [Audit(1)]\ndef build"
    )
    assert found(controls=CONTROLS, server=unread) == []


def test_a_layer_of_the_transport_that_is_never_put_up_is_a_finding(found):
    assert found(layers=LAYERS) == [("031", "no call passes Inner")]
    assert found(layers=LAYERS.replace("Outer()", "Outer(Inner)")) == []


GUARD = (
    "def problems(a):\n    yield from _open(a)\n"
    "def _open(a):\n    if a:\n        yield 'open'\n"
    "def _told(a):\n    return a\n"
)


def test_a_check_that_nothing_calls_is_a_finding(found):
    assert found(rules=GUARD) == []
    uncalled = GUARD.replace("yield from _open(a)", "pass")
    assert found(rules=uncalled) == [("031", "nothing calls _open")]


SETTINGS = "class Settings:\n    rate: int\n    host: str\n    port: int\n"
READ = "def f(s):\n    return g(s.rate, s.port, getattr(s, 'host'))\n"


def test_a_setting_that_nothing_reads_is_a_finding(found):
    assert found(settings=SETTINGS, server=READ) == []
    assert found(settings=SETTINGS, server=READ.replace("s.rate", "9")) == [
        ("034", "nothing reads rate")
    ]


def test_what_the_tools_offer_is_a_tool_whoever_adds_it(make_project):
    text = "def read(path: str) -> str:\n    return open(path).read()\n"
    folders = ("tools", "inner")
    files = {f"small_server/{folder}/a.py": text for folder in folders}
    result = code.check(make_project(**files), Options())
    assert [finding.path for finding in result.findings] == [
        "small_server/tools/a.py"
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "nobody has to say who they are"),
        ("auth=None, middleware=[x]", "nobody has to say who they are"),
        ("auth=x", "no control sees its calls"),
        ("auth=x, middleware=[]", "no control sees its calls"),
        ("auth=x, middleware=x", None),
        ("**x", None),
    ],
)
@pytest.mark.parametrize("name", ["FastMCP", "Catalog"])
def test_a_server_without_the_controls_is_a_finding(
    found, given, message, name
):
    text = (
        "from fastmcp import FastMCP\nclass Catalog(FastMCP[int]):\n    pass\n"
        f"def f(x):\n    return {name}('a', lifespan=x, {given})\n"
    )
    wanted = [("032", f"{name}: {message}")] if message else []
    assert found(server=text) == wanted


def test_a_server_that_is_mounted_in_another_has_its_controls(found):
    text = (
        "from fastmcp import FastMCP\ninner = FastMCP('b')\n"
        "def f(server):\n    server.mount(inner)\n"
    )
    assert found(server=text) == []
    assert len(found(server=text.replace("mount(", "keep("))) == 1


def test_a_comment_with_a_reason_lets_a_server_be(found):
    made = "from fastmcp import FastMCP\nm = FastMCP('b')"
    assert found(server=f"{made}  # MCP-CODE-032: reads files alone\n") == []
    assert len(found(server=f"{made}  # MCP-CODE-032\n")) == 1
