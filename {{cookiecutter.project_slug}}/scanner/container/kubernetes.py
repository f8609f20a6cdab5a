"""Kubernetes manifests as the pods and other objects that they describe."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..documents import Items, Table, table, tables
from ..model import Severity
from ..rules import Hit
from . import kustomize

_LONG_RUNNING = frozenset(
    {"DaemonSet", "Deployment", "Pod", "ReplicaSet", "StatefulSet"}
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object.

    Attributes:
        whole: False for a patch, which says only what it changes.
        placed: A kustomization puts it into a namespace.
    """

    path: str
    content: Table
    whole: bool = True
    placed: bool = False

    @property
    def kind(self) -> str:
        """Such as ``Deployment``."""
        return str(self.content.get("kind"))

    @property
    def name(self) -> str:
        """The kind and the name, for messages."""
        name = table(self.content, "metadata").get("name", "")
        return f"{self.kind}/{name}"[:80]

    def hit(
        self,
        where: Table,
        key: str,
        message: str,
        severity: Severity | None = None,
    ) -> Hit:
        """Make a hit at a key of a mapping in this object."""
        return Hit(
            path=self.path,
            line=where.at(key),
            anchor=f"{self.name}.{key}.{message}",
            message=f"{self.name}: {message}",
            severity=severity,
        )


@dataclass(frozen=True, slots=True)
class Pod:
    """What a manifest says of its pods."""

    manifest: Manifest
    spec: Table
    labels: Table
    cluster: "Cluster"

    @property
    def context(self) -> Table:
        """The pod's own security context."""
        return table(self.spec, "securityContext")


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod."""

    pod: Pod
    settings: Table
    helper: bool  # an init or ephemeral container

    @property
    def name(self) -> str:
        """Its name, for messages."""
        return str(self.settings.get("name", "?"))[:40]

    @property
    def whole(self) -> bool:
        """False in a patch."""
        return self.pod.manifest.whole

    @property
    def serves(self) -> bool:
        """True when it is meant to run on, so that it can be probed."""
        sidecar = self.helper and not self.settings.get("restartPolicy")
        return self.pod.manifest.kind in _LONG_RUNNING and not sidecar

    @property
    def context(self) -> Table:
        """Its own security context."""
        return table(self.settings, "securityContext")

    def effective(self, key: str) -> Any:
        """Return its setting, or else the pod's; None without either."""
        own = self.context.get(key)
        return self.pod.context.get(key) if own is None else own

    def hit(
        self, key: str, message: str, severity: Severity | None = None
    ) -> Hit:
        """Make a hit at a setting, or at the container itself."""
        holder = self.context if key in self.context else self.settings
        return self.pod.manifest.hit(
            holder, key, f"container {self.name}: {message}", severity
        )


@dataclass(slots=True)
class Cluster:
    """Everything that a project would apply.

    Attributes:
        accounts: Whether a service account's token is mounted, by its name.
        policies: The labels that network policies ask for, by one of them.
    """

    kustomized: kustomize.Kustomized
    manifests: list[Manifest] = field(default_factory=list)
    accounts: dict[str, Any] = field(default_factory=dict)
    policies: dict[str, list[Table]] = field(default_factory=dict)

    def add(self, found: Iterator[Manifest]) -> None:
        """Take objects in."""
        for manifest in found:
            self.manifests.append(manifest)
            about = table(manifest.content, "metadata")
            if manifest.kind == "ServiceAccount":
                mounts = manifest.content.get("automountServiceAccountToken")
                self.accounts[str(about.get("name"))] = mounts
            if manifest.kind == "NetworkPolicy":
                spec = table(manifest.content, "spec")
                wanted = table(spec, "podSelector", "matchLabels")
                first = next((f"{k}={wanted[k]}" for k in wanted), "")
                self.policies.setdefault(first, []).append(wanted)

    def selects(self, labels: Table) -> bool:
        """Tell whether a network policy is for pods with these labels."""
        keys = ("", *(f"{key}={labels[key]}" for key in labels))
        return any(
            all(labels.get(key) == wanted[key] for key in wanted)
            for each in keys
            for wanted in self.policies.get(each, ())
        )

    def pods(self) -> Iterator[Pod]:
        """Yield the pods of every workload, of the patched ones too."""
        for manifest in self.manifests:
            yield from _pods(manifest, self)


def is_manifest(document: Any) -> bool:
    """Tell an object of Kubernetes by its two telling keys."""
    return isinstance(document, Table) and all(
        isinstance(document.get(key), str) for key in ("apiVersion", "kind")
    )


def read(documents: Mapping[str, list[Any]]) -> Cluster:
    """Gather the objects of these files."""
    cluster = Cluster(kustomize.read(documents))
    found = [(path, each) for path in documents for each in documents[path]]
    for path, document in found:
        if path not in cluster.kustomized.files:
            whole = path not in cluster.kustomized.patches
            parts = [document]
            if not whole:
                cluster.kustomized.removed += [
                    (path, 1, what) for what in kustomize.taken(document)
                ]
            if isinstance(document, Items) and not whole:
                parts = [kustomize.operated(x, "Deployment") for x in document]
            for part in parts:
                cluster.add(_objects(cluster, path, part, whole=whole))
    for path, document in cluster.kustomized.inline:
        cluster.add(_objects(cluster, path, document, whole=False))
    return cluster


def containers(pod: Pod) -> Iterator[Container]:
    """Yield the containers of a pod, the helpers too.

    A patch for the pod alone is one for each of them.
    """
    if not pod.manifest.whole and "containers" not in pod.spec:
        yield Container(pod, Table(pod.spec.line), False)
    for key in ("containers", "initContainers", "ephemeralContainers"):
        for settings in tables(pod.spec, key):
            yield Container(pod, settings, key != "containers")


def _objects(
    cluster: Cluster, path: str, document: Any, *, whole: bool
) -> Iterator[Manifest]:
    if not is_manifest(document):
        return
    if str(document["kind"]).endswith("List"):
        for each in tables(document, "items"):
            yield from _objects(cluster, path, each, whole=whole)
        return
    placed = path in cluster.kustomized.placed
    yield Manifest(path, document, whole, placed)


def _pods(manifest: Manifest, cluster: Cluster) -> Iterator[Pod]:
    outer = table(manifest.content, "spec")
    if manifest.kind == "CronJob":
        outer = table(outer, "jobTemplate", "spec")
    if manifest.kind != "Pod":
        outer = table(outer, "template")
        labels = table(outer, "metadata", "labels")
        outer = table(outer, "spec")
    else:
        labels = table(manifest.content, "metadata", "labels")
    if isinstance(outer.get("containers"), Items) or not manifest.whole:
        yield Pod(manifest, outer, labels, cluster)
