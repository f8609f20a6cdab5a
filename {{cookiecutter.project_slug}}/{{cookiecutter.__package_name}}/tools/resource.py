"""The workspace's files as resources: ``workspace://docs/plan.md``."""

import asyncio

from fastmcp.resources import ResourceContent, ResourceResult

from . import resources


async def workspace_file(path: str) -> ResourceResult:
    """A file of the workspace."""
    lent = resources()
    chunk = await asyncio.to_thread(
        lent.workspace.read, path, limit=lent.settings.max_output_size
    )
    if chunk.text is not None:
        part = ResourceContent(chunk.text, mime_type="text/plain")
    else:
        kind = "application/octet-stream"
        part = ResourceContent(chunk.data, mime_type=kind)
    return ResourceResult([part])
