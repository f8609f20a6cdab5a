"""Rate limiting: how often one client may call one tool."""

import asyncio
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from typing import Any, Final, Literal

from fastmcp.server.middleware import CallNext, MiddlewareContext
from limits import RateLimitItem
from limits.aio.storage import RedisStorage
from limits.errors import StorageError

from .. import log
from ..attempts import Throttled
from ..errors import RateLimitExceeded
from .call import Call, Control
from .window_storage import WindowStorage

#: Seconds that the shared storage has for an answer, and for two in a row.
STORAGE_PATIENCE: Final = 0.1
STORAGE_DEADLINE: Final = 0.2
#: Seconds to wait where the storage is away.
STORAGE_RETRY_AFTER: Final = 1
#: Seconds, twice as long as an answer to a question is good.
NAMES_KEPT: Final = 1200
_AT_ONCE: Final = nullcontext()

Limits = tuple[RateLimitItem, ...]
WindowedStorage = WindowStorage | RedisStorage


class RateLimit(Control):
    """Lets each client call each tool as often as its limit says.

    The client is the one that identity decided, never one that the caller
    claims. Each call counts once, in both protocol eras, whether or not its
    arguments are valid; unknown tools share one count. CWE-770, OWASP MCP
    Top 10; MCP specification, tools: servers MUST rate-limit invocations.

    Raises:
        RateLimitExceeded: The limit is reached, or the shared storage is
            away and ``on_failure`` is ``deny``.
    """

    def __init__(
        self,
        *,
        default: Limits,
        per_tool: Mapping[str, Limits],
        storage: WindowedStorage,
        on_failure: Literal["deny", "allow"] = "deny",
        count_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self._default = default
        self._per_tool = per_tool
        self._storage = storage
        self._on_failure = on_failure
        self._count_failure = count_failure
        self._tell = Throttled(_fail)

    async def control(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        """Serve the call, if the client has one left."""
        call = Call.current.get()
        for limit in self._per_tool.get(call.tool, self._default):
            await self._hit(limit, call)
        return await call_next(context)

    async def first_use(self, name: str) -> bool:
        """Tell whether nobody has used a name yet, on any replica.

        It is forgotten after twenty minutes, and counts as used while the
        storage is away.
        """
        with suppress(StorageError, TimeoutError):
            async with self._in_time():
                return await self._storage.acquire_sliding_window_entry(
                    name, 1, NAMES_KEPT
                )
        return False

    async def ready(self) -> bool:
        """Tell whether the storage answers."""
        with suppress(StorageError, TimeoutError):
            async with asyncio.timeout(STORAGE_DEADLINE):
                return await self._storage.check()
        return False

    async def close(self) -> None:
        """End the connections to the shared storage."""
        if isinstance(self._storage, RedisStorage):
            bridge: Any = self._storage.bridge
            await bridge.get_connection().aclose()

    async def _hit(self, limit: RateLimitItem, call: Call) -> None:
        key = limit.key_for(call.client_id, call.tool)
        span = limit.get_expiry()
        take = self._storage.acquire_sliding_window_entry
        try:
            async with self._in_time():
                if await take(key, limit.amount, span):
                    return
                wait = await self._wait(limit, key, span)
        except (StorageError, TimeoutError) as error:
            self._storage_failed(error)
            return
        raise RateLimitExceeded(
            f"The limit of {limit} for {call.tool} is reached;"
            f" try again after {wait} seconds.",
            reason="limit_reached",
            retry_after=wait,
        )

    def _in_time(self) -> AbstractAsyncContextManager[object]:
        """Bound what may take time; memory takes less than the bound does."""
        if isinstance(self._storage, WindowStorage):
            return _AT_ONCE
        return asyncio.timeout(STORAGE_DEADLINE)

    async def _wait(self, limit: RateLimitItem, key: str, span: int) -> int:
        """Return the whole seconds until one more call is allowed."""
        window = await self._storage.get_sliding_window(key, span)
        before, left, within, gone = window
        if within >= limit.amount:
            return max(1, math.ceil(gone - span))
        spare = (limit.amount - within) * span / max(before, 1)
        return max(1, math.ceil(left - spare))

    def _storage_failed(self, error: Exception) -> None:
        self._count_failure()
        calls = "refused" if self._on_failure == "deny" else "allowed"
        self._tell(
            "rate_limit_storage_failed",
            {"error": type(error).__name__, "calls": calls},
        )
        if self._on_failure == "deny":
            raise RateLimitExceeded(
                "The server cannot count calls at the moment and lets none"
                f" through; try again after {STORAGE_RETRY_AFTER} second.",
                reason="storage_failed",
                retry_after=STORAGE_RETRY_AFTER,
            ) from error


def _fail(event: str, fields: Mapping[str, object]) -> None:
    log.event(event, level="error", **fields)


def open_storage(uri: str) -> WindowedStorage:
    """Return the counts' storage: this process's memory, or Redis.

    Redis and Valkey share the counts among replicas. Each hit is one script
    and one round trip, with a time limit of its own: a client library's
    default waits for a hung server without end.
    """
    if uri == "memory://":
        return WindowStorage()
    # Redis's client takes a while to import, and most servers need none.
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    options: dict[str, Any] = {
        "socket_timeout": STORAGE_PATIENCE,
        "socket_connect_timeout": STORAGE_PATIENCE,
        "retry": Retry(NoBackoff(), 1),
    }
    return RedisStorage(
        f"async+{uri}",
        implementation="redispy",
        key_prefix="mcp",
        wrap_exceptions=True,
        **options,
    )
