"""Reconcile: compare ids and stamps of all records with the local copy, and mend what an increment missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from config.records import STAMP
from sync.ledger import Item
from sync.pipeline import recorded
from sync.pull import ORDER, Anew, pull, unreadable
from sync.store.embedded import database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sync.job import Job
    from sync.pipeline import Pass
    from sync.report import Report

# A change of the last moments is none that was missed: the windows of increments overlap, the next one brings it.
SETTLED = timedelta(hours=1)

# So many are read by id, a hundred or two in a call; of more, the object is read anew.
MOST_BY_ID = 20_000

# Read whole in every run.
_NEVER_STALE = ("stage",)

# What a first load leaves out comes in by increments: of what the CRM does not list, only these were to be there.
_EXPECTED = {
    "task": "NOT coalesce(is_closed, FALSE)",
    **dict.fromkeys(("call", "email", "meeting"), "day IS NOT NULL"),
}

_WORDS = {
    "LOST": "it is in the CRM, and was not in the local copy",
    "EXTRA": "it is gone from the CRM, and was still in the local copy",
    "OLDER": "it was changed in the CRM, and the local copy held an older state",
}


def reconcile(job: Job) -> Report:
    """Pull, compare every object, and mend the local copy; the CRM is not written.

    What was found is on the run's list, by id; the next run scores and writes with it.
    """
    with recorded(job, "reconcile") as pass_:
        began = job.connector.server_time()
        pass_.pull()
        with pass_.timed("compare"):
            columns = job.columns()
            for name in (one for one in ORDER if one in columns and one not in _NEVER_STALE):
                _Comparison(pass_, name, ("id", *columns[name]), began - SETTLED).run()
    return pass_.report


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One object's records in the CRM beside those held; stamps from `settled` on are news."""

    pass_: Pass
    object_name: str
    columns: Sequence[str]
    settled: datetime

    def run(self) -> None:
        job, name = self.pass_.job, self.object_name
        self.pass_.spending.watched(job.tell)(f"compare {name}", 0, None)
        listed = job.connector.stamps(name)
        self.pass_.report.compared[name] = listed.num_rows
        found = self._differences(listed)
        if not any(found.values()):
            return
        if sum(map(len, found.values())) > MOST_BY_ID:
            self._read_anew()
        else:
            found = self._mended(found)
        self._list(found)

    def _differences(self, listed: pa.Table) -> dict[str, list[str]]:
        """Ids by what is wrong with them. One without a readable id might be any: then none is taken for gone."""
        name = self.object_name
        expected = _EXPECTED.get(name, "TRUE")
        columns = {"id", "modified_at", *({"is_closed", "day"} & {*self.columns})}
        held = self.pass_.job.mirror.read(name, tuple(columns))
        listed = self.pass_.job.forgotten.without(name, listed)
        values = {
            "settled": pa.scalar(self.settled, STAMP).as_py(),
            "nameless": "" in listed["id"].to_pylist(),
        }
        with database(listed=listed, held=held) as db:
            rows = db.execute(_COMPARED.format(expected=expected), values).fetchall()
        # What cannot be read is on the list already, as such.
        unread = {*self.pass_.unreadable.get(name, ())}
        return {code: [one for one, what in rows if what == code and one not in unread] for code in _WORDS}

    def _mended(self, found: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """Read these by id, and take them as they are now; what the copy then lacks or has too many is set right."""
        job, name = self.pass_.job, self.object_name
        at = job.connector.server_time()
        ids = sorted({one for some in found.values() for one in some})
        before = _stamps(job, name, ids)
        arrived: set[str] = set()
        for page in job.connector.named(name, self.columns, ids):
            arrived |= {*page.table["id"].to_pylist(), *(row.id for row in page.set_aside)}
            self.pass_.put_aside([unreadable(name, row.id, row.reason) for row in page.set_aside])
            job.mirror.append(name, job.forgotten.without(name, page.table))
        gone = [one for one in found["EXTRA"] if one not in arrived]
        if gone:
            job.forgotten.left(name, gone)
            job.mirror.remove(name, gone, at)
        after = _stamps(job, name, ids)
        # A record that the CRM's list left out, but shows by its id, is well held unless it was changed.
        return {
            "LOST": [one for one in found["LOST"] if one in after],
            "EXTRA": gone,
            "OLDER": [
                one
                for one in (*found["OLDER"], *found["EXTRA"])
                if one in after and after[one] != before.get(one)
            ],
        }

    def _read_anew(self) -> None:
        job = self.pass_.job
        columns = {self.object_name: self.columns[1:]}
        cursors, tell = Anew(job.ledger), self.pass_.spending.watched(job.tell)
        pulled = pull(job.name, job.connector, cursors, job.mirror, columns, tell, forgotten=job.forgotten)
        self.pass_.put_aside(pulled.set_aside)

    def _list(self, found: Mapping[str, list[str]]) -> None:
        report = self.pass_.report
        items = [
            Item(self.object_name, one, "mended", code, _WORDS[code])
            for code, ids in found.items()
            for one in ids
        ]
        self.pass_.job.ledger.list_items(report.run, items)
        if items:
            report.mended[self.object_name] = {code.lower(): len(ids) for code, ids in found.items() if ids}


def _stamps(job: Job, object_name: str, ids: Sequence[str]) -> dict[str, datetime]:
    rows = job.mirror.read(object_name, ("id", "modified_at"), ids=pa.array(ids, pa.string()))
    return dict(zip(rows["id"].to_pylist(), rows["modified_at"].to_pylist(), strict=True))


_COMPARED = """
SELECT coalesce(listed.id, held.id) AS id, CASE
    WHEN held.id IS NULL THEN 'LOST'
    WHEN listed.id IS NULL THEN 'EXTRA'
    ELSE 'OLDER' END AS what
FROM (FROM listed WHERE id <> '') listed FULL JOIN held USING (id)
WHERE CASE
    WHEN held.id IS NULL THEN coalesce(listed.modified_at < $settled, TRUE)
    WHEN listed.id IS NULL THEN NOT $nameless AND held.modified_at < $settled AND {expected}
    ELSE listed.modified_at < $settled AND listed.modified_at > held.modified_at END
ORDER BY id
"""
