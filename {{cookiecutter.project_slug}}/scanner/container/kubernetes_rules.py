"""What is wrong in manifests: the restricted Pod Security Standard and on.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

import base64
import binascii
from collections.abc import Iterator

from ..documents import listed, table, tables
from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .kubernetes import Cluster, Container, Manifest, Pod, containers
from .names import (
    PRIVATE_PORTS,
    SOCKETS,
    SYSCTLS,
    is_root,
    literal,
    secret_name,
    unpinned,
)

_VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "name"}
    | {"persistentVolumeClaim", "projected", "secret", "hostPath", "image"}
)
_ABOVE = frozenset(
    {"bind", "escalate", "impersonate", "nodes/proxy", "pods/attach"}
    | {"pods/exec", "serviceaccounts/token"}
)
_READS = frozenset({"get", "list", "watch"})
container_rule = ruled(__file__, on="container")
pod_rule = ruled(__file__, on="pod")
manifest_rule = ruled(__file__, on="manifest")
cluster_rule = ruled(__file__, on="cluster")


@container_rule("MCP-CON-201")
def privileged(container: Container) -> Iterator[Hit]:
    """A privileged container is the node, whatever user it runs as."""
    if container.context.get("privileged") is True:
        yield container.hit("privileged", "privileged: true")


@pod_rule("MCP-CON-202")
def host_path(pod: Pod) -> Iterator[Hit]:
    """What the pod can write there, the node executes or trusts."""
    for volume in tables(pod.spec, "volumes"):
        path = str(table(volume, "hostPath").get("path", "?"))
        if "hostPath" in volume and not SOCKETS.search(path):
            message = f"hostPath {path[:80]}"
            yield pod.manifest.hit(volume, "hostPath", message)


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
    """A token for the cluster's API lies in every pod that does not say no."""
    key = "automountServiceAccountToken"
    value = pod.spec.get(key)
    account = pod.spec.get("serviceAccountName")
    if value is None:
        value = pod.cluster.accounts.get(str(account))
    if value is True or (value is None and pod.manifest.whole):
        yield pod.manifest.hit(pod.spec, key, f"{key} is not false")


@container_rule("MCP-CON-214")
def no_limits(container: Container) -> Iterator[Hit]:
    """One call that eats memory takes the node's other pods along.

    A request that is not set is as high as the limit.
    """
    limits = table(container.settings, "resources", "limits")
    missing = [key for key in ("memory", "cpu") if key not in limits]
    if missing and container.whole:
        message = f"no limit of {' and '.join(missing)}"
        yield container.hit("resources", message)


@container_rule("MCP-CON-215")
def moving_image(container: Container) -> Iterator[Hit]:
    """With ``:latest`` or no tag, the next start is of another program."""
    image = str(container.settings.get("image") or "")
    given = container.pod.cluster.kustomized.images
    name = image.partition("@")[0]
    if ":" in name.rpartition("/")[2]:
        name = name.rpartition(":")[0]
    if image and name not in given and (problem := unpinned(image)):
        yield container.hit("image", problem)


@container_rule("MCP-CON-216")
def no_probes(container: Container) -> Iterator[Hit]:
    """A server that hangs keeps its place, and gets requests."""
    probes = ("livenessProbe", "readinessProbe")
    missing = [key for key in probes if key not in container.settings]
    if missing and container.whole and container.serves:
        yield container.hit("name", f"no {' and no '.join(missing)}")


@manifest_rule("MCP-CON-217")
def secret_values(manifest: Manifest) -> Iterator[Hit]:
    """base64 hides nothing, and git forgets nothing."""
    if manifest.kind != "Secret":
        return
    for key in ("data", "stringData"):
        values = table(manifest.content, key)
        for name, value in values.items():
            text = _decoded(value) if key == "data" else str(value or "")
            if text.startswith(("/", ".")) or literal(text):
                message = f"{name[:60]} has a value"
                yield manifest.hit(values, name, message)


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


@manifest_rule("MCP-CON-221")
def unbounded_role(manifest: Manifest) -> Iterator[Hit]:
    """``*`` and cluster-admin: whoever steers the server steers the rest.

    So does who reads every Secret: the tokens of the others are there; who
    runs commands in other pods, or makes tokens; and who gives out more
    rights than their own.
    """
    if manifest.kind in {"Role", "ClusterRole"}:
        for granted in tables(manifest.content, "rules"):
            every = not listed(granted, "resourceNames")
            reads = _READS.intersection(listed(granted, "verbs"))
            if every and reads and "secrets" in listed(granted, "resources"):
                yield manifest.hit(granted, "resources", "reads every Secret")
            for key in ("verbs", "resources"):
                words = listed(granted, key)
                if "*" in words:
                    yield manifest.hit(granted, key, f"{key}: *")
                    break
                if above := sorted(_ABOVE.intersection(map(str, words))):
                    yield manifest.hit(granted, key, f"{key}: {above[0]}")
                    break
    elif manifest.kind in {"RoleBinding", "ClusterRoleBinding"}:
        role = table(manifest.content, "roleRef")
        if role.get("name") == "cluster-admin":
            yield manifest.hit(
                role, "name", "binds cluster-admin", Severity.CRITICAL
            )


@manifest_rule("MCP-CON-222")
def open_service(manifest: Manifest) -> Iterator[Hit]:
    """Metrics and databases are for the neighbours only."""
    spec = table(manifest.content, "spec")
    kind = str(spec.get("type"))
    if manifest.kind != "Service" or kind not in {"LoadBalancer", "NodePort"}:
        return
    inner = {str(number) for number in PRIVATE_PORTS}
    for port in tables(spec, "ports"):
        told = {str(port.get(x)) for x in ("name", "port", "targetPort")}
        if told & inner or any("metrics" in text for text in told):
            yield manifest.hit(port, "port", f"{kind} for an inner port")


@pod_rule("MCP-CON-223")
def loosened(pod: Pod) -> Iterator[Hit]:
    """What the baseline Pod Security Standard forbids beyond the above.

    AppArmor unconfined, an unmasked ``/proc``, unsafe sysctls, host
    processes of Windows, and volumes of kinds that reach outside.
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
    for sysctl in tables(pod.context, "sysctls"):
        if sysctl.get("name") not in SYSCTLS:
            message = f"sysctl {str(sysctl.get('name'))[:60]}"
            yield manifest.hit(sysctl, "name", message)
    for volume in tables(pod.spec, "volumes"):
        for kind in sorted(volume.keys() - _VOLUMES - {"$patch"}):
            message = f"a volume of the kind {kind[:40]}"
            yield manifest.hit(volume, kind, message, Severity.MEDIUM)


@cluster_rule("MCP-CON-224")
def loose_kustomization(cluster: Cluster) -> Iterator[Hit]:
    """A moving tag, a base that is fetched by branch, a literal secret."""
    for path, settings in cluster.kustomized.files.items():
        manifest = Manifest(path, settings)
        for image in tables(settings, "images"):
            if "newTag" in image and "digest" not in image:
                problem = unpinned(f"{image.get('name')}:{image['newTag']}")
                if problem:
                    yield manifest.hit(image, "newTag", problem)
        for key in ("resources", "bases", "components"):
            for each in listed(settings, key):
                fixed = "ref=" in str(each)
                if "://" in str(each) and not fixed:
                    message = f"{str(each)[:80]} names no ref"
                    yield manifest.hit(settings, key, message)
        for made in tables(settings, "secretGenerator"):
            if any(_literal(each) for each in listed(made, "literals")):
                message = "a literal secret"
                yield manifest.hit(made, "literals", message, Severity.HIGH)


def _literal(text: object) -> bool:
    return literal(str(text).partition("=")[2])


def _zero(user: object) -> bool:
    return user is not None and is_root(user)


def _decoded(value: object) -> str:
    try:
        return base64.b64decode(str(value or "")).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return str(value)
