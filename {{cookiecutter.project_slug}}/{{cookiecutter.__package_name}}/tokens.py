"""Bearer tokens: how they are made, and the file that knows their hashes."""

import argparse
import os
import re
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from . import environment
from .private_file import read_private, why
from .settings_error import SettingsError

VARIABLE: Final = "MCP_AUTH_TOKENS_FILE"
#: Lets a scanner for secrets know one of ours when it sees it.
PREFIX: Final = "mcp_"
#: Bytes of randomness in a token.
ENTROPY: Final = 32

CLIENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
#: RFC 6749, section 3.3, without the comma that separates scopes here.
SCOPE: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,64}")
DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """One line of the file: ``client:sha256-of-token:scope,scope``."""

    client: str
    digest: bytes
    scopes: tuple[str, ...]

    @classmethod
    def parse(cls, line: str) -> "TokenEntry":
        """Read a line.

        Raises:
            ValueError: It is no such line. The message repeats none of it.
        """
        client, digest, scopes = (*line.split(":", 2), "", "")[:3]
        names = tuple(s.strip() for s in scopes.split(",") if s.strip())
        if not CLIENT.fullmatch(client):
            raise ValueError("the client's name")
        if not DIGEST.fullmatch(digest):
            raise ValueError("the SHA-256")
        if not all(SCOPE.fullmatch(name) for name in names):
            raise ValueError("the scopes")
        return cls(client, bytes.fromhex(digest), names)

    def __str__(self) -> str:
        return f"{self.client}:{self.digest.hex()}:{','.join(self.scopes)}"


def add_parser(subparsers: Any, *parents: argparse.ArgumentParser) -> None:
    """Add ``token create`` to the command line."""
    token = subparsers.add_parser("token", help="create bearer tokens")
    actions = token.add_subparsers(title="actions", required=True)
    create = actions.add_parser(
        "create",
        parents=parents,
        help="create a token, print it once, and store its hash",
    )
    create.add_argument("client", help="who will use it, for example: laptop")
    create.add_argument(
        "--scope",
        action="append",
        default=[],
        metavar="SCOPE",
        help="what it allows, for example: files:read; may be repeated",
    )
    create.add_argument(
        "--file",
        help=f"the file of the hashes; default: the one {VARIABLE} names",
    )
    create.add_argument(
        "--add",
        action="store_true",
        help="keep the client's other tokens: replace one without a gap",
    )
    create.set_defaults(run=main)


def main(options: argparse.Namespace) -> int:
    """Make a token, and print it: it cannot be shown again.

    Raises:
        SettingsError: Nothing was made, and why.
    """
    _, given = environment.read(os.environ, options.env_file)
    file = options.file or given.get(VARIABLE)
    if not file:
        raise SettingsError(
            f"--file: name the tokens' file, or set {VARIABLE}"
        )
    scopes = [s for given in options.scope for s in given.split(",")]
    token = create(Path(file), options.client, scopes, add=options.add)
    sys.stdout.write(f"{token}\n")
    sys.stderr.write(
        f"Give this token to {options.client}; it is not shown again.\n"
    )
    return 0


def create(
    file: Path, client: str, scopes: list[str], *, add: bool = False
) -> str:
    """Add a token's hash to the file, which only its owner can read.

    A running server takes it up within a second.

    Args:
        file: The tokens' file; it is made where there is none.
        client: Whose token it is.
        scopes: What it allows.
        add: Whether the client may have a token already.

    Returns:
        The token: 256 bits from the system's source of randomness.

    Raises:
        SettingsError: Nothing was made, and why.
    """
    token = PREFIX + secrets.token_urlsafe(ENTROPY)
    digest = sha256(token.encode()).hexdigest()
    try:
        entry = TokenEntry.parse(f"{client}:{digest}:{','.join(scopes)}")
    except ValueError as error:
        raise SettingsError(
            f"{error} cannot be used; for example:"
            " token create laptop --scope files:read"
        ) from error
    try:
        there = read_tokens(file) if file.exists() else ()
        if not add and any(client == other.client for other in there):
            raise SettingsError(
                f"{client} has a token already; remove its line from {file},"
                " or give --add"
            )
        _append(file, str(entry))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file}: {why(error)}") from error
    return token


def read_tokens(path: Path) -> tuple[TokenEntry, ...]:
    """Read a tokens' file that nobody but its owner can read.

    Raises:
        OSError: It cannot be read.
        ValueError: Others can read it, or it is no such file.
    """
    return tuple(_entries(read_private(path)))


def _entries(text: str) -> Iterator[TokenEntry]:
    seen: set[bytes] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            entry = TokenEntry.parse(line)
        except ValueError as error:
            raise ValueError(
                f"line {number}: {error} cannot be read; write"
                " client:sha256-of-token:scope,scope"
            ) from None
        if entry.digest in seen:
            raise ValueError(f"line {number}: the token is there twice")
        seen.add(entry.digest)
        yield entry


def _append(file: Path, line: str) -> None:
    """Add a line in one write, so that two of us do not mix theirs."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    with os.fdopen(os.open(file, flags, 0o600), "r+b", buffering=0) as opened:
        before = b""
        if opened.seek(0, os.SEEK_END):
            opened.seek(-1, os.SEEK_END)
            before = b"" if opened.read(1) == b"\n" else b"\n"
        opened.write(before + line.encode() + b"\n")
