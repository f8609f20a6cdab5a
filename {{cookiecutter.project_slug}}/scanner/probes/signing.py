"""Makes JSON Web Tokens, good and bad."""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BITS: Final = 2_048
EXPONENT: Final = 65_537


@dataclass(frozen=True, slots=True)
class Key:
    """An RSA key that lives as long as the probing (RFC 8017)."""

    private: rsa.RSAPrivateKey

    @classmethod
    def new(cls) -> "Key":
        """Make one."""
        return cls(rsa.generate_private_key(EXPONENT, BITS))

    @property
    def pem(self) -> str:
        """The public key as servers read and write it (RFC 7468)."""
        form = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return self.private.public_key().public_bytes(*form).decode()

    @property
    def jwk(self) -> dict[str, str]:
        """The public key as a token's header may bring it (RFC 7517)."""
        numbers = self.private.public_key().public_numbers()
        modulus, exponent = (
            _text(number.to_bytes((number.bit_length() + 7) // 8))
            for number in (numbers.n, numbers.e)
        )
        return {"kty": "RSA", "n": modulus, "e": exponent}

    def token(self, claims: Mapping[str, Any], **header: Any) -> str:
        """Sign claims with RS256, with more in the header than is needed."""
        signed = _unsigned("RS256", claims, header)
        way = (padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_text(self.private.sign(signed.encode(), *way))}"

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


def _unsigned(
    algorithm: str,
    claims: Mapping[str, Any],
    header: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    head = {"alg": algorithm, "typ": "JWT", **header}
    return ".".join(_text(json.dumps(x).encode()) for x in (head, claims))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
