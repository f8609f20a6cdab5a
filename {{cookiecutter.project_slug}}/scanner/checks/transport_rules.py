"""Files in which a program is told not to ask who answers it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..project import Project, Unreadable
from ..rules import Hit
from ..ruletable import ruled

MAX_SIZE = 2**20  # bytes of one file
_NAME = (
    r"(?s)(?!tests/|\.github/)(?:.+\.(?:cfg|conf|ini|toml|ya?ml)"
    r"|(?:.*/)?Caddyfile[^/]*)"
)
_UNASKED = re.compile(
    r"(?i)(?<![\w-])(?:"
    r"(?:(?:tls|ssl)[_-]?)?(?:insecure[_-]?)?skip[_-]?(?:tls[_-]?)?verify"
    r"(?:[\"']?[ \t]*[:=][ \t]*[\"']?(?:true|yes|on|1)\b|[ \t]*$)"
    r"|(?:ssl[_-]?verify|verify[_-]?(?:ssl|tls|certs?)|rejectUnauthorized"
    r"|strict-ssl|http\.sslVerify)[\"']?[ \t]*[:=][ \t]*[\"']?"
    r"(?:false|no|off|0)\b)",
    re.MULTILINE,
)
_SPOKEN_OF = re.compile(
    rb"(?i)verify|rejectUnauthorized|strict-ssl|http://|require_tls"
)
_MONITORING = re.compile(
    r"(?i).*(?:alert|grafana|loki|otel|prometheus|vector|fluent).*\.ya?ml"
)
# To a name with a dot that no machine of one's own has.
_CLEAR = re.compile(
    r"(?m)^[^#\n]{0,200}(?:\b(?:api_|webhook_)?url:[ \t]*[\"']?http://"
    r"(?!127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)[\w-]+"
    r"(?:\.(?!(?:svc|local|internal|localhost)\b)[\w-]+)+(?=[:/\"'\s]|$)"
    r"|\bsmtp_require_tls:[ \t]*false\b)"
)
transport_rule = ruled(__file__, on="transport")


@dataclass(frozen=True, slots=True)
class Settings:
    """A file of settings, as text: of whatever program it is."""

    path: str
    text: str


def settings(project: Project) -> Iterator[Settings | Unreadable]:
    """Yield the files of settings in which a check is spoken of.

    One that cannot be read is yielded as the error.
    """
    for path in project.named(_NAME):
        try:
            if project.mentions(path, _SPOKEN_OF):
                yield Settings(path, project.text(path, MAX_SIZE))
        except Unreadable as error:
            yield error


@transport_rule("MCP-CFG-035")
def unasked(held: Settings) -> Iterator[Hit]:
    """Without the certificate's check anybody on the way can answer.

    The monitoring believes their figures, and a proxy hands them the tokens.
    """
    for found in _UNASKED.finditer(held.text):
        start = held.text.rfind("\n", 0, found.start()) + 1
        if "#" not in held.text[start : found.start()][-1000:]:
            yield Hit(
                path=held.path,
                line=held.text.count("\n", 0, start) + 1,
                anchor=found[0].strip()[:100],
                message=found[0].strip()[:100],
            )


@transport_rule("MCP-CFG-043")
def in_clear(held: Settings) -> Iterator[Hit]:
    """What is wrong, and where, is then read and changed on the way.

    An alert that somebody holds back is heard by nobody.
    """
    if not _MONITORING.fullmatch(held.path):
        return
    for found in _CLEAR.finditer(held.text):
        yield Hit(
            path=held.path,
            line=held.text.count("\n", 0, found.start()) + 1,
            anchor=found[0].strip()[:100],
            message=found[0].strip()[:100],
        )
