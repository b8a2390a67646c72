"""The concurrent limit: while 25 calls of 20 seconds or more are under way, the CRM takes no other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.types import ASGIApp, Receive, Scope, Send

LONG = timedelta(seconds=20)
MOST = 25
_REFUSED = "foretag.too_many_long_calls"
_PATH = "/services/"


@dataclass(slots=True)
class LongCalls:
    """ASGI middleware that marks calls above the limit; it counts the time that faults take, too."""

    app: ASGIApp
    clock: Callable[[], datetime]
    _began: dict[object, datetime] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        if scope["type"] != "http" or _PATH not in scope["path"]:
            await self.app(scope, receive, send)
            return
        now, key = self.clock(), object()
        scope[_REFUSED] = sum(now - began >= LONG for began in self._began.values()) >= MOST
        if not scope[_REFUSED]:
            self._began[key] = now
        try:
            await self.app(scope, receive, send)
        finally:
            self._began.pop(key, None)


def is_above_limit(scope: Scope) -> bool:
    """Whether the call came while too many long ones were under way."""
    return bool(scope.get(_REFUSED))
