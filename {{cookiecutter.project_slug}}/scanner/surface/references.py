"""Follows the references in a schema to what they stand for."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

MAX_DEPTH: Final = 12  # a model may hold itself
MAX_REFERENCES: Final = 500
NOTHING: Final[Mapping[str, Any]] = {"type": "null"}


def followed(schemas: Mapping[str, Any], named: Mapping[str, Any]) -> Any:
    """Return schemas without references; what is too deep is left out.

    Args:
        schemas: The schemas.
        named: What their references stand for (``$defs``).
    """
    return _followed(schemas, named, 0, iter(range(MAX_REFERENCES)))


def _followed(
    part: Any, named: Mapping[str, Any], depth: int, left: Iterator[int]
) -> Any:
    if isinstance(part, list):
        return [_followed(each, named, depth + 1, left) for each in part]
    if not isinstance(part, dict):
        return part
    target = part.get("$ref")
    if isinstance(target, str):
        known = named.get(target.rpartition("/")[2])
        if next(left, None) is None:
            return NOTHING
        if not isinstance(known, dict):
            return {}
        part = {**known, **{k: v for k, v in part.items() if k != "$ref"}}
    if depth > MAX_DEPTH:
        return NOTHING
    return {
        key: _followed(each, named, depth + 1, left)
        for key, each in part.items()
    }
