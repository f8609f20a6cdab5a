"""What is read as Python: every package, scripts, notebooks."""

import json

import pytest

from scanner.checks import code
from scanner.checks.notebooks import python_of
from scanner.model import Options
from tests.scanner.small import PYPROJECT

RUNS = "def f(x):\n    return eval(x)\n"
TOOL = "from . import tool\n@tool\ndef f(n: str):\n    return open(n).read()\n"


def notebook(*cells, indent=1, language="python"):
    """Return a notebook with code cells, as Jupyter saves it."""
    about = {"kernelspec": {"language": language, "name": "x"}}
    return json.dumps(
        {
            "cells": [
                {
                    "cell_type": "code",
                    "metadata": {},
                    "outputs": [{"data": {"source": ["eval(x)\n"]}}],
                    "source": cell.splitlines(keepends=True),
                }
                for cell in cells
            ],
            "metadata": about,
            "nbformat": 4,
        },
        indent=indent,
    )


def checked(make_project, files):
    return code.check(make_project(**files), Options())


def found(result):
    return [(f.id, f.path, f.line) for f in result.findings]


@pytest.mark.usefixtures("without_bandit")
@pytest.mark.parametrize(
    "table",
    [
        '[project.scripts]\na = "small_server:main"\nb = "other.x:main"\n',
        '[project.gui-scripts]\nb = "other:main"\n',
        '[project.entry-points."fastmcp.plugins"]\nb = "other.tools"\n',
    ],
    ids=["scripts", "gui", "entry points"],
)
def test_tools_are_looked_at_in_every_package_that_is_run(make_project, table):
    pyproject = PYPROJECT.partition("[project.scripts]")[0] + table
    files = {"pyproject.toml": pyproject, "other/x.py": TOOL}
    result = checked(make_project, files)
    assert found(result) == [("MCP-CODE-007", "other/x.py", 4)]
    assert make_project(**files).package == "small_server"


@pytest.mark.usefixtures("without_bandit")
def test_what_no_script_runs_is_no_tool(make_project):
    assert found(checked(make_project, {"other/x.py": TOOL})) == []


@pytest.mark.parametrize(
    "first",
    [
        "#!/usr/bin/python3",
        "#!/usr/bin/env python3.13",
        "#!/usr/bin/env -S uv run --script",
    ],
)
def test_a_script_without_a_suffix_is_read(make_project, first):
    result = checked(make_project, {"deploy/job": f"{first}\n{RUNS}"})
    assert found(result) == [("MCP-CODE-B307", "deploy/job", 3)]
    assert result.complete


@pytest.mark.usefixtures("without_bandit")
def test_other_scripts_are_not_python(make_project):
    files = {"deploy/job": "#!/bin/sh\neval $x\n", "notes": "# python\n"}
    result = checked(make_project, files)
    assert result.complete
    assert result.coverage.total == 2


@pytest.mark.usefixtures("without_bandit")
def test_a_script_that_does_not_parse_is_a_gap(make_project):
    result = checked(make_project, {"job": "#!/usr/bin/python2\nprint 1\n"})
    assert not result.complete
    assert "job does not parse" in result.reason


def test_a_notebook_is_read_where_its_lines_stand(make_project):
    text = notebook("import os\nx = 1", "%pip install x\n!ls {x}\neval(x)")
    files = {"docs/try.ipynb": text, "tests/try.ipynb": text}
    result = checked(make_project, files)
    line = text.splitlines().index('    "eval(x)"') + 1
    assert {*found(result)} == {
        ("MCP-CODE-B307", "docs/try.ipynb", line),
        ("MCP-CODE-B307", "tests/try.ipynb", line),
    }
    assert result.complete, result.reason


def test_large_outputs_are_no_code(make_project):
    loaded = json.loads(notebook("eval(x)"))
    loaded["cells"][0]["outputs"] = [{"data": {"image/png": "x" * 2**21}}]
    text = json.dumps(loaded, indent=1)
    result = checked(make_project, {"x.ipynb": text})
    assert result.complete, result.reason
    assert len(found(result)) == 1


IPYTHON = {
    "magic": ("%matplotlib inline", "pass"),
    "inside": ("if x:\n    !ls", "if x:\n    pass"),
    "assigned": ("a, b = !ls -l", "a, b = None"),
    "question": ("print?", "pass"),
    "modulo": ("a = b % c", "a = b % c"),
    "timed": ("%%time\nx = 1", "pass\nx = 1"),
    "shell": ("%%bash\nrm -r x", ""),
}


@pytest.mark.parametrize("name", IPYTHON)
def test_what_ipython_adds_is_left_out(name):
    cell, wanted = IPYTHON[name]
    lines = python_of(notebook(cell).encode()).decode().splitlines()
    assert [x for x in lines if x] == [x for x in wanted.splitlines() if x]


@pytest.mark.usefixtures("without_bandit")
def test_other_languages_are_not_read(make_project):
    text = notebook("eval(x", language="julia")
    assert checked(make_project, {"x.ipynb": text}).complete


GAPS = {
    "on_one_line": notebook("x = 1\neval(x)", indent=None),
    "in_one_text": notebook("x = 1").replace('"x = 1"', '"x = 1\\neval(x)"'),
    "no_json": "{",
    "no_notebook": "[]",
    "other_form": '{"cells": [{"source": 1}]}',
    "deep": "[" * 100_000,
    "no_python": notebook("def ("),
    "no_text": '{"cells": [{"cell_type": "code", "source": [1]}]}',
}


@pytest.mark.usefixtures("without_bandit")
@pytest.mark.parametrize("name", GAPS)
def test_a_notebook_that_is_not_read_is_a_gap(make_project, name):
    result = checked(make_project, {"x.ipynb": GAPS[name]})
    assert not result.complete
    assert "x.ipynb" in result.reason


@pytest.mark.usefixtures("without_bandit")
def test_a_notebook_as_large_as_can_be_takes_no_longer(make_project):
    cells = "\n".join("x = 1" for _ in range(10_000))
    text = notebook(*["x = 1"] * 2000, cells)
    result = checked(make_project, {"x.ipynb": text})
    assert result.complete, result.reason
