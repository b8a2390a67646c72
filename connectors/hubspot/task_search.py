"""Our tasks in a portal that knows no unique properties on tasks: searched, listed, or reached by their company."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.contract import RetryLater
from connectors.hubspot.replies import NOT_FOUND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from connectors.hubspot.api import Api
    from connectors.hubspot.batches import Batches

Row = dict[str, Any]

TASKS = "tasks"
KEYS_IN_A_SEARCH = 100
SEARCH_PAGE = 200
LIST_PAGE = 100
LINKS_IN_A_CALL = 1000
# What a task is about -> from where its tasks are reached.
_ABOUT = {"account_id": "companies", "opportunity_id": "deals"}


class TaskSearch:
    """Finds tasks by a key that is an ordinary property."""

    def __init__(self, api: Api, batches: Batches, key_field: str) -> None:
        self._api = api
        self._batches = batches
        self._key_field = key_field

    def by_key(self, keys: Sequence[str]) -> dict[str, Row]:
        """Rows by key: the search index, which may be a moment behind, and the recycle bin."""
        found: dict[str, Row] = {}
        for start in range(0, len(keys), KEYS_IN_A_SEARCH):
            found |= self._keyed(self._searched(keys[start : start + KEYS_IN_A_SEARCH]), keys)
        return self.archived(keys) | found

    def archived(self, keys: Sequence[str]) -> dict[str, Row]:
        """Rows by key in the recycle bin, which keeps 90 days and is not indexed."""
        asked = {"archived": "true", "limit": LIST_PAGE, "properties": self._key_field}
        return self._keyed(self._pages(asked), keys)

    def linked(self, tasks: Sequence[Mapping[str, Any]]) -> dict[str, Row]:
        """Rows by key among the tasks of these tasks' companies and deals, which no index delays."""
        ids: set[str] = set()
        for about, hs_object in _ABOUT.items():
            ids |= self._tasks_of(hs_object, {row[about] for row in tasks if row.get(about)})
        rows = self._batches.read(TASKS, sorted(ids), [self._key_field]) if ids else []
        return self._keyed(rows, [row["key"] for row in tasks])

    def _keyed(self, rows: Iterable[Row], keys: Sequence[str]) -> dict[str, Row]:
        wanted = set(keys)
        found = {row["properties"].get(self._key_field): row for row in rows}
        return {key: row for key, row in found.items() if key in wanted}

    def _searched(self, keys: Sequence[str]) -> Iterator[Row]:
        # HubSpot compares texts in lower case, and wants them so.
        values = [key.lower() for key in keys]
        matching = {"propertyName": self._key_field, "operator": "IN", "values": values}
        body: dict[str, Any] = {
            "filterGroups": [{"filters": [matching]}],
            "properties": [self._key_field],
            "limit": SEARCH_PAGE,
        }
        after: Any = None
        while True:
            page = self._api.ask(
                "objects", f"{TASKS}/search", body if after is None else {**body, "after": after}
            )
            yield from page["results"]
            after = _next(page)
            if after is None:
                return

    def _pages(self, asked: Mapping[str, Any]) -> Iterator[Row]:
        after: Any = None
        while True:
            page = self._api.get("objects", TASKS, asked if after is None else {**asked, "after": after})
            yield from page["results"]
            after, last = _next(page), after
            if after is None or after == last:
                return

    def _tasks_of(self, hs_object: str, ids: set[str]) -> set[str]:
        """Ids of the tasks that hang on some records. Each record's list has pages of its own."""
        asked: list[dict[str, Any]] = [{"id": record_id} for record_id in sorted(ids)]
        found: set[str] = set()
        while asked:
            part, asked = asked[:LINKS_IN_A_CALL], asked[LINKS_IN_A_CALL:]
            reply = self._api.ask("associations", f"{hs_object}/{TASKS}/batch/read", {"inputs": part})
            _require_whole(reply)
            for result in reply["results"]:
                found.update(str(to["toObjectId"]) for to in result["to"])
                if (after := _next(result)) is not None:
                    asked.append({"id": result["from"]["id"], "after": after})
        return found


def _next(page: Mapping[str, Any]) -> Any:
    return ((page.get("paging") or {}).get("next") or {}).get("after")


def _require_whole(reply: Mapping[str, Any]) -> None:
    """A record without tasks may be an error here; anything else hides tasks that may be there."""
    for error in reply.get("errors") or ():
        if error.get("category") != NOT_FOUND and error.get("subCategory") is None:
            raise RetryLater(f"HubSpot cannot tell the tasks of some records: {error.get('message')}")
