"""What confined files withstand, and what they cost, on this machine.

    python benchmarks/confinement.py PROJECT [race] [open] [search] [crash]

PROJECT is a generated project; run this with the Python of its environment.
Without a name everything is measured. The race and the crashes are those of
the project's own attack tests, in full. Exit code 1: a bound was missed.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

TRIES = 1_000_000
KILLS = 1_000
FILES = 10_000
ROUNDS = 9
OPENS = 5_000
RESOLVERS = ("openat2", "walk")
MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it
LEAST_HONEST = 0.2
SLOWEST_SEARCH = 3.0  # times grep

Verdict = tuple[bool, dict[str, Any]]


def race(package: Any, directory: Path, tries: int) -> Iterator[Verdict]:
    """Try everything while a second process swaps what lies in the way."""
    racing = import_module("tests.attacks.racing")
    for resolver in RESOLVERS:
        with tempfile.TemporaryDirectory(dir=directory) as path:
            arena = racing.Arena(Path(path).resolve())
            started = time.monotonic()
            with _open(package, arena.workspace, resolver) as files:
                outcome = racing.race(arena, files, tries)
        share = outcome.honest.total() / outcome.tries.total()
        yield (
            not outcome.escapes and share >= LEAST_HONEST,
            {
                "race": resolver,
                "tries": outcome.tries.total(),
                "escapes": outcome.escapes.total(),
                "honest": round(share, 3),
                "honest_by_kind": {
                    kind: round(outcome.honest[kind] / count, 3)
                    for kind, count in outcome.tries.items()
                },
                "refused": dict(outcome.reasons),
                "seconds": round(time.monotonic() - started),
            },
        )


def opening(package: Any, directory: Path, _: int) -> Iterator[Verdict]:
    """Open one file three levels down, confined and by resolve() and open."""
    with tempfile.TemporaryDirectory(dir=directory) as path:
        file = Path(path).resolve() / "a/b/c/file"
        file.parent.mkdir(parents=True)
        file.write_text("content", "utf-8")
        time.sleep(0.1)  # as most files that are read: not just written

        def by_name() -> None:
            os.close(os.open(file.resolve(), os.O_RDONLY))

        ways: dict[str, Callable[[], object]] = {"resolve() and open": by_name}
        for resolver in RESOLVERS:
            files = _open(package, Path(path), resolver)
            ways[resolver] = _confined(files, ("a", "b", "c", "file"))
        cost = _medians(ways)
    limit = cost["resolve() and open"]
    yield max(cost.values()) == limit, {"open_microseconds": cost}


def _confined(files: Any, names: tuple[str, ...]) -> Callable[[], None]:
    def confined() -> None:
        with files._file(names):
            pass

    return confined


def _medians(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median of each, all of them in turn."""
    taken: dict[str, list[int]] = {name: [] for name in ways}
    for _ in range(OPENS):
        for name, way in ways.items():
            started = time.perf_counter_ns()
            way()
            taken[name].append(time.perf_counter_ns() - started)
    return {
        name: round(statistics.median(times) / 1_000, 1)
        for name, times in taken.items()
    }


def searching(package: Any, directory: Path, _: int) -> Iterator[Verdict]:
    """Search a tree of text for a rare word, as grep -rF does."""
    with tempfile.TemporaryDirectory(dir=directory) as path:
        _grow(Path(path))
        for resolver in RESOLVERS:
            with _open(package, Path(path), resolver) as files:
                found, ours, grep = _side_by_side(files, path)
            ratio = round(statistics.median(ours) / statistics.median(grep), 2)
            yield (
                ratio <= SLOWEST_SEARCH,
                {
                    "search": resolver,
                    "files": FILES,
                    "matches": found,
                    "milliseconds": round(statistics.median(ours) * 1_000),
                    "grep": round(statistics.median(grep) * 1_000),
                    "ratio": ratio,
                },
            )


def _grow(root: Path) -> None:
    """Fill a directory with files of some kilobytes of words."""
    choose = random.Random(1)  # noqa: S311 - the same tree each time
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(choose.choices(letters, k=7)) for _ in range(2_000)]
    for number in range(FILES):
        directory = root / f"directory{number % 100}"
        directory.mkdir(exist_ok=True)
        lines = [
            " ".join(choose.choices(words, k=8))
            for _ in range(choose.randint(1, 200))
        ]
        if number % 100 == 0:
            lines.append("a rare_word here")
        file = directory / f"file{number}.txt"
        file.write_text("\n".join(lines), "utf-8")


def _side_by_side(
    files: Any, path: str
) -> tuple[int, list[float], list[float]]:
    found, ours, grep = 0, [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        found = len(files.search("rare_word").matches)
        ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        subprocess.run(
            ["grep", "-rF", "rare_word", path],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        grep.append(time.perf_counter() - started)
    return found, ours, grep


def crashing(_: Any, directory: Path, __: int) -> Iterator[Verdict]:
    """Kill a writing process a thousand times, at random moments."""
    project = Path(sys.path[0])
    script = project / "tests/attacks/crashing.py"
    for way in ("unnamed", "named"):
        with tempfile.TemporaryDirectory(dir=directory) as path:
            done = subprocess.run(
                [sys.executable, script, path, str(KILLS), way],
                check=True,
                capture_output=True,
                env={"PYTHONPATH": str(project)},
            )
        found = json.loads(done.stdout)
        yield (
            not found["torn"] and not found["stray"],
            {"crash": way, "kills": KILLS, **found},
        )


def _open(package: Any, root: Path, resolver: str) -> Any:
    return package.Workspace.open(root, max_file_size=2**20, resolver=resolver)


MEASURES: dict[str, Callable[[Any, Path, int], Iterator[Verdict]]] = {
    "race": race,
    "open": opening,
    "search": searching,
    "crash": crashing,
}


def main() -> None:
    """Print a line of JSON for each measure."""
    options = _options()
    sys.path.insert(0, str(options.project.resolve()))
    (found,) = options.project.glob("*/workspace/directories.py")
    package = import_module(f"{found.parts[-3]}.workspace")
    missed = False
    for name in options.measures or MEASURES:
        directory = options.directory
        if name == "crash" and directory == MEMORY:
            directory = Path(tempfile.gettempdir())
        for held, figures in MEASURES[name](package, directory, options.tries):
            version = "{}.{}.{}".format(*sys.version_info)
            print(json.dumps({"held": held, "python": version, **figures}))
            missed |= not held
    sys.exit(missed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("measures", nargs="*", choices=[*MEASURES, []])
    parser.add_argument("--tries", type=int, default=TRIES)
    parser.add_argument(
        "--directory",
        type=Path,
        default=MEMORY if MEMORY.is_dir() else Path(tempfile.gettempdir()),
        help="where to measure (default: in memory, where the races are)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
