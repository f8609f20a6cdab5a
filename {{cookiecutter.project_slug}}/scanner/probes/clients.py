"""Attacks of one client on another: whose words come back to whom."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..model import Finding
from ..surface.components import Component
from .answers import told
from .findings import found
from .lab import new_word
from .limits import LIMIT
from .schemas import sample
from .target import Target, address

#: What both clients say where neither is to be known by it.
COMMON: Final = "probe"


def strangers_words(target: Target) -> Iterator[Finding]:
    """Send words as one client, and look for them as another.

    The workspace belongs to all of them, so it is put right in between. Who
    asks for nothing comes first: the second client's own words must not take
    the place of the first's. Where this machine has one address only, there
    is one client only.
    """
    first, second = address(4), address(5)
    if first == second:
        return
    called = [c for c in target.components if _is_asked(c)]
    called.sort(key=lambda c: len(c.parameters))
    word = new_word()
    for component in called:
        for request in _requests(component, word)[:LIMIT]:
            _ask(target, request, first)
    target.lab.build()
    for component in called:
        asked = [_request(component, text) for text in (new_word(), COMMON)]
        asked.insert(0, _briefly(component))  # what is kept is as it was
        answers = [_ask(target, request, second) for request in asked]
        if any(told(word, said) or first in said for said in answers):
            said = "what another client had sent"
            yield found("MCP-PRB-030", said, component)
    target.lab.build()


def _is_asked(component: Component) -> bool:
    reaches_out = component.marks.get("openWorldHint")
    return component.kind != "instructions" and not reaches_out


Request = tuple[str, dict[str, Any]]


def _ask(target: Target, request: Request, source: str) -> str:
    """Return what this client is answered."""
    session = target.server.session(source)
    return target.server.rpc(*request, source, session).text


def _requests(asked: Component, word: str) -> list[Request]:
    """Return requests with the word: in every place, then in one at a time.

    What is kept under a name is found by whoever uses that name again.
    """
    method, params = _request(asked, word)
    _, common = _request(asked, COMMON)
    given, shared = params.get("arguments", {}), common.get("arguments", {})
    places = [k for k, v in given.items() if v != shared[k]]
    one_by_one = [
        (method, {**params, "arguments": {**shared, name: given[name]}})
        for name in (places if len(places) > 1 else ())
    ]
    return [(method, params), *one_by_one]


def _request(asked: Component, word: str) -> Request:
    if asked.kind == "tool":
        given = {k: _filled(v, word) for k, v in asked.parameters.items()}
        return "tools/call", {"name": asked.name, "arguments": given}
    if asked.kind == "prompt":
        listed = asked.data.get("arguments") or []
        texts = {str(each.get("name")): word for each in listed}
        return "prompts/get", {"name": asked.name, "arguments": texts}
    return "resources/read", {"uri": re.sub(r"\{[^}]*\}", word, asked.name)}


def _briefly(asked: Component) -> Request:
    """Return the common request, without what may be left out."""
    method, params = _request(asked, COMMON)
    given = params.get("arguments", {})
    optional = {k for k, v in asked.parameters.items() if "default" in v}
    brief = {k: v for k, v in given.items() if k not in optional}
    return method, {**params, "arguments": brief} if optional else params


def _filled(schema: Mapping[str, Any], word: str) -> Any:
    """Return a value that fits, with the word in it if a text may be."""
    bare = {k: v for k, v in schema.items() if k != "default"}
    return sample({"minItems": 1, **bare}, word)
