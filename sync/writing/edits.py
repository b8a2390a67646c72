"""What others changed of the values that we wrote: found by comparing, reported, and respected or put right."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from config.sections.edits import EDITABLE, LABELS
from sync.ledger import Item
from sync.ledger.edits import Edit
from sync.store.embedded import database

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date

    from config.rules import Rules
    from sync.job import Job
    from sync.ledger import Ledger
    from sync.store.journal import Journal
    from sync.store.written import Written

# Of texts the item tells only that they were changed: what people write is theirs.
TOLD = frozenset({"foretag_tier", "foretag_score", "foretag_segment", "foretag_growth_potential"})

# A person's word has a day and a reason; a changed value is only left there for a while.
_FIXES = {"foretag_tier": "to keep it longer, and say why, set Tier override on the record"}

_KNOWN = pa.schema([("id", pa.string()), ("field", pa.string())])
_RESPECTED = pa.schema([("id", pa.string()), ("fields", pa.list_(pa.string()))])


@dataclass
class Edits:
    """The edits of one connection on a day, looked for bucket by bucket, then kept.

    A value is somebody else's if it differs from what we last wrote there, and no write of which we do not know the
    outcome can have put it there. It is respected while `edits:` of the rules says so, but not against a person's
    override, nor on a record that is to hold nothing of ours.
    """

    connection: str
    ledger: Ledger
    written: Written
    journal: Journal
    rules: Rules
    today: date
    news: list[Item] = field(default_factory=list)
    _known: dict[str, dict[tuple[str, str], Edit]] = field(default_factory=dict)
    _seen: list[Edit] = field(default_factory=list)
    _over: list[tuple[str, str, str]] = field(default_factory=list)
    _agreed: dict[str, set[str]] = field(default_factory=dict)
    respected: int = 0

    @classmethod
    def of(cls, job: Job, today: date) -> Edits:
        """Those of a run, with what is known of before."""
        found = cls(job.name, job.ledger, job.left_there, job.journal, job.rules, today)
        found.learn()
        return found

    def learn(self) -> None:
        """Take in what the history knows of before."""
        for edit in self.ledger.edits.of(self.connection):
            self._known.setdefault(edit.object, {})[edit.record_id, edit.field] = edit

    def honoured(self, object_name: str, bucket: int, wanted: pa.Table, held: pa.Table) -> pa.Table:
        """The wanted values of a bucket, with another's in the place of ours where it is to be respected."""
        names = [name for name in self.written.columns(object_name) if name in wanted.column_names]
        ours = self.written.read(object_name, bucket)
        known = self._known.get(object_name, {})
        if not names or not (ours.num_rows or known):
            return wanted
        apart = _apart(names, wanted, held, ours, known)
        self._close_settled(held, ours, known, apart)
        apart = self._without_ours(object_name, apart, known)
        theirs: dict[str, list[str]] = {}
        for row in apart:
            if self._is_respected(object_name, row, known.get((row["id"], row["field"]))):
                theirs.setdefault(row["id"], []).append(row["field"])
        self.respected += sum(map(len, theirs.values()))
        return _with_theirs(wanted, held, theirs, names)

    def keep(self) -> None:
        """Write down what was found; values that we have come to agree with count as ours from now on."""
        self.ledger.edits.keep(self.connection, self._seen, self._over)
        for object_name, ids in self._agreed.items():
            done = pa.table({"id": pa.array(sorted(ids), pa.string())})
            self.written.keep(object_name, done, others(self.ledger, self.connection, object_name))

    def _is_respected(self, object_name: str, row: Mapping[str, Any], before: Edit | None) -> bool:
        """Whether another's value stays, now that it has been looked at: agreed with, new, or known."""
        key = (object_name, row["id"], row["field"])
        digest = _digest(row["theirs"])
        same = before is not None and before.value == digest
        if row["theirs"] == row["wanted"]:
            # Scores may move on while theirs is still to be respected.
            if before is not None and same and before.respected(self.today):
                return True
            self._agreed.setdefault(object_name, set()).add(row["id"])
            self._over.append(key)
            return False
        seen_on = before.seen_on if before is not None and same else self.today
        days = self.rules.edits.days_of(row["field"])
        edit = Edit(*key, seen_on, seen_on + timedelta(days) if days else None, digest)
        respected = edit.respected(self.today) and not row["yields"]
        if edit != before:
            self._seen.append(edit)
        if not same or not respected:
            self.news.append(_item(edit, row, respected=respected, new=not same))
        return respected

    def _close_settled(
        self,
        held: pa.Table,
        ours: pa.Table,
        known: Mapping[tuple[str, str], Edit],
        apart: Iterable[Mapping[str, Any]],
    ) -> None:
        """Forget the edits of records that hold what we wrote again."""
        if not known:
            return
        here = (
            set(held["id"].to_pylist()) & set(ours["id"].to_pylist()) & {record_id for record_id, _ in known}
        )
        open_still = {(row["id"], row["field"]) for row in apart}
        self._over += (
            edit.key for key, edit in known.items() if edit.record_id in here and key not in open_still
        )

    def _without_ours(
        self, object_name: str, apart: list[dict[str, Any]], known: Mapping[tuple[str, str], Edit]
    ) -> list[dict[str, Any]]:
        """Leave out values that may come from a write of ours of which nobody knows the outcome."""
        new = [row for row in apart if (row["id"], row["field"]) not in known]
        batches = self.ledger.edits.in_doubt(self.connection, object_name) if new else []
        if not batches:
            return apart
        sent = _sent(self.journal, object_name, batches, {row["id"] for row in new})
        mine = [row for row in new if (row["id"], row["field"], row["theirs"]) in sent]
        for row in mine:
            self._agreed.setdefault(object_name, set()).add(row["id"])
        return [row for row in apart if row not in mine] if mine else apart


def others(ledger: Ledger, connection: str, object_name: str) -> dict[str, list[str]]:
    """The fields of each record that hold another's value, as far as the history knows."""
    found: dict[str, list[str]] = {}
    for edit in ledger.edits.of(connection):
        if edit.object == object_name:
            found.setdefault(edit.record_id, []).append(edit.field)
    return found


def _apart(
    names: list[str],
    wanted: pa.Table,
    held: pa.Table,
    ours: pa.Table,
    known: Mapping[tuple[str, str], Edit],
) -> list[dict[str, Any]]:
    """The values that differ from what we wrote, and those known to be another's where we no longer know ours.

    Of each: id, field, what stands there (`theirs`), what we wrote (`ours`), what we want, and whether it `yields`.
    """
    if not known and _same(names, held, ours):
        return []
    keys = pa.Table.from_pylist([{"id": one, "field": name} for one, name in known], schema=_KNOWN)
    differs = " OR ".join(f"held.{name} IS DISTINCT FROM ours.{name}" for name in names)
    fields = " UNION ALL ".join(
        f"""
        SELECT a.id, '{name}' AS field, a.{name}::VARCHAR AS theirs, a.ours_{name}::VARCHAR AS ours,
            w.{name}::VARCHAR AS wanted,
            w.foretag_reason IS NULL OR ({name == "foretag_tier"} AND coalesce(w.overridden, FALSE)) AS yields
        FROM apart a JOIN wanted w USING (id)
        WHERE NOT coalesce(w.leave, FALSE) AND CASE WHEN a.unknown
            THEN (a.id, '{name}') IN (SELECT (id, field) FROM known)
            ELSE a.{name} IS DISTINCT FROM a.ours_{name} END
        """  # noqa: S608  # names from the schema, no values
        for name in names
    )
    columns = ", ".join(f"held.{name}, ours.{name} AS ours_{name}" for name in names)
    sql = f"""
        WITH apart AS (
            SELECT held.id, ours.id IS NULL AS unknown, {columns} FROM held LEFT JOIN ours USING (id)
            WHERE CASE WHEN ours.id IS NULL THEN held.id IN (SELECT id FROM known) ELSE {differs} END)
        {fields} ORDER BY ALL
    """  # noqa: S608  # names from the schema, no values
    with database(wanted=wanted, held=held, ours=ours, known=keys) as db:
        rows: list[dict[str, Any]] = db.sql(sql).to_arrow_table().to_pylist()
    return rows


def _same(names: Iterable[str], held: pa.Table, ours: pa.Table) -> bool:
    """Whether all stands as we wrote it, as it nearly always does: seen in a tenth of the time."""
    place = pc.index_in(held["id"], value_set=ours["id"])
    there, written = held.filter(pc.is_valid(place)), ours.take(pc.drop_null(place))
    return all(there[name].equals(written[name]) for name in names)


def _with_theirs(
    wanted: pa.Table, held: pa.Table, theirs: Mapping[str, list[str]], names: Iterable[str]
) -> pa.Table:
    if not theirs:
        return wanted
    rows = [{"id": record_id, "fields": fields} for record_id, fields in theirs.items()]
    values = ", ".join(
        f"CASE WHEN list_contains(t.fields, '{name}') THEN h.{name} ELSE w.{name} END AS {name}"
        for name in names
    )
    sql = f"""
        SELECT w.* REPLACE ({values}) FROM wanted w LEFT JOIN theirs t USING (id) LEFT JOIN held h USING (id)
        ORDER BY w.id
    """  # noqa: S608  # names from the schema, no values
    with database(wanted=wanted, held=held, theirs=pa.Table.from_pylist(rows, schema=_RESPECTED)) as db:
        return db.sql(sql).to_arrow_table().cast(wanted.schema)


def _sent(
    journal: Journal, object_name: str, batches: Collection[tuple[str, int]], ids: Collection[str]
) -> set[tuple[str, str, str | None]]:
    """What these batches were to write into these records: (id, field, value as text)."""
    kept = journal.rows(object_name)
    if kept is None:
        return set()
    runs = sorted({run for run, _ in batches})
    where = pc.field("run").isin(runs) & pc.field("id").isin(sorted(ids))
    sent = set()
    for row in kept.to_table(filter=where).to_pylist():
        if (row["run"], row["batch"]) in batches:
            sent |= {
                (row["id"], name, None if row[name] is None else str(row[name]))
                for name in EDITABLE
                if row.get(name) is not None or name in (row["clear"] or ())
            }
    return sent


def _digest(value: str | None) -> str:
    return "" if value is None else hashlib.blake2b(value.encode(), digest_size=8).hexdigest()


def _item(edit: Edit, row: Mapping[str, Any], *, respected: bool, new: bool) -> Item:
    label = LABELS[edit.field]
    what = f"{label} was changed by somebody else"
    if edit.field in TOLD:
        what += f", from {row['ours'] or 'nothing'} to {row['theirs'] or 'nothing'}"
    if respected:
        then = f"it stays so until {edit.until}"
    elif edit.until is None:
        then = "it is put right, as `edits:` of the rules says"
    elif row["yields"]:
        then = "it is put right: the record has an override, or is no longer scored"
    else:
        then = f"it was respected until {edit.until}, and is put right now"
    fix = _FIXES.get(edit.field, "") if respected and new else ""
    return Item(edit.object, edit.record_id, "edited", edit.field.upper(), f"{what}; {then}", fix)
