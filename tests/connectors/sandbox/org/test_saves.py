"""Saving: what is refused and in which words, what the org fills itself, and that neighbours are not hurt."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest

from tests.connectors.sandbox.org.conftest import rows

REFUSED = [
    ({"Foretag_Tier__c": "E"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
     "Tier: bad value for restricted picklist field: E", ["Foretag_Tier__c"]),
    ({"Foretag_Score__c": 1000}, "NUMBER_OUTSIDE_VALID_RANGE",
     "Score: value outside of valid range on numeric field: 1000", ["Foretag_Score__c"]),
    ({"Foretag_Score__c": "many"}, "INVALID_TYPE_ON_FIELD_IN_RECORD", "Score: value not of required type: many",
     ["Foretag_Score__c"]),
    ({"Foretag_Valid_Until__c": "soon"}, "INVALID_TYPE_ON_FIELD_IN_RECORD",
     "Valid until: value not of required type: soon", ["Foretag_Valid_Until__c"]),
    ({"Fax": "1" * 41}, "STRING_TOO_LONG", f"Account Fax: data value too large: {'1' * 41} (max length=40)", ["Fax"]),
    ({"Name": None}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ["Name"]),
    ({"CreatedDate": "2018-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE",
     "Unable to create/update fields: CreatedDate. Please check the security settings of this field and verify",
     ["CreatedDate"]),
    ({"Foretag_Status__c": "Stale"}, "INVALID_FIELD_FOR_INSERT_UPDATE",
     "Unable to create/update fields: Foretag_Status__c.", ["Foretag_Status__c"]),
    ({"Nope__c": 1}, "INVALID_FIELD", "No such column 'Nope__c' on sobject of type Account", ["Nope__c"]),
    ({"ParentId": "0015g00000000zzAAA"}, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ["ParentId"]),
    ({"ParentId": "0065g0000000001AAA"}, "MALFORMED_ID",
     "Parent Account ID: id value of incorrect type: 0065g0000000001AAA", ["ParentId"]),
    ({"ParentId": "nonsense"}, "MALFORMED_ID", "id value of incorrect type: nonsense", ["ParentId"]),
    ({"Id": "0015g00000000zzAAA", "Fax": "1"}, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []),
    ({"Id": "abc", "Fax": "1"}, "MALFORMED_ID", "Account ID: id value of incorrect type: abc", ["Id"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "code", "message", "fields"), REFUSED, ids=[str(row[0])[:40] for row in REFUSED]
)
def test_a_refused_record_says_why_and_hurts_nobody(granted, ids, values, code, message, fields):
    """The bad record has Salesforce's code, words and fields; the good one beside it is saved."""
    bad, good = granted.update(
        granted.worker, "Account", [{"Id": ids[0], **values}, {"Id": ids[1], "Fax": "22"}]
    )
    assert (bad.success, good.success) == (False, True)
    error = bad.errors[0]
    assert (error.status_code, list(error.fields)) == (code, fields)
    assert message in error.message
    assert rows(granted, f"SELECT Fax FROM Account WHERE Id = '{ids[1]}'")[0]["Fax"] == "22"


@pytest.mark.parametrize(
    ("values", "code", "message", "fields"), REFUSED[:8], ids=[str(row[0])[:40] for row in REFUSED[:8]]
)
def test_bulk_refuses_by_the_same_rules(granted, ids, values, code, message, fields):
    """Columns of text meet the same rules as wire rows, and the rows beside them pass."""
    name, value = next(iter(values.items()))
    text = "#N/A" if value is None else str(value)
    table = (
        pa.table({"Id": ids[:2], name: [text, ""], "Fax": ["", "22"]})
        if name != "Fax"
        else pa.table({"Id": ids[:2], "Fax": [text, "22"]})
    )
    saved = granted.save_table(granted.worker, "Account", "update", table)
    assert saved.errors[0].startswith(f"{code}:{message[:30]}")
    assert saved.errors[0].endswith(f":{fields[0]}--")
    assert saved.errors[1] is None
    assert rows(granted, f"SELECT Fax FROM Account WHERE Id = '{ids[1]}'")[0]["Fax"] == "22"


def test_empty_cells_leave_and_na_clears(granted, ids):
    """In Bulk an empty cell leaves the field as it is, #N/A empties it."""
    granted.update(
        granted.worker, "Account", [{"Id": one, "Fax": "1", "Foretag_Score__c": 7} for one in ids[:2]]
    )
    table = pa.table({"Id": ids[:2], "Fax": ["", "#N/A"], "Foretag_Score__c": ["#N/A", "8"]})
    assert granted.save_table(granted.worker, "Account", "update", table).errors == [None, None]
    found = rows(granted, "SELECT Fax, Foretag_Score__c FROM Account ORDER BY Id LIMIT 2")
    assert [(row["Fax"], row["Foretag_Score__c"]) for row in found] == [("1", None), (None, 8.0)]


def test_an_equal_value_still_bumps_the_stamp(granted, hands, ids):
    """Salesforce stamps every save; the journal tells that nothing differs."""
    for _ in range(2):
        hands.now += timedelta(minutes=1)
        granted.update(granted.worker, "Account", [{"Id": ids[0], "Foretag_Score__c": 5}])
    found = rows(granted, f"SELECT SystemModstamp, LastModifiedById FROM Account WHERE Id = '{ids[0]}'")[0]
    assert found["SystemModstamp"] == "2018-01-01T12:02:00.000+0000"
    assert found["LastModifiedById"] == granted.worker.id
    assert [entry[3] for entry in hands.written if entry[1] == "Account"] == [1, 0]


def test_all_or_none_rolls_the_good_ones_back(granted, hands, ids):
    """One bad record undoes the others, which say so; nothing is journaled."""
    hands.written.clear()
    good, bad = granted.update(
        granted.worker,
        "Account",
        [{"Id": ids[0], "Fax": "1"}, {"Id": ids[1], "Foretag_Tier__c": "E"}],
        all_or_none=True,
    )
    assert good.errors[0].status_code == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert bad.errors[0].status_code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert rows(granted, f"SELECT Fax FROM Account WHERE Id = '{ids[0]}'")[0]["Fax"] is None
    assert hands.written == []


def test_a_key_makes_one_task(granted, ids):
    """A unique external id updates its record instead of making a second one, and doubles are refused."""
    task = {"Foretag_Key__c": "k1", "Subject": "Call", "WhatId": ids[0]}
    first = granted.upsert(granted.worker, "Task", "Foretag_Key__c", [task])[0]
    again = granted.upsert(granted.worker, "Task", "Foretag_Key__c", [{**task, "Foretag_Key__c": "K1"}])[0]
    assert (first.created, again.created, again.id) == (True, False, first.id)
    double = granted.insert(granted.worker, "Task", [task])[0].errors[0]
    assert (
        double.message
        == f"duplicate value found: Foretag_Key__c duplicates value on record with id: {first.id}"
    )
    one, two = granted.insert(granted.worker, "Task", [{"Foretag_Key__c": "k2"}, {"Foretag_Key__c": "k2"}])
    assert (one.success, two.errors[0].status_code) == (True, "DUPLICATE_VALUE")


def test_a_task_fills_what_follows(granted, ids):
    """Account, closure and defaults of a task are the org's own doing."""
    deal = rows(granted, "SELECT Id, AccountId FROM Opportunity WHERE AccountId != null LIMIT 1")[0]
    granted.insert(granted.worker, "Task", [{"WhatId": deal["Id"], "Status": "Completed"}])
    task = rows(granted, "SELECT AccountId, IsClosed, Priority, OwnerId FROM Task")[0]
    assert task["AccountId"] == deal["AccountId"]
    assert (task["IsClosed"], task["Priority"], task["OwnerId"]) == (True, "Normal", granted.worker.id)


def test_a_stage_moves_what_hangs_on_it(granted, hands):
    """A won deal gets its probability, category and history; a later month counts as a push."""
    deal = rows(granted, "SELECT Id FROM Opportunity WHERE StageName = 'Engaging' LIMIT 1")[0]["Id"]
    hands.now += timedelta(days=1)
    change = {"Id": deal, "StageName": "Closed Won", "Amount": 100.005, "CloseDate": "2018-06-01"}
    assert granted.update(granted.worker, "Opportunity", [change])[0].success
    won = granted.retrieve(granted.worker, "Opportunity", deal)
    assert (won["IsWon"], won["IsClosed"], won["Probability"], won["ForecastCategory"]) == (
        True,
        True,
        100.0,
        "Closed",
    )
    assert (won["Amount"], won["ExpectedRevenue"], won["PushCount"], won["Fiscal"]) == (
        100.01,
        100.01,
        1,
        "2018 2",
    )
    history = rows(
        granted,
        f"SELECT StageName FROM OpportunityHistory WHERE OpportunityId = '{deal}' ORDER BY CreatedDate",
    )
    assert [row["StageName"] for row in history] == ["Engaging", "Closed Won"]


def test_old_closed_tasks_are_archived(granted, hands):
    """A year after its date a closed task is hidden from query, not from queryAll."""
    granted.insert(
        granted.worker, "Task", [{"Subject": "old", "Status": "Completed", "ActivityDate": "2018-01-01"}]
    )
    hands.now += timedelta(days=365)
    assert rows(granted, "SELECT Id FROM Task") == []
    assert rows(granted, "SELECT IsArchived FROM Task", include_deleted=True)[0]["IsArchived"] is True


def test_a_late_commit_is_stamped_now_and_seen_later(granted, hands, ids):
    """During the delay the old row is visible; afterwards the new one, with the earlier stamp."""
    hands.delay = timedelta(minutes=10)
    assert granted.update(granted.worker, "Account", [{"Id": ids[0], "Fax": "9"}])[0].success
    query = f"SELECT Fax, SystemModstamp FROM Account WHERE Id = '{ids[0]}'"
    hands.now += timedelta(minutes=9)
    assert rows(granted, query)[0]["Fax"] is None
    hands.now += timedelta(minutes=1)
    late = rows(granted, query)[0]
    assert (late["Fax"], late["SystemModstamp"]) == ("9", "2018-01-01T12:00:00.000+0000")


def test_a_key_waits_for_the_insert_that_holds_it(granted, hands):
    """A unique key in a late commit is not given away twice."""
    hands.delay = timedelta(minutes=10)
    task = {"Foretag_Key__c": "late", "Subject": "Call"}
    first = granted.upsert(granted.worker, "Task", "Foretag_Key__c", [task])[0]
    assert granted.upsert(granted.worker, "Task", "Foretag_Key__c", [task])[0].id == first.id


def test_faults_act_on_single_records(granted, hands, ids):
    """A locked row, a read-only field and a validation rule refuse their record only."""
    hands.locked = {ids[0]}
    hands.rules = [("Foretag_Score__c > 90", "Score must be at most 90")]
    results = granted.update(granted.worker, "Account", [
        {"Id": ids[0], "Fax": "1"}, {"Id": ids[1], "Foretag_Score__c": 91}, {"Id": ids[2], "Foretag_Score__c": 90},
    ])  # fmt: skip
    assert (
        results[0].errors[0].message
        == f"unable to obtain exclusive access to this record or 1 records: {ids[0]}"
    )
    assert results[1].errors[0].message == "Score must be at most 90"
    assert results[2].success
    hands.read_only = frozenset({"Foretag_Score__c"})
    refused = granted.update(granted.worker, "Account", [{"Id": ids[2], "Foretag_Score__c": 1}])[0]
    assert refused.errors[0].status_code == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_deleting_takes_children_and_restoring_brings_them_back(org, ids):
    """An account takes its deals to the bin and back; queryAll and `deleted` still show it."""
    deals = f"SELECT COUNT() FROM Opportunity WHERE AccountId = '{ids[0]}'"
    before = org.query(deals, org.worker).total_size
    assert org.delete(org.admin, None, [ids[0]])[0].success
    assert org.query(deals, org.worker).total_size == 0
    assert org.delete(org.admin, None, [ids[0]])[0].errors[0].status_code == "ENTITY_IS_DELETED"
    start = org.clock() - timedelta(hours=1)
    gone = org.deleted(org.worker, "Account", start, org.clock() + timedelta(minutes=1))["deletedRecords"]
    assert [row["id"] for row in gone] == [ids[0]]
    assert org.undelete(org.admin, [ids[0]])[0].success
    assert org.query(deals, org.worker).total_size == before


def test_a_merge_moves_children_and_names_the_winner(org, hands, ids):
    """The loser points to the winner, its deals belong to the winner and are stamped."""
    moved = org.query(f"SELECT Id FROM Opportunity WHERE AccountId = '{ids[1]}'", org.worker).num_rows
    assert moved
    hands.now += timedelta(minutes=5)
    assert org.merge(org.admin, "Account", ids[0], [ids[1]]).success
    loser = rows(
        org, f"SELECT IsDeleted, MasterRecordId FROM Account WHERE Id = '{ids[1]}'", include_deleted=True
    )[0]
    assert (loser["IsDeleted"], loser["MasterRecordId"]) == (True, ids[0])
    stamped = (
        "SELECT COUNT() FROM Opportunity WHERE SystemModstamp >= 2018-01-01T12:05:00Z AND AccountId = '{}'"
    )
    assert org.query(stamped.format(ids[0]), org.worker).total_size == moved


def test_the_worker_may_not_make_accounts_or_permissions(org):
    """The bundled integration user has the sensible minimum only."""
    made = org.insert(org.worker, "Account", [{"Name": "New"}])[0]
    assert made.errors[0].status_code == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    assert not org.insert(org.worker, "PermissionSet", [{"Name": "Mine", "Label": "Mine"}])[0].success


def test_bulk_upsert_splits_into_new_and_known(granted, ids):
    """Upserting a table by key updates what exists and inserts the rest, in the order of the rows."""
    granted.insert(granted.worker, "Task", [{"Foretag_Key__c": "b", "Subject": "old"}])
    table = pa.table(
        {"Foretag_Key__c": ["a", "b", "b"], "Subject": ["x", "y", "z"], "WhatId": [ids[0], ids[1], ""]}
    )
    saved = granted.save_table(granted.worker, "Task", "upsert", table, external_id="Foretag_Key__c")
    assert saved.created == [True, False, False]
    assert saved.errors[:2] == [None, None]
    assert saved.errors[2].startswith("DUPLICATE_VALUE:Duplicate external id specified: b")
    found = rows(granted, "SELECT Subject FROM Task ORDER BY Foretag_Key__c")
    assert [row["Subject"] for row in found] == ["x", "y"]
