"""Judges what an answer says to the model behind its user's back."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..rules import rules_for
from ..surface import text_rules
from ..surface.components import Component
from ..surface.phrases import in_words
from ..surface.signs import OVERRULING, confiding, telling

_RULES: Final = (text_rules,)  # imported, so that they are registered
#: What no answer holds; and what only a prompt may, which is written to order
#: the model about and to be read by people before.
HIDDEN: Final = frozenset({"MCP-SUR-001", "MCP-SUR-002"})
#: How archives begin, or what stands in them.
ARCHIVES: Final = ("PK\\u0003\\u0004", "ustar")
ORDERS: Final = frozenset({"MCP-SUR-004", "MCP-SUR-005", "MCP-SUR-006"})


def behind_backs(
    component: Component, answer: Mapping[str, Any]
) -> Iterator[str]:
    """Yield what is wrong with the answer to a request that is harmless."""
    is_prompt = component.kind == "prompt"
    text = json.dumps(answer)
    if any(mark in text for mark in ARCHIVES):
        return  # what hides in an archive of ours, we have put there
    said = Component(
        component.kind, component.name, {"answer": answer.get("result")}
    )
    judged = HIDDEN if is_prompt else HIDDEN | ORDERS
    for rule in rules_for("MCP-SUR-", on="text"):
        if rule.id in judged:
            for finding in rule.findings(said):
                yield f"{finding.title}: {finding.message.partition(': ')[2]}"
    if is_prompt:
        yield from _in_prompt(said)


def _in_prompt(said: Component) -> Iterator[str]:
    for where, text in said.texts():
        found = confiding(text) or telling(in_words(text), OVERRULING)
        if found:
            yield f"“{found[:60]}” in {where}"
