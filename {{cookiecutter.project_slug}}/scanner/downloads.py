"""Programs that are fetched and executed without a look (CWE-494)."""

import posixpath
import re
from collections.abc import Iterable, Iterator

from .programs import STDIN, executes, program_of
from .shell import FETCHERS, Command

_DIGEST = re.compile(r"(?:sha\d+|md5|b2|sha)(?:sum)?|shasum")
_SIGNED = re.compile(r"gpgv?2?|cosign|minisign|openssl|slsa-verifier|sigstore")
_COMPARES = re.compile(r"-[a-zA-Z]*c|--check(?:=.*)?|-c.+")
_VERIFIES = re.compile(r"--?verify.*|verify.*|-V|-Vm?")
_SAYING = frozenset({"echo", "printf"})
_SUM = re.compile(r"\.(?:md5|sha\d+)(?:sums?)?(?:\.txt)?$")
_COMPARING = frozenset({"[", "[[", "cmp", "diff", "grep", "test"})
_COPIERS = frozenset({"cp", "install", "ln", "mv"})
_READERS = frozenset({"cat", "gunzip", "gzip", "tee", "xzcat", "zcat"})
_UNPACKERS = frozenset({"bsdtar", "cpio", "tar", "unzip"})
_SIGNATURE = re.compile(r"\.(?:asc|bundle|minisig|sha\d+|sig)$")
_OUTPUT = re.compile(r"-[a-zA-Z]*o|--output|--output-document|-outfile")
_LONG_OUTPUT = re.compile(r"(?:--output|--output-document)=(.+)")
_UNVERIFIED = re.compile(
    r"--no-check-certificate|--trusted-host(?:=.*)?|--allow-unauthenticated"
    r"|--force-yes|--allow-insecure-repositories|--allow-untrusted"
    r"|--no-?gpg-?checks?|--insecure|--skip-verify|\[?trusted=(?:yes|true)\]?"
    r"|(?:http\.)?sslverify[= ]?(?:false|0)?|strict-ssl(?:=false)?"
    r"|(?:-o)?StrictHostKeyChecking[= ](?:no|off)"
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
# ``python -c "exec(urlopen(…).read())"``
_BY_ITSELF = re.compile(
    r"\b(?:eval|exec)\s*\(.{0,200}?\b(?:fetch|httpx\.get|requests\.get|urlopen)\("
)
BRANCH = "git+"  # in what ``unchecked`` returns: less bad than the rest
_MOVING = re.compile(r".*\bgit\+(?!.*@[0-9a-f]{40}\b).*", re.DOTALL)


MAX_LIST = 20_000  # characters that are kept of what is written into a file


class Downloads:
    """Follows a script: what it fetched, checked and then executes."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()  # into which it was unpacked
        self._lists: dict[str, str] = {}  # what was written into files
        self._last = Command(())
        self._hashed: set[str] = set()
        self._flows = False  # a fetched file goes through the pipe

    def executed(self, commands: Iterable[Command]) -> Iterator[Command]:
        """Yield the commands that execute what nothing has verified."""
        self._folders.clear()
        for command in commands:
            self._flows = command.piped and self._flows
            if self._runs(command):
                yield command
            self._follow(command)
            self._verify(command)
            self._last = command

    def _runs(self, command: Command) -> bool:
        """Tell whether the command executes what was fetched."""
        if command.name in FETCHERS:
            return _executes_output(command.feeds)
        interpreted = executes(command)
        if interpreted and any(_BY_ITSELF.search(x) for x in command.words):
            return True
        if interpreted and (command.fetched or self._flows):
            piped = command.name not in {"eval", "source", "."}
            reads = piped or bool(command.operands)
            if reads and program_of(command) in {STDIN, "/dev/stdin"}:
                return True
        place = next(iter(command.program), "")
        place = program_of(command) if interpreted else place
        named = posixpath.basename(place) in self._files
        return named or self._unpacked(place)

    def _unpacked(self, place: str) -> bool:
        relative = "/" in place and not place.startswith(("/", "$", "~"))
        return any(
            relative if folder == "." else place.startswith(f"{folder}/")
            for folder in self._folders
        )

    def _follow(self, command: Command) -> None:
        """Note where what was fetched is written, moved or unpacked."""
        words = command.operands
        known = self._files.intersection(map(posixpath.basename, words))
        if command.name in FETCHERS:
            self._files.update(_written(command))
        elif command.name in _COPIERS and known:
            self._files.add(posixpath.basename(words[-1]))
        elif command.name in _UNPACKERS and (known or command.fetched):
            self._folders.add(_folder(command))
        elif command.name in _READERS:
            self._flows = self._flows or bool(known)
        into = words if command.name == "tee" else command.targets
        if command.fetched or self._flows:
            self._files.update(map(posixpath.basename, into))
        said = self._last if command.name == "tee" else command
        if said.name in _SAYING and (said is command or command.piped):
            for name in map(posixpath.basename, into):
                told = f"{self._lists.get(name, '')}\n{' '.join(said.words)}"
                self._lists[name] = told[-MAX_LIST:]

    def _verify(self, command: Command) -> None:
        """Take out the files that the command has compared."""
        names = set(map(posixpath.basename, command.operands))
        if command.name in _COMPARING:
            self._files -= self._hashed
        self._hashed = set()
        if _DIGEST.fullmatch(command.name) and not verifies(command):
            compared = Command(command.feeds).name in _COMPARING
            self._hashed = names
            self._files -= names if compared else set()
        elif _DIGEST.fullmatch(command.name):
            told = " ".join(self._last.words)
            if command.piped and self._last.name in _SAYING:
                self._files -= self._named(told)
            else:
                self._files -= self._listed(names)
        elif verifies(command):
            stems = {_SIGNATURE.sub("", name) for name in names}
            self._files -= names | stems
        elif _SIGNED.fullmatch(command.name) and "dgst" in names:
            self._hashed = names

    def _listed(self, lists: set[str]) -> set[str]:
        """Return the files that lists of checksums are for.

        A list is known that was written here, or has the name of its file.
        Of another, which is not seen here, it is what was fetched before.
        """
        found: set[str] = set()
        for name in lists or {""}:
            own = _SUM.sub("", name)
            if name in self._lists:
                found |= self._named(self._lists[name])
            else:
                found |= {own} if own in self._files - {name} else self._files
        return found

    def _named(self, told: str) -> set[str]:
        """Return the files that a text names; all if a variable may."""
        if "$" in told:
            return {*self._files}
        words = map(posixpath.basename, re.split(r"[\s*\\]+", told))
        return self._files.intersection(words)


def _folder(command: Command) -> str:
    """Return the folder into which an archive is unpacked."""
    words = command.words
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word in {"-C", "--directory", "-d"}:
            return following.rstrip("/") or "/"
        if word.startswith("--directory="):
            return word.partition("=")[2].rstrip("/")
    return "."


def _executes_output(feeds: tuple[str, ...]) -> bool:
    """Tell whether ``sh -c``, ``eval`` or ``source`` comes before it."""
    outer = Command(feeds)
    return executes(outer) and program_of(outer) == STDIN


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
    words = command.program[1:]
    if _DIGEST.fullmatch(command.name):
        return any(map(_COMPARES.fullmatch, words))
    if command.name.startswith("gpgv"):
        return True
    signed = _SIGNED.fullmatch(command.name) is not None
    return signed and any(map(_VERIFIES.fullmatch, words))


def fetched_to(command: Command) -> list[str]:
    """Return the files into which a command fetches, with their folders."""
    return list(_places(command)) if command.name in FETCHERS else []


def unchecked(command: Command) -> str:
    """Return what keeps a command from asking who it is that answers."""
    words = [word[:200] for word in command.words]
    if command.name == "git":  # a command that it is to call
        words += [part for word in words for part in word.split()]
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
