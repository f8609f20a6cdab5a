"""A small project with a lock, for the tests of the dependencies."""

import datetime as dt

from scanner.model import CheckResult

from . import advisory_service as osv

PYPROJECT = """\
[project]
name = "small-server"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [
  "demo>=1,<2",
]

[project.scripts]
small-server = "small_server.__main__:main"
"""
REQUIRES = '{ name = "demo", specifier = ">=1,<2" }'
LOCK = osv.lock(osv.package("demo"), osv.package("h11"), requires=REQUIRES)
NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
NOBODY = "http://127.0.0.1:1"


def ids(result: CheckResult) -> list[str]:
    """Return the rules that found something, in their order."""
    return [finding.id for finding in result.findings]
