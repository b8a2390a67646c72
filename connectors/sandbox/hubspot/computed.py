"""Values that HubSpot works out itself, at the moment somebody reads them."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot import revenue
from connectors.sandbox.hubspot.activities import ACTIVITY_PROPERTIES, activity_value
from connectors.sandbox.hubspot.amounts import plain
from connectors.sandbox.hubspot.association_types import CHILD_TO_PARENT, PARENT_TO_CHILD
from connectors.sandbox.hubspot.records import LIVING
from connectors.sandbox.hubspot.schema import STAGE_PROPERTIES
from connectors.sandbox.hubspot.stamps import DAY, parse_stamp, wire_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connectors.sandbox.hubspot.state import State


def flag(value: bool) -> str:  # noqa: FBT001 (a converter)
    """A truth as HubSpot writes it."""
    return "true" if value else "false"


class Computed:
    """The computed properties of one portal, as functions of a row."""

    def __init__(self, state: State) -> None:
        self._state = state

    def getter(self, type_name: str, name: str) -> Callable[[int], str | None] | None:
        """The function for a property, or None for one that is stored."""
        system = _SYSTEM.get(name)
        if system is not None and name != self._state.schema.types[type_name].created_property:
            return partial(system, self._state, type_name)
        if name == self._state.schema.types[type_name].created_property:
            return partial(_created, self._state, type_name)
        found = _BY_TYPE.get(type_name, {}).get(name)
        if found is not None:
            return partial(found, self._state)
        if name in ACTIVITY_PROPERTIES and type_name in {"companies", "deals", "contacts", "tickets"}:
            return partial(activity_value, self._state, type_name, name)
        if type_name in STAGE_PROPERTIES and name.startswith(_TIME_IN):
            return partial(_time_in, self._state, type_name, name.removeprefix(_TIME_IN))
        return None


# Of all types.


def _object_id(state: State, type_name: str, row: int) -> str | None:
    return str(state.tables[type_name].ids[row])


def _created(state: State, type_name: str, row: int) -> str | None:
    return wire_stamp(state.tables[type_name].created[row])


def _modified(state: State, type_name: str, row: int) -> str | None:
    return wire_stamp(state.tables[type_name].modified[row])


def _source(state: State, type_name: str, row: int) -> str | None:
    return state.tables[type_name].value(row, "hs_object_source") or "CRM_UI"


def _source_label(state: State, type_name: str, row: int) -> str | None:
    return state.tables[type_name].value(row, "hs_object_source_label") or "CRM_UI"


def _team(state: State, type_name: str, row: int) -> str | None:
    return state.owners.team_of(state.tables[type_name].value(row, "hubspot_owner_id"))


def _all_owners(state: State, type_name: str, row: int) -> str | None:
    records = state.tables[type_name]
    owner, others = (
        records.value(row, name) for name in ("hubspot_owner_id", "hs_all_collaborator_owner_ids")
    )
    ids = dict.fromkeys(one for one in (owner, *(others or "").split(";")) if one)
    return ";".join(ids) or None


_SYSTEM: Mapping[str, Any] = {
    "hs_object_id": _object_id,
    "hs_createdate": _created,
    "hs_lastmodifieddate": _modified,
    "lastmodifieddate": _modified,
    "hs_object_source": _source,
    "hs_object_source_label": _source_label,
    "hubspot_team_id": _team,
    "hs_all_team_ids": _team,
    "hs_all_owner_ids": _all_owners,
}

_TIME_IN = "hs_v2_latest_time_in_"


def _time_in(state: State, type_name: str, stage_id: str, row: int) -> str | None:
    records = state.tables[type_name]
    entered = _stamp(records.value(row, f"hs_v2_date_entered_{stage_id}"))
    if entered is None:
        return None
    left = _stamp(records.value(row, f"hs_v2_date_exited_{stage_id}"))
    return str((state.now() if left is None else left) - entered)


def _stamp(text: str | None) -> int | None:
    return None if text is None else parse_stamp(text)


def linked(state: State, start: str, end: str, row: int) -> Iterator[int]:
    """Rows of the living records of another type that a record is associated with."""
    there = state.tables[end]
    for record_id in state.links.of(start, end, state.tables[start].ids[row]):
        other = there.row_of(record_id)
        if there.state[other] == LIVING:
            yield other


def _count(start: str, end: str) -> Any:
    def count(state: State, row: int) -> str:
        return str(sum(1 for _ in linked(state, start, end, row)))

    return count


# Of deals.


def _of_stage(told: Callable[[Any], str]) -> Any:
    def value(state: State, row: int) -> str | None:
        stage = state.stage_of("deals", row)
        return None if stage is None else told(stage)

    return value


def _lost(stage: Any) -> str:
    return flag(stage.is_closed and not stage.is_won)


def _days_to_close(state: State, row: int) -> str | None:
    records = state.tables["deals"]
    closed = _stamp(records.value(row, "closedate"))
    return None if closed is None else str(max(closed - records.created[row], 0) // DAY)


def _home_amount(state: State, row: int) -> str | None:
    return plain(revenue.home_amount(state, row))


def _exchange_rate(state: State, row: int) -> str | None:
    code = state.tables["deals"].value(row, "deal_currency_code")
    if not state.exchange_rates:
        return None
    return "1.0" if code in {None, state.currency} else str(state.exchange_rates[str(code)])


def _currency(state: State, row: int) -> str | None:
    """A deal without a code is in the home currency; portals with a single one leave the code out."""
    code = state.tables["deals"].value(row, "deal_currency_code")
    return code or (state.currency if state.exchange_rates else None)


def _projected(state: State, row: int) -> str | None:
    amount, stage = revenue.home_amount(state, row), state.stage_of("deals", row)
    return None if amount is None or stage is None else plain(amount * Decimal(str(stage.probability)))


def _closed_amount(state: State, row: int) -> str | None:
    stage = state.stage_of("deals", row)
    return plain(revenue.home_amount(state, row) or Decimal(0)) if stage is not None and stage.is_won else "0"


def _entered_current(state: State, row: int) -> str | None:
    records = state.tables["deals"]
    return records.value(row, f"hs_v2_date_entered_{records.value(row, 'dealstage')}")


def _primary_company(state: State, row: int) -> str | None:
    kind = state.kinds.primary("deals", "companies")
    ids = state.links.of("deals", "companies", state.tables["deals"].ids[row])
    return next((str(one) for one, kinds in ids.items() if kind and kind.type_id in kinds), None)


def _recurring(name: str) -> Any:
    def value(state: State, row: int) -> str | None:
        return plain(revenue.of_deal(state, row, name))

    return value


# Of companies.


def _relative(kind: int) -> Any:
    def relatives(state: State, row: int) -> list[int]:
        there = state.tables["companies"]
        links = state.links.of("companies", "companies", there.ids[row])
        return [one for one, kinds in links.items() if kind in kinds and there.find(str(one)) is not None]

    return relatives


_parents, _children = _relative(CHILD_TO_PARENT), _relative(PARENT_TO_CHILD)


def _parent(state: State, row: int) -> str | None:
    found = _parents(state, row)
    return str(min(found)) if found else None


def _child_count(state: State, row: int) -> str | None:
    return str(len(_children(state, row)))


def _open_deals(state: State, row: int) -> str | None:
    stages = [state.stage_of("deals", deal) for deal in linked(state, "companies", "deals", row)]
    return str(sum(1 for stage in stages if stage is not None and not stage.is_closed))


def _first_deal(state: State, row: int) -> str | None:
    created = [state.tables["deals"].created[deal] for deal in linked(state, "companies", "deals", row)]
    return wire_stamp(min(created)) if created else None


def _won(state: State, row: int) -> list[tuple[str, int]]:
    """Close dates and rows of a company's won deals, oldest first."""
    deals = state.tables["deals"]
    found = []
    for deal in linked(state, "companies", "deals", row):
        stage = state.stage_of("deals", deal)
        if stage is not None and stage.is_won:
            found.append((deals.value(deal, "closedate") or "", deal))
    return sorted(found)


def _recent_amount(state: State, row: int) -> str | None:
    won = _won(state, row)
    return plain(revenue.home_amount(state, won[-1][1])) if won else None


def _recent_close(state: State, row: int) -> str | None:
    won = _won(state, row)
    return (won[-1][0] or None) if won else None


def _total_revenue(state: State, row: int) -> str | None:
    won = _won(state, row)
    amounts = [revenue.home_amount(state, deal) or Decimal(0) for _, deal in won]
    return plain(sum(amounts, Decimal(0))) if won else None


def _company_days_to_close(state: State, row: int) -> str | None:
    closed = [_stamp(at) for at, _ in _won(state, row) if at]
    if not closed or closed[0] is None:
        return None
    return str(max(closed[0] - state.tables["companies"].created[row], 0) // DAY)


# Of line items, tasks and tickets.


def _line_item(name: str) -> Any:
    def value(state: State, row: int) -> str | None:
        return plain(revenue.of_line_item(state, row, name))

    return value


def _task_completed(state: State, row: int) -> str | None:
    return "1" if state.tables["tasks"].value(row, "hs_task_status") == "COMPLETED" else "0"


def _ticket_closed(state: State, row: int) -> str | None:
    stage = state.stage_of("tickets", row)
    return None if stage is None else flag(stage.is_closed)


def _ticket_id(state: State, row: int) -> str | None:
    return str(state.tables["tickets"].ids[row])


_BY_TYPE: Mapping[str, Mapping[str, Any]] = {
    "deals": {
        "hs_is_closed": _of_stage(lambda stage: flag(stage.is_closed)),
        "hs_is_closed_won": _of_stage(lambda stage: flag(stage.is_won)),
        "hs_is_closed_lost": _of_stage(_lost),
        "hs_deal_stage_probability": _of_stage(lambda stage: plain(Decimal(str(stage.probability))) or "0"),
        # The number as a machine has it, to the last digit: what real portals send.
        "hs_deal_stage_probability_shadow": _of_stage(lambda stage: str(Decimal(stage.probability))),
        "days_to_close": _days_to_close,
        "amount_in_home_currency": _home_amount,
        "deal_currency_code": _currency,
        "hs_exchange_rate": _exchange_rate,
        "hs_forecast_amount": _home_amount,
        "hs_projected_amount": _projected,
        "hs_closed_amount": _closed_amount,
        "hs_v2_date_entered_current_stage": _entered_current,
        "hs_v2_time_in_current_stage": _entered_current,
        "hs_primary_associated_company": _primary_company,
        "num_associated_contacts": _count("deals", "contacts"),
        "hs_num_of_associated_line_items": _count("deals", "line_items"),
        **{name: _recurring(name) for name in ("hs_mrr", "hs_arr", "hs_acv", "hs_tcv")},
    },
    "companies": {
        "hs_parent_company_id": _parent,
        "hs_num_child_companies": _child_count,
        "num_associated_deals": _count("companies", "deals"),
        "num_associated_contacts": _count("companies", "contacts"),
        "hs_num_open_deals": _open_deals,
        "first_deal_created_date": _first_deal,
        "recent_deal_amount": _recent_amount,
        "recent_deal_close_date": _recent_close,
        "total_revenue": _total_revenue,
        "days_to_close": _company_days_to_close,
    },
    "contacts": {"num_associated_deals": _count("contacts", "deals")},
    "line_items": {
        name: _line_item(name) for name in ("amount", "hs_margin", "hs_mrr", "hs_arr", "hs_acv", "hs_tcv")
    },
    "tasks": {"hs_task_is_completed": _task_completed},
    "tickets": {"hs_is_closed": _ticket_closed, "hs_ticket_id": _ticket_id},
}
