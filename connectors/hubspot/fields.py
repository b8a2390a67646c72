"""Which HubSpot object, property or association stands behind each canonical object and column."""

from __future__ import annotations

from dataclasses import dataclass

from config.outputs import ALL_FIELDS

# By the names that paths use. Stages are parts of the deal pipelines.
OBJECTS = {
    "account": "companies",
    "opportunity": "deals",
    "owner": "owners",
    "stage": "pipelines",
    "task": "tasks",
    "quota": "goal_targets",
    "case": "tickets",
    "line_item": "line_items",
    "call": "calls",
    "email": "emails",
    "meeting": "meetings",
}

# What HubSpot itself calls the objects in export and import requests.
TYPE_IDS = {
    "companies": "0-2",
    "deals": "0-3",
    "tickets": "0-5",
    "line_items": "0-8",
    "tasks": "0-27",
    "meetings": "0-47",
    "calls": "0-48",
    "emails": "0-49",
    "goal_targets": "0-74",
}

_KEYS: dict[str, tuple[str, ...]] = {"id": ("hs_object_id",), "modified_at": ("hs_lastmodifieddate",)}
_CREATED = ("createdate", "hs_createdate")
_OWNER = ("hubspot_owner_id",)
# A task that somebody ticked off counts as activity, too; where a portal lacks that, the last contact does.
_LAST_ACTIVITY = ("notes_last_updated", "notes_last_contacted")
_TOUCHES = ("num_contacted_notes",)
_ACTIVITY: dict[str, tuple[str, ...]] = {**_KEYS, "owner_id": _OWNER, "day": ("hs_timestamp",)}

# Canonical column -> property names; the first one that the portal has counts.
DEFAULTS: dict[str, dict[str, tuple[str, ...]]] = {
    "account": {
        **_KEYS,
        "name": ("name",),
        "owner_id": _OWNER,
        "parent_id": ("hs_parent_company_id",),
        "type": ("type",),
        "industry": ("industry",),
        "country": ("country",),
        "employees": ("numberofemployees",),
        "annual_revenue": ("annualrevenue",),
        "last_activity_date": _LAST_ACTIVITY,
        "touches": _TOUCHES,
        "created_at": _CREATED,
    },
    "opportunity": {
        **_KEYS,
        "name": ("dealname",),
        "owner_id": _OWNER,
        "stage": ("dealstage",),
        "type": ("dealtype",),
        "amount": ("amount",),
        "recurring_revenue": ("hs_arr",),
        "currency": ("deal_currency_code",),
        "probability": ("hs_deal_stage_probability",),
        "close_date": ("closedate",),
        "is_closed": ("hs_is_closed",),
        "is_won": ("hs_is_closed_won",),
        "stage_changed_at": ("hs_v2_date_entered_current_stage",),
        "pipeline": ("pipeline",),
        "last_activity_date": _LAST_ACTIVITY,
        "touches": _TOUCHES,
        "created_at": _CREATED,
    },
    "owner": {},
    "stage": {},
    "task": {
        **_KEYS,
        "key": ("foretag_key",),
        "owner_id": _OWNER,
        "due": ("hs_timestamp",),
        "is_closed": ("hs_task_status",),
        "created_at": _CREATED,
    },
    "quota": {
        **_KEYS,
        "owner_id": _OWNER,
        "team": ("hs_assignee_team_id",),
        "amount": ("hs_target_amount",),
        "start": ("hs_start_datetime",),
        "end": ("hs_end_datetime",),
    },
    "case": {
        **_KEYS,
        "owner_id": _OWNER,
        "type": ("hs_ticket_category",),
        "priority": ("hs_ticket_priority",),
        "is_closed": ("hs_is_closed",),
        "created_at": _CREATED,
    },
    "line_item": {
        **_KEYS,
        "product": ("name",),
        "quantity": ("quantity",),
        "amount": ("amount",),
        "cost": ("hs_cost_of_goods_sold",),
    },
    "call": _ACTIVITY,
    "email": _ACTIVITY,
    "meeting": _ACTIVITY,
}

for _field in ALL_FIELDS:
    for _object in _field.objects:
        DEFAULTS[_object].setdefault(_field.name, (_field.name,))


# Where a portal has several currencies, the sum in its own one comes first.
IN_HOME_CURRENCY = {("opportunity", "amount"): ("amount_in_home_currency",)}


@dataclass(frozen=True, slots=True)
class Link:
    """A column that HubSpot keeps as an association.

    `primary`: the type id that marks the one of several. `made`: the type id of those that we make.
    """

    to: str
    primary: int | None = None
    made: int | None = None


# The type ids are HubSpot's own, each for its direction; a check looks them up in the portal.
LINKS: dict[str, dict[str, Link]] = {
    "opportunity": {"account_id": Link("companies", primary=5)},
    "task": {"account_id": Link("companies", made=192), "opportunity_id": Link("deals", made=216)},
    "case": {"account_id": Link("companies", primary=26)},
    "line_item": {"opportunity_id": Link("deals")},
    "call": {"account_id": Link("companies"), "opportunity_id": Link("deals")},
    "email": {"account_id": Link("companies"), "opportunity_id": Link("deals")},
    "meeting": {"account_id": Link("companies"), "opportunity_id": Link("deals")},
}
