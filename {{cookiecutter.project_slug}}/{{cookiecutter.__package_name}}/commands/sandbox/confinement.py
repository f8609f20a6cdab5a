"""Everything that a process gives up before it becomes a command."""

import contextlib
import os
import signal
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from . import files, kernel, landlock, seccomp, tree
from .limits import Limits

LANDLOCK: Final = "Landlock ABI 3 (Linux 6.2)"
SECCOMP: Final = "seccomp filters on x86-64 or aarch64"
NOTIFY: Final = "seccomp user notification (Linux 5.5)"
SUBREAPER: Final = "process trees (Linux with /proc)"

_SYS_CAPSET: Final = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 63
#: How far commands stand back from the server and from who ends them.
_NICENESS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """The rules that every command of a server is under, made once.

    Attributes:
        missing: Parts of the sandbox that this kernel does not have.
        limits: What one command may use.
    """

    missing: tuple[str, ...]
    limits: Limits
    seal: int | None
    ruleset: int | None
    program: bytes
    supervised: bool
    user_tasks: int

    def seal_off(self) -> bool:
        """Let this process signal nothing but what it will start.

        Returns:
            Whether that holds: its own parent is tried before and after.
        """
        parent = os.getppid()
        if self.seal is None or not _can_signal(parent):
            return False
        landlock.restrict_self(self.seal)
        return not _can_signal(parent)

    def enter(self) -> int | None:
        """Put this process, and all that it will start, under the rules.

        Returns:
            The descriptor by which the kernel asks the keeper, if it does.
        """
        os.setsid()
        _stand_back()
        _default_signals()
        self.limits.apply(self.user_tasks)
        if sys.platform != "linux":
            return None
        _be_the_first_to_go()
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        if self.ruleset is not None:
            landlock.restrict_self(self.ruleset)
        if not self.program:
            return None
        return seccomp.install(self.program, notify=self.supervised)


def give_up_privileges() -> None:
    """Leave root nothing but its number, and no way to get more (CWE-250).

    The helper does this before all else: commands inherit it, and it needs
    no more itself.
    """
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    for capability in range(_LAST_CAPABILITY + 1):
        with contextlib.suppress(OSError):
            kernel.prctl(kernel.PR_CAPBSET_DROP, capability)
    with contextlib.suppress(OSError):
        kernel.prctl(kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_CLEAR_ALL)
    number = _SYS_CAPSET.get(os.uname().machine)
    if number is not None:
        header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
        kernel.syscall(number, header, bytes(24))


def prepare(
    workspace: int,
    *,
    programs: Sequence[str],
    hidden: Sequence[str],
    network: bool,
    limits: Limits,
) -> Confinement:
    """Return the strongest rules that this kernel keeps.

    Each part is tried for real, in a process that ends right after: a kernel,
    a container or a filter around the server may refuse what its version
    promises.
    """
    abi = landlock.abi() if sys.platform == "linux" else 0
    name = seccomp.machine() if sys.platform == "linux" else None

    def ruleset() -> int:
        places = files.grants(workspace, programs, hidden)
        return landlock.create(abi, places, network=network)

    def program(*, supervised: bool) -> bytes:
        return seccomp.build(
            name or "", abi=abi, network=network, notify=supervised
        )

    tasks, _ = tree.pulse()
    works = {
        LANDLOCK: abi >= landlock.NEEDED_ABI
        and _works(lambda: landlock.restrict_self(ruleset())),
        SECCOMP: name is not None
        and _works(
            lambda: seccomp.install(program(supervised=False), notify=False)
        ),
        NOTIFY: name is not None
        and _works(
            lambda: seccomp.install(program(supervised=True), notify=True)
        ),
        SUBREAPER: sys.platform == "linux" and tasks > 0,
    }
    return Confinement(
        missing=tuple(part for part, there in works.items() if not there),
        limits=limits,
        seal=landlock.create_seal() if abi >= landlock.SCOPED_ABI else None,
        ruleset=ruleset() if abi else None,
        program=program(supervised=works[NOTIFY]) if works[SECCOMP] else b"",
        supervised=works[NOTIFY],
        user_tasks=tasks,
    )


def _works(attempt: Callable[[], object]) -> bool:
    """Return whether a process of its own can do this."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(Exception):
            attempt()
            os._exit(0)
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _can_signal(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _stand_back() -> None:
    """Let the server and the keepers run first, however many we become.

    Linux shares the processors between sessions before it shares them
    between processes: niceness has to be told to both.
    """
    os.nice(_NICENESS)
    with contextlib.suppress(OSError):
        _write("/proc/self/autogroup", _NICENESS)


def _default_signals() -> None:
    """Undo what Python ignores and what the server may have blocked."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _be_the_first_to_go() -> None:
    """Let a machine out of memory end commands before the server."""
    with contextlib.suppress(OSError):
        _write("/proc/self/oom_score_adj", 1000)


def _write(path: str, number: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY), "w") as file:
        file.write(f"{number}")
