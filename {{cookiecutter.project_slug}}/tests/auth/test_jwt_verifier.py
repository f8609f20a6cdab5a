import time

import pytest

from {{ cookiecutter.__package_name }}.auth.jwt_verifier import LEEWAY, JwtVerifier
from {{ cookiecutter.__package_name }}.auth.keys import OneKey, configured_key
from {{ cookiecutter.__package_name }}.auth.verifier import InvalidToken
from tests.auth import issuer
from tests.auth.issuer import AUDIENCE, ISSUER, by_hand, token


@pytest.fixture
def verifier() -> JwtVerifier:
    return of(issuer.rsa_key())


def of(key: object) -> JwtVerifier:
    return JwtVerifier(
        OneKey(configured_key(issuer.pem(key))),
        issuer=ISSUER,
        audience=AUDIENCE,
    )


async def test_good_token_tells_whose_it_is(verifier: JwtVerifier) -> None:
    holder = await verifier.verify(token())
    assert holder.client_id == "app"
    assert holder.subject == "alice"
    assert holder.scopes == ("files:read", "files:write")
    assert holder.claims["iss"] == ISSUER


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [AUDIENCE, "https://other.example.com"]},
        {"nbf": -5},
        {"exp": -LEEWAY + 5},
        {"iat": LEEWAY - 5},
        {"scope": None},
        {"client_id": None},
        {"client_id": None, "azp": "app"},
        {"sub": None},
    ],
    ids=[
        "several audiences",
        "valid already",
        "just expired",
        "clock ahead",
        "no scope",
        "no client",
        "other name of the client",
        "no subject",
    ],
)
async def test_token_that_is_good_enough_is_accepted(
    verifier: JwtVerifier, changes: dict[str, object]
) -> None:
    # Times are counted from when the test runs, not from when it was read.
    given = {
        name: _now(value) if isinstance(value, int) else value
        for name, value in changes.items()
    }
    assert await verifier.verify(token(**given))


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ({"scope": "a b"}, ("a", "b")),
        ({"scope": None, "scp": "a b"}, ("a", "b")),
        ({"scope": None, "scp": ["a", "b"]}, ("a", "b")),
        ({"scope": 7}, ()),
    ],
)
async def test_scopes_are_read_as_issuers_write_them(
    verifier: JwtVerifier, scopes: dict[str, object], expected: object
) -> None:
    assert (await verifier.verify(token(**scopes))).scopes == expected


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (issuer.rsa_key, "RS256"),
        (issuer.rsa_key, "RS512"),
        (issuer.rsa_key, "PS256"),
        (issuer.ec_key, "ES256"),
        (issuer.ed_key, "EdDSA"),
    ],
)
async def test_algorithms_of_the_key_are_accepted(
    key: object, algorithm: str
) -> None:
    made = key()  # type: ignore[operator] # a function that makes one
    assert await of(made).verify(token(made, algorithm))


def _now(seconds: int) -> int:
    return int(time.time()) + seconds


BAD = {
    "audience": lambda: token(aud="https://other.example.com"),
    "no audience": lambda: token(aud=None),
    "audience of the client": lambda: token(aud="app"),
    "issuer": lambda: token(iss="https://evil.example"),
    "issuer with a slash": lambda: token(iss=f"{ISSUER}/"),
    "no issuer": lambda: token(iss=None),
    "key": lambda: token(issuer.rsa_key("theirs")),
    "algorithm": lambda: token(issuer.ec_key(), "ES256"),
    "none": lambda: by_hand({"alg": "none"}),
    "None": lambda: by_hand({"alg": "None", "kid": "1"}),
    "HS256 with the public key": lambda: by_hand(
        {"alg": "HS256"}, secret=issuer.pem(issuer.rsa_key()).encode()
    ),
    "expired": lambda: token(exp=_now(-LEEWAY - 5)),
    "not yet valid": lambda: token(nbf=_now(LEEWAY + 5)),
    "issued in the future": lambda: token(iat=_now(LEEWAY + 5)),
    "no expiry": lambda: token(exp=None),
    "expiry never": lambda: by_hand(
        {"alg": "none"}, payload=b'{"exp": 1e999}'
    ),
    "critical header": lambda: token(
        headers={"crit": ["exp"], "exp": _now(300)}
    ),
    "empty critical header": lambda: token(headers={"crit": []}),
    "own key": lambda: token(
        issuer.rsa_key("theirs"),
        headers={"jwk": issuer.jwk(issuer.rsa_key("theirs"))},
    ),
    "key elsewhere": lambda: token(
        issuer.rsa_key("theirs"), headers={"jku": "https://evil.example/jwks"}
    ),
    "nobody": lambda: token(sub=None, client_id=None),
    "subject no text": lambda: token(sub=7, client_id=None),
    "empty": lambda: "",
    "one part": lambda: "nonsense",
    "four parts": lambda: token() + ".AAAA",
    "no base64": lambda: "!!!.!!!.!!!",
    "no JSON": lambda: "AAAA.AAAA.AAAA",
    "not ASCII": lambda: token().replace("e", "é", 1),
    "deep header": lambda: "W" * 4000 + "." + "W" * 4000 + ".",
    "cut": lambda: token()[:-20],
    "signature changed": lambda: token()[:-6] + "AAAAAA",
    "no signature": lambda: token().rpartition(".")[0] + ".",
    "claims no object": lambda: by_hand({"alg": "RS256"}, payload=b"[]"),
    "header no object": lambda: "W10.W10.W10",
    "algorithm no text": lambda: by_hand({"alg": ["RS256"]}),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_token_is_refused(verifier: JwtVerifier, name: str) -> None:
    with pytest.raises(InvalidToken):
        await verifier.verify(BAD[name]())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("audience", "audience"),
        ("issuer", "issuer"),
        ("key", "signature"),
        ("algorithm", "algorithm"),
        ("none", "algorithm"),
        ("HS256 with the public key", "algorithm"),
        ("expired", "expired"),
        ("not yet valid", "not_yet_valid"),
        ("no expiry", "claim_missing"),
        ("critical header", "critical_header"),
        ("nobody", "nobody"),
        ("one part", "malformed"),
    ],
)
async def test_kind_of_fault_is_told_and_nothing_else(
    verifier: JwtVerifier, name: str, kind: str
) -> None:
    with pytest.raises(InvalidToken) as refused:
        await verifier.verify(BAD[name]())
    assert refused.value.kind == str(refused.value) == kind
