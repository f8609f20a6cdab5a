"""Programs that are fetched and executed without a look (CWE-494)."""

import posixpath
import re
from collections.abc import Iterable, Iterator

from .shell import FETCHERS, SHELLS, Command

_INTERPRETER = re.compile(
    r"(?:python|perl|ruby|node|php|lua)[\d.]*|iex|invoke-expression"
)
_VERIFIER = re.compile(
    r"(?:sha\d+|md5|b2|sha)(?:sum)?|shasum|gpgv?2?|cosign|minisign|openssl"
    r"|slsa-verifier|sigstore"
)
_SOURCE = frozenset({"eval", "source", "."})
_OUTPUT = re.compile(r"-[a-zA-Z]*o|--output|--output-document|-outfile")
_LONG_OUTPUT = re.compile(r"(?:--output|--output-document)=(.+)")
_UNVERIFIED = re.compile(
    r"--no-check-certificate|--trusted-host(?:=.*)?|--allow-unauthenticated"
    r"|--force-yes|--allow-insecure-repositories|--allow-untrusted"
    r"|--no-?gpg-?checks?|--insecure|--skip-verify|\[?trusted=(?:yes|true)\]?"
    r"|(?:http\.)?sslverify[= ]?(?:false|0)?|strict-ssl(?:=false)?"
    r"|GIT_SSL_NO_VERIFY=.+|PYTHONHTTPSVERIFY=0"
    r"|NODE_TLS_REJECT_UNAUTHORIZED=0|Acquire::.*(?:Verify|Allow).*=.*",
    re.IGNORECASE,
)
# A line of apt's sources, in either of the two ways to write one.
_UNSIGNED = re.compile(
    r"(?i)\bdeb(?:-src)?\s+\[[^\]]*\b(?:trusted|allow-insecure)=yes\b"
    r"|\b(?:trusted|allow-insecure):\s*yes\b"
)
_INSTALLERS = frozenset({"pip", "pip3", "pipx", "uv"})
_IN_CLEAR = re.compile(r"(?:--[a-z-]+=)?http://(?!localhost\b|127\.)\S+")
_MOVING = re.compile(r".*\bgit\+(?!.*@[0-9a-f]{40}\b).*", re.DOTALL)


class Downloads:
    """Follows a script: what it fetched, checked and then executes."""

    def __init__(self) -> None:
        self._files: set[str] = set()

    def executed(self, commands: Iterable[Command]) -> Iterator[Command]:
        """Yield the commands that execute what nothing has verified."""
        for command in commands:
            if command.fetched and _executes_input(command):
                yield command
            elif command.name in FETCHERS:
                if _executes_output(command.feeds):
                    yield command
                self._files.update(_written(command))
            elif _VERIFIER.fullmatch(command.name):
                self._files.clear()
            elif self._files and _file_of(command) in self._files:
                yield command


def _executes_input(command: Command) -> bool:
    """Tell whether it runs what comes in, as ``sh`` and ``bash -s`` do."""
    flags = [option for option in command.options if option != "-"]
    given = [word for word in command.operands if word != "/dev/stdin"]
    if command.name in SHELLS:
        short = "".join(f for f in flags if not f.startswith("--"))
        return "c" not in short and ("s" in short or not given)
    if command.name in _SOURCE:
        return "/dev/stdin" in command.operands
    return bool(_INTERPRETER.fullmatch(command.name)) and not flags + given


def _executes_output(feeds: tuple[str, ...]) -> bool:
    """Tell whether ``sh -c``, ``eval`` or ``source`` comes before it."""
    outer = Command(feeds)
    runs = outer.name in SHELLS | _SOURCE or _INTERPRETER.fullmatch(outer.name)
    return bool(runs) and not outer.operands


def _file_of(command: Command) -> str:
    """Return the name of the file that the command executes."""
    runs = command.name in SHELLS | _SOURCE
    if runs or _INTERPRETER.fullmatch(command.name):
        return posixpath.basename(next(iter(command.operands), ""))
    return posixpath.basename(next(iter(command.program), ""))


def _written(command: Command) -> Iterator[str]:
    """Yield the names of the files into which it fetches."""
    for place in _places(command):
        yield posixpath.basename(place.partition("?")[0])


def _places(command: Command) -> Iterator[str]:
    words = command.program[1:]
    chosen = list(command.targets)
    for word, following in zip(words, (*words[1:], ""), strict=True):
        long = _LONG_OUTPUT.fullmatch(word)
        wget = command.name.startswith("wget") and word.endswith("O")
        if long:
            chosen.append(long[1])
        elif _OUTPUT.fullmatch(word.lower() if wget else word):
            chosen.append(following)
        elif word.startswith("-o") and len(word) > 2:
            chosen.append(word[2:])
    if not chosen:
        chosen = [word for word in words if "://" in word]
    yield from chosen


def verifies(command: Command) -> bool:
    """Tell whether a command compares a checksum or a signature."""
    return _VERIFIER.fullmatch(command.name) is not None


def fetched_to(command: Command) -> list[str]:
    """Return the files into which a command fetches, with their folders."""
    return list(_places(command)) if command.name in FETCHERS else []


def unchecked(command: Command) -> str:
    """Return what keeps a command from asking who it is that answers."""
    words = [word[:200] for word in command.words]
    loose = [word for word in words if _UNVERIFIED.fullmatch(word)]
    loose += [found[0] for word in words if (found := _UNSIGNED.search(word))]
    if command.name == "curl" and any(
        re.fullmatch(r"-[a-zA-Z]*k[a-zA-Z]*", word) for word in command.options
    ):
        loose.append("curl -k")
    if command.name in _INSTALLERS:
        loose += [word for word in words if _IN_CLEAR.fullmatch(word)]
        loose += [word for word in words if _MOVING.fullmatch(word)]
    return loose[0] if loose else ""
