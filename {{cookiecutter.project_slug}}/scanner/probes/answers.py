"""Judges what a server answers to an attack."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from ..live import refused
from ..model import Severity
from ..secrets import engine
from ..surface.components import Component
from .lab import Lab
from .payloads import ENVIRONMENT, filled, reached
from .shots import Shot

OUTPUT: Final = 2**16  # characters of a result; the server is told so
_STACK: Final = re.compile(
    r"Traceback \(most recent|File \\?\"[^\"]+\", line \d"
)
_INSIDE: Final = re.compile(
    r"pydantic\.|input_value=|errors\.pydantic\.dev|\bat 0x[0-9a-f]{8,}|"
    r"\b[A-Z][A-Za-z]+(?:Error|Exception)\b|site-packages|Errno"
)
_VARIABLE: Final = re.compile(r"\bWORKSPACE_PATH=")


def faults(
    lab: Lab, project: str, shot: Shot, answer: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the probes that an answer, or its traces, give a reason for.

    Args:
        lab: Whose words must not be in it.
        project: Where the server's code lies, which nobody is to learn.
        shot: What was asked.
        answer: What came back.
    """
    text = json.dumps(answer, ensure_ascii=False)
    is_refused = refused(answer)
    if told(lab.outside, text):
        yield "MCP-PRB-001"
    if told(lab.inside, text) or _VARIABLE.search(text):
        as_file = shot.label.startswith(ENVIRONMENT)
        yield "MCP-PRB-001" if as_file else "MCP-PRB-003"
    if lab.executed():
        yield "MCP-PRB-004"
    if _STACK.search(text) or (is_refused and _INSIDE.search(text)):
        yield "MCP-PRB-005"
    if project in text or lab.own_path.search(text):
        yield "MCP-PRB-006"
    if shot.misfit and not is_refused:
        yield "MCP-PRB-007"
    if len(text) > 4 * OUTPUT:
        yield "MCP-PRB-025"
    if reached(lab) in text:
        yield "MCP-PRB-050"
    if any(made in text for made in filled(lab)):
        yield "MCP-PRB-027"


def credentials(answer: Mapping[str, Any], lab: Lab) -> dict[bytes, str]:
    """Return the live credentials in an answer, each with what it is.

    A word of ours, under a name that a credential would have, is none.
    """
    ours = [word.encode() for word in (lab.sent, lab.within, lab.inside)]
    said = Component("answer", "", answer).texts()
    whole = "\n".join(text for _, text in said).encode("utf-8", "replace")
    return {
        secret.value: secret.kind.title
        for secret in engine.find(whole)
        if secret.kind.severity.rank <= Severity.HIGH.rank
        and not any(word in secret.value for word in ours)
    }


def told(word: str, text: str) -> bool:
    """Tell whether a text holds a word, however it is spelled."""
    return any(spelled in text for spelled in _spellings(word))


@lru_cache(maxsize=32)
def _spellings(word: str) -> tuple[str, ...]:
    """Return a word as it is, reversed, in hexadecimal and in Base64.

    In Base64 a word looks different at each of three places; its ends, which
    depend on what stands beside it, are left out.
    """
    data = word.encode()
    shifted = (base64.b64encode(b"\0" * n + data) for n in range(3))
    in_base64 = (text[4:-4].decode() for text in shifted)
    return word, word[::-1], data.hex(), *in_base64
