"""What an MCP client's file makes a desk run, trust and tell."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from ..container.engine import contained, opened
from ..container.image_rules import TRUSTS_ALL
from ..container.names import unpinned
from ..container.neighbours import openings
from ..downloads import Downloads, unchecked
from ..project import Unreadable
from ..rules import Hit, anchored
from ..ruletable import ruled
from ..runners import fetched_package, unversioned
from ..shell import Command, commands
from .clients import Client, Server
from .setup import LOOPBACK

_UNASKED = frozenset({"alwaysAllow", "autoAllow", "autoApprove", "trust"})
_WRITES = re.compile(r"(?i)\*|delete|exec|remove|run|shell|write")
_OF_ALL = re.compile(r"Bash(?:\(\s*\*?(?::\*)?\s*\))?|mcp__\*?|\*")
_YOLO = re.compile(r"chat\.tools\.(?:global\.)?autoApprove")
_CLEAR = re.compile(r"http://(\[[^\]]*\]|[^/:\s]+)")
client_rule = ruled(__file__, on="client")


@client_rule("MCP-CFG-020")
def moving_program(client: Client) -> Iterator[Hit]:
    """``npx`` and ``uvx`` fetch a program anew, and run it with your rights.

    Without a version it is whatever its owner, or who took the name over,
    published last: so postmark-mcp sent every mail to its author as well.
    """
    for server in client.servers():
        image, _options = contained(server.argv)
        if fetched := unversioned(server.argv):
            yield server.hit(fetched, f"{fetched[:80]} names no version")
        elif image and (problem := unpinned(image)):
            yield server.hit(image, problem)


@client_rule("MCP-CFG-021")
def host_rights(client: Client) -> Iterator[Hit]:
    """The container that is to hold the server is opened on the same line."""
    for server in client.servers():
        _image, options = contained(server.argv)
        for name, value in options:
            severity = opened(name, value)
            if severity:
                message = f"{name} {value}".strip()[:80]
                yield server.hit(value or name, message, severity)


@client_rule("MCP-CFG-022")
def in_clear(client: Client) -> Iterator[Hit]:
    """A token and all that a tool answers are readable on the wire.

    Whoever is on the way can answer too, with tools of their own.
    """
    for server in client.servers():
        urls = [server.given.get(x) for x in ("httpUrl", "serverUrl", "url")]
        for word in (*urls, *server.argv):
            found = _CLEAR.match(str(word))
            if found and not LOOPBACK.fullmatch(found[1]):
                yield server.hit(str(word), f"{found[0][:80]} is http")


@client_rule("MCP-CFG-023")
def unasked(client: Client) -> Iterator[Hit]:
    """The user is the last who can stop what an injected prompt asks for.

    A file in the project that lets tools run unasked holds for everybody who
    opens it (CVE-2025-53773, CVE-2025-54136).
    """
    for server in client.servers():
        for key in sorted(_UNASKED & server.given.keys()):
            allowed = server.given[key]
            names = allowed if isinstance(allowed, list) else [allowed]
            if any(x is True or _WRITES.search(str(x)) for x in names):
                yield server.hit(key, f"{key} lets its tools run unasked")
    given = client.settings
    rights = given.get("permissions")
    rights = rights if isinstance(rights, dict) else {}
    if given.get("enableAllProjectMcpServers") is True:
        key = "enableAllProjectMcpServers"
        yield client.hit(key, "every server of the project starts unasked")
    if rights.get("defaultMode") == "bypassPermissions":
        yield client.hit("bypassPermissions", "nothing is asked at all")
    for right in _list(rights.get("allow")):
        if _OF_ALL.fullmatch(right):
            yield client.hit(right, f"{right} runs unasked")
    for key in filter(_YOLO.fullmatch, given):
        if given[key] is True:
            yield client.hit(key, f"{key} lets every tool run unasked")


@client_rule("MCP-CFG-024")
def fetched_program(client: Client) -> Iterator[Hit]:
    """``curl … | sh`` runs whatever the other side sends that day."""
    for server in client.servers():
        for command in list(Downloads().executed(_commands(server)))[:1]:
            message = f"{command.name} executes what was fetched unverified"
            hit = server.hit(server.argv[-1], message)
            anchor = anchored(hit.anchor, *server.argv)
            yield dataclasses.replace(hit, anchor=anchor)


@client_rule("MCP-CFG-025")
def unchecked_servers(client: Client) -> Iterator[Hit]:
    """Anybody on the way can then answer in another's place.

    Or whoever comes is let in: ``DANGEROUSLY_OMIT_AUTH`` and its like.
    """
    for server in client.servers():
        given = server.variables
        for name, value in given.items():
            if TRUSTS_ALL.fullmatch(f"{name}={value}"):
                yield server.hit(name, f"by {name}")
        for opening in openings(given.items(), server.argv):
            yield server.hit(server.name, opening.message, opening.severity)
        for command in _commands(server):
            if (loose := unchecked(command)) and not fetched_package(
                server.argv
            ):
                yield server.hit(loose, f"{command.name} with {loose[:60]}")


def _commands(server: Server) -> list[Command]:
    try:
        return commands(server.argv)
    except ValueError as error:
        raise Unreadable(f"{server.client.path}: {error}") from None


def _list(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
