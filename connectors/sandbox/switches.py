"""The sandbox's own switches over HTTP: health, journal, clock, faults, limits, keys. None is counted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from config.problems import ConfigProblem

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from connectors.sandbox.clock import SandboxClock
    from connectors.sandbox.faults import Faults
    from connectors.sandbox.journal import Journal
    from connectors.sandbox.played import Played


@dataclass(slots=True)
class Switches:
    """The endpoints below /sandbox."""

    crm: str
    data: str
    played: Played
    clock: SandboxClock
    faults: Faults
    journal: Journal

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route("/sandbox", self.health),
            Route("/sandbox/journal", self.read_journal),
            Route("/sandbox/clock", self.move_clock, methods=["GET", "POST"]),
            Route("/sandbox/faults", self.switch_faults, methods=["GET", "POST", "DELETE"]),
            Route("/sandbox/faults/{number:int}", self.switch_faults, methods=["DELETE"]),
            Route("/sandbox/limits", self.change_limits, methods=["GET", "POST"]),
            Route("/sandbox/keys", self.add_key, methods=["POST"]),
        ]

    async def health(self, _request: Request) -> Response:
        """GET /sandbox."""
        return JSONResponse(
            {
                "status": "up",
                "crm": self.crm,
                "data": self.data,
                "org": self.played.name,
                "now": self.clock().isoformat(),
                "totals": self.journal.totals(),
                "faults": len(self.faults.listing()),
            }
        )

    async def read_journal(self, request: Request) -> Response:
        """GET /sandbox/journal?since=N."""
        since = request.query_params.get("since", "0")
        if not since.isdigit():
            return _problem(f"since must be a number, not {since!r}")
        return JSONResponse(self.journal.as_json(int(since)))

    async def move_clock(self, request: Request) -> Response:
        """POST /sandbox/clock with {"days", "hours", "minutes", "seconds"} to go on by, or {"now": ISO}."""
        if request.method == "POST":
            try:
                self._move(await _json(request))
            except (ValueError, TypeError, OverflowError) as error:
                return _problem(f"the clock cannot be moved: {error}")
        return JSONResponse({"now": self.clock().isoformat()})

    def _move(self, wanted: Any) -> None:
        if "now" in wanted:
            now = datetime.fromisoformat(wanted["now"])
            self.clock.set(now if now.tzinfo else now.replace(tzinfo=UTC))
        else:
            self.clock.advance(timedelta(**wanted))

    async def switch_faults(self, request: Request) -> Response:
        """GET lists, POST switches on (one, a list, or a file's content), DELETE switches off one or all."""
        if request.method == "POST":
            try:
                wanted = await _json(request)
                faults = wanted.get("faults", [wanted]) if isinstance(wanted, dict) else wanted
                return JSONResponse({"numbers": self.faults.add(faults)}, 201)
            except (ValueError, TypeError) as error:
                return _problem(f"not a list of faults: {error}")
            except ConfigProblem as error:
                return _problem(*(str(problem) for problem in error.problems))
        if request.method == "DELETE":
            return JSONResponse({"removed": self.faults.remove(request.path_params.get("number"))})
        return JSONResponse({"seed": self.faults.seed, "faults": self.faults.listing()})

    async def change_limits(self, request: Request) -> Response:
        """POST /sandbox/limits with what the CRM's limits know: maxima, calls of others, what headers tell."""
        if request.method == "POST":
            try:
                self.played.limits.change(await _json(request))
            except (ValueError, TypeError, AttributeError) as error:
                return _problem(f"the limits cannot be changed: {error}")
        return JSONResponse(self.played.limits.told())

    async def add_key(self, request: Request) -> Response:
        """POST /sandbox/keys with {"client_id", "public_key"}: trust a PEM for JWTs."""
        try:
            wanted = await _json(request)
            self.played.register_key(wanted["client_id"], wanted["public_key"])
        except (ValueError, TypeError, KeyError) as error:
            return _problem(f"the key cannot be registered: {error}")
        return JSONResponse({"registered": True}, 201)


async def _json(request: Request) -> Any:
    return json.loads((await request.body()).decode("utf-8") or "null")


def _problem(*messages: str) -> Response:
    return JSONResponse({"problems": list(messages)}, 400)
