"""Plain HTTP callers of a sandbox, each with one user's session, for tests of the wire."""

from __future__ import annotations

import csv
import io

import requests


class Caller:
    """A plain HTTP client with one user's session."""

    def __init__(self, sandbox, account) -> None:
        self.root = sandbox.http_url
        body = {
            "grant_type": "client_credentials",
            "client_id": account.client_id,
            "client_secret": account.client_secret,
        }
        token = requests.post(f"{self.root}/services/oauth2/token", data=body, timeout=10).json()[
            "access_token"
        ]
        self.headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}

    def call(self, method, path, version="62.0", headers=None, **arguments):
        """One call; `path` is below the version, or absolute."""
        address = path if path.startswith("/services") else f"/services/data/v{version}/{path}"
        return requests.request(
            method, self.root + address, headers=self.headers | (headers or {}), timeout=30, **arguments
        )

    def query_job(self, soql, **body):
        """Make a query job; returns its id."""
        reply = self.call("POST", "jobs/query", json={"operation": "query", "query": soql, **body})
        assert reply.status_code == 200, reply.text
        return reply.json()["id"]

    def all_rows(self, job, rows):
        """Every row of the result, page by page over the locators."""
        found, locator = [], ""
        while locator != "null":
            page = self.call(
                "GET", f"jobs/query/{job}/results", params={"maxRecords": rows, "locator": locator}
            )
            assert page.status_code == 200, page.text
            cells = list(csv.DictReader(io.StringIO(page.text, newline="")))
            assert len(cells) == int(page.headers["Sforce-NumberOfRecords"])
            found += cells
            locator = page.headers["Sforce-Locator"]
        return found


def error(reply):
    """(status, errorCode) of a refusal."""
    return reply.status_code, reply.json()[0]["errorCode"]
