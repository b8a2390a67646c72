"""Fields that the org fills itself when a record is saved: SQL over the record's new state, in dependent steps.

In these expressions `c` is the candidate row: "F" is a field's new value, "F$old" the one before (null for a
new record), "F$set" whether the save named it. `now` is the stamp of the save.
"""

from __future__ import annotations

_STAGE = '(SELECT s."{column}" FROM "OpportunityStage" s WHERE lower(s."MasterLabel") = lower(c."StageName"))'
_MOVED = 'c."StageName" IS DISTINCT FROM c."StageName$old"'
_FROM_CATEGORY = (
    "CASE c.\"ForecastCategoryName\" WHEN 'Best Case' THEN 'BestCase' ELSE c.\"ForecastCategoryName\" END"
)
_LATER_MONTH = "date_trunc('month', c.\"CloseDate\") > date_trunc('month', c.\"CloseDate$old\")"
_ACTIVITY_ACCOUNT = """CASE left(c."WhatId", 3) WHEN '001' THEN c."WhatId"
    WHEN '006' THEN (SELECT o."AccountId" FROM "Opportunity" o WHERE o."Id" = c."WhatId")
    WHEN '500' THEN (SELECT k."AccountId" FROM "Case" k WHERE k."Id" = c."WhatId")
    ELSE (SELECT p."AccountId" FROM "Contact" p WHERE p."Id" = c."WhoId") END"""
_FULL_NAME = 'concat_ws(\' \', c."FirstName", c."LastName")'

Steps = tuple[dict[str, str], ...]

DERIVED: dict[str, Steps] = {
    "Opportunity": (
        {
            "IsClosed": f"coalesce({_STAGE.format(column='IsClosed')}, FALSE)",
            "IsWon": f"coalesce({_STAGE.format(column='IsWon')}, FALSE)",
            "Probability": f'CASE WHEN {_MOVED} AND NOT c."Probability$set" '
            f"THEN {_STAGE.format(column='DefaultProbability')}"
            ' ELSE c."Probability" END',
            "ForecastCategoryName": f'CASE WHEN {_MOVED} AND NOT c."ForecastCategoryName$set" THEN '
            f'{_STAGE.format(column="ForecastCategoryName")} ELSE c."ForecastCategoryName" END',
            "LastStageChangeDate": f"CASE WHEN {_MOVED} THEN getvariable('now') ELSE c.\"LastStageChangeDate\" END",
            "PushCount": f'coalesce(c."PushCount", 0) + CASE WHEN {_LATER_MONTH} THEN 1 ELSE 0 END',
            "FiscalYear": 'year(c."CloseDate")',
            "FiscalQuarter": 'quarter(c."CloseDate")',
            "Fiscal": 'year(c."CloseDate") || \' \' || quarter(c."CloseDate")',
        },
        {
            "ForecastCategory": _FROM_CATEGORY,
            "ExpectedRevenue": 'round(c."Amount" * c."Probability" / 100, 2)',
        },
    ),
    "Task": (
        {
            "IsClosed": "c.\"Status\" = 'Completed'",
            "IsHighPriority": "c.\"Priority\" = 'High'",
            "AccountId": _ACTIVITY_ACCOUNT,
            "CompletedDateTime": "CASE WHEN c.\"Status\" = 'Completed' "
            "THEN coalesce(c.\"CompletedDateTime\", getvariable('now')) END",
        },
    ),
    "Event": (
        {
            "AccountId": _ACTIVITY_ACCOUNT,
            "StartDateTime": 'coalesce(c."StartDateTime", c."ActivityDateTime", CAST(c."ActivityDate" AS TIMESTAMP))',
        },
        {
            # An all-day event has no time of day.
            "ActivityDateTime": 'CASE WHEN NOT c."IsAllDayEvent" THEN c."StartDateTime" END',
            "ActivityDate": 'CAST(c."StartDateTime" AS DATE)',
            "EndDateTime": 'coalesce(c."EndDateTime", '
            'c."StartDateTime" + to_minutes(coalesce(c."DurationInMinutes", 60)))',
        },
    ),
    "Contact": ({"Name": _FULL_NAME},),
    "Lead": ({"Name": _FULL_NAME},),
    "User": ({"Name": _FULL_NAME},),
    "Case": (
        {
            "IsClosed": "c.\"Status\" = 'Closed'",
            "ClosedDate": "CASE WHEN c.\"Status\" = 'Closed' THEN coalesce(c.\"ClosedDate\", getvariable('now')) END",
            "CaseNumber": 'coalesce(c."CaseNumber", '
            'lpad(CAST((SELECT count(*) FROM "Case") + 1001 + c."row" AS VARCHAR), 8, \'0\'))',
        },
    ),
    "ForecastingQuota": (
        {
            "IsAmount": 'c."QuotaAmount" IS NOT NULL',
            "IsQuantity": 'c."QuotaAmount" IS NULL',
            # Of the periods that hold its day the shortest.
            "PeriodId": '(SELECT arg_min(p."Id", p."EndDate" - p."StartDate") FROM "Period" p '
            'WHERE c."StartDate" BETWEEN p."StartDate" AND p."EndDate")',
        },
    ),
    "PricebookEntry": ({"Name": '(SELECT p."Name" FROM "Product2" p WHERE p."Id" = c."Product2Id")'},),
    "OpportunityLineItem": (
        {
            "TotalPrice": 'coalesce(c."Quantity" * c."UnitPrice" '
            '* (1 - coalesce(c."Discount", 0) / 100), c."TotalPrice")'
        },
    ),
}

# Fields whose old value or mention in the save the expressions above ask for.
WATCHED = {"Opportunity": ("StageName", "CloseDate", "Amount", "Probability", "ForecastCategoryName")}

HISTORY_FIELDS = ("StageName", "Amount", "CloseDate", "Probability")


def inputs(object_name: str) -> set[str]:
    """Fields that must have a column when a record of the object is saved."""
    known = {
        "Opportunity": {"ForecastCategory", "ExpectedRevenue"},
        "Contact": {"FirstName", "LastName"},
        "Lead": {"FirstName", "LastName"},
        "User": {"FirstName", "LastName"},
        "Task": {"WhatId", "WhoId", "Status", "Priority"},
        "Event": {"WhatId", "WhoId", "IsAllDayEvent", "DurationInMinutes"},
        "Case": {"Status"},
        "PricebookEntry": {"Product2Id"},
        "ForecastingQuota": {"QuotaAmount", "StartDate"},
        "OpportunityLineItem": {"Quantity", "UnitPrice", "Discount"},
    }
    steps = DERIVED.get(object_name, ())
    return (
        {name for step in steps for name in step}
        | known.get(object_name, set())
        | set(WATCHED.get(object_name, ()))
    )
