"""Keys that tokens are signed with: one from a file, or an issuer's set."""

import asyncio
import json
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import httpx2
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from ..errors import SettingsError
from ..serving.application import Observer
from .verifier import CannotVerify, InvalidToken

Fetch: TypeAlias = Callable[[], Awaitable[bytes]]

#: RFC 8725, section 3.1: a key is for its own algorithms only. There is no
#: symmetric one among them: a public key is nobody's secret.
RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
CURVES: Final = {
    "secp256r1": frozenset({"ES256"}),
    "secp384r1": frozenset({"ES384"}),
    "secp521r1": frozenset({"ES512"}),
}
EDWARDS: Final = frozenset({"EdDSA"})
RSA_BITS: Final = 2_048

#: Bytes in a set of keys, and keys in it.
LARGEST_SET: Final = 256 * 1024
MOST_KEYS: Final = 100
#: Seconds: for the issuer to answer; between two requests to it; that its
#: answer is taken for true; that it is used while the issuer is away.
PATIENCE: Final = 3.0
COOLDOWN: Final = 10.0
FRESH: Final = 600.0
STALE: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key, and the algorithms that it is for."""

    key: Any
    algorithms: frozenset[str]
    id: str | None = None


class OneKey:
    """The one key that was configured."""

    epoch = 0

    def __init__(self, key: VerificationKey) -> None:
        self._key = key

    async def find(self, key_id: str | None, algorithm: str) -> Any:
        """Return the key if it is for this algorithm, whatever its id."""
        if algorithm not in self._key.algorithms:
            raise InvalidToken("algorithm")
        return self._key.key


class KeySet:
    """An issuer's keys, fetched when they are needed.

    A key that is not there makes the set be fetched again, so that the
    issuer's change of keys is followed at once; not more often than every
    ten seconds, whatever tokens name. While the issuer cannot be reached,
    the last set is used for an hour; without one there is no telling a good
    token from a bad one, and the answer is 503, not 401, which would make
    clients throw good tokens away.

    Args:
        fetch: Returns the set as JSON.
        on_event: Told when the set cannot be fetched.
        clock: A monotonic clock, in seconds.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        on_event: Observer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._on_event = on_event
        self._clock = clock
        self._keys: tuple[VerificationKey, ...] = ()
        self._fetched: float | None = None
        self._tried: float | None = None
        self._turn = asyncio.Lock()
        self._aside: asyncio.Task[None] | None = None
        self.epoch = 0

    async def find(self, key_id: str | None, algorithm: str) -> Any:
        """Return the key of this id that is for this algorithm.

        Raises:
            InvalidToken: The issuer has none.
            CannotVerify: The issuer cannot be asked.
        """
        if not self._is_younger(STALE) or not self._matching(key_id):
            await self._refresh()
        elif not self._is_younger(FRESH):
            self._refresh_aside()
        if not self._is_younger(STALE):
            raise CannotVerify
        matching = self._matching(key_id)
        if not matching:
            raise InvalidToken("unknown_key")
        fitting = [k for k in matching if algorithm in k.algorithms]
        if len(fitting) != 1:
            raise InvalidToken("algorithm")
        return fitting[0].key

    def _matching(self, key_id: str | None) -> list[VerificationKey]:
        return [k for k in self._keys if key_id is None or k.id == key_id]

    def _is_younger(self, seconds: float) -> bool:
        return self._since(self._fetched) < seconds

    def _since(self, moment: float | None) -> float:
        return math.inf if moment is None else self._clock() - moment

    def _refresh_aside(self) -> None:
        """Fetch the set while the old one goes on being used."""
        if self._aside is None or self._aside.done():
            self._aside = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        """Fetch the set once for all who wait for it."""
        before = self._tried
        try:
            async with asyncio.timeout(PATIENCE), self._turn:
                if self._tried != before:
                    return
                if self._since(self._tried) < COOLDOWN:
                    return
                self._tried = self._clock()
                self._keys = tuple(_usable_keys(await self._fetch()))
        except (TimeoutError, OSError, ValueError, httpx2.HTTPError) as error:
            reason = type(error).__name__
            self._on_event("keys_fetch_failed", {"reason": reason})
        else:
            self._fetched = self._tried
            self.epoch += 1


def fetch_from(uri: str) -> Fetch:
    """Return what fetches a set of keys, and no more than one may hold."""

    async def fetch() -> bytes:
        content = bytearray()
        async with (
            httpx2.AsyncClient(timeout=PATIENCE) as client,
            client.stream("GET", uri) as response,
        ):
            response.raise_for_status()
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > LARGEST_SET:
                    raise ValueError("the set of keys is too large")
        return bytes(content)

    return fetch


def configured_key(text: str) -> VerificationKey:
    """Return the public key in a PEM text, or in the file that is named.

    Raises:
        SettingsError: There is none, or none that is strong enough.
    """
    try:
        pem = text.replace("\\n", "\n")
        if "-----BEGIN" not in pem:
            pem = Path(text).read_text("ascii")
        key = load_pem_public_key(pem.encode())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise SettingsError(
            "MCP_AUTH_PUBLIC_KEY: there is no public key in it; give a PEM"
            " public key, or the name of a file that holds one"
        ) from error
    algorithms = _algorithms(key)
    if not algorithms:
        raise SettingsError(
            "MCP_AUTH_PUBLIC_KEY: the key cannot be used; give one of RSA"
            f" with {RSA_BITS} bits or more, P-256, P-384, P-521 or Ed25519"
        )
    return VerificationKey(key, algorithms)


def _usable_keys(content: bytes) -> Iterator[VerificationKey]:
    """Return the keys that can be used; others are none of our business.

    RFC 7517, section 5: a key that is not understood is ignored.

    Raises:
        ValueError: It is no set of keys.
    """
    try:
        keys = json.loads(content)["keys"]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("this is no set of keys") from error
    if not isinstance(keys, list):
        raise ValueError("this is no set of keys")
    for entry in keys[:MOST_KEYS]:
        key = _from_jwk(entry) if isinstance(entry, dict) else None
        if key:
            yield key


def _from_jwk(entry: dict[str, Any]) -> VerificationKey | None:
    if entry.get("use", "sig") != "sig":
        return None
    uses = entry.get("key_ops", ["verify"])
    if not isinstance(uses, list) or "verify" not in uses:
        return None
    plain = {k: v for k, v in entry.items() if k != "alg"}
    try:
        key = PyJWK(plain).key
    except (PyJWTError, UnsupportedAlgorithm, TypeError, ValueError):
        return None
    algorithms = frozenset(
        name for name in _algorithms(key) if entry.get("alg", name) == name
    )
    if not algorithms:
        return None
    return VerificationKey(key, algorithms, entry.get("kid"))


def _algorithms(key: object) -> frozenset[str]:
    """Return what a key is for; a weak or a private one is for nothing."""
    if isinstance(key, RSAPublicKey):
        return RSA if key.key_size >= RSA_BITS else frozenset()
    if isinstance(key, EllipticCurvePublicKey):
        return CURVES.get(key.curve.name, frozenset())
    if isinstance(key, Ed25519PublicKey | Ed448PublicKey):
        return EDWARDS
    return frozenset()
