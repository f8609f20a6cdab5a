"""Signs that a sentence orders a model about, whatever words it takes.

A phrase can be said in a hundred ways; what it asks for cannot. Each sign is
harmless by itself, and honest descriptions show one or two of them. A
sentence that shows enough of them tells the model whom to obey, what to call
first, or what to hand over.
"""

import re
import tomllib
from pathlib import Path
from typing import Final

from .phrases import CONFIDENTIAL, ORDERS, in_words, unwrapped

LONGEST: Final = 600  # characters of a sentence that are looked at

_FILE: Final = Path(__file__).with_name("vocabulary.toml")
_TABLES: Final = tomllib.loads(_FILE.read_text("utf-8"))


def _pattern(text: str) -> str:
    """Return a pattern of the table in one line, its parts put in."""
    for name, part in _TABLES["parts"].items():
        text = text.replace(name, part)
    return text.replace("\n", "")


SIGNS: Final = {
    name: re.compile(_pattern(text)) for name, text in _TABLES["signs"].items()
}
_WORDS: Final = tuple(_TABLES["glossary"])
#: A foreign word begins where a word does, or amid letters without spaces.
_FOREIGN: Final = re.compile(
    "|".join(
        rf"((?:\b|(?<=[^\W\da-zà-ž]))(?:{'|'.join(words.split())}))"
        for words in _TABLES["glossary"].values()
    )
)
#: What the place says of a sentence before it is read.
PLACES: Final = {
    "it stands at an argument": re.compile(r"\.properties\..*\.description$"),
    "it stands for a value": re.compile(
        r"\.(?:default|const|title|(?:enum|examples)\[\d+\])$"
    ),
}
Together = tuple[frozenset[str], ...]


def _together(name: str) -> Together:
    listed = _TABLES["together"][name]
    return tuple(frozenset(each.split(", ")) for each in listed)


OVERRULING: Final = _together("overruling")
ORDERING: Final = OVERRULING + _together("ordering")
CONFIDING: Final = _together("confiding")
_SENTENCE: Final = re.compile(r"(?<=[.!?。])\s+|\n\s*\n|\n(?=\s*[-*#\d])")


def ordering(said: str, where: str = "") -> str:
    """Return what in a text gives a model orders; empty if nothing does."""
    phrase = ORDERS.search(in_words(said))
    return phrase[0] if phrase else telling(in_words(said), ORDERING, where)


def confiding(said: str, where: str = "") -> str:
    """Return what in a text asks for secrets or silence; empty if nothing."""
    phrase = CONFIDENTIAL.search(unwrapped(said))
    return phrase[0] if phrase else telling(in_words(said), CONFIDING, where)


def telling(text: str, together: Together, where: str = "") -> str:
    """Return the first sentence that shows enough signs; empty if none.

    Args:
        text: What is read.
        together: Signs that are enough together.
        where: Its place in what a server offers, which is a sign too.
    """
    implied = {sign for sign, place in PLACES.items() if place.search(where)}
    for sentence in _SENTENCE.split(text.lower()):
        shown = signs(sentence[:LONGEST]) | implied
        if any(each <= shown for each in together):
            return sentence.strip()
    return ""


def signs(sentence: str) -> frozenset[str]:
    """Return the signs that a sentence in small letters shows."""
    shown = set()
    if _FOREIGN.search(sentence):
        shown.add("it is said in another language")
        sentence = " ".join(_FOREIGN.sub(_in_english, sentence).split())
    shown.update(n for n, sign in SIGNS.items() if sign.search(sentence))
    return frozenset(shown)


def _in_english(found: re.Match[str]) -> str:
    return f" {_WORDS[(found.lastindex or 1) - 1]} "
