"""Choose a selection's records, bucket by bucket, once it is known who the owners are and what the rules read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.language.vocabulary import NAMES
from config.needed import names_in
from config.problems import Problem, raise_if_any
from config.records import RECORDS
from scoring.arithmetic.columns import whole
from scoring.conditions.expressions import holds
from sync.store.owners import NOBODY, owner_called, owner_names
from sync.writing.selection import objects_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring import Tagged
    from sync.store.mirror import Mirror
    from sync.writing.selection import Selection

    Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Chooser:
    """A selection with the ids of its owners, the moments of its days, and the objects that its condition is on."""

    selection: Selection
    owners: tuple[str, ...]
    since: datetime | None
    before: datetime | None
    on: tuple[str, ...]

    @classmethod
    def of(cls, selection: Selection, mirror: Mirror, timezone: str) -> Chooser:
        """Raises `ConfigProblem` for an owner whom nobody knows, or who shares a name with others."""
        names = owner_names(mirror) | {"": NOBODY} if selection.owners else {}
        return cls(
            selection,
            tuple(owner_called(owner, names) for owner in selection.owners),
            _midnight(selection.changed_since, timezone),
            _midnight(selection.changed_before, timezone),
            objects_of(selection.where) if selection.where else (),
        )

    def ids(self, object_name: str, tagged: Tagged, held: pa.Table) -> pa.ChunkedArray:
        """The ids of a bucket's chosen records. `held` has their id and modified_at."""
        records = {"account": tagged.accounts, "opportunity": tagged.opportunities}[object_name]
        chosen = np.ones(records.num_rows, np.bool_)
        if self.selection.where:
            chosen &= self._holds(object_name, tagged)
        if self.owners:
            owners = pc.fill_null(records["owner_id"], "")
            chosen &= _flags(pc.is_in(owners, value_set=pa.array(self.owners)))
        if self.since or self.before:
            chosen &= self._changed(records["id"], held)
        return records["id"].filter(pa.array(chosen))

    def _holds(self, object_name: str, tagged: Tagged) -> Flags:
        """Where the condition holds; where only accounts know its names, deals go with their account."""
        where, rows = self.selection.where, tagged.accounts.num_rows
        if object_name in self.on:
            deals = object_name == "opportunity"
            inputs = tagged.deal_inputs if deals else tagged.account_inputs
            return holds(where, object_name, inputs, tagged.opportunities.num_rows if deals else rows)
        if object_name == "account":
            return np.zeros(rows, np.bool_)
        accounts = np.append(holds(where, "account", tagged.account_inputs, rows), False)  # of no account
        return accounts[whole(tagged.scored.features.deals, "account_row")]

    def _changed(self, ids: pa.ChunkedArray, held: pa.Table) -> Flags:
        """Whose last change lies within the days asked for; one without a stamp lies within none."""
        places = pc.index_in(ids.combine_chunks(), value_set=held["id"].combine_chunks())
        stamps = held["modified_at"].combine_chunks().take(places)
        found = np.ones(len(ids), np.bool_)
        if self.since:
            found &= _flags(pc.greater_equal(stamps, pa.scalar(self.since, stamps.type)))
        if self.before:
            found &= _flags(pc.less(stamps, pa.scalar(self.before, stamps.type)))
        return found


def check_read(selection: Selection, rules: Rules) -> None:
    """Raise `ConfigProblem` if the condition names what the rules do not read."""
    on = objects_of(selection.where) if selection.where else ()
    raise_if_any(dict.fromkeys(problem for name in on for problem in _unread(selection.where, name, rules)))


def _unread(condition: str, object_name: str, rules: Rules) -> Iterator[Problem]:
    """The names of a condition that are behind columns which the rules do not read: nobody would be chosen by them."""
    for name in sorted(names_in(condition, object_name)):
        for read in NAMES[object_name][name].reads:
            owner, _, column = read.partition(".")
            if (
                owner in RECORDS
                and owner not in rules.side_rows
                and column not in rules.needed_columns(owner)
            ):
                yield Problem(
                    f'"{name}" is not known here: the rules do not read {read}',
                    where="--where",
                    fix="choose by something else, or name it in a rule first",
                )


def _midnight(day: date | None, timezone: str) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), ZoneInfo(timezone))


def _flags(column: pa.Array | pa.ChunkedArray) -> Flags:
    flat = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return np.asarray(pc.fill_null(flat, fill_value=False).to_numpy(zero_copy_only=False), dtype=np.bool_)
