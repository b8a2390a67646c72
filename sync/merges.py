"""Follow merged records: the one that is left inherits a person's word, task keys, tag state and promises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import HUMAN_FIELDS
from config.records import schema
from sync.store.embedded import database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sync.job import Job
    from sync.ledger.merges import Inheritance

_WORD, _UNTIL, _REASON = "foretag_override", "foretag_override_until", "foretag_override_reason"
_SAID = (_WORD, _UNTIL, _REASON)
_FROM = "(said of a record merged into this one)"
_LONGEST = next(field.length for field in HUMAN_FIELDS if field.name == _REASON)


@dataclass(frozen=True)
class Follower:
    """Takes merges in as a pull meets them: before the cursor passes them, and however often they are met.

    A CRM that keeps the winner's fields alone, as Salesforce does, loses the override of the other one. The local copy
    then holds it for the winner, until a person says another word there or its day is over; the CRM's own field is
    people's, and is not written.
    """

    job: Job
    today: date

    def __call__(self, object_name: str, merged: Mapping[str, str]) -> None:
        """Hand on what hung on the losers, then write the merges down. `merged` is loser to last winner."""
        job = self.job
        known = job.ledger.merges.winners(job.name, object_name)
        winners = {loser: winner for loser, winner in merged.items() if known.get(loser) != winner}
        if not winners:
            return
        words = self._words(object_name, winners)
        job.tags.hand_on(object_name, winners, job.mirror.buckets())
        job.ledger.merges.move_tasks(job.name, object_name, winners)
        job.ledger.edits.move(job.name, object_name, winners)
        # What a merge put into our fields is no person's value: nothing is known of what we wrote there.
        both = {*winners, *winners.values()}
        job.left_there.forget(object_name, both, job.connector.server_time())
        if object_name == "account":
            self._move_promises(winners)
        job.ledger.merges.keep(job.name, object_name, winners, words)

    def hold_words(self) -> None:
        """Let the local copy hold the words handed on, after a pull may have brought the winners anew."""
        job = self.job
        found: dict[tuple[str, str], list[Inheritance]] = {}
        for one in job.ledger.merges.inheritances(job.name):
            found.setdefault((one.object, one.winner), []).append(one)
        for object_name in {name for name, _ in found}:
            heirs = {winner: words for (name, winner), words in found.items() if name == object_name}
            self._hold(object_name, heirs)

    def _words(self, object_name: str, winners: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """The overrides that losers hand on: those that hold today, each with its day."""
        ids = pa.array(list(winners), pa.string())
        rows = self.job.mirror.read(object_name, ("id", *_SAID), ids=ids).to_pylist()
        seen = self.job.tags.overrides_seen(object_name, ids)
        words = {}
        for row in rows:
            first = seen.get(row["id"], self.today)
            until = row[_UNTIL] or first + timedelta(days=self.job.rules.overrides.days)
            if row[_WORD] is not None and until >= self.today:
                words[row["id"]] = {_WORD: row[_WORD], _UNTIL: str(until), _REASON: _told(row[_REASON])}
        return words

    def _hold(self, object_name: str, heirs: Mapping[str, Sequence[Inheritance]]) -> None:
        job = self.job
        ids = pa.array(list(heirs), pa.string())
        to_hold: list[dict[str, Any]] = []
        spent: list[Inheritance] = []
        for row in job.mirror.read(object_name, ("id", *_SAID, "modified_at"), ids=ids).to_pylist():
            inherited = heirs[row["id"]]
            word = _typed(inherited[0].word)
            held = {name: row[name] for name in _SAID}
            over = word[_UNTIL] < self.today
            if over or (held[_WORD] is not None and held != word):
                spent += inherited
                if held == word:
                    to_hold.append(row | dict.fromkeys(_SAID) | {"clear": list(_SAID)})
            elif held != word:
                to_hold.append(row | word | {"clear": []})
        if to_hold:
            columns = schema(object_name, ("id", *_SAID, "modified_at"))
            job.mirror.patch(
                object_name,
                pa.Table.from_pylist(to_hold, columns.append(pa.field("clear", pa.list_(pa.string())))),
            )
        job.ledger.merges.spend(job.name, spent)

    def _move_promises(self, winners: Mapping[str, str]) -> None:
        """What merged accounts promised was promised by the one that is left."""
        held = self.job.mirror.read("commitment")
        if not pc.any(pc.is_in(held["account_id"], value_set=pa.array(list(winners)))).as_py():
            return
        moves = pa.table({"loser": list(winners), "winner": list(winners.values())})
        with database(held=held, moves=moves) as db:
            moved = db.sql(
                """
                SELECT held.* REPLACE (concat_ws('|', coalesce(winner, account_id), "by", amount) AS id,
                    coalesce(winner, account_id) AS account_id)
                FROM held LEFT JOIN moves ON loser = account_id
                QUALIFY row_number() OVER (PARTITION BY coalesce(winner, account_id), "by", amount
                    ORDER BY made_on) = 1
                ORDER BY id
                """
            ).to_arrow_table()
        self.job.mirror.load("commitment", held.column_names, [moved.cast(held.schema)])


def _told(reason: str | None) -> str:
    """A person's reason, with where it comes from: not by name, which goes with the record that bore it."""
    before = (reason or "").strip().removesuffix(_FROM).strip()
    return f"{before[: _LONGEST - len(_FROM) - 1]} {_FROM}".strip()


def _typed(word: Mapping[str, Any]) -> dict[str, Any]:
    return {**word, _UNTIL: date.fromisoformat(word[_UNTIL])}
