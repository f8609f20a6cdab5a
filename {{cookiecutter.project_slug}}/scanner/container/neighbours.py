"""What well-known programs leave open, by the settings they are given."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..model import Severity

_ON = r"['\"]?(?i:true|yes|on|1)['\"]?$"
# Settings as lines "NAME=value", sorted, and after them each word of the
# command on a line of its own. The first that matches of a program counts.
_PROGRAMS: tuple[tuple[tuple[str, Severity, str], ...], ...] = (
    (
        (
            rf"^GF_AUTH_ANONYMOUS_ENABLED={_ON}(?:\n.*)*"
            r"^GF_AUTH_ANONYMOUS_ORG_ROLE=(?i:admin|editor)$",
            Severity.HIGH,
            "Grafana makes whoever comes its editor",
        ),
        (
            rf"^GF_AUTH_ANONYMOUS_ENABLED={_ON}",
            Severity.MEDIUM,
            "Grafana shows everything without a login",
        ),
        (
            rf"^GF_USERS_ALLOW_SIGN_UP={_ON}",
            Severity.MEDIUM,
            "Grafana lets everybody make an account",
        ),
    ),
    (
        (
            r"^--web\.enable-(?:admin-api|lifecycle)(?:=true)?$",
            Severity.MEDIUM,
            "Prometheus is deleted or stopped by whoever reaches it",
        ),
    ),
    (
        (
            r"^--unixsocketperm\s+['\"]?\d{0,2}[2367]\b",
            Severity.MEDIUM,
            "everybody on the host or in the volume reaches Redis",
        ),
        (
            r"^--?protected-mode\s+['\"]?no\b",
            Severity.HIGH,
            "Redis answers everybody, without a password",
        ),
        (
            rf"^(?:[A-Z]+_)?ALLOW_(?:EMPTY(?:_ROOT)?_PASSWORD"
            rf"|ANONYMOUS_LOGIN|NONE_AUTHENTICATION)={_ON}",
            Severity.HIGH,
            "no password is asked for",
        ),
        (
            r"^POSTGRES_HOST_AUTH_METHOD=['\"]?trust\b",
            Severity.HIGH,
            "PostgreSQL believes every name, without a password",
        ),
        (
            r"^(?:NEO4J_AUTH=none|--auth[= \n]none|--no-?auth)$",
            Severity.HIGH,
            "nobody has to log in",
        ),
    ),
    (
        (
            r"^xpack\.security\.enabled=['\"]?false\b"
            rf"|^DISABLE_SECURITY_PLUGIN={_ON}"
            r"|^plugins\.security\.disabled=['\"]?true\b",
            Severity.HIGH,
            "the search engine's security is switched off",
        ),
    ),
    (
        (
            rf"^--api\.insecure(?:=true)?$|^TRAEFIK_API_INSECURE={_ON}",
            Severity.HIGH,
            "Traefik's dashboard is open",
        ),
    ),
    (
        (
            r"^DOCKER_TLS_CERTDIR=['\"]*$"
            r"|^tcp://(?:0\.0\.0\.0|\[?::\]?)?:2375$"
            r"|^--host=tcp://(?:0\.0\.0\.0)?:2375$",
            Severity.HIGH,
            "the Docker engine takes orders without TLS",
        ),
    ),
    (
        (
            r"^--(?:Server|Notebook)App\.(?:token|password)=['\"]*$",
            Severity.CRITICAL,
            "Jupyter runs code for whoever asks",
        ),
    ),
    (
        (
            r"^debugpy\n(?:.*\n)*?(?:--listen\n)(?:0\.0\.0\.0|\[?::\]?):\d+$",
            Severity.CRITICAL,
            "the debugger runs code for whoever asks",
        ),
    ),
    (
        (
            rf"^DANGEROUSLY_OMIT_AUTH={_ON}",
            Severity.HIGH,
            "the MCP Inspector starts programs for whoever asks",
        ),
    ),
    (
        (
            rf"^(?:FLASK_DEBUG|DJANGO_DEBUG|DEBUG)={_ON}"
            r"|^start-dev$",
            Severity.MEDIUM,
            "it runs as its developers do",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Opening:
    """A setting by which a program lets in more than it need."""

    message: str
    severity: Severity


def openings(
    variables: Iterable[tuple[str, object]], command: Iterable[object]
) -> Iterator[Opening]:
    """Yield what a program is told to leave open, once for each kind.

    Args:
        variables: Its environment.
        command: Its command line, as words or as one text.
    """
    lines = sorted(f"{name}={value}" for name, value in variables)
    lines += [word for text in command for word in str(text).split()]
    text = "\n".join(line[:200] for line in lines)
    for program in _PROGRAMS:
        for pattern, severity, message in program:
            if re.search(pattern, text, re.MULTILINE):
                yield Opening(message, severity)
                break
