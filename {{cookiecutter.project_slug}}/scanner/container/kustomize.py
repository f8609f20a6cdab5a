"""What kustomization files do to the manifests that they name."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..documents import Items, Malformed, Table, listed, load, table, tables

_NAME = re.compile(r"(?s)(?:.*/)?(?:kustomization\.ya?ml|Kustomization)")

_PROTECTION = re.compile(
    r"/(automountServiceAccountToken|capabilities|drop|limits|livenessProbe"
    r"|readOnlyRootFilesystem|readinessProbe|resources|runAsNonRoot"
    r"|runAsUser|seccompProfile|securityContext)(?:/\d+)?$"
)


@dataclass(slots=True)
class Kustomized:
    """What all kustomizations of a project say.

    Attributes:
        files: Each kustomization by its path.
        patches: Files that hold parts of objects, not whole ones.
        inline: Such parts that stand in a kustomization itself.
        placed: Files whose objects a kustomization puts into a namespace.
        removed: What patches take away: file, line, and place or kind.
        images: Names to which a kustomization gives a tag or a digest.
    """

    files: dict[str, Table] = field(default_factory=dict)
    patches: set[str] = field(default_factory=set)
    inline: list[tuple[str, Any]] = field(default_factory=list)
    placed: set[str] = field(default_factory=set)
    removed: list[tuple[str, int, str]] = field(default_factory=list)
    images: set[str] = field(default_factory=set)


def named(path: str) -> bool:
    """Tell a kustomization by its name."""
    return _NAME.fullmatch(path) is not None


def read(documents: Mapping[str, list[Any]]) -> Kustomized:
    """Gather what the kustomizations among these files say."""
    found = Kustomized()
    for path, contents in documents.items():
        if named(path):
            found.files[path] = table(contents[0] if contents else None)
    for path, settings in found.files.items():
        for image in tables(settings, "images"):
            if {"newTag", "digest"} & image.keys():
                found.images.add(str(image.get("name")))
        _patches(found, path, settings)
        if settings.get("namespace"):
            found.placed |= set(_resources(found, path, set()))
    for path in found.files:  # what is applied as it stands is no part
        found.patches -= set(_resources(found, path, set()))
    return found


def _patches(found: Kustomized, path: str, settings: Table) -> None:
    old = listed(settings, "patchesStrategicMerge")
    json = tables(settings, "patchesJson6902")
    written: list[Any] = [*old, *tables(settings, "patches"), *json]
    for patch in written:
        text = patch.get("patch") if isinstance(patch, Table) else patch
        place = patch.get("path") if isinstance(patch, Table) else patch
        if isinstance(place, str) and "\n" not in place:
            found.patches.add(_join(path, place))
        if isinstance(text, str) and "\n" in text:
            line = patch.at("patch") if isinstance(patch, Table) else 1
            for content in _contents(text):
                found.removed += [(path, line, x) for x in taken(content)]
                found.inline += [(path, x) for x in _parsed(content, patch)]


def taken(content: Any) -> Iterator[str]:
    """Yield what a patch takes away, of what protects a pod."""
    if isinstance(content, Table):
        whole = content.get("$patch") == "delete"
        if whole and content.get("kind") == "NetworkPolicy":
            yield "a NetworkPolicy"
        yield from _emptied(content)
    for operation in content if isinstance(content, Items) else ():
        place = str(table(operation).get("path", ""))
        removes = table(operation).get("op") == "remove"
        if removes and (found := _PROTECTION.search(place)):
            yield found[1]


def _emptied(content: Table) -> Iterator[str]:
    """Yield what a patch sets to null, of what protects a pod."""
    waiting: list[Any] = [content]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Table):
            waiting += part.values()
            yield from (
                key
                for key, value in part.items()
                if value is None and _PROTECTION.search(f"/{key}")
            )
        elif isinstance(part, Items):
            waiting += part


def _contents(text: str) -> list[Any]:
    try:
        return load(text)
    except Malformed:
        return []  # kubectl refuses it


def _parsed(content: Any, patch: Any) -> list[Any]:
    """Return a patch's parts of objects; JSON operations become such."""
    kind = str(table(patch, "target").get("kind", "Deployment"))
    if isinstance(content, Table):
        return [content]
    return [operated(x, kind) for x in content or ()]


def operated(operation: Any, kind: str) -> Table:
    """Return the object that ``{op: add, path: /a/b, value: c}`` makes."""
    value = table(operation).get("value")
    line = table(operation).at("value")
    path = str(table(operation).get("path", ""))[:1000]
    for key in reversed(path.strip("/").split("/")):
        if key.isdecimal() or key == "-":
            items = Items()
            items.append(value)
            items.lines.append(line)
            value = items
        else:
            inner = Table(line)
            inner[key] = value
            value = inner
    whole = table(value)
    whole.update(apiVersion="v1", kind=kind)
    return whole


def _resources(found: Kustomized, path: str, seen: set[str]) -> Iterator[str]:
    """Yield the files that a kustomization takes in, through others too."""
    seen.add(path)
    settings = found.files[path]
    for key in ("resources", "bases", "components"):
        for each in listed(settings, key):
            place = _join(path, str(each))
            yield place
            for name in ("kustomization.yaml", "kustomization.yml"):
                inner = posixpath.join(place, name)
                if inner in found.files and inner not in seen:
                    yield from _resources(found, inner, seen)


def _join(path: str, other: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), other))
