"""Who else can read, change or follow the project's files (CWE-732)."""

import itertools
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..model import CheckResult, Coverage, Options, Severity, State
from ..project import Project, Unreadable
from ..rules import Hit, rules_for
from ..ruletable import ruled

HIDDEN = (".env", ".env.local", ".env.production", "tokens", "tokens.txt")
WORKSPACE = "workspace"
MANY = 20_000  # names in it
MAGIC = (b"#!", b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_SECRET_NAME = re.compile(
    r"(?s)(.*/)?(\.env(\..+)?|[^/]*tokens?(\.txt|\.list)?"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)"
    r"|[^/]+\.(pem|key|p12|pfx|jks|keystore|kdbx)|\.netrc|\.pypirc"
    r"|\.htpasswd|credentials(\.json)?|(?<=secrets/)[^/.]+)"
)
_TOKENS = re.compile(r"(?s)(.*/)?[^/]*tokens?(\.txt|\.list)?")
# A digest, or a word that nobody would say: with digits and letters.
_TOKEN = re.compile(
    rb"(?<![\w-])(?:[0-9a-f]{32,}|(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])"
    rb"[A-Za-z0-9]{20,}|(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*[0-9])"
    rb"[\w-]{24,200})(?![\w-])"
)
_SCRIPT = re.compile(r"(?si).*\.(?:bat|cmd|ps1)")
_EXAMPLE = re.compile(r"(?s).*\.(example|sample|template|dist|md|py|pub)")
modes_rule = ruled(__file__, on="")


@dataclass(frozen=True, slots=True)
class Modes:
    """What the file system says of each path, links not followed."""

    project: Project
    files: Mapping[str, os.stat_result]
    folders: Mapping[str, os.stat_result]


def check(project: Project, options: Options) -> CheckResult:
    """Look at each file that git would take, its folders, and ``.env``.

    Keys are looked at even where git is told to ignore them, as it should be.
    """
    if os.name != "posix":
        reason = "this system keeps no such permissions"
        state = State.NOT_APPLICABLE
        return CheckResult(name="permissions", state=state, reason=reason)
    names = {*project.files, *project.ignored_keys()}
    names |= {*filter(project.exists, HIDDEN)}
    modes = Modes(
        project,
        _status(project, sorted(names)),
        _status(project, _folders(names)),
    )
    unseen = project.listing.unseen
    reason = "folders that could not be listed" if unseen else ""
    if _keeps_none(modes):
        kept = _mode(next(iter(modes.files.values())))
        reason = f"this file system keeps no modes: all is {kept}; scan a copy"
        modes = Modes(project, {}, {})
    rules = rules_for("MCP-PERM-")
    return CheckResult(
        name="permissions",
        state=State.PASSED,
        reason=reason,
        coverage=Coverage(
            unit="files",
            covered=len(modes.files),
            total=len(names) + len(unseen),
        ),
        findings=tuple(f for each in rules for f in each.findings(modes)),
    )


@modes_rule("MCP-PERM-001")
def world_writable(modes: Modes) -> Iterator[Hit]:
    """Whoever can change a file of the server decides what the server does.

    In a folder that everybody can write, files can be replaced, too; with
    the sticky bit, as on /tmp, only added.
    """
    for path, status in modes.files.items():
        if status.st_mode & stat.S_IWOTH:
            yield Hit(path=path, message=f"its mode is {_mode(status)}")
    for path, status in modes.folders.items():
        if status.st_mode & stat.S_IWOTH:
            sticky = status.st_mode & stat.S_ISVTX
            yield Hit(
                path=path,
                message=f"the folder is {_mode(status)}",
                severity=Severity.MEDIUM if sticky else None,
            )


@modes_rule("MCP-PERM-002")
def group_writable(modes: Modes) -> Iterator[Hit]:
    """A group is more people than one, and grows without you.

    Where a user has a group of their own and a umask of 002, as on many
    desktops, nearly every file is so, and nobody else is in the group: that
    is let be.
    """
    found = {
        path: status
        for path, status in modes.files.items()
        if status.st_mode & stat.S_IWGRP and not status.st_mode & stat.S_IWOTH
    }
    own_group = all(s.st_uid == s.st_gid for s in found.values())
    if own_group and len(found) * 2 > len(modes.files):
        return
    for path, status in found.items():
        yield Hit(path=path, message=f"its mode is {_mode(status)}")


@modes_rule("MCP-PERM-003")
def set_id(modes: Modes) -> Iterator[Hit]:
    """A setuid or setgid program hands its owner's rights to its caller."""
    for path, status in modes.files.items():
        if status.st_mode & (stat.S_ISUID | stat.S_ISGID):
            yield Hit(path=path, message=f"its mode is {_mode(status)}")


@modes_rule("MCP-PERM-004")
def executable(modes: Modes) -> Iterator[Hit]:
    """Only a script or a program needs to be executable.

    What is neither is run by mistake, by a shell that guesses.
    """
    for path, status in modes.files.items():
        runs = _SCRIPT.fullmatch(path) or _starts(modes, path, *MAGIC)
        if status.st_mode & 0o111 and not runs:
            yield Hit(path=path, message=f"its mode is {_mode(status)}")


@modes_rule("MCP-PERM-005")
def readable_secret(modes: Modes) -> Iterator[Hit]:
    """Environment, token and key files are their owner's alone: 0600.

    The server refuses an environment or token file that others can read. A
    folder of secrets that is closed to others closes what is in it.
    """
    for path, status in modes.files.items():
        if not status.st_mode & 0o077 or not _SECRET_NAME.fullmatch(path):
            continue
        folder = modes.folders.get(path.rpartition("/")[0])
        if folder and not folder.st_mode & 0o077:
            continue
        if not _EXAMPLE.fullmatch(path) and _holds_secret(modes, path):
            yield Hit(path=path, message=f"its mode is {_mode(status)}")


@modes_rule("MCP-PERM-006")
def link_out(modes: Modes) -> Iterator[Hit]:
    """Whatever reads through the link reads a file of this machine.

    A build that copies the project copies what the link leads to. What the
    tools work on counts, too, though git ignores it. A link to a virtual
    environment is as good as one that lies here, and let be.
    """
    root = modes.project.root
    listed = modes.project.listing.links
    for path in dict.fromkeys((*listed, *_links_below(root, WORKSPACE))):
        link = root / path
        target = os.path.realpath(link)  # resolve() fails on a circle
        if Path(target, "pyvenv.cfg").is_file():
            continue
        if not target.startswith(f"{root}{os.sep}"):
            yield Hit(path=path, message=f"it leads to {link.readlink()}")


@modes_rule("MCP-PERM-007")
def special(modes: Modes) -> Iterator[Hit]:
    """A pipe, a socket or a device makes whoever reads it wait, or worse."""
    for path in modes.project.listing.special:
        yield Hit(path=path, message="it is a pipe, a socket or a device")


def _links_below(root: Path, folder: str) -> Iterator[str]:
    """Yield the links in a folder, whatever git thinks of it."""
    names = (
        Path(where, name)
        for where, folders, files in os.walk(root / folder)
        for name in (*folders, *files)
    )
    for path in itertools.islice(names, MANY):
        if path.is_symlink():
            yield path.relative_to(root).as_posix()


def _keeps_none(modes: Modes) -> bool:
    """Tell whether each file has the same wide mode, and a new one too.

    So it is on a mounted Windows disk, whatever a mode was set to.
    """
    bits = {stat.S_IMODE(status.st_mode) for status in modes.files.values()}
    if len(bits) != 1 or not min(bits) & 0o133:
        return False
    try:
        with tempfile.NamedTemporaryFile(dir=modes.project.root) as file:
            made = os.fstat(file.fileno()).st_mode  # it asked for 0600
    except OSError:
        return False
    return {stat.S_IMODE(made)} == bits


def _status(project: Project, paths: list[str]) -> dict[str, os.stat_result]:
    found = {}
    for path in paths:
        try:
            found[path] = project.status(path)
        except Unreadable:
            continue  # the coverage says so
    return found


def _folders(names: set[str]) -> list[str]:
    """Return every folder on the way to a file, the project's own too."""
    found = {"."}
    for name in names:
        folder = name.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return sorted(found)


def _mode(status: os.stat_result) -> str:
    return f"{stat.S_IMODE(status.st_mode):04o}"


def _starts(modes: Modes, path: str, *beginnings: bytes) -> bool:
    try:
        with modes.project.open(path) as file:
            return file.read(4).startswith(beginnings)
    except (Unreadable, OSError):
        return False


def _holds_secret(modes: Modes, path: str) -> bool:
    """Let a certificate be, or design tokens: what is in it counts.

    The server's own token file, and what is always one of secrets, counts
    whatever is in it.
    """
    key = path.endswith((".pem", ".key"))
    if path in HIDDEN or not (key or _TOKENS.fullmatch(path)):
        return True
    try:
        with modes.project.open(path) as file:
            start = file.read(2**16)
            return b"PRIVATE KEY" in start or (
                not key and _TOKEN.search(start) is not None
            )
    except (Unreadable, OSError):
        return True
