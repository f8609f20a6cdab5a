import pytest

from scanner.checks import configuration
from scanner.model import State
from scanner.rules import rules_for
from tests.scanner.surroundings import (
    CLIENT,
    NGINX,
    SURROUNDINGS,
    UNIT,
    unit,
)

KINDS = ("client", "proxy", "script", "transport", "unit")


def cases(which):
    """Each case under its name: its rule, severity, path and text."""
    return {
        f"{number}-{severity}-{n}": (number, severity, texts[0], text)
        for (number, severity), texts in SURROUNDINGS.items()
        for n, text in enumerate(texts[which])
    }


PLANTED, CLEAN = cases(1), cases(2)
FAULTS = {
    ".mcp.json": '{"mcpServers": {"a": {"command": "npx",'
    ' "args": ["-y", "b"]} } }',
    "nginx.conf": "autoindex on;",
    "x.service": "[Service]\nUser=root\nExecStart=/a\n",
    "x.yaml": "insecure_skip_verify: true\n",
}


@pytest.fixture
def found(make_project, options):
    """Checks a project with these files; returns rules and severities."""

    def check(**files):
        result = configuration.check(make_project(**files), options)
        assert result.complete, result.reason
        return {
            (f.id.removeprefix("MCP-CFG-"), f.severity, f.path)
            for f in result.findings
        }

    return check


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_fault_is_the_one_finding(found, case):
    number, severity, path, text = PLANTED[case]
    assert found(**{path: text}) == {(number, severity, path)}


@pytest.mark.parametrize("case", CLEAN)
def test_what_is_like_a_fault_and_right_is_none(found, case):
    _number, _severity, path, text = CLEAN[case]
    assert found(**{path: text}) == set()


def test_every_rule_has_a_planted_and_a_clean_case():
    ours = {x.id for kind in KINDS for x in rules_for("MCP-CFG-", on=kind)}
    for named in (PLANTED, CLEAN):
        assert {f"MCP-CFG-{rule}" for rule, *_ in named.values()} == ours


@pytest.mark.parametrize(
    ("text", "fires"),
    [
        ('{"enableAllProjectMcpServers": true}', True),
        ('{"permissions": {"defaultMode": "bypassPermissions"}}', True),
        ('{"permissions": {"allow": ["Bash(*)"]}}', True),
        ('{"permissions": {"allow": ["Bash(git status)"]}}', False),
        ('{"permissions": {"defaultMode": "plan"}}', False),
    ],
)
def test_a_project_does_not_let_everybody_s_tools_run_unasked(
    found, text, fires
):
    path = ".claude/settings.json"
    expected = {("023", "high", path)} if fires else set()
    assert found(**{path: text}) == expected


def test_a_clients_toml_is_read_too(found):
    path = ".codex/config.toml"
    text = '[mcp_servers.a]\ncommand = "npx"\nargs = ["-y", "b"]\n'
    assert found(**{path: text}) == {("020", "medium", path)}


def test_an_editor_does_not_approve_every_tool(found):
    path = ".vscode/settings.json"
    text = '// ours\n{"chat.tools.autoApprove": true,}\n'
    assert found(**{path: text}) == {("023", "high", path)}


@pytest.mark.parametrize(
    ("path", "text", "fires"),
    [
        ("deploy/up", "#!/usr/bin/env bash\numask 0\n", True),
        ("deploy/up", "#!/usr/bin/env python\numask 0\n", False),
        ("NOTES", "umask 0\n", False),
        ("tests/up", "#!/bin/sh\numask 0\n", False),
        ("Makefile", "all:\n\t@umask 0; ls\n", True),
        ("Makefile", "umask 0 = 1\nall:\n\tls\n", False),
    ],
)
def test_a_script_is_known_by_its_first_line(found, path, text, fires):
    expected = {("049", "medium", path)} if fires else set()
    assert found(**{path: text}) == expected


@pytest.mark.parametrize(
    "line",
    [
        "Environment=MCP_LOG_LEVEL=INFO MCP_COMMAND_NETWORK=allow",
        'Environment="A=b c" "MCP_COMMAND_NETWORK=allow"',
        "ExecStartPre=/usr/bin/env MCP_COMMAND_NETWORK=allow /bin/true",
    ],
)
def test_a_unit_s_line_may_set_several_variables(found, line):
    assert found(**{UNIT: unit(line)}) == {("007", "medium", UNIT)}


def test_what_completes_a_unit_need_not_say_it_all(found):
    path = f"{UNIT}.d/limits.conf"
    assert found(**{path: "[Service]\nMemoryMax=1G\n"}) == set()
    text = "[Service]\nProtectSystem=no\n"
    assert found(**{path: text}) == {("033", "medium", path)}


def test_a_finding_names_its_line(make_project, options):
    text = "server {\n  listen 443 ssl;\n  # x\n  autoindex on;\n}\n"
    result = configuration.check(make_project(**{NGINX: text}), options)
    assert [finding.line for finding in result.findings] == [4]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (CLIENT, "{"),
        (CLIENT, "[" * 100_000),
        (NGINX, "a {" * 1000),
        (UNIT, "x" * (2**20 + 1)),
    ],
    ids=["syntax", "deep", "blocks", "large"],
)
def test_what_cannot_be_read_is_an_error(make_project, options, path, text):
    result = configuration.check(make_project(**{path: text}), options)
    assert result.state is State.ERROR
    assert path in result.reason
    assert not result.complete


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        ("a/.mcp.json", "b/.mcp.json"),
        ("a/nginx.conf", "b/nginx.conf"),
        ("a/x.service", "b/x.service"),
        ("a/x.yaml", "b/x.yaml"),
    ],
)
def test_what_cannot_be_read_hides_no_other_file(
    make_project, options, broken, path
):
    fault = FAULTS[path.partition("/")[2]]
    large = "verify a { " * 2**17
    files = {broken: large, path: fault}
    result = configuration.check(make_project(**files), options)
    assert result.state is State.ERROR
    assert {finding.path for finding in result.findings} == {path}


@pytest.mark.parametrize(
    "line",
    [
        *("alias", "listen", "location {}", "location { alias; }", "root"),
        *("set_real_ip_from", "proxy_pass", "add_header", "autoindex"),
    ],
)
def test_a_directive_without_words_ends_no_check(found, line):
    text = "server { location /x { proxy_pass http://a; } %s; autoindex on; }"
    rules = found(**{NGINX: text % line})
    assert ("030", "low", NGINX) in rules or ("030", "medium", NGINX) in rules


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            CLIENT,
            '{"mcpServers": {"a": {"command": "%s"}}}' % ("x " * 400_000),
        ),
        (CLIENT, "/*" * 400_000),
        (CLIENT, "," + " " * 900_000),
        (NGINX, "'" * 900_000),
        (NGINX, "a b;\n" * 200_000),
    ],
    ids=["words", "comments", "space", "quotes", "lines"],
)
def test_long_files_are_judged_in_bounded_time(
    make_project, options, path, text
):
    result = configuration.check(make_project(**{path: text}), options)
    assert result.state in {State.PASSED, State.FINDINGS, State.ERROR}
