"""What the tests of the workspace share."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from {{ cookiecutter.__package_name }}.errors import SettingsError
from {{ cookiecutter.__package_name }}.workspace import Workspace


@pytest.fixture(params=["openat2", "walk"])
def files(
    request: pytest.FixtureRequest, workspace: Path
) -> Iterator[Workspace]:
    """An open workspace, by each way to follow a path."""
    try:
        opened = Workspace.open(
            workspace, max_file_size=1_000_000, resolver=request.param
        )
    except SettingsError as error:
        pytest.skip(str(error))
    with opened:
        yield opened


@pytest.fixture
def nobody() -> Callable[[], AbstractContextManager[None]]:
    """Become a user who owns nothing, if this one may write everywhere."""

    @contextmanager
    def become() -> Iterator[None]:
        if os.geteuid():
            yield
            return
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return become
