"""A text under the engine, and what is found in it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..model import Severity

SHORTEST = 14  # bytes; a shorter run of token characters is no token
LETTERS = 33  # bytes; a shorter token has a digit in it
LONGEST = 4096  # bytes; so long a run is data, not a token with a name
MOST_PLACES = 20  # of one value in one text
MOST_LOOKS = 100_000  # in one file
_TOKEN_CHARACTERS = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    b"_-+/=.~:@%$!|"
)
_DIGITS = b"0123456789"
_TO_RUNS = bytes(n if n in _TOKEN_CHARACTERS else 32 for n in range(256))


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of credential it is, as its rule says."""

    id: str
    title: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential at one place of a text. Its value is never shown.

    Attributes:
        name: What the text calls it, in words; empty where it has no name.
    """

    kind: Kind
    start: int
    value: bytes = field(repr=False)
    name: str = ""

    @property
    def end(self) -> int:
        """Where the value ends in the text."""
        return self.start + len(self.value)


class Budget:
    """How many places in one file may be looked at closely (CWE-400)."""

    def __init__(self, places: int = MOST_LOOKS) -> None:
        self._left = places

    @property
    def overdrawn(self) -> bool:
        """True when something was left out: say so in the coverage."""
        return self._left < 0

    def spend(self) -> bool:
        """Take one; False when there is none left."""
        self._left -= 1
        return self._left >= 0


class Source:
    """A text, taken apart once for all that look at it.

    Attributes:
        lower: The text with ASCII letters in lower case, byte for byte.
        runs: Each different stretch of characters that tokens are made of.
        joined: The runs with a line break between them.
    """

    def __init__(
        self, data: bytes, path: str = "", budget: "Budget | None" = None
    ) -> None:
        self.data = data
        self.path = path
        self.budget = budget or Budget()
        self.lower = data.lower()
        words = {*data.translate(_TO_RUNS).split()}
        self.runs = [
            word
            for word in words
            if len(word) >= SHORTEST
            and (
                len(word) > LETTERS
                or len(word.translate(None, _DIGITS)) < len(word)
            )
        ]
        self.joined = b"\n".join(self.runs)

    def places(self, value: bytes) -> Iterator[int]:
        """Yield where the value stands in the text."""
        start = self.data.find(value)
        for _ in range(MOST_PLACES):
            if start < 0:
                return
            yield start
            start = self.data.find(value, start + len(value))

    def all(self, *words: bytes) -> Iterator[int]:
        """Yield where one of the words (in lower case) ends, in any case."""
        for word in words:
            start = self.lower.find(word)
            while start >= 0 and self.budget.spend():
                yield start + len(word)
                start = self.lower.find(word, start + len(word))
