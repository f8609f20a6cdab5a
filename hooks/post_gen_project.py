"""Finish a rendered project: prune, modes, environment, scan, what next."""

import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO

# What an answer leaves out: the prompt, the answers that keep it, the paths.
PRUNED = (
    (
        "deployment",
        {"kubernetes"},
        ("deploy/kubernetes", "tests/deploy/test_kubernetes.py"),
    ),
)

DIRECTORY, FILE, SCRIPT, PRIVATE = 0o755, 0o644, 0o755, 0o600
PRIVATE_NAMES = (".env", "*.key", "*.pem")
NOT_OURS = {".git", ".venv"}
MADE = (".git", ".security", ".venv", "uv.lock")  # after a render, or by users

VERSIONS = (*(f"3.{minor}" for minor in range(11, 21)), "3", "")
OLDEST_UV = (0, 8)  # the first with all that pyproject.toml asks of it
WINDOWS = os.name == "nt"
VENV = Path(".venv", "Scripts" if WINDOWS else "bin")
VENV_PYTHON = str(VENV / ("python.exe" if WINDOWS else "python"))

# An index that does not answer is given up after three tries of 8 seconds.
TRIES, PATIENCE = 3, 8
# No program that the hook starts runs for longer, whatever it waits for.
LIMIT = 600
OUTPUT = 1_000_000
CLEAN, FINDINGS, PARTIAL = VERDICTS = (0, 1, 3)
BASELINE = Path(".security", "baseline.json")
RUNNING: list[subprocess.Popen[bytes]] = []  # programs, until they end
TRIED: dict[str, bool] = {}  # each uv, and whether it will do
# What the scan imports: the server's libraries, and its largest tool.
IMPORTS = (
    "import sys; from scanner.forkserver import preload; preload(sys.argv[1])",
    "import sys; sys.dont_write_bytecode = False; import bandit.cli.main",
)
WORKSPACE = "/workspace"  # the image's; here the project's own takes its place
# Who asks an index for packages may stand in its address (CWE-532); up to the
# last @, for a password may hold some.
CREDENTIALS = re.compile(r"(?<=://)\S*@")


class StepError(Exception):
    """A step could not be done, and why; what was rendered is kept."""


def main() -> int:
    """Run the five steps; return 1 only if the security gate says so."""
    answers = json.loads(r"""{{ cookiecutter | tojson }}""")
    prune(answers)
    set_modes(Path())
    if "_output_dir" not in answers:  # cruft, which renders twice an update
        say("Make the environment and the baseline with one command:")
        say(f"  {finishing_command()}")
        return 0
    verdict, problem = None, None
    try:
        with surroundings() as environment:
            python, problem = make_environment(answers, environment)
            verdict = scan(python, environment)
    except (StepError, OSError) as reason:
        problem = "; ".join(filter(None, (problem, str(reason))))
    except KeyboardInterrupt:
        problem = "it was interrupted"
    return conclude(answers, verdict, problem)


def prune(answers: Mapping[str, object]) -> None:
    """Remove what the answers leave out."""
    for prompt, keeping, paths in PRUNED:
        if answers[prompt] in keeping:
            continue
        for path in map(Path, paths):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def set_modes(project: Path) -> None:
    """Give each file its mode, whatever umask and checkout made of it.

    In a project that was there before, which Cookiecutter was told to
    overwrite, no file is opened to more people: some are the user's.
    """
    fresh = not any((project / name).exists() for name in MADE)
    for folder, folders, files in os.walk(project):
        folders[:] = sorted(set(folders) - NOT_OURS)
        if fresh:
            Path(folder).chmod(DIRECTORY)
        for file in (Path(folder, name) for name in files):
            now = file.lstat().st_mode
            if stat.S_ISREG(now):
                mode = _mode(file)
                file.chmod(mode if fresh else mode & stat.S_IMODE(now))


def _mode(file: Path) -> int:
    if any(file.match(name) for name in PRIVATE_NAMES):
        return PRIVATE
    with file.open("rb") as content:
        return SCRIPT if content.read(2) == b"#!" else FILE


@contextmanager
def surroundings() -> Iterator[dict[str, str]]:
    """Yield the variables of the programs that the hook starts.

    They know nothing of the environment that Cookiecutter runs in, download
    no Python, give up an index that does not answer, and keep their caches
    where they can be written.
    """
    foreign = {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"}
    ours = {k: v for k, v in os.environ.items() if k not in foreign}
    ours |= {
        "PYTHONDONTWRITEBYTECODE": "1",
        "UV_NO_PROGRESS": "1",
        "UV_PROJECT_ENVIRONMENT": ".venv",
        "UV_PYTHON_DOWNLOADS": "never",
    }
    ours.setdefault("UV_HTTP_RETRIES", str(TRIES - 1))
    ours.setdefault("UV_HTTP_TIMEOUT", str(PATIENCE))
    if _cache_can_be_written():
        yield ours
        return
    with tempfile.TemporaryDirectory() as cache:
        yield {**ours, "UV_CACHE_DIR": cache, "PIP_NO_CACHE_DIR": "1"}


def _cache_can_be_written() -> bool:
    """Try the folder itself, or the nearest that is there to make it in."""
    try:
        folder = _cache()
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            return True
    except (OSError, RuntimeError):  # having no home is a RuntimeError
        return False


def _cache() -> Path:
    """Return where uv keeps what it has downloaded."""
    told = os.environ.get("UV_CACHE_DIR")
    if told:
        return Path(told)
    local = os.environ.get("LOCALAPPDATA")
    if WINDOWS and local:
        return Path(local, "uv", "cache")
    home = Path(os.environ.get("XDG_CACHE_HOME") or "")
    return (home if home.is_absolute() else Path.home() / ".cache") / "uv"


def make_environment(
    answers: Mapping[str, object], environment: Mapping[str, str]
) -> tuple[str, str | None]:
    """Lock the dependencies and install them into ``.venv``.

    Returns:
        The Python to scan with, and why the environment was not made.
    """
    wanted = str(answers["python_version"])
    uv = _installed_uv(environment)
    python, version = find_python(wanted, uv, environment)
    if version != wanted:
        say(
            f"Python {wanted}, which the container and CI have, is not"
            f" installed here: the environment is made with {version}."
        )
    try:
        if uv is None:
            uv, python = fetch_uv(python, environment), VENV_PYTHON
        with step(f"Locking the dependencies for Python {version}"):
            package = str(answers["__package_name"])
            lock(uv, python, package, environment)
        with step("Installing them into .venv"):
            sync = [uv, "sync", "--frozen", "--python", python]
            _online_or_cached(sync, environment)
    except StepError as reason:
        return python, f"the environment could not be made: {reason}"
    return VENV_PYTHON, None


def lock(
    uv: str, python: str, package: str, environment: Mapping[str, str]
) -> None:
    """Lock the dependencies; install meanwhile what the cache has.

    That is seldom anything else, and the index is slow to say so. It has
    the last word, and what differs is installed afterwards.
    """
    with tempfile.TemporaryDirectory() as aside:
        shutil.copy("pyproject.toml", aside)
        ask = [uv, "lock", "--project", aside, "--python", python]
        # Where uv itself lies, and runs; or what a user has made already.
        if python == VENV_PYTHON or Path(".venv").exists():
            _online_or_cached(ask, environment)
        else:
            with _ahead(uv, python, package, environment):
                _online_or_cached(ask, environment)
        shutil.copy(Path(aside, "uv.lock"), "uv.lock")


@contextmanager
def _ahead(
    uv: str, python: str, package: str, environment: Mapping[str, str]
) -> Iterator[None]:
    """Install from the cache alone until then, and compile for the scan."""
    with ThreadPoolExecutor() as pool:
        guess = pool.submit(_guess, uv, python, package, environment)
        try:
            yield
        except KeyboardInterrupt:
            _end(*RUNNING)  # what the guess has begun could take minutes
            raise
        finally:
            _end(*guess.result())


def _guess(
    uv: str, python: str, package: str, environment: Mapping[str, str]
) -> list[subprocess.Popen[bytes]]:
    """Leave what compiles still; or nothing where the cache has not all."""
    sync = [uv, "sync", "--offline", "--python", python]
    compiling = []
    try:
        call([*sync, "--no-install-project"], environment)
        for program in IMPORTS:
            command = [VENV_PYTHON, "-c", program, package]
            compiling.append(_begin(command, environment))
        call(sync, environment)
    except (StepError, OSError):
        _end(*compiling)
        shutil.rmtree(".venv", ignore_errors=True)
        return []
    return compiling


def _begin(
    command: Sequence[str], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _installed_uv(environment: Mapping[str, str]) -> str | None:
    """Return the uv on PATH, if it works and is not too old."""
    uv = shutil.which("uv")
    if uv is None:
        return None
    if uv not in TRIED:
        TRIED[uv] = _will_do(uv, environment)
    return uv if TRIED[uv] else None


def _will_do(uv: str, environment: Mapping[str, str]) -> bool:
    with suppress(StepError, OSError):
        printed = call([uv, "--version"], environment)
        version = re.match(r"uv (\d+)\.(\d+)", printed)
        return version is not None and (
            tuple(map(int, version.groups())) >= OLDEST_UV
        )
    return False


def find_python(
    wanted: str, uv: str | None, environment: Mapping[str, str]
) -> tuple[str, str]:
    """Return path and version of the Python wanted, or else of the newest."""
    found = _found([wanted], [], uv, environment)
    if wanted not in found:
        others = [version for version in VERSIONS if version != wanted]
        found = _found(others, [sys.executable], uv, environment)
    if not found:
        raise StepError(
            "Python 3.11 or newer is needed, and none is installed"
        )
    best = wanted if wanted in found else max(found, key=_minor)
    return found[best], best


def _found(
    versions: Sequence[str],
    others: Sequence[str],
    uv: str | None,
    environment: Mapping[str, str],
) -> dict[str, str]:
    """Ask every candidate at once; return the first of each version.

    Where one is a shim, or belongs to an environment, what is behind it is
    returned: it starts sooner, and stays.
    """
    program = (
        "import sys; print('%d.%d' % sys.version_info[:2],"
        " getattr(sys, '_base_executable', sys.executable))"
    )

    def tell(python: str) -> tuple[str, str]:
        with suppress(StepError):
            told = call([python, "-c", program], environment).strip()
            return told.partition(" ")[::2]
        return "", ""

    def named(version: str) -> list[str]:
        return [*_managed(version, uv, environment), *_on_path(version)]

    with ThreadPoolExecutor() as pool:
        pythons = [path for each in pool.map(named, versions) for path in each]
        told = dict(reversed([*pool.map(tell, [*pythons, *others])]))
    return {v: python for v, python in told.items() if _minor(v) >= 11}


def _managed(
    version: str, uv: str | None, environment: Mapping[str, str]
) -> Iterator[str]:
    """Yield the one that uv keeps, or knows of: PATH does not tell of it."""
    # On Windows it looks into the registry, elsewhere it would start all.
    which = "--system" if WINDOWS else "--managed-python"
    if uv is not None and version:
        find = [uv, "python", "find", "--no-project", which, version]
        with suppress(StepError):
            yield call(find, environment).strip()


def _on_path(version: str) -> list[str]:
    """Return every program of that name: the first may be a mere shim."""
    name = f"python{version}"
    places = (shutil.which(name, path=x) for x in os.get_exec_path())
    return [*dict.fromkeys(filter(None, places))]


def _minor(version: str) -> int:
    found = re.fullmatch(r"3\.(\d+)", version)
    return int(found[1]) if found else 0


def fetch_uv(python: str, environment: Mapping[str, str]) -> str:
    """Install uv into the project's own .venv with pip; return its path."""
    make, install = _ways_to_uv(python)
    install += [
        *("--no-input", "--disable-pip-version-check"),
        *("--retries", str(TRIES - 1), "--timeout", str(PATIENCE)),
    ]
    with step("Fetching uv with pip"):
        call(make, environment)
        call(install, environment)
    return str(VENV / "uv")


def _ways_to_uv(python: str) -> tuple[list[str], list[str]]:
    """Return how to make .venv, and how to install uv into it.

    Debian's venv has no pip to give; the one that is here will do.
    """
    make = [python, "-m", "venv", ".venv"]
    if WINDOWS or find_spec("pip") is None:
        return make, [VENV_PYTHON, "-m", "pip", "install", _wanted_uv()]
    pip = [sys.executable, "-m", "pip", "--python", VENV_PYTHON]
    return [*make, "--without-pip"], [*pip, "install", _wanted_uv()]


def _wanted_uv() -> str:
    """Return what pip is to install, in words that cmd leaves alone.

    It is of the series that the project asks for: then what it installs into
    its environment is itself, which Windows lets no program replace.
    """
    project = Path("pyproject.toml").read_text(encoding="utf-8")
    lowest = re.search(r'"uv>=([\d.]+)', project)
    return f"uv~={lowest[1]}" if lowest else "uv"


def _online_or_cached(
    command: Sequence[str], environment: Mapping[str, str]
) -> None:
    """Run uv; where no index can be reached, a warm cache will do."""
    try:
        call(command, environment)
    except StepError as reason:
        try:
            call([*command, "--offline"], environment)
        except StepError:
            raise reason from None


def scan(python: str, environment: Mapping[str, str]) -> int:
    """Scan, write the baseline, show the report; return the exit code."""
    say("Scanning ...")
    begun = time.monotonic()
    command = [python, "security_scan.py", "--update-baseline"]
    verdict = _exit_code(command, environment, None)
    say(f"The scan took {time.monotonic() - begun:.1f} s.")
    if verdict not in VERDICTS or not BASELINE.is_file():
        raise StepError(f"the scan itself failed, with exit code {verdict}")
    return verdict


def conclude(
    answers: Mapping[str, object], verdict: int | None, problem: str | None
) -> int:
    """Say what came of it and what is next; return the exit code."""
    complete = verdict in {CLEAN, FINDINGS} and problem is None
    if verdict == FINDINGS and answers["security_gate"] == "strict":
        sys.stdout.flush()
        print(
            "error: the scan has findings and the security gate is strict, so"
            " Cookiecutter removes the project, unless it was called with"
            " --keep-project-on-failure",
            file=sys.stderr,
        )
        return 1
    if verdict == FINDINGS:
        say("The project is kept; its baseline holds the findings as open.")
    elif complete:
        say(f"The baseline is clean: {BASELINE}")
    if not complete:
        _say_incomplete(verdict, problem)
    _say_next(answers, environment_made=problem is None)
    return 0


def _say_incomplete(verdict: int | None, problem: str | None) -> None:
    if verdict is None:
        say(f"INCOMPLETE: no check ran: {problem}.")
    else:
        lack = problem or "not every check ran in full"
        say(f"INCOMPLETE: {lack}; the report above says which check and why.")
    say("The project is kept. In it, one command finishes the baseline:")
    say(f"  {finishing_command(environment_made=problem is None)}")


def _say_next(
    answers: Mapping[str, object], *, environment_made: bool
) -> None:
    say("Next:")
    say(f"  cd {answers['project_slug']}")
    if environment_made:
        say(f"  {VENV_PYTHON} -m pytest")
        say(f"  {_first_command(answers)}")


def _first_command(answers: Mapping[str, object]) -> str:
    """Return what the README begins with; of jwt, what says what is missing.

    A client starts the server over stdio; over HTTP a person does.
    """
    server = f"{VENV / str(answers['project_slug'])}"
    if answers["transport"] == "stdio":
        return f"{VENV / 'fastmcp'} list .mcp.json"
    if answers["auth"] == "bearer":
        scopes = "--scope files:read --scope files:write"
        return f"{server} token create laptop {scopes} --file tokens"
    if answers["workspace_path"] == WORKSPACE and not WINDOWS:
        server = f"WORKSPACE_PATH=workspace {server}"
    return f"{server} check" if answers["auth"] == "jwt" else server


def finishing_command(*, environment_made: bool = False) -> str:
    """Return the one line that makes what is missing and the baseline.

    It works as it stands in each shell: PowerShell 5, which Windows comes
    with, does not know ``&&``.
    """
    rescan = ["security_scan.py", "--update-baseline"]
    if environment_made:
        return " ".join([VENV_PYTHON, *rescan])
    if _installed_uv(os.environ):
        return " ".join(["uv", "run", *rescan])
    ways = _ways_to_uv("python" if WINDOWS else "python3")
    steps = [*ways, [str(VENV / "uv"), "run", *rescan]]
    if WINDOWS:
        return f'cmd /c "{" && ".join(map(" ".join, steps))}"'
    return " && ".join(map(shlex.join, steps))


def call(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return what a program prints.

    Raises:
        StepError: it could not be started, took too long or failed.
    """
    with tempfile.TemporaryFile() as printed:
        code = _exit_code(command, environment, printed)
        printed.seek(0)
        output = printed.read(OUTPUT).decode(errors="replace")
    if code:
        raise StepError(f"{Path(command[0]).name}: {_gist(output, code)}")
    return output


def _exit_code(
    command: Sequence[str],
    environment: Mapping[str, str],
    output: IO[bytes] | None,
) -> int:
    """Run a program to its end, or end it and all that it started."""
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output and subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as reason:
        raise StepError(f"{command[0]}: {reason.strerror}") from None
    RUNNING.append(process)
    try:
        return process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        raise StepError(
            f"{command[0]}: did not finish within {LIMIT} s"
        ) from None
    finally:
        _end(process)
        RUNNING.remove(process)


def _end(*processes: subprocess.Popen[bytes]) -> None:
    """End those that still run, and all that they started."""
    for process in processes:
        if process.poll() is None:
            if WINDOWS:
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _gist(output: str, code: int) -> str:
    """Return the error and its cause, which comes last, as one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    ends = dict.fromkeys([*(errors or lines)[:1], *lines[-1:]])
    gist = ": ".join(ends) or f"ended with exit code {code}"
    if "connection broken by" in output:  # pip calls it a missing version
        gist = f"the index does not answer: {gist}"
    gist = CREDENTIALS.sub("****@", gist)
    return "".join(c for c in gist if c.isprintable())[:300]


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say what is being done, and how many seconds it took."""
    say(f"{name} ... ", end="")
    begun = time.monotonic()
    try:
        yield
    finally:
        say(f"{time.monotonic() - begun:.1f} s")


def say(line: str, end: str = "\n") -> None:
    """Print a line, whoever reads it and whether anybody still does."""
    try:
        print(line, end=end, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
