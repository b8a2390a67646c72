"""Which Salesforce object and field stands behind each canonical object and column."""

from __future__ import annotations

from config.outputs import ALL_FIELDS

OBJECTS = {
    "account": "Account",
    "opportunity": "Opportunity",
    "owner": "User",
    "stage": "OpportunityStage",
    "task": "Task",
    "quota": "ForecastingQuota",
    "case": "Case",
    "line_item": "OpportunityLineItem",
    "call": "Task",
    "email": "Task",
    "meeting": "Event",
}

_KEYS: dict[str, tuple[str, ...]] = {"id": ("Id",), "modified_at": ("SystemModstamp",)}
_ACTIVITY: dict[str, tuple[str, ...]] = {
    **_KEYS,
    "account_id": ("AccountId",),
    "opportunity_id": ("WhatId",),
    "owner_id": ("OwnerId",),
    "day": ("ActivityDate",),
}

# Canonical column -> field paths; the first one that the org has counts.
DEFAULTS: dict[str, dict[str, tuple[str, ...]]] = {
    "account": {
        **_KEYS,
        "name": ("Name",),
        "owner_id": ("OwnerId",),
        "parent_id": ("ParentId",),
        "type": ("Type",),
        "industry": ("Industry",),
        "country": ("BillingCountry",),
        "employees": ("NumberOfEmployees",),
        "annual_revenue": ("AnnualRevenue",),
        "currency": ("CurrencyIsoCode",),
        "last_activity_date": ("LastActivityDate",),
        "created_at": ("CreatedDate",),
    },
    "opportunity": {
        **_KEYS,
        "name": ("Name",),
        "account_id": ("AccountId",),
        "owner_id": ("OwnerId",),
        "stage": ("StageName",),
        "type": ("Type",),
        "amount": ("Amount",),
        "currency": ("CurrencyIsoCode",),
        "probability": ("Probability",),
        "close_date": ("CloseDate",),
        "is_closed": ("IsClosed",),
        "is_won": ("IsWon",),
        "push_count": ("PushCount",),
        "stage_changed_at": ("LastStageChangeDate",),
        # An org without record types has one pipeline, and no such field.
        "pipeline": ("RecordType.Name",),
        "last_activity_date": ("LastActivityDate",),
        "created_at": ("CreatedDate",),
    },
    "owner": {
        **_KEYS,
        "name": ("Name",),
        "active": ("IsActive",),
        "manager_id": ("ManagerId",),
        "team": ("UserRole.Name", "Division"),
        "timezone": ("TimeZoneSidKey",),
    },
    "stage": {
        **_KEYS,
        # The API name is what opportunities carry; the label may be renamed.
        "name": ("ApiName", "MasterLabel"),
        "probability": ("DefaultProbability",),
        "is_closed": ("IsClosed",),
        "is_won": ("IsWon",),
        "position": ("SortOrder",),
        "active": ("IsActive",),
    },
    "task": {
        **_KEYS,
        "key": ("Foretag_Key__c",),
        "owner_id": ("OwnerId",),
        "account_id": ("AccountId",),
        "opportunity_id": ("WhatId",),
        "due": ("ActivityDate",),
        "is_closed": ("IsClosed",),
        "created_at": ("CreatedDate",),
    },
    "quota": {
        **_KEYS,
        "owner_id": ("QuotaOwnerId",),
        "amount": ("QuotaAmount",),
        "start": ("Period.StartDate", "StartDate"),
        "end": ("Period.EndDate",),
    },
    "case": {
        **_KEYS,
        "account_id": ("AccountId",),
        "owner_id": ("OwnerId",),
        "type": ("Type",),
        "priority": ("Priority",),
        "is_closed": ("IsClosed",),
        "created_at": ("CreatedDate",),
    },
    "line_item": {
        **_KEYS,
        "opportunity_id": ("OpportunityId",),
        "product": ("Product2.Name", "Name"),
        "quantity": ("Quantity",),
        "amount": ("TotalPrice",),
    },
    "call": _ACTIVITY,
    "email": _ACTIVITY,
    "meeting": _ACTIVITY,
}

for _field in ALL_FIELDS:
    for _object in _field.objects:
        DEFAULTS[_object].setdefault(_field.name, (_field.salesforce_name,))

# A reference to several objects is kept only where it points to the one that the column is about.
KEY_PREFIXES = {
    (name, column): prefix
    for name in ("task", "call", "email", "meeting")
    for column, prefix in (("opportunity_id", "006"), ("account_id", "001"))
}
