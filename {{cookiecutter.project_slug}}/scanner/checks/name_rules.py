"""Packages that are named almost like those that everybody knows."""

import functools
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from ..rules import Hit
from ..ruletable import ruled
from .dependency_rules import PYPROJECT, Subject, every_wish, hit_at, line_of

SHORTEST = 5  # letters; shorter names are all alike
dependency_rule = ruled(__file__, on="")


@dependency_rule("MCP-DEP-016")
def near_miss(subject: Subject) -> Iterator[Hit]:
    """One letter off a popular name is where malicious packages wait.

    Whoever mistypes a name installs what somebody has put there, and it runs
    at once. The names are compared with a table of popular ones; what is in
    the table itself is known.
    """
    asked = {canonicalize_name(w.name) for w in every_wish(subject.project)}
    for name in sorted(asked):
        if known := mistaken_for(name):
            yield Hit(
                path=PYPROJECT,
                line=line_of(subject.project, name),
                message=f"{name} is not {known}",
                anchor=name,
            )
    packages = subject.lock.packages if subject.lock else ()
    if subject.lock and subject.lock.made_for is None:  # requirements
        for package in packages:
            known = mistaken_for(package.key[0])
            if known and package.key[0] not in asked:
                yield hit_at(subject, package, f"is not {known}")


def mistaken_for(name: str) -> str:
    """Return the popular name that one is a slip away from; or nothing."""
    known = _popular()
    if name in known or len(name) < SHORTEST:
        return ""
    plain = name.replace("-", "")
    return next(
        (
            other
            for other in known
            if plain == other.replace("-", "") or _one_slip(name, other)
        ),
        "",
    )


@functools.cache
def _popular() -> tuple[str, ...]:
    text = Path(__file__).with_name("popular.txt").read_text("utf-8")
    return tuple(x for x in text.split("\n") if x and not x.startswith("#"))


def _one_slip(name: str, other: str) -> bool:
    """Tell whether a letter is added, left out, changed, or two swapped."""
    if len(other) < SHORTEST or abs(len(other) - len(name)) > 1:
        return False
    start = 0
    for one, two in zip(name, other, strict=False):
        if one != two:
            break
        start += 1
    left, right = name[start:], other[start:]
    swapped = left[:2] == right[1::-1] and left[2:] == right[2:]
    return (
        swapped
        or left[1:] == right[1:]
        or (left[1:] == right or left == right[1:])
    )
