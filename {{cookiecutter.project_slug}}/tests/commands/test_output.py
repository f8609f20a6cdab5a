"""What a command wrote is kept up to a size, and nobody is waited for."""

import os
from collections.abc import Iterator

import pytest

from {{ cookiecutter.__package_name }}.commands.sandbox.output import Output


@pytest.fixture
def output() -> Iterator[Output]:
    made = Output(10)
    yield made
    os.close(made.reader)
    os.close(made.writer)


def test_what_is_left_is_taken_though_somebody_holds_the_pipe(
    output: Output,
) -> None:
    os.write(output.writer, b"0123")
    output.drain()
    assert (output.data, output.cut) == (b"0123", False)


def test_what_does_not_fit_is_thrown_away_and_said_to_be(
    output: Output,
) -> None:
    os.write(output.writer, b"0123456789ab")
    assert output.read()
    assert (output.data, output.cut) == (b"0123456789", True)
    assert output.read()  # nothing now, and more may come
