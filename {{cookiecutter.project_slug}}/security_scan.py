"""Scans this project: python security_scan.py --help."""

import os
import sys
from importlib import import_module

# pathlib would load whatever bears a standard module's name beside this file.
ROOT = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
INSIDE = "SECURITY_SCAN_INSIDE"  # set once, so that a broken .venv ends it


def main() -> int:
    """Run the scanner, in the project's own environment where it has one."""
    if not os.environ.pop(INSIDE, ""):
        _enter(os.path.join(ROOT, ".venv"))  # noqa: PTH118 - as for ROOT
    if sys.version_info < (3, 11):  # noqa: UP036 - an older one runs this
        sys.stderr.write(
            "error: the scanner needs Python 3.11 or newer, this is "
            f"{sys.version_info[0]}.{sys.version_info[1]}; run: uv sync\n"
        )
        return 2
    _find_scanner()
    import_module("scanner")
    # The rest of it is found through the package; nothing else beside this
    # file shall stand in for a library.
    sys.path.remove(ROOT)
    from scanner.cli import main as scan

    return scan(sys.argv[1:], ROOT)


def _enter(venv: str) -> None:
    """Go on in the environment, where the tools and the server are."""
    windows = os.name == "nt"
    parts = ("Scripts", "python.exe") if windows else ("bin", "python")
    python = os.path.join(venv, *parts)  # noqa: PTH118 - as for ROOT
    here = os.path.realpath(sys.prefix)
    if here == os.path.realpath(venv) or not os.access(python, os.X_OK):
        return
    os.environ[INSIDE] = "1"
    command = [python, __file__, *sys.argv[1:]]
    try:
        if windows:
            import subprocess  # nosec B404 # this same program, once

            sys.exit(subprocess.call(command))  # nosec B603 # ditto
        os.execv(python, command)  # noqa: S606 # nosec B606 # ditto
    except OSError:
        del os.environ[INSIDE]  # a broken environment: go on in this one


def _find_scanner() -> None:
    """Import from here after the standard library and before all else."""
    path = [place for place in sys.path if place != ROOT]
    packages = [n for n, x in enumerate(path) if x.endswith("-packages")]
    path.insert(packages[0] if packages else len(path), ROOT)
    sys.path[:] = path


if __name__ == "__main__":
    sys.exit(main())
