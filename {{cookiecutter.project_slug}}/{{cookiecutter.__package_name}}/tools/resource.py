"""The workspace's files as resources: ``workspace://docs/plan.md``."""

from fastmcp.resources import ResourceContent, ResourceResult

from ..errors import Refusal
from . import resources


def workspace_file(path: str) -> ResourceResult:
    """A file of the workspace."""
    lent = resources()
    chunk = lent.workspace.read(path, limit=lent.settings.max_output_size)
    if chunk.next_offset is not None:
        raise Refusal(
            f"The file has {chunk.size} bytes, too many for a resource;"
            " read it in parts with read_file.",
            reason="too_large",
        )
    if chunk.text is not None:
        part = ResourceContent(chunk.text, mime_type="text/plain")
    else:
        kind = "application/octet-stream"
        part = ResourceContent(chunk.data, mime_type=kind)
    return ResourceResult([part])
