"""Imports: a file taken in, worked off beside others, with counters and an error for each bad cell or row."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from connectors.sandbox.fault_kinds import JobAborted, JobFailed, LockRows, MissingScopes, SlowJobs

ID = {"columnName": "Record ID", "propertyName": "hs_object_id", "columnType": "HUBSPOT_OBJECT_ID"}


def column(name, property_name, **more):
    """One column's mapping."""
    return {"columnObjectTypeId": "0-2", "columnName": name, "propertyName": property_name, **more}


def request_of(columns, **changes):
    """An importRequest of companies."""
    page = {"hasHeader": True, "columnMappings": [{"columnObjectTypeId": "0-2", **one} for one in columns]}
    file = {"fileName": "s.csv", "fileFormat": "CSV", "fileImportPage": page}
    return {
        "name": "scores",
        "importOperations": {"0-2": "UPDATE"},
        "dateFormat": "YEAR_MONTH_DAY",
        "files": [file],
        **changes,
    }


def send(api, request, text, path="/crm/v3/imports", name="s.csv"):
    """Send a file; returns the reply."""
    content = text.encode() if isinstance(text, str) else text
    files = {"files": (name, content, "text/csv")}
    return api.post(path, data={"importRequest": json.dumps(request)}, files=files)


def imported(api, columns, rows, **changes):
    """The ended import of these rows, and its errors by line."""
    lines = [[one["columnName"] for one in columns], *rows]
    reply = send(api, request_of(columns, **changes), "\n".join(",".join(line) for line in lines) + "\n")
    assert reply.status_code == 200, reply.text
    job = reply.json()["id"]
    told = api.get(f"/crm/v3/imports/{job}").json()
    errors = api.get(
        f"/crm/v3/imports/{job}/errors", params={"includeErrorMessage": "true", "includeRowData": "true"}
    )
    return told, errors.json()["results"]


@pytest.fixture
def companies(api):
    """Ids of a few companies."""
    return [one["id"] for one in api.objects("companies", limit=10)["results"]]


def held(api, record_id, *names):
    """What a company holds."""
    found = api.get(f"/crm/v3/objects/companies/{record_id}", params={"properties": ",".join(names)})
    return tuple(found.json()["properties"][name] for name in names)


def test_records_are_updated_by_id(sandbox, api, companies):
    """Values arrive in their own form, empty cells leave what was there, the journal knows each record."""
    before = held(api, companies[1], "phone")
    position = sandbox.journal.position
    columns = [ID, column("phone", "phone"), column("people", "numberofemployees"), column("skip", None)]

    told, errors = imported(
        api, columns, [[companies[0], "123", '"1,234"', "x"], [companies[1], "", "56", "y"]]
    )

    assert (told["state"], errors) == ("DONE", [])
    assert held(api, companies[0], "phone", "numberofemployees") == ("123", "1234")
    assert held(api, companies[1], "phone", "numberofemployees") == (*before, "56")
    counters = {"TOTAL_ROWS": 2, "UPDATED_OBJECTS": 2, "UNIQUE_OBJECTS_WRITTEN": 2}
    assert told["metadata"]["counters"] == counters | {"PROPERTY_VALUES_EMITTED": 3, "MAPPED_COLUMNS": 3}
    written = [one for entry in sandbox.journal.writes(position) for one in entry.ids]
    assert sorted(written) == sorted(companies[:2])


def test_history_tells_the_import(api, companies):
    """The source of an imported value is IMPORT."""
    imported(api, [ID, column("phone", "phone")], [[companies[0], "999"]])

    params = {"propertiesWithHistory": "phone"}
    told = api.get(f"/crm/v3/objects/companies/{companies[0]}", params=params).json()
    newest = told["propertiesWithHistory"]["phone"][0]
    assert (newest["value"], newest["sourceType"]) == ("999", "IMPORT")


@pytest.mark.parametrize(
    ("property_name", "cell", "error"),
    [
        ("numberofemployees", "many", "COULD_NOT_PARSE_NUMBER"),
        ("industry", "MAGIC", "INVALID_ENUMERATION_OPTION"),
        ("hubspot_owner_id", "Nobody Atall", "COULD_NOT_FIND_OWNER"),
        ("notes_last_updated", "2026-01-31", "FAILED_VALIDATION"),
    ],
)
def test_a_bad_cell_is_left_out_and_noted(api, companies, property_name, cell, error):
    """The rest of its row is saved; the error tells line, column, value and the row itself."""
    columns = [ID, column("phone", "phone"), column("bad", property_name)]

    told, errors = imported(api, columns, [[companies[0], "77", ""], [companies[1], "88", cell]])

    assert [one["errorType"] for one in errors] == [error]
    assert held(api, companies[1], "phone") == ("88",)
    assert (errors[0]["knownColumnNumber"], errors[0]["invalidValue"]) == (3, cell)
    assert errors[0]["sourceData"]["lineNumber"] == 3
    assert errors[0]["sourceData"]["rowData"] == [companies[1], "88", cell]
    assert (told["state"], told["metadata"]["counters"]["ERRORS"]) == ("DONE", 1)


@pytest.mark.parametrize(
    ("date_format", "cell", "value"),
    [
        ("YEAR_MONTH_DAY", "2026-01-31", "2026-01-31"),
        ("DAY_MONTH_YEAR", "31/1/2026", "2026-01-31"),
        ("MONTH_DAY_YEAR", "01-31-2026", "2026-01-31"),
        (None, "1/31/2026", "2026-01-31"),
        (None, "2026-01-31", None),
        ("YEAR_MONTH_DAY", "2026-13-31", None),
        ("YEAR_MONTH_DAY", "1769817600000", "2026-01-31"),
    ],
)
def test_dates_are_read_in_the_format_of_the_import(api, companies, date_format, cell, value):
    """Month first unless another format is named; a date in another format is an error of that cell."""
    made = api.post(
        "/crm/v3/properties/companies",
        json={
            "groupName": "companyinformation",
            "name": "due",
            "label": "Due",
            "type": "date",
            "fieldType": "date",
        },
    )
    assert made.status_code == 201, made.text

    _, errors = imported(api, [ID, column("due", "due")], [[companies[0], cell]], dateFormat=date_format)

    assert held(api, companies[0], "due") == (value,)
    assert [one["errorType"] for one in errors] == ([] if value else ["COULD_NOT_PARSE_DATE"])


def test_rows_without_a_record_are_errors(api, companies):
    """Unknown ids, ids named twice and rows of another length are left out; the others are saved."""
    rows = [
        ["1", "a"],
        [companies[0], "b"],
        [companies[0], "c"],
        [companies[1], "d", "more"],
        [companies[2], "e"],
    ]

    told, errors = imported(api, [ID, column("phone", "phone")], rows)

    assert [(one["errorType"], one["sourceData"]["lineNumber"]) for one in errors] == [
        ("INVALID_RECORD_ID", 2),
        ("DUPLICATE_RECORD_ID", 4),
        ("INCORRECT_NUMBER_OF_COLUMNS", 5),
    ]
    assert [held(api, one, "phone") for one in (companies[0], companies[2])] == [("b",), ("e",)]
    assert told["metadata"]["counters"]["UPDATED_OBJECTS"] == 2


def test_records_are_made_and_found_by_another_key(api):
    """CREATE makes, UPSERT changes or makes by domain, UPDATE refuses what is not there."""
    name, key = column("name", "name"), column("domain", "domain", columnType="HUBSPOT_ALTERNATE_ID")
    plain = column("domain", "domain")

    made, _ = imported(api, [name, plain], [["Acme", "acme.example"]], importOperations={"0-2": "CREATE"})
    mixed, _ = imported(
        api, [name, key], [["Acme 2", "ACME.example"], ["New", "new.example"]], importOperations={}
    )
    _, errors = imported(api, [name, key], [["Lost", "lost.example"]])
    _, twice = imported(api, [name, key], [["Acme", "acme.example"]], importOperations={"0-2": "CREATE"})

    assert made["metadata"]["counters"]["CREATED_OBJECTS"] == 1
    counters = mixed["metadata"]["counters"]
    assert (counters["UPDATED_OBJECTS"], counters["CREATED_OBJECTS"]) == (1, 1)
    assert errors[0]["errorType"] == "UPDATE_ONLY_IMPORT"
    assert twice[0]["errorType"] == "CREATE_ONLY_IMPORT"
    found = api.search("companies", query="Acme", properties=["name"]).json()["results"]
    assert "Acme 2" in [one["properties"]["name"] for one in found]


def test_what_the_portal_refuses_is_an_error_of_its_row(sandbox, api, companies):
    """A locked record and a key that is taken: the rows beside them are saved."""
    unique = {
        "groupName": "companyinformation",
        "name": "code",
        "label": "Code",
        "type": "string",
        "fieldType": "text",
        "hasUniqueValue": True,
    }
    assert api.post("/crm/v3/properties/companies", json=unique).status_code == 201
    named = [column("name", "name"), column("code", "code")]
    _, taken = imported(
        api, named, [["One", "x"], ["Two", "x"], ["Three", "y"]], importOperations={"0-2": "CREATE"}
    )
    sandbox.faults.add([LockRows(kind="lock_rows", prefix=companies[1], percent=100, hold=None)])
    told, locked = imported(api, [ID, column("phone", "phone")], [[one, "31"] for one in companies[:3]])

    assert [one["sourceData"]["lineNumber"] for one in (*taken, *locked)] == [3, 3]
    found = api.search("companies", query="Three", limit=1).json()
    assert found["total"] == 1
    assert [held(api, one, "phone") == ("31",) for one in companies[:3]] == [True, False, True]
    assert told["metadata"]["counters"]["UPDATED_OBJECTS"] == 2


@pytest.mark.parametrize(
    ("changes", "text", "words"),
    [
        ({"name": None}, None, "name"),
        ({"files": []}, None, "files"),
        ({"dateFormat": "YEAR"}, None, "dateFormat"),
        ({"importOperations": {"0-2": "DELETE"}}, None, "import operation"),
        ({}, "Record ID,phone,more\n1,2,3\n", "3 columns"),
        ({}, "Record ID,fax\n1,2\n", "'fax'"),
        ({}, b"Record ID,phone\n1,\xff\n", "UTF-8"),
        ({}, 'Record ID,phone\n1,"2\n', "CSV"),
    ],
)
def test_a_request_that_does_not_fit_is_refused(api, changes, text, words):
    """At once, with what is wrong; nothing is imported."""
    request = request_of([ID, column("phone", "phone")], **changes)

    reply = send(api, request, text or "Record ID,phone\n1,2\n")

    assert (reply.status_code, reply.json()["category"]) == (400, "VALIDATION_ERROR")
    assert words in reply.json()["message"]
    assert api.get("/crm/v3/imports").json()["results"] == []


def test_mappings_are_checked(api):
    """Files go by name; an update needs a column that finds records; a create needs what records need."""
    columns = [column("phone", "phone")]

    named = send(api, request_of([ID, *columns]), "Record ID,phone\n1,2\n", name="other.csv")
    finding = send(api, request_of(columns), "phone\n1\n")
    odd = send(api, request_of([ID | {"columnType": "MAGIC"}, *columns]), "Record ID,phone\n1,2\n")
    deals = [{"columnObjectTypeId": "0-3", "columnName": "a", "propertyName": "amount"}]
    needed = send(api, request_of(deals, importOperations={"0-3": "CREATE"}), "a\n1\n")

    messages = [reply.json()["message"] for reply in (named, finding, odd, needed)]
    assert all(reply.status_code == 400 for reply in (named, finding, odd, needed))
    for message, words in zip(messages, ("other.csv", "UPDATE", "MAGIC", "dealname"), strict=True):
        assert words in message


def test_older_bodies_and_dated_paths_work(api, companies):
    """The names columnObjectType and idColumnType say the same; a trailing slash does no harm."""
    older = {
        "columnObjectType": "COMPANY",
        "columnName": "Record ID",
        "propertyName": None,
        "idColumnType": "HUBSPOT_OBJECT_ID",
    }
    request = request_of([older, column("phone", "phone")])
    del request["files"][0]["fileImportPage"]["columnMappings"][0]["columnObjectTypeId"]

    for path in ("/crm/v3/imports/", "/crm/imports/2026-03"):
        job = send(api, request, f"Record ID,phone\n{companies[0]},{len(path)}\n", path).json()["id"]
        assert api.get(f"{path.rstrip('/')}/{job}").json()["state"] == "DONE"
        assert held(api, companies[0], "phone") == (str(len(path)),)


def test_a_property_that_does_not_exist_is_an_error_of_the_file(api, companies):
    """Its column is passed over, the others are saved."""
    _, errors = imported(
        api, [ID, column("x", "no_such"), column("phone", "phone")], [[companies[0], "1", "55"]]
    )

    assert [one["errorType"] for one in errors] == ["PROPERTY_DEFINITION_NOT_FOUND"]
    assert held(api, companies[0], "phone") == ("55",)


def test_three_imports_run_at_once(sandbox, api, companies):
    """The fourth is deferred until one has ended; states go from STARTED over PROCESSING to DONE."""
    sandbox.faults.add([SlowJobs(kind="slow_jobs", polls=1, seconds=60)])
    text = f"Record ID,phone\n{companies[0]},1\n"
    replies = [send(api, request_of([ID, column("phone", "phone")]), text).json() for _ in range(4)]

    def states():
        return [api.get(f"/crm/v3/imports/{one['id']}").json()["state"] for one in replies]

    assert [one["state"] for one in replies] == ["STARTED"] * 3 + ["DEFERRED"]
    assert states() == ["PROCESSING"] * 3 + ["DEFERRED"]
    sandbox.clock.advance(timedelta(seconds=61))
    assert states() == ["DONE"] * 3 + ["PROCESSING"]
    sandbox.clock.advance(timedelta(seconds=61))
    assert states() == ["DONE"] * 4


def test_imports_can_be_cancelled(sandbox, api, companies):
    """A waiting import never runs; one that has ended cannot be cancelled."""
    sandbox.faults.add([SlowJobs(kind="slow_jobs", polls=1, seconds=60)])
    columns = [ID, column("phone", "phone")]
    jobs = [
        send(api, request_of(columns), f"Record ID,phone\n{companies[0]},{number}\n").json()["id"]
        for number in range(4)
    ]

    told = api.post(f"/crm/v3/imports/{jobs[3]}/cancel")
    sandbox.clock.advance(timedelta(minutes=5))

    assert (told.status_code, told.json()["status"]) == (200, "CANCELED")
    assert api.get(f"/crm/v3/imports/{jobs[3]}").json()["state"] == "CANCELED"
    assert held(api, companies[0], "phone") != ("3",)
    assert api.get(f"/crm/v3/imports/{jobs[0]}").json()["state"] == "DONE"
    assert api.post(f"/crm/v3/imports/{jobs[0]}/cancel").status_code == 400


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (JobFailed(kind="job_failed", share=0.5), "FAILED"),
        (JobAborted(kind="job_aborted", share=0.5), "CANCELED"),
    ],
)
def test_an_import_can_end_half_way(sandbox, api, companies, fault, state):
    """What was written stays written."""
    sandbox.faults.add([fault])
    rows = [[one, "42"] for one in companies]

    told, _ = imported(api, [ID, column("phone", "phone")], rows)

    assert told["state"] == state
    assert [held(api, one, "phone") == ("42",) for one in companies] == [True] * 5 + [False] * 5


def test_errors_come_in_pages(api):
    """The link leads on; messages and rows only where asked for."""
    rows = [[str(number), "1"] for number in range(1, 6)]
    told, _ = imported(api, [ID, column("phone", "phone")], rows)

    first = api.get(f"/crm/v3/imports/{told['id']}/errors", params={"limit": 3}).json()
    second = api.get(first["paging"]["next"]["link"]).json()

    assert [len(page["results"]) for page in (first, second)] == [3, 2]
    assert "paging" not in second
    assert "errorMessage" not in first["results"][0]
    assert first["results"][0]["sourceData"]["rowData"] == []


def test_only_ones_own_imports_are_told(sandbox, api, worker, companies):
    """Another app's imports are neither listed nor found."""
    told, _ = imported(api, [ID, column("phone", "phone")], [[companies[0], "1"]])

    assert [one["id"] for one in api.get("/crm/v3/imports").json()["results"]] == [told["id"]]
    assert worker.get("/crm/v3/imports").json()["results"] == []
    assert worker.get(f"/crm/v3/imports/{told['id']}").status_code == 404


def test_imports_need_their_scope(sandbox, api):
    """403 without crm.import."""
    sandbox.faults.add([MissingScopes(kind="missing_scopes", scopes=("crm.import",))])

    reply = send(api, request_of([ID, column("phone", "phone")]), "Record ID,phone\n1,2\n")

    assert (reply.status_code, reply.json()["category"]) == (403, "MISSING_SCOPES")


def test_what_is_too_large_is_refused_like_too_many_calls(api, monkeypatch):
    """429 for a file of too many rows."""
    monkeypatch.setattr("connectors.sandbox.hubspot.import_requests.MOST_ROWS", 2)

    reply = send(api, request_of([ID, column("phone", "phone")]), "Record ID,phone\n1,2\n3,4\n")

    assert reply.status_code == 429
