"""What the commands in a Dockerfile's RUN instructions do wrong."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ..downloads import BRANCH, Downloads, fetched_to, unchecked, verifies
from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from ..runners import unlocked
from ..shell import Command, commands
from .dockerfile import Dockerfile, Instruction
from .image_rules import code_folders, hit, runtime_names
from .names import POWERFUL, literal, secret_name

_INSTALL = {
    "apt-get": "install",
    "apt": "install",
    "aptitude": "install",
    "apk": "add",
    "yum": "install",
    "dnf": "install",
    "microdnf": "install",
    "zypper": "install",
}
_UPDATE = frozenset({"update", "check-update", "refresh", "makecache"})
_REMOVE = frozenset({"autoremove", "del", "erase", "purge", "remove"})
_UPGRADE = frozenset({"dist-upgrade", "full-upgrade", "upgrade"})
_BUILD = re.compile(
    r"build-essential|build-base|gcc|g\+\+|make|cmake|clang|cargo|rustc"
    r"|golang(?:-go)?|gdb|strace|tcpdump|nmap|netcat.*|ncat|telnet|vim|nano"
    r"|.+-dev(?:el)?"
)
_LOGIN = re.compile(r"openssh-server|openssh|telnetd|rsh-server|dropbear")
_CREDENTIALS = re.compile(
    r"://[^/\s:@$]*:[^/\s:@$]{3,}@|login\s+\S{1,80}\s+password\s+[^\s$]{3,}|(?i:authorization:\s*\w+\s+[^\s$]{8,})"
)
_OCTAL = re.compile(r"[0-7]{3,5}")
_SET_ID = re.compile(r"(?:^|,)[ugoa]*\+[rwxX]*s|(?:^|,)[ug]+=[rwxX]*s")
_OTHERS_WRITE = re.compile(r"(?:^|,)[ug]*[oa][ugoa]*[+=][rxXst]*w")
_GROUP_WRITES = re.compile(
    r"^0?[0-7][2367][0-7]$|(?:^|,)[uo]*g[ugo]*[+=][rxXst]*w"
)
_SSHD = re.compile(
    r"(?i)Permit(?:RootLogin|EmptyPasswords)\s+yes|PasswordAuthentication\s+yes"
)
_PROGRAMS = re.compile(r"(?:-C|--directory=)?/(?:bin|opt|sbin|usr)\b")
_UNPACKERS = frozenset({"bsdtar", "cpio", "tar", "unzip"})
_PRINTERS = (["echo"], ["printf"])
MAX_PIPED = 20_000  # characters of a RUN in which pipes are looked at
run_rule = ruled(__file__, on="run")


@dataclass(frozen=True, slots=True)
class Run:
    """One RUN and its commands.

    Attributes:
        executed: Those that execute what was fetched and not verified.
        shipped: Its result is in the image that is shipped.
        owners: The names and numbers of the user that runs the server.
        code: The folders that hold code.
    """

    file: Dockerfile
    where: Instruction
    commands: list[Command]
    executed: list[Command]
    shipped: bool
    owners: set[str]
    code: set[str]

    def hit(
        self,
        message: str,
        line: int | None = None,
        severity: Severity | None = None,
    ) -> Hit:
        """Make a hit at the RUN."""
        return hit(
            self.file, self.where, message, line=line, severity=severity
        )

    def calling(self, *names: str) -> Iterator[Command]:
        """Yield the calls of these programs, also behind ``-exec``."""
        for command in self.commands:
            if command.name in names:
                yield Command(command.program)
            words = command.words
            starts = [n for n, x in enumerate(words) if x.startswith("-exec")]
            for start, end in pairwise((*starts, len(words))):
                called = words[start + 1 : end]
                if called and called[0] in names:
                    yield Command(called)

    def installs(self) -> Iterator[tuple[Command, list[str]]]:
        """Yield the calls of package managers, and what they install."""
        for command in self.calling(*_INSTALL):
            operands = command.operands
            if _INSTALL[command.name] in operands[:1]:
                yield command, [x.partition("=")[0] for x in operands[1:]]


def runs(file: Dockerfile) -> Iterator[Run]:
    """Yield a file's RUNs; a script that is too long is a problem of it.

    ``COPY --chmod=755`` is seen as the chmod that it is.
    """
    downloads: dict[int, Downloads] = {}
    shipped = {id(each) for each in file.final}
    about = runtime_names(file), code_folders(file)
    for where in file.instructions:
        if mode := where.flag("chmod"):
            chmod = Command(("chmod", mode))
            yield Run(file, where, [chmod], [], id(where) in shipped, *about)
        if where.name not in {"CMD", "ENTRYPOINT", "HEALTHCHECK", "RUN"}:
            continue
        script = where.script
        if where.name == "HEALTHCHECK" and isinstance(script, str):
            script = script.strip().removeprefix("CMD").strip()
        try:
            found = commands(script)
        except ValueError as error:
            file.problems.append(f"line {where.line}: {error}")
            continue
        follower = downloads.setdefault(id(where.stage), Downloads())
        executed = list(follower.executed(found))
        if where.name != "RUN":  # it makes no layer: only 004 is for it
            yield Run(file, where, [], executed, False, set(), set())
            continue
        yield Run(file, where, found, executed, id(where) in shipped, *about)


@run_rule("MCP-CON-004")
def fetched_program(run: Run) -> Iterator[Hit]:
    """``curl … | sh`` runs whatever the other side sends that day.

    The same holds for ``wget`` and ``bash``, for ``bash <(curl …)``, for
    ``sh -c "$(curl …)"``, and for a script that is saved first and executed
    without a check in between. Part of CIS 4.11.
    """
    for command in run.executed[:1]:
        yield run.hit(f"{command.name} executes what was fetched unverified")


@run_rule("MCP-CON-005")
def unchecked_origin(run: Run) -> Iterator[Hit]:
    """Without certificates and signatures, anybody on the way can answer.

    Such as ``--no-check-certificate``, ``curl -k``, ``pip --trusted-host``,
    ``apt-get --allow-unauthenticated``. Part of CIS 4.11.
    """
    for command in run.commands:
        if loose := unchecked(command):
            severity = Severity.MEDIUM if BRANCH in loose else None
            message = f"{command.name} with {loose[:60]}"
            yield run.hit(message, severity=severity)
            return


@run_rule("MCP-CON-008")
def world_writable(run: Run) -> Iterator[Hit]:
    """``chmod 777``: whoever gets into the container changes the code."""
    for mode, _directory in _modes(run):
        if all_may_write(mode):
            yield run.hit(f"mode {mode[:40]}")
            return


@run_rule("MCP-CON-011")
def lone_update(run: Run) -> Iterator[Hit]:
    """The layer is cached: the next build installs from last month's lists.

    CIS 4.7.
    """
    managers = list(run.calling(*_INSTALL))
    done = {word for command in managers for word in command.operands[:1]}
    if done & _UPDATE and not done & (_UPGRADE | {"install", "add"}):
        yield run.hit("an update without an install")


@run_rule("MCP-CON-012")
def sudo(run: Run) -> Iterator[Hit]:
    """RUN is root already, and in the image sudo is a way back to root."""
    if any("NOPASSWD" in word for each in run.commands for word in each.words):
        message = "sudo without a password"
        yield run.hit(message, severity=Severity.HIGH)
    elif any("sudo" in packages for _command, packages in run.installs()):
        yield run.hit("sudo is installed")
    elif any(
        command.words[0] == "sudo"
        or any(place.startswith("/etc/sudoers") for place in command.targets)
        for command in run.commands
        if command.words
    ):
        yield run.hit("sudo is used")


@run_rule("MCP-CON-013")
def unneeded_packages(run: Run) -> Iterator[Hit]:
    """Compilers, debuggers and shells for the net help an intruder.

    So do the packages that ``apt-get`` only recommends; in a stage that is
    not shipped they are still code that runs in the build. Part of CIS 4.3.
    """
    managers = run.calling(*_INSTALL)
    removed = any(_REMOVE & set(x.operands[:1]) for x in managers)
    for command, packages in run.installs():
        found = [name for name in packages if _BUILD.fullmatch(name)]
        found = found if run.shipped else []
        if run.shipped and any(map(_LOGIN.fullmatch, packages)):
            message = "a server for remote login is installed"
            yield run.hit(message, severity=Severity.MEDIUM)
        elif found and not removed:
            yield run.hit(f"the last stage installs {', '.join(found)[:80]}")
        elif command.name.startswith("apt") and not any(
            re.search(r"(?i)install-recommends", word)
            for word in command.words
        ):
            yield run.hit("apt installs without --no-install-recommends")


@run_rule("MCP-CON-014")
def secret_in_run(run: Run) -> Iterator[Hit]:
    """The image's history shows each RUN as it was written (CIS 4.10)."""
    login = any(command.name == "chpasswd" for command in run.commands)
    for command in run.commands:
        kept = _keeps_secret(command)
        for word, following in zip(
            command.words, (*command.words[1:], ""), strict=True
        ):
            name, equals, value = word.partition("=")
            option = re.match(r"--(?!no-)", word) and not equals
            value = following if option else value
            bare = name.lstrip("-").replace("-", "_")
            named = (equals or option) and secret_name(bare)
            given = named and literal(value) and not value.startswith("-")
            pair = following if word in {"-u", "--user"} else login and word
            told = pair and re.fullmatch(r"[\w-]+:[^\s:$]+", pair[:200])
            if given or told or kept or _CREDENTIALS.search(word):
                line = run.where.line_of(word.partition("=")[0])
                yield run.hit(f"{command.name} is given a secret", line)
                return


@run_rule("MCP-CON-015")
def set_user_id(run: Run) -> Iterator[Hit]:
    """A set-user-id program of root's is root for whoever starts it.

    Part of CIS 4.8: what the base image brings is not seen here.
    """
    for mode, directory in _modes(run):
        octal = int(mode, 8) & 0o6000 if _OCTAL.fullmatch(mode) else 0
        if not directory and (octal or _SET_ID.search(mode)):
            yield run.hit(f"mode {mode[:40]}")
            return


@run_rule("MCP-CON-025")
def capability(run: Run) -> Iterator[Hit]:
    """With such a file, whoever starts it has a part of root's rights.

    Nothing of it is seen in the container's settings.
    """
    for command in run.calling("setcap"):
        names = re.findall(r"cap_\w+|\ball\b", " ".join(command.operands))
        if given := sorted({*names} - {"cap_net_bind_service"}):
            yield run.hit(f"setcap {given[0][:40]}")
            return


@run_rule("MCP-CON-016")
def given_code(run: Run) -> Iterator[Hit]:
    """``chown`` gives the code to the user that executes it.

    So it does with the group, where that may write. One file written through
    a tool is then code at the next start.
    """
    shared = any(
        _GROUP_WRITES.search(mode) and not all_may_write(mode)
        for mode, _directory in _modes(run)
    )
    for command in run.calling("chown") if run.shipped else ():
        owner, *targets = command.operands or [""]
        user, _, group = owner.partition(":")
        for target in targets:
            given = user in run.owners or (shared and group in run.owners)
            if given and posixpath.normpath(target) in run.code:
                yield run.hit(f"{target[:80]} is given to {owner[:40]}")
                return


@run_rule("MCP-CON-030")
def second_root(run: Run) -> Iterator[Hit]:
    """A second name for number 0 is root, and seldom looked for.

    A user in root's group, or in the engine's, is not far from it.
    """
    for command in run.calling("adduser", "useradd", "usermod"):
        words = command.words
        pairs = {*pairwise(words)} & {("-u", "0"), ("--uid", "0")}
        zero = pairs or {"--uid=0", "-u0"} & {*words}
        if zero and not run.owners & {*words}:  # of whom 002 tells
            yield run.hit(f"{command.name} makes another root")
        for before, word in pairwise(words):
            groups = POWERFUL.intersection(word.split(","))
            if groups and re.fullmatch(r"-a?G|--groups", before):
                yield run.hit(f"{command.name} joins {min(groups)}")


@run_rule("MCP-CON-027")
def open_login(run: Run) -> Iterator[Hit]:
    """root, a bare password or none at all: guessed within hours."""
    for command in run.commands:
        for word in command.words:
            if found := _SSHD.search(word[:1000]):
                yield run.hit(found[0])
                return


@run_rule("MCP-CON-028")
def unchecked_program(run: Run) -> Iterator[Hit]:
    """A program that is fetched without its checksum is whoever's it is.

    TLS says who answered, not whether they have been broken into. Part of
    CIS 4.11.
    """
    if any(map(verifies, run.commands)):
        return
    ran = {word for x in run.calling("chmod") for word in x.operands[1:]}
    for command in run.commands:
        installs = any(map(_PROGRAMS.match, command.words))
        if installs and command.fetched and command.name in _UNPACKERS:
            yield run.hit(f"{command.name} unpacks what was not verified")
            return
        places = fetched_to(command)
        if any("/bin/" in place or place in ran for place in places):
            yield run.hit(f"{command.name} fetches a program unverified")
            return


@run_rule("MCP-CON-032")
def unlocked_install(run: Run) -> Iterator[Hit]:
    """Tomorrow's build is of other code, which nobody has looked at.

    Such as ``uv sync`` without ``--locked`` or ``--frozen``, ``npm install``,
    a package without a version, or a build whose backend is not checked.
    """
    for command in run.commands:
        if command.name == "uv" and command.operands[:1] == ["build"]:
            checked = {"--no-build-isolation", "--require-hashes"}
            loose = "" if checked & {*command.options} else "uv build"
        elif command.name == "git" and command.operands[:1] == ["clone"]:
            loose = "" if _at_release(run, command) else "git clone"
        else:
            loose = unlocked(list(command.program))
        if loose and not (loose == "uv sync" and _locked(run.file)):
            yield run.hit(f"{loose[:80]} takes what is newest")
            return


def _at_release(run: Run, command: Command) -> bool:
    """Tell whether a clone is of a tag, or a commit is taken from it."""
    named = {"--branch", "-b"} & {
        *(x.partition("=")[0] for x in command.words)
    }
    local = not any("://" in x or "@" in x for x in command.operands)
    script = run.where.script
    text = script if isinstance(script, str) else " ".join(script)
    taken = re.search(r"\b(?:checkout|reset|switch)\b", text)
    return local or bool(named or taken)


def _locked(file: Dockerfile) -> bool:
    """Tell whether a variable keeps uv to its lock."""
    told = (x.text for x in file.instructions if x.name in {"ARG", "ENV"})
    return any("UV_FROZEN" in text or "UV_LOCKED" in text for text in told)


def _keeps_secret(command: Command) -> bool:
    """Tell whether a build's secret is copied to where it stays."""
    reads = any(x.startswith("/run/secrets/") for x in command.operands[:1])
    kept = [*command.targets, *command.operands[1:]]
    lasting = any(not x.startswith(("/run/", "/tmp/")) for x in kept)  # noqa: S108 # nosec B108 # looked for, not used
    return reads and lasting and command.name in {"cat", "cp", "install", "mv"}


def only_prints(run: Run) -> bool:
    """Tell whether nothing stands before a pipe that could fail.

    ``echo … | sha256sum --check`` needs no ``pipefail``.
    """
    script = run.where.script
    text = script if isinstance(script, str) else " ".join(script)
    before = re.findall(r"([^|&;\n]+)\|(?!\|)", text[:MAX_PIPED])
    firsts = [command.split()[:1] for command in before]
    return len(text) < MAX_PIPED and all(x in _PRINTERS for x in firsts)


def _modes(run: Run) -> Iterator[tuple[str, bool]]:
    """Yield the modes that are given, and whether it is to a new folder."""
    for command in run.calling("chmod"):
        yield from ((mode, False) for mode in command.operands[:1])
    for command in run.calling("mkdir", "install"):
        words = command.words
        folder = command.name == "mkdir" or bool(
            {"-d", "--directory"} & set(words)
        )
        for word, following in zip(words, (*words[1:], ""), strict=True):
            if word == "-m":
                yield following, folder
            elif word.startswith("--mode="):
                yield word.removeprefix("--mode="), folder


def all_may_write(mode: str) -> bool:
    """Tell whether a mode lets everybody write."""
    if _OCTAL.fullmatch(mode):
        return int(mode, 8) & 0o1002 == 0o002  # sticky, as in /tmp, is fine
    return _OTHERS_WRITE.search(mode) is not None
