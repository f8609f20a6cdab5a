"""Passwords in commands, and in the file that commands read them from."""

import re
from collections import defaultdict
from collections.abc import Iterator

from ..model import Severity
from . import judge
from .source import Kind, Secret, Source

COMMAND = Kind("MCP-SEC-007", "Password in a command", Severity.HIGH)
_CURL = re.compile(
    rb"(?:[^\n\\]|\\\r?\n|\\.){0,300}?(?<=[ \t\n])(?:-u|--user)[ =\t]{0,4}"
    rb"[\"']?(?P<user>[^\"'\s:]{0,80})[\"']?:[\"']?(?P<password>[^\"'\s]{0,120})"
)
_NETRC = re.compile(
    rb"\S{1,200}\s{1,9}login\s{1,9}\S{1,200}\s{1,9}password\s{1,9}"
    rb"(?P<password>\S{3,200})"
)
_WORD = re.compile(rb"[ \t]*[\"']?(?P<password>[^\s\"']{6,120})")
_SSHPASS = re.compile(rb"-p[ \t]*[\"']?(?P<password>[^\s\"']{4,120})")
_FLAGGED = (
    rb"[^\n|;&]{0,200}?[ \t]%b[\"']?"
    rb"(?P<password>[^\s\"'-][^\s\"']{3,500})"
)
_COMMANDS = {
    b"machine ": _NETRC,
    b"identified ": re.compile(
        rb"(?:with ['\w]{4,40} )?by [\"'](?P<password>[^\s\"']{4,120})[\"']",
        re.IGNORECASE,
    ),
    b" user ": re.compile(
        rb"[^\n;]{1,120}?identified by (?=[^\s\d]{0,40}\d)"
        rb"(?P<password>[^\s\"'`;:.,(){}\\]{6,120})(?:[\s;\\\"')]|$)",
        re.IGNORECASE,
    ),
    b" with login password ": re.compile(rb"(?P<password>[^\s\"';]{6,120})"),
    b"directoryentry(": re.compile(
        rb"[^\n\"]{0,20}\"LDAP:[^\"\n]{1,200}\",\s{0,40}\"[^\"\n]{1,80}\","
        rb"\s{0,40}\"(?P<password>[^\"\n]{4,120})\"",
        re.IGNORECASE,
    ),
    b"networkcredential(": re.compile(
        rb"\s{0,9}\"[^\"\n]{1,80}\",\s{0,9}\"(?P<password>[^\"\n]{4,120})\""
    ),
    b"jwt.": re.compile(
        rb"(?:sign|verify|encode|decode)\([^,\n]{1,120},[ \t]{0,4}"
        rb"[\"'](?![EHPR]S\d)(?P<password>[^\s\"']{6,120})[\"']"
    ),
    **dict.fromkeys(
        (b"ldapadd ", b"ldapmodify ", b"ldapsearch "),
        re.compile(_FLAGGED % rb"-w[ \t]{1,4}"),
    ),
    **dict.fromkeys(
        (b"mongo ", b"mongosh ", b"mongodump ", b"mongorestore "),
        re.compile(_FLAGGED % rb"-p[ \t]{1,4}"),
    ),
    b"sqlcmd ": re.compile(_FLAGGED % rb"-P[ \t]{0,4}"),
    b"smbclient ": re.compile(_FLAGGED % rb"-U[ \t]{0,4}[^\s%]{1,80}%"),
    b"psexec": re.compile(_FLAGGED % rb"-p[ \t]{1,4}"),
    b"convertto-securestring ": re.compile(
        rb"(?:-string[ \t])?[\"'](?P<password>[^\"'\n]{4,120})[\"']",
        re.IGNORECASE,
    ),
    b"echo ": re.compile(
        rb"[\"']?(?:[\w.-]{1,32}:)?(?P<password>[^\s\"'$]{4,500})[\"']?"
        rb"[ \t]*\|[^\n]{0,200}(?:--password-stdin|chpasswd"
        rb"|passwd[ \t]+--stdin|sudo[ \t]+-S)"
    ),
    b"chpasswd:": re.compile(
        rb"\s{1,20}(?:expire:[^\n]{1,20}\s{1,20})?list:[ \t]{0,4}[|>]?[-+]?"
        rb"\s{1,20}(?:-[ \t]{1,4})?[\"']?[\w.-]{1,32}:"
        rb"(?P<password>[^\s\"']{4,120})"
    ),
    b"htpasswd ": re.compile(
        rb"-\w{0,4}b\w{0,4}(?:[ \t]+[^\s-]\S{0,80}){1,2}[ \t]+"
        rb"[\"']?(?P<password>[^\s\"'|;&]{4,120})"
    ),
    b"<auth-user-pass>": re.compile(
        rb"\s{1,9}\S{1,80}\s{1,9}(?P<password>[^\s<]{4,120})"
    ),
    b"operator unseal ": re.compile(rb"(?P<password>[A-Za-z0-9+/=]{44})"),
    b"proceed to installation": re.compile(
        rb":?\s{1,9}(?P<password>[0-9a-f]{32})\b"
    ),
    b"requirepass ": _WORD,
    b"bindpw ": _WORD,
    b"rootpw ": _WORD,
    b"sshpass ": _SSHPASS,
    b"mysql": re.compile(rb"(?:dump|admin)?(?=[ \t])" + _FLAGGED % rb"-p"),
    b"redis-cli ": re.compile(_FLAGGED % rb"(?:-a|--pass)[ =\t]{1,4}"),
    b" login ": re.compile(_FLAGGED % rb"(?:-p|--password)[ =\t]{1,4}"),
}
# The commands by their first word; behind b"" those that more may be glued to.
_FIRST: dict[bytes, list[bytes]] = defaultdict(list)
for _command in _COMMANDS:
    _first = re.match(rb"\W*(\w+)\W", _command)
    _FIRST[_first[1] if _first else b""].append(_command)
_WORDS = frozenset({b"curl", *_FIRST})
_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789_"
_TO_WORDS = bytes(n if n in _LETTERS else 32 for n in range(256))


def find(source: Source) -> Iterator[Secret]:
    """A password stands in a command, as ``curl -u user:password`` has it.

    Commands are kept in histories, logs and tickets. So are logins of
    databases and registries, and the .netrc that curl reads.
    """
    words = _WORDS.intersection(source.lower.translate(_TO_WORDS).split())
    for at in source.all(b"curl ") if b"curl" in words else ():
        found = _CURL.match(source.data, at - 1)
        if found is None:
            continue
        part = "password" if found["password"] else "user"
        if judge.password(
            found[part], found["user"] if part == "password" else b""
        ):
            yield Secret(COMMAND, found.start(part), found[part])
    for word in (b"", *words):
        yield from _told(source, _FIRST.get(word, []))


def _told(source: Source, commands: list[bytes]) -> Iterator[Secret]:
    for command in commands:
        for at in source.all(command):
            found = _COMMANDS[command].match(source.data, at)
            if found and judge.password(found["password"], b""):
                start = found.start("password")
                yield Secret(COMMAND, start, found["password"])
