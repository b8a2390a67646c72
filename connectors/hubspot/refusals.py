"""What a person can do about a record that HubSpot refuses, by the property that it blames, or the code it gives."""

from __future__ import annotations

from connectors.hubspot.failures import LOCKED
from connectors.outcomes import Remedy

_AGAIN = Remedy("the next run tries again", passing=True)
_SETUP = "make the property as `foretag setup` would make it, or map the output to another one"
# Of a record, in an otherwise good reply: it was not written, and may well be a moment later. Of the first it is
# certain that nothing was begun, so that even a create may be sent again.
TURNED_AWAY = frozenset({LOCKED, "RATE_LIMITS", "RATE_LIMIT"})
PASSING = TURNED_AWAY | {"INTERNAL_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"}
NOT_FOUND = "OBJECT_NOT_FOUND"

REMEDIES = {
    "hubspot_owner_id": Remedy("that owner has left HubSpot: give the record another one"),
    # While these last, the check before each run stops it; once they are mended, all is to be written.
    "INVALID_OPTION": Remedy("run `foretag setup`, which adds the options that are missing", passing=True),
    "PROPERTY_DOESNT_EXIST": Remedy("run `foretag setup`, which makes the property", passing=True),
    "READ_ONLY_VALUE": Remedy("make the property editable, or map the output to another one", passing=True),
    "INVALID_INTEGER": Remedy(_SETUP),
    "INVALID_LONG": Remedy(_SETUP),
    "INVALID_DATE": Remedy(_SETUP),
    "VALIDATION_ERROR": Remedy(
        "a validation rule of the portal refuses the record: change the record or the rule; the reason names it"
    ),
    "CONFLICT": Remedy("another record has the same value in a unique property: change one of them"),
    NOT_FOUND: Remedy("the next run takes in that it is gone"),
    **dict.fromkeys(PASSING, _AGAIN),
}
