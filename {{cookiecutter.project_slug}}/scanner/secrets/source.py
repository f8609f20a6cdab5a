"""A text under the engine, and what is found in it."""

import bisect
import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..model import Severity

SHORTEST = 14  # bytes; a shorter run of token characters is no token
LETTERS = 22  # bytes; a shorter token has a digit in it
LONGEST = 8192  # bytes; a longer run is data, not a token
MOST_PLACES = 20  # of one value in one text
MOST_LOOKS = 100_000  # in one file
_TOKEN_CHARACTERS = (
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    b"_-+/=.~:@%$!|"
)
_DIGITS = b"0123456789"
_RUN = re.compile(b"[" + re.escape(_TOKEN_CHARACTERS) + b"]{14,}")
# What locks are full of, and no token: a digest, and when it was uploaded.
_NONE = re.compile(
    rb"sha(?:256|384|512):[0-9a-f]{64,128}"
    rb"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z"
)
# Of these a name makes no secret.
_DULL = re.compile(
    rb"^(?:sha\d{1,3}|md5|h1)[:=-]|://|arn:aws"  # named things
    rb"|(?:^|[=:])(?:\$[\w-]{1,12}\$|(?:pbkdf2|argon2|scrypt)\w*[:$]"  # hashes
    rb"|0x[0-9A-Fa-f]{40}$)"  # an account of Ethereum
)
_DULL_STARTS = (b"sha", b"md5", b"0x")
# Values of Sealed Secrets, and those that SOPS has encrypted one by one.
_ENCRYPTED_WORDS = re.compile(rb"encryptedData|ENC\[")
_ENCRYPTED = re.compile(
    rb"^(?P<indent> *)encryptedData:[ \t]*\n(?:(?P=indent) +[^\n]*\n?)+"
    rb"|ENC\[[^\[\]\n]{1,8192}\]",
    re.MULTILINE,
)
_COLOUR = re.compile(rb"\x1b\[[\d;]{0,20}m")
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
    """How many places in one file may be looked at closely (CWE-400).

    Attributes:
        overdrawn: Something was left out: say so in the coverage.
    """

    def __init__(self, places: int = MOST_LOOKS) -> None:
        self._left = places
        self.overdrawn = False

    def spend(self, places: int = 1) -> bool:
        """Take some; False when there are none left."""
        self._left -= places
        self.overdrawn |= self._left < 0
        return self._left >= 0


class Source:
    """A text, taken apart once for all that look at it.

    Attributes:
        lower: The text with ASCII letters in lower case, byte for byte.
        joined: Each different stretch of characters that tokens are made of,
            if it can hold one, with a line break between them.
        runs: Those of them that a name may make a secret.
    """

    def __init__(
        self, data: bytes, path: str = "", budget: "Budget | None" = None
    ) -> None:
        self.data = data
        self.path = path
        self.budget = budget or Budget()
        self._cut = _without_escapes(data)
        self.lower = data.lower()
        words = {*self._cut.translate(_TO_RUNS).split()}
        runs = [
            word
            for word in words
            if SHORTEST <= len(word) <= LONGEST
            and (
                len(word) > LETTERS
                or len(word.translate(None, _DIGITS)) < len(word)
            )
            and not _NONE.fullmatch(word)
        ]
        self.joined = b"\n".join(runs)
        self.runs = [run for run in runs if not _dull(run)]

    def places(self, found: re.Match[bytes]) -> Iterator[int]:
        """Yield where in the text stands what was found in ``joined``."""
        begin = self.joined.rfind(b"\n", 0, found.start()) + 1
        end = self.joined.find(b"\n", found.end())
        run = self.joined[begin : end if end >= 0 else None]
        for start in self.starts[run]:
            yield start + found.start() - begin

    @functools.cached_property
    def starts(self) -> dict[bytes, list[int]]:
        """Where each run begins, at most so often."""
        places: dict[bytes, list[int]] = defaultdict(list)
        for found in _RUN.finditer(self._cut):
            if len(places[found[0]]) < MOST_PLACES:
                places[found[0]].append(found.start())
        return places

    def harmless(self, at: int) -> bool:
        """Tell whether the place is in a manual's session, or encrypted."""
        line = self.data.rfind(b"\n", max(0, at - LONGEST), at) + 1
        before = self.data.rfind(b"\n", max(0, line - LONGEST), line - 1) + 1
        return any(
            self.data[begin:at].lstrip().startswith((b">>> ", b"... "))
            for begin in (line, before)
        ) or self._is_encrypted(at)

    def quoted(self, at: int) -> bool:
        """Tell whether it is in a string or a comment of its own line."""
        begin = self.data.rfind(b"\n", max(0, at - LONGEST), at) + 1
        line = self.data[begin:at]
        return bool(
            line.lstrip().startswith((b"#", b"//", b"--"))
            or line.count(b'"') % 2
            or line.count(b"'") % 2
        )

    def _is_encrypted(self, at: int) -> bool:
        """Tell whether the place is in what may be published as it is."""
        index = bisect.bisect(self._encrypted, (at, len(self.data)))
        return index > 0 and at < self._encrypted[index - 1][1]

    @functools.cached_property
    def _encrypted(self) -> list[tuple[int, int]]:
        if not _ENCRYPTED_WORDS.search(self.data):
            return []
        return [found.span() for found in _ENCRYPTED.finditer(self.data)]

    def all(self, *words: bytes) -> Iterator[int]:
        """Yield where one of the words (in lower case) ends, in any case."""
        for word in words:
            start = self.lower.find(word)
            while start >= 0 and self.budget.spend():
                yield start + len(word)
                start = self.lower.find(word, start + len(word))


def _dull(run: bytes) -> bool:
    """Tell whether no name makes it a secret: the quick questions first."""
    return (
        b":" in run
        or b"=" in run
        or b"$" in run
        or run.startswith(_DULL_STARTS)
    ) and _DULL.search(run) is not None


def _without_escapes(data: bytes) -> bytes:
    """Put spaces where a letter belongs to an escape, and begins no word."""
    for escape in (b"\\n", b"\\r", b"\\t") if b"\\" in data else ():
        data = data.replace(escape, b"  ")
    if b"\x1b" not in data:
        return data
    return _COLOUR.sub(lambda found: b" " * len(found[0]), data)
