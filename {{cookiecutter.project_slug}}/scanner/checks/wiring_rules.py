"""Controls that are there, and that no call passes."""

from collections.abc import Iterator
from dataclasses import replace

from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .wiring import Wiring

package_rule = ruled(__file__, on="package")
# Without these callers learn or send more than they should, and do no more.
_LESSER = frozenset({"BodyLimit", "Masking", "Measuring"})
_WORDS = {
    "auth": "nobody has to say who they are",
    "middleware": "no control sees its calls",
}


@package_rule("MCP-CODE-031")
def unused_control(wiring: Wiring) -> Iterator[Hit]:
    """A control that is not in the list of those that calls pass does nothing.

    Its file, its settings and its tests are still there, so that everybody
    takes it for switched on.
    """
    parents = {base for bases in wiring.bases.values() for base in bases}
    for control in wiring.controls:
        name, kind = control.name, wiring.kind(control)
        if not kind or name in parents or name.startswith("_"):
            continue
        listed = kind == "middleware" and wiring.lists and wiring.whole
        if name not in (wiring.passed if listed else wiring.used):
            severity = Severity.MEDIUM if name in _LESSER else None
            yield replace(control.hit, severity=severity)
    for guard in wiring.guards:
        if guard.name not in wiring.used | wiring.read:
            yield guard.hit


@package_rule("MCP-CODE-034")
def unread_setting(wiring: Wiring) -> Iterator[Hit]:
    """A setting that no code reads changes nothing, whatever it is set to.

    What it limited is fixed in the code now, or is not limited at all, and
    the documentation still says otherwise. Where the most are not read, they
    are read in a way that is not understood here.
    """
    unread = [x.hit for x in wiring.settings if x.name not in wiring.read]
    if len(unread) * 2 < len(wiring.settings):
        yield from unread


@package_rule("MCP-CODE-032")
def open_server(wiring: Wiring) -> Iterator[Hit]:
    """FastMCP by itself has no limits, no audit and no idea who is calling.

    ``build_server`` gives it both. One that is mounted in another takes that
    one's controls.
    """
    for server in wiring.servers:
        if wiring.framework(server):
            for lacking in sorted(server.lacks):
                message = f"{server.name}: {_WORDS[lacking]}"
                anchor = f"{server.hit.anchor} {lacking}"
                yield replace(server.hit, message=message, anchor=anchor)
                break
