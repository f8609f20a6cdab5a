"""Registers the probes as rules, so that reports can explain them."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ..model import Finding, Severity
from ..rules import Hit, Rule, register

#: What each probe does, and what it means when the server gives way.
EXPLANATIONS: Final[Mapping[str, str]] = {
    "MCP-PRB-001": "Every argument was given paths and links that lead out of"
    " the workspace, to a file with a word that nobody can guess. The word"
    " came back, or Python told that the tool opened what lies there.",
    "MCP-PRB-002": "Beside the workspace lie files that no tool has any"
    " business with. After the attacks one had changed or was new, or Python"
    " told that the tool tried to.",
    "MCP-PRB-003": "The server was started with a variable that holds a word"
    " that nobody can guess. The word came back.",
    "MCP-PRB-004": "Every argument was given a piece of shell, of Python or"
    " of what is unpacked to objects. It left its mark, or Python told that"
    " the tool ran it.",
    "MCP-PRB-005": "Wrong arguments were answered with a stack or a library's"
    " own words. They tell an attacker what to try next.",
    "MCP-PRB-006": "An answer named the directory in which the server works"
    " by a name that no caller had used.",
    "MCP-PRB-007": "Arguments of the wrong type, missing ones and invented"
    " ones were sent. A tool took them.",
    "MCP-PRB-008": "A call took longer than MCP_REQUEST_TIMEOUT allows,"
    " or held up the event loop, and so everybody, for more than a second,"
    " twice.",
    "MCP-PRB-009": "After a payload the process had ended or no longer"
    " answered: anybody who may call the tool can stop the service.",
    "MCP-PRB-010": "The server was started with a limit of a few calls a day."
    " More were answered.",
    "MCP-PRB-011": "The limit held for an honest caller, and no longer when"
    " each call claimed another identity, address or session.",
    "MCP-PRB-012": "Fewer calls were answered than the limit allows, or one"
    " client was refused for what another did.",
    "MCP-PRB-013": "A request with the Host of a stranger was served: DNS"
    " rebinding lets any web page reach a server on loopback.",
    "MCP-PRB-014": "A request with the Origin of a stranger was served, or one"
    " that any page may send unasked. The specification says MUST answer 403.",
    "MCP-PRB-015": "Requests without a token and with bad ones were sent:"
    " invented, unsigned, expired, signed by a stranger, made for another"
    " server. One was served.",
    "MCP-PRB-016": "/metrics was answered on the port of the protocol.",
    "MCP-PRB-017": "A hundred connections that said nothing were held open."
    " An honest client was not answered within five seconds.",
    "MCP-PRB-018": "After SIGTERM the process did not end, or not with 0, or"
    " a call that was being served got no answer.",
    "MCP-PRB-019": "The attacks carried a word that nobody can guess. It"
    " stands in the log.",
    "MCP-PRB-020": "Each call is to leave one line in the log that says how"
    " it ended. There were others, or fewer, than there were calls.",
    "MCP-PRB-021": "A body beyond MCP_MAX_REQUEST_SIZE was not refused.",
    "MCP-PRB-022": "Clients call a read-only tool without asking. After calls"
    " to this one, files in the workspace had changed.",
    "MCP-PRB-023": "With a token that has no scope, or others that are named"
    " alike, a tool answered that names one, or was listed, or a file of the"
    " workspace was read.",
    "MCP-PRB-024": "On stdio the protocol is all that may stand on stdout;"
    " one line of anything else, and clients lose the connection.",
    "MCP-PRB-025": "A large file and long texts were handed in. What came"
    " back was several times what MCP_MAX_OUTPUT_SIZE allows.",
    "MCP-PRB-026": "In the workspace lay a pipe that nobody writes to. The"
    " call waited for it until its time was up; its thread still does, and"
    " after some such calls there are no threads left.",
    "MCP-PRB-027": "Every argument was given a text with braces in it. It came"
    " back as str.format or a template engine leaves it: both read attributes"
    " of whatever they are given, and some run code.",
    "MCP-PRB-028": "Every argument was given a text that begins with a dash."
    " A program was started with it where options stand, and options read and"
    " write files and run other programs.",
    "MCP-PRB-029": "Every argument was given an address of this machine"
    " and an invented name, and a tool that does not say that it is open_world"
    " connected to it. A caller reaches through the server whatever the server"
    " can reach.",
    "MCP-PRB-030": "One client sent words that nobody can guess to every tool."
    " One of them came back to another client, and not from the workspace,"
    " which was emptied in between; or a tool changed the process's directory"
    " or environment, which all its clients share.",
    "MCP-PRB-031": "As many calls as MCP_MAX_CONCURRENCY allows were waiting."
    " One more was served.",
    "MCP-PRB-032": "A call was cancelled while it waited. It went on until its"
    " time was up, as if its caller still wanted the answer.",
    "MCP-PRB-033": "The scan called a destructive tool of its own, and said no"
    " when it was asked, if it was asked at all. The tool did its work.",
    "MCP-PRB-034": "The same request was sent while a file lay outside of the"
    " workspace and while it did not. The answers differed, each time anew: a"
    " caller learns which files there are, though not what they hold.",
    "MCP-PRB-035": "Every argument was given a text with quotes in it. SQLite"
    " was handed a statement in which it stood outside of all quotes: the"
    " caller decides what the statement does.",
    "MCP-PRB-036": "Prompts, resources and tools were asked for something"
    " harmless. What came back holds characters that nobody sees, or tells the"
    " model what to do behind its user's back.",
    "MCP-PRB-037": "Long texts were handed in, with each switch set both ways."
    " A file in the workspace became larger than MCP_MAX_FILE_SIZE allows:"
    " calls can fill the disk.",
    "MCP-PRB-038": "Every number was made as large as its schema allows, every"
    " text as long. For one call, tried twice, the server needed more than 64"
    " MiB: a few such calls, and the system ends it.",
    "MCP-PRB-039": "A page of a stranger asked, and asked whether it might."
    " The answer told its browser to let it read what comes back"
    " (Access-Control-Allow-Origin).",
    "MCP-PRB-040": "Clients ask the user before a destructive call. A tool"
    " that says it only adds had removed or replaced files of the workspace.",
    "MCP-PRB-041": "After the attacks on a tool, processes that it had started"
    " were still running. Each call adds one, and nobody counts or ends them."
    " The scan has ended these.",
    "MCP-PRB-042": "What the server offers was read before the attacks and"
    " after them. A name, a description or a schema had changed: what somebody"
    " approved at first is not what the model reads later.",
    "MCP-PRB-043": "A request without a token was answered 401 and without"
    " WWW-Authenticate: clients learn there how to get one (RFC 6750 and"
    " RFC 9728, a MUST).",
    "MCP-PRB-044": "A tool that does not say that it is open_world connected"
    " to another machine, or asked for its address. Clients trust the mark"
    " when they decide whether to ask.",
    "MCP-PRB-045": "Tokens were shown, good ones and bad ones, and by TRACE."
    " An answer held one again, where proxies log it and pages may read it.",
}


def _registered() -> dict[str, Rule]:
    table = Path(__file__).with_name("rules.toml").read_text("utf-8")
    rules = {}
    for name, row in tomllib.loads(table).items():
        severity, title, cwe, owasp, remedy = row
        rules[name] = register(
            Rule(
                id=name,
                severity=Severity(severity),
                title=title,
                cwe=cwe,
                owasp=owasp,
                remedy=remedy,
                explanation=EXPLANATIONS[name],
            )
        )
    return rules


_RULES = _registered()


def found(probe: str, message: str, hit: Hit | None = None) -> Finding:
    """Make the finding of a probe that the server gave way to."""
    return _RULES[probe].at(hit or Hit(message=message, anchor=message))
