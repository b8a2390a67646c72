"""Records on their way out: with the addresses that only the request knows, and with what faults do to values."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from connectors.sandbox.fault_kinds import FloatExpansions
from connectors.sandbox.hubspot.paging import next_page
from connectors.sandbox.poison import poison_records
from connectors.sandbox.wire import notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.sandbox.hubspot.context import Call
    from connectors.sandbox.hubspot.object_types import ObjectType

Record = dict[str, Any]


def shown(call: Call, records: Sequence[Record], *, links: bool = True, first: int = 0) -> list[Record]:
    """Wire records; `links` adds their pages' addresses. `first` is the first one's place in the whole result."""
    kind = call.object_type
    dressed = [_linked(call, kind, record) if links else dict(record) for record in records]
    _expand_floats(kind, dressed)
    poison_records(call.context.faults, kind.name, dressed, first, id_key="id", inside="properties")
    return dressed


def _linked(call: Call, kind: ObjectType, record: Record) -> Record:
    """With the address of its page, and those of more associations of inline lists."""
    portal = call.portal
    page = f"https://{portal.ui_domain}/contacts/{portal.id}/record/{kind.type_id}/{record['id']}"
    linked = {**record, "url": page}
    if "associations" in record:
        linked["associations"] = {
            name: _continued(call, kind, record["id"], name, entry)
            for name, entry in record["associations"].items()
        }
    return linked


def _continued(call: Call, kind: ObjectType, record_id: str, name: str, entry: Record) -> Record:
    after = entry.get("paging", {}).get("next", {}).get("after")
    if after is None:
        return entry
    other = call.portal.object_type(name.replace(" ", "_")).name
    address = f"{call.base_url}/crm/v3/objects/{kind.name}/{record_id}/associations/{other}"
    return {**entry, "paging": next_page(address, str(after))}


def _expand_floats(kind: ObjectType, records: list[Record]) -> None:
    """Give numbers with a fraction all digits of their binary form, as the portal's own calculations have them."""
    if not any(isinstance(fault, FloatExpansions) and fault.concerns(kind.name) for fault in notes().faults):
        return
    for record in records:
        record["properties"] = {
            name: _expanded(value) if isinstance(value, str) else value
            for name, value in record["properties"].items()
        }


def _expanded(text: str) -> str:
    whole, point, fraction = text.partition(".")
    if not (point and fraction.isdecimal() and whole.removeprefix("-").isdecimal()):
        return text
    try:
        return format(Decimal(float(text)), "f")
    except (InvalidOperation, OverflowError):
        return text
