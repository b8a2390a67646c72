"""Of planned tasks those whose owners live by one time zone, so that each rep finds them in the morning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from config.clocks import find_zone
from config.problems import ConfigProblem, Problem
from sync.store.zones import zones_of_owners

if TYPE_CHECKING:
    from sync.store.mirror import Mirror


def in_zone(
    mirror: Mirror, zone: str, timezone: str, tasks: pa.Table, changes: pa.Table
) -> tuple[pa.Table, pa.Table]:
    """The tasks to make, and the changes of those there are, of owners in a zone; all if it is empty.

    A task that nobody active has goes by the org's, `timezone`. Where the last owner left a zone there are none; raises
    `ConfigProblem` if there is no such zone at all.
    """
    if not zone:
        return tasks, changes
    zones = zones_of_owners(mirror, timezone)
    known = sorted({timezone, *zones.values()})
    if zone not in known and not find_zone(zone):
        fix = f"leave --zone out, or name one of {', '.join(known)}"
        raise ConfigProblem(Problem(f'no owner lives by the time zone "{zone}"', where="--zone", fix=fix))
    held = mirror.read("task", ("id", "owner_id"), ids=changes["crm_id"])
    owners = dict(zip(held["id"].to_pylist(), held["owner_id"].to_pylist(), strict=True))

    def chosen(rows: pa.Table, owned_by: list[str | None]) -> pa.Table:
        return rows.filter(
            pc.equal(pa.array([zones.get(one or "", timezone) for one in owned_by], pa.string()), zone)
        )

    return (
        chosen(tasks, tasks["owner_id"].to_pylist()),
        chosen(changes, [owners.get(one) for one in changes["crm_id"].to_pylist()]),
    )
