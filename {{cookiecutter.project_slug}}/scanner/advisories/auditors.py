"""The programs that ask an advisory service about each package."""

import contextlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..model import State
from ..tools import (
    Tool,
    ToolError,
    ToolRun,
    find_tool,
    installed,
    require,
    run_tool,
)
from .lock import UV_LOCK, Lock
from .records import Advisory

Key = tuple[str, str]
SAFETY_KEY = "SAFETY_API_KEY"
START = 15.0  # seconds in which a program tells its version
NEWEST_PYTHON = "3.14"  # with which every release can be looked up
_QUICK = {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "10"}
_YANKED = re.compile(
    r"`(?P<name>[\w.-]+)==(?P<version>\S+)` is yanked"
    r"(?: \(reason: (?P<why>.*)\))?"
)
_UNREACHED = re.compile(
    rb"error sending request|ConnectionError|ConnectError|ConnectTimeout"
    rb"|ReadTimeout|Max retries exceeded|timed out|offline mode"
)


class Unreached(ToolError):
    """A program works, and found nobody to ask."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, State.NOT_RUN)


@dataclass(frozen=True, slots=True)
class Audit:
    """What one program says of the lock.

    Attributes:
        audited: How many packages it had an answer for.
        adverse: Projects that are quarantined, archived or deprecated.
        version: The program's.
    """

    tool: str
    audited: int
    advisories: tuple[Advisory, ...]
    adverse: tuple[tuple[str, str], ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What a program is asked.

    Attributes:
        url: The OSV service.
        timeout: Seconds.
    """

    root: Path
    lock: Lock
    url: str
    timeout: float


@dataclass(frozen=True, slots=True)
class Auditor:
    """One program: which versions of it we know, and how it is asked.

    Attributes:
        ask: Asks the service about the lock through the program there.
    """

    name: str
    at_least: tuple[int, ...]
    below: tuple[int, ...]
    ask: Callable[[Path, Question], Audit]

    def find(self, asked: Question) -> Tool:
        """Return the program.

        Raises:
            ToolError: It is missing, or of another version.
        """
        return require(
            self.name,
            asked.root,
            at_least=self.at_least,
            below=self.below,
            timeout=min(asked.timeout, START),
        )

    def audit(self, asked: Question) -> Audit:
        """Ask; meanwhile it tells its version, which takes it as long.

        Raises:
            ToolError: It is missing, of another version, or did not answer.
        """
        path = installed(self.name, asked.root)
        with ThreadPoolExecutor(max_workers=1) as pool:
            known = pool.submit(self.find, asked)
            try:
                answer = self.ask(path, asked)
            finally:
                version = known.result().version  # its failure comes first
        return replace(answer, version=version)


def wanted(question: Question) -> list[Auditor]:
    """Return the programs to ask; each of them has to answer.

    ``uv audit`` reads uv.lock alone. Safety is asked where there is a key
    for it, or where it is installed.
    """
    auditors = [UV] if question.lock.path == UV_LOCK else []
    auditors.append(PIP_AUDIT)
    if os.environ.get(SAFETY_KEY) or find_tool("safety", question.root):
        auditors.append(SAFETY)
    return auditors


def yanked(asked: Question, *, offline: bool) -> dict[Key, str]:
    """Return the releases that their authors took back, with the reason.

    uv looks each up in its index, and builds nothing: that would execute
    what the package holds. So one without a wheel is not looked up.

    Raises:
        ToolError: uv is missing, failed, or did not reach the index.
    """
    uv = UV.find(asked)
    argv = [str(uv.path), "pip", "compile", "-", "--universal", "--no-deps"]
    argv += ["--no-build", "--no-config", "--python-version", NEWEST_PYTHON]
    # Without a Python it looks for the newest, and would download one.
    argv += ["--python", sys.executable]
    argv += ["--offline"] if offline else []
    found = {}
    for pins in _layers(asked.lock):
        run = run_tool(
            argv,
            name="uv pip compile",
            cwd=asked.root,
            timeout=asked.timeout,
            env=_QUICK,
            stdin="\n".join(pins).encode(),
        ).expect(0)
        for match in _YANKED.finditer(run.stderr.decode("utf-8", "replace")):
            found[_key(match["name"], match["version"])] = match["why"] or ""
    return found


def _uv_audit(uv: Path, asked: Question) -> Audit:
    """Audit uv.lock, without settings: those can ignore advisories."""
    options = ["--preview-features", "audit-command,json-output"]
    options += ["--frozen", "--no-config", "--output-format", "json"]
    run = run_tool(
        [uv, "audit", *options, "--service-url", asked.url],
        name="uv audit",
        cwd=asked.root,
        timeout=asked.timeout,
        env=_QUICK,
    )
    data = _reached(run, asked.url).expect(0, 1).json()
    with _known_form("uv audit"):
        return Audit(
            "uv audit",
            int(data["summary"]["audited_packages"]),
            tuple(_of_uv(item) for item in data["vulnerabilities"]),
            tuple(_status(item) for item in data["adverse_statuses"]),
        )


def _pip_audit(tool: Path, asked: Question) -> Audit:
    """Audit every pin; what it skipped was not audited, whatever it says."""
    options = ["--locked", "--format", "json", "--progress-spinner", "off"]
    options += ["--vulnerability-service", "osv", "--timeout", "10"]
    options += ["--osv-url", f"{asked.url}/v1/query"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pylock.toml").write_text(_pylock(asked.lock), "utf-8")
        run = run_tool(
            [tool, *options, folder],
            name="pip-audit",
            cwd=Path(folder),
            timeout=asked.timeout,
        )
    data = _reached(run, asked.url).expect(0, 1).json()
    with _known_form("pip-audit"):
        answers = [d for d in data["dependencies"] if "skip_reason" not in d]
        audited = {_key(item["name"], item["version"]) for item in answers}
        found = tuple(
            _advisory(_key(item["name"], item["version"]), each)
            for item in answers
            for each in item["vulns"]
        )
    covered = len(audited & asked.lock.audited.keys())
    return Audit("pip-audit", covered, found)


def _safety(tool: Path, asked: Question) -> Audit:
    """Ask Safety's own database: ``scan`` with a key, else ``check``."""
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder, "requirements.txt")
        lines = [
            f"{name}=={version}\n" for name, version in asked.lock.audited
        ]
        pins.write_text("".join(lines), "utf-8")
        scan = ["scan", "--output", "json", "--target", folder]
        check = ["check", "--output", "json", "--file", str(pins)]
        run = run_tool(
            [tool, *(scan if os.environ.get(SAFETY_KEY) else check)],
            name="safety",
            cwd=Path(folder),
            timeout=asked.timeout,
        )
    text = _reached(run, "its vendor").expect(0, 64).stdout
    with _known_form("safety"):
        data = json.loads(text[text.index(b"{") :])  # a banner comes first
        scanned, found = _of_safety(data)
    covered = len(scanned & asked.lock.audited.keys())
    return Audit("safety", covered, found)


UV = Auditor("uv", (0, 13, 8), (0, 14), _uv_audit)
PIP_AUDIT = Auditor("pip-audit", (2, 10), (3,), _pip_audit)
SAFETY = Auditor("safety", (3,), (4,), _safety)


@contextlib.contextmanager
def _known_form(name: str) -> Iterator[None]:
    """Make an error of whatever a report lacks, or has in its place."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError):
        raise ToolError(f"{name}'s report is not of a known form") from None


def _reached(run: ToolRun, service: str) -> ToolRun:
    """Return the run, if the program had somebody to ask."""
    if run.exit_code and _UNREACHED.search(run.stderr):
        raise Unreached(
            f"{run.name} did not reach {service}; run it again with a"
            " network, or give it a copy: --advisories DIR"
        )
    return run


def _key(name: str, version: str) -> Key:
    return canonicalize_name(name), version


def _advisory(key: Key, item: Mapping[str, Any]) -> Advisory:
    """Read what ``uv audit`` and pip-audit say in the same words."""
    text = item.get("summary") or item.get("description") or ""
    return Advisory(
        *key,
        ids=frozenset([str(item["id"]), *map(str, item["aliases"])]),
        summary=str(text).strip().partition("\n")[0],
        fixed=frozenset(map(str, item["fix_versions"])),
    )


def _of_uv(item: Mapping[str, Any]) -> Advisory:
    package = item["dependency"]
    return _advisory(_key(package["name"], package["version"]), item)


def _status(item: Mapping[str, Any]) -> tuple[str, str]:
    return canonicalize_name(item["name"]), str(item["status"])


def _of_safety(data: Any) -> tuple[set[Key], tuple[Advisory, ...]]:
    """Read the report of ``check``, or of ``scan`` (its schema 3.0)."""
    if "scan_results" not in data:
        packages = data["scanned_packages"].values()
        scanned = {_key(p["name"], p["version"]) for p in packages}
        return scanned, tuple(
            _by_safety(
                _key(v["package_name"], str(v["analyzed_version"])),
                str(v["vulnerability_id"]),
                v.get("CVE"),
            )
            for v in data["vulnerabilities"]
        )
    pinned = [
        (Requirement(specification["raw"]), specification)
        for scan in data["scan_results"]["projects"]
        for file in scan["files"]
        for dependency in file["results"]["dependencies"]
        for specification in dependency["specifications"]
    ]
    keys = [
        (_key(r.name, next(iter(r.specifier)).version), specification)
        for r, specification in pinned
    ]
    return {key for key, _ in keys}, tuple(
        _by_safety(key, str(v["id"]), None)
        for key, specification in keys
        for v in specification["vulnerabilities"]["known_vulnerabilities"]
    )


def _by_safety(key: Key, number: str, cve: str | None) -> Advisory:
    ids = [f"SAFETY-{number}", *([cve] if cve else [])]
    return Advisory(*key, ids=frozenset(ids), summary="reported by Safety")


def _pylock(lock: Lock) -> str:
    """Return the lock as PEP 751 has it, which can hold a name twice."""
    entries = (
        f"[[packages]]\nname = {json.dumps(name)}\n"
        f"version = {json.dumps(version)}\n"
        for name, version in lock.audited
    )
    head = 'lock-version = "1.0"\ncreated-by = "security_scan.py"\n'
    return head + "".join(entries)


def _layers(lock: Lock) -> list[list[str]]:
    """Return the pins in lists, each of which has a name once."""
    layers: list[dict[str, str]] = []
    for (name, version), package in lock.audited.items():
        if not package.wheel:
            continue
        free = next((one for one in layers if name not in one), None)
        if free is None:
            layers.append(free := {})
        free[name] = f"{name}=={version}"
    return [[*one.values()] for one in layers]
