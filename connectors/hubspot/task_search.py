"""Our tasks in a portal that knows no unique properties on tasks: searched, listed, or reached by their company."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from connectors.hubspot.by_id import read_by_id
from connectors.hubspot.links import Links
from connectors.hubspot.lists import Lists
from connectors.hubspot.searches import Search

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from connectors.hubspot.api import Api
    from connectors.hubspot.records import Record

TASKS = "tasks"
KEYS_IN_A_SEARCH = 100
# What a task is about -> from where its tasks are reached.
_ABOUT = {"account_id": "companies", "opportunity_id": "deals"}


class TaskSearch:
    """Finds tasks by a key that is an ordinary property."""

    def __init__(self, api: Api, key_field: str) -> None:
        self._api = api
        self._links = Links(api)
        self._key_field = key_field

    def by_key(self, keys: Sequence[str]) -> dict[str, Record]:
        """Rows by key: the search index, which may be a moment behind, and the recycle bin."""
        found: dict[str, Record] = {}
        for start in range(0, len(keys), KEYS_IN_A_SEARCH):
            found |= self._keyed(self._searched(keys[start : start + KEYS_IN_A_SEARCH]), keys)
        return self.archived(keys) | found

    def archived(self, keys: Sequence[str]) -> dict[str, Record]:
        """Rows by key in the recycle bin, which keeps 90 days and is not indexed."""
        binned = Lists(self._api, TASKS, (self._key_field,), archived=True)
        return self._keyed(chain.from_iterable(binned.one_by_one()), keys)

    def linked(self, tasks: Sequence[Mapping[str, Any]]) -> dict[str, Record]:
        """Rows by key among the tasks of these tasks' companies and deals, which no index delays."""
        ids: set[str] = set()
        for about, hs_object in _ABOUT.items():
            about_ids = sorted({row[about] for row in tasks if row.get(about)})
            ids |= self._links.all(hs_object, TASKS, about_ids)
        rows = read_by_id(self._api, TASKS, sorted(ids), [self._key_field])
        return self._keyed(rows, [row["key"] for row in tasks])

    def _keyed(self, rows: Iterable[Record], keys: Sequence[str]) -> dict[str, Record]:
        wanted = set(keys)
        found = {(row.get("properties") or {}).get(self._key_field): row for row in rows}
        return {key: row for key, row in found.items() if key in wanted}

    def _searched(self, keys: Sequence[str]) -> Iterator[Record]:
        # HubSpot compares texts in lower case, and wants them so.
        values = [key.lower() for key in keys]
        matching = {"propertyName": self._key_field, "operator": "IN", "values": values}
        return chain.from_iterable(Search(self._api, TASKS, (self._key_field,), [[matching]]).pages())
