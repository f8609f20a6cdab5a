"""What the tests of the workspace share."""

from collections.abc import Iterator
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
