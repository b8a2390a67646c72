"""A sandbox in a process of its own, so that only the client is measured, and a connection to it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import requests

from config.settings import ClientCredentials, SalesforceConnection, Secret
from connectors.salesforce import MemoryTokens, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.contract import Connector


@contextmanager
def local_crm(data: str) -> Iterator[dict[str, Any]]:
    """A running sandbox: what `foretag sandbox --json` prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sync.cli", "sandbox", "--data", data, "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # how to connect to it by hand
        text=True,
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def connected(crm: dict[str, Any], folder: Path, *, admin: bool = False) -> Connector:
    """A connector to it, as the worker, or as the admin who sets the worker up."""
    prefix = "admin_" if admin else ""
    for name in ("client_id", "client_secret"):
        (folder / f"{prefix}{name}").write_text(crm[f"{prefix}{name}"])
    auth = ClientCredentials(
        client_id=Secret(file=folder / f"{prefix}client_id"),
        client_secret=Secret(file=folder / f"{prefix}client_secret"),
    )
    connection = SalesforceConnection(
        crm="salesforce", url=crm["url"], ca_file=Path(crm["ca_file"]), auth=auth
    )
    worker = connected(crm, folder).username if admin else ""
    return connect(
        "bench",
        connection,
        {},
        tokens=MemoryTokens(),
        clock=lambda: datetime.now(UTC),
        sleep=time.sleep,
        rng=Random(1),
        worker=worker,
    )


def calls(crm: dict[str, Any]) -> int:
    """API calls that the CRM has counted so far."""
    journal = requests.get(f"{crm['http_url']}/sandbox/journal", timeout=30).json()
    return int(journal["totals"]["api_calls"])
