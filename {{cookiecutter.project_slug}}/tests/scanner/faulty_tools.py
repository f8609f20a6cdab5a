"""Programs that stand in for the real ones and fail in every way."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

# What each kind of failure does when it is asked to work; asked for its
# version, all but the last two answer well.
FAILURES = {
    "absent": None,
    "crash": "echo 'Traceback: out of cheese' >&2; exit 70",
    "killed": "kill -9 $$",
    "hang": "exec sleep 600",
    "empty": "exit 0",
    "nonsense": "echo 'all is well'",
    "wrong json": 'echo \'[{"all": "well"}]\'',
    "wrong version": "exit 0",
    "no version": "exit 0",
}


@dataclass(frozen=True)
class Bench:
    """A folder of programs that is searched instead of the machine's."""

    folder: Path

    def install(self, name: str, body: str, version: str = "1.0") -> Path:
        """Put a shell script there, which also tells its version."""
        path = self.folder / name
        path.write_text(
            "#!/bin/sh\n"
            f'case "$*" in *--version*) echo "{name} {version}"; exit;; esac\n'
            f"{body}\n",
        )
        path.chmod(0o755)
        return path

    def fail(self, name: str, failure: str, version: str) -> None:
        """Install a program that fails so, as this version of the real."""
        body = FAILURES[failure]
        told = {"wrong version": "0.0.1", "no version": "unknown"}
        if body is not None:
            self.install(name, body, told.get(failure, version))

    def keep(self, *names: str) -> None:
        """Leave the real program where it was found before."""
        for name in names:
            real = Path(sys.prefix) / "bin" / name
            if real.exists():
                (self.folder / name).symlink_to(real)


def bench(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Bench:
    """Let only the system's own programs and this folder's be found."""
    folder.mkdir(exist_ok=True)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return Bench(folder)
