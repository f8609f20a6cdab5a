"""Which Pythons a project asks for, however it says so."""

import re
from itertools import product

from packaging.specifiers import InvalidSpecifier, SpecifierSet

# Every release there is, and those of the years to come.
_RELEASES = [
    f"3.{minor}.{micro}" for minor, micro in product(range(31), repeat=2)
]
_MAJORS = ["2.7.18", "3", "4.0.0", "5.0.0"]
_NAMED = re.compile(r"\d+(?:\.\d+)*")


def same_pythons(one: str, other: str) -> bool:
    """Tell whether two ``requires-python`` let in the same versions.

    A lock has it in words of its own: uv makes ``>=3.11, <4`` of ``~=3.11``
    and ``==3.13.*`` of ``>=3.13,<3.14``.
    """
    if _plain(one) == _plain(other):
        return True
    try:
        sets = [SpecifierSet(text) for text in (one, other)]
    except InvalidSpecifier:
        return False
    named = [part for text in (one, other) for part in _NAMED.findall(text)]
    return all(
        sets[0].contains(version, prereleases=True)
        == sets[1].contains(version, prereleases=True)
        for version in (*_MAJORS, *named, *_RELEASES)
    )


def _plain(text: str) -> frozenset[str]:
    return frozenset("".join(text.split()).split(",")) - {""}
