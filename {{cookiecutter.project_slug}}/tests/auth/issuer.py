"""An issuer of tokens for the tests, with keys of its own."""

import base64
import hashlib
import hmac
import json
import time
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://id.example.com"
AUDIENCE = "https://mcp.example.com/mcp"


@cache
def rsa_key(name: str = "ours", bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def ed_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def pem(key: Any) -> str:
    public = key.public_key()
    return str(
        public.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        ).decode()
    )


def jwk(key: Any, **members: Any) -> dict[str, Any]:
    """Return a public key as it stands in a set."""
    public = key.public_key()
    if isinstance(key, rsa.RSAPrivateKey):
        made = RSAAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        made = ECAlgorithm.to_jwk(public, as_dict=True)
    else:
        made = OKPAlgorithm.to_jwk(public, as_dict=True)
    return {**made, **members}


def claims(**changes: Any) -> dict[str, Any]:
    """Return good claims but for the changes; ``None`` leaves one out."""
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": now + 300,
        "iat": now,
        "sub": "alice",
        "client_id": "app",
        "scope": "files:read files:write",
        **changes,
    }
    return {name: value for name, value in good.items() if value is not None}


def token(
    key: Any = None,
    algorithm: str = "RS256",
    headers: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    """Return a signed token; a good one where nothing else is said."""
    return jwt.encode(
        claims(**changes),
        key or rsa_key(),
        algorithm=algorithm,
        headers={"kid": "1", **(headers or {})},
    )


def by_hand(
    header: dict[str, Any], payload: bytes | None = None, secret: bytes = b""
) -> str:
    """Return a token that no library would make, with an HMAC or nothing."""
    body = payload or json.dumps(claims()).encode()
    signed = f"{_base64(json.dumps(header).encode())}.{_base64(body)}"
    digest = hmac.digest(secret, signed.encode(), hashlib.sha256)
    return f"{signed}.{_base64(digest) if secret else ''}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
