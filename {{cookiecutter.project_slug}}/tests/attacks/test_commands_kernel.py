"""From inside an allowed command: the network, and calls it has no need of."""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }}.commands import CommandRunner
from {{ cookiecutter.__package_name }}.commands.sandbox import (
    landlock,
    syscalls,
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux"
    or os.uname().machine not in syscalls.ARCHITECTURES,
    reason="seccomp filters are for Linux on x86-64 and aarch64",
)

MakeRunner = Callable[..., CommandRunner]
MACHINE = os.uname().machine if sys.platform == "linux" else "x86_64"

TRY = """
import socket, sys
try:
{body}
except OSError as error: print('refused', error.errno)
else: print('done')
"""


def attempt(body: str, *arguments: object) -> list[str]:
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    code = TRY.format(body=indented)
    return ["python3", "-I", "-S", "-c", code, *map(str, arguments)]


@pytest.fixture
def runner(shared_runner: tuple[CommandRunner, Path]) -> CommandRunner:
    return shared_runner[0]


@pytest.fixture
def listener() -> Iterator[int]:
    """A port on loopback that takes connections and datagrams."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    "body",
    [
        "socket.create_connection(('127.0.0.1', int(sys.argv[1])))",
        "socket.create_server(('127.0.0.1', 0))",
        "socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_INET6, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)",
        "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)",
        "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX, socket.SOCK_RAW)",
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    ],
    ids=[
        "TCP to loopback", "TCP server", "TCP", "TCP6", "UDP", "UDP6",
        "MPTCP", "raw", "ping", "packet", "netlink", "vsock", "alg",
        "UNIX datagram", "UNIX raw", "datagram pair",
    ],
)  # fmt: skip
async def test_a_socket_is_refused(
    runner: CommandRunner, listener: int, body: str
) -> None:
    result = await runner.run(attempt(body, listener))
    assert result.stdout == "refused 1\n", result


@pytest.mark.parametrize(
    "body",
    [
        "a, b = socket.socketpair()\na.send(b'x')\nassert b.recv(1) == b'x'",
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)",
        "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)",
    ],
    ids=["pair", "packets", "stream"],
)
async def test_a_unix_socket_is_let_through(
    runner: CommandRunner, body: str
) -> None:
    assert (await runner.run(attempt(body))).stdout == "done\n"


@pytest.mark.parametrize("network", ["deny", "allow"])
@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
async def test_a_service_behind_a_unix_socket_is_not_reached(
    make_runner: MakeRunner, tmp_path: Path, *, network: str, abstract: bool
) -> None:
    """Such as the Docker daemon, or an SSH agent."""
    address = f"{tmp_path}/service.socket"
    if abstract:
        address = "\0" + address
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        body = (
            "s = socket.socket(socket.AF_UNIX)\n"
            f"s.connect({address!r})"
        )  # fmt: skip
        runner = make_runner(network=network)
        result = await runner.run(attempt(body))
    assert result.stdout.startswith("refused"), result


async def test_the_network_is_there_when_it_is_allowed(
    make_runner: MakeRunner,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        taker = threading.Thread(target=lambda: server.accept()[0].close())
        taker.start()
        body = (
            "socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
            ".sendto(b'x', ('127.0.0.1', 9))\n"
            "socket.create_server(('127.0.0.1', 0))"
        )
        runner = make_runner(network="allow")
        result = await runner.run(attempt(body, port))
        taker.join()
    assert result.stdout == "done\n", result


@pytest.mark.parametrize(
    "body",
    [
        "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    ],
)
async def test_a_raw_socket_is_refused_where_the_network_is_allowed(
    make_runner: MakeRunner, body: str
) -> None:
    result = await make_runner(network="allow").run(attempt(body))
    assert result.stdout == "refused 1\n", result


CALL = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
for call in sys.argv[1:]:
    number, *words = (int(word, 0) for word in call.split(','))
    result = libc.syscall(number, *(ctypes.c_long(w) for w in words))
    print(result, ctypes.get_errno())
"""


@pytest.mark.parametrize(
    ("table", "answer"),
    [
        (syscalls.REFUSED, "-1 1"),
        (syscalls.UNSUPPORTED, "-1 95"),
        (syscalls.ABSENT, "-1 38"),
    ],
    ids=["refused", "unsupported", "absent"],
)
async def test_every_call_on_the_list_is_refused(
    runner: CommandRunner, table: str, answer: str
) -> None:
    numbers = syscalls.numbers(table, MACHINE)
    calls = [f"{n},0,0,0,0,0,0" for n in numbers.values()]
    argv = ["python3", "-I", "-S", "-c", CALL, *calls]
    result = await runner.run(argv)
    answers = dict(zip(numbers, result.stdout.splitlines(), strict=True))
    assert {k: v for k, v in answers.items() if v != answer} == {}


@pytest.mark.parametrize(
    "must_hold",
    [
        "ptrace", "process_vm_readv", "process_vm_writev", "mount",
        "umount2", "pivot_root", "add_key", "request_key", "keyctl",
        "unshare", "setns", "io_uring_setup", "bpf", "userfaultfd",
        "perf_event_open", "kexec_load", "init_module", "finit_module",
        "open_by_handle_at", "chroot", "memfd_create", "shmget",
    ],
)  # fmt: skip
def test_the_list_names(must_hold: str) -> None:
    assert must_hold in syscalls.numbers(syscalls.REFUSED, MACHINE)


CLONE = {"x86_64": 56, "aarch64": 220}[MACHINE]


@pytest.mark.parametrize(
    "flag",
    [1 << 17, 1 << 25, 1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30],
    ids=["mount", "cgroup", "uts", "ipc", "user", "pid", "net"],
)
async def test_a_process_gets_no_namespace(
    runner: CommandRunner, flag: int
) -> None:
    call = f"{CLONE},{flag | 17},0,0,0,0"
    argv = ["python3", "-I", "-S", "-c", CALL, call]
    assert (await runner.run(argv)).stdout == "-1 1\n"


@pytest.mark.parametrize(
    "call",
    ["435,0,0", "452,0,0,0,0", "470,0", "1000,0", "-1,0"],
    ids=["clone3", "fchmodat2", "unknown", "far off", "negative"],
)
async def test_a_call_that_cannot_be_checked_is_absent(
    runner: CommandRunner, call: str
) -> None:
    argv = ["python3", "-I", "-S", "-c", CALL, call]
    assert (await runner.run(argv)).stdout == "-1 38\n"


@pytest.mark.skipif(MACHINE != "x86_64", reason="x32 is of x86-64")
async def test_x32_numbers_are_no_way_around(runner: CommandRunner) -> None:
    call = f"{0x40000000 | 101},0,0,0,0"
    argv = ["python3", "-I", "-S", "-c", CALL, call]
    assert (await runner.run(argv)).stdout == "-1 38\n"


@pytest.mark.skipif(MACHINE != "x86_64", reason="machine code of x86")
async def test_32_bit_calls_are_no_way_around(
    runner: CommandRunner,
) -> None:
    code = (
        "import ctypes, mmap\n"
        "page = mmap.mmap(-1, 4096, prot=7)\n"
        # mov eax, 20 (getpid); int 0x80; ret
        "page.write(bytes.fromhex('b814000000cd80c3'))\n"
        "address = ctypes.addressof(ctypes.c_char.from_buffer(page))\n"
        "print(ctypes.CFUNCTYPE(ctypes.c_int)(address)())"
    )
    argv = ["python3", "-I", "-S", "-c", code]
    result = await runner.run(argv)
    assert result.exit_code < 0
    assert result.stdout == ""


async def test_privileges_are_given_up(runner: CommandRunner) -> None:
    code = (
        "import ctypes\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "print('no new:', libc.prctl(39, 0, 0, 0, 0))\n"
        "print('bounding:', sum(libc.prctl(23, n, 0, 0, 0) == 1"
        " for n in range(41)))\n"
        "data = (ctypes.c_uint * 6)()\n"
        "libc.capget((ctypes.c_uint * 2)(0x20080522, 0), data)\n"
        "print('held:', [n for n in data])\n"
        "print('filter:', libc.prctl(21, 0, 0, 0, 0))"
    )
    result = await runner.run(["python3", "-I", "-S", "-c", code])
    lines = result.stdout.splitlines()
    assert lines[0] == "no new: 1"
    if os.geteuid() == 0:
        assert lines[1] == "bounding: 0"
    assert lines[2] == "held: [0, 0, 0, 0, 0, 0]"
    assert lines[3] == "filter: 2"


def test_numbers_are_of_both_machines() -> None:
    for table in (
        syscalls.REFUSED,
        syscalls.UNSUPPORTED,
        syscalls.ABSENT,
        syscalls.CHECKED,
    ):
        for machine in syscalls.ARCHITECTURES:
            numbers = syscalls.numbers(table, machine)
            assert len(set(numbers.values())) == len(numbers)
            assert max(numbers.values()) <= syscalls.LAST_KNOWN


def test_the_abi_is_asked_of_the_kernel() -> None:
    assert landlock.abi() >= 0
