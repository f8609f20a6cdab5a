"""What is wrong in manifests beside pods: rights, ways in, and overlays."""

import base64
import binascii
import re
from collections.abc import Iterator

from ..documents import Table, listed, table, tables
from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .kubernetes import Cluster, Manifest
from .names import PRIVATE_PORTS, literal, moving, secret_name, unpinned

_ABOVE = frozenset(
    {"bind", "escalate", "impersonate", "nodes/proxy", "pods/attach"}
    | {"pods/exec", "serviceaccounts/token"}
)
_LEVEL = "pod-security.kubernetes.io/enforce"
_SNIPPET = re.compile(r"(?:configuration|server|auth|stream)-snippet$")
_IN_CLEAR = re.compile(r"(?:force-)?ssl-redirect$")
_CERTIFICATE = re.compile(r"certificate|ssl-cert|ssl-passthrough|tls-acme")
_EVERYBODY = frozenset(
    {"system:anonymous", "system:authenticated", "system:unauthenticated"}
)
_ANYBODYS = frozenset({53, 80, 443})
_ROUTES = frozenset({"GRPCRoute", "HTTPRoute", "TCPRoute", "TLSRoute"})
_READS = frozenset({"get", "list", "watch"})
_MAKES = frozenset({"create", "patch", "update"})
_MAKERS = frozenset(
    {"cronjobs", "daemonsets", "deployments", "jobs", "pods", "replicasets"}
    | {"replicationcontrollers", "statefulsets"}
)
manifest_rule = ruled(__file__, on="manifest")
cluster_rule = ruled(__file__, on="cluster")


@manifest_rule("MCP-CON-217")
def secret_values(manifest: Manifest) -> Iterator[Hit]:
    """base64 hides nothing, and git forgets nothing.

    A ConfigMap is no place for a password at all: whoever may look may read.
    """
    plain = manifest.kind == "ConfigMap"
    if manifest.kind != "Secret" and not plain:
        return
    for key in ("data", "stringData"):
        values = table(manifest.content, key)
        for name, value in values.items():
            if plain and not secret_name(name):
                continue
            coded = key == "data" and not plain
            text = _decoded(value) if coded else str(value or "")
            if (text.startswith(("/", ".")) and not plain) or literal(text):
                message = f"{name[:60]} has a value"
                yield manifest.hit(values, name, message)


@manifest_rule("MCP-CON-221")
def unbounded_role(manifest: Manifest) -> Iterator[Hit]:
    """``*`` and cluster-admin: whoever steers the server steers the rest.

    So does who reads every Secret: the tokens of the others are there; who
    makes pods, runs commands in others', or makes tokens; and who gives out
    more rights than their own.
    """
    if manifest.kind in {"Role", "ClusterRole"}:
        for granted in tables(manifest.content, "rules"):
            every = not listed(granted, "resourceNames")
            reads = _READS.intersection(listed(granted, "verbs"))
            if every and reads and "secrets" in listed(granted, "resources"):
                yield manifest.hit(granted, "resources", "reads every Secret")
            made = _MAKERS.intersection(map(str, listed(granted, "resources")))
            if made and _MAKES.intersection(listed(granted, "verbs")):
                message = f"makes {min(made)}"
                yield manifest.hit(granted, "resources", message)
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
        everybody = any(
            str(each.get("name")) in _EVERYBODY
            for each in tables(manifest.content, "subjects")
        )
        if role.get("name") == "cluster-admin" or everybody:
            message = (
                "is for everybody" if everybody else "binds cluster-admin"
            )
            yield manifest.hit(role, "name", message, Severity.CRITICAL)
        elif manifest.kind.startswith("Cluster") and role.get("name") in {
            "admin",
            "edit",
        }:
            message = f"binds {role.get('name')} in every namespace"
            yield manifest.hit(role, "name", message)


@manifest_rule("MCP-CON-222")
def open_service(manifest: Manifest) -> Iterator[Hit]:
    """Metrics and databases are for the neighbours only."""
    spec = table(manifest.content, "spec")
    kind = str(spec.get("type"))
    for rule in tables(spec, "rules") if manifest.kind in _ROUTES else ():
        for to in tables(rule, "backendRefs"):
            inside = f"{to.get('name')}:{to.get('port')}"
            if to.get("port") in PRIVATE_PORTS or "metrics" in inside:
                yield manifest.hit(to, "name", f"a route to {inside[:60]}")
    if manifest.kind != "Service" or kind not in {"LoadBalancer", "NodePort"}:
        return
    inner = {str(number) for number in PRIVATE_PORTS}
    for port in tables(spec, "ports"):
        told = {str(port.get(x)) for x in ("name", "port", "targetPort")}
        if told & inner or any("metrics" in text for text in told):
            yield manifest.hit(port, "port", f"{kind} for an inner port")


@manifest_rule("MCP-CON-227")
def clear_service(manifest: Manifest) -> Iterator[Hit]:
    """It goes past the Ingress, its TLS and its limits.

    A NodePort, a LoadBalancer and an externalIP are reached from outside the
    cluster. One on port 443, one inside the cloud's own network, and one with
    ``loadBalancerSourceRanges`` are taken for meant.
    """
    spec = table(manifest.content, "spec")
    notes = str(table(manifest.content, "metadata", "annotations")).lower()
    if manifest.kind != "Service" or "internal" in notes:
        return
    if listed(spec, "externalIPs"):
        yield manifest.hit(spec, "externalIPs", "externalIPs")
    kind = str(spec.get("type"))
    meant = kind == "LoadBalancer" and listed(spec, "loadBalancerSourceRanges")
    if kind not in {"LoadBalancer", "NodePort"} or meant:
        return
    ports = [port.get("port") for port in tables(spec, "ports")]
    if ports and not {443, 8443}.intersection(ports):
        inner = any(port in PRIVATE_PORTS for port in ports)
        if not inner and not any(open_service.findings(manifest)):
            yield manifest.hit(spec, "type", f"{kind} on port {ports[0]}")


@manifest_rule("MCP-CON-228")
def clear_ingress(manifest: Manifest) -> Iterator[Hit]:
    """Without ``tls:`` every token crosses the network in clear.

    So it does where the redirect to https is off, and where a route is bound
    to the listener for http. A snippet is configuration that nginx runs with
    the rights of its controller, which reads every Secret (CVE-2021-25742).
    """
    spec = table(manifest.content, "spec")
    passes = any(listed(x, "backendRefs") for x in tables(spec, "rules"))
    for parent in tables(spec, "parentRefs") if passes else ():
        names = str(parent.get("sectionName")).lower(), str(parent.get("port"))
        if {"http", "80"} & {*names}:
            yield manifest.hit(parent, "sectionName", "a route in clear")
    if manifest.kind == "Gateway" and manifest.whole:
        kinds = {str(x.get("protocol")) for x in tables(spec, "listeners")}
        if kinds == {"HTTP"}:
            yield manifest.hit(spec, "listeners", "no listener for HTTPS")
    if manifest.kind != "Ingress":
        return
    notes = table(manifest.content, "metadata", "annotations")
    ends = any(map(_CERTIFICATE.search, notes))
    if manifest.whole and not listed(spec, "tls") and not ends:
        yield manifest.hit(spec, "tls", "no tls")
    for name, value in notes.items():
        off = str(value).lower() == "false" and _IN_CLEAR.search(name)
        if off or _SNIPPET.search(name):
            yield manifest.hit(notes, name, f"{name[:80]}")


@manifest_rule("MCP-CON-233")
def every_origin(manifest: Manifest) -> Iterator[Hit]:
    """Any page that the user opens may then read what the server answers.

    ``enable-cors`` without an origin is for every one.
    """
    notes = table(manifest.content, "metadata", "annotations")
    given = {name.rpartition("/")[2]: name for name in notes}
    name = given.get("enable-cors")
    origin = notes.get(given.get("cors-allow-origin", ""), "*")
    on = name and str(notes[name]).lower() == "true"
    if manifest.kind == "Ingress" and name and on and origin == "*":
        yield manifest.hit(notes, name, "every origin is allowed")


@manifest_rule("MCP-CON-229")
def open_policy(manifest: Manifest) -> Iterator[Hit]:
    """``ingress: [{}]``: whoever may reach it is not narrowed at all.

    The same holds for all namespaces and for 0.0.0.0/0. A port narrows what
    is reached, not who reaches it; outwards, DNS and https are for anybody.
    """
    spec = table(manifest.content, "spec")
    for key, peers in (("ingress", "from"), ("egress", "to")):
        for allowed in tables(spec, key) if _is_policy(manifest) else ():
            some = tables(allowed, peers)
            ports = {port.get("port") for port in tables(allowed, "ports")}
            meant = key == "egress" and ports and ports <= _ANYBODYS
            if not meant and (not some or any(map(_is_everybody, some))):
                yield manifest.hit(spec, key, f"{key} from or to everywhere")
                break


@manifest_rule("MCP-CON-230")
def open_namespace(manifest: Manifest) -> Iterator[Hit]:
    """With the level ``privileged`` the cluster takes pods of every kind.

    Whoever may make a pod there has the node. So it is where no level is
    enforced: a warning stops nobody, but the cluster may have one of its own.
    """
    about = table(manifest.content, "metadata")
    level = table(about, "labels").get(_LEVEL)
    told = level == "privileged" or (level is None and manifest.whole)
    if manifest.kind == "Namespace" and told:
        message = f"enforce: {level}" if level else "no level is enforced"
        severity = Severity.HIGH if level else None
        yield manifest.hit(about, "labels", message, severity)


@manifest_rule("MCP-CON-231")
def host_volume(manifest: Manifest) -> Iterator[Hit]:
    """What a pod can write there, the node executes or trusts."""
    spec = table(manifest.content, "spec")
    if manifest.kind == "PersistentVolume" and "hostPath" in spec:
        path = str(table(spec, "hostPath").get("path", "?"))
        yield manifest.hit(spec, "hostPath", f"hostPath {path[:80]}")


@cluster_rule("MCP-CON-232")
def taken_away(cluster: Cluster) -> Iterator[Hit]:
    """What the base protects, the overlay that is deployed does not.

    The base looks safe to whoever reads it.
    """
    for path, line, what in cluster.kustomized.removed:
        message = f"{what} is removed"
        yield Hit(path=path, line=line, anchor=message, message=message)


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
                if moving(str(each)):
                    message = f"{str(each)[:80]} names no release"
                    yield manifest.hit(settings, key, message)
        yield from _literals(manifest)


@cluster_rule("MCP-CON-236")
def no_default(cluster: Cluster) -> Iterator[Hit]:
    """Policies for single pods leave the next one open to all, and all to it.

    One with an empty ``podSelector``, and nothing allowed, is for every pod
    that no other one names.
    """
    spaces = [each for each in cluster.manifests if each.kind == "Namespace"]
    if cluster.policies and "" not in cluster.policies:
        for space in spaces[:1]:
            message = "no NetworkPolicy is for every pod"
            yield space.hit(space.content, "metadata", message)


def _literals(manifest: Manifest) -> Iterator[Hit]:
    """Yield the secrets that a kustomization writes out."""
    for key in ("secretGenerator", "configMapGenerator"):
        for made in tables(manifest.content, key):
            for each in listed(made, "literals"):
                name, _, value = str(each).partition("=")
                named = key == "secretGenerator" or secret_name(name)
                if named and literal(value):
                    message = "a literal secret"
                    yield manifest.hit(
                        made, "literals", message, Severity.HIGH
                    )


def _is_policy(manifest: Manifest) -> bool:
    return manifest.kind == "NetworkPolicy"


def _is_everybody(peer: Table) -> bool:
    """Tell whether it names every pod of the cluster, or every address."""
    block = table(peer, "ipBlock")
    if block:
        every = block.get("cidr") in {"0.0.0.0/0", "::/0"}
        return every and not listed(block, "except")
    return "namespaceSelector" in peer and not any(
        table(peer, key) for key in ("namespaceSelector", "podSelector")
    )


def _decoded(value: object) -> str:
    try:
        return base64.b64decode(str(value or "")).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return str(value)
