"""What hides in the texts that a model reads and people seldom do."""

import re
import unicodedata
from collections.abc import Iterator

from ..rules import Hit
from ..ruletable import ruled
from ..secrets import engine
from .components import Component

MAX_TEXT = 2_000  # characters that a person still reads
_TAGS = re.compile("[\U000e0000-\U000e007f]")
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0100-\U000e01ef\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
_EMOJI = re.compile("[\u00a9-\u3299\U0001f000-\U0001faff]\ufe0f")
_MARKUP = re.compile(
    r"<!--|<\s*/?\s*(?:important|system|secret|hidden|instructions?|admin"
    r"|assistant|user|prompt|rule|override|critical)\b[^>]*>"
    r"|\[/?(?:INST|SYSTEM)\]|<\|[a-z_]+\|>",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"\b(?:before|prior to|after|whenever|every time)\b[^.]{0,40}\b(?:using|"
    r"calling|invoking|running|use|call)\b[^.]{0,30}\b(?:any|other|another|"
    r"this|the|every|all)\b[^.]{0,20}\btools?\b"
    r"|\b(?:ignore|disregard|forget|override)\b[^.]{0,30}\b(?:previous|prior|"
    r"above|earlier|other|all|your)\b[^.]{0,20}\b(?:instructions?|rules?|"
    r"prompts?|messages?|tools?|guidelines?)\b"
    r"|\byou (?:must|have to|should) (?:always |first )?(?:call|use|invoke|"
    r"read|send|pass|include|run)\b"
    r"|\b(?:always|only) use this tool\b|\binstead of (?:any|the) other tool"
    r"|\bdo not use (?:any )?other tools?\b|\byou are now\b"
    r"|\bnew instructions?:",
    re.IGNORECASE,
)
_SECRETS = re.compile(
    r"(?:~|\$HOME|/root|/home/\w+)/\.(?:ssh|aws|config|env|netrc|gnupg|kube)"
    r"|\bid_(?:rsa|ed25519)\b|/etc/(?:passwd|shadow)\b|\bmcp\.json\b"
    r"|\b(?:pass|send|include|provide|give|read|append|attach|put)\b[^.]{0,50}"
    r"\b(?:api[ _-]?keys?|passwords?|credentials?|secrets?|private keys?|"
    r"access tokens?|environment variables?|system prompt|conversation"
    r"(?: history)?|chat history)\b"
    r"|\b(?:do not|don't|never|without)\b[^.]{0,25}\b(?:tell|mention|inform|"
    r"reveal|show|notify|telling|mentioning|informing|notifying|alert)\b"
    r"[^.]{0,30}\b(?:the )?(?:users?|anyone|human|them)\b"
    r"|\b(?:keep|stay) (?:this |it )?(?:secret|silent|hidden)\b",
    re.IGNORECASE,
)
_BLOB = re.compile(r"[A-Za-z0-9+/_-]{80,}={0,2}|\b[0-9a-fA-F]{64,}\b")
_WORD = re.compile(r"[^\W\d_]{2,}")
_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})
text = ruled(__file__, on="text")


@text("MCP-SUR-001")
def smuggled(component: Component) -> Iterator[Hit]:
    """Unicode's tags mirror ASCII, show nowhere, and models read them.

    A whole order can be written with them into an honest description
    (ASCII smuggling).
    """
    for where, said in component.texts():
        hidden = _TAGS.findall(said)
        if hidden:
            yield component.hit(f"{len(hidden)} in {where}", where)


@text("MCP-SUR-002")
def unseen(component: Component) -> Iterator[Hit]:
    """Zero-width and bidirectional characters change what is read.

    What a person approves on the screen is then not what the model gets.
    """
    for where, said in component.texts():
        found = _UNSEEN.search(_EMOJI.sub("", said))
        if found:
            code = f"U+{ord(found[0]):04X}"
            yield component.hit(f"{code} in {where}", where)


@text("MCP-SUR-003")
def look_alike(component: Component) -> Iterator[Hit]:
    """A Cyrillic letter in a Latin word makes another word of it.

    It passes for a name that people trust.
    """
    for where, said in component.texts():
        for word in _WORD.findall(said[:20_000]):
            if word.isascii():
                continue
            found = {unicodedata.name(c, "").split(" ")[0] for c in word}
            if len(found & _ALIKE) > 1:
                yield component.hit(f"{word[:40]!a} in {where}", where)
                break


@text("MCP-SUR-004")
def markup(component: Component) -> Iterator[Hit]:
    """Clients show Markdown; what stands in a comment or a tag they do not.

    ``<IMPORTANT>`` is how the first tool poisonings were written.
    """
    for where, said in component.texts():
        found = _MARKUP.search(said)
        if found:
            yield component.hit(f"{found[0][:30]} in {where}", where)


@text("MCP-SUR-005")
def orders(component: Component) -> Iterator[Hit]:
    """A description tells what a tool does; an order takes the model over.

    It works without the tool ever being called, on every other tool that
    the model has.
    """
    for where, said in component.texts():
        found = _ORDERS.search(said)
        if found:
            yield component.hit(f"“{found[0][:60]}” in {where}", where)


@text("MCP-SUR-006")
def confidential(component: Component) -> Iterator[Hit]:
    """No honest tool wants a key through the model, or the user kept out."""
    for where, said in component.texts():
        found = _SECRETS.search(said)
        if found:
            yield component.hit(f"“{found[0][:60]}” in {where}", where)


@text("MCP-SUR-007")
def too_long(component: Component) -> Iterator[Hit]:
    """In a text that nobody reads to its end anything can stand."""
    for where, said in component.texts():
        if len(said) > MAX_TEXT:
            yield component.hit(f"{len(said)} characters in {where}", where)


@text("MCP-SUR-008")
def encoded(component: Component) -> Iterator[Hit]:
    """Models decode Base64 as they read; people do not."""
    for where, said in component.texts():
        found = _BLOB.search(said)
        if found and not where.endswith("pattern"):
            yield component.hit(
                f"{len(found[0])} characters in {where}", where
            )


@text("MCP-SUR-015")
def secret(component: Component) -> Iterator[Hit]:
    """What a model reads is sent to its provider and kept in transcripts."""
    for where, said in component.texts():
        for found in engine.find(said.encode("utf-8", "replace"))[:1]:
            yield component.hit(f"{found.kind.title} in {where}", where)
