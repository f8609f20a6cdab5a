"""A process that is killed while it writes leaves nothing half done."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
TIMES = 40


@pytest.mark.parametrize("way", ["unnamed", "named"])
def test_killed_write_leaves_no_part_of_a_file(
    workspace: Path, way: str
) -> None:
    script = Path(__file__).with_name("crashing.py")
    done = subprocess.run(
        [sys.executable, script, workspace, str(TIMES), way],
        check=True,
        capture_output=True,
        env={"PYTHONPATH": str(PROJECT)},
    )
    found = json.loads(done.stdout)
    assert found["written"] >= TIMES
    assert (found["torn"], found["stray"]) == (0, 0)
