"""What a person can do about a record that Salesforce refuses, by the code that it gives."""

from __future__ import annotations

from connectors.outcomes import Remedy

_ACCESS = "let the worker's user edit the record: by the permission set Foretag Worker, and by sharing"
_OWNER = "that owner is not active: give the record another one"
_AUTOMATION = "a trigger or flow of the org fails on this record; the reason names it"
_SETUP = "make the field as `foretag setup` would make it, or map the output to another one"
_GONE = "it was deleted, or merged into another; the next run takes that in"
_AGAIN = "the next run tries again"

REMEDIES = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Remedy(
        "change the record so that the validation rule lets it pass, or exempt the worker's user from the rule"
    ),
    "FIELD_FILTER_VALIDATION_EXCEPTION": Remedy("change what the lookup filter complains of on the record"),
    "REQUIRED_FIELD_MISSING": Remedy("fill in the required field on the record"),
    "DUPLICATES_DETECTED": Remedy("merge the duplicates, or let the duplicate rule pass the worker's user"),
    "DUPLICATE_VALUE": Remedy("another record has the same value in a unique field: change one of them"),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Remedy(
        "add the value to the field's picklist, for every record type, or let the picklist take other values"
    ),
    "STRING_TOO_LONG": Remedy(_SETUP),
    "NUMBER_OUTSIDE_VALID_RANGE": Remedy(_SETUP),
    "INVALID_TYPE_ON_FIELD_IN_RECORD": Remedy(_SETUP),
    # While this lasts, the check before each run stops it; once it is mended, all is to be written.
    "INVALID_FIELD_FOR_INSERT_UPDATE": Remedy("let the worker's user edit the field", passing=True),
    "INSUFFICIENT_ACCESS_OR_READONLY": Remedy(_ACCESS),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": Remedy(_ACCESS),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Remedy(_AUTOMATION),
    "CANNOT_EXECUTE_FLOW_TRIGGER": Remedy(_AUTOMATION),
    "INACTIVE_OWNER_OR_USER": Remedy(_OWNER),
    "OP_WITH_INVALID_USER_TYPE_EXCEPTION": Remedy(_OWNER),
    "STORAGE_LIMIT_EXCEEDED": Remedy("the org has no data storage left: make room, or buy more"),
    "ENTITY_IS_DELETED": Remedy(_GONE),
    "INVALID_CROSS_REFERENCE_KEY": Remedy(_GONE),
    # These pass by themselves, without a change of the record that a pull would show.
    "ENTITY_IS_LOCKED": Remedy("finish or recall the approval that locks the record", passing=True),
    "UNABLE_TO_LOCK_ROW": Remedy(_AGAIN, passing=True),
    "REQUEST_RUNNING_TOO_LONG": Remedy(_AGAIN, passing=True),
    "SERVER_UNAVAILABLE": Remedy(_AGAIN, passing=True),
    "UNKNOWN_EXCEPTION": Remedy(_AGAIN, passing=True),
}
