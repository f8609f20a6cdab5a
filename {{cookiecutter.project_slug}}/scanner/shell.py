"""A shell script as the commands that it runs, read once from left to right.

Good enough to see what is fetched and what is executed; it is no shell. The
time is linear in the script's length, whatever the script holds.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

MAX_COMMANDS = 5_000  # of one script
MAX_LENGTH = 2**20  # characters of one script
MAX_DEPTH = 100  # substitutions inside each other
SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "fish"})
FETCHERS = frozenset(
    {"curl", "wget", "wget2", "aria2c", "fetch", "http", "https"}
    | {"iwr", "irm", "invoke-webrequest", "invoke-restmethod"}
)
_WRAPPERS = frozenset(
    {"sudo", "doas", "env", "exec", "command", "builtin", "nohup", "time"}
    | {"nice", "ionice", "timeout", "setsid", "xargs", "busybox", "then"}
    | {"do", "else", "if", "elif", "while", "until", "!", "{", "stdbuf"}
)
_WITH_VALUE = frozenset({"-u", "-g", "-n", "-k", "--user", "--group"})
_SETTING = re.compile(r"[A-Za-z_]\w*\+?=.*|\d+[smhd]?", re.DOTALL)
_PLAIN = re.compile(
    r"(?P<space>(?:[ \t\r]|\\\r?\n)+)|(?P<quote>\")|'(?P<raw>[^']*)'"
    r"|(?P<open>[<>$]?\()|(?P<close>\))|(?P<tick>`)"
    r"|(?P<pipe>\|&?(?!\|))|(?P<end>&&|\|\||;+|\n|&(?!>))"
    r"|(?P<redirect>\d*(?:&>>?|<<<|<<-?|[<>]{1,2}\|?)&?)"
    r"|(?P<comment>(?<![^\s;|&(])\#[^\n]*)|\\(?P<escaped>.)"
    r"|(?P<text>[^\s\"'()<>$`|&;\\\#]+|.)",
    re.DOTALL,
)
_QUOTED = re.compile(
    r"(?P<quote>\")|(?P<open>\$\()|(?P<tick>`)|\\(?P<escaped>.)"
    r"|(?P<text>[^\"$`\\]+|.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command.

    Attributes:
        words: The program and its arguments, without quotes.
        targets: The files into which it writes its output.
        line: Counted from 0 in the script.
        fetched: What it reads comes, through pipes, from the network.
        piped: It reads what the command before it writes.
        feeds: The words before the ``$(…)`` or ``<(…)`` that it stands in.
    """

    words: tuple[str, ...]
    targets: tuple[str, ...] = ()
    line: int = 0
    fetched: bool = False
    feeds: tuple[str, ...] = ()
    piped: bool = False

    @property
    def program(self) -> tuple[str, ...]:
        """Its words, past ``sudo``, ``env X=1`` and the like."""
        words = iter(self.words)
        for word in words:
            if word in _WITH_VALUE:
                next(words, None)
            elif not (
                word in _WRAPPERS
                or _SETTING.fullmatch(word)
                or word.startswith("-")
            ):
                return (word, *words)
        return ()

    @property
    def name(self) -> str:
        """The program's file name, in lower case."""
        return posixpath.basename(next(iter(self.program), "")).lower()

    @property
    def options(self) -> list[str]:
        """The arguments that begin with a hyphen."""
        return [word for word in self.program[1:] if word.startswith("-")]

    @property
    def operands(self) -> list[str]:
        """The arguments that do not."""
        return [word for word in self.program[1:] if not word.startswith("-")]


def commands(script: str | Sequence[str], depth: int = 0) -> list[Command]:
    """Return the commands of a script, or of an argument list.

    Raises:
        ValueError: There are more, or deeper ones, than in any real script.
    """
    if len(script) > MAX_LENGTH:
        raise ValueError(f"a script of more than {MAX_LENGTH} characters")
    if isinstance(script, str):
        found = list(islice(_Reader(script).read(), MAX_COMMANDS + 1))
    else:
        found = [Command(tuple(script))]
    for command in tuple(found):
        text = _script_of(command) if depth < 3 else ""
        found += commands(text, depth + 1) if text else ()
    if len(found) > MAX_COMMANDS:
        raise ValueError(f"more than {MAX_COMMANDS} commands in one script")
    return found


def _script_of(command: Command) -> str:
    """Return the script in ``sh -c 'script'`` or ``eval script``."""
    if command.name == "eval":
        return " ".join(command.program[1:])
    if command.name not in SHELLS | {"su"}:
        return ""
    words = iter(command.program[1:])
    for word in words:
        if re.fullmatch(r"-[a-z]*c", word):
            return next(words, "")
    return ""


@dataclass(slots=True)
class _Frame:
    """A place where commands are read: the script, or a ``$(…)`` in it."""

    opener: str = ""
    feeds: tuple[str, ...] = ()
    fetched: bool = False
    words: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    word: list[str] | None = None
    line: int = 0
    quoted: bool = False
    redirect: str = ""
    fetches: bool = False
    piped: bool = False

    def finish_word(self) -> None:
        if self.word is None:
            return
        text = "".join(self.word)
        if ">" in self.redirect:
            self.targets.append(text)
        elif "<<" not in self.redirect:  # sh < file is sh file
            self.words.append(text)
        self.word, self.redirect = None, ""


class _Reader:
    """Goes through a script with a stack of the places it is in."""

    def __init__(self, script: str) -> None:
        self._script = script
        self._stack = [_Frame()]
        self._line = 0

    def read(self) -> Iterator[Command]:
        position = 0
        while position < len(self._script):
            pattern = _QUOTED if self._stack[-1].quoted else _PLAIN
            token = pattern.match(self._script, position)
            if token is None:  # neither pattern leaves a character out
                break
            position = token.end()
            kind = token.lastgroup or ""
            yield from self._take(kind, token[kind] if kind else "")
            self._line += token[0].count("\n")
        while self._stack:
            yield from self._end()
            self._stack.pop()

    def _take(self, kind: str, text: str) -> Iterator[Command]:
        frame = self._stack[-1]
        if kind in {"text", "raw", "escaped", "quote"}:
            self._add("" if kind == "quote" else text)
            frame.quoted ^= kind == "quote"
        elif kind == "space":
            frame.finish_word()
        elif kind == "redirect":
            frame.finish_word()
            frame.redirect = text
        elif kind == "close" or (kind == "tick" and frame.opener == "`"):
            yield from self._close()
        elif kind in {"open", "tick"}:
            yield from self._open(text)
        elif text == "\n" and frame.word is None and not frame.words:
            return  # a line that ends with | or && goes on
        elif kind in {"pipe", "end"}:
            yield from self._end(piped=kind == "pipe")

    def _add(self, text: str) -> None:
        frame = self._stack[-1]
        if frame.word is None:
            frame.word = []
            frame.line = frame.line if frame.words else self._line
        if text:
            frame.word.append(text)

    def _open(self, opener: str) -> Iterator[Command]:
        """Go into ``$(``, a backquote, ``<(`` or a group of commands."""
        frame = self._stack[-1]
        if len(self._stack) > MAX_DEPTH:
            raise ValueError(f"more than {MAX_DEPTH} nested substitutions")
        if opener == "(":
            yield from self._end(piped=frame.fetched)
            self._stack.append(_Frame("(", frame.feeds, frame.fetched))
            return
        bare = not frame.words and not frame.word
        feeds = ("eval",) if bare else tuple(frame.words[:8])
        self._add("$()")
        self._stack.append(_Frame(opener, feeds))

    def _close(self) -> Iterator[Command]:
        yield from self._end()
        if len(self._stack) > 1:
            inner = self._stack.pop()
            if inner.opener == "(":
                self._stack[-1].fetches |= inner.fetches

    def _end(self, *, piped: bool = False) -> Iterator[Command]:
        """Finish a command, and with it the pipeline unless it goes on."""
        frame = self._stack[-1]
        frame.finish_word()
        if frame.words or frame.targets:
            found = Command(
                tuple(frame.words),
                tuple(frame.targets),
                frame.line,
                frame.fetched,
                frame.feeds,
                frame.piped,
            )
            frame.fetches |= found.name in FETCHERS
            yield found
        frame.fetched = piped and (frame.fetched or frame.fetches)
        frame.fetches = frame.fetches and frame.opener == "("
        frame.piped = piped
        frame.words, frame.targets, frame.quoted = [], [], False
