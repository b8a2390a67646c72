"""docs/security.md says what the code does: what is read and kept, rights, hosts, defaults; and the lock is whole."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from config.records import RECORDS
from config.sections.service import Service
from config.settings import Retention
from connectors.hubspot import fields as hubspot
from connectors.hubspot.scopes import ALWAYS, READ, WRITE
from connectors.salesforce import fields as salesforce
from connectors.salesforce.metadata import READINGS, WORKER
from sync.ledger import tables

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
# Named in the code and never asked: an audience, an XML namespace, a schema's name, examples.
NOT_ASKED = {
    "login.salesforce.com",
    "test.salesforce.com",
    "soap.sforce.com",
    "json-schema.org",
    "yours.my.salesforce.com",
}


def read(name):
    """The line of one object in the table of what is read."""
    columns = ", ".join(f"`{column.name}`" for column in RECORDS[name])
    return f"| {name} | {salesforce.OBJECTS[name]} | {hubspot.OBJECTS[name]} | {columns} |"


@pytest.mark.parametrize("name", RECORDS)
def test_the_page_lists_every_column_that_is_read(name):
    """Nothing is read that whoever said yes was not told of."""
    assert read(name) in PAGE.splitlines()


def test_the_page_lists_every_table_of_the_history():
    """A new one is a new place where something is kept."""
    told = re.search(r"what its columns hold:\n(.*?)\.\n\n", PAGE, re.DOTALL)
    assert told is not None
    assert re.findall(r"`(\w+)`", told[1]) == sorted(tables.metadata.tables)


def test_the_page_lists_the_rights_that_are_asked_for():
    """Whoever grants them grants no more."""
    rights = PAGE.partition("## What it may do")[2].partition("\n## ")[0]
    always = {READ[name][0] for name in ALWAYS} | {one for (one,) in WRITE.values()}
    assert set(re.findall(r"crm\.[a-z_.]+", rights)) == always
    permissions = {*WORKER.user_permissions, *READINGS["quota"].user_permissions}
    assert set(re.findall(r"`([A-Z]\w+)`", rights)) == permissions
    objects = {*WORKER.objects, *(one for reading in READINGS.values() for one in reading.objects)}
    assert all(re.search(rf"\b{one}\b", rights) for one in objects)


def test_the_page_names_every_host_that_the_code_names():
    """No telemetry, no search for updates: an address in the code is one that the page tells of."""
    hosts = {
        host.lower()
        for package in ("config", "connectors", "scoring", "sync")
        for path in (ROOT / package).rglob("*.py")
        if "sandbox" not in path.parts
        for host in re.findall(
            r"https?://([A-Za-z][A-Za-z0-9-]*\.[A-Za-z0-9.-]+)", path.read_text(encoding="utf-8")
        )
    }
    assert hosts - NOT_ASKED == {"api.hubapi.com"}
    assert "`api.hubapi.com`" in PAGE


def test_the_page_tells_the_defaults():
    """Where it listens, and how long what is kept."""
    assert f"`{Service().listen}`" in PAGE
    for name, days in Retention().model_dump().items():
        assert f"`retention: {{{name}: {days}}}`" in PAGE
        assert f"{days} days" in PAGE


def test_every_locked_file_has_its_hash_and_comes_from_the_public_registry():
    """A file that somebody changed on the way is not installed."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    for package in lock["package"]:
        if package["name"] == "foretag":
            continue
        assert package["source"] == {"registry": "https://pypi.org/simple"}, package["name"]
        files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        assert files, package["name"]
        for file in files:
            assert re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]), file["url"]
            assert file["url"].startswith("https://files.pythonhosted.org/"), file["url"]
