"""Pages as HubSpot links them: `paging.next` with a cursor and, where clients follow it, an absolute address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from connectors.sandbox.hubspot.errors import invalid
from connectors.sandbox.hubspot.records import number_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.sandbox.hubspot.context import Call


def first_id(after: str | None) -> int:
    """The id with which a page begins: the cursor is the next record's. Raises VALIDATION_ERROR for any other."""
    if not after:
        return 0
    found = number_of(after)
    if found is None:
        raise invalid(f"after is not a paging cursor: {after[:100]}")
    return found


def paged(call: Call, results: Sequence[Mapping[str, Any]], after: str | None) -> dict[str, Any]:
    """A page of a list: the next one's address is this one's with another `after`. The last has no `paging`."""
    page: dict[str, Any] = {"results": list(results)}
    if after is not None:
        others = [(name, value) for name, value in call.query.multi_items() if name != "after"]
        page["paging"] = next_page(f"{call.base_url}{call.path}", after, others)
    return page


def next_page(address: str, after: str, query: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    """Where the next page is."""
    parameters = urlencode([*query, ("after", after)], quote_via=quote, safe=",")
    return {"next": {"after": after, "link": f"{address}?{parameters}"}}
