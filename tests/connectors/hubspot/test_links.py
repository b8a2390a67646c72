"""Associations by the thousand: pages, refusals of the size, and a wire that spells ids in two ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import responses

from connectors.contract import RecordRefused, RetryLater
from connectors.hubspot.fields import Link
from connectors.hubspot.links import Links
from tests.connectors.hubspot.callers import Played

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READ = "POST deals/companies/batch/read"
COMPANIES = Link("companies", primary=5)


def entry(to: int | str, *types: int) -> dict[str, Any]:
    """One association."""
    return {
        "toObjectId": to,
        "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": one, "label": None} for one in types],
    }


def result(name: str, *entries: dict[str, Any], after: str = "") -> dict[str, Any]:
    """The associations of one record, or a page of them."""
    paging = {"paging": {"next": {"after": after}}} if after else {}
    return {"from": {"id": name}, "to": list(entries), **paging}


def chosen(answer: Callable[[Mapping[str, Any]], Any], ids: list[str]) -> tuple[dict[str, str], Played]:
    """What is chosen for these ids when HubSpot answers so."""
    played = Played({READ: answer})
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        played.register(mock)
        return Links(played.api()).chosen("deals", COMPANIES, ids), played


def test_an_id_is_text_whether_it_comes_as_a_number_or_as_text() -> None:
    """The documents say text, the servers send numbers."""
    results = [result("1", entry(512, 5)), result("2", entry("513", 341))]
    found, _ = chosen(lambda _: (200, {"results": results}), ["1", "2"])
    assert found == {"1": "512", "2": "513"}


def test_the_lowest_number_is_chosen_and_not_the_first_text() -> None:
    """99 comes before 512, which text would not say."""
    results = [result("1", entry(512, 341), entry(99, 341)), result("2", entry(99, 341), entry(512, 341, 5))]
    found, _ = chosen(lambda _: (200, {"results": results}), ["1", "2"])
    assert found == {"1": "99", "2": "512"}


def test_the_associations_of_one_record_may_come_in_pages() -> None:
    """Only that record is asked for again, from where its page ended."""

    def answer(body: Mapping[str, Any]) -> Any:
        if body["inputs"] == [{"id": "1", "after": "x"}]:
            return 200, {"results": [result("1", entry(7, 5))]}
        return 200, {"results": [result("1", entry(3, 341), after="x"), result("2", entry(4, 341))]}

    found, played = chosen(answer, ["1", "2"])
    assert found == {"1": "7", "2": "4"}
    assert len(played.asked) == 2


def test_pages_that_do_not_advance_are_not_followed_for_ever() -> None:
    """The same place twice ends it."""
    with pytest.raises(RetryLater, match="do not advance"):
        chosen(lambda _: (200, {"results": [result("1", entry(3, 341), after="x")]}), ["1"])


def test_a_record_without_associations_may_be_absent_or_an_error() -> None:
    """Neither is a fault."""
    errors = [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        }
    ]
    found, _ = chosen(lambda _: (207, {"results": [], "numErrors": 1, "errors": errors}), ["1", "2"])
    assert found == {}


def test_another_error_is_not_taken_for_no_associations() -> None:
    """A deal that lost its company by a hiccup would be scored as somebody else's."""
    errors = [{"status": "error", "category": "INTERNAL_ERROR"}]
    with pytest.raises(RetryLater, match="INTERNAL_ERROR"):
        chosen(lambda _: (207, {"results": [], "errors": errors}), ["1"])


def test_the_size_of_a_call_is_halved_until_hubspot_takes_it() -> None:
    """The limit was changed under users before; every id is still asked for, once it fits."""

    def answer(body: Mapping[str, Any]) -> Any:
        ids = [one["id"] for one in body["inputs"]]
        if len(ids) > 300:
            return 400, {"status": "error", "category": "VALIDATION_ERROR", "message": "too many inputs"}
        return 200, {"results": [result(name, entry(int(name) + 1, 5)) for name in ids]}

    ids = [str(number) for number in range(1, 1001)]
    found, played = chosen(answer, ids)
    assert found == {name: str(int(name) + 1) for name in ids}
    assert [len(body["inputs"]) for _, body in played.asked] == [1000, 500, 250, 250, 250, 250]


def test_a_refusal_that_is_not_about_the_size_ends_at_one_record() -> None:
    """Halving does not go on for ever."""
    refusal = {"status": "error", "category": "VALIDATION_ERROR", "message": "no such type"}
    with pytest.raises(RecordRefused):
        chosen(lambda _: (400, refusal), ["1", "2", "3"])
