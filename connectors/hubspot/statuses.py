"""HubSpot's status table: which reply asks for which action, and what to tell a person."""

from __future__ import annotations

from connectors.hubspot.failures import LOCKED, TOO_LONG, WRONG_REGION, read_failure
from connectors.statuses import Action, Dialect, Rule

_REFUSE, _FAIL, _RETRY, _PARK = Action.REFUSE, Action.FAIL, Action.RETRY, Action.PARK

_AGAIN = "HubSpot is busy or being maintained; the next run goes on where this one stopped"
_SCOPES = "give the token the scopes that docs/hubspot.md lists (Settings > Keys > the key > Scopes)"
_TOKEN = "make a new service key in this portal and store it; one that was rotated or deleted stops at once"  # noqa: S105
_RATE = "too many requests"

RULES = (
    # Who we are.
    Rule(None, WRONG_REGION, _FAIL, "the token belongs to another data region", _TOKEN),
    Rule(401, "", Action.REFRESH, "HubSpot does not accept our token", _TOKEN),
    Rule(403, "MISSING_SCOPES", _FAIL, "the token may not do this", _SCOPES),
    Rule(None, "MISSING_SCOPES", _FAIL, "the token may not do this", _SCOPES),
    Rule(403, "", _FAIL, "HubSpot forbids it", _SCOPES),
    # Limits. The daily one is the account's, and lasts until midnight there.
    Rule(
        429,
        "DAILY",
        _PARK,
        "the portal's daily API allowance is used up",
        "it is full again at midnight in the portal's time zone; raise it, or lower what other integrations use",
    ),
    Rule(
        429,
        "",
        _PARK,
        "the portal's daily API allowance is used up",
        "it is full again at midnight in the portal's time zone; raise it, or lower what other integrations use",
        text="daily limit",
    ),
    Rule(429, "TEN_SECONDLY_ROLLING", _RETRY, _RATE, _AGAIN, harmless=True, pause=10.0),
    Rule(429, "SECONDLY", _RETRY, _RATE, _AGAIN, harmless=True, pause=1.0),
    Rule(429, "", _RETRY, _RATE, _AGAIN, harmless=True, pause=1.0),
    # Turned away for a while.
    Rule(
        423,
        LOCKED,
        _RETRY,
        "somebody else holds a lock on the record",
        _AGAIN,
        harmless=True,
        pause=2.0,
    ),
    Rule(477, "", _RETRY, "the portal is being moved to another data centre", _AGAIN, harmless=True),
    Rule(408, "", _RETRY, "HubSpot took too long", _AGAIN),
    Rule(range(521, 524), "", _RETRY, "HubSpot cannot be reached", _AGAIN, harmless=True),
    Rule(range(525, 527), "", _RETRY, "HubSpot cannot be reached safely", _AGAIN, harmless=True),
    Rule(
        530,
        "",
        _RETRY,
        "HubSpot cannot be reached",
        "if it stays so, check the token: HubSpot's front answers malformed ones like this",
        harmless=True,
    ),
    Rule(range(500, 600), "", _RETRY, "HubSpot is not available", _AGAIN),
    Rule(
        range(200, 300),
        "HTML",
        _RETRY,
        "something answers in HubSpot's place",
        "check `url`, and what proxies stand in between",
    ),
    Rule(range(300, 400), "", _FAIL, "HubSpot sends us elsewhere", "correct `url`"),
    Rule(405, "", _FAIL, "HubSpot does not offer this call", "change `api_version`"),
    Rule(410, "", _FAIL, "the API version is not served any more", "raise `api_version`"),
    # What the caller knows how to handle.
    Rule(414, TOO_LONG, _REFUSE, "the address is too long"),
    Rule(404, "", _REFUSE, "not found"),
    Rule(409, "", _REFUSE, "it exists already"),
    Rule(None, "", _REFUSE, "HubSpot refuses it"),
)

HUBSPOT = Dialect(RULES, read_failure)
