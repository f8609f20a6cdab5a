"""Tools that answer with each kind of content, or tell how far they are."""

import asyncio
import base64
from typing import Annotated

from fastmcp import Context
from fastmcp.exceptions import ToolError
from fastmcp.utilities.types import Audio, Image
from mcp.shared.exceptions import MCPError
from mcp_server.tools import tool
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)
from pydantic import Field

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8BQDwAE"
    "gAF/pooBPQAAAABJRU5ErkJggg=="
)
#: One sample of silence: 16 bits, one channel, 8,000 a second.
SILENCE = (
    b"RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0"
    b"\x02\0\x10\0data\x02\0\0\0\0\0"
)


@tool(read_only=True)
async def test_simple_text() -> str:
    """Answer with a text."""
    return "This is a simple text response for testing."


@tool(read_only=True)
async def test_image_content() -> Image:
    """Answer with an image."""
    return Image(data=base64.b64decode(PIXEL), format="png")


@tool(read_only=True)
async def test_audio_content() -> Audio:
    """Answer with a sound."""
    return Audio(data=SILENCE, format="wav")


@tool(read_only=True)
async def test_embedded_resource() -> list[EmbeddedResource]:
    """Answer with a resource."""
    return [_resource("test://embedded-resource", "An embedded resource.")]


@tool(read_only=True)
async def test_multiple_content_types() -> list[
    TextContent | ImageContent | EmbeddedResource
]:
    """Answer with some of each."""
    return [
        TextContent(type="text", text="Multiple content types test:"),
        ImageContent(type="image", data=PIXEL, mime_type="image/png"),
        _resource("test://mixed-content-resource", '{"test":"data"}'),
    ]


@tool(read_only=True)
async def test_error_handling() -> str:
    """Fail."""
    raise ToolError("This tool intentionally returns an error for testing")


@tool(read_only=True)
async def test_tool_with_logging(context: Context) -> str:
    """Send lines for the client's log."""
    for line in ("started", "processing data", "completed"):
        await context.info(f"Tool execution {line}")
        await asyncio.sleep(0.05)
    return "Logged."


@tool(read_only=True)
async def test_tool_with_progress(context: Context) -> str:
    """Tell how far it is."""
    for done in (0, 50, 100):
        await context.report_progress(done, 100)
        await asyncio.sleep(0.05)
    return "Done."


@tool(read_only=True)
async def test_reconnection(context: Context) -> str:
    """Close the stream, and answer the client when it is back (SEP-1699)."""
    await context.report_progress(0, 100)
    await context.close_sse_stream()
    await asyncio.sleep(0.1)
    return "Reconnected."


@tool(read_only=True)
async def test_custom_headers(
    message: Annotated[
        str, Field(json_schema_extra={"x-mcp-header": "Message"})
    ],
) -> str:
    """Take an argument that a header repeats (SEP-2243)."""
    return f"Received {message}"


@tool(read_only=True)
async def test_missing_capability(context: Context) -> str:
    """Serve clients that can sample, and no others (SEP-2575)."""
    capabilities = context.session.client_capabilities
    if capabilities and capabilities.sampling is not None:
        return "The client can sample."
    raise MCPError(
        code=MISSING_REQUIRED_CLIENT_CAPABILITY,
        message="The client has to be able to sample.",
        data={"requiredCapabilities": {"sampling": {}}},
    )


def _resource(uri: str, text: str) -> EmbeddedResource:
    contents = TextResourceContents(uri=uri, mime_type="text/plain", text=text)
    return EmbeddedResource(type="resource", resource=contents)
