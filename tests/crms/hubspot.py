"""People at work in a HubSpot portal."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from config.settings import HubSpotConnection
from connectors.hubspot.fields import DEFAULTS, OBJECTS
from connectors.hubspot.scopes import READ
from tests.crms.people import Fault, Row, canonical, column_type, secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from connectors.sandbox.server import Sandbox

_BOTH = ("tier", "score", "reason", "next_step", "valid_until", "stamp")
_ACCOUNT = (*_BOTH, "segment", "growth_potential", "alert", "likelihood", "growth_score")
_TASK = ("subject", "body", "status", "priority", "type")
_TEXTS = {
    "subject": "hs_task_subject",
    "description": "hs_task_body",
    "priority": "hs_task_priority",
    "status": "hs_task_status",
    "created_at": "hs_createdate",
}
# Columns that are associations: to which objects, and by which types, the first of which is the one that counts.
_LINKS = {
    ("opportunity", "account_id"): ("companies", (5, 341)),
    ("task", "account_id"): ("companies", (192,)),
    ("task", "opportunity_id"): ("deals", (216,)),
    ("call", "account_id"): ("companies", (182,)),
    ("call", "opportunity_id"): ("deals", (206,)),
    ("email", "account_id"): ("companies", (186,)),
    ("email", "opportunity_id"): ("deals", (210,)),
    ("meeting", "account_id"): ("companies", (188,)),
    ("meeting", "opportunity_id"): ("deals", (212,)),
}
# By which property, and with which values, a contact says that it fell through, or took place.
_TOOK_PLACE = {
    "call": ("hs_call_status", "NO_ANSWER", "COMPLETED"),
    "email": ("hs_email_status", "BOUNCED", "SENT"),
}
_PAGE = 100


class HubSpotPeople:
    """Acts as somebody in the portal's pages, without HTTP."""

    crm = "hubspot"
    operations = ("create", "update")
    ours = {  # noqa: RUF012  # nobody changes it
        "account": frozenset(f"foretag_{name}" for name in _ACCOUNT),
        "opportunity": frozenset(f"foretag_{name}" for name in _BOTH),
        "task": frozenset(
            {*(f"hs_task_{name}" for name in _TASK), "hs_timestamp", "hubspot_owner_id", "foretag_key"}
        ),
    }
    secrets = ("token",)
    signing_in = "POST /oauth/"
    reading = r"GET .*/objects/|/search\b|/batch/read"
    making_tasks = "POST .*/tasks/batch/create"
    finding_tasks = r"/tasks/(search|batch/read)|GET .*/objects/tasks"
    id_shown = None
    field_word = "property"
    batch = 100
    in_flight = 16
    bin_days = 90
    setup_kinds = (frozenset({"property group", "property"}), frozenset({"property"}))
    hidden_words = "property is missing"
    too_mighty = ("the token may do more", "crm.schemas.companies.write", "Settings > Keys")
    read_only_words = "(read-only|cannot be written|may not)"
    under_way, finished = "IN_PROGRESS", "COMPLETED"
    bad_option_code = "INVALID_OPTION"

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder

    @property
    def _portal(self) -> Any:
        return self.sandbox.portal

    @property
    def worker(self) -> str:
        """The app's name."""
        return self.sandbox.credentials.worker.username

    @property
    def org_name(self) -> str:
        """HubSpot tells no name of a portal."""
        return f"HubSpot {self._portal.id}"

    def object_name(self, object_name: str) -> str:
        """The plural."""
        return OBJECTS[object_name]

    def field_name(self, object_name: str, column: str) -> str:
        """The property; of several the first."""
        if object_name == "task" and column in _TEXTS:
            return _TEXTS[column]
        if object_name in _TOOK_PLACE and column == "is_closed":
            return _TOOK_PLACE[object_name][0]
        return DEFAULTS[object_name][column][0]

    def place(self, object_name: str, column: str) -> str:
        """Object and property."""
        return f"{self.object_name(object_name)}.{self.field_name(object_name, column)}"

    # Hands.

    def edit(self, object_name: str, *rows: Mapping[str, Any]) -> None:
        """In the record's page, or in bulk from a view."""
        inputs = [{"id": row["id"], "properties": self._properties(object_name, row)} for row in rows]
        for part in _parts([one for one in inputs if one["properties"]], _PAGE):
            done = self._portal.update(
                self._portal.person, self.object_name(object_name), part, source="CRM_UI"
            )
            assert not done.errors, done.errors
        for row in rows:
            self._link(object_name, row)

    def create(self, object_name: str, *rows: Mapping[str, Any]) -> list[str]:
        """One after the other."""
        name = self.object_name(object_name)
        return [
            self._portal.create_one(
                self._portal.person,
                name,
                {
                    "properties": self._properties(object_name, row),
                    "associations": self._associations(object_name, row),
                },
                source="CRM_UI",
            )["id"]
            for row in rows
        ]

    def delete(self, object_name: str, *ids: str) -> None:
        """Into the recycle bin."""
        self._portal.archive(self._portal.person, self.object_name(object_name), list(ids))

    def restore(self, object_name: str, *ids: str) -> None:
        """Out of the recycle bin."""
        for one in ids:
            self._portal.restore(self.object_name(object_name), one)

    def merge(self, object_name: str, winner: str, loser: str) -> str:
        """Both ids lead to a new record from then on."""
        name = self.object_name(object_name)
        return str(self._portal.merge(self._portal.person, name, winner, loser)["id"])

    def let_in(self, *meddled: tuple[str, str]) -> None:
        """Everybody in a portal sees every property, and edits all that is not calculated."""

    def make_plain_key(self, _admin: Any) -> None:
        """A property without unique values, in a group of its own."""
        person, key = self._portal.person, "foretag_key"
        self._portal.create_group(person, "tasks", {"name": "keys", "label": "Keys", "displayOrder": -1})
        body = {"name": key, "label": key, "groupName": "keys", "type": "string", "fieldType": "text"}
        self._portal.create_property(person, "tasks", body)

    # Eyes.

    def rows(self, object_name: str, *columns: str, deleted: bool = False) -> list[Row]:
        """Page by page."""
        if object_name == "stage":
            return self._stages(columns)
        links = [column for column in columns if (object_name, column) in _LINKS]
        names = {column: self.field_name(object_name, column) for column in columns if column not in links}
        records = [
            *self._records(object_name, names.values(), archived=False),
            *(self._records(object_name, names.values(), archived=True) if deleted else ()),
        ]
        linked = {column: self._linked(object_name, column, records) for column in links}
        return [
            {"id": record["id"]}
            | {
                column: self._seen(object_name, column, record["properties"].get(name))
                for column, name in names.items()
            }
            | {column: found.get(record["id"]) for column, found in linked.items()}
            for record in sorted(records, key=lambda record: int(record["id"]))
        ]

    def _records(self, object_name: str, names: Iterable[str], *, archived: bool) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            page = self._portal.list_records(
                self.object_name(object_name),
                limit=_PAGE,
                after=after,
                archived=archived,
                properties=list(names),
            )
            found += page.results
            after = page.after
            if after is None:
                return found

    def _linked(self, object_name: str, column: str, records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """The one that counts: of the first type that there is, the lowest id."""
        to, types = _LINKS[object_name, column]

        def rank(link: Mapping[str, Any]) -> tuple[int, int]:
            told = [one["typeId"] for one in link["associationTypes"]]
            return min(types.index(one) for one in told if one in types), int(link["toObjectId"])

        return {
            result["from"]["id"]: str(min(map(rank, result["to"]))[1])
            for part in _parts([{"id": record["id"]} for record in records], 1000)
            for result in self._portal.read_associations(self.object_name(object_name), to, part).results
        }

    def _seen(self, object_name: str, column: str, value: Any) -> Any:
        """What the page shows: a stage by its label, a task's text without its HTML."""
        if (object_name, column) == ("opportunity", "stage"):
            return {stage["id"]: stage["label"] for stage in self._all_stages()}.get(value)
        if (object_name, column) == ("task", "is_closed"):
            return value == "COMPLETED"
        if (object_name, column) == ("task", "description") and value:
            return html.unescape(re.sub(r"<br ?/?>", "\n", value))
        return canonical(column_type(object_name, column), value)

    def _all_stages(self) -> list[dict[str, Any]]:
        return [
            stage | {"pipeline": pipeline["id"]}
            for pipeline in self._portal.pipelines("deals")
            for stage in pipeline["stages"]
        ]

    def _stages(self, columns: Sequence[str]) -> list[Row]:
        return [
            {
                "id": stage["id"],
                **{
                    column: {
                        "name": stage["label"],
                        "is_closed": stage["metadata"]["isClosed"] == "true",
                        "is_won": float(stage["metadata"]["probability"]) == 1.0,
                    }[column]
                    for column in columns
                },
            }
            for stage in self._all_stages()
        ]

    # Ways in.

    def connection(self, who: str = "worker", *, renewable: bool = False) -> HubSpotConnection:
        """A service key; or OAuth, whose access tokens live for half an hour."""
        account = getattr(self.sandbox.credentials, who)
        names = ("client_id", "client_secret", "refresh_token") if renewable else self.secrets
        auth: dict[str, Any] = {
            name: secret(self.folder, f"{who}-{name}", getattr(account, name)) for name in names
        }
        if renewable:
            auth["grant"] = "refresh_token"
        return HubSpotConnection(crm="hubspot", url=self.sandbox.url, ca_file=self.sandbox.ca_file, auth=auth)

    # Calls.

    def first_page(self, *, bulk: bool) -> str:
        """The file of an export, or pages of a list."""
        return "GET /exported-files/" if bulk else "GET .*/objects/deals"

    def writing(self, *, bulk: bool = False) -> str:
        """The file of an import, or batches."""
        return "POST .*/imports" if bulk else "POST .*/(companies|deals)/batch/update"

    # How this CRM is.

    def hide(self, object_name: str, column: str) -> None:
        """HubSpot hides no property from an app, but an admin may archive one."""
        name, field = self.object_name(object_name), self.field_name(object_name, column)
        self._portal.archive_property(self._portal.person, name, field)

    def freeze(self, object_name: str, column: str) -> Fault:
        """By the property's definition."""
        name, field = self.object_name(object_name), self.field_name(object_name, column)
        return {"kind": "read_only", "object": name, "field": field}

    def keep_to_itself(self, object_name: str) -> None:
        """By a token without the scopes."""
        fault = {"kind": "missing_scopes", "scopes": list(READ[object_name])}
        self._unread = self.sandbox.faults.add([fault])

    def let_read(self, object_name: str) -> None:
        """By adding the scope to the key."""
        self.sandbox.faults.remove(*self._unread)

    def reading_right(self, object_name: str) -> str:
        """The scope."""
        return READ[object_name][0]

    def refuse_some(self, message: str) -> Fault:
        """Some records of a batch, each by itself."""
        match = r"/companies/batch/update\b"
        return {"kind": "refuse_rows", "match": match, "percent": 30, "message": message}

    def refuse_tasks(self, message: str) -> Fault:
        """Some of a batch, each by itself."""
        return {"kind": "refuse_rows", "match": r"/tasks/batch/create\b", "percent": 30, "message": message}

    def allowance_used_up(self, **which: str) -> Fault:
        """429 of the policy DAILY."""
        return {"kind": "rate_limit", "policy": "daily", "times": None, **which}

    def too_many_at_once(self) -> Fault:
        """429 of the policy TEN_SECONDLY_ROLLING."""
        return {"kind": "rate_limit", "times": 2}

    def count_generously(self) -> None:
        """Far more than 190 calls in any 10 seconds."""
        self.sandbox.limits.change({"general": 5_000, "search": 500, "associations": 5_000})

    def use_up(self) -> None:
        """Of 625,000 calls."""
        self.sandbox.limits.use(420_000)

    # As HubSpot wants it.

    def _properties(self, object_name: str, row: Mapping[str, Any]) -> dict[str, str]:
        """The properties of a row; its links are not among them."""
        properties = {
            self.field_name(object_name, column): self._wire(object_name, column, value)
            for column, value in row.items()
            if column != "id" and (object_name, column) not in _LINKS
        }
        if "stage" in row:
            properties["pipeline"] = self._stage(row["stage"])["pipeline"]
        return properties

    def _wire(self, object_name: str, column: str, value: Any) -> str:
        if column == "stage":
            return str(self._stage(value)["id"])
        if object_name in _TOOK_PLACE and column == "is_closed":
            return _TOOK_PLACE[object_name][1 + value]
        if column == "day":
            return f"{value}T12:00:00Z"
        if column in ("close_date", "due"):
            return f"{value}T00:00:00Z"
        return "" if value is None else str(value)

    def _stage(self, label: str) -> dict[str, Any]:
        return next(stage for stage in self._all_stages() if stage["label"] == label)

    def _associations(self, object_name: str, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {"to": {"id": row[column]}, "types": _types(types)}
            for (name, column), (_, types) in _LINKS.items()
            if name == object_name and row.get(column)
        ]

    def _link(self, object_name: str, row: Mapping[str, Any]) -> None:
        """Point a record to another one instead of those that it pointed to."""
        person, here, own = self._portal.person, self.object_name(object_name), {"id": row["id"]}
        for (name, column), (to, types) in _LINKS.items():
            if name != object_name or column not in row:
                continue
            read = self._portal.read_associations(here, to, [own]).results
            old = [{"id": str(link["toObjectId"])} for result in read for link in result["to"]]
            self._portal.disassociate(person, here, to, [{"from": own, "to": old}])
            if row[column] is not None:
                new = {"from": own, "to": {"id": row[column]}, "types": _types(types)}
                self._portal.associate(person, here, to, [new])


def _types(types: Iterable[int]) -> list[dict[str, Any]]:
    return [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": one} for one in types]


def _parts(values: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    return (values[start : start + size] for start in range(0, len(values), size))
