"""Attacks on servers with one fault each, and on the one without."""

import ast
import sys
import tempfile
from concurrent.futures import Future
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from scanner import live, processes
from scanner.checks import probes
from scanner.live import Ended, Silent
from scanner.model import Options, State
from scanner.probes import arguments, controls, network
from scanner.probes.access import with_tokens
from scanner.probes.clients import strangers_words
from scanner.probes.controls import with_planted_tools
from scanner.probes.lab import lab
from scanner.probes.network import (
    idle,
    limits,
    metrics,
    oversized,
    stopping,
    strangers,
)
from scanner.probes.schemas import beginning, misfits, sample
from scanner.probes.signing import Key, unsigned
from scanner.probes.sse import over_sse
from scanner.probes.target import Probe
from scanner.project import Project
from scanner.surface.components import Component, Declared
from tests.scanner.broken import (
    FOUND,
    HEALTH,
    PACKAGE,
    ROOT,
    TOOLS,
    Edit,
    attacked,
    by_tool,
    copy,
    over_http,
)

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="probing needs links and signals"
)

MARK = "from . import tool\n\n\n@tool(read_only=True)\n"
GRACE = 4.0


@pytest.fixture(scope="module")
def users_tools(tmp_path_factory: pytest.TempPathFactory) -> arguments.Attack:
    """What attacking a server with many bad tools came to."""
    project = copy(tmp_path_factory.mktemp("tools"), tools=TOOLS)
    return attacked(project, *FOUND, "goes_out")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is silent for long is known to be so earlier."""
    monkeypatch.setattr(arguments, "PATIENCE", GRACE)
    monkeypatch.setattr(live, "STOP", 0.5)


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.timeout(240)
def test_users_tool_is_found_by_the_probe_meant_for_it(
    users_tools: arguments.Attack, name: str
) -> None:
    assert by_tool(users_tools).get(name, set()) == FOUND[name]


@pytest.mark.timeout(240)
def test_finding_names_the_place_of_the_tool(
    users_tools: arguments.Attack,
) -> None:
    (finding,) = (
        f
        for f in users_tools.findings
        if "any_path" in f.message and f.id == "MCP-PRB-001"
    )
    assert finding.path == f"{PACKAGE}/tools/planted.py"
    assert finding.line


@pytest.mark.timeout(240)
def test_tool_that_reaches_out_is_left_out_and_named(
    users_tools: arguments.Attack,
) -> None:
    assert users_tools.left == {"goes_out": arguments.OUTSIDE}


#: Does away with what it does not know, as a lax server would.
DROPPED = (
    "getattr(context.message, 'arguments', {}).pop('probe_invented', 0)\n"
    "        call = self._call(context)"
)
PIPED: list[tuple[str, str, list[Edit], str]] = [
    (
        "no line in the log",
        "MCP-PRB-020",
        [
            (
                "controls/audit.py",
                "    self._completed(result,",
                "    (lambda *_: 0)(",
            )
        ],
        "",
    ),
    (
        "two lines in the log",
        "MCP-PRB-020",
        [
            (
                "controls/audit.py",
                "            return result\n",
                "            self._completed(result, 1)\n"
                "            return result\n",
            )
        ],
        "",
    ),
    (
        "no masking",
        "MCP-PRB-005",
        [("server.py", "        Masking(),\n", "")],
        "",
    ),
    (
        "no limit of output",
        "MCP-PRB-025",
        [("controls/guard.py", "if size > self._size:", "if False:")],
        MARK + "def t(text: str) -> str:\n    return 'x' * 400_000\n",
    ),
    (
        "no time limit",
        "MCP-PRB-008",
        [("controls/guard.py", "timeout(seconds)", "timeout(None)")],
        "import asyncio\n" + MARK + "async def t(text: str) -> None:\n"
        "    await asyncio.sleep(60)\n",
    ),
    (
        "blocked loop",
        "MCP-PRB-008",
        [],
        "import time\n" + MARK + "async def t(text: str) -> None:\n"
        "    time.sleep(60)\n",
    ),
    (
        "ends itself",
        "MCP-PRB-009",
        [],
        "import os\n" + MARK + "def t(text: str) -> None:\n"
        "    if ';' in text:\n        os._exit(3)\n",
    ),
    (
        "prints",
        "MCP-PRB-024",
        [("serving/stdio.py", "os.dup2(2, 1)", "pass")],
        MARK + "def t(text: str) -> None:\n    print('hello', flush=True)\n",
    ),
    (
        "takes more than it names",
        "MCP-PRB-007",
        [
            (
                "server.py",
                "strict_input_validation=True",
                "strict_input_validation=False",
            ),
            (
                "controls/audit.py",
                "call = self._call(context)",
                DROPPED,
            ),
        ],
        "",
    ),
]


@pytest.mark.parametrize(
    ("probe", "edits", "tools"),
    [case[1:] for case in PIPED],
    ids=[case[0] for case in PIPED],
)
@pytest.mark.usefixtures("hurried")
def test_fault_is_found_over_pipes(
    tmp_path: Path, probe: str, edits: list[Edit], tools: str
) -> None:
    name = "t" if tools else "echo"
    attack = attacked(copy(tmp_path, *edits, tools=tools), name)
    assert by_tool(attack) == {name: {probe}}


@pytest.mark.usefixtures("hurried")
def test_what_comes_after_a_tool_that_kills_is_attacked_too(
    tmp_path: Path,
) -> None:
    tools = (
        "import os\n" + MARK + "def a(text: str) -> None:\n    os._exit(3)\n"
    )
    tools += "\n\n@tool\ndef b(text: str) -> str:\n"
    tools += "    return os.environ.get(text)\n"
    attack = attacked(copy(tmp_path, tools=tools), "a", "b")
    assert by_tool(attack) == {"a": {"MCP-PRB-009"}, "b": {"MCP-PRB-003"}}
    assert set(attack.left) == {"a"}


BELIEVED = (
    "identity.py",
    '    return Client(peer_id(scope), "address")\n',
    "    named = dict(scope['headers']).get(b'{}')\n"
    "    peer = [named.decode()] if named else scope['client']\n"
    "    return Client(peer[0], 'address')\n",
)
HTTP: list[tuple[str, str, Probe, list[Edit]]] = [
    (
        "no check of the host",
        "MCP-PRB-013",
        strangers,
        [
            (
                "serving/guard.py",
                "if len(hosts) != 1 or not",
                "if False and not",
            )
        ],
    ),
    (
        "host by its beginning",
        "MCP-PRB-013",
        strangers,
        [
            (
                "serving/guard.py",
                "return name in self._hosts or",
                "return name[:9] == 'localhost' or name in self._hosts or",
            )
        ],
    ),
    (
        "no check of the origin",
        "MCP-PRB-014",
        strangers,
        [("serving/guard.py", "if any(not", "if False and any(not")],
    ),
    (
        "origin null",
        "MCP-PRB-014",
        strangers,
        [
            (
                "serving/guard.py",
                "if not asked:",
                "if origin == 'null':\n            return True\n"
                "        if not asked:",
            )
        ],
    ),
    (
        "metrics on the protocol's port",
        "MCP-PRB-016",
        metrics,
        [
            (
                "server.py",
                "    server.prompt(code_review)\n",
                "    server.prompt(code_review)\n"
                "    from starlette.responses import PlainTextResponse\n\n"
                "    @server.custom_route('/metrics', methods=['GET'])\n"
                "    async def shown(request: Any) -> Any:\n"
                "        return PlainTextResponse('x 1')\n",
            )
        ],
    ),
    (
        "no limit of bodies",
        "MCP-PRB-021",
        oversized,
        [
            (
                "serving/http.py",
                "limit=settings.max_request_size,",
                "limit=2**22,",
            ),
            (
                "serving/http.py",
                "max_body_size = settings.max_request_size",
                "max_body_size = 2**30",
            ),
        ],
    ),
    (
        "declared bodies limited alone",
        "MCP-PRB-021",
        oversized,
        [
            ("serving/body.py", "if len(body) > self._limit:", "if False:"),
            (
                "serving/http.py",
                "max_body_size = settings.max_request_size",
                "max_body_size = 2**30",
            ),
        ],
    ),
    (
        "no limit of calls",
        "MCP-PRB-010",
        limits,
        [
            (
                "controls/rate_limit.py",
                "    await self._hit(limit, call)",
                "    pass",
            )
        ],
    ),
    (
        "calls counted twice",
        "MCP-PRB-012",
        limits,
        [
            (
                "controls/rate_limit.py",
                "    await self._hit(limit, call)",
                "    await self._hit(limit, call)\n"
                "            await self._hit(limit, call)",
            )
        ],
    ),
    (
        "one count for everybody",
        "MCP-PRB-012",
        limits,
        [("identity.py", "Client(peer_id(scope),", "Client('all',")],
    ),
    *(
        (
            f"{header} believed",
            "MCP-PRB-011",
            limits,
            [(BELIEVED[0], BELIEVED[1], BELIEVED[2].format(header))],
        )
        for header in (
            "authorization",
            "cookie",
            "mcp-session-id",
            "user-agent",
            "x-client-id",
            "x-forwarded-for",
            "x-real-ip",
        )
    ),
    (
        "no room for others",
        "MCP-PRB-017",
        idle,
        [
            (
                "serving/http.py",
                "CONNECTIONS: Final = 1_000",
                "CONNECTIONS: Final = 50",
            ),
            (
                "serving/protocol.py",
                "for oldest in self.waiting:",
                "for oldest in ():",
            ),
        ],
    ),
    (
        "SIGTERM ignored",
        "MCP-PRB-018",
        stopping,
        [
            (
                "serving/http.py",
                "with on_signal(self.stop, grace=self._grace):",
                "import signal\n"
                "        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                "        if True:",
            )
        ],
    ),
    (
        "calls dropped at SIGTERM",
        "MCP-PRB-018",
        stopping,
        [
            (
                "serving/http.py",
                "        self._gate.close()\n",
                "        import os\n        os._exit(0)\n",
            )
        ],
    ),
]


@pytest.mark.parametrize(
    ("probe", "attack", "edits"),
    [case[1:] for case in HTTP],
    ids=[case[0] for case in HTTP],
)
def test_fault_is_found_over_http(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    probe: str,
    attack: Probe,
    edits: list[Edit],
) -> None:
    monkeypatch.setattr(live, "STOP", 0.5)
    monkeypatch.setattr(network, "PATIENCE", 2.0)
    assert over_http(copy(tmp_path, *edits), attack) == {probe}


REMEMBERS = """
from . import tool

SAID: list[str] = []


@tool(read_only=True)
def said() -> str:
    return ", ".join(SAID)


@tool
def say(text: str) -> str:
    SAID.append(text)
    return "done"


@tool(read_only=True)
def repeats(text: str) -> str:
    before, ASKED[:] = list(ASKED), [text]
    return f"You asked before: {before}"


ASKED: list[str] = []


@tool(read_only=True)
def is_honest(text: str) -> str:
    return text.upper()
"""
TEXT = {"inputSchema": {"properties": {"text": {"type": "string"}}}}


@pytest.mark.parametrize(
    ("names", "probes_found"),
    [
        (["said", "say"], {"MCP-PRB-030"}),
        (["repeats"], {"MCP-PRB-030"}),
        (["is_honest"], set()),
    ],
    ids=["told to another tool", "kept from the last call", "honest"],
)
def test_words_of_another_client_are_found(
    tmp_path: Path, names: list[str], probes_found: set[str]
) -> None:
    there = [Component("tool", n, {} if n == "said" else TEXT) for n in names]
    project = copy(tmp_path, tools=REMEMBERS)
    assert over_http(project, strangers_words, there=there) == probes_found


def test_shared_workspace_tells_no_other_clients_words() -> None:
    found = over_http(Project(ROOT), strangers_words, there=[WRITER, LISTER])
    assert found == set()


FILE = {"path": {"type": "string"}, "content": {"type": "string"}}
WRITER = Component("tool", "write_file", {"inputSchema": {"properties": FILE}})
LISTER = Component("tool", "list_files", {})
CONTROLS: list[tuple[str, str, list[Edit]]] = [
    (
        "no time limit",
        "MCP-PRB-008",
        [("controls/guard.py", "timeout(seconds)", "timeout(None)")],
    ),
    (
        "plain functions on the loop",
        "MCP-PRB-008",
        [
            (
                "registration.py",
                "return await anyio.to_thread.run_sync("
                "call, abandon_on_cancel=True)",
                "return call()",
            )
        ],
    ),
    (
        "masking that tells",
        "MCP-PRB-005",
        [
            (
                "server.py",
                "mask_error_details=True",
                "mask_error_details=False",
            )
        ],
    ),
    (
        "no limit of output",
        "MCP-PRB-025",
        [("controls/guard.py", "if size > self._size:", "if False:")],
    ),
    (
        "no limit of calls at once",
        "MCP-PRB-031",
        [
            (
                "controls/guard.py",
                "if self._running >= self._most and",
                "if False and",
            )
        ],
    ),
    (
        "calls that cannot be cancelled",
        "MCP-PRB-032",
        [
            (
                "controls/guard.py",
                "return await call_next(context)",
                "return await asyncio.shield(call_next(context))",
            )
        ],
    ),
    (
        "nobody is asked",
        "MCP-PRB-033",
        [
            (
                "controls/approval.py",
                "        if danger is None:",
                "        if True:",
            )
        ],
    ),
    (
        "a no is taken for a yes",
        "MCP-PRB-033",
        [
            (
                "controls/approval.py",
                'if getattr(answer, "action", "") == "accept" and',
                "if True or",
            )
        ],
    ),
]


@pytest.mark.parametrize(
    ("probe", "edits"),
    [case[1:] for case in CONTROLS],
    ids=[case[0] for case in CONTROLS],
)
def test_control_that_fails_is_found_whatever_tools_there_are(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    probe: str,
    edits: list[Edit],
) -> None:
    monkeypatch.setattr(controls, "PATIENCE", GRACE)
    monkeypatch.setattr(live, "STOP", 0.5)
    with lab() as traps:
        found = with_planted_tools(copy(tmp_path, *edits), traps)
    assert {f.id for f in found} == {probe}


SSE: list[tuple[str, list[Edit]]] = [
    ("MCP-PRB-013", [HTTP[0][3][0]]),
    ("MCP-PRB-014", [("serving/guard.py", "if any(not", "if 0 and any(not")]),
    (
        "MCP-PRB-015",
        [
            (
                "auth/bearer.py",
                "if hmac.compare_digest(entry.digest, digest)",
                "if True",
            )
        ],
    ),
    (
        "MCP-PRB-021",
        [
            (
                "serving/http.py",
                "limit=settings.max_request_size,",
                "limit=2**22,",
            )
        ],
    ),
]


@pytest.mark.parametrize(
    ("probe", "edits"), SSE, ids=[probe for probe, _ in SSE]
)
def test_fault_is_found_over_sse(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    probe: str,
    edits: list[Edit],
) -> None:
    monkeypatch.setattr(live, "STOP", 0.5)
    with lab() as traps:
        found = over_sse(copy(tmp_path, *edits), traps, "bearer")
    assert {f.id for f in found} == {probe}


@pytest.mark.parametrize("kind", ["bearer", "jwt"])
def test_sound_server_withstands_over_sse(kind: str) -> None:
    with lab() as traps:
        assert over_sse(Project(ROOT), traps, kind) == []


FUNCTION = ast.parse("def list_files(): ...").body[0]
assert isinstance(FUNCTION, ast.FunctionDef)
READER = Component(
    "tool",
    "list_files",
    {"annotations": {}, "inputSchema": {}},
    Declared("", FUNCTION, {"scope": "files:read"}),
)
FILES = Component("template", "workspace://{path*}", {})
JWT = "auth/jwt_verifier.py"
LAYER = "auth/layer.py"
REQUIRED = '"require": ["exp", "iss", "aud"]'
UNSIGNED = REQUIRED + "".join(
    f', "verify_{what}": {what != "signature"}'
    for what in ("signature", "exp", "aud", "iss")
)
HAS_AUDIENCE = (
    "def has_audience(token: str) -> bool:\n"
    "    part = token.split('.')[1]\n"
    "    return b'aud' in base64.urlsafe_b64decode(part + '==')\n\n\n"
)
TOKENS: list[tuple[str, str, str, list[Edit]]] = [
    (
        "tokens not asked for",
        "MCP-PRB-015",
        "bearer",
        [
            (
                "server.py",
                "        auth=build_auth(",
                "        auth=None and build_auth(",
            )
        ],
    ),
    (
        "any token",
        "MCP-PRB-015",
        "bearer",
        [
            (
                "auth/bearer.py",
                "if hmac.compare_digest(entry.digest, digest)",
                "if True",
            )
        ],
    ),
    (
        "a token's beginning",
        "MCP-PRB-015",
        "bearer",
        [
            ("auth/bearer.py", "found is None", "False"),
            (
                "auth/bearer.py",
                "return Holder(found.client, found.scopes)",
                "return Holder('x', ())",
            ),
        ],
    ),
    (
        "no scopes",
        "MCP-PRB-023",
        "bearer",
        [
            (
                "registration.py",
                "if scope and proved else None",
                "if False else None",
            ),
            ("serving/scopes.py", "if held >= self._every or", "if True or"),
        ],
    ),
    (
        "signature",
        "MCP-PRB-015",
        "jwt",
        [
            (
                JWT,
                REQUIRED,
                UNSIGNED,
            ),
            (
                "auth/keys.py",
                "if algorithm not in self._key.algorithms",
                "if False",
            ),
        ],
    ),
    (
        "audience",
        "MCP-PRB-015",
        "jwt",
        [(JWT, REQUIRED, '"verify_aud": False, "require": ["exp", "iss"]')],
    ),
    (
        "missing audience",
        "MCP-PRB-015",
        "jwt",
        [
            (
                JWT,
                "audience=self._audience,",
                "audience=self._audience if has_audience(token) else None,",
            ),
            (JWT, REQUIRED, '"require": ["exp", "iss"]'),
            (JWT, "class Keys(", HAS_AUDIENCE + "class Keys("),
        ],
    ),
    (
        "issuer",
        "MCP-PRB-015",
        "jwt",
        [(JWT, "issuer=self._issuer,\n                leeway", "leeway")],
    ),
    (
        "expiry",
        "MCP-PRB-015",
        "jwt",
        [(JWT, REQUIRED, f'"verify_exp": False, {REQUIRED}')],
    ),
    (
        "token in the address",
        "MCP-PRB-015",
        "bearer",
        [
            (
                LAYER,
                "token = _token(scope)",
                "query = scope['query_string'].rpartition(b'=')[2]\n"
                "        shown = b'authorization', b'Bearer ' + query\n"
                "        more = [shown] if query else []\n"
                "        headers = [*scope['headers'], *more]\n"
                "        scope = {**scope, 'headers': headers}\n"
                "        token = _token(scope)",
            ),
        ],
    ),
    (
        "session for a proof",
        "MCP-PRB-015",
        "bearer",
        [
            (
                LAYER,
                "user = self._recall(digest) or await",
                "user = next((x.user for x in self._known.values()), None)"
                " if b'mcp-session-id' in dict(scope['headers']) else None\n"
                "        user = user or self._recall(digest) or await",
            ),
        ],
    ),
    (
        "not yet",
        "MCP-PRB-015",
        "jwt",
        [(JWT, REQUIRED, f'"verify_nbf": False, {REQUIRED}')],
    ),
    (
        "expiry may be missing",
        "MCP-PRB-015",
        "jwt",
        [
            (JWT, REQUIRED, '"require": ["iss", "aud"]'),
            (JWT, 'int(claims["exp"])', 'int(claims.get("exp", 2**40))'),
        ],
    ),
]


@pytest.mark.parametrize(
    ("probe", "kind", "edits"),
    [case[1:] for case in TOKENS],
    ids=[case[0] for case in TOKENS],
)
def test_fault_is_found_with_tokens(
    tmp_path: Path, probe: str, kind: str, edits: list[Edit]
) -> None:
    assert with_token_probes(copy(tmp_path, *edits), kind) == {probe}


@pytest.mark.parametrize("kind", ["bearer", "jwt"])
def test_sound_proof_of_identity_withstands(kind: str) -> None:
    assert with_token_probes(Project(ROOT), kind) == set()


def with_token_probes(project: Project, kind: str) -> set[str]:
    listed: Future[list[Component]] = Future()
    listed.set_result([HEALTH, READER, FILES])
    with lab() as traps:
        return {f.id for f in with_tokens(project, traps, kind, listed)}


@pytest.mark.parametrize(
    ("tools", "patience", "error", "said"),
    [
        ("raise RuntimeError('planted')\n", 30.0, Ended, "planted"),
        ("import time\n\ntime.sleep(60)\n", 3.0, Silent, "not answer"),
    ],
    ids=["does not start", "hangs"],
)
def test_server_without_a_start_is_no_pass(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tools: str,
    patience: float,
    error: type[Exception],
    said: str,
) -> None:
    monkeypatch.setattr(live, "START", patience)
    monkeypatch.setattr("scanner.live_http.START", patience)
    monkeypatch.setattr(live, "STOP", 0.5)
    with pytest.raises(error, match=said):
        probes.check(copy(tmp_path, tools=tools), Options(offline=True))


@pytest.mark.timeout(120)
def test_this_project_withstands_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = copy(tmp_path)
    before = tree(tmp_path / "project")
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    result = probes.check(project, Options(offline=True))
    assert result.findings == ()
    assert (result.state, result.reason) == (State.PASSED, "")
    assert result.complete
    assert tree(tmp_path / "project") == before
    processes.forget(project)
    assert list(place.iterdir()) == []
    assert not processes_that_name(str(tmp_path))


def tree(root: Path) -> dict[str, int]:
    return {str(p): p.lstat().st_mtime_ns for p in root.rglob("*")}


def processes_that_name(text: str) -> list[str]:
    """Find processes by their environment, where that can be read."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "environ").read_bytes()
        except OSError:
            continue
        if text.encode() in told:
            found.append(entry.name)
    return found


def test_probing_can_be_left_out() -> None:
    result = probes.check(Project(ROOT), Options(probe=False))
    assert (result.state, result.reason) == (
        State.NOT_RUN,
        "left out by --no-probe",
    )


def test_tokens_are_as_an_issuer_makes_them() -> None:
    key, claims = Key.new(), {"aud": "me", "sub": "x"}
    read = jwt.decode(key.token(claims), key.pem, ["RS256"], audience="me")
    assert read == claims
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(Key.new().token(claims), key.pem, ["RS256"], audience="me")
    public = serialization.load_pem_public_key(key.pem.encode())
    written = public.public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo,
    )
    assert key.pem.encode() == written
    assert jwt.get_unverified_header(unsigned(claims))["alg"] == "none"
    assert jwt.get_unverified_header(key.confused(claims))["alg"] == "HS256"


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "x"),
        ({"type": "string", "default": "."}, "."),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1}, ["x"]),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, False),
        ({"type": "string", "format": "date"}, "2025-01-31"),
        ({"type": "string", "pattern": "^[A-Z]{3}$"}, "ABC"),
        ({"type": "string", "pattern": r"^a\.b/"}, "a.b/x"),
        ({"type": "string", "minLength": 3}, "xxx"),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {}},
                "required": ["a"],
            },
            {"a": "x"},
        ),
    ],
    ids=[
        "string",
        "default",
        "enum",
        "integer",
        "array",
        "any of",
        "date",
        "pattern",
        "beginning",
        "length",
        "above",
        "model",
    ],
)
def test_sample_fits_its_schema(
    schema: dict[str, object], value: object
) -> None:
    assert sample(schema) == value


def test_witness_sees_a_server_that_is_started_afresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(processes, "_forkserver", none)
    project = copy(tmp_path, tools=TOOLS)
    attack = attacked(project, "in_a_subfolder", "is_clean")
    assert by_tool(attack) == {"in_a_subfolder": {"MCP-PRB-001"}}


@pytest.mark.parametrize(
    ("pattern", "begins"),
    [
        ("^notes/", "notes/"),
        (r"^a\.b-[0-9]+$", "a.b-"),
        ("^[a-z]+$", ""),
        ("notes", ""),
        ("^(a|b)", ""),
    ],
)
def test_beginning_is_what_a_pattern_asks_for(
    pattern: str, begins: str
) -> None:
    assert beginning({"pattern": pattern}) == begins


def test_misfits_leave_out_what_would_fit() -> None:
    free = dict(misfits({"a": {}}, {"a": 1}, []))
    assert set(free) == {"an invented argument"}
    text = dict(misfits({"a": {"type": "string"}}, {"a": "x"}, ["a"]))
    assert set(text) == {
        "an invented argument",
        "a missing argument",
        "an object as a",
        "a deep list as a",
    }
