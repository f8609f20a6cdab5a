"""Makes the findings of the probes, which are rules: reports explain them."""

from pathlib import Path

from ..model import Finding, Severity
from ..rules import Hit
from ..ruletable import registered
from ..surface.components import Component

_RULES = registered(Path(__file__).with_name("rules.toml"))


def found(
    probe: str,
    message: str,
    component: Component | None = None,
    severity: Severity | None = None,
) -> Finding:
    """Make the finding of a probe that the server gave way to.

    Args:
        probe: The rule's id.
        message: What gave way.
        component: In what; None if it is the server as a whole.
        severity: Where it is better or worse than the rule's.
    """
    if component is None:
        hit = Hit(message=message, anchor=message, severity=severity)
        return _RULES[probe].at(hit)
    return _RULES[probe].at(component.hit(message, anchor=probe))
