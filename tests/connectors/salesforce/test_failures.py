"""Salesforce's error bodies: six shapes, one reading."""

from __future__ import annotations

import json

import pytest
import requests
import responses

from connectors.salesforce.failures import read_failure

URL = "https://acme.my.salesforce.com/x"
LOCK = "UNABLE_TO_LOCK_ROW"
SOAP = (
    '<soapenv:Envelope xmlns:soapenv="x"><soapenv:Body><soapenv:Fault><faultcode>sf:INVALID_SESSION_ID</faultcode>'
    "<faultstring>INVALID_SESSION_ID: Invalid Session ID</faultstring></soapenv:Fault>"
    "</soapenv:Body></soapenv:Envelope>"
)
BULK = (
    '<?xml version="1.0"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload">'
    "<exceptionCode>InvalidSessionId</exceptionCode><exceptionMessage>Invalid session id</exceptionMessage></error>"
)
SHAPES = {
    "rest": (json.dumps([{"message": "busy", "errorCode": LOCK, "fields": ["A__c"]}]), LOCK, "busy", ("A__c",)),
    "oauth": ('{"error": "invalid_grant", "error_description": "expired"}', "invalid_grant", "expired", ()),
    "oauth without words": ('{"error": "invalid_grant"}', "invalid_grant", "", ()),
    "bulk 1 json": (
        '{"exceptionCode": "InvalidSessionId", "exceptionMessage": "no"}', "INVALID_SESSION_ID", "no", ()
    ),
    "bulk 1 xml": (BULK, "INVALID_SESSION_ID", "Invalid session id", ()),
    "collections": (
        json.dumps([{"success": False, "errors": [{"statusCode": LOCK, "message": "busy", "fields": []}]}]),
        LOCK, "busy", (),
    ),
    "composite": (
        json.dumps({"compositeResponse": [
            {"httpStatusCode": 400, "body": [{"errorCode": "PROCESSING_HALTED", "message": "other"}]},
            {"httpStatusCode": 400, "body": [{"errorCode": "INVALID_FIELD", "message": "this"}]},
        ]}),
        "INVALID_FIELD", "this", (),
    ),
    "soap": (SOAP, "INVALID_SESSION_ID", "INVALID_SESSION_ID: Invalid Session ID", ()),
    "web page": ("<html>down</html>", "HTML", "a web page instead of data", ()),
    "nothing": ("", "", "", ()),
    "odd json": ("3", "", "", ()),
    "empty list": ("[]", "", "", ()),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@responses.activate
def test_every_shape_is_read(shape: str) -> None:
    """Code, message and fields, whichever API family answers."""
    body, code, message, fields = SHAPES[shape]
    responses.get(URL, status=400, body=body)
    failure = read_failure(requests.get(URL, timeout=1))
    assert (failure.code, failure.message, failure.fields) == (code, message, fields)
