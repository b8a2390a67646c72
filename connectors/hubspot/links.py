"""Associations: which company a deal belongs to, which deal a task is about; a thousand records in a call."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from connectors.contract import RecordRefused, RetryLater

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connectors.hubspot.api import Api
    from connectors.hubspot.fields import Link

# HubSpot changed this more than once; it is halved as soon as HubSpot says that it is too many.
IDS_IN_A_CALL = 1000
_TOO_MANY = "VALIDATION_ERROR"
# A record without associations, or one that is gone, may be reported as an error.
_NONE = frozenset({"OBJECT_NOT_FOUND", "NO_ASSOCIATIONS_FOUND", "ASSOCIATIONS_NOT_FOUND"})


class Links:
    """Reads associations of one portal."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self.size = IDS_IN_A_CALL

    def chosen(self, hs_object: str, link: Link, ids: Sequence[str]) -> dict[str, str]:
        """The one record that each of these is linked to: the primary one, else that of the lowest id.

        A record that is linked to none is not in it.
        """
        return {
            name: _choose(each, link.primary)
            for entries in self._parts(hs_object, link.to, ids)
            for name, each in entries.items()
            if each
        }

    def all(self, hs_object: str, to: str, ids: Sequence[str]) -> set[str]:
        """Ids of all records that any of these is linked to."""
        return {
            str(entry["toObjectId"])
            for entries in self._parts(hs_object, to, ids)
            for each in entries.values()
            for entry in each
        }

    def _parts(self, hs_object: str, to: str, ids: Sequence[str]) -> Iterator[dict[str, list[Any]]]:
        """Entries by id, of as many ids at a time as HubSpot takes."""
        start = 0
        while start < len(ids):
            size = self.size
            part = ids[start : start + size]
            try:
                entries = self._read(hs_object, to, [{"id": name} for name in part])
            except RecordRefused as error:
                if error.code != _TOO_MANY or len(part) == 1:
                    raise
                self._halve(size)
                continue
            yield entries
            start += len(part)

    def _halve(self, refused: int) -> None:
        """Several threads may have met the same refusal."""
        with self._lock:
            self.size = min(self.size, max(refused // 2, 1))

    def _read(self, hs_object: str, to: str, inputs: list[dict[str, str]]) -> dict[str, list[Any]]:
        """Entries by id; those of a record with very many come in pages."""
        found: dict[str, list[Any]] = defaultdict(list)
        places: set[tuple[str, str]] = set()
        while inputs:
            reply = self._api.ask("associations", f"{hs_object}/{to}/batch/read", {"inputs": inputs})
            _require_answers(reply)
            inputs = []
            for result in reply.get("results") or ():
                name = str(result["from"]["id"])
                found[name] += result.get("to") or ()
                after = ((result.get("paging") or {}).get("next") or {}).get("after")
                if after:
                    _require_progress(places, (name, str(after)))
                    inputs.append({"id": name, "after": str(after)})
        return found


def _choose(entries: Sequence[Mapping[str, Any]], primary: int | None) -> str:
    if len(entries) == 1:
        return str(entries[0]["toObjectId"])
    all_ids: list[int] = []
    primaries: list[int] = []
    for entry in entries:
        to = int(entry["toObjectId"])
        all_ids.append(to)
        if primary is not None and any(kind["typeId"] == primary for kind in entry["associationTypes"]):
            primaries.append(to)
    return str(min(primaries or all_ids))


def _require_answers(reply: Mapping[str, Any]) -> None:
    for error in reply.get("errors") or ():
        said = {str(error.get("category")), str(error.get("subCategory") or "").rpartition(".")[2]}
        if said.isdisjoint(_NONE):
            raise RetryLater(
                f"HubSpot could not read some associations ({error.get('category')}); the next run asks again"
            )


def _require_progress(places: set[tuple[str, str]], place: tuple[str, str]) -> None:
    if place in places:
        raise RetryLater("HubSpot's pages of associations do not advance; the next run asks again")
    places.add(place)
