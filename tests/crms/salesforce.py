"""People at work in a Salesforce org."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from config.outputs import HUMAN_FIELDS
from config.settings import SalesforceConnection
from connectors.salesforce.fields import DEFAULTS, OBJECTS
from tests.crms.people import Fault, Row, canonical, column_type, secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from connectors.sandbox.server import Sandbox

_BOTH = ("Tier", "Score", "Reason", "Next_Step", "Valid_Until", "Stamp")
_ACCOUNT = (*_BOTH, "Segment", "Growth_Potential", "Alert", "Likelihood", "Growth_Score")
_TASK = (
    "Subject",
    "Description",
    "OwnerId",
    "WhatId",
    "ActivityDate",
    "Priority",
    "Status",
    "Foretag_Key__c",
)
# What makes a task a call or an e-mail; a meeting is an event.
_SUBTYPES = {"call": "Call", "email": "Email"}
_TEXTS = {"subject": "Subject", "description": "Description", "priority": "Priority", "status": "Status"}


class SalesforcePeople:
    """Acts as the org's admin, without HTTP."""

    crm = "salesforce"
    operations = ("insert", "update")
    ours = {  # noqa: RUF012  # nobody changes it
        "account": frozenset(f"Foretag_{name}__c" for name in _ACCOUNT),
        "opportunity": frozenset(f"Foretag_{name}__c" for name in _BOTH),
        "task": frozenset(_TASK),
    }
    secrets = ("client_id", "client_secret")
    signing_in = "oauth2/token"
    reading = r"/(query|jobs)"
    making_tasks = r"POST .*composite/sobjects|PATCH .*composite/sobjects/Task"
    finding_tasks = "/queryAll"
    id_shown = 15
    field_word = "field"
    batch = 200
    in_flight = 1
    bin_days = 15
    setup_kinds = (
        frozenset({"field", "permission set", "permissions", "assignment"}),
        frozenset({"field", "permissions"}),
    )
    hidden_words = "may not see it"
    too_mighty = ("Account: the worker's user may create and delete", "Opportunity: ", "Foretag Worker alone")
    read_only_words = "may not edit.*Foretag Worker"
    under_way, finished = "In Progress", "Completed"
    bad_option_code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder

    @property
    def _org(self) -> Any:
        return self.sandbox.org

    @property
    def worker(self) -> str:
        """The integration user."""
        return self._org.worker.username

    @property
    def org_name(self) -> str:
        """The org's name."""
        return self._org.name

    def object_name(self, object_name: str) -> str:
        """The API name."""
        return OBJECTS[object_name]

    def field_name(self, object_name: str, column: str) -> str:
        """The API name; of several the first."""
        if object_name == "task" and column in _TEXTS:
            return _TEXTS[column]
        return DEFAULTS[object_name][column][0]

    def place(self, object_name: str, column: str) -> str:
        """Object and field by API name."""
        return f"{self.object_name(object_name)}.{self.field_name(object_name, column)}"

    # Hands.

    def edit(self, object_name: str, *rows: Mapping[str, Any]) -> None:
        """By the admin's own rights."""
        self._done(
            self._org.update(self._org.admin, self.object_name(object_name), self._wire(object_name, rows))
        )

    def create(self, object_name: str, *rows: Mapping[str, Any]) -> list[str]:
        """The same; a contact that is logged took place, unless it is said not to have."""
        if object_name in _SUBTYPES:
            logged = {"TaskSubtype": _SUBTYPES[object_name], "Status": "Completed"}
            wire = [logged | row for row in self._wire(object_name, rows)]
        else:
            wire = self._wire(object_name, rows)
        return self._done(self._org.insert(self._org.admin, self.object_name(object_name), wire))

    def delete(self, object_name: str, *ids: str) -> None:
        """Into the recycle bin."""
        self._done(self._org.delete(self._org.admin, self.object_name(object_name), list(ids)))

    def restore(self, object_name: str, *ids: str) -> None:
        """Out of the recycle bin."""
        self._done(self._org.undelete(self._org.admin, list(ids)))

    def merge(self, object_name: str, winner: str, loser: str) -> str:
        """The loser is deleted, with the winner as its master record."""
        self._org.merge(self._org.admin, self.object_name(object_name), winner, [loser])
        return winner

    def let_in(self, *meddled: tuple[str, str]) -> None:
        """By permission sets: setup's own for readers, another for managers."""
        org = self._org
        reader = org.query("SELECT Id FROM PermissionSet WHERE Name = 'Foretag_Reader'", org.admin)
        org.assign(reader.records(0, 1, "62.0")[0]["Id"], org.admin.id)
        human = [(name, field.name) for field in HUMAN_FIELDS for name in field.objects]
        managers = org.create_permission_set("Managers", "Managers")
        org.grant_fields(managers, {self.place(*column): True for column in [*human, *meddled]})
        org.assign(managers, org.admin.id)

    def make_plain_key(self, admin: Any) -> None:
        """Neither unique nor an external id."""
        metadata = {"label": "Foretag key", "type": "Text", "length": 64}
        body = {"FullName": "Activity.Foretag_Key__c", "Metadata": metadata}
        admin._api.call("POST", "tooling/sobjects/CustomField", json=body)

    # Eyes.

    def rows(self, object_name: str, *columns: str, deleted: bool = False) -> list[Row]:
        """By SOQL, as the admin."""
        fields = {column: self.field_name(object_name, column) for column in columns}
        selected = ", ".join(dict.fromkeys(["Id", *fields.values()]))
        soql = f"SELECT {selected} FROM {self.object_name(object_name)} ORDER BY Id"
        result = self._org.query(soql, self._org.admin, include_deleted=deleted)
        found = []
        for record in result.records(0, result.total_size, "62.0"):
            row = {
                column: canonical(column_type(object_name, column), record[field])
                for column, field in fields.items()
            }
            found.append({"id": record["Id"], **_only_deals(object_name, row)})
        return found

    # Ways in.

    def connection(self, who: str = "worker", *, renewable: bool = False) -> SalesforceConnection:
        """Client credentials: every session can be renewed."""
        account = getattr(self.sandbox.credentials, who)
        auth = {name: secret(self.folder, f"{who}-{name}", getattr(account, name)) for name in self.secrets}
        return SalesforceConnection(
            crm="salesforce", url=self.sandbox.url, ca_file=self.sandbox.ca_file, auth=auth
        )

    # Calls.

    def first_page(self, *, bulk: bool) -> str:
        """Result files of a query job, or pages of a query."""
        return "/results" if bulk else r"/query\?q=SELECT%20Id"

    def writing(self, *, bulk: bool = False) -> str:
        """Every call of a bulk job, or collections."""
        return "(PATCH|POST|PUT) " if bulk else "PATCH .*composite/sobjects$"

    # How this CRM is.

    def hide(self, object_name: str, column: str) -> None:
        """By field-level security."""
        self.sandbox.faults.add([self._on_field("fls_off", object_name, column)])

    def freeze(self, object_name: str, column: str) -> Fault:
        """By field-level security too."""
        return self._on_field("read_only", object_name, column)

    def keep_to_itself(self, object_name: str) -> None:
        """By its permission set, which grants nothing that rules do not name."""

    def let_read(self, object_name: str) -> None:
        """By `setup`, once rules name the object."""

    def reading_right(self, object_name: str) -> str:
        """The permission set."""
        return f"{self.object_name(object_name)}: cannot be read; run `foretag setup`, or assign the permission set"

    def refuse_some(self, message: str) -> Fault:
        """A validation rule: no tier D."""
        formula = 'Foretag_Tier__c = "D"'
        return {"kind": "validation_rule", "object": "Account", "formula": formula, "message": message}

    def refuse_tasks(self, message: str) -> Fault:
        """A validation rule: none of low urgency."""
        formula = 'Priority = "Normal"'
        return {"kind": "validation_rule", "object": "Task", "formula": formula, "message": message}

    def allowance_used_up(self, **which: str) -> Fault:
        """REQUEST_LIMIT_EXCEEDED."""
        return {"kind": "request_limit", "times": None, **which}

    def too_many_at_once(self) -> Fault:
        """The same code, with another message."""
        return {"kind": "request_limit", "scope": "concurrent", "times": 2}

    def count_generously(self) -> None:
        """Salesforce counts by the day."""

    def use_up(self) -> None:
        """Of 115,000 calls."""
        self.sandbox.limits.use(80_000)

    def _wire(self, object_name: str, rows: tuple[Mapping[str, Any], ...]) -> list[Row]:
        """An activity is made about its account by the field that may hold anything."""
        if object_name in ("call", "email", "meeting"):
            return [dict(_activity(object_name, row)) for row in rows]
        names = {"account_id": "WhatId"} if object_name == "task" else {}
        return [
            {
                names.get(column) or self.field_name(object_name, column): _json(value)
                for column, value in row.items()
            }
            for row in rows
        ]

    def _on_field(self, kind: str, object_name: str, column: str) -> Fault:
        name, field = self.object_name(object_name), self.field_name(object_name, column)
        return {"kind": kind, "object": name, "field": field}

    @staticmethod
    def _done(results: Any) -> list[str]:
        assert all(result.success for result in results), results
        return [result.id for result in results]


def _activity(object_name: str, row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of a call, an e-mail or a meeting; `is_closed` tells whether it took place."""
    for column, value in row.items():
        if column == "day" and object_name == "meeting":
            yield "StartDateTime", f"{value}T12:00:00.000+0000"
        elif column == "is_closed":
            yield "Status", "Completed" if value else "Not Started"
        else:
            name = {"id": "Id", "account_id": "WhatId", "opportunity_id": "WhatId", "day": "ActivityDate"}
            yield name.get(column, "OwnerId"), _json(value)


def _json(value: Any) -> Any:
    return str(value) if isinstance(value, date) else value


def _only_deals(object_name: str, row: Row) -> Row:
    """A task may be about anything: only an opportunity is told as one."""
    about = row.get("opportunity_id")
    if object_name == "task" and about is not None and not about.startswith("006"):
        return {**row, "opportunity_id": None, **({"account_id": about} if "account_id" in row else {})}
    return row
