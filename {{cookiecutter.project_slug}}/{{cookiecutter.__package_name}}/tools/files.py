"""Files of the workspace: listed, read, searched and written."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastmcp.tools.base import ToolResult
from mcp_types import BlobResourceContents, EmbeddedResource, TextContent
from pydantic import Field

from ..workspace import Workspace
from ..workspace.listing import Listing
from ..workspace.reading import Chunk
from ..workspace.searching import SearchResult
from . import resources, tool

#: Characters of a result that are kept for saying how to read on.
READ_ON: Final = 200

Path = Annotated[
    str,
    Field(
        min_length=1,
        max_length=4096,
        description="A path below the workspace, with forward slashes.",
    ),
]
Content = Annotated[str, Field(max_length=100_000_000)]
Pattern = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1000,
        description="The text to look for, letter by letter.",
    ),
]
Offset = Annotated[int, Field(ge=0, le=2**63 - 1, description="In bytes.")]
Limit = Annotated[
    int, Field(ge=1, le=2**40, description="The most bytes to return.")
]


@tool(scope="files:read", read_only=True)
def list_files(path: Path = ".", recursive: bool = False) -> Listing:
    """List the files and directories below a directory."""
    most = resources().settings.max_output_size
    return _workspace().list(path, recursive=recursive, max_size=most)


@tool(scope="files:read", read_only=True)
def read_file(
    path: Path, offset: Offset = 0, limit: Limit | None = None
) -> ToolResult:
    """Read a file, or the part of it that starts at an offset."""
    most = max(1, resources().settings.max_output_size - READ_ON)
    limit = most if limit is None else min(limit, most)
    chunk = _workspace().read(path, offset=offset, limit=limit)
    encoded = most * 3 // 4  # bytes that Base64 makes room for
    if chunk.text is None and len(chunk.data) > encoded:
        chunk = _workspace().read(path, offset=offset, limit=encoded)
    return _shown(path, offset, chunk)


@tool(scope="files:read", read_only=True)
def search_files(pattern: Pattern, path: Path = ".") -> SearchResult:
    """Find the lines that hold a text, in all files below a directory."""
    most = resources().settings.max_output_size
    return _workspace().search(pattern, path, max_size=most)


async def _overwritten(arguments: Mapping[str, Any]) -> str | None:
    """Say which file a call of ``write_file`` would replace."""
    path = arguments.get("path")
    if not arguments.get("overwrite") or not isinstance(path, str):
        return None
    if not await asyncio.to_thread(_workspace().exists, path):
        return None
    size = len(str(arguments.get("content", "")))
    return f"Replace the file {path!r} by {size} characters of new content?"


@tool(scope="files:write", destructive=True, warn=_overwritten)
def write_file(
    path: Path,
    content: Content,
    create_dirs: bool = False,
    overwrite: bool = False,
) -> str:
    """Write a file as a whole; an existing one only with ``overwrite``."""
    size = _workspace().write(
        path,
        content.encode(),
        create_dirs=create_dirs,
        overwrite=overwrite,
    )
    return f"Wrote {size} bytes to {path}."


def _workspace() -> Workspace:
    return resources().workspace


def _shown(path: str, offset: int, chunk: Chunk) -> ToolResult:
    """Show text as text and anything else as bytes, and how to read on."""
    parts: list[TextContent | EmbeddedResource] = [_content(path, chunk)]
    if chunk.next_offset is not None:
        more = (
            f"[Bytes {offset} to {chunk.next_offset} of {chunk.size};"
            f" read on with offset={chunk.next_offset}.]"
        )
        parts.append(TextContent(type="text", text=more))
    return ToolResult(content=parts)


def _content(path: str, chunk: Chunk) -> TextContent | EmbeddedResource:
    if chunk.text is not None:
        return TextContent(type="text", text=chunk.text)
    blob = BlobResourceContents(
        uri=f"workspace://{quote(path)}",
        mime_type="application/octet-stream",
        blob=base64.b64encode(chunk.data).decode(),
    )
    return EmbeddedResource(type="resource", resource=blob)
