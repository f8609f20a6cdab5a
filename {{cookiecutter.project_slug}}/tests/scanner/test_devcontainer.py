"""What an editor's container is given of the machine."""

import json

import pytest

from scanner.checks import container

PATH = ".devcontainer/devcontainer.json"
SOCKET = "/var/run/docker.sock"
FETCHES = "curl https://example.com/i.sh | sh"
GIVEN = {
    "privileged": ({"privileged": True}, {"101"}),
    "argument": ({"runArgs": ["--privileged"]}, {"101"}),
    "socket": (
        {"mounts": [f"source={SOCKET},target={SOCKET},type=bind"]},
        {"102"},
    ),
    "socket_in_a_table": (
        {"mounts": [{"source": SOCKET, "target": "/s", "type": "bind"}]},
        {"102"},
    ),
    "socket_by_argument": (
        {"runArgs": ["-v", f"{SOCKET}:{SOCKET}"]},
        {"102"},
    ),
    "socket_of_a_feature": (
        {
            "features": {
                "ghcr.io/devcontainers/features/docker-outside-of-docker:1": {}
            }
        },
        {"102"},
    ),
    "home": (
        {"mounts": ["type=bind,src=${localEnv:HOME}/.ssh,target=/keys"]},
        {"103"},
    ),
    "network": ({"runArgs": ["--network=host"]}, {"104"}),
    "capability": ({"capAdd": ["SYS_ADMIN"]}, {"105"}),
    "unconfined": ({"securityOpt": ["seccomp=unconfined"]}, {"111"}),
    "fetched": ({"postCreateCommand": FETCHES}, {"121"}),
    "fetched_on_the_host": ({"initializeCommand": FETCHES}, {"121"}),
    "fetched_beside": (
        {"onCreateCommand": {"a": "ls", "b": ["sh", "-c", FETCHES]}},
        {"121"},
    ),
}
PLAIN = {
    "image": "mcr.microsoft.com/devcontainers/python:3.13",
    "mounts": [
        "source=cache,target=/cache,type=volume",
        "source=${localWorkspaceFolder}/data,target=/data,type=bind",
    ],
    "runArgs": ["--init", "--cap-drop=ALL"],
    "postCreateCommand": "uv sync",
    "customizations": {"vscode": {"extensions": []}},
}


@pytest.fixture
def check(make_project, options, bench):
    return lambda **files: container.check(make_project(**files), options)


@pytest.mark.parametrize("name", GIVEN)
def test_what_the_machine_gives_away_is_found(check, name):
    settings, rules = GIVEN[name]
    text = json.dumps({**PLAIN, **settings}, indent=2)
    result = check(**{PATH: text})
    found = {f.id.removeprefix("MCP-CON-") for f in result.findings}
    assert found == rules
    key = json.dumps(next(iter(settings)))
    lines = text.splitlines()
    for finding in result.findings:
        line = lines[(finding.line or 0) - 1]
        assert key in line or "docker-outside-of-docker" in line


@pytest.mark.parametrize(
    "path",
    [PATH, ".devcontainer.json", ".devcontainer/python/devcontainer.json"],
)
def test_a_plain_one_is_judged_and_right(check, path):
    text = f"// for editors\n{json.dumps(PLAIN)[:-1]}, /* end */ }}"
    result = check(**{path: text})
    assert result.findings == ()
    assert result.complete
    assert result.coverage.total == 1


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, "1"])
def test_one_that_is_no_json_is_a_gap(check, text):
    result = check(**{PATH: text})
    assert not result.complete
    assert PATH in result.reason


@pytest.mark.parametrize("value", [None, 1, "x", [1], {"a": 1}, [[]], [{}]])
def test_values_of_odd_kinds_stop_nothing(check, value):
    keys = ["privileged", "capAdd", "mounts", "features", "runArgs"]
    odd = dict.fromkeys([*keys, "securityOpt", "postCreateCommand"], value)
    assert check(**{PATH: json.dumps(odd)}).coverage.total == 1
