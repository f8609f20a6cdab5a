"""What is wrong in a Dockerfile: the CIS Docker Benchmark's image controls.

The rules of what the commands in RUN do are in ``run_rules``.
"""

import contextlib
import hashlib
import posixpath
import re
from collections.abc import Iterator
from itertools import pairwise

from .. import ignore
from ..model import Severity
from ..project import Project, Unreadable
from ..rules import Hit
from ..ruletable import ruled
from ..shell import commands
from .dockerfile import Dockerfile, Instruction
from .names import SOCKETS, is_root, literal, secret_name, unpinned
from .neighbours import openings

# Control -> how far it is judged here (CIS Docker Benchmark 1.7, section 4).
CIS = {
    "4.1": "whole",
    "4.2": "in part",
    "4.3": "in part",
    "4.4": "not assessed",
    "4.5": "not assessed",
    "4.6": "whole",
    "4.7": "whole",
    "4.8": "in part",
    "4.9": "whole",
    "4.10": "whole",
    "4.11": "in part",
    "4.12": "not assessed",
}
MAX_IGNORE = 2**20  # bytes of a .dockerignore
MAX_PATH = 4096  # characters
DATA = frozenset(
    {"cache", "data", "log", "logs", "run", "tmp", "uploads", "workspace"}
)
_ARCHIVE = re.compile(r"(?i).*\.(?:tar(?:\.\w+)?|t[gxb]z2?|tzst)")
_REMOTE = re.compile(r"(?i)(?:https?|ftp)://.*|git@.*|ssh://.*|git://.*")
_PRIVATE = re.compile(
    r"(?:.*/)?(?:\.env(?:\.(?!example|sample|template).*)?|\.git|\.ssh"
    r"|\.aws|\.netrc|\.npmrc|\.pypirc|\.git-credentials|\.docker"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)|[^/]*\.(?:key|p12|pfx|jks|kdbx)"
    r"|[^/]*(?:private|server)[^/]*\.pem)/?"
)
TRUSTS_ALL = re.compile(
    r"(?i)(?:PYTHONHTTPSVERIFY|NODE_TLS_REJECT_UNAUTHORIZED)=0"
    r"|NPM_CONFIG_STRICT_SSL=false"
    r"|(?:GIT_SSL_NO_VERIFY|PIP_TRUSTED_HOST|UV_INSECURE_HOST)=.+"
    r"|(?:PIP|UV)_(?:[A-Z]+_)?INDEX(?:_URL)?=http://(?!localhost\b|127\.).+"
)
_ENDED = re.compile(
    r"(?i)(?:python:(?:2(?:\.\d+)*|3\.\d)(?:[.-].*)?"
    r"|[^:]+:(?:.*-)?(?:wheezy|jessie|stretch|buster)(?:-.*)?"
    r"|debian:(?:[6-9]|10)(?:[.-].*)?|ubuntu:(?:1\d|20)\.\d+(?:-.*)?"
    r"|ubuntu:(?:trusty|xenial|bionic|focal)(?:-.*)?|centos(?:linux)?:.*"
    r"|alpine:(?:2\..*|3\.(?:\d|1\d)(?:\..*)?)"
    r"|node:(?:\d|1\d|20)(?:[.-].*)?)"
)
# Images whose user is another than root, by who publishes them.
_NOT_ROOT = re.compile(
    r"gcr\.io/distroless/[^:@]+:[^@]*nonroot[^@]*(?:@.+)?"
    r"|cgr\.dev/chainguard(?:-private)?/.+"
)
_FRONTEND = re.compile(
    r"(?:docker\.io/)?docker/dockerfile(?::\d[\w.-]*(?:@sha256:\w+)?"
    r"|(?::[\w.-]+)?@sha256:\w+)"
)
_WHOLE = frozenset({".", "./", "*", "./*"})
_MAKES_USER = re.compile(r"useradd|adduser")
dockerfile = ruled(__file__, on="dockerfile")
context = ruled(__file__, on="context")


def hit(
    file: Dockerfile,
    where: Instruction,
    message: str,
    *,
    anchor: str = "",
    line: int | None = None,
    severity: Severity | None = None,
) -> Hit:
    """Make a hit that survives moved lines and shows no value."""
    whole = f"{where.name} {where.flags} {where.text} {where.body}"
    digest = hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()
    return Hit(
        path=file.path,
        line=line or where.line,
        message=message,
        anchor=anchor or digest[:16],
        severity=severity,
    )


@dockerfile("MCP-CON-001")
def no_user(file: Dockerfile) -> Iterator[Hit]:
    """Without USER, the server and all it starts are root in the container.

    What breaks out of the container, or into a mounted folder, is then root
    there too. CIS Docker Benchmark 4.1.
    """
    if file.stages and file.last("USER") is None:
        base = file.final[0]
        if not _NOT_ROOT.fullmatch(base.stage.image):
            yield hit(
                file,
                base,
                "the last stage has no USER",
                anchor="no USER",
                line=file.stages[-1].line,
            )


@dockerfile("MCP-CON-002")
def root_user(file: Dockerfile) -> Iterator[Hit]:
    """USER root, or user 0, is no better than no USER (CIS 4.1).

    Whatever the name is that ``useradd`` gives to number 0.
    """
    last = file.last("USER")
    root = last and is_root(last.text.strip("\"'"))
    if last and (root or any(map(is_root, runtime_names(file)))):
        yield hit(file, last, "the last USER is root", anchor="USER root")


@dockerfile("MCP-CON-003")
def moving_base(file: Dockerfile) -> Iterator[Hit]:
    """With ``:latest`` or no tag, tomorrow's build is of another image.

    Nobody decides on the change, and nobody can build today's image again.
    Part of CIS 4.2: whether the image is to be trusted is not seen here.
    """
    names = {stage.name for stage in file.stages if stage.name}
    for where in file.instructions:
        image = where.text.split(" ")[0] if where.name == "FROM" else ""
        if where.name in {"COPY", "ADD"}:
            image = where.flag("from")
        known = where.stage.parent if where.name == "FROM" else None
        if known or image.lower() in names or image.isdecimal() or not image:
            continue
        if problem := unpinned(image):
            yield hit(file, where, problem, anchor=image[:200])


@dockerfile("MCP-CON-029")
def other_frontend(file: Dockerfile) -> Iterator[Hit]:
    """``# syntax=`` names an image that is run to read the file.

    Whoever owns it decides what the lines below mean, and sees the secrets
    of the build.
    """
    line, image = file.syntax or (1, "")
    if image and not _FRONTEND.fullmatch(image):
        message = f"syntax={image[:80]} reads this file"
        yield Hit(
            path=file.path, line=line, anchor=image[:200], message=message
        )


@dockerfile("MCP-CON-026")
def ended_base(file: Dockerfile) -> Iterator[Hit]:
    """Faults in such an image stay, and are known to everybody.

    See https://endoflife.date: a table of what had ended when this was made.
    """
    for where in _named(file, "FROM"):
        image = where.text.split(" ")[0].rpartition("@")[0] or where.text
        name = image.split(" ")[0].rpartition("/")[2]
        if _ENDED.fullmatch(name):
            message = f"{name[:80]} gets no fixes any more"
            yield hit(file, where, message, anchor=name[:200])


@dockerfile("MCP-CON-006")
def remote_add(file: Dockerfile) -> Iterator[Hit]:
    """ADD takes whatever the address holds that day (CIS 4.9)."""
    for where in _named(file, "ADD"):
        for source in where.words[:-1]:
            commit = re.search(r"[#?&=][0-9a-f]{40}\b", source)
            if _REMOTE.fullmatch(source) and not (
                commit or where.flag("checksum")
            ):
                yield hit(file, where, f"ADD {source[:100]} is not verified")


@dockerfile("MCP-CON-007")
def add_for_copy(file: Dockerfile) -> Iterator[Hit]:
    """ADD unpacks and fetches by itself: an archive in disguise is opened.

    CIS 4.9.
    """
    for where in _named(file, "ADD"):
        if any(
            not (_ARCHIVE.fullmatch(x) or _REMOTE.fullmatch(x) or "<<" in x)
            for x in where.words[:-1]
        ):
            yield hit(file, where, f"ADD {where.text[:80]}")


@dockerfile("MCP-CON-009")
def no_healthcheck(file: Dockerfile) -> Iterator[Hit]:
    """A server that hangs is taken for one that runs (CIS 4.6)."""
    last = file.last("HEALTHCHECK")
    if not file.stages or (last and last.text.strip().upper() != "NONE"):
        return
    where = last or file.final[0]
    line = last.line if last else file.stages[-1].line
    what = "HEALTHCHECK NONE" if last else "the last stage has none"
    yield hit(file, where, what, anchor="no HEALTHCHECK", line=line)


@dockerfile("MCP-CON-024")
def unchecked_servers(file: Dockerfile) -> Iterator[Hit]:
    """Set in the image, it holds for the build and for all that runs in it.

    Anybody on the way can answer in the place of an index, a repository or a
    service that the server asks.
    """
    for where in _named(file, "ENV", "ARG"):
        for name, value in where.pairs:
            if value and TRUSTS_ALL.fullmatch(f"{name}={value}"):
                yield hit(file, where, f"by {name}", anchor=name)


@dockerfile("MCP-CON-010")
def secret_variable(file: Dockerfile) -> Iterator[Hit]:
    """ENV and ARG stay in the image's configuration and in its history.

    Whoever can pull the image reads them, also the ARG of an earlier stage
    that is in the build's cache or provenance. CIS 4.10.
    """
    for where in _named(file, "ENV", "ARG"):
        for name, value in where.pairs:
            if not secret_name(name):
                continue
            severity = None
            if value is None:
                message = f"ARG {name} is kept in the image's history"
                severity = Severity.MEDIUM
            elif where.name == "ENV" and "$" in value:
                message = f"ENV {name} keeps what the build is given"
            elif literal(value):
                message = f"{where.name} {name} has a value"
            else:
                continue
            yield hit(
                file,
                where,
                message,
                anchor=name,
                line=where.line_of(name),
                severity=severity,
            )


@dockerfile("MCP-CON-017")
def writable_code(file: Dockerfile) -> Iterator[Hit]:
    """COPY --chown gives the code to the user that executes it.

    One file written through a tool is then code at the next start.
    """
    owners = runtime_names(file)
    for where, place in copied(file):
        owner = where.flag("chown").partition(":")[0]
        if owner in owners and not is_data(place):
            message = f"{place[:100]} belongs to {owner[:40]}, who runs it"
            yield hit(file, where, message)


@dockerfile("MCP-CON-018")
def private_copy(file: Dockerfile) -> Iterator[Hit]:
    """Keys, .env, .git and the like are for the desk, not for an image.

    Removing them in a later layer leaves them in the earlier one. CIS 4.10.
    """
    for where in _named(file, "COPY", "ADD"):
        sources = () if where.flag("from") else where.words[:-1]
        for source in sources:
            if _PRIVATE.fullmatch(source):
                yield hit(file, where, f"{source[:100]} is copied")


@dockerfile("MCP-CON-019")
def exposed_login(file: Dockerfile) -> Iterator[Hit]:
    """EXPOSE 22 or 23: one more way in, with its own keys to lose."""
    for where in file.final:
        ports = {word.partition("/")[0] for word in where.words}
        if where.name == "EXPOSE" and ports & {"22", "23", "2222"}:
            yield hit(file, where, f"EXPOSE {where.text[:40]}")


@dockerfile("MCP-CON-020")
def socket_volume(file: Dockerfile) -> Iterator[Hit]:
    """Who can write to docker.sock is root on the host."""
    for where in _named(file, "VOLUME", "RUN", "COPY"):
        flags = where.flags if where.name == "RUN" else (where.text,)
        if any(SOCKETS.search(text) for text in flags):
            yield hit(file, where, f"{where.name} with the engine's socket")


@dockerfile("MCP-CON-021")
def insecure_build(file: Dockerfile) -> Iterator[Hit]:
    """RUN --security=insecure is root on the machine that builds."""
    for where in _named(file, "RUN"):
        loose = {"--security=insecure", "--network=host"} & set(where.flags)
        if loose:
            yield hit(file, where, f"RUN {' '.join(sorted(loose))}")


@dockerfile("MCP-CON-033")
def left_open(file: Dockerfile) -> Iterator[Hit]:
    """A debugger, or a notebook without a login: code for whoever connects.

    Such as an ENV that a program reads, or a switch of the last command.
    """
    pairs = [
        (name, value)
        for where in file.final
        if where.name == "ENV"
        for name, value in where.pairs
    ]
    last = [file.last(name) for name in ("ENTRYPOINT", "CMD")]
    words = [word for x in last if x for word in _words(x)]
    for opening in openings(pairs, words):
        where = next(filter(None, last), file.final[0])
        severity = opening.severity
        yield hit(file, where, opening.message, severity=severity)


@context("MCP-CON-022")
def whole_context(file: Dockerfile, project: Project) -> Iterator[Hit]:
    """COPY . without a .dockerignore takes .git, .env and .venv along.

    One that names none of these is as good as none. A folder that is copied
    by its name takes less: caches, and what somebody has put there.
    """
    folder = posixpath.dirname(file.path)
    beside = posixpath.join(folder, ".dockerignore")
    ignores = (".dockerignore", beside, f"{file.path}.dockerignore")
    given = [path for path in ignores if project.exists(path)]
    if any(_keeps_out(project, path) for path in given):
        return
    copies = [x for x in _named(file, "COPY", "ADD") if not x.flag("from")]
    whole = [x for x in copies if _WHOLE.intersection(x.words[:-1])]
    severity = None if whole else Severity.LOW
    for path in given[:1]:
        message = f"{path} lets .env into the build"
        yield Hit(
            path=path,
            line=1,
            anchor=message,
            message=message,
            severity=severity,
        )
        return
    folders = [x for x in copies if _copies_folder(project, folder, x)]
    for where in whole or folders[:1]:
        message = f"{where.name} {where.text[:60]}"
        yield hit(file, where, message, severity=severity)


def _copies_folder(project: Project, folder: str, copy: Instruction) -> bool:
    """Tell whether a folder of the project's is among what is copied."""
    places = [posixpath.normpath(source) for source in copy.words[:-1]]
    inner = [posixpath.join(folder, place) for place in places]
    folders = tuple(f"{place}/" for place in (*places, *inner))
    return any(path.startswith(folders) for path in project.files)


def _keeps_out(project: Project, path: str) -> bool:
    """Tell whether a .dockerignore leaves .env out, or is not to be read."""
    try:
        patterns = ignore.parse(project.text(path, MAX_IGNORE), "")
    except Unreadable:
        return True
    return ignore.ignored(".env", patterns, folder=False)


def is_data(place: str) -> bool:
    """Tell whether a folder is by its name one for data, not for code."""
    parts = posixpath.normpath(place).strip("/").split("/")
    return parts[:2] == ["var", "lib"] or not DATA.isdisjoint(parts)


def copied(file: Dockerfile) -> Iterator[tuple[Instruction, str]]:
    """Yield what is copied into the shipped image, and where to."""
    folder = "/"
    for where in file.final:
        if where.name == "WORKDIR":
            folder = posixpath.join(folder, where.text.strip("\"'"))
        elif where.name in {"COPY", "ADD"} and where.words:
            place = posixpath.join(folder, where.words[-1])
            yield where, posixpath.normpath(place)


def code_folders(file: Dockerfile) -> set[str]:
    """Return what is copied into the image as code, and the folders above."""
    found: set[str] = set()
    for _where, place in copied(file):
        parts = place.split("/") if len(place) < MAX_PATH else []
        if not is_data(place):
            found.update("/".join(parts[:n]) or "/" for n in range(len(parts)))
            found.add(place)
    return found


def runtime_names(file: Dockerfile) -> set[str]:
    """Return the names and numbers of the user that runs the server."""
    last = file.last("USER")
    user = last.text.partition(":")[0].strip() if last else "root"
    if is_root(user) or "$" in user:
        return set()
    names = {user}
    for where in file.final:
        if where.name == "RUN" and _MAKES_USER.search(str(where.script)):
            names |= _same_user(where, user)
    return names


def _same_user(where: Instruction, user: str) -> set[str]:
    """Return the name and number of a useradd that makes this user."""
    with contextlib.suppress(ValueError):
        for command in commands(where.script):
            words = command.program
            if command.name not in {"useradd", "adduser"}:
                continue
            numbers = {
                word.partition("=")[2] or following
                for word, following in pairwise((*words, ""))
                if word in {"-u", "--uid"} or word.startswith("--uid=")
            }
            made = numbers | {words[-1]}
            if user in made:
                return made
    return set()


def _words(where: Instruction) -> list[str]:
    script = where.script
    return script.split() if isinstance(script, str) else list(script)


def _named(file: Dockerfile, *names: str) -> Iterator[Instruction]:
    return (each for each in file.instructions if each.name in names)
