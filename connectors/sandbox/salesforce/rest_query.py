"""REST queries: `query` and `queryAll` with their pages, column metadata, plans; search is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from connectors.sandbox.fault_kinds import ShortPages
from connectors.sandbox.poison import poison_records, poisoned_json
from connectors.sandbox.replies import json_response
from connectors.sandbox.salesforce import relationships
from connectors.sandbox.salesforce.cursors import Cursor, Cursors
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.wire import notes

if TYPE_CHECKING:
    from starlette.routing import Route

    from connectors.sandbox.salesforce.context import Call, SandboxContext
    from connectors.sandbox.salesforce.org import QueryResult

MAX_SOQL = 100_000
SMALLEST_PAGE, LARGEST_PAGE = 200, 2000
# Where so many custom long text fields are selected, pages have the smallest size.
MANY_LONG_TEXTS = 2
_BATCH_SIZE = re.compile(r"batchsize\s*=\s*(\d+)", re.IGNORECASE)


def routes(context: SandboxContext) -> list[Route]:
    """The resources of this module."""
    root = "/services/data/v{version}"
    queries = Queries(Cursors(context.clock))
    return [
        context.resource(f"{root}/query", {"GET": queries.query}),
        context.resource(f"{root}/queryAll", {"GET": queries.query_all}),
        context.resource(f"{root}/query/{{locator}}", {"GET": queries.more}),
        context.resource(f"{root}/queryAll/{{locator}}", {"GET": queries.more}),
        context.resource(f"{root}/search", {"GET": search, "POST": search}),
        context.resource(f"{root}/parameterizedSearch", {"GET": search, "POST": search}),
        *relationships.routes(context, queries.answer),
    ]


@dataclass(slots=True)
class Queries:
    """The query resources, which share their cursors."""

    cursors: Cursors

    def query(self, call: Call) -> Response:
        """GET /query?q=SOQL, ?explain=SOQL, or with &columns=true."""
        return self._query(call, include_deleted=False)

    def query_all(self, call: Call) -> Response:
        """GET /queryAll?q=SOQL: deleted and archived records too."""
        return self._query(call, include_deleted=True)

    def more(self, call: Call) -> Response:
        """GET /query/0r8...-2000, under either path; parameters sent along do not matter."""
        cursor, start = self.cursors.find(call.path_params["locator"], call.user)
        return _page(call, cursor.result, start, _page_rows(call, cursor.page_rows), cursor)

    def _query(self, call: Call, *, include_deleted: bool) -> Response:
        soql = call.query.get("q")
        if soql is None and (explained := call.query.get("explain")):
            return _explain(call, explained, include_deleted=include_deleted)
        if soql is None or not soql.strip():
            raise SalesforceError("MALFORMED_QUERY", "A query string has to be specified")
        result = _run(call, soql, include_deleted=include_deleted)
        if call.query.get("columns", "").lower() == "true":
            return json_response(result.column_metadata())
        return self._first(call, result)

    def answer(self, call: Call, soql: str) -> Response:
        """The first page of a query that the sandbox itself put together."""
        return self._first(call, _run(call, soql, include_deleted=False))

    def _first(self, call: Call, result: QueryResult) -> Response:
        rows = _page_rows(call, LARGEST_PAGE if result.long_texts < MANY_LONG_TEXTS else SMALLEST_PAGE)
        whole = result.page_stop(0, rows) >= result.num_rows
        cursor = None if whole else self.cursors.open(result, call.user, rows)
        return _page(call, result, 0, rows, cursor)


def _run(call: Call, soql: str, *, include_deleted: bool) -> QueryResult:
    if len(soql) > MAX_SOQL:
        raise SalesforceError(
            "MALFORMED_QUERY", f"SOQL statements cannot be longer than {MAX_SOQL} characters."
        )
    return call.org.query(soql, call.user, include_deleted=include_deleted)


def _page_rows(call: Call, default: int) -> int:
    """Rows of this page: as asked for by `Sforce-Query-Options`, unless a fault makes pages short."""
    match = _BATCH_SIZE.search(call.headers.get("sforce-query-options", ""))
    rows = default if match is None else min(max(int(match.group(1)), SMALLEST_PAGE), default)
    return min([rows, *(fault.rows for fault in notes().faults if isinstance(fault, ShortPages))])


def _page(call: Call, result: QueryResult, start: int, rows: int, cursor: Cursor | None) -> Response:
    stop = result.page_stop(start, rows)
    records = result.records(start, stop, call.version)
    page: dict[str, Any] = {"totalSize": result.total_size, "done": stop >= result.num_rows}
    if cursor is not None and not page["done"]:
        page["nextRecordsUrl"] = f"/services/data/v{call.version}/query/{cursor.id}-{stop}"
    page["records"] = records
    if poison_records(call.context.faults, result.object_name, records, start):
        return Response(poisoned_json(page), media_type="application/json;charset=UTF-8")
    return json_response(page)


def _explain(call: Call, soql: str, *, include_deleted: bool) -> Response:
    """The plan of a query: as the sandbox has no indexes, always a table scan."""
    result = _run(call, soql, include_deleted=include_deleted)
    plan = {
        "cardinality": result.total_size,
        "fields": [],
        "leadingOperationType": "TableScan",
        "notes": [],
        "relativeCost": 1.0,
        "sobjectCardinality": result.total_size,
        "sobjectType": result.object_name,
    }
    return json_response({"plans": [plan], "sourceQuery": soql})


def search(_call: Call) -> Response:
    """SOSL is not part of the sandbox, and it says so."""
    raise SalesforceError("MALFORMED_SEARCH", "The sandbox does not search (SOSL); use a query (SOQL)")
