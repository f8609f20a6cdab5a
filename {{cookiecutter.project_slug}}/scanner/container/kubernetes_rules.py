"""What is wrong in pods: the restricted Pod Security Standard and on.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

import re
from collections.abc import Iterator

from ..documents import Table, listed, table, tables
from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .kubernetes import Container, Pod, containers
from .names import (
    SOCKETS,
    SYSCTLS,
    fetched,
    is_root,
    literal,
    secret_name,
    unpinned,
)
from .neighbours import openings

_VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "name"}
    | {"persistentVolumeClaim", "projected", "secret", "hostPath", "image"}
)
_HOOKS = (
    *(("lifecycle", way) for way in ("postStart", "preStop")),
    *((f"{way}Probe", "") for way in ("liveness", "readiness", "startup")),
)
_CLUSTER = re.compile(r"\bkubernetes\.default\b")
container_rule = ruled(__file__, on="container")
pod_rule = ruled(__file__, on="pod")


@container_rule("MCP-CON-201")
def privileged(container: Container) -> Iterator[Hit]:
    """A privileged container is the node, whatever user it runs as."""
    if container.context.get("privileged") is True:
        yield container.hit("privileged", "privileged: true")


@pod_rule("MCP-CON-202")
def host_path(pod: Pod) -> Iterator[Hit]:
    """What the pod can write there, the node executes or trusts.

    With all of it, the pod is the node.
    """
    for volume in tables(pod.spec, "volumes"):
        path = str(table(volume, "hostPath").get("path", "?"))
        if "hostPath" in volume and not SOCKETS.search(path):
            severity = None if path.strip("/") else Severity.CRITICAL
            message = f"hostPath {path[:80]}"
            yield pod.manifest.hit(volume, "hostPath", message, severity)


@pod_rule("MCP-CON-203")
def engine_socket(pod: Pod) -> Iterator[Hit]:
    """Who can write to the engine's socket is root on the node."""
    for volume in tables(pod.spec, "volumes"):
        path = str(table(volume, "hostPath").get("path", ""))
        if SOCKETS.search(path):
            message = f"hostPath {path[:80]}"
            yield pod.manifest.hit(volume, "hostPath", message)


@pod_rule("MCP-CON-204")
def host_namespace(pod: Pod) -> Iterator[Hit]:
    """The node's network, processes or memory are then the pod's too."""
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(key) is True:
            yield pod.manifest.hit(pod.spec, key, f"{key}: true")


@pod_rule("MCP-CON-225")
def shared_processes(pod: Pod) -> Iterator[Hit]:
    """Each container then reads the others' memory, files and variables.

    What one of them holds apart from the rest, as a key, is apart no more.
    """
    if pod.spec.get("shareProcessNamespace") is True:
        key = "shareProcessNamespace"
        yield pod.manifest.hit(pod.spec, key, f"{key}: true")


@container_rule("MCP-CON-205")
def host_port(container: Container) -> Iterator[Hit]:
    """A hostPort is open on the node, past the network policies."""
    for port in tables(container.settings, "ports"):
        if port.get("hostPort"):
            message = f"container {container.name}: hostPort"
            yield container.pod.manifest.hit(port, "hostPort", message)


@container_rule("MCP-CON-206")
def added_capability(container: Container) -> Iterator[Hit]:
    """SYS_ADMIN and its like undo the container's isolation."""
    for name in listed(container.context, "capabilities", "add"):
        if str(name).upper().removeprefix("CAP_") != "NET_BIND_SERVICE":
            message = f"capability {str(name)[:40]} is added"
            yield container.hit("capabilities", message)


@container_rule("MCP-CON-207")
def kept_capabilities(container: Container) -> Iterator[Hit]:
    """A server needs none of those that the engine leaves it."""
    dropped = listed(container.context, "capabilities", "drop")
    if container.whole and "ALL" not in {str(x).upper() for x in dropped}:
        yield container.hit("capabilities", "drop does not name ALL")


@container_rule("MCP-CON-208")
def new_privileges(container: Container) -> Iterator[Hit]:
    """A set-user-id program in the image makes root again."""
    key = "allowPrivilegeEscalation"
    value = container.context.get(key)
    if value is True or (value is None and container.whole):
        yield container.hit(key, f"{key} is not false")


@container_rule("MCP-CON-209")
def may_be_root(container: Container) -> Iterator[Hit]:
    """Only with runAsNonRoot does the kubelet refuse an image of root's."""
    value = container.effective("runAsNonRoot")
    user = container.effective("runAsUser")
    if value is None and container.whole and not _zero(user):
        yield container.hit("runAsNonRoot", "runAsNonRoot is not true")


@container_rule("MCP-CON-210")
def root_pod(container: Container) -> Iterator[Hit]:
    """What breaks out of the container is then root on the node."""
    if _zero(container.effective("runAsUser")):
        yield container.hit("runAsUser", "runAsUser: 0")
    elif container.effective("runAsNonRoot") is False:
        yield container.hit("runAsNonRoot", "runAsNonRoot: false")


@container_rule("MCP-CON-211")
def no_seccomp(container: Container) -> Iterator[Hit]:
    """Without a profile each call of the kernel's is open to an intruder."""
    profile = container.effective("seccompProfile")
    kind = table(profile).get("type")
    if kind == "Unconfined":
        message = "seccompProfile: Unconfined"
        yield container.hit("seccompProfile", message, Severity.HIGH)
    elif kind not in {"RuntimeDefault", "Localhost"} and container.whole:
        yield container.hit("seccompProfile", "no seccompProfile")


@container_rule("MCP-CON-212")
def writable_root(container: Container) -> Iterator[Hit]:
    """What cannot be written cannot be replaced by an intruder's program."""
    key = "readOnlyRootFilesystem"
    value = container.context.get(key)
    if value is False or (value is None and container.whole):
        yield container.hit(key, f"{key} is not true")


@pod_rule("MCP-CON-213")
def mounted_token(pod: Pod) -> Iterator[Hit]:
    """A token for the cluster's API lies in every pod that does not say no.

    So it does where a projected volume brings one, unless it is made out to
    somebody else (``audience``).
    """
    key = "automountServiceAccountToken"
    value = pod.spec.get(key)
    account = pod.spec.get("serviceAccountName")
    if value is None:
        value = pod.cluster.accounts.get(str(account))
    if value is True or (value is None and pod.manifest.whole):
        yield pod.manifest.hit(pod.spec, key, f"{key} is not false")
    for volume in tables(pod.spec, "volumes"):
        for source in tables(volume, "projected", "sources"):
            token = source.get("serviceAccountToken")
            audience = str(table(token).get("audience", "kubernetes.default"))
            if isinstance(token, Table) and _CLUSTER.search(audience):
                message = "a projected token for the cluster"
                yield pod.manifest.hit(volume, "projected", message)


@container_rule("MCP-CON-214")
def no_limits(container: Container) -> Iterator[Hit]:
    """One call that eats memory takes the node's other pods along.

    A request that is not set is as high as the limit.
    """
    limits = table(container.settings, "resources", "limits")
    asked = table(container.settings, "resources", "requests")
    needed = dict.fromkeys(("memory", "cpu", *asked))
    missing = [key for key in needed if key not in limits]
    if missing and container.whole:
        severity = None if "memory" in missing else Severity.LOW
        message = f"no limit of {' and '.join(missing)}"
        yield container.hit("resources", message, severity)


@pod_rule("MCP-CON-237")
def unbounded_memory(pod: Pod) -> Iterator[Hit]:
    """What is written there is memory: all of the pod's, or of the node's."""
    for volume in tables(pod.spec, "volumes"):
        about = table(volume, "emptyDir")
        if about.get("medium") == "Memory" and "sizeLimit" not in about:
            message = "emptyDir in memory without a size"
            yield pod.manifest.hit(volume, "emptyDir", message)


@container_rule("MCP-CON-215")
def moving_image(container: Container) -> Iterator[Hit]:
    """With ``:latest`` or no tag, the next start is of another program.

    A kustomization may give the tag; ``:latest`` written out is then still
    what whoever applies the base alone gets.
    """
    image = str(container.settings.get("image") or "")
    given = container.pod.cluster.kustomized.images
    name = image.partition("@")[0]
    if ":" in name.rpartition("/")[2]:
        name = name.rpartition(":")[0]
    latest = image.partition("@")[0].endswith(":latest")
    theirs = name in given and not latest
    if image and not theirs and (problem := unpinned(image)):
        yield container.hit("image", problem)


@container_rule("MCP-CON-216")
def no_probes(container: Container) -> Iterator[Hit]:
    """A server that hangs keeps its place, and gets requests."""
    probes = ("livenessProbe", "readinessProbe")
    missing = [key for key in probes if key not in container.settings]
    if missing and container.whole and container.serves:
        yield container.hit("name", f"no {' and no '.join(missing)}")


@container_rule("MCP-CON-218")
def secret_here(container: Container) -> Iterator[Hit]:
    """The manifest is in git, and the variable in ``kubectl describe``."""
    for variable in tables(container.settings, "env"):
        name, value = str(variable.get("name")), variable.get("value")
        if value is not None and secret_name(name) and literal(value):
            message = f"container {container.name}: {name[:60]} has a value"
            yield container.pod.manifest.hit(variable, "value", message)


@pod_rule("MCP-CON-219")
def no_policy(pod: Pod) -> Iterator[Hit]:
    """Without one, each pod of the cluster reaches it, and it reaches all."""
    if pod.manifest.whole and not pod.cluster.selects(pod.labels):
        yield pod.manifest.hit(pod.spec, "", "no NetworkPolicy selects it")


@pod_rule("MCP-CON-220")
def default_namespace(pod: Pod) -> Iterator[Hit]:
    """Rights, quotas and policies are given by namespace."""
    about = table(pod.manifest.content, "metadata")
    space = about.get("namespace")
    missing = space is None and not pod.manifest.placed
    if space == "default" or (missing and pod.manifest.whole):
        message = "no namespace" if missing else "namespace: default"
        yield pod.manifest.hit(about, "namespace", message)


@pod_rule("MCP-CON-223")
def loosened(pod: Pod) -> Iterator[Hit]:
    """What the baseline Pod Security Standard forbids beyond the above.

    AppArmor unconfined, an unmasked ``/proc``, unsafe sysctls, host
    processes of Windows, and volumes of kinds that reach outside. Less bad is
    the group of root, for whom many an image leaves its files writable.
    """
    manifest = pod.manifest
    inner = [each.context for each in containers(pod)]
    for context in (pod.context, *inner):
        if table(context, "appArmorProfile").get("type") == "Unconfined":
            yield manifest.hit(context, "appArmorProfile", "no AppArmor")
        if context.get("procMount") == "Unmasked":
            yield manifest.hit(context, "procMount", "procMount: Unmasked")
        if table(context, "windowsOptions").get("hostProcess") is True:
            yield manifest.hit(context, "windowsOptions", "hostProcess: true")
        for key in ("runAsGroup", "fsGroup"):
            if _zero(context.get(key)):
                message = f"{key}: 0, the group of root"
                yield manifest.hit(context, key, message, Severity.MEDIUM)
    for sysctl in tables(pod.context, "sysctls"):
        if sysctl.get("name") not in SYSCTLS:
            message = f"sysctl {str(sysctl.get('name'))[:60]}"
            yield manifest.hit(sysctl, "name", message, Severity.MEDIUM)
    for volume in tables(pod.spec, "volumes"):
        for kind in sorted(volume.keys() - _VOLUMES - {"$patch"}):
            message = f"a volume of the kind {kind[:40]}"
            yield manifest.hit(volume, kind, message, Severity.MEDIUM)


@pod_rule("MCP-CON-235")
def open_secret(pod: Pod) -> Iterator[Hit]:
    """A key that others may write, or run, is theirs to put another for.

    The server refuses a file of tokens that others can read.
    """
    for volume in tables(pod.spec, "volumes"):
        for kind in ("projected", "secret"):
            held = table(volume, kind)
            places = [(held, "defaultMode")]
            places += [(item, "mode") for item in tables(held, "items")]
            for where, key in places:
                if (mode := _mode(where.get(key))) & 0o133:
                    message = f"{key} {mode:04o}"
                    yield pod.manifest.hit(where, key, message)


@container_rule("MCP-CON-226")
def left_open(container: Container) -> Iterator[Hit]:
    """A neighbour that lets everybody in is the way around the server's login.

    Such as Grafana without a login, a database without a password, or
    Prometheus with the switches by which it is emptied and stopped.
    """
    settings = container.settings
    given = [
        (str(each.get("name")), each.get("value"))
        for each in tables(settings, "env")
    ]
    words = [*listed(settings, "command"), *listed(settings, "args")]
    for opening in openings(given, words):
        key = "env" if given else "args"
        yield container.hit(key, opening.message, opening.severity)


@container_rule("MCP-CON-234")
def fetched_program(container: Container) -> Iterator[Hit]:
    """At each start it runs whatever the other side sends that day."""
    settings = container.settings
    first = "command" if "command" in settings else "args"
    words = [*listed(settings, "command"), *listed(settings, "args")]
    every = [(first, words)]
    for key, way in _HOOKS:
        hook = table(settings, key, way) if way else table(settings, key)
        every.append((key, listed(hook, "exec", "command")))
    for key, words in every:
        command = fetched([str(word) for word in words])
        if not command:
            continue
        message = f"{command} executes what was fetched unverified"
        yield container.hit(key, message)


def _zero(user: object) -> bool:
    return user is not None and is_root(user)


def _mode(value: object) -> int:
    """Return a mode as YAML 1.1 and 1.2 write it; 0 where there is none."""
    if isinstance(value, int):
        return value
    octal = re.fullmatch(r"0?o?([0-7]{3,4})", str(value))
    return int(octal[1], 8) if octal else 0
