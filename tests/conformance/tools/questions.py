"""Tools that ask the client something, in each protocol era's own way."""

from typing import Any, Literal

import mcp_types
from fastmcp import Context
from fastmcp.exceptions import ToolError
from mcp_server.tools import tool
from mcp_types import InputRequiredResult
from pydantic import BaseModel

Answer = str | InputRequiredResult

STATE = "conformance-state-1"


class Person(BaseModel):
    """Who the user is."""

    username: str
    email: str


class Defaults(BaseModel):
    """A form that is filled in already (SEP-1034)."""

    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    status: Literal["active", "inactive", "pending"] = "active"
    verified: bool = True


TITLED = [
    {"const": "value1", "title": "First"},
    {"const": "value2", "title": "Second"},
]
#: SEP-1330: every way to offer a choice.
CHOICES: dict[str, Any] = {
    "untitledSingle": {"type": "string", "enum": ["option1", "option2"]},
    "titledSingle": {"type": "string", "oneOf": TITLED},
    "legacyEnum": {
        "type": "string",
        "enum": ["opt1", "opt2"],
        "enumNames": ["Option One", "Option Two"],
    },
    "untitledMulti": {
        "type": "array",
        "items": {"type": "string", "enum": ["option1", "option2"]},
    },
    "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
}


@tool(read_only=True)
async def test_sampling(prompt: str, context: Context) -> str:
    """Ask the client's model."""
    answer = await context.session.create_message(
        messages=[_message(prompt)],
        max_tokens=100,
        related_request_id=context.request_id,
    )
    return f"LLM response: {answer.content}"


@tool(read_only=True)
async def test_elicitation(message: str, context: Context) -> str:
    """Ask the user."""
    return f"User response: {await context.elicit(message, Person)}"


@tool(read_only=True)
async def test_elicitation_sep1034_defaults(context: Context) -> str:
    """Ask the user to look over a form."""
    answer = await context.elicit("Is that right?", Defaults)
    return f"Elicitation completed: {answer}"


@tool(read_only=True)
async def test_elicitation_sep1330_enums(context: Context) -> str:
    """Ask the user to choose."""
    answer = await context.session.elicit(
        message="Choose.",
        requested_schema={"type": "object", "properties": CHOICES},
        related_request_id=context.request_id,
    )
    return f"Elicitation completed: {answer}"


@tool(read_only=True)
async def test_input_required_result_elicitation(context: Context) -> Answer:
    """Ask for a name until there is one (SEP-2322)."""
    name = _said(context, "user_name", "name")
    if name is None:
        return _ask(user_name=_question("What is your name?", "name"))
    return f"Hello, {name}!"


@tool(read_only=True)
async def test_input_required_result_sampling(context: Context) -> Answer:
    """Ask the client's model."""
    answer = _answers(context).get("capital_question")
    if answer is None:
        prompt = "What is the capital of France?"
        return _ask(capital_question=_sampling(prompt))
    return f"LLM response: {answer}"


@tool(read_only=True)
async def test_input_required_result_list_roots(context: Context) -> Answer:
    """Ask for the client's roots."""
    answer = _answers(context).get("client_roots")
    if answer is None:
        return _ask(client_roots=mcp_types.ListRootsRequest())
    return f"Client roots: {answer}"


@tool(read_only=True)
async def test_input_required_result_request_state(
    context: Context,
) -> Answer:
    """Ask, and see that the state comes back as it went."""
    if "confirm" not in _answers(context):
        return _ask(
            STATE, confirm=_question("Please confirm", "ok", "boolean")
        )
    if context.request_state != STATE:
        raise ToolError("The state did not come back.")
    return "state-ok"


@tool(read_only=True)
async def test_input_required_result_multiple_inputs(
    context: Context,
) -> Answer:
    """Ask for all that can be asked for at once."""
    answers = _answers(context)
    if not answers:
        return _ask(
            STATE,
            user_name=_question("What is your name?", "name"),
            greeting=_sampling("Generate a greeting"),
            client_roots=mcp_types.ListRootsRequest(),
        )
    return f"Answered: {', '.join(answers)}"


@tool(read_only=True)
async def test_input_required_result_multi_round(context: Context) -> Answer:
    """Ask twice, the second question after the first answer."""
    answers = _answers(context)
    if "step2" in answers:
        return f"Done after {context.request_state}"
    if "step1" in answers:
        colour = _question("Step 2: What is your favorite color?", "color")
        return _ask("round 2", step2=colour)
    return _ask(
        "round 1", step1=_question("Step 1: What is your name?", "name")
    )


@tool(read_only=True)
async def test_input_required_result_tampered_state(
    context: Context,
) -> Answer:
    """Ask with a state that nobody may change."""
    if "confirm" not in _answers(context):
        return _ask(
            STATE, confirm=_question("Please confirm", "ok", "boolean")
        )
    return f"The state is {context.request_state}"


@tool(read_only=True)
async def test_input_required_result_capabilities(
    context: Context,
) -> Answer:
    """Ask for no more than the client says it can answer."""
    if _answers(context):
        return "Answered."
    can = context.session.client_capabilities
    asked: dict[str, Any] = {}
    if can and can.sampling is not None:
        asked["capital_question"] = _sampling("What is the capital of France?")
    if can and can.elicitation is not None:
        asked["user_name"] = _question("What is your name?", "name")
    if can and can.roots is not None:
        asked["client_roots"] = mcp_types.ListRootsRequest()
    return _ask(**asked) if asked else "The client can answer nothing."


def _ask(state: str | None = None, /, **requests: Any) -> InputRequiredResult:
    return InputRequiredResult(input_requests=requests, request_state=state)


def _answers(context: Context) -> dict[str, Any]:
    return dict(context.input_responses or {})


def _said(context: Context, key: str, field: str) -> str | None:
    answer = _answers(context).get(key)
    content = getattr(answer, "content", None)
    return str(content[field]) if content and field in content else None


def _question(
    message: str, field: str, kind: str = "string"
) -> mcp_types.ElicitRequest:
    return mcp_types.ElicitRequest(
        params=mcp_types.ElicitRequestFormParams(
            message=message,
            requested_schema={
                "type": "object",
                "properties": {field: {"type": kind}},
                "required": [field],
            },
        )
    )


def _sampling(text: str) -> mcp_types.CreateMessageRequest:
    return mcp_types.CreateMessageRequest(
        params=mcp_types.CreateMessageRequestParams(
            messages=[_message(text)], max_tokens=100
        )
    )


def _message(text: str) -> mcp_types.SamplingMessage:
    content = mcp_types.TextContent(type="text", text=text)
    return mcp_types.SamplingMessage(role="user", content=content)
