"""Alerts that are never raised."""

import posixpath
import re
from collections.abc import Iterator

from ..model import Options
from ..project import Project, Unreadable
from ..rules import Hit
from ..ruletable import ruled

_ALERT = re.compile(rb"(?m)^[ \t-]*alert:[ \t]*\S")
_OURS = re.compile(rb"\bmcp_(?:requests|request_duration|active)\w*")
_ATTACKS = re.compile(rb"\bmcp_(?:security|auth)_events_total\b")
_SCRAPES = re.compile(rb"(?m)^scrape_configs:")
_LOADS = re.compile(rb"(?m)^rule_files:")
project_rule = ruled(__file__, on="project")


@project_rule("MCP-CFG-046")
def unheard(project: Project, options: Options) -> Iterator[Hit]:
    """An attack that nobody hears of goes on until it succeeds.

    The server counts each path, command and token that it refuses; an alert
    looks at the count, and Prometheus loads the alert.
    """
    try:
        alerts = [
            path
            for path in project.named(r"(?s)(?!tests/).+\.ya?ml")
            if project.mentions(path, _ALERT)
        ]
        ours = any(project.mentions(path, _OURS) for path in alerts)
        if ours and not any(project.mentions(x, _ATTACKS) for x in alerts):
            yield Hit(path=alerts[0], message="no alert is for an attack")
        for path in project.named(r"(?s)(?:.*/)?prometheus[^/]*\.ya?ml"):
            inner = f"{posixpath.dirname(path)}/"
            beside = any(each.startswith(inner) for each in alerts)
            scrapes = beside and project.mentions(path, _SCRAPES)
            if scrapes and not project.mentions(path, _LOADS):
                yield Hit(path=path, message="no alert is loaded")
    except Unreadable:
        return  # whoever reads the settings says so
