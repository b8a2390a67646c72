"""The org's REST interface: JSON calls, queries with their pages, describes, and the API allowance."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from connectors.contract import Budget, RecordRefused, RetryLater
from connectors.salesforce.failures import read_body
from connectors.transport import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests
    from simple_salesforce.api import Salesforce

    from connectors.transport import Transport

# Salesforce recommends addresses below 2,000 characters; longer queries travel in a composite body.
LONGEST_ADDRESS = 2000
# A small query that times out or loses its place met a bad moment; it is asked again from its beginning.
SMALL_ATTEMPTS = 3
# `per-app-api-usage=` may follow, and must not be taken for the org's.
_USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")


class Api:
    """REST calls of one org, on one transport."""

    def __init__(self, transport: Transport, version: str) -> None:
        self.transport = transport
        self.version = float(version)
        self.base = f"/services/data/v{version}"
        self._used: int | None = None
        self._limit: int | None = None
        transport.observers.append(self._read_usage)

    def call(self, method: str, path: str, *, kind: str = "other", **request: Any) -> Any:
        """Send a request below the versioned base (or to a path from the root); the parsed reply, if any."""
        response = self.transport.request(method, self.url(path), kind=kind, **request)
        return read_json(response) if response.content else None

    def url(self, path: str) -> str:
        """The path of a resource; addresses that Salesforce handed out are used as they are."""
        path = path.split("://", 1)[-1].partition("/")[2] if "://" in path else path.lstrip("/")
        return f"/{path}" if path.startswith("services/") else f"{self.base}/{path}"

    # Queries.

    def query(self, soql: str, *, include_deleted: bool = False, kind: str = "query") -> dict[str, Any]:
        """The first page of a query's result."""
        path = f"{'queryAll' if include_deleted else 'query'}?q={quote(soql, safe='')}"
        if len(path) > LONGEST_ADDRESS:
            return self._query_in_body(path, kind)
        page: dict[str, Any] = self.call("GET", path, kind=kind)
        return page

    def _query_in_body(self, path: str, kind: str) -> dict[str, Any]:
        part = {"method": "GET", "url": f"{self.base}/{path}", "referenceId": "query"}
        body = {"allOrNone": False, "compositeRequest": [part]}
        reply = self.call("POST", "composite", json=body, idempotent=True, kind=kind)
        answer = reply["compositeResponse"][0]
        if answer["httpStatusCode"] >= 300:
            failure = read_body(answer["httpStatusCode"], answer["body"])
            raise self.transport.error(failure, "POST composite query")
        page: dict[str, Any] = answer["body"]
        return page

    def pages(
        self, soql: str, *, include_deleted: bool = False, kind: str = "query"
    ) -> Iterator[dict[str, Any]]:
        """Every page of a query's result."""
        page = self.query(soql, include_deleted=include_deleted, kind=kind)
        yield page
        while not page["done"]:
            page = self.call("GET", page["nextRecordsUrl"], kind=kind)
            yield page

    def rows(self, soql: str, *, include_deleted: bool = False) -> list[dict[str, Any]]:
        """All records of a small result. Raises `RetryLater` if even that takes the CRM too long, several times."""
        for _ in range(SMALL_ATTEMPTS):
            try:
                pages = list(self.pages(soql, include_deleted=include_deleted))
            except RecordRefused as error:
                if error.code not in ("QUERY_TIMEOUT", "INVALID_QUERY_LOCATOR"):
                    raise
                said = str(error)
            else:
                return [row for page in pages for row in page["records"]]
        raise RetryLater(f"{said}, {SMALL_ATTEMPTS} times; the next run goes on where this one stopped")

    def count(self, soql: str, *, include_deleted: bool = False) -> int:
        """What a `SELECT COUNT()` counts."""
        return int(self.query(soql, include_deleted=include_deleted, kind="count")["totalSize"])

    # What the SDK does well.

    @cached_property
    def sdk(self) -> Salesforce:
        """simple-salesforce on our transport, which replaces the token and mends the scheme."""
        from simple_salesforce.api import Salesforce  # noqa: PLC0415  # a second of imports, wanted late

        return Salesforce(
            instance_url=self.transport.origin,
            session_id="the transport's",
            session=self.transport,
            version=self.base.rpartition("v")[2],
        )

    def describe(self, sf_object: str) -> Mapping[str, Any]:
        """An object as the signed-in user may see it. Raises `RecordRefused` (NOT_FOUND) if not at all."""
        return self.sdk.restful(f"sobjects/{sf_object}/describe", kind="describe") or {}

    # The allowance.

    def budget(self) -> Budget:
        """The org's allowance as of the last reply, and the calls made here."""
        return Budget(self._used, self._limit, sum(self.transport.calls.values()))

    def limits(self) -> Mapping[str, Any]:
        """The org's limits; a light call, which also tells the time."""
        limits: Mapping[str, Any] = self.call("GET", "limits", kind="limits")
        return limits

    def _read_usage(self, response: requests.Response) -> None:
        if found := _USAGE.search(response.headers.get("Sforce-Limit-Info", "")):
            self._used, self._limit = int(found[1]), int(found[2])
