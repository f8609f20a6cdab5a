"""Makes the findings of the probes, which are rules: reports explain them."""

from pathlib import Path

from ..model import Finding
from ..rules import Hit
from ..ruletable import registered
from ..surface.components import Component

_RULES = registered(Path(__file__).with_name("rules.toml"))


def found(
    probe: str, message: str, component: Component | None = None
) -> Finding:
    """Make the finding of a probe that the server gave way to.

    Args:
        probe: The rule's id.
        message: What gave way.
        component: In what; None if it is the server as a whole.
    """
    if component is None:
        return _RULES[probe].at(Hit(message=message, anchor=message))
    return _RULES[probe].at(component.hit(message, anchor=probe))
