"""Time zones of the owners, so that each gets tasks in the morning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.clocks import zone_of
from config.outputs import OBJECTS

if TYPE_CHECKING:
    from sync.store.mirror import Mirror


def zones_of_owners(mirror: Mirror, timezone: str) -> dict[str, str]:
    """The zone of each active owner, by id; `timezone`, the org's, where the CRM tells none that is known here."""
    home = zone_of(timezone)
    owners = mirror.read("owner", ("id", "active", "timezone")).to_pylist()
    return {row["id"]: zone_of(row["timezone"], home).key for row in owners if row["active"]}


def zones_at_work(mirror: Mirror, timezone: str) -> list[str]:
    """The zones of those who own a record, in order, and always the org's: what is nobody's goes by that."""
    zones = zones_of_owners(mirror, timezone)
    if set(zones.values()) <= {timezone}:
        return [timezone]
    owning = {
        owner
        for name in OBJECTS
        for owner in mirror.read(name, ("owner_id",))["owner_id"].unique().to_pylist()
    }
    return sorted({timezone, *(zone for owner, zone in zones.items() if owner in owning)})
