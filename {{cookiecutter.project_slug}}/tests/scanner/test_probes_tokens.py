"""Faults in the proof of identity, and proofs without one."""

import ast
import sys
from concurrent.futures import Future

import jwt
import pytest

from scanner.probes.access import alike, with_tokens
from scanner.probes.lab import lab
from scanner.probes.signing import Key, unsigned
from scanner.probes.target import ANSWERS, harmless
from scanner.project import Project
from scanner.surface.components import Component, Declared
from tests.scanner.broken import (
    HEALTH,
    Edit,
    broken,
)

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="probing needs links and signals"
)

FUNCTION = ast.parse("def list_files(): ...").body[0]
assert isinstance(FUNCTION, ast.FunctionDef)
READER = Component(
    "tool",
    "list_files",
    {"annotations": {}, "inputSchema": {}},
    Declared("", FUNCTION, {"scope": "files:read"}),
)
FILES = Component("template", "workspace://{path*}", {})
JWT = "auth/jwt_verifier.py"
LAYER = "auth/layer.py"
REQUIRED = '"require": ["exp", "iss", "aud"]'
UNSIGNED = REQUIRED + "".join(
    f', "verify_{what}": {what != "signature"}'
    for what in ("signature", "exp", "aud", "iss")
)
HAS_AUDIENCE = (
    "def has_audience(token: str) -> bool:\n"
    "    part = token.split('.')[1]\n"
    "    return b'aud' in base64.urlsafe_b64decode(part + '==')\n\n\n"
)
TOLD = '"client_id": client, "shown": token, "peer"'
TOKENS: list[tuple[str, str, str, list[Edit]]] = [
    (
        "tokens that are never gone",
        "MCP-PRB-055",
        "bearer",
        [
            (
                LAYER,
                "if epoch != self._epoch or time.monotonic() >= self._until:",
                "if False:",
            )
        ],
    ),
    (
        "calls of nobody",
        "MCP-PRB-020",
        "bearer",
        [("controls/audit.py", '"client_id": call.client_id,', "")],
    ),
    (
        "guesses without end",
        "MCP-PRB-053",
        "bearer",
        [(LAYER, "FAILURES: Final = 10\n", "FAILURES: Final = 10_000\n")],
    ),
    (
        "tokens not asked for",
        "MCP-PRB-015",
        "bearer",
        [
            (
                "server.py",
                "        auth=build_auth(",
                "        auth=None and build_auth(",
            )
        ],
    ),
    (
        "any token",
        "MCP-PRB-015",
        "bearer",
        [
            (
                "auth/bearer.py",
                "if hmac.compare_digest(entry.digest, digest)",
                "if True",
            )
        ],
    ),
    (
        "any token of the right form",
        "MCP-PRB-015",
        "bearer",
        [
            (
                "auth/bearer.py",
                "if hmac.compare_digest(entry.digest, digest)",
                "if token[:4] == 'mcp_'",
            )
        ],
    ),
    (
        "letters large and small",
        "MCP-PRB-015",
        "bearer",
        [
            (
                "auth/bearer.py",
                "        found: TokenEntry | None = None\n",
                "        other = token.swapcase().encode()\n"
                "        found: TokenEntry | None = None\n",
            ),
            (
                "auth/bearer.py",
                "if hmac.compare_digest(entry.digest, digest)",
                "if entry.digest in {digest, sha256(other).digest()}",
            ),
        ],
    ),
    (
        "a token's beginning",
        "MCP-PRB-015",
        "bearer",
        [
            ("auth/bearer.py", "found is None", "False"),
            (
                "auth/bearer.py",
                "return Holder(found.client, found.scopes)",
                "return Holder('x', ())",
            ),
        ],
    ),
    (
        "no scopes",
        "MCP-PRB-023",
        "bearer",
        [
            (
                "registration.py",
                "if scope and proved else None",
                "if False else None",
            ),
            ("serving/scopes.py", "if held >= self._every or", "if True or"),
        ],
    ),
    (
        "signature",
        "MCP-PRB-015",
        "jwt",
        [
            (
                JWT,
                REQUIRED,
                UNSIGNED,
            ),
            (
                "auth/keys.py",
                "if algorithm not in self._key.algorithms",
                "if False",
            ),
        ],
    ),
    (
        "audience",
        "MCP-PRB-015",
        "jwt",
        [(JWT, REQUIRED, '"verify_aud": False, "require": ["exp", "iss"]')],
    ),
    (
        "missing audience",
        "MCP-PRB-015",
        "jwt",
        [
            (
                JWT,
                "audience=self._audience,",
                "audience=self._audience if has_audience(token) else None,",
            ),
            (JWT, REQUIRED, '"require": ["exp", "iss"]'),
            (JWT, "class Keys(", HAS_AUDIENCE + "class Keys("),
        ],
    ),
    (
        "issuer",
        "MCP-PRB-015",
        "jwt",
        [(JWT, "issuer=self._issuer,\n                leeway", "leeway")],
    ),
    (
        "issuer by its beginning",
        "MCP-PRB-015",
        "jwt",
        [
            (JWT, "issuer=self._issuer,\n                leeway", "leeway"),
            (
                JWT,
                "return _holder(self._claims(token, key, algorithm))",
                "claims = self._claims(token, key, algorithm)\n"
                "        if not claims['iss'].startswith(self._issuer):\n"
                "            raise InvalidToken('issuer')\n"
                "        return _holder(claims)",
            ),
        ],
    ),
    (
        "audience by its beginning",
        "MCP-PRB-015",
        "jwt",
        [
            (JWT, REQUIRED, '"verify_aud": False, "require": ["exp", "aud"]'),
            (
                JWT,
                "return _holder(self._claims(token, key, algorithm))",
                "claims = self._claims(token, key, algorithm)\n"
                "        if not claims['aud'].startswith(self._audience):\n"
                "            raise InvalidToken('audience')\n"
                "        return _holder(claims)",
            ),
        ],
    ),
    (
        "expiry",
        "MCP-PRB-015",
        "jwt",
        [(JWT, REQUIRED, f'"verify_exp": False, {REQUIRED}')],
    ),
    (
        "token in the address",
        "MCP-PRB-015",
        "bearer",
        [
            (
                LAYER,
                "token = _token(scope)",
                "query = scope['query_string'].rpartition(b'=')[2]\n"
                "        shown = b'authorization', b'Bearer ' + query\n"
                "        more = [shown] if query else []\n"
                "        headers = [*scope['headers'], *more]\n"
                "        scope = {**scope, 'headers': headers}\n"
                "        token = _token(scope)",
            ),
        ],
    ),
    (
        "token in a cookie",
        "MCP-PRB-015",
        "bearer",
        [
            (
                LAYER,
                "token = _token(scope)",
                "for name, value in list(scope['headers']):\n"
                "            if name == b'cookie':\n"
                "                good = value.rpartition(b'=')[2]\n"
                "                shown = b'authorization', b'Bearer ' + good\n"
                "                scope['headers'].append(shown)\n"
                "        token = _token(scope)",
            ),
        ],
    ),
    (
        "key that the token brings",
        "MCP-PRB-015",
        "jwt",
        [
            (
                JWT,
                "        try:\n            return jwt.decode(",
                "        own = jwt.get_unverified_header(token).get('jwk')\n"
                "        key = jwt.PyJWK(own, algorithm).key if own else key\n"
                "        try:\n            return jwt.decode(",
            )
        ],
    ),
    (
        "no challenge",
        "MCP-PRB-043",
        "bearer",
        [(LAYER, 'headers=[(b"www-authenticate", value)]', "headers=[]")],
    ),
    (
        "token in the refusal",
        "MCP-PRB-045",
        "bearer",
        [
            (
                LAYER,
                "self._bad_token(send, peer, error.kind)",
                "self._unauthorized(send, token[0 * self._failures.fail(peer)"
                ":], 'error=x')",
            )
        ],
    ),
    (
        "answers to TRACE",
        "MCP-PRB-045",
        "bearer",
        [
            (
                LAYER,
                "        token = _token(scope)\n",
                "        if scope['method'] == 'TRACE':\n"
                "            await refuse(send, 200, str(scope['headers']))\n"
                "            return\n"
                "        token = _token(scope)\n",
            )
        ],
    ),
    (
        "scopes by their family",
        "MCP-PRB-023",
        "bearer",
        [
            (
                "registration.py",
                "return require_scopes(scope) if scope",
                "return (lambda c: scope[:5] in str(c.token.scopes)) if scope",
            ),
            ("serving/scopes.py", "if held >= self._every or", "if True or"),
        ],
    ),
    (
        "session for a proof",
        "MCP-PRB-015",
        "bearer",
        [
            (
                LAYER,
                "user = self._recall(digest) or await",
                "user = next((x.user for x in self._known.values()), None)"
                " if b'mcp-session-id' in dict(scope['headers']) else None\n"
                "        user = user or self._recall(digest) or await",
            ),
        ],
    ),
    (
        "token in the log",
        "MCP-PRB-019",
        "bearer",
        [(LAYER, '"client_id": client, "peer"', TOLD)],
    ),
    (
        "scope for the call alone",
        "MCP-PRB-023",
        "bearer",
        [
            (
                "catalog.py",
                "    def _is_plain(self)",
                "    async def list_tools(self, **_: Any) -> Any:\n"
                "        return await self.local_provider.list_tools()\n\n"
                "    def _is_plain(self)",
            ),
        ],
    ),
    (
        "address counted beside the token",
        "MCP-PRB-011",
        "bearer",
        [
            (
                "identity.py",
                "token_id(token.client_id, token.subject)\n",
                "token_id(token.client_id, str(_forwarded(scope)))\n",
            ),
        ],
    ),
    (
        "not yet",
        "MCP-PRB-015",
        "jwt",
        [(JWT, REQUIRED, f'"verify_nbf": False, {REQUIRED}')],
    ),
    (
        "expiry may be missing",
        "MCP-PRB-015",
        "jwt",
        [
            (JWT, REQUIRED, '"require": ["iss", "aud"]'),
            (JWT, 'int(claims["exp"])', 'int(claims.get("exp", 2**40))'),
        ],
    ),
]


@pytest.mark.parametrize(
    ("probe", "kind", "edits"),
    [case[1:] for case in TOKENS],
    ids=[case[0] for case in TOKENS],
)
def test_fault_is_found_with_tokens(
    probe: str, kind: str, edits: list[Edit]
) -> None:
    assert with_token_probes(broken(*edits), kind) == {probe}


@pytest.mark.parametrize("kind", ["bearer", "jwt"])
def test_sound_proof_of_identity_withstands(kind: str) -> None:
    assert with_token_probes(broken(), kind) == set()


def test_calls_are_counted_with_a_tool_that_needs_no_scope() -> None:
    marks = {"annotations": {"readOnlyHint": True}}
    scoped = Component("tool", "list_files", marks, READER.declared)
    assert harmless([scoped, HEALTH]) == HEALTH
    assert harmless([scoped]) == ANSWERS
    listed: Future[list[Component]] = Future()
    listed.set_result([scoped])
    with lab() as traps:
        assert with_tokens(broken(), traps, "bearer", listed) == []


def with_token_probes(project: Project, kind: str) -> set[str]:
    listed: Future[list[Component]] = Future()
    listed.set_result([HEALTH, READER, FILES])
    with lab() as traps:
        return {f.id for f in with_tokens(project, traps, kind, listed)}


def test_tokens_are_as_an_issuer_makes_them() -> None:
    key, claims = Key.new(), {"aud": "me", "sub": "x"}
    read = jwt.decode(key.token(claims), key.pem, ["RS256"], audience="me")
    assert read == claims
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(Key.new().token(claims), key.pem, ["RS256"], audience="me")
    assert jwt.get_unverified_header(unsigned(claims))["alg"] == "none"
    assert jwt.get_unverified_header(key.confused(claims))["alg"] == "HS256"


def test_no_scope_that_is_asked_for_is_only_named_like_one() -> None:
    scopes = alike({"admin", "notes", "notes:read"})
    assert scopes == [
        *("admin-probe", "admin:probe", "notes-probe", "notes:probe"),
        "notes:read-probe",
    ]
