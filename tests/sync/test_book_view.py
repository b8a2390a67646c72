"""The book as managers look at it: each list holds whom it says, in the order that it says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from config.problems import ConfigProblem
from config.rules import Rules
from sync.book.view import BookView, view_book
from sync.store.tags import TagStore
from tests.sync.loading import loaded

TODAY = date(2026, 11, 22)


def _account(name: str, owner: str | None, **columns: Any) -> dict[str, Any]:
    return {
        "id": name,
        "name": name.title(),
        "owner_id": owner,
        "industry": "Retail",
        "employees": 20,
        **columns,
    }


def _won(account: str, ago: int, amount: int) -> dict[str, Any]:
    day = TODAY - timedelta(days=ago)
    return {
        "id": f"{account}-{ago}", "account_id": account, "owner_id": "ann", "stage": "Won", "is_closed": True,
        "is_won": True, "amount": Decimal(amount), "close_date": day,
        "created_at": datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=30),
    }  # fmt: skip


def _open(account: str, owner: str, amount: int) -> dict[str, Any]:
    return {
        "id": f"{account}-open", "account_id": account, "owner_id": owner, "stage": "Proposal", "is_closed": False,
        "is_won": False, "amount": Decimal(amount), "probability": 50.0, "close_date": TODAY + timedelta(days=20),
        "created_at": datetime(2026, 11, 1, tzinfo=UTC),
    }  # fmt: skip


@pytest.fixture
def view(tmp_path) -> BookView:
    """Ann has a whale, a regular and a prospect; Bob, who left, has a promise; nobody has an orphan."""
    owners = [
        {"id": "ann", "name": "Ann", "active": True},
        {"id": "bob", "name": "Bob", "active": False},
    ]
    promise = {"foretag_growth_plan": Decimal(90_000), "foretag_growth_plan_by": TODAY + timedelta(days=90)}
    accounts = [
        _account("whale", "ann"), _account("regular", "ann"), _account("prospect", "ann"),
        _account("hopeful", "bob", **promise), _account("orphan", None, **promise),
    ]  # fmt: skip
    deals = [
        _won("whale", 40, 80_000),
        *(_won("regular", ago, 1_000) for ago in range(20, 360, 20)),
        *(_won(name, ago, 2_000) for name in ("hopeful", "orphan") for ago in (30, 130, 230)),
        _open("prospect", "ann", 10_000),
    ]
    quota = [{"id": "q", "owner_id": "ann", "amount": Decimal(20_000), "start": TODAY, "end": TODAY}]
    mirror = loaded(tmp_path / "mirror", owner=owners, account=accounts, opportunity=deals, quota=quota)
    rules = Rules.model_validate(
        {"read": ["quota"], "growth": {"base": 0}, "coverage": {"accounts_per_owner": 2}}
    )
    return view_book(mirror, TagStore(tmp_path / "tags"), rules, TODAY)


def test_the_largest_spender_comes_first_with_its_share_of_the_book(view):
    """Shares are of the owner's and of the company's spend of the last year."""
    first = view.spend_most().iloc[0]
    assert first["name"] == "Whale"
    assert first["of_owner"] == pytest.approx(100 * 80_000 / 97_000)
    assert first["of_company"] == pytest.approx(100 * 80_000 / 109_000)
    assert "Whale" in set(view.too_much_on_one()["name"])


def test_who_buys_most_often_is_not_who_spends_most(view):
    """One large purchase is no rhythm."""
    often = view.buy_most_often()
    assert often["name"].iloc[0] == "Regular"
    assert "Whale" not in set(often["name"])


def test_high_potential_without_a_working_owner_is_listed_with_what_is_wrong(view):
    """An account of nobody, one of somebody who left, and those of somebody with too many."""
    gaps = view.uncovered().set_index("name")["gap"]
    assert gaps.tolist()[:2] == [
        "no owner",
        "owner is not active",
    ]  # the worst first, whoever could grow more
    assert gaps["Orphan"] == "no owner"
    assert gaps["Hopeful"] == "owner is not active"
    assert {gap for name, gap in gaps.items() if name not in ("Orphan", "Hopeful")} <= {
        "owner has too many accounts"
    }


def test_growers_are_told_with_what_lets_them_grow(view):
    """A promise raises growth potential, and is named."""
    growing = view.could_grow().set_index("name")
    assert growing.loc["Hopeful", "driver"] == "growth plan"


def test_owners_are_told_with_load_and_pipeline_against_quota(view):
    """Three accounts where two can be looked after; weighted pipeline in percent of the quota of today's period."""
    ann = view.owners.set_index("owner_id").loc["ann"]
    assert (ann["accounts"], ann["load"]) == (3, 150)
    assert ann["pipeline"] == 10_000
    assert ann["reached"] == pytest.approx(100 * ann["weighted"] / 20_000)
    assert 0 < ann["weighted"] < 10_000
    assert view.owners.set_index("owner_id")["reached"].isna()["bob"]


def test_one_owners_book_is_found_by_name_or_id(view):
    """Names in any case; what is not one owner is told with what was meant."""
    assert set(view.of("BOB").accounts["name"]) == {"Hopeful"}
    assert set(view.of("ann").accounts["owner_id"]) == {"ann"}
    with pytest.raises(ConfigProblem, match='did you mean "Bob"'):
        view.of("Bobb")


def test_a_book_of_nothing_is_told_too(tmp_path):
    """No account, no owner: no list has rows, and nothing breaks."""
    empty = view_book(loaded(tmp_path / "mirror"), TagStore(tmp_path / "tags"), Rules(), TODAY)
    assert all(rows == [] for rows in empty.as_dict(10).values())
