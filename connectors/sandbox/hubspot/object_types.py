"""The portal's object types and every name that a path may call them by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One type of records. `lenient` types ignore values that others refuse (unknown and read-only properties)."""

    name: str
    singular: str
    type_id: str
    label: str
    plural_label: str
    modified_property: str = "hs_lastmodifieddate"
    created_property: str = "createdate"
    defaults: tuple[str, ...] = ()
    searchable: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    lenient: bool = False


STANDARD_TYPES = (
    ObjectType(
        "contacts", "contact", "0-1", "Contact", "Contacts", "lastmodifieddate",
        defaults=("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
        searchable=("firstname", "lastname", "email", "phone", "company"),
    ),
    ObjectType(
        "companies", "company", "0-2", "Company", "Companies",
        defaults=("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
        searchable=("name", "domain", "website", "phone"),
    ),
    ObjectType(
        "deals", "deal", "0-3", "Deal", "Deals",
        defaults=(
            "amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id",
            "pipeline",
        ),
        searchable=("dealname", "pipeline", "dealstage", "description", "dealtype"),
        required=("dealname", "dealstage"),
    ),
    ObjectType(
        "tickets", "ticket", "0-5", "Ticket", "Tickets",
        defaults=(
            "content", "createdate", "hs_lastmodifieddate", "hs_object_id", "hs_pipeline", "hs_pipeline_stage",
            "hs_ticket_category", "hs_ticket_priority", "subject",
        ),
        searchable=("subject", "content", "hs_pipeline_stage", "hs_ticket_category", "hs_ticket_id"),
        required=("hs_pipeline_stage",),
    ),
    ObjectType(
        "products", "product", "0-7", "Product", "Products",
        defaults=("createdate", "description", "hs_lastmodifieddate", "hs_object_id", "name", "price"),
        searchable=("name", "description", "price", "hs_sku"),
    ),
    ObjectType(
        "line_items", "line_item", "0-8", "Line Item", "Line Items",
        defaults=(
            "amount", "createdate", "hs_lastmodifieddate", "hs_object_id", "hs_product_id", "quantity",
        ),
        searchable=("name", "description", "price"),
    ),
    ObjectType(
        "tasks", "task", "0-27", "Task", "Tasks", created_property="hs_createdate",
        defaults=("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        searchable=("hs_task_subject", "hs_task_body"),
        required=("hs_timestamp",), lenient=True,
    ),
    ObjectType(
        "notes", "note", "0-46", "Note", "Notes", created_property="hs_createdate",
        defaults=("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        searchable=("hs_note_body",), required=("hs_timestamp",), lenient=True,
    ),
    ObjectType(
        "meetings", "meeting", "0-47", "Meeting", "Meetings", created_property="hs_createdate",
        defaults=("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        searchable=("hs_meeting_title", "hs_meeting_body"), required=("hs_timestamp",), lenient=True,
    ),
    ObjectType(
        "calls", "call", "0-48", "Call", "Calls", created_property="hs_createdate",
        defaults=("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        searchable=("hs_call_title", "hs_call_body"), required=("hs_timestamp",), lenient=True,
    ),
    ObjectType(
        "emails", "email", "0-49", "Email", "Emails", created_property="hs_createdate",
        defaults=("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        searchable=("hs_email_subject",), required=("hs_timestamp",), lenient=True,
    ),
    ObjectType(
        "goal_targets", "goal_target", "0-74", "Goal Target", "Goal Targets", created_property="hs_createdate",
        defaults=("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        searchable=("hs_goal_name",),
    ),
    ObjectType(
        "quotes", "quote", "0-14", "Quote", "Quotes", created_property="hs_createdate",
        defaults=(
            "hs_createdate", "hs_expiration_date", "hs_lastmodifieddate", "hs_object_id", "hs_status", "hs_title",
        ),
        searchable=("hs_title", "hs_quote_number"), required=("hs_title", "hs_expiration_date"),
    ),
    ObjectType(
        "leads", "lead", "0-136", "Lead", "Leads", created_property="hs_createdate",
        defaults=("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        searchable=("hs_lead_name",), required=("hs_lead_name",),
    ),
    ObjectType(
        "users", "user", "0-115", "User", "Users", created_property="hs_createdate",
        defaults=("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        searchable=("hs_given_name", "hs_family_name", "hs_email"),
    ),
)  # fmt: skip


def aliases(one: ObjectType) -> tuple[str, ...]:
    """Every name of a type in a path, in lower case: plural, singular, type id, and old `p_` names."""
    return tuple(
        name.lower()
        for name in dict.fromkeys((one.name, one.singular, one.type_id, f"p_{one.singular}", f"p_{one.name}"))
    )
