"""Salesforce's status table: which reply asks for which action, and what to tell a person."""

from __future__ import annotations

from connectors.salesforce.failures import read_failure
from connectors.statuses import Action, Dialect, Rule

_REFUSE, _FAIL, _RETRY, _PARK = Action.REFUSE, Action.FAIL, Action.RETRY, Action.PARK

_PERMISSIONS = "assign the permission set Foretag Worker to the worker's user (`foretag setup` makes it)"
_API_ACCESS = "use an edition with API access, and give the worker's user the permission API Enabled"
_LACKING = "the worker's user lacks a permission"
_MY_DOMAIN = "set `url` to the org's My Domain address"
_AGAIN = "Salesforce is busy or being maintained; the next run goes on where this one stopped"

RULES = (
    # The session.
    Rule(
        401,
        "",
        Action.REFRESH,
        "Salesforce does not accept our session",
        "check the client id and secret, and that the worker's user is active",
    ),
    Rule(
        None,
        "INVALID_SESSION_ID",
        Action.REFRESH,
        "Salesforce does not accept our session",
        "check the client id and secret, and that the worker's user is active",
    ),
    # Limits. One code says several things; only the status or the text tells them apart.
    Rule(429, "", _RETRY, "too many requests", _AGAIN, harmless=True),
    Rule(
        None,
        "REQUEST_LIMIT_EXCEEDED",
        _RETRY,
        "too many long calls at once",
        _AGAIN,
        text="concurrent",
        harmless=True,
    ),
    Rule(
        None,
        "REQUEST_LIMIT_EXCEEDED",
        _PARK,
        "the org's daily API allowance is used up",
        "it frees up over 24 hours; raise it, or lower what other integrations use",
    ),
    # What a person must change.
    Rule(None, "API_DISABLED_FOR_ORG", _FAIL, "API access is switched off", _API_ACCESS),
    Rule(None, "API_CURRENTLY_DISABLED", _FAIL, "API access is switched off", _API_ACCESS),
    Rule(
        None,
        "TXN_SECURITY_METERING_ERROR",
        _FAIL,
        "a transaction security policy of the org blocks us",
        "ask the org's admin to exempt the worker's user",
    ),
    Rule(None, "INSUFFICIENT_ACCESS", _FAIL, _LACKING, _PERMISSIONS),
    Rule(None, "INSUFFICIENT_ACCESS_OR_READONLY", _FAIL, _LACKING, _PERMISSIONS),
    Rule(
        None,
        "OPERATION_TOO_LARGE",
        _FAIL,
        "the worker's user may not read that many activities",
        "give the worker's user the permission View All Data, or turn tasks off and leave contacts out of the rules",
    ),
    Rule(
        None,
        "UNSUPPORTED_API_VERSION",
        _FAIL,
        "the API version is not served any more",
        "raise `api_version`",
    ),
    Rule(410, "", _FAIL, "the API version is not served any more", "raise `api_version`"),
    Rule(None, "INVALID_TYPE", _FAIL, "the object is missing or may not be read", _PERMISSIONS),
    Rule(
        None,
        "MALFORMED_QUERY",
        _FAIL,
        "Salesforce does not understand the query",
        "check the field mapping of this connection",
    ),
    Rule(
        None,
        "QUERY_TOO_COMPLICATED",
        _FAIL,
        "Salesforce finds the query too complicated",
        "map fewer fields, or fewer formula fields",
    ),
    Rule(
        None,
        "INVALID_QUERY_FILTER_OPERATOR",
        _FAIL,
        "a field cannot be filtered by",
        "check the field mapping of this connection",
    ),
    Rule(414, "", _FAIL, "the query is too long for an address", "map fewer fields"),
    Rule(431, "", _FAIL, "the query is too long for an address", "map fewer fields"),
    # What the caller knows how to handle.
    Rule(None, "INVALID_FIELD", _REFUSE, "a field is missing or may not be read"),
    Rule(None, "QUERY_TIMEOUT", _REFUSE, "the query took too long"),
    Rule(None, "INVALID_QUERY_LOCATOR", _REFUSE, "the place in a result was forgotten"),
    Rule(None, "INVALIDENTITY", _REFUSE, "the Bulk API does not know the object"),
    Rule(404, "", _REFUSE, "not found"),
    Rule(300, "", _REFUSE, "the external id belongs to several records"),
    # Worth another attempt.
    Rule(None, "UNABLE_TO_LOCK_ROW", _RETRY, "somebody else holds a lock on the record", harmless=True),
    Rule(None, "SERVER_UNAVAILABLE", _RETRY, "Salesforce is not available", _AGAIN),
    Rule(406, "", _RETRY, "Salesforce is being set up", _AGAIN),
    Rule(408, "", _RETRY, "Salesforce took too long", _AGAIN),
    Rule(420, "", _RETRY, "Salesforce is being set up", _AGAIN),
    Rule(range(500, 600), "", _RETRY, "Salesforce is not available", _AGAIN),
    Rule(
        range(200, 300),
        "HTML",
        _RETRY,
        "something answers in Salesforce's place",
        "check that `url` is the org's My Domain address, and what proxies stand in between",
    ),
    # The rest.
    Rule(
        range(300, 400),
        "",
        _FAIL,
        "Salesforce sends us elsewhere",
        "set `url` to the org's My Domain address",
    ),
    Rule(403, "", _FAIL, "Salesforce forbids it", _PERMISSIONS),
    Rule(405, "", _FAIL, "Salesforce does not offer this call", "raise `api_version`"),
    Rule(None, "", _REFUSE, "Salesforce refuses it"),
)

SALESFORCE = Dialect(RULES, read_failure)
