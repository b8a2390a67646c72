"""The sandbox's certificate, made at start for the names that clients know the CRM by."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

HOSTS = (
    "localhost",
    "127.0.0.1",
    "::1",
    "login.salesforce.com",
    "test.salesforce.com",
    "*.my.salesforce.com",
    "*.sandbox.my.salesforce.com",
    "api.hubapi.com",
)


def tls_context(ca_file: Path) -> ssl.SSLContext:
    """A server context with a fresh certificate; the authority to trust is written to `ca_file`."""
    authority = trustme.CA(organization_name="Foretag sandbox")
    authority.cert_pem.write_to_path(ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    authority.issue_cert(*HOSTS).configure_cert(context)
    return context
