"""What images, users and variables say by their names and values."""

import contextlib
import re
from collections.abc import Sequence

from ..downloads import Downloads
from ..shell import commands

PRIVATE_PORTS = {
    22: "SSH",
    2375: "the Docker API",
    3306: "MySQL",
    5432: "PostgreSQL",
    6379: "Redis",
    9090: "metrics",
    9093: "alerts",
    9100: "metrics",
    9200: "Elasticsearch",
    11211: "Memcached",
    27017: "MongoDB",
}
SOCKETS = re.compile(
    r"(?:docker|containerd|crio|podman|cri-dockerd|buildkitd)\.sock"
)
# Folders of the host's that hold its programs, keys or settings.
SENSITIVE = re.compile(
    r"/|(?:~|\$\{?HOME\}?|/(?:home|Users)(?:/[^/]+)?)(?:/\..*)?"
    r"|[A-Za-z]:[\\/]?(?:Users(?:[\\/][^\\/]+)?[\\/]?)?"
    r"|/(?:bin|boot|dev|etc|lib\w*|proc|root|run|sbin|sys|usr)(?:/.*)?"
    r"|/var(?:/(?:lib|log|run)(?:/.*)?)?"
)
# Reading is enough there.
KEYS = re.compile(r"/|.*/\.(?:aws|azure|docker|gnupg|kube|ssh)(?:/.*)?")
# Official images that start as root, and stay so.
ROOT_IMAGES = re.compile(
    r"(?:docker\.io/)?(?:library/)?(?:alpine|busybox|caddy|debian|golang|httpd"
    r"|nginx|node|python|ruby|traefik|ubuntu)(?:[:@].*)?"
)
# Groups that open the host's, or the container's, files and engine.
POWERFUL = frozenset({"0", "disk", "docker", "kmem", "root", "shadow"})
HARMLESS = re.compile(
    r"/etc/(?:localtime|timezone|ssl/certs(?:/.*)?|pki(?:/.*)?)|/dev/null"
)
MOVING = re.compile(
    r"(?:.*-)?(?:latest|nightly|edge|master|main|head|canary)(?:-.*)?"
)
_SECRET = re.compile(
    r"(?:password|passwd|passphrase|secret|apikey|credentials?)s?$"
    r"|(?:^|_)(?:token|pass|pwd|api_key|secret_key\w*"
    r"|(?:access|approval|auth|encryption|hmac|jwt|master|private|session"
    r"|shared|signing|webhook)_?key)s?$"
)
_NO_SECRET = re.compile(
    r"|true|false|yes|no|none|null|\d{1,6}|[./~].*|file:.*|<.*>|\{\{.*"
    r"|[*.x-]{3,}|replace.*|your[-_ ].*",
    re.IGNORECASE | re.DOTALL,
)
# Each way in which a reader of YAML takes a number for 0.
_ZERO = re.compile(r"[+-]?0(?:[xob]?[0_]*(?:\.[0_]*)?(?:e[+-]?\d*)?)")
# A tag or a commit: a branch is somebody else's to move.
_FIXED = re.compile(
    r"(?:[?&]ref=|[#@:])(?:[0-9a-f]{40}|sha256:\w+|[\w./-]*v?\d+\.\d+[\w.-]*)"
    r"(?:[:&].*)?$"
)
# Settings of the kernel's that touch nobody else.
SYSCTLS = frozenset(
    {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range"}
    | {"net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range"}
    | {"net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_keepalive_time"}
    | {"net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_fin_timeout"}
    | {"net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"}
)


def unpinned(image: str) -> str:
    """Say why an image's reference names no release; else return ""."""
    name = image.rpartition("/")[2]
    if "$" in name or "@sha256:" in name or image == "scratch":
        return ""
    tag = name.partition(":")[2]
    if not tag:
        return f"{image[:100]} names no tag, which means :latest"
    release = re.search(r"\d", tag) or tag == "local"  # built here
    if MOVING.fullmatch(tag.lower()) or not release:
        return f"{image[:100]} moves with every release"
    return ""


def moving(place: str) -> bool:
    """Tell a remote place that names neither a commit nor a release."""
    remote = re.match(r"(?:https?|git|ssh|oci)://|git@|github\.com/", place)
    return bool(remote) and not _FIXED.search(place)


def fetched(script: str | Sequence[str]) -> str:
    """Return the program that executes what a script fetches; or nothing."""
    with contextlib.suppress(ValueError):  # longer than any real one
        found = Downloads().executed(commands(script))
        return next((command.name for command in found), "")
    return ""


def is_root(user: object) -> bool:
    """Tell whether ``user`` or ``user:group`` is root, by name or number."""
    name = str(user).partition(":")[0].strip().lower()
    return name == "root" or _ZERO.fullmatch(name) is not None


def secret_name(name: str) -> bool:
    """Tell whether a variable of this name holds a secret itself."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name[-100:])
    return _SECRET.search(re.sub(r"\W", "_", words).lower()) is not None


def literal(value: object) -> bool:
    """Tell whether a secret's value stands here, and not its place."""
    text = str(value).strip()
    return "$" not in text and not _NO_SECRET.fullmatch(text)


def compose_value(value: object) -> str:
    """Return a value of a compose file with ``${NAME:-default}`` filled in."""
    return re.sub(r"\$\{\w+:?-([^{}$]*)\}", r"\1", str(value))
