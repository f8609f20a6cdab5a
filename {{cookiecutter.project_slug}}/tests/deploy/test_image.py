"""The Dockerfile: what the image holds, and what it leaves behind."""

import re

from tests.deploy.running import PACKAGE, PROJECT

DOCKERFILE = (PROJECT / "Dockerfile").read_text("utf-8")
LINES = [
    line
    for line in DOCKERFILE.replace("\\\n", " ").splitlines()
    if line and not line.startswith("#")
]
LAST = LINES[max(n for n, line in enumerate(LINES) if "FROM " in line) :]


def test_each_base_is_named_by_an_exact_version() -> None:
    bases = [line.split()[1] for line in LINES if line.startswith("FROM ")]

    assert bases
    for base in bases:
        assert re.search(r":\d+\.\d+\.\d+", base), base


def test_the_last_stage_takes_nothing_from_the_build_but_the_server() -> None:
    copies = [line for line in LAST if line.startswith(("COPY", "ADD"))]

    assert copies == ["COPY --from=build /app /app"]


def test_the_server_runs_as_a_user_who_owns_none_of_the_code() -> None:
    assert "USER 10001:10001" in LAST
    assert not any("chown" in line for line in LINES)


def test_the_server_is_started_and_asked_without_a_shell() -> None:
    command = f'["python", "-m", "{PACKAGE}"'

    assert f"ENTRYPOINT {command}]" in LAST
    assert any(f'CMD {command}, "health"]' in line for line in LAST)


def test_nothing_is_imported_from_where_a_command_runs() -> None:
    assert "PYTHONSAFEPATH=1" in " ".join(LAST)


def test_the_build_installs_nothing_that_the_lock_does_not_name() -> None:
    build = " ".join(LINES)

    assert "uv sync --frozen --no-default-groups" in build
    assert "--build-constraints build.txt --require-hashes" in build
    assert not re.search(r"\bpip install (?!--quiet --python /app)", build)
    assert "apt-get" not in build


def test_nothing_enters_the_build_but_what_is_named() -> None:
    ignored = (PROJECT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    admitted = {line[1:].strip("/") for line in rules if line[0] == "!"}
    copied = {
        word
        for line in LINES
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }

    assert rules[0] == "*"
    assert admitted == copied
