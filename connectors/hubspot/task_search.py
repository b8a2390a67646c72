"""Our tasks in a portal that knows no unique properties on tasks: searched, listed, or reached by their company."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.contract import RetryLater
from connectors.hubspot.links import Links

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from connectors.hubspot.api import Api
    from connectors.hubspot.batches import Batches

Row = dict[str, Any]

TASKS = "tasks"
KEYS_IN_A_SEARCH = 100
SEARCH_PAGE = 200
LIST_PAGE = 100
# What a task is about -> from where its tasks are reached.
_ABOUT = {"account_id": "companies", "opportunity_id": "deals"}


class TaskSearch:
    """Finds tasks by a key that is an ordinary property."""

    def __init__(self, api: Api, batches: Batches, key_field: str) -> None:
        self._api = api
        self._batches = batches
        self._links = Links(api)
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
            about_ids = sorted({row[about] for row in tasks if row.get(about)})
            ids |= self._links.all(hs_object, TASKS, about_ids)
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
        yield from _rows(lambda after: self._api.ask("objects", f"{TASKS}/search", {**body, **after}))

    def _pages(self, asked: Mapping[str, Any]) -> Iterator[Row]:
        yield from _rows(lambda after: self._api.get("objects", TASKS, {**asked, **after}))


def _rows(ask: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Iterator[Row]:
    """The rows of all pages. Raises `RetryLater` if the pages do not advance, rather than go round for ever."""
    seen: set[Any] = set()
    page = ask({})
    while True:
        yield from page["results"]
        after = _next(page)
        if after is None:
            return
        if after in seen:
            raise RetryLater("HubSpot's pages of tasks do not advance; the next run asks again")
        seen.add(after)
        page = ask({"after": after})


def _next(page: Mapping[str, Any]) -> Any:
    return ((page.get("paging") or {}).get("next") or {}).get("after")
