"""The canonical records: the columns that connectors fill, scoring reads and the mirror keeps.

Money is `decimal(18, 2)` in the org's currency, so that sums do not depend on their order. Stamps are UTC
with milliseconds. A column that the CRM lacks, or that no rule maps, is null in every row, never absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import pyarrow as pa

from config.outputs import HUMAN_FIELDS, OUTPUT_FIELDS, OutputField

MONEY = pa.decimal128(18, 2)
STAMP = pa.timestamp("ms", tz="UTC")

Need = Literal["key", "always", "mapped"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a canonical record.

    `need` tells when it is pulled: a `key` or `always`, or only when the CRM has it or the rules map it.
    """

    name: str
    type: pa.DataType
    meaning: str
    need: Need = "always"


_ID = Column("id", pa.string(), "the CRM's own id, in its long form", "key")
_MODIFIED = Column(
    "modified_at", STAMP, "the CRM's stamp of the last change, by people or by machines", "key"
)
_CREATED = Column("created_at", STAMP, "when the record was created")
_OWNER = Column("owner_id", pa.string(), "id of the owner who works the record")
_LAST_ACTIVITY = Column("last_activity_date", pa.date32(), "last logged activity", "mapped")
_TOUCHES = Column(
    "touches", pa.int64(), "how often somebody contacted them: calls, e-mails, meetings", "mapped"
)

ACCOUNT = (
    _ID,
    Column("name", pa.string(), "the company's name"),
    _OWNER,
    Column("parent_id", pa.string(), "id of the parent account"),
    Column("type", pa.string(), "customer, prospect, partner …, as the org words it"),
    Column("industry", pa.string(), "the sector, as the org words it"),
    Column("country", pa.string(), "country of the main office"),
    Column("employees", pa.int64(), "head count"),
    Column("annual_revenue", MONEY, "the customer's own revenue per year"),
    Column("currency", pa.string(), "ISO code of the record's money", "mapped"),
    Column("territory", pa.string(), "the territory or region it belongs to", "mapped"),
    Column(
        "company_growth", pa.float64(), "growth of the customer's own business, percent per year", "mapped"
    ),
    Column("opted_out", pa.bool_(), "does not want to be sold to", "mapped"),
    _LAST_ACTIVITY,
    _TOUCHES,
    _CREATED,
    _MODIFIED,
)

OPPORTUNITY = (
    _ID,
    Column("name", pa.string(), "what the deal is called"),
    Column("account_id", pa.string(), "id of the account"),
    _OWNER,
    Column("stage", pa.string(), "name of the stage it is in"),
    Column("type", pa.string(), "new business, renewal …, as the org words it"),
    Column("amount", MONEY, "total value"),
    Column("recurring_revenue", MONEY, "the part of the value that recurs, per year", "mapped"),
    Column("currency", pa.string(), "ISO code of the record's money", "mapped"),
    Column("probability", pa.float64(), "0-100, the CRM's own chance of winning"),
    Column("close_date", pa.date32(), "when it closed, or is expected to"),
    Column("is_closed", pa.bool_(), "won or lost"),
    Column("is_won", pa.bool_(), "won"),
    Column("push_count", pa.int64(), "how often the close date was moved to a later month", "mapped"),
    Column("stage_changed_at", STAMP, "when it entered its stage", "mapped"),
    Column("pipeline", pa.string(), "the sales process it goes through, as the org words it", "mapped"),
    _LAST_ACTIVITY,
    _TOUCHES,
    Column("product", pa.string(), "main product or product family", "mapped"),
    Column("margin", pa.float64(), "gross margin in percent of the amount", "mapped"),
    Column("need_by", pa.date32(), "the date by which the customer needs a solution", "mapped"),
    Column(
        "pain",
        pa.string(),
        "the problem that makes the customer buy; only whether it is filled counts",
        "mapped",
    ),
    _CREATED,
    _MODIFIED,
)

OWNER = (
    _ID,
    Column("name", pa.string(), "the rep's name, for lists that managers read"),
    Column("active", pa.bool_(), "may own and work records"),
    Column("manager_id", pa.string(), "id of the manager"),
    Column("team", pa.string(), "team, region or division"),
    Column("timezone", pa.string(), "IANA name of the rep's time zone", "mapped"),
    _MODIFIED,
)

STAGE = (
    _ID,
    Column("name", pa.string(), "the stage's name"),
    Column("probability", pa.float64(), "0-100, the stage's default chance of winning"),
    Column("is_closed", pa.bool_(), "the deal is over"),
    Column("is_won", pa.bool_(), "the deal is won"),
    Column("position", pa.int64(), "order in the sales process"),
    Column("active", pa.bool_(), "may be chosen"),
    _MODIFIED,
)

# Open activities of people and our own tasks; never subjects or notes of other people's activities.
TASK = (
    _ID,
    Column("key", pa.string(), "our deterministic key; null on a task that is not ours"),
    _OWNER,
    Column("account_id", pa.string(), "id of the account it is about"),
    Column("opportunity_id", pa.string(), "id of the opportunity it is about, if any"),
    Column("due", pa.date32(), "due date"),
    Column("is_closed", pa.bool_(), "done or given up"),
    _CREATED,
    _MODIFIED,
)

# What a rep or a team is asked to sell in a period.
QUOTA = (
    _ID,
    _OWNER,
    Column("team", pa.string(), "the team whose quota it is, where it is not one rep's"),
    Column("amount", MONEY, "the sum to be won"),
    Column("start", pa.date32(), "first day of the period"),
    Column("end", pa.date32(), "last day of the period"),
    _MODIFIED,
)

# Service requests; never their subjects or texts.
CASE = (
    _ID,
    Column("account_id", pa.string(), "id of the account that asks"),
    _OWNER,
    Column("type", pa.string(), "the kind of request, as the org words it"),
    Column("priority", pa.string(), "how urgent, as the org words it"),
    Column("is_closed", pa.bool_(), "answered or given up"),
    _CREATED,
    _MODIFIED,
)

LINE_ITEM = (
    _ID,
    Column("opportunity_id", pa.string(), "id of the opportunity it is sold in"),
    Column("product", pa.string(), "name of the product"),
    Column("quantity", pa.float64(), "how many"),
    Column("amount", MONEY, "what the customer pays for it in all, discounts taken off"),
    Column("cost", MONEY, "what it costs us in all", "mapped"),
    _MODIFIED,
)

# Contacts that took place, one object for each kind; never their subjects or texts.
ACTIVITY = (
    _ID,
    Column("account_id", pa.string(), "id of the account it was with"),
    Column("opportunity_id", pa.string(), "id of the opportunity it was about, if any"),
    _OWNER,
    Column("day", pa.date32(), "when it took place, or is to; none if it fell through"),
    _MODIFIED,
)

# What files next to the rules may tell, with every name already looked up in the CRM's records.

COMMITMENT = (
    _ID,
    Column("account_id", pa.string(), "id of the account"),
    Column("amount", MONEY, "spend per year that was promised together with the customer"),
    Column("by", pa.date32(), "the day by which it should be reached"),
    Column("made_on", pa.date32(), "the day on which it was promised"),
    Column("seen_on", pa.date32(), "the last day on which it stood in the CRM; null if it comes from a file"),
    _MODIFIED,
)

TERRITORY = (
    Column("territory", pa.string(), "the territory or region, as accounts word it"),
    Column("owner_id", pa.string(), "id of an owner who works it"),
)

CAPACITY = (
    Column("owner_id", pa.string(), "id of the owner"),
    Column("accounts", pa.int64(), "how many accounts the owner can look after"),
)

SIDE_TABLES: dict[str, tuple[Column, ...]] = {
    "commitment": COMMITMENT,
    "territory": TERRITORY,
    "capacity": CAPACITY,
}

_OUTPUT_TYPES: dict[str, pa.DataType] = {
    "number": pa.int64(),
    "date": pa.date32(),
    "currency": MONEY,
    "picklist": pa.string(),
    "text": pa.string(),
}


def _held(object_name: str) -> tuple[Column, ...]:
    fields: tuple[OutputField, ...] = (*OUTPUT_FIELDS, *HUMAN_FIELDS)
    return tuple(
        Column(field.name, _OUTPUT_TYPES[field.type], field.help, "mapped")
        for field in fields
        if object_name in field.objects and field.type != "formula"
    )


RECORDS: dict[str, tuple[Column, ...]] = {
    "account": ACCOUNT + _held("account"),
    "opportunity": OPPORTUNITY + _held("opportunity"),
    "owner": OWNER,
    "stage": STAGE,
    "task": TASK,
    "quota": QUOTA,
    "case": CASE,
    "line_item": LINE_ITEM,
    "call": ACTIVITY,
    "email": ACTIVITY,
    "meeting": ACTIVITY,
}

# An org may not have these at all (or not show them to the worker): it then has none, and nothing is wrong.
Optional = Literal["quota", "case", "line_item", "call", "email", "meeting"]
OPTIONAL: frozenset[str] = frozenset(get_args(Optional))


def schema(object_name: str, columns: tuple[str, ...] | None = None) -> pa.Schema:
    """Arrow schema of a canonical record, or of some of its columns in the record's own order."""
    return pa.schema(
        [
            (column.name, column.type)
            for column in (RECORDS.get(object_name) or SIDE_TABLES[object_name])
            if columns is None or column.name in columns
        ]
    )
