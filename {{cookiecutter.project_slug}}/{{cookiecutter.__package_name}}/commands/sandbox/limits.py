"""How much of the machine one command may use."""

import math
import resource
from dataclasses import dataclass
from typing import Final

_MIB: Final = 2**20
#: Tasks that all commands of the server's user may add to those there are.
#: The second line, which does not hold for root: each command's own tasks
#: are counted from outside.
_USER_TASKS: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds that a command cannot lift (CWE-400, CWE-770).

    Attributes:
        seconds: How long it may run, and the processor time of each process.
        output: Bytes kept of each of its two outputs.
        tasks: Processes and threads at once; one with more is ended.
        memory: Bytes that its processes may have together; as with tasks.
        address_space: Bytes that each may map; runtimes reserve far more than
            they use.
        file_size: Bytes that one file may have.
        disk: Bytes by which the workspace's free space may shrink meanwhile.
        open_files: Descriptors in each process.
    """

    seconds: float
    output: int
    tasks: int = 512
    memory: int = 2048 * _MIB
    address_space: int = 16_384 * _MIB
    file_size: int = 256 * _MIB
    disk: int = 1024 * _MIB
    open_files: int = 1024

    def apply(self, user_tasks: int) -> None:
        """Put the limits that the kernel keeps on this process.

        Args:
            user_tasks: Tasks that there were when the server started, for
                the kernel counts all of a user's together.
        """
        # The soft limit kills; the hard one is for who ignores SIGXCPU.
        seconds = math.ceil(self.seconds) + 1
        for what, most in (
            (resource.RLIMIT_CPU, seconds),
            (resource.RLIMIT_AS, self.address_space),
            (resource.RLIMIT_FSIZE, self.file_size),
            (resource.RLIMIT_NPROC, user_tasks + _USER_TASKS),
            (resource.RLIMIT_NOFILE, self.open_files),
            (resource.RLIMIT_CORE, 0),
        ):
            _, hard = resource.getrlimit(what)
            if hard != resource.RLIM_INFINITY:
                most = min(most, hard)
            resource.setrlimit(what, (most, most))
