"""The command line: what to scan for, and where the report goes."""

import argparse
import contextlib
import datetime as dt
import difflib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TextIO

from . import baseline as baselines
from . import checks, grade
from .baseline import Baseline, BaselineError, Comparison
from .model import CheckResult, Finding, Options, Report, Severity, Standing
from .project import Project
from .report import console, html, json, markdown, sarif
from .rules import RULES, explained, rule_of
from .run import run
from .text import visible

FORMATS = {
    "console": console.render,
    "json": json.render,
    "sarif": sarif.render,
    "html": html.render,
    "markdown": markdown.render,
}
EPILOG = """\
exit codes:
  0  clean
  1  findings at or above --fail-on that the baseline does not accept
  2  usage
  3  a check that was asked for did not run, or not in full

A check left out by --only, --skip or --no-probe did not pass: the status is
INCOMPLETE and the grade is capped. The exit code judges only the others.
"""


class UsageError(Exception):
    """What the user asked for cannot be done; one line says why."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def main(argv: Sequence[str], root: str) -> int:
    """Scan the project and report; return the exit code."""
    _never_fail_to_print(sys.stdout, sys.stderr)
    try:
        return _main(_parse(argv), Path(root))
    except (UsageError, BaselineError) as error:
        sys.stderr.write(f"error: {visible(str(error))}\n")
        return grade.USAGE
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        return 130


def _main(asked: argparse.Namespace, root: Path) -> int:
    if asked.explain:
        return _explain(asked.explain)
    selected = _selected(asked)
    _writable(asked.output)
    path = asked.baseline or root / ".security" / "baseline.json"
    held = baselines.load(path)
    if asked.baseline and held is None and not asked.update_baseline:
        raise UsageError(f"{path}: there is no such baseline")
    options = _options(asked, held)
    project = Project(root)
    results = run(project, options, selected, _progress(sys.stderr))
    today = options.now.date()
    comparison = baselines.compare(held, results, today)
    report = assemble(project.name, options.now, results, comparison)
    _print(report, asked)
    if asked.update_baseline:
        new = baselines.updated(held, results, comparison)
        baselines.write(path, new)
    counted = _counted(results, comparison)
    return grade.exit_code(results, counted, Severity(asked.fail_on))


def assemble(
    project: str,
    now: dt.datetime,
    results: tuple[CheckResult, ...],
    comparison: Comparison,
) -> Report:
    """Judge what the checks found, beside the baseline."""
    counted = _counted(results, comparison)
    return Report(
        project=project,
        timestamp=now,
        checks=results,
        overall_status=grade.overall_status(results, counted),
        grade=grade.grade(results, counted),
        counts=grade.counts(counted),
        standing=comparison.standing,
        accepted={
            finding: entry
            for finding, entry in comparison.match.items()
            if comparison.standing[finding] is Standing.ACCEPTED
        },
        fixed=comparison.fixed,
        rules={f.id: explained(f) for r in results for f in r.findings},
    )


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="security_scan.py",
        description="Scan this project, and say what could not be seen.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    option = parser.add_argument
    option("--format", choices=FORMATS, default="console")
    option("--output", type=Path, metavar="FILE", help="instead of the screen")
    option("--only", type=_names, metavar="CHECK,…", help=_known())
    option("--skip", type=_names, metavar="CHECK,…", default=[])
    option("--fail-on", choices=[s.value for s in Severity], default="low")
    option("--baseline", type=Path, metavar="FILE")
    option("--update-baseline", action="store_true")
    option("--offline", action="store_true", help="contact no other machine")
    option(
        "--advisories",
        metavar="URL_OR_DIR",
        help="an OSV service, or OSV records in a directory",
    )
    option(
        "--history",
        action="store_true",
        help="look for secrets in all of git's history",
    )
    option("--no-probe", action="store_true", help="do not start the server")
    option(
        "--probe-open-world",
        action="store_true",
        help="probe tools that reach beyond the server, too",
    )
    option(
        "--timeout",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="for each outside program",
    )
    option("--explain", metavar="ID", help="print a rule, or all")
    return parser.parse_args(argv)


def _known() -> str:
    return ", ".join(checks.CHECKS)


def _names(text: str) -> list[str]:
    """Read check names; an unknown one would leave a check out unseen."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in checks.CHECKS:
            raise argparse.ArgumentTypeError(
                _unknown(name, checks.CHECKS, "see --help")
            )
    if not names:
        raise argparse.ArgumentTypeError("name a check")
    return names


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < (seconds := float(text)) <= 3600:
            return seconds
    raise argparse.ArgumentTypeError("give more than 0 seconds, at most 3600")


def _unknown(name: str, known: Sequence[str], help_: str) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.4)
    hint = f"did you mean {near[0]}?" if near else help_
    return f"there is no {name}; {hint}"


def _selected(asked: argparse.Namespace) -> list[str]:
    wanted = asked.only or checks.CHECKS
    left_out = set(asked.skip) | ({"probes"} if asked.no_probe else set())
    selected = [
        name
        for name in checks.CHECKS
        if name in wanted and name not in left_out
    ]
    if not selected:
        raise UsageError("no check is left to run")
    return selected


def _options(asked: argparse.Namespace, held: Baseline | None) -> Options:
    return Options(
        offline=asked.offline,
        advisories=asked.advisories,
        history=asked.history,
        probe=not asked.no_probe,
        probe_open_world=asked.probe_open_world,
        timeout=asked.timeout,
        components=held.components if held else None,
    )


def _counted(
    results: Sequence[CheckResult], comparison: Comparison
) -> list[Finding]:
    """Return the findings that nobody has accepted."""
    return [
        finding
        for result in results
        for finding in result.findings
        if comparison.standing[finding] is not Standing.ACCEPTED
    ]


def _writable(output: Path | None) -> None:
    """Refuse, before the work, a report that could not be written."""
    if output is None:
        return
    target = output if output.exists() else output.absolute().parent
    if output.is_dir() or not os.access(target, os.W_OK):
        raise UsageError(f"{output}: cannot be written")


def _print(report: Report, asked: argparse.Namespace) -> None:
    """Write the report where it was asked for, the verdict to the screen."""
    text = FORMATS[asked.format](report)
    if asked.output:
        try:
            asked.output.write_text(text, "utf-8")
        except OSError as error:
            raise UsageError(f"{asked.output}: {error.strerror}") from None
        text = console.summary(report)
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    on_screen = asked.output or asked.format == "console"
    try:
        sys.stdout.write(console.paint(text) if colour and on_screen else text)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _progress(screen: TextIO) -> Callable[[CheckResult], None]:
    """Tell of each check as it ends, to a person who waits for it."""

    def tell(result: CheckResult) -> None:
        if screen.isatty():
            took = f"{result.duration_seconds:.1f} s"
            screen.write(f"  {result.name}: {result.state.value}, {took}\n")

    return tell


def _explain(name: str) -> int:
    """Print one rule, or with ``all`` every rule there is, by its id."""
    checks.load_rules()
    rule = rule_of(name.upper())
    if rule is None and name.lower() != "all":
        raise UsageError(_unknown(name, list(RULES), "all lists them"))
    asked = [rule] if rule else [RULES[each] for each in sorted(RULES)]
    sys.stdout.write("\n".join(map(console.explain, asked)))
    return grade.CLEAN


def _never_fail_to_print(*streams: TextIO) -> None:
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
