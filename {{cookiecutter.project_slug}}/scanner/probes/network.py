"""Attacks over HTTP: who is let in, how often, and what they can block."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from ..live import PROTOCOL
from ..live_http import ACCEPT, HttpServer, free_port
from ..model import Finding, Severity
from ..project import Project
from ..surface.components import Component
from .answers import told
from .approvals import unapproved
from .clients import strangers_words
from .controls import PLANTED
from .findings import found
from .lab import Lab
from .limits import LIMIT, limits
from .measures import measures
from .target import Probe, Target, address

IDLE: Final = 100
#: What anybody asks for, and nothing of the inside belongs on.
PAGES: Final = ("/", "/health", "/ready", "/docs", "/openapi.json", "/debug")
GRACE: Final = 3
PATIENCE: Final = 5.0  # seconds
BODY: Final = 64 * 2**10
HOSTS: Final = (
    "stranger.example",
    "localhost.stranger.example",
    "strangerlocalhost",
)
#: Of what a proxy would say, a stranger can say all.
FORGED: Final = ("X_Forwarded_Host", "X_Original_Host")
#: What keeps browsers from guessing a type, showing an answer and storing it.
HARDENING: Final = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "frame-ancestors",
    "cache-control": "no-store",
}
ALLOWING: Final = "access-control-allow-origin"
ORIGINS: Final = (
    "http://stranger.example",
    "http://127.0.0.1.stranger.example",
    "null",
)


def without_tokens(
    project: Project,
    lab: Lab,
    listed: "Future[list[Component]]",
    probes: tuple[Probe, ...] = (),
) -> list[Finding]:
    """Attack a server that asks for no token; its death is a finding.

    Args:
        project: Whose server it is.
        lab: Where it works.
        listed: What it offers, when that is known.
        probes: What is tried, one after the other; by default all.

    Raises:
        ToolError: It does not start.
    """
    components = listed.result()  # before the server takes a place
    port, claim = free_port()
    settings = {
        "MCP_AUTH": "none",
        "MCP_METRICS_PORT": str(port),
        # By the day: no window ends while we count.
        "MCP_RATE_LIMIT": f"{LIMIT}/day",
        "MCP_MAX_REQUEST_SIZE": str(BODY),
        "MCP_SHUTDOWN_GRACE": str(GRACE),
    }
    findings: list[Finding] = []
    with (
        claim,
        HttpServer(
            project, lab.workspace, through=[str(PLANTED)], **settings
        ) as server,
    ):
        target = Target(server, lab, components, port)
        for probe in probes or ALL:
            try:
                findings += probe(target)
            except OSError as error:
                said = f"while trying {probe.__name__}: {error}"
                late = isinstance(error, TimeoutError)
                name = "MCP-PRB-008" if late else "MCP-PRB-009"
                findings.append(found(name, said))
                break
    return findings


def strangers(target: Target) -> Iterator[Finding]:
    """Ask under the name of another host, and from another site."""
    server = target.server
    for name, probe, values in (
        ("Host", "MCP-PRB-013", HOSTS),
        ("Origin", "MCP-PRB-014", ORIGINS),
    ):
        tried = {value: {name: value} for value in values}
        here = "127.0.0.1" if name == "Host" else HOSTS[0]
        forged = dict.fromkeys(FORGED, here)
        tried["with a proxy's headers"] = {name: values[0], **forged}
        served = [
            how
            for how, headers in tried.items()
            if server.initialize(**headers).status < 400
        ]
        if served:
            yield found(probe, f"{name}: {', '.join(served)}")
    if server.initialize(Content_Type="text/plain").status < 400:
        yield found("MCP-PRB-014", "text/plain, as any page may send it")
    yield from _readable(server)


def _readable(server: HttpServer) -> Iterator[Finding]:
    """Look whether browsers are told to let a stranger's page read."""
    site = ORIGINS[0]
    answers = {
        "it asks": server.initialize(Origin=site),
        "its browser asks": server.request(
            "OPTIONS", Origin=site, Access_Control_Request_Method="POST"
        ),
        "nobody asks": server.initialize(),
    }
    allowed = [
        name
        for name, answer in answers.items()
        if answer.headers.get(ALLOWING) in {site, "*"}
    ]
    if allowed:
        yield found("MCP-PRB-039", f"where {', '.join(allowed)}")


def kept_from_browsers(target: Target) -> Iterator[Finding]:
    """Look whether an answer says that it is no page, and not to be kept."""
    headers = target.server.initialize().headers
    lacking = [
        name
        for name, needed in HARDENING.items()
        if needed not in headers.get(name, "")
    ]
    if lacking:
        yield found("MCP-PRB-052", f"without {', '.join(lacking)}")


def elsewhere(target: Target) -> Iterator[Finding]:
    """Try another address of this machine than the one it was told of."""
    other = address(2)
    for port, what, severity in (
        (target.server.port, "the protocol", None),
        (target.metrics, "the metrics", Severity.MEDIUM),
    ):
        if other != address(1):
            with contextlib.suppress(OSError):
                socket.create_connection((other, port), PATIENCE).close()
                yield found("MCP-PRB-054", what, severity=severity)


def metrics(target: Target) -> Iterator[Finding]:
    """Ask for the metrics where the protocol is."""
    server = target.server
    answer = server.request(path="/metrics")
    if answer.status < 400:
        yield found("MCP-PRB-016", f"/metrics got {answer.status}")
    for path in PAGES:
        said = server.request(path=path).text
        if told(target.lab.inside, said):
            yield found("MCP-PRB-003", path)
        elif target.lab.own_path.search(said):
            yield found("MCP-PRB-006", path)


def oversized(target: Target) -> Iterator[Finding]:
    """Send a body beyond the limit, which the server was told."""
    server = target.server
    padded = _message("tools/list") + b" " * (BODY * 4)
    named = {**_HEADERS, "Mcp_Session_Id": server.session()}
    for how, body in (("whole", padded), ("in chunks", iter([padded]))):
        with contextlib.suppress(OSError):  # cut off: refused as well
            if server.request("POST", body=body, **named).status < 400:
                yield found("MCP-PRB-021", f"{len(padded)} bytes, {how}")
                return


def idle(target: Target) -> Iterator[Finding]:
    """Hold connections that say nothing, and see whether others get in."""
    server = target.server
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            for _ in range(IDLE):
                peer = socket.create_connection(("127.0.0.1", server.port), 1)
                held.enter_context(peer)
                peer.sendall(b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        start, status = time.monotonic(), 0
        with contextlib.suppress(OSError):
            status = server.initialize(address(3)).status
        if time.monotonic() - start > PATIENCE or status != 200:
            yield found("MCP-PRB-017", f"{IDLE} idle connections")


def stopping(target: Target) -> Iterator[Finding]:
    """Send SIGTERM while a call is served and a request is on its way."""
    server = target.server
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(_lingering, target)
        until = time.monotonic() + PATIENCE
        while not (call.done() or (target.lab.root / "here/lingers").exists()):
            if time.monotonic() > until:
                break
            time.sleep(0.01)
        is_answered = _stopped_halfway(server)
        code = server.wait(GRACE + PATIENCE)
        is_served = call.result()
    if code != 0:
        how = "did not end" if code is None else f"ended with {code}"
        yield found("MCP-PRB-018", f"after SIGTERM it {how}")
    elif not is_answered:
        yield found("MCP-PRB-018", "a request got no answer")
    elif not is_served:
        yield found("MCP-PRB-018", "a call that was being served was lost")


def _lingering(target: Target) -> bool:
    """Tell whether a call of a tool that takes a while is answered."""
    server, source = target.server, address(8)
    with contextlib.suppress(OSError):
        session = server.session(source)
        return not server.call("probe_lingers", {}, session, source).refused
    return False


def _stopped_halfway(server: HttpServer) -> bool:
    """Send half a request, SIGTERM, and the rest; tell of an answer."""
    body = _message("tools/list")
    given = {"Host": "127.0.0.1", "Content_Length": str(len(body)), **_HEADERS}
    lines = [f"{k.replace('_', '-')}: {v}\r\n" for k, v in given.items()]
    head = "".join(["POST /mcp HTTP/1.1\r\n", *lines, "\r\n"])
    place, answer = ("127.0.0.1", server.port), b""
    with socket.create_connection(place, PATIENCE) as peer:
        peer.sendall(head.encode() + body[:10])
        time.sleep(0.2)  # it has been read by then, if the machine is idle
        server.terminate()
        time.sleep(0.2)
        with contextlib.suppress(OSError):
            peer.sendall(body[10:])
            answer = peer.recv(100)
    return answer.startswith(b"HTTP/1.1 ")


ALL: Final[tuple[Probe, ...]] = (
    strangers,
    kept_from_browsers,
    elsewhere,
    metrics,
    oversized,
    limits,
    measures,
    unapproved,
    idle,
    strangers_words,
    stopping,
)


def _message(method: str) -> bytes:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {}}
    return json.dumps(message).encode()


_HEADERS: Final = {
    "Content_Type": "application/json",
    "Accept": ACCEPT,
    "MCP_Protocol_Version": PROTOCOL,
}
