"""What an org consists of: rows, schema, users, permissions, its time, and transactions over them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.salesforce.access import Access
from connectors.sandbox.salesforce.bundled import (
    ADMIN_ID,
    ORG_ID,
    ORG_NAME,
    PROFILES,
    WORKER_ID,
    as_table,
    bundled_rows,
    profile_id,
    users_with_profile,
)
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.objects import STANDARD_OBJECTS
from connectors.sandbox.salesforce.parties import User
from connectors.sandbox.salesforce.removal import Remover
from connectors.sandbox.salesforce.saves import Saver
from connectors.sandbox.salesforce.schema import ObjectType, PicklistValue, Schema
from connectors.sandbox.salesforce.store import Store
from connectors.sandbox.salesforce.transactions import Transaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.sandbox.datasets import Dataset
    from connectors.sandbox.salesforce.parties import Clock, Faults, Journal


def schema_of(dataset: Dataset) -> Schema:
    """The standard objects and those of features that are on, with the data set's own fields and picklist values."""
    schema = Schema((*STANDARD_OBJECTS, *dataset.objects))
    for object_name, one in dataset.fields:
        schema.put_field(object_name, one)
    for (object_name, name), values in dataset.choices.items():
        one = schema.objects[object_name].fields[name]
        known = {value.value for value in one.picklist}
        more = tuple(PicklistValue(value) for value in values if value not in known)
        schema.put_field(object_name, replace(one, picklist=one.picklist + more))
    return schema


class OrgState:
    """The parts of an org and its transactions, before anybody reads or writes. Thread-safe.

    Attributes: id (00D..., 18 characters), name, is_sandbox, clock, admin, worker (bundled `User`s),
    users (by id and by username, lower case), faults, journal.
    """

    def __init__(
        self,
        dataset: Dataset,
        clock: Clock,
        *,
        faults: Faults | None = None,
        journal: Journal | None = None,
        production: bool = False,
        timezone: str = "GMT",
    ) -> None:
        """Load a data set. `clock` is the org's own time (UTC, aware); every stamp comes from it."""
        self.id, self.name, self.clock = ORG_ID, ORG_NAME, clock
        self.is_sandbox, self.timezone = not production, timezone
        self.faults, self.journal = faults, journal
        # The rows live in the store from here on: a second copy of a large book would not fit.
        self.dataset = replace(dataset, tables={})
        self.schema = schema_of(dataset)
        self.store = Store(self.schema)
        self.access = Access(self.schema, self.store, faults)
        self._load(dataset)
        self.saver, self.remover = Saver(self), Remover(self)
        self._transaction: Transaction | None = None
        self.users = self._users()
        self.admin, self.worker = self.users[ADMIN_ID], self.users[WORKER_ID]

    def _load(self, dataset: Dataset) -> None:
        born = pc.min(dataset.tables["Account"]["CreatedDate"]).as_py() - timedelta(days=1)
        rows = {
            name: as_table(self.schema, name, many) for name, many in self._bundled(dataset, born).items()
        }
        people = users_with_profile(dataset.tables["User"])
        rows |= dataset.tables | {
            "User": pa.concat_tables([rows["User"], people], promote_options="permissive")
        }
        for name in self.schema.objects:
            if name in rows:
                self.store.load(name, rows[name])
            else:
                self.store.create(name)

    def _bundled(self, dataset: Dataset, born: datetime) -> dict[str, list[dict[str, Any]]]:
        return bundled_rows(dataset, born, production=not self.is_sandbox, timezone=self.timezone)

    def _users(self) -> dict[str, User]:
        """Everybody who may log in, by id and by user name in lower case."""
        profiles = {profile_id(name): name for name in PROFILES}
        found: dict[str, User] = {}
        for row in self.store.read('SELECT "Id", "Username", "Name", "ProfileId" FROM "User"').to_pylist():
            profile: Any = profiles[row["ProfileId"]]
            user = User(row["Id"], row["Username"], row["Name"], profile, profile == "System Administrator")
            found[user.id] = found[user.username.lower()] = user
        return found

    def now(self) -> datetime:
        """The org's time in milliseconds, UTC without a zone, as the store keeps it."""
        moment = self.clock().astimezone(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=None)

    def _found(self, user: User, object_name: str) -> ObjectType:
        """The object of this name, if the user may read it; else NOT_FOUND."""
        found = self.schema.find(object_name)
        if found is None or not self.access.may(user, found, "Read"):
            raise SalesforceError("NOT_FOUND", "The requested resource does not exist")
        return found

    def object_of(self, record_id: str) -> str | None:
        """Name of the object that a record id belongs to, by its prefix."""
        found = self.schema.by_prefix(record_id)
        return found.name if found else None

    @contextmanager
    def atomic(self, *, only_whole: bool = True) -> Iterator[Transaction]:
        """Several saves that stand or fall together: an error in the block, or `roll_back()`, undoes them all.

        With `only_whole` false nothing is held together (so that callers need no second way). Blocks may be
        nested: the outermost one commits. The journal hears of a transaction only when it has been committed.
        """
        with self.store.lock:
            if not only_whole:
                # Within a transaction too: a record that may fail alone does not take the others with it.
                yield Transaction(only_whole=False)
                return
            if self._transaction is not None:
                yield self._transaction
                return
            self._transaction = Transaction(only_whole=True, waiting=self.saver.mark())
            columns = {name: set(held) for name, held in self.store.columns.items()}
            self.store.begin()
            try:
                yield self._transaction
            except BaseException:
                self._transaction.roll_back()
                raise
            finally:
                self._finish(self._transaction, columns)

    def _finish(self, transaction: Transaction, columns: dict[str, set[str]]) -> None:
        self._transaction = None
        if transaction.rolled_back:
            self.store.roll_back()
            self.store.columns = columns
            self.saver.forget(transaction.waiting)
            self.access.forget()
            return
        self.store.commit()
        for entry in transaction.notes:
            self.note(*entry)

    @contextmanager
    def _writing(self, user: User) -> Iterator[None]:
        """One transaction's surroundings: the lock, the time, and fresh permissions afterwards."""
        with self.store.lock:
            self._settle()
            yield
            if user.is_admin:
                self.access.forget()

    def _settle(self) -> None:
        now = self.now()
        self.store.set_now(now, now.date())
        self.saver.settle(now)

    def note(
        self,
        user: User,
        operation: str,
        object_name: str,
        ids: Sequence[str],
        fields: Sequence[str],
        changed: int,
    ) -> None:
        """Tell the journal of an effective write."""
        if self._transaction is not None:
            self._transaction.notes.append((user, operation, object_name, ids, fields, changed))
        elif self.journal is not None:
            self.journal.write(user, operation, object_name, ids, fields, changed)
