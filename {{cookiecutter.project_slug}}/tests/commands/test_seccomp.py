"""The filter itself, run here for both machines: ``sandbox/seccomp.py``."""

import errno
import socket
import struct

import pytest

from {{ cookiecutter.__package_name }}.commands.sandbox import (
    landlock,
    seccomp,
    syscalls,
)

ALLOW, NOTIFY, KILL = 0x7FFF0000, 0x7FC00000, 0x80000000
REFUSED, ABSENT = 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
TABLES = (
    syscalls.REFUSED,
    syscalls.UNSUPPORTED,
    syscalls.ABSENT,
    syscalls.CHECKED,
)
MACHINES = pytest.mark.parametrize("machine", syscalls.ARCHITECTURES)


def decide(program: bytes, machine: str, number: int, *arguments: int) -> int:
    """Run a filter as the kernel does, on one call."""
    words = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    architecture = syscalls.ARCHITECTURES[machine]
    data = struct.pack("=IIQ6Q", number & 0xFFFFFFFF, architecture, 0, *words)
    code = list(struct.iter_unpack("=HBBI", program))
    place, value = 0, 0
    while True:
        operation, then, otherwise, constant = code[place]
        place += 1
        match operation:
            case 0x20:
                (value,) = struct.unpack_from("=I", data, constant)
            case 0x54:
                value &= constant
            case 0x06:
                return int(constant)
            case 0x15:
                place += then if value == constant else otherwise
            case 0x25:
                place += then if value > constant else otherwise
            case 0x45:
                place += then if value & constant else otherwise
            case _:
                pytest.fail(f"unknown operation {operation:#x}")


def build(
    machine: str, *, abi: int = 7, network: bool = False, notify: bool = True
) -> bytes:
    return seccomp.build(machine, abi=abi, network=network, notify=notify)


def numbers(machine: str) -> dict[str, int]:
    return syscalls.numbers(syscalls.CHECKED, machine)


@MACHINES
def test_calls_of_another_machine_end_the_process(machine: str) -> None:
    program = build(machine)
    (other,) = set(syscalls.ARCHITECTURES) - {machine}
    assert decide(program, other, 0) == KILL


@MACHINES
def test_every_call_on_the_list_is_refused(machine: str) -> None:
    program = build(machine)
    for name, number in syscalls.numbers(syscalls.REFUSED, machine).items():
        assert decide(program, machine, number) == REFUSED, name


@MACHINES
@pytest.mark.parametrize(
    "number", [syscalls.LAST_KNOWN + 1, 1000, 0x40000000 | 101, -1]
)
def test_calls_that_nobody_looked_at_are_absent(
    machine: str, number: int
) -> None:
    assert decide(build(machine), machine, number) == ABSENT


@MACHINES
def test_calls_with_hidden_arguments_are_absent(machine: str) -> None:
    for number in syscalls.numbers(syscalls.ABSENT, machine).values():
        assert decide(build(machine), machine, number) == ABSENT


@MACHINES
def test_the_rest_is_allowed(machine: str) -> None:
    program = build(machine)
    named = {
        number
        for table in TABLES
        for number in syscalls.numbers(table, machine).values()
    }
    for number in set(range(syscalls.LAST_KNOWN + 1)) - named:
        assert decide(program, machine, number) == ALLOW


@MACHINES
def test_a_fork_is_let_through_and_a_namespace_refused(machine: str) -> None:
    program, clone = build(machine), numbers(machine)["clone"]
    assert decide(program, machine, clone, 17) == ALLOW
    assert decide(program, machine, clone, 0x10000000 | 17) == REFUSED


@MACHINES
@pytest.mark.parametrize(
    ("network", "abi", "family", "kind", "allowed"),
    [
        (False, 7, socket.AF_UNIX, socket.SOCK_STREAM, True),
        (False, 7, socket.AF_UNIX, socket.SOCK_DGRAM, False),
        (False, 7, socket.AF_INET, socket.SOCK_STREAM, False),
        (False, 7, socket.AF_INET6, socket.SOCK_DGRAM, False),
        (False, 7, socket.AF_UNIX, socket.SOCK_STREAM | 0o2004000, True),
        (False, 7, socket.AF_INET, socket.SOCK_DGRAM | 0o2004000, False),
        (True, 7, socket.AF_INET, socket.SOCK_STREAM, True),
        (True, 7, socket.AF_INET6, socket.SOCK_DGRAM, True),
        (True, 7, socket.AF_INET, socket.SOCK_RAW, False),
        (True, 7, socket.AF_INET, socket.SOCK_RAW | 0o2000000, False),
        (True, 7, socket.AF_UNIX, socket.SOCK_STREAM, False),
        (True, 9, socket.AF_UNIX, socket.SOCK_STREAM, True),
        (True, 9, 16, socket.SOCK_RAW, False),
        (True, 9, 17, socket.SOCK_RAW, False),
        (True, 9, 40, socket.SOCK_STREAM, False),
    ],
)
def test_which_sockets_there_are(
    machine: str, *, network: bool, abi: int, family: int, kind: int,
    allowed: bool,
) -> None:  # fmt: skip
    program = build(machine, network=network, abi=abi)
    decision = decide(
        program, machine, numbers(machine)["socket"], family, kind
    )
    assert decision == (ALLOW if allowed else REFUSED)


@MACHINES
@pytest.mark.parametrize(
    ("network", "abi", "allowed"),
    [(False, 7, False), (False, 9, True), (True, 7, True), (True, 9, True)],
)
def test_connecting_waits_for_landlock_to_confine_paths(
    machine: str, *, network: bool, abi: int, allowed: bool
) -> None:
    program = build(machine, network=network, abi=abi)
    decision = decide(program, machine, numbers(machine)["connect"], 3)
    assert decision == (ALLOW if allowed else REFUSED)


@MACHINES
@pytest.mark.parametrize("call", seccomp.SIGNALLING)
def test_signals_are_looked_at_until_landlock_keeps_them(
    machine: str, call: str
) -> None:
    number = numbers(machine)[call]
    old = build(machine, abi=landlock.SCOPED_ABI - 1)
    assert decide(old, machine, number, 1, 9) == NOTIFY
    new = build(machine, abi=landlock.SCOPED_ABI)
    assert decide(new, machine, number, 1, 9) == ALLOW


@MACHINES
def test_limits_of_others_are_not_changed(machine: str) -> None:
    program, prlimit = build(machine), numbers(machine)["prlimit64"]
    assert decide(program, machine, prlimit, 0, 7) == ALLOW
    assert decide(program, machine, prlimit, 1, 7) == REFUSED
    # Of all the user's, by the number zero.
    priority = numbers(machine)["setpriority"]
    assert decide(program, machine, priority, 0, 0, 19) == ALLOW
    assert decide(program, machine, priority, 2, 0, 19) == REFUSED


@MACHINES
def test_without_a_keeper_nothing_waits_for_one(machine: str) -> None:
    program = build(machine, notify=False, abi=5)
    decisions = {
        name: decide(program, machine, number)
        for name, number in numbers(machine).items()
    }
    assert NOTIFY not in decisions.values()
    assert decisions["fchmodat"] == REFUSED
    assert decisions["clone"] == ALLOW
