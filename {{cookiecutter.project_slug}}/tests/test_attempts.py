import pytest

from {{ cookiecutter.__package_name }} import attempts
from {{ cookiecutter.__package_name }}.attempts import TOLD, Attempts, Throttled


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def made(clock: Clock) -> Attempts:
    return Attempts(limit=3, window=60, clock=clock)


def test_address_waits_once_it_has_failed_too_often(
    made: Attempts, clock: Clock
) -> None:
    assert [made.fail("a") for _ in range(3)] == [False, False, True]
    assert made.wait("a") == 60
    clock.now += 59.5
    assert made.wait("a") == 1
    clock.now += 0.5
    assert made.wait("a") == 0


def test_addresses_do_not_wait_for_each_other(made: Attempts) -> None:
    for _ in range(3):
        made.fail("a")
    assert made.wait("b") == 0


def test_old_failures_are_forgotten(made: Attempts, clock: Clock) -> None:
    made.fail("a")
    made.fail("a")
    clock.now += 60
    made.fail("a")
    assert made.wait("a") == 0


def test_no_more_addresses_are_remembered_than_there_is_room_for(
    made: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "REMEMBERED", 100)
    for number in range(1000):
        made.fail(str(number))
    assert len(made._failed) == 100


def test_the_same_is_not_told_without_end() -> None:
    told: list[tuple[str, object]] = []
    tell = Throttled(lambda event, fields: told.append((event, fields)))
    for _ in range(100):
        tell("origin_denied", {"reason": "host", "peer": "192.0.2.1"})
    tell("origin_denied", {"reason": "origin", "peer": "192.0.2.1"})
    tell("origin_denied", {"reason": "host", "peer": "192.0.2.2"})
    assert len(told) == TOLD + 2


def test_holders_behind_one_address_are_told_of_each() -> None:
    told: list[object] = []
    tell = Throttled(lambda event, fields: told.append(fields["client_id"]))
    names = [f"client-{number}" for number in range(2 * TOLD)]
    for name in names:
        tell("auth_succeeded", {"client_id": name, "peer": "192.0.2.1"})
    assert told == names
