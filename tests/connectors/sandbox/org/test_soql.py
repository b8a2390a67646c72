"""What SOQL means: filters, sorting, parents, children, aggregates, dates, and how refusals read."""

from __future__ import annotations

import pytest

from connectors.sandbox.salesforce.errors import SalesforceError

COUNTS = [
    ("every row", "", 8800),
    ("a boolean", "WHERE IsClosed = false", 2089),
    ("text ignores case", "WHERE StageName = 'closed WON'", 4238),
    ("names ignore case", "where stagename = 'Closed Won'", 4238),
    ("unlike includes null", "WHERE AccountId != '0015g0000000001AAA'", 8759 + 0),
    ("null", "WHERE AccountId = null", 1425),
    ("empty text is null", "WHERE Type = ''", 8800),
    ("not null", "WHERE AccountId != null", 7375),
    ("a list", "WHERE StageName IN ('Engaging', 'Prospecting')", 2089),
    ("not in a list", "WHERE StageName NOT IN ('Engaging', 'Prospecting')", 6711),
    ("a negation finds nulls", "WHERE NOT Type = 'New Business'", 8800),
    ("brackets", "WHERE IsWon = true OR (IsClosed = false AND AccountId = null)", 4238 + 1425),
    ("numbers", "WHERE Amount >= 26768 AND IsClosed = false", None),
    ("a 15-character id", "WHERE AccountId = '0015g0000000001'", None),
    ("like", "WHERE Product__c LIKE 'gtx%pro'", 1480 + 968),
    ("a semi-join", "WHERE AccountId IN (SELECT Id FROM Account WHERE Industry = 'Retail')", None),
    ("an anti-join", "WHERE AccountId NOT IN (SELECT Id FROM Account WHERE Industry = 'Retail')", None),
    ("a parent of a parent", "WHERE Account.Parent.Name = 'Acme Corporation'", None),
    ("a date function", "WHERE CALENDAR_YEAR(CreatedDate) = 2016", None),
    ("extra blanks", "WHERE   IsClosed   =   false  ", 2089),
]


@pytest.mark.parametrize(("what", "where", "count"), COUNTS, ids=[row[0] for row in COUNTS])
def test_filters_find_what_salesforce_finds(org, what, where, count):
    """Each form of a filter finds the rows it should; figures are the source file's own counts."""
    found = org.query(f"SELECT COUNT() FROM Opportunity {where}", org.worker).total_size
    if what == "unlike includes null":
        same = org.query("SELECT COUNT() FROM Opportunity WHERE AccountId = '0015g0000000001AAA'", org.worker)
        count = 8800 - same.total_size
    assert found == count if count is not None else 0 < found < 8800


DATES = [
    ("TODAY", 0), ("YESTERDAY", 1), ("LAST_N_DAYS:30", 1), ("THIS_YEAR", 0), ("LAST_YEAR", 1), ("LAST_MONTH", 1),
    ("LAST_QUARTER", 1), ("LAST_FISCAL_QUARTER", 1), ("N_DAYS_AGO:1", 1), ("LAST_N_YEARS:1", 1), ("LAST_WEEK", 0),
    ("THIS_WEEK", 1), ("NEXT_N_DAYS:90", 0), ("2017-12-31", 1), ("N_MONTHS_AGO:1", 1), ("LAST_90_DAYS", 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "found"), DATES)
def test_named_dates_are_ranges_of_days(org, select, name, found):
    """A deal that closed on 31 December 2017 is found on 1 January 2018 by the ranges that hold that day."""
    won = "SELECT Id FROM Opportunity WHERE CloseDate = 2017-12-31 AND IsWon = true LIMIT 1"
    one = select(won)[0]["Id"]
    assert len(select(f"SELECT Id FROM Opportunity WHERE CloseDate = {name} AND Id = '{one}'")) == found


def test_parents_children_and_addresses_nest(select):
    """Parents, child lists and compound addresses come as Salesforce nests them."""
    record = select(
        "SELECT Id, Owner.Name, Parent.Name, BillingAddress, "
        "(SELECT Id FROM Opportunities ORDER BY Amount DESC LIMIT 2), "
        "(SELECT Id FROM Contacts) FROM Account WHERE Name = 'Acme Corporation'"
    )[0]
    assert record["attributes"] == {
        "type": "Account", "url": f"/services/data/v62.0/sobjects/Account/{record['Id']}",
    }  # fmt: skip
    assert record["Owner"]["attributes"]["type"] == "User"
    assert record["Parent"] is None
    assert record["BillingAddress"]["country"] == "United States"
    assert record["Opportunities"]["totalSize"] == 2
    assert record["Opportunities"]["done"] is True
    assert record["Contacts"] is None


def test_aggregates_come_as_aggregate_results(select):
    """Groups carry their field and expr0, or the alias."""
    found = select(
        "SELECT StageName, COUNT(Id) deals, SUM(Amount) FROM Opportunity GROUP BY StageName "
        "HAVING COUNT(Id) > 4000 ORDER BY StageName"
    )
    assert found == [
        {
            "attributes": {"type": "AggregateResult"},
            "StageName": "Closed Won",
            "deals": 4238,
            "expr0": 10005534.0,
        }
    ]


def test_nulls_come_first_and_ties_keep_an_order(select):
    """Nulls sort first in both directions unless told otherwise."""
    first = "SELECT AccountId FROM Opportunity ORDER BY AccountId {} LIMIT 1"
    assert select(first.format("ASC"))[0]["AccountId"] is None
    assert select(first.format("DESC"))[0]["AccountId"] is None
    assert select(first.format("DESC NULLS LAST"))[0]["AccountId"] is not None


def test_all_fields_need_a_limit(select):
    """FIELDS(ALL) gives every visible field, and only up to 200 rows."""
    assert len(select("SELECT FIELDS(ALL) FROM Opportunity LIMIT 200")) == 200
    assert "Product__c" in select("SELECT FIELDS(CUSTOM) FROM Opportunity LIMIT 1")[0]
    with pytest.raises(SalesforceError, match="must have a LIMIT of at most 200"):
        select("SELECT FIELDS(ALL) FROM Opportunity")


def test_a_task_tells_what_it_is_about(org, select, ids):
    """TYPEOF and What.Name look through a polymorphic reference."""
    org.insert(org.worker, "Task", [{"Subject": "Call", "WhatId": ids[0]}])
    typed = select("SELECT TYPEOF What WHEN Account THEN Industry ELSE Name END FROM Task")[0]
    assert typed["What"]["attributes"]["type"] == "Account"
    assert typed["What"]["Industry"] == "Technology"
    named = select("SELECT What.Name, What.Type FROM Task WHERE What.Type = 'Account'")[0]["What"]
    assert (named["attributes"]["type"], named["Name"], named["Type"]) == (
        "Name",
        "Acme Corporation",
        "Account",
    )


NO_SUCH_COLUMN = (
    "\nSELECT Bogus FROM Account\n       ^\nERROR at Row:1:Column:8\nNo such column 'Bogus' on entity 'Account'. If "
    "you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please "
    "reference your WSDL or the describe call for the appropriate names."
)
REFUSALS = [
    ("SELECT Bogus FROM Account", "INVALID_FIELD",
     NO_SUCH_COLUMN),
    ("SELECT Id FROM Acount", "INVALID_TYPE", "sObject type 'Acount' is not supported."),
    ("SELECT Id, Foo.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Foo' in field path."),
    ("SELECT Id, (SELECT Id FROM Foos) FROM Account", "INVALID_TYPE", "Didn't understand relationship 'Foos' in FROM"),
    ("SELECT Id, FROM Account", "MALFORMED_QUERY",
     "\nSELECT Id, FROM Account\n           ^\nERROR at Row:1:Column:12\nunexpected token: 'FROM'"),
    ("SELECT Id FROM WHERE Id = 'x'", "MALFORMED_QUERY", "unexpected token: 'WHERE'"),
    ("SELECT Id FORM Account", "MALFORMED_QUERY", "unexpected token: 'Account'"),
    ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
    ("", "MALFORMED_QUERY", "unexpected token: <EOF>"),
    ("SELECT Id FROM Account WHERE Name = 'x' OR Name = 'y' AND Fax = 'z'", "MALFORMED_QUERY",
     "unexpected token: 'AND'"),
    ("SELECT Id FROM Account WHERE Name = :x", "MALFORMED_QUERY", "Bind variables only allowed in Apex code"),
    ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD",
     "must be of type string and should be enclosed in quotes"),
    ("SELECT Id FROM Account WHERE CreatedDate > '2018-01-01'", "INVALID_FIELD",
     "value of filter criterion for field 'CreatedDate' must be of type dateTime and should not be enclosed in quotes"),
    ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD",
     "field 'Description' can not be filtered in a query call"),
    ("SELECT Id FROM Account ORDER BY Description", "INVALID_FIELD", "can not be sorted in a query call"),
    ("SELECT Id FROM Account WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
    ("SELECT Id FROM Account WHERE Industry INCLUDES ('a')", "INVALID_QUERY_FILTER_OPERATOR", "multipicklist field"),
    ("SELECT Id, Id FROM Account", "MALFORMED_QUERY", "duplicate field selected: Id"),
    ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"),
    ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
    ("SELECT Id FROM Account ALL ROWS", "MALFORMED_QUERY", "ALL ROWS not allowed in this context"),
    ("SELECT SUM(Name) FROM Account", "MALFORMED_QUERY", "does not support aggregate operator SUM"),
    ("SELECT Id FROM Account WHERE Name = 'a\\qb'", "MALFORMED_QUERY", "Illegal character sequence '\\q'"),
]  # fmt: skip


@pytest.mark.parametrize(("soql", "code", "message"), REFUSALS, ids=[row[0] or "nothing" for row in REFUSALS])
def test_refusals_read_like_salesforce(org, soql, code, message):
    """Every refusal has Salesforce's code and words, and points at the place."""
    with pytest.raises(SalesforceError) as refusal:
        org.query(soql, org.admin)
    assert refusal.value.code == code
    assert refusal.value.message == message if message.startswith("\n") else message in refusal.value.message
    assert refusal.value.status == 400


@pytest.mark.parametrize("soql", [
    "SELECT COUNT() FROM Account", "SELECT COUNT(Id) FROM Account", "SELECT Industry FROM Account GROUP BY Industry",
    "SELECT Id FROM Account OFFSET 5",
    "SELECT BillingAddress FROM Account", "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
    "SELECT TYPEOF What WHEN Account THEN Name END FROM Task",
])  # fmt: skip
def test_bulk_refuses_what_bulk_refuses(org, soql):
    """Bulk API knows no aggregates, offsets, compound fields, child queries or TYPEOF."""
    org.query(soql, org.worker)
    with pytest.raises(SalesforceError, match="not supported in Bulk Query"):
        org.query(soql, org.worker, bulk=True)


def test_a_result_is_a_snapshot(org, ids):
    """What is written after a query does not change its pages."""
    result = org.query("SELECT Name FROM Account ORDER BY Id LIMIT 1", org.worker)
    org.update(org.admin, "Account", [{"Id": ids[0], "Name": "Changed"}])
    assert result.records(0, 1, "62.0")[0]["Name"] == "Acme Corporation"


def test_csv_is_written_as_bulk_writes_it(org, ids):
    """Stamps end in Z, booleans are lower case, numbers have a point, nulls are empty, headers are dotted."""
    soql = (
        "SELECT Id, Account.Name, Amount, CloseDate, IsClosed, SystemModstamp, Probability, NextStep, FiscalYear "
        "FROM Opportunity WHERE Id = '0065g0000000001AAA'"
    )
    table = org.query(soql, org.worker, bulk=True).csv_table(0, 5)
    assert table.to_pylist() == [{
        "Id": "0065g0000000001AAA", "Account.Name": "Cancity", "Amount": "1054.0", "CloseDate": "2017-03-01",
        "IsClosed": "true", "SystemModstamp": "2017-03-01T08:03:29.458Z", "Probability": "100.0", "NextStep": "",
        "FiscalYear": "2017",
    }]  # fmt: skip


def test_whole_seconds_keep_their_milliseconds_in_csv(org, hands, ids):
    """A stamp on a whole second still has three digits after the point."""
    org.update(org.admin, "Account", [{"Id": ids[0], "Fax": "1"}])
    table = org.query(f"SELECT SystemModstamp FROM Account WHERE Id = '{ids[0]}'", org.admin).csv_table(0, 1)
    assert table["SystemModstamp"].to_pylist() == ["2018-01-01T12:00:00.000Z"]
