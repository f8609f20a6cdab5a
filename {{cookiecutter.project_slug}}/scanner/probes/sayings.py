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
#: What nobody sees, one character or many spaces; we send some ourselves.
UNSEEN: Final = frozenset({"MCP-SUR-002", "MCP-SUR-004"})
#: What no answer holds; and what only a prompt may, which is written to order
#: the model about and to be read by people before.
HIDDEN: Final = frozenset({"MCP-SUR-001", "MCP-SUR-002"})
ORDERS: Final = frozenset({"MCP-SUR-004", "MCP-SUR-005", "MCP-SUR-006"})


def behind_backs(
    component: Component, answer: Mapping[str, Any], sent: tuple[str, ...]
) -> Iterator[str]:
    """Yield what is wrong with the answer to a request that is harmless.

    Args:
        component: What was asked.
        answer: What came back.
        sent: What stands beside the unseen in what we sent ourselves, and
            nobody can guess.
    """
    is_prompt = component.kind == "prompt"
    said = Component(
        component.kind, component.name, {"answer": answer.get("result")}
    )
    judged = HIDDEN if is_prompt else HIDDEN | ORDERS
    if any(word in json.dumps(answer) for word in sent):
        judged -= UNSEEN
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
