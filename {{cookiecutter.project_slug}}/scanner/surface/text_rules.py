"""What hides in the texts that a model reads and people seldom do."""

import base64
import contextlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import wraps

from ..rules import Hit, Rule
from ..ruletable import ruled
from ..secrets import engine
from .components import Component
from .disguises import disguised
from .phrases import MARKUP, plain
from .signs import confiding, ordering

MAX_TEXT = 2_000  # characters that a person still reads
_TAGS = re.compile("[\U000e0000-\U000e007f]")
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0100-\U000e01ef\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u2028\u2029\u2800\ue000-\uf8ff]"
)
_PICTURE = (
    "(?:[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf"
    "\u2900-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]\ufe0f?"
    "|[0-9#*]\ufe0f\u20e3)"
)
_JOINING = "[\u0600-\u06ff\u0900-\u0dff]"  # scripts written with joiners
#: Where such characters are at home: emoji, flags, Persian, Hindi and others.
_AT_HOME = re.compile(
    "\U0001f3f4[\U000e0061-\U000e007a]{2,6}\U000e007f"
    f"|{_PICTURE}(?:\u200d{_PICTURE})*"
    f"|(?<={_JOINING})[\u200c\u200d](?={_JOINING})"
)
#: What words can be written in, and how they are read again.
_ENCODED = {
    re.compile(r"[A-Za-z0-9+/]{24,}={0,2}"): base64.b64decode,
    re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){12,}"): bytes.fromhex,
}
#: No digest, which is an example of itself: SHA-256, SHA-384 and SHA-512.
_BLOB = re.compile(
    r"(?<![\w+/-])(?!(?:[0-9a-f]{32}){2,4}\b)"
    r"(?:[A-Za-z0-9+/_-]{80,}={0,2}|[0-9a-fA-F]{64,}\b)"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})
_ruled = ruled(__file__, on="text")
Look = Callable[[str, str], str]


def text(rule: str) -> Callable[[Look], Rule]:
    """Register what looks at one text, and where it stands.

    It returns what is wrong there, in a few words; empty if nothing is.
    """

    def decorate(look: Look) -> Rule:
        @wraps(look)
        def find(component: Component) -> Iterator[Hit]:
            for where, said in component.texts():
                if wrong := look(said, where):
                    yield component.hit(f"{wrong} in {where}", where)

        return _ruled(rule)(find)

    return decorate


@text("MCP-SUR-001")
def smuggled(said: str, _: str) -> str:
    """Unicode's tags mirror ASCII, show nowhere, and models read them.

    A whole order can be written with them into an honest description
    (ASCII smuggling).
    """
    hidden = _TAGS.findall(_AT_HOME.sub("", said))
    return f"{len(hidden)}" if hidden else ""


@text("MCP-SUR-002")
def unseen(said: str, _: str) -> str:
    """Zero-width and bidirectional characters change what is read.

    What a person approves on the screen is then not what the model gets.
    """
    found = _UNSEEN.search(_AT_HOME.sub("", said))
    return f"U+{ord(found[0]):04X}" if found else ""


@text("MCP-SUR-003")
def look_alike(said: str, _: str) -> str:
    """A Cyrillic letter in a Latin word makes another word of it.

    It passes for a name that people trust. Words in mathematicians' letters
    pass by whoever looks for words.
    """
    for word in _WORD.findall(said[:20_000]):
        if word.isascii():
            continue
        found = {unicodedata.name(c, "").split(" ")[0] for c in word}
        if len(found & _ALIKE) > 1 or "MATHEMATICAL" in found:
            return f"{word[:40]!a}"
    return ""


@text("MCP-SUR-004")
def markup(said: str, _: str) -> str:
    """Clients show Markdown; what stands in a comment or a tag they do not.

    ``<IMPORTANT>`` is how the first tool poisonings were written.
    """
    found = MARKUP.search(plain(said))
    return found[0][:30] if found else ""


@text("MCP-SUR-005")
def orders(said: str, where: str) -> str:
    """A description tells what a tool does; an order takes the model over.

    It works without the tool ever being called, on every other tool that
    the model has.
    """
    found = ordering(said, where)
    return f"“{found[:60]}”" if found else ""


@text("MCP-SUR-006")
def confidential(said: str, where: str) -> str:
    """No honest tool wants a key through the model, or the user kept out."""
    found = confiding(said, where)
    return f"“{found[:60]}”" if found else ""


@text("MCP-SUR-007")
def too_long(said: str, _: str) -> str:
    """In a text that nobody reads to its end anything can stand."""
    return f"{len(said)} characters" if len(said) > MAX_TEXT else ""


@text("MCP-SUR-008")
def encoded(said: str, where: str) -> str:
    """Models decode Base64 as they read; people do not."""
    blob = _BLOB.search(said) or _sentence(said)
    found = blob[0] if blob else disguised(said)
    shown = found and not where.endswith("pattern")
    return f"{len(found)} characters" if shown else ""


@text("MCP-SUR-015")
def secret(said: str, _: str) -> str:
    """What a model reads is sent to its provider and kept in transcripts."""
    found = engine.find(said.encode("utf-8", "replace"))
    return found[0].kind.title if found else ""


def _sentence(said: str) -> re.Match[str] | None:
    """Return what holds words, in Base64 or in hexadecimal numbers."""
    for pattern, read in _ENCODED.items():
        for found in pattern.finditer(said):
            whole = re.sub("[ :=]", "", found[0])
            with contextlib.suppress(ValueError):
                held = read(whole[: len(whole) // 4 * 4])
                if held.isascii() and held.count(b" ") > 1:
                    return found
    return None
