"""nginx's configuration files, as directives that know their lines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..model import Severity
from ..project import Project, Unreadable
from ..rules import Hit

MAX_SIZE = 2**20  # bytes of one file
MAX_DEPTH = 50  # blocks inside each other
_NAME = (
    r"(?s)(?!tests/)(?:.*/)?(?:nginx[^/]*\.conf|[^/]+\.nginx"
    r"|(?:nginx|proxy|conf\.d)/(?:.*/)?[^/]+\.conf(?:\.template)?"
    r"|sites-(?:available|enabled)/[^/]+)"
)
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<comment>\#[^\n]*)|(?P<mark>[{};])"
    r"|\"(?P<double>(?:[^\"\\]|\\.)*)(?:\"|$)"
    r"|'(?P<single>(?:[^'\\]|\\.)*)(?:'|$)"
    r"|(?P<word>(?:\$\{\w*\}|\\.|[^\s{};])+|.)",
    re.DOTALL,
)


@dataclass(slots=True)
class Directive:
    """One directive, and what stands in its block."""

    path: str
    name: str
    words: list[str]
    line: int
    block: list["Directive"] = field(default_factory=list)

    @property
    def first(self) -> str:
        """The first of its words; nothing where it has none."""
        return self.words[0] if self.words else ""

    def each(self, *names: str) -> Iterator["Directive"]:
        """Yield the directives of these names, however deep they stand."""
        waiting = [self]
        while waiting:
            here = waiting.pop()
            if here.name in names:
                yield here
            waiting += here.block[::-1]

    def has(self, *names: str) -> bool:
        """Tell whether one of these stands in the block itself."""
        return any(inner.name in names for inner in self.block)

    def hit(self, message: str, severity: Severity | None = None) -> Hit:
        """Make a hit at the directive."""
        return Hit(
            path=self.path,
            line=self.line,
            anchor=f"{self.name} {' '.join(self.words)}"[:200],
            message=message,
            severity=severity,
        )


def proxies(project: Project) -> Iterator[Directive | Unreadable]:
    """Yield each of nginx's files, as a directive with no name.

    One that cannot be read, or is too deep, is yielded as the error.
    """
    for path in project.named(_NAME):
        try:
            yield parse(path, project.text(path, MAX_SIZE))
        except Unreadable as error:
            yield error


def parse(path: str, text: str) -> Directive:
    """Read a file once, from left to right.

    Raises:
        Unreadable: Its blocks are deeper than in any real file.
    """
    top = Directive(path, "", [], 1)
    open_, words, line, here = [top], list[str](), 1, 1
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "mark":
            mark = token["mark"]
            if words:
                made = Directive(path, words[0].lower(), words[1:], line)
                open_[-1].block.append(made)
                if mark == "{":
                    open_.append(made)
            if mark == "}" and len(open_) > 1:
                open_.pop()
            words = []
        elif kind not in {"space", "comment"}:
            line = line if words else here
            words.append(token[kind or 0])
        here += token[0].count("\n")
        if len(open_) > MAX_DEPTH:
            raise Unreadable(f"{path} is nested too deep")
    return top
