"""What is wrong in a compose file; each rule looks at one service."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from ..documents import Table, listed, table
from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .compose import Service, truth
from .names import (
    HARMLESS,
    MOVING,
    POWERFUL,
    PRIVATE_PORTS,
    ROOT_IMAGES,
    SENSITIVE,
    SOCKETS,
    SYSCTLS,
    compose_value,
    fetched,
    is_root,
    literal,
    moving,
    secret_name,
    unpinned,
)
from .neighbours import openings

_DEVICE = re.compile(
    r"/dev(?:/(?:k?mem|kmsg|port|loop|mapper|disk|dm-|md|nvme|[hsv]d|xvd).*)?"
    r"/?(?::.*)?$"
)
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 # nosec B104 # looked for, not bound to
_PROTECTION = frozenset(
    {"cap_drop", "cpus", "deploy", "healthcheck", "mem_limit", "pids_limit"}
    | {"read_only", "security_opt", "user"}
)
_SETTINGS = re.compile(r"/etc/.+|.+\.(?:cnf|conf|ini|json|toml|ya?ml)")
DASHBOARD = 3000  # as many other programs
compose = ruled(__file__, on="compose")
# For a service that is written whole, not one that another file completes.
whole = ruled(__file__, on="compose-whole")
compose_file = ruled(__file__, on="compose-file")


@compose("MCP-CON-101")
def privileged(service: Service) -> Iterator[Hit]:
    """A privileged container is the host, whatever user it runs as."""
    if truth(service.settings.get("privileged")):
        yield service.hit("privileged", "privileged: true")
    if truth(table(service.settings, "build").get("privileged")):
        yield service.hit("build", "its build is privileged")


@compose("MCP-CON-102")
def engine_socket(service: Service) -> Iterator[Hit]:
    """Who can write to docker.sock is root on the host; read-only is too."""
    for mount in service.mounts():
        if SOCKETS.search(mount.source):
            message = f"{mount.source[:80]} is mounted"
            yield service.hit("volumes", message, line=mount.line)
    for name, value, line in service.variables():
        if name == "DOCKER_HOST" and value.startswith(("tcp:", "http:")):
            yield service.hit(
                "environment", f"{name} is {value[:60]}", line=line
            )


@compose("MCP-CON-103")
def host_folder(service: Service) -> Iterator[Hit]:
    """What the server can write there, the host executes or trusts."""
    for mount in service.mounts():
        place = mount.source.rstrip("/") or "/"
        if SOCKETS.search(place) or HARMLESS.fullmatch(place):
            continue
        if SENSITIVE.fullmatch(place):
            severity = Severity.CRITICAL if place == "/" else None
            message = f"{place[:80]} of the host is mounted"
            yield service.hit(
                "volumes", message, severity=severity, line=mount.line
            )


@compose("MCP-CON-104")
def host_namespace(service: Service) -> Iterator[Hit]:
    """The host's network, processes or memory are then the container's too.

    In the host's network every service that listens on loopback is within
    reach of whoever steers the server. The host's users are shared anyway,
    unless the engine was set up otherwise.
    """
    for key in ("network_mode", "pid", "ipc", "uts", "userns_mode", "cgroup"):
        if str(service.settings.get(key)).strip() == "host":
            severity = Severity.MEDIUM if key == "userns_mode" else None
            yield service.hit(key, f"{key}: host", severity=severity)


@compose("MCP-CON-105")
def added_capability(service: Service) -> Iterator[Hit]:
    """SYS_ADMIN and its like undo the container's isolation."""
    for name in service.words("cap_add"):
        if name.upper().removeprefix("CAP_") != "NET_BIND_SERVICE":
            yield service.hit("cap_add", f"{name[:40]} is added")


@compose("MCP-CON-116")
def raw_device(service: Service) -> Iterator[Hit]:
    """A disk read past its file system has no owners and no permissions.

    ``/dev/mem`` is the kernel itself; a rule for all devices is each of them.
    """
    for device in service.words("devices"):
        if _DEVICE.match(compose_value(device)):
            yield service.hit("devices", f"{device[:60]} is handed in")
    for rule in service.words("device_cgroup_rules"):
        if rule.lstrip().startswith(("a", "b")):
            yield service.hit("device_cgroup_rules", f"{rule[:60]} is allowed")


@compose("MCP-CON-117")
def kernel_setting(service: Service) -> Iterator[Hit]:
    """Routing, spoofed addresses, bigger queues: the kernel's own guards.

    A few settings touch nobody else, and are let be.
    """
    given = table(service.settings, "sysctls").keys()
    named = [str(word).partition("=")[0] for word in given]
    if not named:
        items = listed(service.settings, "sysctls")
        named = [str(item).partition("=")[0].strip() for item in items]
    for name in named:
        if name not in SYSCTLS:
            yield service.hit("sysctls", f"sysctl {name[:60]}")


@compose("MCP-CON-118")
def shared_container(service: Service) -> Iterator[Hit]:
    """Each of the two then reads the other's memory, or files.

    What one of them holds apart from the rest, as a key, is apart no more. In
    a shared network each reaches what the other serves on loopback only.
    """
    for key in ("pid", "ipc", "network_mode"):
        value = str(service.settings.get(key))
        if value.startswith(("container:", "service:")):
            yield service.hit(key, f"{key}: {value[:60]}")
    for other in service.words("volumes_from"):
        yield service.hit("volumes_from", f"volumes_from: {other[:60]}")


@whole("MCP-CON-106")
def kept_capabilities(service: Service) -> Iterator[Hit]:
    """A server needs none of the fourteen that Docker leaves it."""
    dropped = {name.upper() for name in service.words("cap_drop")}
    if "ALL" not in dropped and not truth(service.settings.get("privileged")):
        yield service.hit("cap_drop", "cap_drop does not name ALL")


@whole("MCP-CON-107")
def new_privileges(service: Service) -> Iterator[Hit]:
    """Without this, a set-user-id program in the image makes root again."""
    options = {
        re.sub(r"[=:\s]+", ":", option)
        for option in service.words("security_opt")
    }
    if not options & {"no-new-privileges", "no-new-privileges:true"}:
        message = "security_opt lacks no-new-privileges"
        yield service.hit("security_opt", message)


@compose("MCP-CON-108")
def writable_root(service: Service) -> Iterator[Hit]:
    """What cannot be written cannot be replaced by an intruder's program."""
    told = service.whole or "read_only" in service.settings
    if told and not truth(service.settings.get("read_only")):
        yield service.hit("read_only", "read_only is not true")


@compose("MCP-CON-109")
def root_service(service: Service) -> Iterator[Hit]:
    """``user: root`` overrides the user that the image has.

    An image such as nginx's has no other, and wants to be told.
    """
    user = service.settings.get("user")
    image = compose_value(service.settings.get("image") or "")
    told = user is not None or "build" in service.settings
    if service.whole and not told and ROOT_IMAGES.fullmatch(image):
        message = f"{image[:60]} starts as root"
        yield service.hit("user", message, severity=Severity.MEDIUM)
    if user is not None and is_root(compose_value(user)):
        yield service.hit("user", f"user: {str(user)[:40]}")
    for group in service.words("group_add"):
        if group in POWERFUL:
            yield service.hit("group_add", f"group_add: {group}")


@compose("MCP-CON-110")
def moving_image(service: Service) -> Iterator[Hit]:
    """With ``:latest`` or no tag, the next pull is of another program."""
    image = compose_value(service.settings.get("image") or "")
    tag = image.rpartition("/")[2].partition(":")[2]
    built = "build" in service.settings and not MOVING.fullmatch(tag.lower())
    problem = "" if built or not image else unpinned(image)
    if problem:
        yield service.hit("image", problem)


@compose("MCP-CON-111")
def unconfined(service: Service) -> Iterator[Hit]:
    """Filters as seccomp and AppArmor stop what most breakouts begin with."""
    for option in service.words("security_opt"):
        flat = re.sub(r"[=:\s]+", ":", option).lower()
        if flat.endswith(":unconfined") or flat == "label:disable":
            yield service.hit("security_opt", option[:60])
        elif flat == "no-new-privileges:false" and not service.whole:
            severity = Severity.MEDIUM
            yield service.hit("security_opt", option[:60], severity=severity)


@compose("MCP-CON-112")
def open_port(service: Service) -> Iterator[Hit]:
    """Docker publishes on every interface, past the host's firewall.

    Metrics, databases and the Docker API are for the neighbours only; so is
    the server itself, where TLS is the proxy's.
    """
    ports = listed(service.settings, "ports")
    image = str(service.settings.get("image"))
    given = {name: value for name, value, _line in service.variables()}
    clear = "MCP_TRANSPORT" in given and "MCP_TLS_CERTFILE" not in given
    ours = compose_value(given.get("MCP_PORT", "8080")) if clear else ""
    for port, line in zip(ports, ports.lines, strict=True):
        if isinstance(port, Table):
            host, inner = str(port.get("host_ip", "")), str(port.get("target"))
        else:
            text = compose_value(port).partition("/")[0]
            host, _, inner = text.rpartition(":")
            host = host.rpartition(":")[0]
        number = int(inner) if re.fullmatch(r"\d{1,5}", inner) else 0
        what = PRIVATE_PORTS.get(number, "")
        if number == DASHBOARD and "grafana" in image:
            what = "dashboards, in clear"
        if inner == ours:
            what = "the server, in clear"
        if what and host.strip("[]") in _EVERYWHERE:
            message = f"port {number} ({what}) is published"
            yield service.hit("ports", message, line=line)


@compose("MCP-CON-113")
def secret_here(service: Service) -> Iterator[Hit]:
    """The file is in git, and the variable in ``docker inspect``."""
    for name, value, line in service.variables():
        if secret_name(name) and literal(compose_value(value)):
            message = f"{name[:60]} has a value"
            yield service.hit("environment", message, line=line)


@whole("MCP-CON-114")
def no_limits(service: Service) -> Iterator[Hit]:
    """One call that eats memory takes the whole host along."""
    limits = table(service.settings, "deploy", "resources", "limits")
    missing = [
        what
        for what, here, there in (
            ("memory", "mem_limit", "memory"),
            ("cpus", "cpus", "cpus"),
            ("pids", "pids_limit", "pids"),
        )
        if _unlimited(service.settings.get(here))
        and _unlimited(limits.get(there))
        and not (what == "cpus" and "cpu_quota" in service.settings)
    ]
    if missing:
        yield service.hit("deploy", f"no limit of {', '.join(missing)}")


@compose("MCP-CON-115")
def no_health(service: Service) -> Iterator[Hit]:
    """A server that hangs is taken for one that runs (CIS 4.6).

    One whose log goes nowhere is taken for one to which nothing happened.
    """
    if table(service.settings, "logging").get("driver") == "none":
        yield service.hit("logging", "the log goes nowhere")
    health = table(service.settings, "healthcheck")
    test = health.get("test")
    none = test == "NONE" or (isinstance(test, list) and test[:1] == ["NONE"])
    if truth(health.get("disable")) or none:
        yield service.hit("healthcheck", "the health check is disabled")


@compose("MCP-CON-119")
def spared(service: Service) -> Iterator[Hit]:
    """When memory runs out, the kernel ends something else in its place.

    Or nothing, and the host stands still: ``oom_kill_disable``, an
    ``oom_score_adj`` far below nought, or swap without an end.
    """
    if str(service.settings.get("memswap_limit")) == "-1":
        yield service.hit("memswap_limit", "memswap_limit: -1")
    if truth(service.settings.get("oom_kill_disable")):
        yield service.hit("oom_kill_disable", "oom_kill_disable: true")
    score = str(service.settings.get("oom_score_adj", ""))
    if re.fullmatch(r"-\d{3,4}", score):
        yield service.hit("oom_score_adj", f"oom_score_adj: {score}")


@compose("MCP-CON-120")
def left_open(service: Service) -> Iterator[Hit]:
    """A neighbour that lets everybody in is the way around the server's login.

    Such as Grafana without a login, a database without a password, or
    Prometheus with the switches by which it is emptied and stopped. Where its
    port is published, that is everybody on the network.
    """
    published = any(open_port.findings(service))
    given = [(name, value) for name, value, _line in service.variables()]
    words = [*service.words("entrypoint"), *service.words("command")]
    for opening in openings(given, map(compose_value, words)):
        key = "environment" if given else "command"
        severity = opening.severity
        if published and severity is Severity.MEDIUM:
            severity = Severity.HIGH
        yield service.hit(key, opening.message, severity=severity)


@compose("MCP-CON-121")
def fetched_program(service: Service) -> Iterator[Hit]:
    """At each start it runs whatever the other side sends that day."""
    check = table(service.settings, "healthcheck").get("test")
    values = [(x, service.settings.get(x)) for x in ("entrypoint", "command")]
    for key, value in (*values, ("healthcheck", check)):
        words = [str(x) for x in value] if isinstance(value, list) else []
        shell = words[:1] == ["CMD-SHELL"]
        script = " ".join(words[1:]) if shell else words
        if command := fetched(value if isinstance(value, str) else script):
            message = f"{command} executes what was fetched unverified"
            yield service.hit(key, message)


@compose("MCP-CON-123")
def taken_away(service: Service) -> Iterator[Hit]:
    """``!reset`` and ``!override`` drop what the main file says of a key.

    The service then runs without it, though each file looks right alone.
    """
    for key in _PROTECTION & service.settings.tags.keys():
        if service.settings.tags[key] == "!reset":
            yield service.hit(key, f"{key}: !reset")
    kept = {"cap_drop": "all", "security_opt": "no-new-privileges"}
    for key, word in kept.items():
        told = " ".join(service.words(key)).lower()
        replaced = service.settings.tags.get(key) == "!override"
        if replaced and word not in told and not service.whole:
            yield service.hit(key, f"{key}: !override")


@compose("MCP-CON-124")
def executable_tmpfs(service: Service) -> Iterator[Hit]:
    """What cannot be written does not help where what is written can run.

    Docker itself mounts a tmpfs without ``exec``, ``suid`` and ``dev``.
    """
    for mount in service.words("tmpfs"):
        options = {*mount.partition(":")[2].split(",")}
        if loose := sorted(options & {"dev", "exec", "suid"}):
            yield service.hit("tmpfs", f"{mount[:60]} has {loose[0]}")


@compose("MCP-CON-125")
def writable_settings(service: Service) -> Iterator[Hit]:
    """Who gets into the service changes how it starts the next time.

    And does it in the folder of the project.
    """
    for mount in service.mounts():
        inner = _SETTINGS.fullmatch(mount.target)
        if inner and mount.source[:1] == "." and not mount.readonly:
            message = f"{mount.target[:80]} can be written"
            yield service.hit("volumes", message, line=mount.line)


@compose_file("MCP-CON-126")
def way_out(path: str, document: Table) -> Iterator[Hit]:
    """What a tool has read it can send anywhere.

    That is the server without a port of its own, in a network that is not
    ``internal``. One that it shares with nobody is there to lead out.
    """
    networks = table(document, "networks")
    services = table(document, "services")
    joined = {name: _joined(table(services, name)) for name in services}
    shared = Counter(chain(*joined.values()))
    for name in services:
        service = table(services, name)
        given = [*table(service, "environment")]
        given += map(str, listed(service, "environment"))
        ours = any(str(each).startswith("MCP_") for each in given)
        for each in joined[name] if ours and "ports" not in service else ():
            known = table(networks, each)
            open_ = each in networks and "external" not in known
            alone = shared[each] == 1 or truth(known.get("internal"))
            if open_ and not alone:
                message = f"service {name[:60]}: {each[:60]} leads out"
                yield Hit(
                    path=path,
                    line=networks.at(each),
                    anchor=message,
                    message=message,
                )


@compose_file("MCP-CON-122")
def moving_part(path: str, document: Table) -> Iterator[Hit]:
    """A file, or what is built, that lies on a branch is others' to change."""
    included = listed(document, "include")
    for each, line in zip(included, included.lines, strict=True):
        place = each.get("path") if isinstance(each, Table) else each
        if moving(str(place)):
            message = f"include of {str(place)[:80]}"
            yield Hit(path=path, line=line, anchor=message, message=message)
    for name, service in table(document, "services").items():
        build = table(service).get("build")
        place = (
            build if isinstance(build, str) else table(build).get("context")
        )
        if moving(str(place)):
            message = f"service {name[:60]}: build of {str(place)[:80]}"
            line = table(service).at("build")
            yield Hit(path=path, line=line, anchor=message, message=message)


def _unlimited(limit: object) -> bool:
    return str(limit).strip() in {"None", "", "0", "-1"}


def _joined(service: Table) -> list[str]:
    """Return the networks that a service joins."""
    return [
        *table(service, "networks"),
        *map(str, listed(service, "networks")),
    ]
