"""The check that every request passes before anything is done for it."""

import time
from collections import OrderedDict
from hashlib import sha256
from typing import Final

from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from starlette.authentication import AuthCredentials
from starlette.types import ASGIApp, Receive, Scope, Send

from ..attempts import Attempts
from ..identity import peer_id, token_id
from ..serving.application import Observer
from ..serving.refusal import refuse
from .verifier import CannotVerify, InvalidToken, Verifier

#: Failures, and requests without any token, per address and minute.
FAILURES: Final = 10
STRANGERS: Final = 60
WINDOW: Final = 60.0
#: Seconds that a verified token is taken for good without another look.
KEPT: Final = 60.0
KEPT_TOKENS: Final = 1_000
#: Characters; no token that is issued comes near it.
LONGEST: Final = 8_192

#: Where a client learns how to get a token (RFC 9728).
OPEN: Final = "/.well-known/"


class BearerLayer:
    """Lets in who shows a good token in the Authorization header.

    Everything but the metadata asks for one, custom routes too. Whoever
    fails too often from one address is answered 429 before any cryptography
    is done. A token that proved good is known by its hash: for a minute it is
    taken for good, and after that it is looked at once more however often its
    neighbours have failed, so that they do not lock its holder out.

    Args:
        app: The application behind.
        verifier: Checks tokens.
        challenge: Parameters of ``WWW-Authenticate``: where the metadata
            are, and which scopes to ask for.
        on_event: Told how each check ended.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        verifier: Verifier,
        challenge: str,
        on_event: Observer,
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._challenge = challenge
        self._on_event = on_event
        self._failures = Attempts(limit=FAILURES, window=WINDOW)
        self._strangers = Attempts(limit=STRANGERS, window=WINDOW)
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass a request on in its holder's name, or refuse it."""
        if scope["type"] != "http" or scope["path"].startswith(OPEN):
            await self._app(scope, receive, send)
            return
        token = _token(scope)
        if token is None:
            await self._no_token(scope, send)
            return
        digest = sha256(token.encode()).digest()
        user = self._recall(digest) or await self._check(
            token, digest, scope, send
        )
        if user:
            scope["user"] = user
            scope["auth"] = AuthCredentials(user.scopes)
            reset = auth_context_var.set(user)
            try:
                await self._app(scope, receive, send)
            finally:
                auth_context_var.reset(reset)

    async def _check(
        self, token: str, digest: bytes, scope: Scope, send: Send
    ) -> AuthenticatedUser | None:
        peer = peer_id(scope)
        wait = 0 if digest in self._known else self._failures.wait(peer)
        if wait:
            await _too_many(send, wait)
            return None
        try:
            if len(token) > LONGEST:
                raise InvalidToken("too_long")
            holder = await self._verifier.verify(token)
        except CannotVerify:
            self._on_event(
                "auth_failed", {"reason": "unavailable", "peer": peer}
            )
            await refuse(
                send, 503, "Tokens cannot be checked now.", retry_after=5
            )
            return None
        except InvalidToken as error:
            self._known.pop(digest, None)
            await self._bad_token(send, peer, error.kind)
            return None
        user = AuthenticatedUser(holder.access_token())
        self._remember(digest, user)
        client = token_id(holder.client_id, holder.subject)
        self._on_event("auth_succeeded", {"client_id": client, "peer": peer})
        return user

    def _recall(self, digest: bytes) -> AuthenticatedUser | None:
        known = self._known.get(digest)
        if known and known.holds(self._verifier.epoch):
            return known.user
        return None

    def _remember(self, digest: bytes, user: AuthenticatedUser) -> None:
        self._known[digest] = _Known(user, self._verifier.epoch)
        self._known.move_to_end(digest)
        if len(self._known) > KEPT_TOKENS:
            self._known.popitem(last=False)

    async def _no_token(self, scope: Scope, send: Send) -> None:
        peer = peer_id(scope)
        if wait := self._strangers.wait(peer):
            await _too_many(send, wait)
            return
        if self._strangers.fail(peer):
            self._on_event(
                "auth_failed", {"reason": "too_many_attempts", "peer": peer}
            )
        await self._unauthorized(send, "A token is needed.", "")

    async def _bad_token(self, send: Send, peer: str, kind: str) -> None:
        self._on_event("auth_failed", {"reason": kind, "peer": peer})
        if self._failures.fail(peer):
            self._on_event(
                "auth_failed", {"reason": "too_many_attempts", "peer": peer}
            )
        # Why it is no good is nobody's business but the operator's.
        await self._unauthorized(
            send, "The token is not valid.", 'error="invalid_token"'
        )

    async def _unauthorized(
        self, send: Send, sentence: str, error: str
    ) -> None:
        parameters = ", ".join(filter(None, (error, self._challenge)))
        value = f"Bearer {parameters}".strip().encode()
        await refuse(
            send, 401, sentence, headers=[(b"www-authenticate", value)]
        )


class _Known:
    """A token's holder, for as long as that needs no other look."""

    __slots__ = ("_epoch", "_expires_at", "_until", "user")

    def __init__(self, user: AuthenticatedUser, epoch: int) -> None:
        self.user = user
        self._epoch = epoch
        self._until = time.monotonic() + KEPT
        self._expires_at = user.access_token.expires_at

    def holds(self, epoch: int) -> bool:
        if epoch != self._epoch or time.monotonic() >= self._until:
            return False
        return self._expires_at is None or time.time() < self._expires_at


def _token(scope: Scope) -> str | None:
    """Return the one bearer token that a request shows, if it shows one.

    A token in the address would end up in logs (OWASP MCP01): it is not
    looked for there.
    """
    values = [v for k, v in scope["headers"] if k == b"authorization"]
    if len(values) != 1:
        return None
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def _too_many(send: Send, wait: int) -> None:
    await refuse(send, 429, "There were too many attempts.", retry_after=wait)
