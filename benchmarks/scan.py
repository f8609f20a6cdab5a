"""What the check for secrets costs, over a project of 8,000 small files.

    python benchmarks/scan.py PROJECT [--files 8000] [--rounds 3]

PROJECT is a generated project; run this with the Python of its environment.
Half of the files hold a key, half hold none. Exit code 1: the check did not
see what is there. How long it took is told, and judged by nobody.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

#: Files in a folder.
FOLDER = 100
LINES = 10
_NAMES = ("api_key", "access_token", "client_secret", "auth_token")
_WORDS = ("path", "result", "index", "message", "buffer", "callback", "total")


def fill(root: Path, files: int) -> int:
    """Write the files, the same on each run; return how many hold a key."""
    drawn = random.Random(4)  # noqa: S311 - nothing secret
    for number in range(files):
        folder = root / f"part{number // FOLDER}"
        folder.mkdir(exist_ok=True)
        lines = [_line(drawn) for _ in range(LINES)]
        if number % 2:
            lines.append(f'{drawn.choice(_NAMES)} = "{_key(drawn)}"')
        text = "\n".join(lines)
        (folder / f"module{number}.py").write_text(f"{text}\n", "utf-8")
    return files // 2


def measure(root: Path) -> dict[str, Any]:
    """Run the check once, as the scan does."""
    model = import_module("scanner.model")
    project = import_module("scanner.project").Project(root)
    check = import_module("scanner.checks.secrets").check
    clock, cpu = time.perf_counter(), time.process_time()
    result = check(project, model.Options())
    return {
        "seconds": time.perf_counter() - clock,
        "cpu_seconds": time.process_time() - cpu,
        "files": result.coverage.covered,
        "findings": len(result.findings),
    }


def _line(drawn: random.Random) -> str:
    one, two, three = drawn.sample(_WORDS, 3)
    return f"{one}_{two} = {three}.{one}({two}, {drawn.randrange(1000)})"


def _key(drawn: random.Random) -> str:
    return f"{drawn.getrandbits(160):040x}"


def main() -> int:
    """Print a line of JSON for each round; return 1 where one saw less."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--files", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    sys.path.insert(0, str(options.project.resolve()))
    with tempfile.TemporaryDirectory() as folder:
        keys = fill(Path(folder), options.files)
        rounds = [measure(Path(folder)) for _ in range(options.rounds)]
    for each in rounds:
        print(json.dumps(each), flush=True)
    seconds = statistics.median(each["seconds"] for each in rounds)
    print(json.dumps({"median_seconds": seconds}))
    seen = {(each["files"], each["findings"]) for each in rounds}
    return int(seen != {(options.files, keys)})


if __name__ == "__main__":
    sys.exit(main())
