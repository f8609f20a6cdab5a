"""Faults that are seen over HTTP, and between one client and another."""

import contextlib
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from scanner import live, live_http
from scanner.live_http import HttpServer
from scanner.probes import network
from scanner.probes.approvals import unapproved
from scanner.probes.clients import strangers_words
from scanner.probes.lab import lab
from scanner.probes.measures import measures
from scanner.probes.network import (
    elsewhere,
    idle,
    kept_from_browsers,
    limits,
    metrics,
    oversized,
    stopping,
    strangers,
)
from scanner.probes.sse import over_sse
from scanner.probes.target import Probe
from scanner.surface.components import Component
from scanner.tools import ToolError
from tests.scanner.broken import (
    Edit,
    broken,
    over_http,
)

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="probing needs links and signals"
)

BELIEVED = (
    "identity.py",
    "    return peer_id(scope)\n",
    "    named = dict(scope['headers']).get(b'{}')\n"
    "    peer = [named.decode()] if named else scope['client']\n"
    "    return str(peer[0])\n",
)
ANY_HOST: Edit = (
    "serving/host_origin.py",
    "if len(hosts) != 1 or not",
    "if False and not",
)
HTTP: list[tuple[str, str, Probe, list[Edit]]] = [
    (
        "calls are not measured",
        "MCP-PRB-051",
        measures,
        [("server.py", "        Measuring(metrics),\n", "")],
    ),
    (
        "made-up names are measured",
        "MCP-PRB-051",
        measures,
        [
            ("controls/audit.py", "if named in self._tools else UNKNOWN", ""),
            (
                "controls/metrics.py",
                ".seconds_of[tool].",
                ".duration.labels(tool).",
            ),
            (
                "controls/metrics.py",
                ".count_of[tool, outcome(ending)].",
                ".requests.labels(tool, outcome(ending)).",
            ),
        ],
    ),
    (
        "listens everywhere",
        "MCP-PRB-054",
        elsewhere,
        [("serving/sockets.py", "= settings.host,", "= '0.0.0.0',")],
    ),
    (
        "metrics for everybody",
        "MCP-PRB-054",
        elsewhere,
        [("server.py", "listen(settings.metrics_host,", 'listen("0.0.0.0",')],
    ),
    (
        "nobody is asked in the newest protocol",
        "MCP-PRB-033",
        unapproved,
        [
            (
                "controls/approval.py",
                "question = await self._modern(within, danger)",
                "question = None",
            )
        ],
    ),
    (
        "host by its end",
        "MCP-PRB-013",
        strangers,
        [
            (
                "serving/host_origin.py",
                "return name in self._hosts or",
                "return name.endswith('localhost') or",
            )
        ],
    ),
    (
        "browsers may guess",
        "MCP-PRB-052",
        kept_from_browsers,
        [("serving/http.py", '("x-content-type-options", "nosniff"),', "")],
    ),
    (
        "no check of the host",
        "MCP-PRB-013",
        strangers,
        [ANY_HOST],
    ),
    (
        "host by its beginning",
        "MCP-PRB-013",
        strangers,
        [
            (
                "serving/host_origin.py",
                "return name in self._hosts or",
                "return name[:9] == 'localhost' or name in self._hosts or",
            )
        ],
    ),
    (
        "host by a proxy's word",
        "MCP-PRB-013",
        strangers,
        [
            (
                "serving/host_origin.py",
                'hosts, origins = _of(scope, b"host"), _of(scope, b"origin")',
                'hosts = _of(scope, b"x-forwarded-host") or ['
                '*_of(scope, b"host")]; origins = _of(scope, b"origin")',
            )
        ],
    ),
    (
        "any type of body",
        "MCP-PRB-014",
        strangers,
        [
            (
                "serving/host_origin.py",
                "            resolve_peer(scope, self._trusted)\n",
                "            resolve_peer(scope, self._trusted)\n"
                "            scope['headers'] = [\n"
                "                (k, b'application/json' if b'-type' in k"
                " else v)\n"
                "                for k, v in scope['headers']\n"
                "            ]\n",
            )
        ],
    ),
    (
        "calls counted by their numbers",
        "MCP-PRB-010",
        limits,
        [
            (
                "controls/rate_limit.py",
                "limit.key_for(call.client_id, call.tool)",
                "limit.key_for(call.client_id, call.tool, call.request_id)",
            )
        ],
    ),
    (
        "no check of the origin",
        "MCP-PRB-014",
        strangers,
        [("serving/host_origin.py", "if any(not", "if False and any(not")],
    ),
    (
        "origin null",
        "MCP-PRB-014",
        strangers,
        [
            (
                "serving/host_origin.py",
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
                "    tools.lend(server, resources)\n",
                "    tools.lend(server, resources)\n"
                "    from starlette.responses import PlainTextResponse\n\n"
                "    @server.custom_route('/metrics', methods=['GET'])\n"
                "    async def shown(request: Any) -> Any:\n"
                "        return PlainTextResponse('x 1')\n",
            )
        ],
    ),
    (
        "health that tells the environment",
        "MCP-PRB-003",
        metrics,
        [
            (
                "serving/health.py",
                '{"status": "alive", **self._told(scope)}',
                '{"status": "alive", **__import__("os").environ}',
            )
        ],
    ),
    (
        "health that tells where it works",
        "MCP-PRB-006",
        metrics,
        [
            (
                "serving/health.py",
                '{"status": "alive", **self._told(scope)}',
                '{"status": __import__("os").getcwd()}',
            )
        ],
    ),
    (
        "claimed names in the log",
        "MCP-PRB-011",
        limits,
        [
            (
                "controls/audit.py",
                '"client_id": call.client_id,',
                '"client_id": claimed() or call.client_id,',
            ),
            (
                "controls/audit.py",
                "def _reasons(",
                "def claimed() -> str | None:\n"
                "    from fastmcp.server.dependencies import"
                " get_http_headers\n\n"
                "    return get_http_headers().get('x-client-id')\n\n\n"
                "def _reasons(",
            ),
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
        ],
    ),
    (
        "declared bodies limited alone",
        "MCP-PRB-021",
        oversized,
        [
            ("serving/body.py", "if len(body) > self._limit:", "if False:"),
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
        "no limit of reading",
        "MCP-PRB-010",
        limits,
        [
            (
                "controls/rate_limit.py",
                "    await self._hit(limit, call)",
                "    if call.tool != 'resources/read':\n"
                "                await self._hit(limit, call)",
            )
        ],
    ),
    (
        "no limit of prompts",
        "MCP-PRB-010",
        limits,
        [
            (
                "controls/rate_limit.py",
                "    await self._hit(limit, call)",
                "    if call.tool != 'prompts/get':\n"
                "                await self._hit(limit, call)",
            )
        ],
    ),
    (
        "no limit of calls in vain",
        "MCP-PRB-010",
        limits,
        [
            (
                "controls/rate_limit.py",
                "        call = Call.current.get()\n",
                "        call = Call.current.get()\n"
                "        if context.message.arguments:\n"
                "            return await call_next(context)\n",
            )
        ],
    ),
    (
        "no limit of unknown tools",
        "MCP-PRB-010",
        limits,
        [
            (
                "controls/rate_limit.py",
                "        call = Call.current.get()\n",
                "        call = Call.current.get()\n"
                "        if call.tool == 'unknown':\n"
                "            return await call_next(context)\n",
            )
        ],
    ),
    (
        "answers for every site",
        "MCP-PRB-039",
        strangers,
        [
            (
                "serving/http.py",
                "HEADERS: Final = (\n",
                "HEADERS: Final = (\n"
                "    ('access-control-allow-origin', '*'),\n",
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
        [("identity.py", "    return peer_id(scope)\n", "    return 'all'\n")],
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
                "serving/sockets.py",
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
        "calls in flight dropped at SIGTERM",
        "MCP-PRB-018",
        stopping,
        [
            (
                "serving/http.py",
                "        await super().shutdown(sockets)\n",
                "",
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
    monkeypatch: pytest.MonkeyPatch,
    probe: str,
    attack: Probe,
    edits: list[Edit],
) -> None:
    monkeypatch.setattr(live, "STOP", 0.5)
    monkeypatch.setattr(network, "PATIENCE", 2.0)
    assert over_http(broken(*edits), attack) == {probe}


REMEMBERS = """
from ..identity import current_client_id
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


KEPT: dict[str, str] = {}


@tool
def keeps(key: str, text: str) -> str:
    KEPT[key] = text
    return "done"


@tool(read_only=True)
def returns(text: str) -> str:
    return KEPT.get(text, "")


@tool
def recalls(key: str, text: str = "") -> str:
    if text:
        KEPT[key] = text
    return KEPT.get(key, "")


GREETED: list[str] = []


@tool(read_only=True)
async def greets(text: str) -> str:
    GREETED.append(current_client_id())
    return f"Hello {GREETED[0]}"


@tool(read_only=True)
def is_honest(text: str) -> str:
    return text.upper()
"""
STRING = {"type": "string"}
TEXT = {"inputSchema": {"properties": {"text": STRING}}}
PAIR = {"inputSchema": {"properties": {"key": STRING, "text": STRING}}}
OPTIONAL = {"key": STRING, "text": {**STRING, "default": ""}}
TAKES = {
    "said": {},
    "keeps": PAIR,
    "recalls": {"inputSchema": {"properties": OPTIONAL}},
}


@pytest.mark.parametrize(
    ("names", "probes_found"),
    [
        (["said", "say"], {"MCP-PRB-030"}),
        (["repeats"], {"MCP-PRB-030"}),
        (["keeps", "returns"], {"MCP-PRB-030"}),
        (["recalls"], {"MCP-PRB-030"}),
        (["greets"], {"MCP-PRB-030"}),
        (["is_honest"], set()),
    ],
    ids=[
        "told to another tool",
        "kept from the last call",
        "kept under a name",
        "kept and recalled",
        "a cached answer",
        "honest",
    ],
)
def test_words_of_another_client_are_found(
    names: list[str], probes_found: set[str]
) -> None:
    there = [Component("tool", n, TAKES.get(n, TEXT)) for n in names]
    project = broken(tools=REMEMBERS)
    assert over_http(project, strangers_words, there=there) == probes_found


def test_shared_workspace_tells_no_other_clients_words() -> None:
    found = over_http(broken(), strangers_words, there=[WRITER, LISTER])
    assert found == set()


class Dripping(BaseHTTPRequestHandler):
    """Answers a letter at a time, as keepalives do."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(b"1\r\nx\r\n")
                time.sleep(0.02)

    def log_message(self, *_: object) -> None: ...


def test_answer_that_never_ends_is_waited_for_in_vain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("scanner.live_http.PATIENCE", 0.2)
    with HTTPServer(("127.0.0.1", 0), Dripping) as server:
        Thread(target=server.handle_request).start()
        asked = object.__new__(HttpServer)
        asked.port = server.server_port
        with pytest.raises(TimeoutError, match="did not end"):
            asked.request()


FILE = {"path": {"type": "string"}, "content": {"type": "string"}}
WRITER = Component("tool", "write_file", {"inputSchema": {"properties": FILE}})
LISTER = Component("tool", "list_files", {})
SSE: list[tuple[str, list[Edit]]] = [
    (
        "MCP-PRB-010",
        [
            (
                "controls/rate_limit.py",
                "        call = Call.current.get()\n",
                "        call = Call.current.get()\n"
                "        if context.fastmcp_context.transport == 'sse':\n"
                "            return await call_next(context)\n",
            )
        ],
    ),
    (
        "MCP-PRB-011",
        [
            (
                "identity.py",
                "token_id(token.client_id, token.subject)\n",
                "str(scope['query_string'])\n",
            )
        ],
    ),
    ("MCP-PRB-013", [ANY_HOST]),
    (
        "MCP-PRB-014",
        [("serving/host_origin.py", "if any(not", "if 0 and any(not")],
    ),
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
    monkeypatch: pytest.MonkeyPatch,
    probe: str,
    edits: list[Edit],
) -> None:
    monkeypatch.setattr(live, "STOP", 0.5)
    with lab() as traps:
        found = over_sse(broken(*edits), traps, "bearer")
    assert {f.id for f in found} == {probe}


@pytest.mark.parametrize("kind", ["bearer", "jwt"])
def test_sound_server_withstands_over_sse(kind: str) -> None:
    with lab() as traps:
        assert over_sse(broken(), traps, kind) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the names are Linux's")
def test_two_scans_never_take_one_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port, claim = live_http.free_port()
    monkeypatch.setattr(live_http, "PORTS", range(port, port + 1))
    with claim, pytest.raises(ToolError):
        live_http.free_port()
    again, claim = live_http.free_port()
    claim.close()
    assert again == port
