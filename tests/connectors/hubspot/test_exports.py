"""First loads of very many records: by export where it can be trusted, by lists where not."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from connectors.contract import Truncated
from connectors.downloads import Download
from connectors.hubspot import exports
from tests.connectors.hubspot.callers import Played
from tests.contract.conftest import World, pull
from tests.crms import people_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from connectors.sandbox.server import Sandbox

COLUMNS = ["name", "stage", "amount", "close_date", "is_won", "account_id", "probability"]


@pytest.fixture
def portal(make_sandbox: Callable[..., Sandbox], tmp_path: Path) -> World:
    """A portal with a small book."""
    return World(people_of(make_sandbox(crm="hubspot", data="synthetic:40:1200"), tmp_path))


def exported(portal: World) -> list[str]:
    """The requests for deals: exports and lists."""
    return [line for line in portal.requests() if "/exports/" in line or "/objects/deals?" in line]


def test_an_export_brings_what_lists_bring(portal: World) -> None:
    """The same rows in the same types; associations are read beside it, and the file is fetched without a token."""
    listed = pull(portal.connect(), "opportunity", COLUMNS)
    before = portal.sandbox.journal.position
    pulled = pull(portal.connect(bulk_threshold=1000), "opportunity", COLUMNS)
    assert sorted(pulled.rows, key=str) == sorted(listed.rows, key=str)
    assert (pulled.checkpoint.read, pulled.checkpoint.expected) == (1200, 1200)
    assert not [line for line in portal.requests(before) if "/objects/deals?" in line]


def test_few_records_are_not_exported(portal: World) -> None:
    """A portal has thirty exports a day."""
    pull(portal.connect(bulk_threshold=1201), "opportunity", ["name"])
    assert not [line for line in exported(portal) if "/exports/" in line]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "missing_scopes", "scopes": ["crm.export"]},
        {"kind": "status", "match": "POST .*/exports/", "status": 400, "times": None},
        {"kind": "status", "match": "GET .*/tasks/.*/status", "status": 404, "times": None},
        {"kind": "truncate", "match": "GET /exported-files/", "bytes": 50, "times": None},
        {"kind": "lost_reply", "match": "POST .*/exports/", "times": None},
    ],
    ids=lambda fault: fault["kind"],
)
def test_lists_are_read_where_the_portal_does_not_export(fault: dict[str, Any], portal: World) -> None:
    """Without the scope, out of exports, or with a file that cannot be had: nothing is missing."""
    portal.sandbox.faults.add([fault])
    pulled = pull(portal.connect(bulk_threshold=1000), "opportunity", ["name"])
    assert (len(pulled.ids()), pulled.checkpoint.read) == (1200, 1200)
    # Nor is another export asked for: a portal has thirty a day.
    assert len([line for line in exported(portal) if "POST" in line and "/exports/" in line]) == 1


def test_an_address_that_has_expired_is_asked_for_again(portal: World) -> None:
    """It lives for five minutes."""
    portal.sandbox.faults.add(
        [{"kind": "status", "match": "GET /exported-files/", "status": 403, "times": 1}]
    )
    pulled = pull(portal.connect(bulk_threshold=1000), "opportunity", ["name"])
    assert len(pulled.ids()) == 1200
    assert not [line for line in exported(portal) if "/objects/deals?" in line]


class Described:
    """A schema that knows two properties."""

    def described(self, _: str) -> dict[str, dict[str, str]]:
        """Their labels."""
        return {"dealname": {"label": "Deal Name"}, "amount": {"label": "Amount"}}


def rows_of(*files: bytes, packed: bool = False) -> list[tuple[Any, ...]]:
    """What is read of these files."""
    export = exports._Export(None, "deals", ("hs_object_id", "dealname", "amount"), Described())  # type: ignore[arg-type]  # nothing is sent
    content = files[0]
    if packed:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for number, file in enumerate(files):
                archive.writestr(f"part-{number}.csv", file)
        content = buffer.getvalue()
    return [
        row
        for file in exports._files(content)
        for cells in export._rows(file)
        for row in zip(
            *(cells.of(name).to_pylist() for name in ("hs_object_id", "dealname", "amount")), strict=True
        )
    ]


@pytest.mark.parametrize(
    "header",
    [
        b"hs_object_id,dealname,amount",
        b'"Record ID","Deal Name","Amount"',
        b"\xef\xbb\xbfRecord ID,dealname,Amount",
    ],
)
def test_a_header_may_have_names_or_labels(header: bytes) -> None:
    """No documentation promises which; both say clearly what stands below."""
    assert rows_of(header + b'\n7,"a, ""b""\nc",5\n8,,\n') == [("7", 'a, "b"\nc', "5"), ("8", None, None)]


def test_a_header_that_we_do_not_know_is_not_guessed() -> None:
    """Then the lists are read."""
    with pytest.raises(exports.NotExportable, match="no column amount"):
        rows_of(b"Record ID,Deal Name,Betrag\n7,a,5\n")


@pytest.mark.parametrize(
    "header", [b"Record ID,Deal Name,Amount,Amount", b"Record ID,dealname,Deal Name,Amount"]
)
def test_a_header_that_fits_twice_is_not_guessed(header: bytes) -> None:
    """Labels may stand in a portal twice, and a label may be another property's name."""
    with pytest.raises(exports.NotExportable, match="more than one column"):
        rows_of(header + b"\n7,a,5,6\n")


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (rb"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):[\d.]+Z", rb"\1 \2"),
        (rb"\btrue\b", rb"Yes"),
    ],
    ids=["stamps without a zone", "flags in words"],
)
def test_an_export_in_words_of_its_own_is_not_guessed(
    written: bytes, instead: bytes, portal: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No documentation promises its forms; read as they are, every record of the portal would be set aside."""
    fetch = exports.fetch
    monkeypatch.setattr(
        exports, "fetch", lambda *args, **asked: repacked(fetch(*args, **asked), written, instead)
    )
    pulled = pull(portal.connect(bulk_threshold=1000), "opportunity", COLUMNS)
    assert (len(pulled.ids()), pulled.set_aside) == (1200, [])
    assert [line for line in exported(portal) if "/objects/deals?" in line]


def repacked(content: bytes, written: bytes, instead: bytes) -> bytes:
    """The file of an export, in other words."""
    if not content.startswith(b"PK"):
        return re.sub(written, instead, content)
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(buffer, "w") as archive:
        for name in packed.namelist():
            archive.writestr(name, re.sub(written, instead, packed.read(name)))
    return buffer.getvalue()


def test_several_files_of_an_archive_are_one_result() -> None:
    """Each with its own header, whose columns may stand in another order."""
    files = (b"Record ID,Deal Name,Amount\n7,a,5\n", b"Amount,Record ID,Deal Name\n6,8,b\n")
    assert rows_of(*files, packed=True) == [("7", "a", "5"), ("8", "b", "6")]


@pytest.mark.parametrize("cut", [b'Record ID\n7\n"8', b"Record ID\n7\n8"])
def test_a_file_whose_end_is_not_marked_must_end_with_a_row(cut: bytes) -> None:
    """All rows would be there, and the last one with half its words; a marked end needs no such proof."""
    with pytest.raises(Truncated):
        exports._bytes(Download({}, pa.py_buffer(cut), compressed=False, framed=False))
    assert exports._bytes(Download({}, pa.py_buffer(cut), compressed=False, framed=True)) == cut


def test_an_export_that_waits_behind_others_is_not_waited_for_all_day(mock) -> None:
    """One runs at a time in a portal; after half an hour the lists are quicker."""

    def status(_: Any) -> tuple[int, Any]:
        assert sum(portal.waits) < 3600
        return 200, {"status": "PENDING"}

    portal = Played({"POST async": lambda _: (202, {"id": "7"}), "GET status": status})
    portal.register(mock)
    with pytest.raises(exports.NotExportable, match="waits too long"):
        list(exports.export(portal.api(), "deals", ("hs_object_id",), Described()))  # type: ignore[arg-type]  # its labels alone are read
    assert sum(portal.waits) >= exports.DEADLINE
