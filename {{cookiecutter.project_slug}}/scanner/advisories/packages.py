"""One package of a lock, whatever the lock is written in."""

import datetime as dt
from dataclasses import dataclass
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name


class Malformed(Exception):
    """The lock cannot be read: nothing in it was audited."""


@dataclass(frozen=True, slots=True)
class Package:
    """One version of one package in the lock.

    Attributes:
        source: ``registry``, or ``git``, ``url``, ``path`` …
        where: The registry's or the package's address.
        hashed: Every file of it has a hash.
        wheel: It can be looked at without executing code of it.
        uploaded: When its newest file was published, where the lock tells.
        files: The addresses of its files.
        needs: The packages that it asks for.
    """

    name: str
    version: str
    source: str = "registry"
    where: str = ""
    hashed: bool = True
    wheel: bool = True
    uploaded: dt.datetime | None = None
    line: int | None = None
    files: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()

    @property
    def key(self) -> tuple[str, str]:
        """The name as indexes compare it, and the version."""
        return canonicalize_name(self.name), self.version

    @property
    def host(self) -> str:
        """The host that it comes from; empty for none."""
        return host_of(self.where)


def host_of(address: str) -> str:
    """Return the host and port of an address, without what logs in there."""
    return urlsplit(address).netloc.rpartition("@")[2].lower()
