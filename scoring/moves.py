"""What would move a record up: its inputs changed one at a time, each scored against the same book."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import TIERS
from scoring.arithmetic.columns import whole
from scoring.arithmetic.texts import date_text, money, plain
from scoring.placing.cutoffs import begins
from scoring.placing.tiers import by_cutoff
from scoring.reading.features import Features, day_number
from scoring.tags import tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scoring.tags import Tagged

    Row = dict[str, Any]

_SOON = 30  # days
_LATELY = 7  # days: what moved since then cannot move much sooner
_GOOD_MARGIN, _GOOD_CHANCE = 40.0, 75  # percent


@dataclass(frozen=True, slots=True)
class Move:
    """One change, the points that it would add to the priority, and the tier that this would give."""

    text: str
    points: int
    tier: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """The next better tier, the points missing to its cut-off (None: nothing reaches one), and moves, best first."""

    tier: str | None
    missing: int | None
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of a deal that a rep can work for: what columns become, where it applies."""

    text: Callable[[int], str]
    values: Callable[[int], Row]
    applies: Callable[[Row, int], bool]


def _later_than(days: int | None, limit: int) -> bool:
    return days is None or days > limit


_DEAL_CHANGES = (
    _Change(
        lambda today: f"close date within {_SOON} days ({date_text(today + _SOON, today)})",
        lambda today: {"close_day": today + _SOON},
        lambda deal, today: _later_than(deal["close_day"], today + _SOON) or deal["close_day"] < today,
    ),
    _Change(
        lambda _: f"a stage with a {_GOOD_CHANCE} % chance",
        lambda _: {"probability": _GOOD_CHANCE},
        lambda deal, _: not (deal["probability"] or 0) >= _GOOD_CHANCE,
    ),
    _Change(
        lambda _: "a step forward now: a meeting, a call, the next stage",
        lambda today: {"moved_day": today},
        lambda deal, today: deal["moved_day"] is not None and deal["moved_day"] < today - _LATELY,
    ),
    _Change(
        lambda _: f"a margin of {_GOOD_MARGIN:g} %, filled in",
        lambda _: {"margin": _GOOD_MARGIN},
        lambda deal, _: deal["margin"] is None,
    ),
    _Change(
        lambda today: f"a need-by date within {_SOON} days ({date_text(today + _SOON, today)}), filled in",
        lambda today: {"need_day": today + _SOON},
        lambda deal, today: _later_than(deal["need_day"], today + _SOON) or deal["need_day"] < today,
    ),
    _Change(
        lambda _: "the pain behind the deal, filled in",
        lambda _: {"pain": True},
        lambda deal, _: not deal["pain"],
    ),
)


def outlook(tagged: Tagged, record_id: str) -> Outlook | None:
    """What would raise an account or an open deal of this bucket; None for an unknown or unscored record.

    Only what raises the score is told. A record that a person has pinned, or left alone, moves with that person's
    word: its outlook is what the score would do.
    """
    found = _Record.of(tagged, record_id)
    if found is None or found.score is None:
        return None
    moves = sorted(found.moves(), key=lambda move: -move.points)
    tier, missing = found.next_tier()
    return Outlook(tier, missing, tuple(moves))


@dataclass(frozen=True, slots=True)
class _Record:
    """One record with its account's features alone: everything else that it needs is in the book."""

    object: str
    id: str
    features: Features
    tagged: Tagged
    deal: int  # row of the deal whose changes are tried, -1 if there is none
    score: int | None

    @classmethod
    def of(cls, tagged: Tagged, record_id: str) -> _Record | None:
        account = pc.index(tagged.accounts["id"], record_id).as_py()
        if account >= 0:
            features = _alone(tagged.scored.features, account)
            best = int(tagged.scored.best.row[account])
            ids = tagged.scored.features.deals["id"]
            deal = -1 if best < 0 else pc.index(features.deals["id"], ids[best]).as_py()
            return cls("account", record_id, features, tagged, deal, _score(tagged.accounts, account))
        row = pc.index(tagged.opportunities["id"], record_id).as_py()
        if row < 0:
            return None
        home = int(whole(tagged.scored.features.deals, "account_row")[row])
        features = _alone(tagged.scored.features, home, row)
        deal = pc.index(features.deals["id"], record_id).as_py()
        return cls("opportunity", record_id, features, tagged, deal, _score(tagged.opportunities, row))

    def moves(self) -> Iterator[Move]:
        today = day_number(self.tagged.today)
        if self.deal < 0:
            yield from self._tried(*self._with_a_deal(today))
            return
        deal = self.features.deals.slice(self.deal, 1).to_pylist()[0]
        name = f"{plain(deal['name'] or 'its best deal', 60)}: " if self.object == "account" else ""
        for change in _DEAL_CHANGES:
            if change.applies(deal, today):
                deals = _changed(self.features.deals, self.deal, change.values(today))
                yield from self._tried(name + change.text(today), replace(self.features, deals=deals))

    def _tried(self, text: str, features: Features) -> Iterator[Move]:
        tagged = self.tagged
        after = tag(features, tagged.book, None, tagged.rules, tagged.today)
        rows = after.accounts if self.object == "account" else after.opportunities
        row = pc.index(rows["id"], self.id).as_py()
        score = _score(rows, row)
        if score is not None and self.score is not None and score > self.score:
            yield Move(text, score - self.score, rows["foretag_tier"][row].as_py())

    def _with_a_deal(self, today: int) -> tuple[str, Features]:
        """The account with a new deal of its usual size."""
        cents = self.tagged.book.basket
        size = f" of {money(np.array([cents]), '{}').table[0]}" if cents >= 100 else ""  # one unit of money
        schema = self.features.deals.schema
        given = {
            "id": "", "account_row": 0, "owner_active": True, "closed": False, "pushes": 0, "pain": False,
            "cents": round(cents) or None, "close_day": today + _SOON, "moved_day": today, "created_day": today,
        }  # fmt: skip
        flags = {field.name: False for field in schema if pa.types.is_boolean(field.type)}
        numbers = {"fingerprint": 0}
        row = {name: value for name, value in (flags | numbers | given).items() if name in schema.names}
        deal = pa.Table.from_pylist([row], schema=schema)
        deals = pa.concat_tables([self.features.deals, deal])
        text = f"an open deal{size} that closes within {_SOON} days"
        return text, replace(self.features, deals=deals)

    def next_tier(self) -> tuple[str | None, int | None]:
        """The tier above that of the score, and what is missing to its cut-off."""
        rows = self.tagged.accounts if self.object == "account" else self.tagged.opportunities
        known = self.tagged.book.cutoffs.get(self.object, {})
        enter, _ = begins(self.object, self.tagged.scored.features, self.tagged.rules, known)
        tiers = by_cutoff(np.arange(101), enter[:, [pc.index(rows["id"], self.id).as_py()]])
        better = np.flatnonzero(tiers < tiers[self.score])
        if not len(better):
            return None, None
        lowest = int(better[0])
        return TIERS[tiers[lowest]], lowest - int(self.score or 0)


def _score(rows: pa.Table, row: int) -> int | None:
    found: int | None = rows["foretag_score"][row].as_py()
    return found


def _alone(features: Features, account: int, deal: int = -1) -> Features:
    """The features of one account and its deals; of a deal without an account, those of the deal."""
    rows = whole(features.deals, "account_row")
    mine = np.flatnonzero(rows == account) if account >= 0 else np.array([deal])
    deals = features.deals.take(pa.array(mine))
    home = np.full(len(mine), 0 if account >= 0 else -1)
    place = deals.schema.get_field_index("account_row")
    accounts = features.accounts.slice(max(account, 0), 1 if account >= 0 else 0)
    return replace(
        features, accounts=accounts, deals=deals.set_column(place, deals.schema.field(place), pa.array(home))
    )


def _changed(deals: pa.Table, row: int, values: Row) -> pa.Table:
    """The table with other values in one row."""
    here = pa.array(np.arange(deals.num_rows) == row)
    for name, value in values.items():
        if name in deals.column_names:
            field = deals.schema.field(name)
            column = pc.if_else(here, pa.scalar(value, field.type), deals[name])
            deals = deals.set_column(deals.schema.get_field_index(name), field, column)
    return deals
