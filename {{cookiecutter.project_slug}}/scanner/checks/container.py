"""Dockerfiles, compose files and Kubernetes manifests."""

import contextlib
import io
import posixpath
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from .. import documents
from ..container import (
    compose,
    compose_rules,
    composition,
    devcontainer,
    image_rules,
    kubernetes,
    kubernetes_rules,
    kustomize,
    leftover_rules,
    manifest_rules,
    pragmas,
    run_rules,
)
from ..container.dockerfile import parse
from ..container.dockerfiles import dockerfiles
from ..container.hadolint import run_hadolint
from ..model import CheckResult, Coverage, Finding, Options, State
from ..project import Project, Unreadable
from ..rules import rules_for
from ..text import visible
from ..tools import ToolError

MAX_SAME = 100  # findings of one rule in one file
# Imported, so that they are registered.
_RULES = (compose_rules, kubernetes_rules, leftover_rules, manifest_rules)
_YAML = re.compile(
    r"(?is)(?!\.github/).+\.(?:json|ya?ml)|(?:.*/)?Kustomization"
)
# Of a Kubernetes object, wherever it stands; of compose and of a patch only
# at a line's beginning, as other files have such words too.
_TELLING = re.compile(
    rb"(?m)[\"']?\bapiVersion[\"']?\s*:"
    rb"|^(?:\xef\xbb\xbf)?[ \t{-]*[\"']?(?:services|op)[\"']?[ \t]*:"
)
_JSON = re.compile(rb"[\"']apiVersion[\"']\s*:")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(slots=True)
class _Work:
    """What has been looked at so far, and what could not be."""

    project: Project
    state: State = State.PASSED
    reasons: list[str] = field(default_factory=list)
    version: str | None = None
    findings: list[Finding] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    problems: dict[str, str] = field(default_factory=dict)
    charts: set[str] = field(default_factory=set)  # Helm's templates
    built: set[composition.Build] = field(default_factory=set)
    printing: set[tuple[str | None, int | None]] = field(default_factory=set)
    counts: Counter[tuple[str, str | None]] = field(default_factory=Counter)

    @contextlib.contextmanager
    def needing_a_tool(self) -> Iterator[None]:
        """Go on without the tool that fails, but not as if it had passed."""
        try:
            yield
        except ToolError as error:
            self.state = error.state
            self.reasons.append(error.reason)

    def judge(self, kind: str, *subject: Any) -> None:
        """Apply the rules for one kind of subject."""
        for rule in rules_for("MCP-CON-", on=kind):
            for finding in rule.findings(*subject):
                key = finding.id, finding.path
                self.counts[key] += 1
                if self.counts[key] > MAX_SAME:
                    more = f"more than {MAX_SAME} times {finding.id}"
                    self.problems.setdefault(finding.path or "", more)
                    break
                self.findings.append(finding)


def check(project: Project, options: Options) -> CheckResult:
    """Judge what builds and runs the server, by our rules and hadolint's."""
    work = _Work(project)
    judged = _dockerfiles(work)
    _devcontainers(work)
    with work.needing_a_tool():
        _documents(work)
    with work.needing_a_tool():
        if judged:
            _hadolint(work, judged, options.timeout)
    if not work.files | work.charts and work.state is State.PASSED:
        reason = "no Dockerfile, compose file or manifest"
        state = State.NOT_APPLICABLE
        return CheckResult(name="container", state=state, reason=reason)
    covered, total = len(work.files - work.problems.keys()), len(work.files)
    return CheckResult(
        name="container",
        state=work.state,
        reason="; ".join([*work.reasons, *_told(work), *_cis(judged)]),
        tool="hadolint" if judged else None,
        tool_version=work.version,
        coverage=Coverage(unit="files", covered=covered, total=total),
        findings=tuple(work.findings),
    )


def _dockerfiles(work: _Work) -> dict[str, list[int]]:
    """Judge each Dockerfile by our rules; return what hadolint needs."""
    read: dict[str, list[int]] = {}
    for path in dockerfiles(work.project):
        work.files.add(path)
        try:
            data = work.project.read(path)
        except Unreadable as error:
            work.problems[path] = str(error)
            continue
        read[path] = _judge(work, path, data)
        work.judge("text", path, data.decode("utf-8", "replace"))
    return read


def _judge(work: _Work, path: str, data: bytes, target: str = "") -> list[int]:
    """Judge a Dockerfile as it is built; return where its scripts end."""
    text = io.TextIOWrapper(
        io.BytesIO(data), "utf-8-sig", "replace", newline="\n"
    )
    file = parse(path, text)
    file.target = target
    before = len(work.findings)
    work.judge("dockerfile", file)
    work.judge("context", file, work.project)
    for run in run_rules.runs(file):
        work.judge("run", run)
        if run_rules.only_prints(run):
            work.printing.add((path, run.where.line))
    found = work.findings[before:]
    work.findings[before:] = pragmas.kept(found, data.decode(errors="replace"))
    if file.problems:
        work.problems[path] = ", ".join(file.problems[:3])
    return file.ends


def _build(work: _Work, build: composition.Build) -> None:
    """Judge what a service is built as, where that is not the last stage.

    What was found in the file already is not found again.
    """
    before = len(work.findings)
    if build.text:
        _judge(work, build.path, build.text.encode(), build.target)
        work.problems.setdefault(
            build.path, "hadolint does not see dockerfile_inline"
        )
    elif build.path in work.files - work.problems.keys():
        data = work.project.read(build.path)
        _judge(work, build.path, data, build.target)
    known = {(f.id, f.path, f.line) for f in work.findings[:before]}
    added = [
        replace(f, line=(f.line or 0) + build.line)
        for f in work.findings[before:]
    ]
    work.findings[before:] = [
        f for f in added if (f.id, f.path, f.line) not in known
    ]


def _devcontainers(work: _Work) -> None:
    """Judge what editors start when somebody opens the project."""
    for path in work.project.named(devcontainer.NAME.pattern):
        work.files.add(path)
        try:
            text = work.project.text(path, documents.MAX_BYTES)
            for service in devcontainer.services(path, text):
                work.judge("compose", service)
        except Unreadable as error:
            work.problems[path] = str(error)
        except (ValueError, RecursionError):
            work.problems[path] = "no valid JSON"


def _documents(work: _Work) -> None:
    """Judge the compose files and the manifests among the YAML files."""
    found: dict[str, list[Any]] = {}
    room = documents.Room()
    for path, data in _candidates(work):
        try:
            found[path] = documents.load(_text(data), room)
        except (documents.Malformed, UnicodeDecodeError) as error:
            if _in_chart(work.project, path) and b"{{" in data:
                work.charts.add(path)
                continue
            work.files.add(path)
            work.problems[path] = (
                "no UTF-8" if isinstance(error, ValueError) else str(error)
            )
    whole = composition.Composition(work.project, found)
    parts = whole.parts()
    for path, contents in found.items():
        for document in contents:
            if path in parts or compose.is_compose(path, document):
                _compose(work, whole, path, document)
            elif kubernetes.is_manifest(document) or kustomize.named(path):
                work.files.add(path)
    cluster = kubernetes.read(found)
    work.files |= cluster.kustomized.patches & found.keys()
    work.judge("cluster", cluster)
    for manifest in cluster.manifests:
        work.judge("manifest", manifest)
    for pod in cluster.pods():
        work.judge("pod", pod)
        for container in kubernetes.containers(pod):
            work.judge("container", container)


def _candidates(work: _Work) -> Iterator[tuple[str, bytes]]:
    """Yield the YAML files that may be ours, by their names or words."""
    limit = documents.MAX_BYTES
    for path in work.project.files:
        name = posixpath.basename(path)
        if not _YAML.fullmatch(path):
            continue
        named = compose.NAME.fullmatch(name) or kustomize.named(path)
        words = _JSON if name.lower().endswith(".json") else _TELLING
        try:
            if named or work.project.mentions(path, words):
                yield path, work.project.read(path, limit)
        except Unreadable as error:
            work.files.add(path)
            work.problems[path] = str(error).removeprefix(f"{path} is ")


def _in_chart(project: Project, path: str) -> bool:
    """Tell a template of a Helm chart: no YAML before it is filled."""
    folder, found, _rest = path.rpartition("/templates/")
    return bool(found) and project.exists(f"{folder}/Chart.yaml")


def _text(data: bytes) -> str:
    return data.decode("utf-16" if data[:2] in _UTF16 else "utf-8-sig")


def _compose(
    work: _Work, whole: composition.Composition, path: str, document: Any
) -> None:
    """Judge a compose file; one that completes another as such."""
    found = whole.found
    folder, name = posixpath.split(path)
    main = None
    if name not in compose.MAINS:
        mains = (
            found[other][0]
            for other in (posixpath.join(folder, x) for x in compose.MAINS)
            if found.get(other)
        )
        main = documents.table(next(mains, None), "services")
    work.files.add(path)
    work.judge("compose-file", path, document)
    whole.check(path, document)
    for service in compose.services(path, document, main, whole):
        work.judge("compose", service)
        if service.whole:
            work.judge("compose-whole", service)
    for build in composition.builds(path, document):
        if build not in work.built:
            work.built.add(build)
            _build(work, build)
    if path in whole.missing:
        work.problems.setdefault(path, whole.missing[path])


def _hadolint(
    work: _Work, files: dict[str, list[int]], timeout: float
) -> None:
    """Add what hadolint finds, but for faults that our rules have named."""
    report = run_hadolint(work.project, files, timeout)
    work.version = report.version
    piped = {(f.path, f.line) for f in work.findings if f.id == "MCP-CON-004"}
    piped |= work.printing
    work.findings += [
        finding
        for finding in report.findings
        if finding.id != "MCP-CON-DL4006"
        or (finding.path, finding.line) not in piped
    ]
    for path in sorted(files.keys() - report.seen):
        why = report.problems.get(path, "hadolint gave no account of it")
        work.problems.setdefault(path, why)


def _told(work: _Work) -> Iterator[str]:
    """Name the first files that were not looked at in full."""
    if work.charts:
        yield f"{len(work.charts)} Helm templates not judged: render them"
    shown = list(work.problems.items())[:3]
    for path, problem in shown:
        yield f"{visible(path, 100)}: {visible(problem, 100)}"
    if len(work.problems) > len(shown):
        yield f"and {len(work.problems) - len(shown)} more files"


def _cis(judged: Collection[str]) -> Iterator[str]:
    """Say which of the CIS Docker Benchmark's controls were not judged."""
    by_state: dict[str, list[str]] = {}
    for control, state in image_rules.CIS.items():
        by_state.setdefault(state, []).append(control)
    if judged:
        missing = ", ".join(by_state["not assessed"])
        part = ", ".join(by_state["in part"])
        yield f"CIS Docker {missing} not assessed, {part} in part"
