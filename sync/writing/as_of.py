"""The book as of a past day: what the CRM's history tells of it, for scores as they would have been."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from config.problems import ConfigProblem, Problem
from config.records import STAMP, schema
from sync.store.files import COPY
from sync.store.past import DATED, PastMirror
from sync.store.tags import TagStore
from sync.writing.past_tags import state_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sync.pipeline import Pass
    from sync.store.mirror import Mirror
    from sync.writing.plan import Plan

# Nobody is scored by these; what people own beside their growth plans counts as it stands now.
_AS_NOW = frozenset({"id", "name", "created_at", "modified_at", "currency"})
_PLANS = ("foretag_growth_plan", "foretag_growth_plan_by")


@dataclass(frozen=True)
class Viewed:
    """What a plan is made of: records, what is remembered of tags, and the day; of now, or as it was."""

    mirror: Mirror
    tags: TagStore
    today: date
    past: bool = False

    def planned(self, plan: Plan) -> Plan:
        """A plan of the past leaves alone what is remembered of tags: the next run brings everything up to its day."""
        return replace(plan, keep_states=lambda *_: None, states=()) if self.past else plan


@contextmanager
def viewed(pass_: Pass, as_of: date | None) -> Iterator[Viewed]:
    """The book as the local copy holds it, or as it was at the end of a past day of the org's time zone."""
    job = pass_.job
    if as_of is None or as_of == pass_.today:
        yield Viewed(job.mirror, job.tags, pass_.today)
        return
    _check(as_of, pass_.today)
    moment = datetime.combine(as_of + timedelta(days=1), time(), ZoneInfo(pass_.org.timezone))
    with pass_.timed("history"):
        then = {name: found for name in DATED if (found := _then(pass_, name, as_of, moment)) is not None}
    pass_.report.as_of = str(as_of)
    with TemporaryDirectory(prefix=COPY, dir=job.scratch) as folder:
        # What is remembered of the present tags, and explained by them, stays as it is.
        tags = TagStore(Path(folder))
        tags.keep_labels(job.tags.labels())
        mirror = PastMirror(job.mirror, as_of, moment, then)
        if (states := state_of(job, as_of, mirror.buckets())) is not None:
            tags.keep_state(states)
        yield Viewed(mirror, tags, as_of, past=True)


def _check(as_of: date, today: date) -> None:
    if as_of > today:
        raise ConfigProblem(
            Problem(f"{as_of} is not past: today is {today}", where="--as-of", fix="name a day gone by")
        )


def _then(pass_: Pass, object_name: str, day: date, moment: datetime) -> pa.Table | None:
    """What records of an object held then, of those that may have changed since; None if none has."""
    job = pass_.job
    if object_name not in job.columns():
        return None
    known = {*job.connector.schema(object_name), "account_id"}
    fields = tuple(name for name in job.rules.needed_columns(object_name) if name in known and _asked(name))
    held = job.mirror.read(object_name, ("id", "created_at", "modified_at", *fields))
    held = held.filter(_changed_since(held, moment))
    if not held.num_rows or not fields:
        return None
    parts, tell = [], pass_.spending.watched(job.tell)
    for part in job.connector.history(object_name, fields, held.select(["id", *fields]), moment):
        parts.append(part)
        tell(f"{object_name} history", sum(one.num_rows for one in parts), held.num_rows)
    told = _lined_up(object_name, held, fields, parts)
    for name in fields:
        untold = pc.and_not(pc.is_valid(held[name]), told[f"told_{name}"])
        if (count := pc.sum(untold).as_py()) and name not in _HIDDEN:
            pass_.report.untold[f"{object_name}.{name}"] = count
    return _settled(object_name, held, told, day, moment)


def _asked(name: str) -> bool:
    return name not in _AS_NOW and (not name.startswith("foretag_") or name in _PLANS)


def _changed_since(held: pa.Table, moment: datetime) -> pa.ChunkedArray:
    """Whether a record was there then and has a newer stamp: others are as they were."""
    then = pa.scalar(moment, STAMP)
    there = pc.fill_null(pc.less(held["created_at"], then), fill_value=True)
    return pc.and_(there, pc.fill_null(pc.greater_equal(held["modified_at"], then), fill_value=True))


def _lined_up(object_name: str, held: pa.Table, fields: tuple[str, ...], parts: list[pa.Table]) -> pa.Table:
    """What was told, a row for each record of `held`, in its order."""
    types = schema(object_name)
    columns = {"id": pa.string()}
    for name in fields:
        columns |= {name: types.field(name).type, f"told_{name}": pa.bool_()}
    wanted = pa.schema(list(columns.items()))
    found = pa.concat_tables(
        [part.select(wanted.names).cast(wanted) for part in parts] or [wanted.empty_table()]
    )
    lined = found.take(pc.index_in(held["id"], value_set=found["id"].combine_chunks()))
    lined = lined.set_column(0, "id", held["id"])
    for name in fields:
        number = lined.schema.get_field_index(f"told_{name}")
        lined = lined.set_column(
            number, f"told_{name}", pc.fill_null(lined[f"told_{name}"], fill_value=False)
        )
    return lined


# Where nobody tells what these were, what they are now would tell the future: they are left empty.
_HIDDEN = ("last_activity_date", "touches", "stage_changed_at")


def _settled(object_name: str, held: pa.Table, told: pa.Table, day: date, moment: datetime) -> pa.Table:
    """What follows for columns of which nobody tells what they were."""
    for name in _HIDDEN:
        if f"told_{name}" in told.column_names:
            told = _hidden(name, held, told, day, moment)
    if object_name == "opportunity" and "told_is_closed" in told.column_names:
        told = _reopened(held, told, day)
    return told


def _hidden(name: str, held: pa.Table, told: pa.Table, day: date, moment: datetime) -> pa.Table:
    """A day that lies before counts; any later one, and every count, is left empty."""
    now, then = held[name], told[name]
    limit = {"last_activity_date": pa.scalar(day), "stage_changed_at": pa.scalar(moment, STAMP)}.get(name)
    before = pa.scalar(False) if limit is None else pc.fill_null(pc.less_equal(now, limit), fill_value=False)  # noqa: FBT003  # Arrow's
    empty = pa.scalar(None, now.type)
    value = pc.if_else(before, now, pc.if_else(told[f"told_{name}"], then, empty))
    return _with(told, name, value, pa.array([True] * told.num_rows))


def _reopened(held: pa.Table, told: pa.Table, day: date) -> pa.Table:
    """A deal that is over, and closed after the day, was open, in a stage that nobody knows."""
    later = pc.greater(held["close_date"], pa.scalar(day)) if "close_date" in held.column_names else None
    if later is None:
        return told
    reopened = pc.and_(held["is_closed"], pc.and_(later, pc.invert(told["told_is_closed"])))
    reopened = pc.fill_null(reopened, fill_value=False)
    for name, value in (("is_closed", False), ("is_won", False), ("stage", None), ("probability", None)):
        if f"told_{name}" in told.column_names:
            then = pc.if_else(reopened, pa.scalar(value, told[name].type), told[name])
            told = _with(told, name, then, pc.or_(told[f"told_{name}"], reopened))
    return told


def _with(told: pa.Table, name: str, values: pa.ChunkedArray, known: pa.ChunkedArray | pa.Array) -> pa.Table:
    told = told.set_column(told.schema.get_field_index(name), name, values)
    return told.set_column(told.schema.get_field_index(f"told_{name}"), f"told_{name}", known)
