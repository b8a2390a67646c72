"""The hands and eyes of people in a CRM: what tests do and see there, in canonical names, whichever CRM it is.

Whatever differs between the CRMs and is not a fault of ours stands here as data, stated by each implementation.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from config.records import MONEY, RECORDS, STAMP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from config.settings import Connection
    from connectors.contract import Connector
    from connectors.sandbox.server import Sandbox

Row = dict[str, Any]
Fault = dict[str, Any]


class People(Protocol):
    """People at work in the CRM of one sandbox. Rows are dicts of canonical columns, with `id`."""

    sandbox: Sandbox

    # What things are called, in the journal, in faults and in messages.

    @property
    def crm(self) -> str:
        """As `crm:` in the settings."""
        ...

    @property
    def worker(self) -> str:
        """The name under which the journal keeps the worker's writes."""
        ...

    @property
    def org_name(self) -> str:
        """What the CRM calls itself."""
        ...

    def object_name(self, object_name: str) -> str:
        """The CRM's name of a canonical object."""
        ...

    def field_name(self, object_name: str, column: str) -> str:
        """The CRM's name of a canonical column; of `product` too, which no connector reads unasked."""
        ...

    def place(self, object_name: str, column: str) -> str:
        """Where a problem with this column is said to be."""
        ...

    @property
    def field_word(self) -> str:
        """What messages call a field."""
        ...

    @property
    def operations(self) -> tuple[str, str]:
        """The journal's words for making a record and for changing one."""
        ...

    @property
    def ours(self) -> Mapping[str, frozenset[str]]:
        """What the worker may write, by canonical object, in the CRM's names."""
        ...

    # Hands.

    def edit(self, object_name: str, *rows: Mapping[str, Any]) -> None:
        """Somebody changes records; `stage` is the stage's name. All must succeed."""
        ...

    def create(self, object_name: str, *rows: Mapping[str, Any]) -> list[str]:
        """Somebody makes records; their ids."""
        ...

    def delete(self, object_name: str, *ids: str) -> None:
        """Somebody throws records away."""
        ...

    def restore(self, object_name: str, *ids: str) -> None:
        """Somebody takes them out of the bin again."""
        ...

    def merge(self, object_name: str, winner: str, loser: str) -> str:
        """Somebody unites two records; the id of what became of them, which may be neither's."""
        ...

    def let_in(self, *meddled: tuple[str, str]) -> None:
        """Let people see our fields, overrule, and write even these of our columns: (object, column)."""
        ...

    def make_plain_key(self, admin: Connector) -> None:
        """An admin makes the key of our tasks a field that is not unique, before `setup` can make it."""
        ...

    # Eyes.

    def rows(self, object_name: str, *columns: str, deleted: bool = False) -> list[Row]:
        """All records with these columns, as canonical values (money as float), by id."""
        ...

    # Ways in.

    @property
    def id_shown(self) -> int | None:
        """How many characters of an id people see in addresses; None: all of them."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """What a connection's `auth` names, by default."""
        ...

    def connection(self, who: str = "worker", *, renewable: bool = False) -> Connection:
        """Settings as a user would write them, over TLS; `renewable`: a session that expires can be renewed."""
        ...

    # Calls, as regular expressions for `match` of a fault and for lines of the journal.

    @property
    def signing_in(self) -> str:
        """Asking for a token."""
        ...

    @property
    def reading(self) -> str:
        """Reading records, in whatever way."""
        ...

    def first_page(self, *, bulk: bool) -> str:
        """The replies that carry the records of a first load."""
        ...

    def writing(self, *, bulk: bool = False) -> str:
        """Setting fields of accounts and opportunities."""
        ...

    @property
    def making_tasks(self) -> str:
        """Making tasks."""
        ...

    @property
    def finding_tasks(self) -> str:
        """Looking tasks up by their key, where the key is not unique."""
        ...

    # How this CRM is.

    @property
    def batch(self) -> int:
        """Most records of one call that writes."""
        ...

    @property
    def in_flight(self) -> int:
        """How many calls that write are under way at once, at most."""
        ...

    @property
    def bin_days(self) -> int:
        """How long it remembers what was deleted."""
        ...

    @property
    def setup_kinds(self) -> tuple[frozenset[str], frozenset[str]]:
        """Kinds of things that setup makes at first, and those more that `outputs: full` needs after `basic`."""
        ...

    @property
    def too_mighty(self) -> tuple[str, ...]:
        """What is said, among other words, of a worker that may do what an admin may."""
        ...

    @property
    def hidden_words(self) -> str:
        """Regular expression: what is said of a field of ours that cannot be seen any more."""
        ...

    @property
    def read_only_words(self) -> str:
        """Regular expression: what is said of a field of ours that cannot be written any more."""
        ...

    @property
    def under_way(self) -> str:
        """The status of a task that somebody has begun."""
        ...

    @property
    def finished(self) -> str:
        """The status of a task that somebody has done."""
        ...

    @property
    def bad_option_code(self) -> str:
        """The code of a record refused for a value that a picklist does not have."""
        ...

    def hide(self, object_name: str, column: str) -> None:
        """An admin takes a field away from everybody."""
        ...

    def freeze(self, object_name: str, column: str) -> Fault:
        """Nobody may write a field any more, though all see it."""
        ...

    def keep_to_itself(self, object_name: str) -> None:
        """The worker may not read this object, if setup alone did not see to that."""
        ...

    def let_read(self, object_name: str) -> None:
        """An admin gives the worker what setup cannot give."""
        ...

    def reading_right(self, object_name: str) -> str:
        """What is said to be lacking to read the object."""
        ...

    def refuse_some(self, message: str) -> Fault:
        """The CRM refuses the changes of some accounts, each with this message, and takes the others."""
        ...

    def refuse_tasks(self, message: str) -> Fault:
        """The CRM refuses to make some tasks, each with this message."""
        ...

    def allowance_used_up(self, **which: str) -> Fault:
        """The CRM says to API calls, or to those of a `match`, that none are left today."""
        ...

    def too_many_at_once(self) -> Fault:
        """The CRM says that these are too many calls for the moment."""
        ...

    def count_generously(self) -> None:
        """Let calls of several processes within seconds pass: what a rate costs is not what is tested."""
        ...

    def use_up(self) -> None:
        """Other integrations have used up two thirds of the day's calls."""
        ...


def secret(folder: Path, name: str, value: str) -> dict[str, str]:
    """A secret in a file, as the settings name it."""
    path = folder / name
    path.write_text(value)
    return {"file": str(path)}


def column_type(object_name: str, column: str) -> pa.DataType:
    """The canonical type; texts that only people see are texts."""
    types = {one.name: one.type for one in RECORDS[object_name]}
    return types.get(column, pa.string())


def canonical(kind: pa.DataType, value: Any) -> Any:
    """What a person sees in a cell, whether the CRM's JSON has it as text, as a number or as nothing."""
    if value is None or value == "":
        return None
    return _FROM_JSON.get(kind, str)(value)


# Money as a float: tests compare it, and add nothing up.
_FROM_JSON: dict[pa.DataType, Callable[[Any], Any]] = {
    pa.bool_(): lambda value: value in (True, "true"),
    pa.float64(): float,
    MONEY: float,
    pa.int64(): lambda value: int(float(value)),
    pa.date32(): lambda value: date.fromisoformat(value[:10]),
    STAMP: datetime.fromisoformat,
}
