"""Makes JSON Web Tokens, good and bad, with nothing but Python."""

import base64
import hashlib
import hmac
import json
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

BITS: Final = 2_048
EXPONENT: Final = 65_537
_SHA256: Final = bytes.fromhex("3031300d060960864801650304020105000420")
_RSA: Final = bytes.fromhex("300d06092a864886f70d0101010500")
_SMALL: Final = math.prod(range(3, 1_000, 2))


@dataclass(frozen=True, slots=True)
class Key:
    """An RSA key that lives as long as the probing (RFC 8017)."""

    modulus: int
    secret: int

    @classmethod
    def new(cls) -> "Key":
        """Make one; it takes part of a second."""
        p, q = _prime(BITS // 2), _prime(BITS // 2)
        return cls(p * q, pow(EXPONENT, -1, (p - 1) * (q - 1)))

    @property
    def pem(self) -> str:
        """The public key as servers read and write it (RFC 7468)."""
        numbers = _der(2, _bytes(self.modulus)) + _der(2, _bytes(EXPONENT))
        info = _RSA + _der(3, b"\0" + _der(0x30, numbers))
        text = base64.b64encode(_der(0x30, info)).decode()
        lines = [text[i : i + 64] for i in range(0, len(text), 64)]
        ends = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----")
        return "\n".join((ends[0], *lines, ends[1], ""))

    def token(self, claims: Mapping[str, Any]) -> str:
        """Sign claims with RS256."""
        signed = _unsigned("RS256", claims)
        block = _SHA256 + hashlib.sha256(signed.encode()).digest()
        filled = b"\0\1" + b"\xff" * (BITS // 8 - 3 - len(block)) + b"\0"
        number = int.from_bytes(filled + block)
        signature = pow(number, self.secret, self.modulus)
        return f"{signed}.{_text(signature.to_bytes(BITS // 8))}"

    def confused(self, claims: Mapping[str, Any], end: str = "\n") -> str:
        """Sign claims with HS256, the public key for a secret (RFC 8725).

        Args:
            claims: What it says.
            end: What follows the key, which servers keep or strip.
        """
        signed = _unsigned("HS256", claims)
        secret = self.pem.strip() + end
        mac = hmac.digest(secret.encode(), signed.encode(), "sha256")
        return f"{signed}.{_text(mac)}"


def unsigned(claims: Mapping[str, Any]) -> str:
    """Write claims under ``alg: none``."""
    return _unsigned("none", claims) + "."


def _unsigned(algorithm: str, claims: Mapping[str, Any]) -> str:
    head = {"alg": algorithm, "typ": "JWT"}
    return ".".join(_text(json.dumps(x).encode()) for x in (head, claims))


def _prime(bits: int) -> int:
    """Return a number that Fermat's test, and so chance, calls a prime."""
    while True:
        number = secrets.randbits(bits) | 3 << (bits - 2) | 1
        if math.gcd(number, _SMALL) > 1 or number % EXPONENT == 1:
            continue
        if pow(2, number - 1, number) == 1:
            return number


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 128 | len(length)]) + length + content


def _bytes(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
