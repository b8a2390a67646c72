"""What becomes of the tasks that we made: reworded, given to another owner, taken back, or found ended by a rep."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.contract import TASK_STATE_SCHEMA
from sync.ledger import Item
from sync.ledger.our_tasks import BY_PEOPLE
from sync.store.embedded import database
from sync.writing.plan import TASK_CHANGE_SCHEMA
from sync.writing.task_texts import content, gist

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from connectors.contract import Connector

    Row = Mapping[str, Any]


@dataclass
class Life:
    """What is to be changed in the CRM, what was seen of tasks there (key and values for the history), what waits."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    held_back: list[Item] = field(default_factory=list)

    @property
    def table(self) -> pa.Table:
        """The changes, in `TASK_CHANGE_SCHEMA`."""
        return pa.Table.from_pylist(self.changes, schema=TASK_CHANGE_SCHEMA)


def live_on(
    wanted: pa.Table,
    in_crm: pa.Table,
    known: pa.Table,
    connector: Connector,
    active_owners: Mapping[str, bool],
    today: date,
) -> Life:
    """What becomes of the tasks that have not ended, by what is wanted of their records now.

    `wanted`, `in_crm` and `known` as for `due_tasks`. Only tasks that may be reworded, or have lapsed or vanished,
    are looked at in the CRM.
    """
    with database(wanted=wanted, crm=in_crm, known=known) as db:
        rows = db.sql(_LIVING, params={"people": list(BY_PEOPLE)}).to_arrow_table().to_pylist()
    life = Life()
    doubtful = [row for row in rows if _is_doubtful(row)]
    ids = sorted({row["crm_id"] for row in doubtful if row["crm_id"]})
    held = connector.our_tasks(ids) if ids else TASK_STATE_SCHEMA.empty_table()
    states = {state["id"]: state for state in held.to_pylist()}
    for row in rows:
        _Task(row, life, active_owners, today).decide(
            states.get(row["crm_id"]) if _is_doubtful(row) else _as_copied(row)
        )
    return life


# A task is wanted while its rule asks for it, in whatever period; of two, which a merge may bring, the elder that is
# open. One that a person ended and another restored lives again.
_LIVING = """
WITH living AS (
    SELECT known.* REPLACE (coalesce(crm.id, known.crm_id) AS crm_id),
        crm.key IS NOT NULL AS there, crm.owner_id AS crm_owner_id, coalesce(crm.is_closed, FALSE) AS is_closed,
        CAST(crm.modified_at AS DATE) AS changed_on,
        row_number() OVER (
            PARTITION BY record_id, rule ORDER BY coalesce(crm.is_closed, TRUE), known.created_on, key
        ) AS place
    FROM known LEFT JOIN crm USING (key)
    WHERE (ended IS NULL AND (state = 'done' OR crm.key IS NOT NULL))
        OR (ended IN (SELECT unnest($people)) AND NOT crm.is_closed)
)
SELECT living.*, w.id IS NOT NULL AS wanted, w.subject, w.description, w.owner_id AS wanted_owner_id
FROM living LEFT JOIN wanted w ON w.id = living.record_id AND w.rule = living.rule AND living.place = 1
ORDER BY key
"""


def _is_doubtful(row: Row) -> bool:
    """Whether the local copy does not say enough: one that vanished, lapsed, or may be reworded."""
    if not row["there"]:
        return True
    if row["is_closed"]:
        return False
    return not row["wanted"] or _says_else(row)


def _says_else(row: Row) -> bool:
    """Whether the wanted words are worth a change, of a task that no person touched so far."""
    return bool(
        row["wanted"] and row["content"] != "" and row["gist"] != gist(row["subject"], row["description"])
    )


def _as_copied(row: Row) -> dict[str, Any]:
    return {"owner_id": row["crm_owner_id"], "is_closed": row["is_closed"]}


def is_touched(state: Row, kept: Row) -> bool:
    """Whether a person changed what we last wrote into a task: its words, its day, its status."""
    ours = (kept["content"] or "").split()
    same = content(state["subject"], state["description"]) in ours and kept["due"] in (None, state["due"])
    return state["begun"] or not same


@dataclass(frozen=True)
class _Task:
    """One task that we made, as history, local copy and rules see it."""

    row: Row
    life: Life
    active_owners: Mapping[str, bool]
    today: date

    def decide(self, state: Row | None) -> None:
        """What becomes of it, by how it is in the CRM (None: it is gone)."""
        row = self.row
        if state is None or state["is_closed"]:
            self._note_end("deleted" if state is None else "done")
            return
        if row["ended"] or row["state"] != "done":
            self._note(state="done", crm_id=row["crm_id"], ended=None, ended_on=None)
        if row["wanted"]:
            self._keep(state)
        else:
            self._take_back(touched=is_touched(state, row))

    def _note_end(self, how: str) -> None:
        """A rep ended it: the cool-down begins."""
        if not self.row["ended"]:
            day = self.row["changed_on"] if how == "done" else None
            self._note(
                state="done",
                crm_id=self.row["crm_id"],
                ended=how,
                ended_on=min(day or self.today, self.today),
            )

    def _keep(self, state: Row) -> None:
        row, new = self.row, dict[str, Any]()
        if _says_else(row) and "subject" in state:
            new |= self._reworded(state)
        to, by = row["wanted_owner_id"], row["crm_owner_id"] or state["owner_id"]
        # Whom a person gave it to keeps it.
        if to != by and by == row["owner_id"]:
            if self.active_owners.get(to or "", False):
                new |= {"owner_id": to, "old_owner_id": by, "action": "reassign"}
            else:
                why = "its owner is not active: give the record to somebody who is"
                self.life.held_back.append(Item("task", row["record_id"], "held_back", row["rule"], why))
        elif by and to == by != row["owner_id"]:
            # We died before we knew that it was given, or a person was first: it follows its owner from now on.
            self._note(owner_id=to)
        if new:
            self._change(**new)

    def _reworded(self, state: Row) -> dict[str, Any]:
        """The new words; none where a person touched the old ones, or where they stand there already."""
        row = self.row
        words = row["subject"], row["description"]
        if content(state["subject"], state["description"]) == content(*words) and not state["begun"]:
            self._note(content=content(*words), gist=gist(*words), due=state["due"])
            return {}
        if is_touched(state, row):
            self._note(content="")
            return {}
        old = {"old_subject": state["subject"], "old_description": state["description"]}
        return {"subject": words[0], "description": words[1], "action": "reword", **old}

    def _take_back(self, *, touched: bool) -> None:
        """Nobody began it: it goes without a trace. Somebody did: it is closed, with the reason."""
        if not touched:
            self._change(action="delete", ended="lapsed")
            return
        why = f"Closed by Foretag on {self.today}: what it asked for no longer applies."
        self._change(action="close", ended="closed", comment=why)

    def _note(self, **values: Any) -> None:
        self.life.seen.append((self.row["key"], values))

    def _change(self, **values: Any) -> None:
        row = self.row
        self.life.changes.append(
            {name: row[name] for name in ("key", "crm_id", "rule", "object")}
            | {"id": row["record_id"]}
            | values
        )
