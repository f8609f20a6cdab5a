"""The checks, one module each, in the order in which they are reported."""

import contextlib
import importlib
from collections.abc import Sequence
from typing import Protocol, cast

from ..model import CheckResult, Options
from ..project import Project

CHECKS = (
    "code",
    "dependencies",
    "secrets",
    "permissions",
    "container",
    "workflows",
    "configuration",
    "surface",
    "probes",
)


class Check(Protocol):
    """What each module offers under the name ``check``."""

    def __call__(
        self, project: Project, options: Options
    ) -> CheckResult | Sequence[CheckResult]:
        """Look at the project; never change it."""


def load(name: str) -> Check:
    """Import one check, and with it its rules.

    Raises:
        ImportError: Its module, or a library that it needs, is missing.
    """
    module = importlib.import_module(f"{__name__}.{name}")
    return cast("Check", module.check)


def load_rules() -> None:
    """Import every check, so that ``rules.RULES`` is whole."""
    for name in CHECKS:
        with contextlib.suppress(ModuleNotFoundError):  # the run says so
            load(name)
