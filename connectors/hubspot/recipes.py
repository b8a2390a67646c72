"""Columns that are more than one property: what HubSpot keeps apart, or tells of the stage instead of the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from config.records import MONEY, STAMP
from connectors.hubspot.casting import soft, text_array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors.hubspot.plans import Facts
    from connectors.hubspot.records import Cells
    from connectors.hubspot.stages import Stage

    # The cells of the rows, what the portal is like, and the property behind the column ("" if it lacks that).
    Make = Callable[[Cells, Facts, str], pa.Array]

_DONE = "COMPLETED"
_SALES = "sales_quota"
_MILLISECOND = pa.scalar(1, pa.duration("ms"))


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a column is made. `also` are the properties it needs beside the one behind it."""

    make: Make
    also: tuple[str, ...] = ()


def labelled(cells: pa.Array, labels: Mapping[str, str]) -> pa.Array:
    """Labels in the place of values; several values of one cell are each put into words."""
    if not labels or pa.types.is_binary(cells.type):
        return cells
    coded = cells.dictionary_encode()
    words = [_label(value, labels) for value in coded.dictionary.to_pylist()]
    return pa.array(words, pa.string()).take(coded.indices)


def _label(value: str, labels: Mapping[str, str]) -> str:
    if value in labels or ";" not in value:
        return labels.get(value, value)
    return ";".join(labels.get(part, part) for part in value.split(";"))


def percent(cells: pa.Array) -> pa.Array:
    """Fractions as percent. Binary expansions of a few decimals are rounded back."""
    return pc.round(pc.multiply(soft(pa.float64(), cells), 100.0), 6)


# Deals and tickets.


def _of_stage(
    cells: pa.Array, found: list[Stage], told: Callable[[Stage], object], kind: pa.DataType
) -> pa.Array:
    """What the stage of each row tells; null where the stage is gone."""
    facts = {stage.id: told(stage) for stage in found}
    coded = cells.dictionary_encode()
    return pa.array([facts.get(value) for value in coded.dictionary.to_pylist()], kind).take(coded.indices)


def _stage(cells: Cells, facts: Facts, name: str) -> pa.Array:
    return labelled(cells.of(name), {stage.id: stage.label for stage in facts.stages("deals")})


def _probability(cells: Cells, facts: Facts, name: str) -> pa.Array:
    own = percent(cells.of(name))
    sane = pc.and_(pc.greater_equal(own, 0.0), pc.less_equal(own, 100.0))
    of_stage = _of_stage(
        cells.words("dealstage"), facts.stages("deals"), lambda stage: stage.probability, pa.float64()
    )
    return pc.coalesce(pc.if_else(sane, own, None), of_stage)


def _is_closed(cells: Cells, facts: Facts, name: str) -> pa.Array:
    of_stage = _of_stage(
        cells.words("dealstage"), facts.stages("deals"), lambda stage: stage.closed, pa.bool_()
    )
    return pc.coalesce(soft(pa.bool_(), cells.of(name)), of_stage)


def _is_won(cells: Cells, facts: Facts, name: str) -> pa.Array:
    of_stage = _of_stage(cells.words("dealstage"), facts.stages("deals"), lambda stage: stage.won, pa.bool_())
    return pc.coalesce(soft(pa.bool_(), cells.of(name)), of_stage)


def _stage_changed_at(cells: Cells, facts: Facts, name: str) -> pa.Array:
    """When the current stage was entered; portals that do not tell it have a property for each stage."""
    if name:
        return cells.of(name)
    current = cells.words("dealstage")
    found = pa.nulls(cells.rows, pa.string())
    for stage in facts.stages("deals"):
        entered = f"hs_v2_date_entered_{stage.id}"
        if cells.has(entered):
            found = pc.if_else(pc.equal(current, stage.id), cells.words(entered), found)
    return soft(STAMP, found)


def _amount(cells: Cells, facts: Facts, name: str) -> pa.Array:
    """In the portal's own currency: sums over deals mean nothing in several."""
    if name != "amount_in_home_currency":
        return cells.of(name)
    code = pc.fill_null(cells.words("deal_currency_code"), facts.home_currency)
    at_home = pc.if_else(pc.equal(code, facts.home_currency), cells.words("amount"), None)
    return pc.coalesce(cells.of(name), at_home.cast(cells.of(name).type))


def _currency(cells: Cells, facts: Facts, _: str) -> pa.Array:
    """That of `amount`, which is the portal's own in every row."""
    return text_array([facts.home_currency or None] * cells.rows)


def _recurring_revenue(cells: Cells, _: Facts, name: str) -> pa.Array:
    monthly = soft(MONEY, cells.of("hs_mrr"))
    yearly = pc.multiply(monthly, pa.scalar(12, pa.decimal128(2, 0))).cast(MONEY, safe=False)
    return pc.coalesce(soft(MONEY, cells.of(name)), yearly)


# The others.


# States by which an activity says that nobody met or was reached; a call is logged without any.
_FELL_THROUGH = {
    "hs_call_status": (
        "BUSY", "CALLING_CRM_USER", "CANCELED", "CONNECTING", "FAILED", "MISSED", "NO_ANSWER", "QUEUED", "RINGING",
    ),
    "hs_email_status": ("BOUNCED", "FAILED", "SCHEDULED", "SENDING"),
    "hs_meeting_outcome": ("CANCELED", "NO_SHOW", "RESCHEDULED"),
}  # fmt: skip


def _day_of(state: str) -> Recipe:
    def day(cells: Cells, _: Facts, name: str) -> pa.Array:
        """The moment of an activity, unless its state says that it fell through."""
        failed = pc.is_in(cells.words(state), pa.array(_FELL_THROUGH[state]))
        return pc.if_else(failed, pa.scalar(None, cells.of(name).type), cells.of(name))

    return Recipe(day, (state,))


def _pipeline(cells: Cells, facts: Facts, name: str) -> pa.Array:
    return labelled(cells.of(name), facts.pipelines("deals"))


def _task_is_closed(cells: Cells, _: Facts, name: str) -> pa.Array:
    return pc.fill_null(pc.equal(cells.words(name), _DONE), fill_value=False)


def _case_is_closed(cells: Cells, facts: Facts, name: str) -> pa.Array:
    of_stage = _of_stage(
        cells.words("hs_pipeline_stage"), facts.stages("tickets"), lambda stage: stage.closed, pa.bool_()
    )
    return pc.coalesce(soft(pa.bool_(), cells.of(name)), of_stage)


def _cost(cells: Cells, _: Facts, name: str) -> pa.Array:
    """HubSpot keeps the cost of one piece."""
    each = soft(pa.float64(), cells.of(name))
    whole = pc.multiply(each, soft(pa.float64(), cells.of("quantity")))
    return soft(MONEY, pc.round(whole, 2).cast(pa.string()))


def _quota(cells: Cells, _: Facts, name: str) -> pa.Array:
    """What is to be sold: a goal may also be a number of calls or of tickets."""
    kind = cells.words("hs_goal_type")
    sold = pc.fill_null(pc.equal(kind, _SALES), fill_value=True)
    return pc.if_else(sold, cells.of(name), pa.scalar(None, cells.of(name).type))


def _period_day(*, last: bool) -> Recipe:
    """The first or last day of a period, whose end may be its last moment or the first one after it.

    HubSpot's own examples bound periods by midnights of UTC, whatever zone the portal is in: such a midnight is a
    day by itself.
    """

    def day(cells: Cells, facts: Facts, name: str) -> pa.Array:
        moments = soft(STAMP, cells.of(name))
        inside = pc.subtract(moments, _MILLISECOND) if last else moments
        # The last moment of a day may be its last second, or its last millisecond.
        edge = pc.round_temporal(inside, unit="minute")
        local = pc.local_timestamp(inside.cast(pa.timestamp("ms", tz=facts.timezone)))
        midnight = pc.equal(edge, pc.floor_temporal(edge, unit="day"))
        in_utc = pc.local_timestamp(inside)
        return pc.if_else(midnight, in_utc, local).cast(pa.date32(), safe=False)

    return Recipe(day)


def _team(cells: Cells, facts: Facts, name: str) -> pa.Array:
    return labelled(cells.of(name), facts.teams)


RECIPES: dict[tuple[str, str], Recipe] = {
    ("opportunity", "stage"): Recipe(_stage),
    ("opportunity", "pipeline"): Recipe(_pipeline),
    ("opportunity", "probability"): Recipe(_probability, ("dealstage",)),
    ("opportunity", "is_closed"): Recipe(_is_closed, ("dealstage",)),
    ("opportunity", "is_won"): Recipe(_is_won, ("dealstage",)),
    ("opportunity", "stage_changed_at"): Recipe(_stage_changed_at, ("dealstage",)),
    ("opportunity", "amount"): Recipe(_amount, ("amount", "deal_currency_code")),
    ("opportunity", "currency"): Recipe(_currency),
    ("opportunity", "recurring_revenue"): Recipe(_recurring_revenue, ("hs_mrr",)),
    ("task", "is_closed"): Recipe(_task_is_closed),
    ("case", "is_closed"): Recipe(_case_is_closed, ("hs_pipeline_stage",)),
    ("line_item", "cost"): Recipe(_cost, ("quantity",)),
    ("quota", "team"): Recipe(_team),
    ("quota", "amount"): Recipe(_quota, ("hs_goal_type",)),
    ("quota", "start"): _period_day(last=False),
    ("quota", "end"): _period_day(last=True),
    ("call", "day"): _day_of("hs_call_status"),
    ("email", "day"): _day_of("hs_email_status"),
    ("meeting", "day"): _day_of("hs_meeting_outcome"),
}
