"""Signs that a sentence orders a model about, whatever words it takes.

A phrase can be said in a hundred ways; what it asks for cannot. Each sign is
harmless by itself, and honest descriptions show one or two of them. A
sentence that shows enough of them tells the model whom to obey, what to call
first, or what to hand over.
"""

import re
from typing import Final

from .vocabulary import TABLE

LONGEST: Final = 600  # characters of a sentence that are looked at

SIGNS: Final = {name: re.compile(text) for name, text in TABLE.items()}
Together = tuple[frozenset[str], ...]


def _together(*each: str) -> Together:
    return tuple(frozenset(one.split(", ")) for one in each)


#: What nobody says to a model for its user's good.
OVERRULING: Final = _together(
    "what was said is overruled",
    "answers are obeyed",
    "others' words are obeyed",
    "nobody is asked",
    "it is said in another language",
)
#: What no honest sentence shows together: it gives the model orders …
ORDERING: Final = OVERRULING + _together(
    "it is done on the quiet, the model is meant",
    "it is done on the quiet, it is an order",
    "the user is overruled, it is an order",
    "the user is overruled, it comes first",
    "the user is overruled, other tools are meant",
    "the user is overruled, it goes on all the same",
    "a guard is let down, it is an order",
    "a guard is let down, the model is meant",
    "a guard is let down, questions are skipped",
    "other tools are meant, it comes first, it is an order",
    "other tools are meant, it comes first, it is forbidden",
    "other tools are meant, it comes first, it holds everywhere",
    "other tools are meant, other tools are run down, it is an order",
    "other tools are meant, other tools are run down, it comes first",
    "other tools are meant, other tools are run down, it is forbidden",
    "the model is meant, it is an order, it comes first",
    "it comes first, it holds everywhere, it is this one",
    "it comes first, other tools are meant, it is this one",
    "somebody is named who may order, it comes first, it is an order",
    "it holds everywhere, it is this one, it is an order",
    "it is this one, it is forbidden, it comes first",
    "it is forbidden, other tools are run down",
    "others are overruled, it is an order",
    "another tool is used, it is how others are called, it is an order",
    "another tool is used, it is how others are called, it is handed over",
)
#: … or wants what is nobody's business, or the user kept out.
CONFIDING: Final = _together(
    "the user is kept out",
    "the user is deceived",
    "the model is meant, it comes first, it is a secret",
    "it is handed over, it is done on the quiet, it is a secret",
    "it is handed over, it is done on the quiet, it goes elsewhere",
    "it is handed over, it is a secret, the model is meant",
    "it is handed over, it is a secret, it is an order",
    "it is handed over, it is a secret, it goes elsewhere",
    "it is handed over, it was said in confidence, the model is meant",
    "it is handed over, it was said in confidence, it is an order",
    "it is handed over, it was said in confidence, it goes elsewhere",
    "it is handed over, it goes elsewhere, it is an order",
    "it is the model's own",
    "it is handed over, it is a secret, the model looks for it",
    "it is handed over, the model looks for it, it is an argument",
    "it is handed over, it was said in confidence, it holds everywhere",
    "it is handed over, it was said in confidence, it is an argument",
    "it is filled in, it is a secret, the model looks for it",
    "it is filled in, the model looks for it, it is an argument",
    "it is filled in, it was said in confidence, it is an argument",
    "it is filled in, a secret is looked for, it is an argument",
    "it is a secret, its content is meant, it is an order",
    "it is a secret, its content is meant, it is handed over, it comes first",
    "other tools are meant, it is handed over, it goes elsewhere",
)
_SENTENCE: Final = re.compile(r"(?<=[.!?。])\s+|\n\s*\n|\n(?=\s*[-*#\d])")


def telling(text: str, together: Together) -> str:
    """Return the first sentence that shows enough signs; empty if none."""
    for sentence in _SENTENCE.split(text.lower()):
        shown = signs(sentence[:LONGEST])
        if any(each <= shown for each in together):
            return sentence.strip()
    return ""


def signs(sentence: str) -> frozenset[str]:
    """Return the signs that a sentence in small letters shows."""
    shown = (name for name, sign in SIGNS.items() if sign.search(sentence))
    return frozenset(shown)
