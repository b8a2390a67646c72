"""The guards in business terms: what one run may move of a tier, of an owner's book, and of the open amount."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pyarrow as pa
import pytest

from config.crms import CRMS
from config.settings import Limits
from sync.writing.plan import TASK_CHANGE_SCHEMA, TASK_SCHEMA, Plan
from sync.writing.tier_guards import tier_objections
from tests.sync.loading import loaded

_CHANGES = pa.schema(
    [
        ("id", pa.string()),
        ("owner_id", pa.string()),
        ("foretag_tier", pa.string()),
        ("foretag_reason", pa.string()),
        ("clear", pa.list_(pa.string())),
        ("old_foretag_tier", pa.string()),
    ]
)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """Forty accounts and forty deals, ten of each tier in turn: 0 to 9 are A; deals are worth 1,000 each."""
    owners = [{"id": "ann", "name": "Ann Example", "active": True}]
    accounts = [{"id": f"{n}", "foretag_tier": "ABCD"[n // 10]} for n in range(40)]
    deals = [one | {"amount": Decimal(1000), "account_id": one["id"]} for one in accounts]
    return loaded(tmp_path_factory.mktemp("book"), owner=owners, account=accounts, opportunity=deals)


def _moved(
    number: int, old: str | None, new: str | None, owner: str | None = "ann", *, over: bool = False
) -> list:
    """So many records of a tier that get another; null: none."""
    first = 10 * "ABCD".index(old) if old else 100
    clear = [] if new else ["foretag_tier", *(["foretag_reason"] if over else [])]
    return [
        {
            "id": f"{first + n}",
            "owner_id": owner,
            "foretag_tier": new,
            "clear": clear,
            "old_foretag_tier": old,
        }
        for n in range(number)
    ]


def _objections(mirror, limits, account=(), opportunity=()):
    """What is said of a plan of these moves."""
    kept = {"account": account, "opportunity": opportunity}
    changes = {
        name: pa.Table.from_pylist([row for move in moves for row in move], schema=_CHANGES)
        for name, moves in kept.items()
    }
    plan = Plan(changes, TASK_SCHEMA.empty_table(), TASK_CHANGE_SCHEMA.empty_table(), (), {}, lambda *_: None)
    connection = SimpleNamespace(limits=Limits.model_validate(limits))
    return list(
        tier_objections(SimpleNamespace(connection=connection, mirror=mirror, crm=CRMS["hubspot"]), plan)
    )


def test_no_more_of_a_tier_changes_than_its_share(mirror):
    """Who leaves it and who comes into it both count, companies and deals apart; other tiers do not."""
    limits = {"max_tier_changes": {"A": 60}}
    six = [_moved(4, "A", "B"), _moved(2, "B", "A")]
    assert _objections(mirror, limits, account=six, opportunity=six) == []
    seven = [*six, _moved(1, "C", "A")]
    assert _objections(mirror, limits, account=six, opportunity=seven) == [
        "of 10 deals in tier A, 4 would leave it and 3 come into it, more than 60 % (`limits.max_tier_changes`)"
    ]
    assert _objections(mirror, {"max_tier_changes": {"D": 0}}, account=seven) == []


def test_a_few_records_are_not_a_share(mirror):
    """One of ten is no 10 % that anybody should be called for."""
    assert _objections(mirror, {"max_tier_changes": {"A": 1}}, account=[_moved(4, "A", "B")]) == []
    assert _objections(mirror, {"max_tier_changes": {"A": 1}}, account=[_moved(5, "A", "B")]) != []


def test_no_owner_gains_more_than_his_share(mirror):
    """What comes less what goes, by name; nobody is an owner, too."""
    limits = {"max_gained": {"A": 3}}
    five = [_moved(5, "B", "A"), _moved(2, "A", "C"), _moved(4, "C", "A", "0051")]
    assert _objections(mirror, {"max_gained": {"A": 4}}, account=five) == []
    nobody = _moved(10, "D", "A", None)
    assert _objections(mirror, limits, account=[*five, nobody], opportunity=[nobody]) == [
        "more than 3 companies of tier A would be gained by nobody (10), 0051 (4) (`limits.max_gained`)"
    ]
    many = [_moved(1, "B", "A", f"rep{n}") for n in range(7)]
    (said,) = _objections(mirror, {"max_gained": {"A": 0}}, account=many)
    assert "rep4 (1) and 2 others" in said


def test_the_open_amount_of_a_tier_does_not_jump(mirror):
    """Up or down, before against after; what comes and goes alike is no move."""
    limits = {"max_amount_moved": {"A": 20}}
    two = [_moved(2, "B", "A")]
    assert _objections(mirror, limits, opportunity=two) == []
    assert _objections(mirror, limits, opportunity=[_moved(3, "B", "A")]) == [
        (
            "the open amount in tier A would go from 10,000 to 13,000 (+30.0 %), by more than 20 %"
            " (`limits.max_amount_moved`)"
        )
    ]
    assert "(-50.0 %)" in _objections(mirror, limits, opportunity=[_moved(5, "A", None)])[0]
    assert _objections(mirror, limits, opportunity=[_moved(5, "A", "B"), _moved(5, "B", "A")]) == []


def test_a_first_tier_and_a_deal_that_is_over_are_no_moves(mirror):
    """A first rollout in parts is limited by its size alone, and a good week of won deals stops nobody."""
    limits = {"max_tier_changes": {"A": 1}, "max_gained": {"A": 0}, "max_amount_moved": {"A": 1}}
    first = [_moved(40, None, "A")]
    assert _objections(mirror, limits, account=first, opportunity=first) == []
    assert _objections(mirror, limits, opportunity=[_moved(8, "A", None, over=True)]) == []
    assert len(_objections(mirror, limits, opportunity=[_moved(8, "A", None)])) == 2


def test_a_plan_that_leaves_tiers_alone_moves_none(mirror):
    """One that was asked for other fields only has no such columns."""
    changes = {
        "account": pa.table({"id": ["1"], "clear": [[]], "foretag_reason": ["new"]}),
        "opportunity": None,
    }
    plan = SimpleNamespace(changes=changes)
    limits = Limits.model_validate(
        {"max_tier_changes": {"A": 0}, "max_gained": {"A": 0}, "max_amount_moved": {"A": 0}}
    )
    job = SimpleNamespace(connection=SimpleNamespace(limits=limits), mirror=mirror, crm=CRMS["hubspot"])
    assert list(tier_objections(job, plan)) == []
