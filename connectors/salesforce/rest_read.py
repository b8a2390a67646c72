"""Reading a few thousand records by REST query, page by page, in the order of their stamps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.contract import RecordRefused, RetryLater
from connectors.salesforce.soql import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.contract import Page
    from connectors.reading import Convert, Tally
    from connectors.salesforce.api import Api
    from connectors.salesforce.soql import Query

RESTARTS = 5


class TooMany(Exception):  # noqa: N818  # named after what happened
    """More rows than pages are good for: nothing was read, a job is to read them."""


def read_rest(
    api: Api, query: Query, convert: Convert, tally: Tally, most: int | None = None
) -> Iterator[Page]:
    """Pages of a query's result. A forgotten result is asked for again from the last record on.

    Raises `TooMany` if the CRM tells of `most` rows or more.
    """
    place = _Place(query.stamp)
    for _ in range(RESTARTS):
        start = tally.read
        try:
            soql = query.select(*place.condition(), order=f"{query.stamp}, Id")
            for number, body in enumerate(api.pages(soql, include_deleted=query.include_deleted)):
                if number == 0:
                    if most is not None and start == 0 and int(body["totalSize"]) >= most:
                        raise TooMany
                    tally.expected = start + int(body["totalSize"])
                if body["records"]:
                    page = convert(cells_of(body["records"], query.paths))
                    tally.add(page)
                    place.move(body["records"])
                    yield page
        except RecordRefused as error:
            if error.code != "INVALID_QUERY_LOCATOR":
                raise
        else:
            return
    raise RetryLater(f"Salesforce forgot the result of a query on {query.sf_object} {RESTARTS} times")


class _Place:
    """The stamp and id of the last record read: where a forgotten result goes on."""

    def __init__(self, field: str) -> None:
        self._field = field
        self._stamp = self._id = ""

    def move(self, records: Sequence[dict[str, Any]]) -> None:
        """Remember the last record that has both."""
        for record in reversed(records):
            if isinstance(record.get(self._field), str) and isinstance(record.get("Id"), str):
                self._stamp, self._id = record[self._field].replace("+0000", "Z"), record["Id"]
                return

    def condition(self) -> tuple[str, ...]:
        """What holds for the records after this place only."""
        if not self._id:
            return ()
        tie = f"({self._field} = {self._stamp} AND Id > {quoted(self._id)})"
        return (f"({self._field} > {self._stamp} OR {tie})",)


def cells_of(records: Sequence[dict[str, Any]], paths: Sequence[str]) -> dict[str, pa.Array]:
    """Columns of bytes, as a CSV would have them, from JSON records."""
    return {path: pa.array([_cell(record, path) for record in records], pa.binary()) for path in paths}


def _cell(record: Any, path: str) -> bytes | None:
    for step in path.split("."):
        record = None if record is None else record.get(step)
    if record is None or record == "":
        return None
    if isinstance(record, bool):
        return b"true" if record else b"false"
    # Lone surrogates (an escape in the JSON, or a byte that is not UTF-8) become bytes that no cast accepts.
    return str(record).encode("utf-8", "surrogatepass")
