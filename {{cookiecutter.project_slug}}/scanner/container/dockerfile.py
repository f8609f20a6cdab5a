"""A Dockerfile as BuildKit reads it: stages and their instructions.

One pass, in time linear in the file's length; the number of instructions,
of stages and the length of an expanded value are bounded (CWE-400).
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

MAX_INSTRUCTIONS = 20_000
MAX_STAGES = 200
MAX_EXPANDED = 64 * 2**10  # characters; ENV A=$A$A doubles each time
KNOWN = frozenset(
    {"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM"}
    | {"HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL"}
    | {"STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
)
_FLAGGED = frozenset({"ADD", "COPY", "FROM", "HEALTHCHECK", "RUN"})
_EXPANDED = frozenset({"ADD", "COPY", "EXPOSE", "USER", "VOLUME", "WORKDIR"})
_DIRECTIVE = re.compile(r"#\s*([A-Za-z][\w-]*)\s*=\s*(.+?)\s*", re.DOTALL)
_DIRECTIVES = frozenset({"check", "escape", "syntax"})
_HEREDOC = re.compile(
    r"(?<!\S)\d*<<(?P<dash>-?)(?P<mark>[\"']?)(?P<name>[^\s<\"']+)(?P=mark)"
    r"(?!\S)|\"(?:\\.|[^\"\\])*\"|'[^']*'|\\."
)
_VARIABLE = re.compile(
    r"\\(?P<escaped>.)|'(?P<raw>[^']*)'|\$(?P<name>\w+)"
    r"|\$\{(?P<braced>\w+)(?:(?P<how>:?[-+?])"
    r"(?P<word>(?:[^{}]|\{[^{}]*\})*+))?\}",
    re.DOTALL,
)
_FLAG = re.compile(r"(--\S*)(?:\s+|$)")
_PAIR = re.compile(
    r"(?<!\S)(?P<key>[^\s=\"']+)=(?P<value>(?:\"(?:\\.|[^\"\\])*\"|'[^']*'|\\.|\S)*)",
    re.DOTALL,
)


@dataclass(slots=True)
class Stage:
    """What one FROM begins.

    Attributes:
        image: The base image, expanded; of another stage, its name.
        parent: That other stage.
        variables: What ARG and ENV have set so far; ENV wins.
    """

    line: int
    image: str
    name: str = ""
    parent: "Stage | None" = None
    arguments: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def lookup(self, name: str) -> str | None:
        """Return a variable's value; None when only the build knows it."""
        here: Stage | None = self
        argument: str | None = None
        while here is not None:
            if name in here.environment:
                return here.environment[name]
            if argument is None:
                argument = here.arguments.get(name)
            here = here.parent
        return argument


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its continued lines joined and its comments gone.

    Attributes:
        name: In upper case.
        flags: ``--from=build`` and the like.
        text: What follows them; variables are expanded where Docker, and not
            a shell in the image, does it.
        pairs: What ENV or ARG sets, expanded; None without a default.
        pieces: The lines of an instruction of several, with their numbers.
        body: The contents of its here-documents.
        onbuild: It is executed in the images that are built on this one.
    """

    line: int
    name: str
    flags: tuple[str, ...]
    text: str
    stage: Stage
    pairs: tuple[tuple[str, str | None], ...] = ()
    body: str = ""
    onbuild: bool = False
    pieces: tuple[tuple[int, str], ...] = ()

    def line_of(self, text: str) -> int:
        """Return the line on which the text stands, or the first one."""
        found = (number for number, piece in self.pieces if text in piece)
        return next(found, self.line)

    @property
    def words(self) -> list[str]:
        """The JSON list of the exec form, or the words of the shell form."""
        if self.exec_form is not None:
            return self.exec_form
        return [word.strip("\"'") for word in self.text.split()]

    @property
    def exec_form(self) -> list[str] | None:
        """The JSON list; None where the text is no list of strings."""
        if not self.text.startswith("["):
            return None
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError):
            return None
        return found if all(isinstance(x, str) for x in found) else None

    @property
    def script(self) -> str | list[str]:
        """What a RUN executes: a shell's text or a list of arguments."""
        return self.exec_form or f"{self.text}\n{self.body}"

    def flag(self, name: str) -> str:
        """Return a flag's value, or the empty string."""
        start = f"--{name}="
        found = (x.removeprefix(start) for x in self.flags if start in x)
        return next(found, "")


@dataclass(slots=True)
class Dockerfile:
    """A parsed file.

    Attributes:
        problems: What could not be read in it.
        ends: The lines on which its here-documents end.
        syntax: The line and image of the program that reads the file.
        target: The name of the stage that is shipped; empty for the last.
    """

    path: str
    stages: list[Stage] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    syntax: tuple[int, str] | None = None
    target: str = ""

    @property
    def final(self) -> list[Instruction]:
        """The instructions whose result is in the image that is shipped."""
        wanted: list[int] = []
        named = [x for x in self.stages if self.target in {x.name, ""}]
        built = named or self.stages
        stage = built[-1] if built else None
        while stage is not None:
            wanted.append(id(stage))
            stage = stage.parent
        return [
            each
            for each in self.instructions
            if id(each.stage) in wanted and not each.onbuild
        ]

    def last(self, name: str) -> Instruction | None:
        """Return the instruction of this name that counts in the end."""
        found = (x for x in reversed(self.final) if x.name == name)
        return next(found, None)


def parse(path: str, lines: Iterable[str]) -> Dockerfile:
    """Read a Dockerfile; never fails, see ``problems``."""
    return _Parser(path, lines).parse()


class _Parser:
    """Goes through the lines once."""

    def __init__(self, path: str, lines: Iterable[str]) -> None:
        self._lines = ((n, x.rstrip("\r\n")) for n, x in enumerate(lines, 1))
        self._escape = "\\"
        self._global = Stage(0, "")
        self._pieces: tuple[tuple[int, str], ...] = ()
        self._names: dict[str, Stage] = {}
        self._file = Dockerfile(path)

    def parse(self) -> Dockerfile:
        for number, line, pieces in self._logical():
            self._pieces = pieces
            if len(self._file.instructions) >= MAX_INSTRUCTIONS:
                self._problem(number, f"over {MAX_INSTRUCTIONS} lines")
                break
            if len(self._file.stages) > MAX_STAGES:
                self._problem(number, f"more than {MAX_STAGES} stages")
                break
            self._instruction(number, line)
        if not self._file.stages:
            self._problem(1, "no FROM")
        return self._file

    def _problem(self, number: int, what: str) -> None:
        if len(self._file.problems) < 5:
            self._file.problems.append(f"line {number}: {what}")

    def _logical(
        self,
    ) -> Iterator[tuple[int, str, tuple[tuple[int, str], ...]]]:
        """Yield each instruction with its continued lines joined."""
        directives = True
        continued = self._continued()
        for number, line in self._lines:
            text = line.lstrip()
            told = _DIRECTIVE.fullmatch(text) if directives else None
            if told and (name := told[1].lower()) in _DIRECTIVES:
                if name == "escape" and told[2] in {"`", "\\"}:
                    self._escape = told[2]
                    continued = self._continued()
                if name == "syntax":
                    self._file.syntax = number, told[2].strip()
                continue
            directives = False  # BuildKit ends at the first unknown one
            if not text or text.startswith("#"):
                continue
            pieces = [(number, text)]
            while continued.search(pieces[-1][1]):
                last = pieces.pop()
                pieces.append((last[0], continued.sub("", last[1])))
                following = self._next_piece()
                if following is None:
                    break
                pieces.append(following)
            joined = "".join(piece for _number, piece in pieces).strip()
            yield number, joined, tuple(pieces) if len(pieces) > 1 else ()

    def _continued(self) -> re.Pattern[str]:
        mark = re.escape(self._escape)
        return re.compile(rf"(?<!{mark}){mark}[ \t]*$")

    def _next_piece(self) -> tuple[int, str] | None:
        """Return the next line that continues one: comments do not."""
        for number, line in self._lines:
            text = line.lstrip()
            if text and not text.startswith("#"):
                return number, line
        return None

    def _instruction(
        self, number: int, line: str, onbuild: bool = False
    ) -> None:
        name, _, rest = re.sub(r"\s", " ", line, count=1).partition(" ")
        name = name.upper()
        if name not in KNOWN or (onbuild and name in {"ONBUILD", "FROM"}):
            self._problem(number, "no instruction that Docker knows")
        elif name == "ONBUILD":
            self._instruction(number, rest.strip(), True)
        elif name == "FROM":
            self._from(number, rest.strip())
        elif not self._file.stages and name != "ARG":
            self._problem(number, f"{name} before FROM")
        else:
            self._add(number, name, rest.strip(), onbuild)

    def _from(self, number: int, text: str) -> None:
        flags, text = _flags(text)
        words = self._expand(self._global, text).split() or [""]
        alias = words[2].lower() if len(words) > 2 else ""
        parent = self._names.get(words[0].lower())
        stage = Stage(number, words[0], alias, parent)
        self._file.stages.append(stage)
        if alias:
            self._names[alias] = stage
        self._file.instructions.append(
            Instruction(number, "FROM", flags, " ".join(words), stage)
        )

    def _add(self, number: int, name: str, text: str, onbuild: bool) -> None:
        stage = self._file.stages[-1] if self._file.stages else self._global
        flags, text = _flags(text) if name in _FLAGGED else ((), text)
        if name in _EXPANDED:
            text = self._expand(stage, text)
            flags = tuple(self._expand(stage, flag) for flag in flags)
        pairs, body = [], ""
        if name in {"ARG", "ENV"}:
            pairs = [
                (key, value and _unquoted(self._expand(stage, value)))
                for key, value in _pairs(name, text)
            ]
        if name in {"RUN", "COPY", "ADD"} and "<<" in text:
            body = self._heredocs(number, text)
        found = Instruction(
            number,
            name,
            flags,
            text,
            stage,
            tuple(pairs),
            body,
            onbuild,
            self._pieces,
        )
        self._file.instructions.append(found)
        if pairs and not onbuild:
            self._remember(stage, found)

    def _remember(self, stage: Stage, found: Instruction) -> None:
        for key, value in found.pairs:
            if found.name == "ENV":
                stage.environment[key] = value or ""
            elif value is None:
                value = self._global.arguments.get(key)
            if value is not None and found.name == "ARG":
                stage.arguments[key] = value

    def _expand(self, stage: Stage, text: str) -> str:
        """Put values in place of variables; unknown ones stay as they are."""
        if "$" not in text:
            return text

        def value(found: re.Match[str]) -> str:
            name = found["name"] or found["braced"]
            if name is None:
                return found[0]
            known, how, word = stage.lookup(name), found["how"], found["word"]
            if how and how.endswith("+"):
                return word if known else ""
            if known is None or (not known and how and ":" in how):
                return word if how and how.endswith("-") else found[0]
            return known

        expanded = _VARIABLE.sub(value, text)
        return expanded if len(expanded) <= MAX_EXPANDED else text

    def _heredocs(self, number: int, text: str) -> str:
        """Take the here-documents' lines, each up to its own mark."""
        body: list[str] = []
        if text.startswith("["):
            return ""
        for mark in _HEREDOC.finditer(text):
            if mark["name"] is None:
                continue
            for end, line in self._lines:
                line = line.lstrip("\t") if mark["dash"] else line
                if line == mark["name"]:
                    self._file.ends.append(end)
                    break
                body.append(line)
            else:
                self._problem(number, f"<<{mark['name'][:40]} without its end")
        return "\n".join(body)


def _flags(text: str) -> tuple[tuple[str, ...], str]:
    """Split the leading ``--flag``s from what they belong to."""
    flags: list[str] = []
    position = 0
    while found := _FLAG.match(text, position):
        flags.append(found[1])
        position = found.end()
    return tuple(flags), text[position:]


def _pairs(name: str, text: str) -> list[tuple[str, str | None]]:
    """Split ``A=1 B="2 3"``, the old ``ENV A 1 2``, and an ARG's names."""
    first, _, rest = text.partition(" ")
    if name == "ENV" and "=" not in first:
        return [(first, rest.strip())]
    found: list[tuple[str, str | None]] = []
    position = 0
    for pair in _PAIR.finditer(text):
        names = text[position : pair.start()].split()
        found += [(each, None) for each in names]
        found.append((pair["key"], pair["value"]))
        position = pair.end()
    return found + [(each, None) for each in text[position:].split()]


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)|[\"']", r"\1", value)
