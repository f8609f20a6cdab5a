"""A generated server with what the conformance suite asks for beside its own.

Run as ``python server.py`` by a generated project's Python, in that project,
with the variables of any other server. It is wired, limited and guarded by
the project's own ``build``; the fixtures in ``tools/`` are found in the way
in which a user's own tools are found.
"""

import base64
import json
import os
from pathlib import Path
from typing import Any

import mcp_types
from fastmcp import Context, FastMCP
from fastmcp.prompts import Message
from fastmcp.tools import FunctionTool
from mcp_server import environment, log, tools
from mcp_server import server as wiring
from mcp_server.serving import serve
from mcp_types import EmbeddedResource, ImageContent, TextResourceContents

FIXTURES = Path(__file__).parent / "tools"
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8BQDwAE"
    "gAF/pooBPQAAAABJRU5ErkJggg=="
)
#: SEP-1613 and SEP-2106: what a schema may hold reaches the client as it is.
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "address",
            "type": "object",
            "properties": {
                "street": {"type": "string"},
                "city": {"type": "string"},
            },
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
    },
    "allOf": [{"anyOf": [{"required": ["name"]}, {"required": ["address"]}]}],
    "if": {"required": ["address"]},
    "then": {"properties": {"name": {"minLength": 1}}},
    "else": {},
    "additionalProperties": False,
}


def build(settings: Any, worker: int) -> Any:
    """Build the project's server, with the fixtures."""
    tools.__path__.append(str(FIXTURES))
    application = wiring.build(settings, worker)
    server = application.server
    _add_schema(server)
    _add_resources(server)
    _add_prompts(server)
    server.completion(complete)
    return application


def _add_schema(server: FastMCP[Any]) -> None:
    async def call(name: str = "", address: Any = None) -> str:
        return f"{name} {address}"

    server.add_tool(
        FunctionTool(
            fn=call,
            name="json_schema_2020_12_tool",
            description="Tool with JSON Schema 2020-12 features",
            parameters=SCHEMA,
        )
    )


def _add_resources(server: FastMCP[Any]) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    async def static_text() -> str:
        """A text."""
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    async def static_binary() -> bytes:
        """An image."""
        return base64.b64decode(PIXEL)

    @server.resource(
        "test://template/{number}/data", mime_type="application/json"
    )
    async def template(number: str) -> str:
        """What belongs to a number."""
        return json.dumps({"id": number, "data": f"Data for ID: {number}"})


def _add_prompts(server: FastMCP[Any]) -> None:
    @server.prompt
    async def test_simple_prompt() -> str:
        """A prompt."""
        return "This is a simple prompt for testing."

    @server.prompt
    async def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        """A prompt that takes arguments."""
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt
    async def test_prompt_with_embedded_resource(
        resourceUri: str,  # noqa: N803 - the suite's name
    ) -> list[Message]:
        """A prompt that brings a resource."""
        text = TextResourceContents(uri=resourceUri, text="A resource.")
        resource = EmbeddedResource(type="resource", resource=text)
        return [Message(resource), Message("Please process the resource.")]

    @server.prompt
    async def test_prompt_with_image() -> list[Message]:
        """A prompt that brings an image."""
        image = ImageContent(type="image", data=PIXEL, mime_type="image/png")
        return [Message(image), Message("Please analyze the image above.")]

    @server.prompt
    async def test_input_required_result_prompt(
        context: Context,
    ) -> str | mcp_types.InputRequiredResult:
        """A prompt that asks for its context."""
        answer = (context.input_responses or {}).get("user_context")
        if answer is None:
            return mcp_types.InputRequiredResult(
                input_requests={
                    "user_context": question(
                        "What context should the prompt use?", "context"
                    )
                }
            )
        return f"In the context of {getattr(answer, 'content', None)}."


async def complete(ref: Any, argument: Any, context: Any) -> Any:
    """Complete nothing, as the suite allows."""
    return mcp_types.Completion(values=[], total=0, has_more=False)


def question(message: str, field: str) -> mcp_types.ElicitRequest:
    """Return a question with one text for an answer."""
    return mcp_types.ElicitRequest(
        params=mcp_types.ElicitRequestFormParams(
            message=message,
            requested_schema={
                "type": "object",
                "properties": {field: {"type": "string"}},
                "required": [field],
            },
        )
    )


if __name__ == "__main__":
    settings = environment.load(os.environ)
    log.configure(settings.log_level)
    serve(build, settings)
