"""SOAP envelopes: which operation a request asks for, with what, and how replies and faults look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from starlette.responses import Response

from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.xml_trees import find, local_name, parse, render, tree

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.context import Call

_MEDIA_TYPE = "text/xml"


@dataclass(frozen=True, slots=True)
class SoapRequest:
    """An operation, its arguments as a tree, the caller's session id, and whether it is all or none."""

    operation: str
    arguments: dict[str, Any]
    session_id: str
    all_or_none: bool = False

    @classmethod
    def of(cls, call: Call) -> SoapRequest:
        """The request in a call's body. Raises `SalesforceError` when it is not an envelope."""
        root = parse(call.body)
        body = find(root, "Body")
        if body is None or not len(body):
            raise SalesforceError("INVALID_XML", "The envelope has no body")
        arguments = tree(body[0])
        session = find(root, "sessionId")
        together = find(root, "allOrNone")
        return cls(
            local_name(body[0]),
            arguments if isinstance(arguments, dict) else {},
            (session.text or "").strip() if session is not None else "",
            together is not None and (together.text or "").strip().lower() == "true",
        )


def soap_reply(operation: str, result: Any, namespace: str) -> Response:
    """The reply to an operation: one `result` element, several for a list, none for None."""
    return _envelope(f"<{operation}Response>{render('result', result)}</{operation}Response>", namespace, 200)


def soap_fault(error: SalesforceError, namespace: str) -> Response:
    """A fault, as both jsforce and simple-salesforce look for it."""
    text = escape(f"{error.code}: {error.message}")
    inner = (
        f"<soapenv:Fault><faultcode>sf:{error.code}</faultcode><faultstring>{text}</faultstring>"
        f"<detail><sf:UnexpectedErrorFault><sf:exceptionCode>{error.code}</sf:exceptionCode>"
        f"<sf:exceptionMessage>{escape(error.message)}</sf:exceptionMessage></sf:UnexpectedErrorFault></detail>"
        "</soapenv:Fault>"
    )
    return _envelope(inner, namespace, 500)


def _envelope(inner: str, namespace: str, status: int) -> Response:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns="{namespace}" xmlns:sf="http://soap.sforce.com/2006/04/fault.object"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<soapenv:Body>{inner}</soapenv:Body></soapenv:Envelope>"
    )
    return Response(text.encode(), status, media_type=_MEDIA_TYPE)
