"""Where an interpreter's program comes from: its input, a file, or a word."""

import re
from collections.abc import Iterator

from .shell import SHELLS, Command

STDIN = "-"
_INTERPRETER = re.compile(
    r"(python|perl|ruby|node|php|lua)[\d.]*|iex|invoke-expression"
)
_SOURCE = frozenset({"eval", "source", "."})
# The options after which a word, or their own rest, is the program.
_CODE = {
    "shell": r"-[A-Za-z]*c[A-Za-z]*",
    "python": r"-[bBdEiIOPqsSuvx]*[cm].*",
    "perl": r"-(?![CIMm])\w*[eE].*",
    "ruby": r"-(?![Ir])\w*e.*",
    "node": r"-[ep]+|--(?:eval|print)(?:=.*)?",
    "php": r"-[BFRfr].*",
    "lua": r"-[el].*",
}
_ATTACHED = {
    "python": r"-\w*?[cm].+",
    "node": r"--\w+=.+",
    "php": r"-[BFRfr].+",
}
# The options whose next word is their value.
_VALUED = {
    "shell": r"[-+][A-Za-z]*[oO]|--(?:rcfile|init-file)",
    "python": r"-[WX]",
    "ruby": r"-[CIr]",
    "node": r"-r|--(?:require|import|loader)",
    "php": r"-[cdz]",
}


def executes(command: Command) -> bool:
    """Tell a shell or an interpreter, by its name."""
    return bool(_kind(command)) or command.name in _SOURCE


def program_of(command: Command) -> str:
    """Return the file that is executed; ``STDIN``; or nothing: a word is.

    An option that waits for its program counts as ``STDIN``: what follows it
    is a substitution.
    """
    kind = _kind(command)
    if command.name in _SOURCE or not kind:
        return next(iter(command.operands), STDIN)
    words = iter(command.program[1:])
    for word in words:
        if word in {"-", "/dev/stdin"} or (kind == "shell" and _reads(word)):
            return STDIN if word != "-" or kind != "shell" else _next(words)
        if word == "--":
            return STDIN if kind == "php" else _next(words)
        if re.fullmatch(_CODE.get(kind, "(?!)"), word, re.DOTALL):
            attached = _ATTACHED.get(kind, "(?!)")
            told = re.fullmatch(attached, word, re.DOTALL) or _next(words)
            return STDIN if told == STDIN else ""
        if re.fullmatch(_VALUED.get(kind, "(?!)"), word):
            next(words, None)
        elif not word.startswith(("-", "+")):
            return word
    return STDIN


def _kind(command: Command) -> str:
    if command.name in SHELLS:
        return "shell"
    found = _INTERPRETER.fullmatch(command.name)
    return (found[1] or "iex") if found else ""


def _reads(word: str) -> bool:
    """Tell ``-s``: a shell's program is then its input."""
    return (
        re.fullmatch(r"-(?!-)[abefhiklmnprtuvx]*s[a-bd-z]*", word) is not None
    )


def _next(words: Iterator[str]) -> str:
    word = next(words, STDIN)
    return STDIN if word == "/dev/stdin" else word
