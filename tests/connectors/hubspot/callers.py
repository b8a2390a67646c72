"""An `Api` of a portal that a test plays itself, reply by reply: for what no well-behaved server does."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import responses

from connectors.hubspot.api import Api
from connectors.hubspot.statuses import HUBSPOT
from connectors.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

URL = "https://api.hubapi.com"

Reply = tuple[int, Any]


@dataclass
class Played:
    """What a test answers by method and path, and what it was asked. A raised error breaks the connection."""

    answers: dict[str, Callable[[Mapping[str, Any]], Reply]]
    asked: list[tuple[str, Any]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def api(self) -> Api:
        """An api whose requests end here."""
        transport = Transport(
            "acme", URL, HUBSPOT, timeouts=(1, 1), sleep=self.waits.append, rng=random.Random(5)
        )
        return Api(transport, "v3")

    def answer(self, request: Any) -> tuple[int, dict[str, str], str]:
        """The reply to a request, by the first entry whose words are its method and the end of its path."""
        path = request.url.partition("?")[0]
        body = request.body if isinstance(request.body, str | bytes) else b""
        parsed = json.loads(body) if "json" in request.headers.get("Content-Type", "") else body
        for call, reply in self.answers.items():
            method, _, tail = call.partition(" ")
            if request.method == method and path.endswith(tail):
                self.asked.append((call, parsed))
                status, content = reply(parsed)
                return (
                    status,
                    {"Content-Type": "application/json"},
                    json.dumps(content) if content is not None else "",
                )
        raise AssertionError(f"nobody answers {request.method} {path}")

    def register(self, mock: responses.RequestsMock) -> None:
        """Take all requests."""
        for method in (responses.GET, responses.POST, responses.PATCH):
            mock.add_callback(method, re.compile(f"{URL}/.*"), callback=self.answer)

    def sizes(self, call: str) -> list[int]:
        """How many inputs each such request had."""
        return [len(body["inputs"]) for name, body in self.asked if name == call]
