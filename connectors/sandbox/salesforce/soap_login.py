"""SOAP login, which old clients still use: gone from version 65.0 on, refused below 31.0."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import escape

from defusedxml.ElementTree import fromstring
from starlette.responses import Response

from connectors.sandbox.salesforce.auth import instance_url
from connectors.sandbox.salesforce.context import OLDEST_VERSION
from connectors.sandbox.wire import notes

if TYPE_CHECKING:
    from starlette.routing import Route

    from connectors.sandbox.salesforce.context import Call, SandboxContext
    from connectors.sandbox.salesforce.org import User
    from connectors.sandbox.salesforce.sessions import Session

NEWEST_LOGIN_VERSION = 64

# Clients pick these elements out of the text, so they carry neither prefixes nor attributes.
_REPLY = """<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope \
xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:{kind}.soap.sforce.com" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><loginResponse><result>\
<metadataServerUrl>{instance}/services/Soap/m/{version}/{org}</metadataServerUrl><passwordExpired>false</passwordExpired>\
<sandbox>{sandbox}</sandbox><serverUrl>{instance}/services/Soap/{letter}/{version}/{org}</serverUrl>\
<sessionId>{session}</sessionId><userId>{user}</userId><userInfo><organizationId>{org}</organizationId>\
<organizationName>{org_name}</organizationName><sessionSecondsValid>{seconds}</sessionSecondsValid>\
<userEmail>{username}</userEmail><userFullName>{name}</userFullName><userId>{user}</userId>\
<userName>{username}</userName></userInfo></result></loginResponse></soapenv:Body></soapenv:Envelope>"""

_FAULT = """<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope \
xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault><faultcode>sf:{code}</faultcode>\
<faultstring>{code}: {message}</faultstring><detail><sf:{element} xsi:type="sf:{element}">\
<sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>{message}</sf:exceptionMessage></sf:{element}></detail>\
</soapenv:Fault></soapenv:Body></soapenv:Envelope>"""


def routes(context: SandboxContext) -> list[Route]:
    """The login endpoints of the partner (u) and enterprise (c) API, with or without an org id behind."""
    paths = [
        f"/services/Soap/{letter}/{{soap_version}}{rest}"
        for letter in "uc"
        for rest in ("", "/{organization}")
    ]
    return [context.resource(path, {"POST": login}, authenticated=False) for path in paths]


def login(call: Call) -> Response:
    """POST /services/Soap/u/{version}: only `login`."""
    version = call.path_params["soap_version"]
    if not re.fullmatch(r"\d{1,2}\.0", version) or float(version) < OLDEST_VERSION:
        return fault(
            "UNSUPPORTED_API_VERSION", f"Invalid Api version specified on URL: {version}", "ApiFault"
        )
    try:
        request = fromstring(call.body).find(".//{*}Body/{*}login")
    except ParseError as error:
        return fault("INVALID_XML", f"The request is not XML: {error}", "ApiFault")
    if request is None or float(version) > NEWEST_LOGIN_VERSION:
        return fault("INVALID_OPERATION", f"login() is not available in API version {version}", "ApiFault")
    user = call.context.sessions.login(
        *((request.findtext(f"{{*}}{name}") or "").strip() for name in ("username", "password"))
    )
    if user is None:
        message = "Invalid username, password, security token; or user locked out."
        return fault("INVALID_LOGIN", message, "LoginFault")
    notes().user = user.username
    session = call.context.sessions.open(user)
    return Response(_reply(call, user, session), media_type="text/xml;charset=UTF-8")


def fault(code: str, message: str, element: str) -> Response:
    """A SOAP fault."""
    content = _FAULT.format(code=code, message=escape(message), element=element)
    return Response(content, 500, media_type="text/xml;charset=UTF-8")


def _reply(call: Call, user: User, session: Session) -> str:
    letter = call.path.split("/")[3]
    return _REPLY.format(
        kind="partner" if letter == "u" else "enterprise",
        letter=letter,
        version=call.path_params["soap_version"],
        instance=instance_url(call.base_url),
        org=call.org.id,
        org_name=escape(call.org.name),
        sandbox="true" if call.org.is_sandbox else "false",
        session=session.id,
        seconds=int(call.context.sessions.lifetime.total_seconds()),
        user=user.id,
        username=escape(user.username),
        name=escape(user.name),
    )
