"""The production checklist: what can be seen from here, and what cannot."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .settings import PACKAGE, Settings, is_loopback

#: What only a person can see: what it is, and the command that shows it.
BY_HAND: Final = {
    "the scan is clean and complete": "python security_scan.py",
    "the tests pass": "python -m pytest",
    "the image is the one that was released": "cosign verify IMAGE",
    "in Kubernetes, the cluster accepts the manifests": (
        "kubectl apply --dry-run=server --kustomize OVERLAY"
    ),
    "with systemd, the unit is hardened": "systemd-analyze security UNIT",
    "the workspace holds nothing that must not be seen": "look into it",
    "the workspace can be restored": "restore it once",
    "clients come only over TLS": "curl --head http://HOST/mcp",
    "nobody calls without a token": (
        "curl --include --data '{}' https://HOST/mcp"
    ),
    "a foreign origin is refused": (
        "curl --include --header 'Origin: https://evil.example'"
        " https://HOST/mcp"
    ),
    "the metrics cannot be reached from outside": (
        "curl --include https://HOST/metrics; curl http://HOST:9090/metrics"
    ),
    "the server can connect only to what it needs": (
        "read the networks in deploy/compose.yaml, or the cluster's policies"
    ),
    "Prometheus accepts the rules": (
        "promtool test rules deploy/prometheus/tests/rules.yml"
    ),
    "metrics arrive": "look at Servers up on the dashboard",
    "alerts reach a person": "stop the server, and wait for the alert",
    "the log is kept elsewhere": "find yesterday's calls there",
    "the weekly scan runs": "look for a run of Security scan on GitHub",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list.

    Attributes:
        text: What should be so.
        holds: Whether it is; None where this system cannot tell.
        remedy: What to do where it is not.
    """

    text: str
    holds: Callable[[Settings], bool | None]
    remedy: str


def run(settings: Settings) -> int:
    """Print the list; return 1 where something that can be seen is not so."""
    seen = [(item, item.holds(settings)) for item in ITEMS]
    for item, holds in seen:
        mark = {True: "ok", False: "NO", None: "?"}[holds]
        remedy = "" if holds else f": {item.remedy}"
        sys.stdout.write(f"{mark:4}{item.text}{remedy}\n")
    sys.stdout.write("\nWhat cannot be seen from here:\n")
    for text, command in BY_HAND.items():
        sys.stdout.write(f"    {text}: {command}\n")
    return 1 if any(holds is False for _, holds in seen) else 0


def _not_root(settings: Settings) -> bool | None:
    return os.geteuid() != 0 if hasattr(os, "geteuid") else None


def _no_capabilities(settings: Settings) -> bool | None:
    found = _of_process("CapEff")
    return None if found is None else int(found, 16) == 0


def _no_new_privileges(settings: Settings) -> bool | None:
    found = _of_process("NoNewPrivs")
    return None if found is None else found == "1"


def _code_is_not_ours(settings: Settings) -> bool:
    return not any(
        os.access(path, os.W_OK) for path in (PACKAGE, *PACKAGE.rglob("*.py"))
    )


def _bounded(settings: Settings) -> bool | None:
    limits = [_of_group(name) for name in ("memory.max", "pids.max")]
    return None if None in limits else "max" not in limits


def _encrypted(settings: Settings) -> bool:
    proxied = settings.base_url and settings.base_url.scheme == "https"
    return bool(settings.on_loopback or settings.tls_certfile or proxied)


def _proved(settings: Settings) -> bool:
    return settings.transport == "stdio" or settings.auth != "none"


def _names(settings: Settings) -> bool:
    named = settings.allowed_hosts or settings.base_url
    return bool(settings.on_loopback or named)


def _sandboxed(settings: Settings) -> bool:
    return (
        not settings.allowed_commands or settings.command_sandbox == "require"
    )


def _answers_are_shared(settings: Settings) -> bool | None:
    alone = not settings.shares_storage or settings.approval == "never"
    # It may be the only one that uses the storage.
    return True if alone or settings.approval_key else None


def _asked_in_every_era(settings: Settings) -> bool | None:
    # Whether its clients speak an earlier protocol cannot be seen from here.
    asked = settings.keeps_sessions or settings.approval != "auto"
    return True if asked else None


def _metrics_are_private(settings: Settings) -> bool | None:
    private = not settings.metrics_port or is_loopback(settings.metrics_host)
    # On another address a network may stand between; we cannot see it.
    return True if private else None


ITEMS: Final = (
    Item("it does not run as root", _not_root, "give it a user of its own"),
    Item(
        "it has no capabilities",
        _no_capabilities,
        "run the container with --cap-drop ALL",
    ),
    Item(
        "it can gain no privileges",
        _no_new_privileges,
        "run the container with --security-opt no-new-privileges",
    ),
    Item(
        "it cannot change its own code",
        _code_is_not_ours,
        "let the code belong to root",
    ),
    Item(
        "its memory and its processes are bounded",
        _bounded,
        "set limits, as deploy/compose.yaml does",
    ),
    Item(
        "clients come over TLS, or from this machine",
        _encrypted,
        "set MCP_TLS_CERTFILE and MCP_TLS_KEYFILE, or MCP_BASE_URL to the"
        " proxy's https address",
    ),
    Item(
        "every caller proves who it is",
        _proved,
        "set MCP_AUTH to bearer or jwt",
    ),
    Item(
        "it knows the names that it is called by",
        _names,
        "set MCP_ALLOWED_HOSTS",
    ),
    Item(
        "calls are limited",
        lambda settings: bool(settings.rate_limit),
        "set MCP_RATE_LIMIT",
    ),
    Item(
        "what cannot be counted is refused",
        lambda settings: settings.rate_limit_on_failure == "deny",
        "set MCP_RATE_LIMIT_ON_FAILURE=deny",
    ),
    Item(
        "commands run in the whole sandbox",
        _sandboxed,
        "set MCP_COMMAND_SANDBOX=require",
    ),
    Item(
        "the user is asked before destructive calls",
        lambda settings: settings.approval != "never",
        "set MCP_APPROVAL to auto or always",
    ),
    Item(
        "every replica takes the user's answer",
        _answers_are_shared,
        "set MCP_APPROVAL_KEY to the same random characters on each",
    ),
    Item(
        "users of every protocol are asked",
        _asked_in_every_era,
        "replicas can ask only clients of the 2026-07-28 protocol; set"
        " MCP_APPROVAL=always to refuse the destructive calls of others",
    ),
    Item(
        "every call is logged",
        lambda settings: settings.log_level in {"DEBUG", "INFO"},
        "set MCP_LOG_LEVEL=INFO",
    ),
    Item(
        "it is measured",
        lambda settings: bool(settings.metrics_port),
        "set MCP_METRICS_PORT",
    ),
    Item(
        "its metrics are its operators' alone",
        _metrics_are_private,
        "see that no client's network reaches MCP_METRICS_PORT",
    ),
)


def _of_process(name: str) -> str | None:
    """Return a line of what Linux says of this process."""
    lines = _lines(Path("/proc/self/status"))
    found = (line.split(":", 1) for line in lines if ":" in line)
    return {key: value.strip() for key, value in found}.get(name)


def _of_group(name: str) -> str | None:
    """Return a limit of this process's control group, version 2."""
    for line in _lines(Path("/proc/self/cgroup")):
        if line.startswith("0::"):
            group = Path("/sys/fs/cgroup") / line[3:].strip().lstrip("/")
            return next(_lines(group / name), None)
    return None


def _lines(path: Path) -> Iterator[str]:
    try:
        yield from path.read_text("utf-8").splitlines()
    except OSError:
        return
