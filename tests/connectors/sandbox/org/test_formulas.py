"""Formula fields: computed when read, never written, never a reason for a new stamp."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.sandbox.salesforce.formulas import FormulaError, check_formula
from connectors.sandbox.salesforce.schema import Field
from tests.connectors.sandbox.org.conftest import rows


def test_a_status_turns_stale_by_itself(granted, hands, ids):
    """The day after Valid Until the status is Stale, though the record was not touched."""
    granted.update(granted.worker, "Account", [{"Id": ids[0], "Foretag_Valid_Until__c": "2018-01-10"}])
    query = f"SELECT Foretag_Status__c, SystemModstamp FROM Account WHERE Id IN ('{ids[0]}', '{ids[1]}') ORDER BY Id"
    assert [row["Foretag_Status__c"] for row in rows(granted, query)] == ["Current", None]
    stamp = rows(granted, query)[0]["SystemModstamp"]
    hands.now += timedelta(days=10)
    late = rows(granted, query)[0]
    assert (late["Foretag_Status__c"], late["SystemModstamp"]) == ("Stale", stamp)
    assert len(rows(granted, "SELECT Id FROM Account WHERE Foretag_Status__c = 'stale'")) == 1


VALUES = [
    ('TEXT(NumberOfEmployees) & " people"', "2822 people"),
    ('IF(AND(NumberOfEmployees > 1000, NOT(ISBLANK(Industry))), "big", "small")', "big"),
    ('CASE(Industry, "Retail", "r", "Technology", "t", "?")', "t"),
    ('IF(ISPICKVAL(Industry, "Technology") && NumberOfEmployees <> 3, "yes", "no")', "yes"),
    ('BLANKVALUE(Fax, "none")', "none"),
    ("TEXT(VALUE(YearStarted) + 4 * 2 - 6 / 3)", "2002"),
    ('IF(CreatedDate < NOW(), "past", "future")', "past"),
    ("Owner.LastName", "Schlecht"),
    ('IF(AnnualRevenue = 1100040000 || FALSE, "=", "<>")', "="),
    ('LEFT(Name, 4) & UPPER("x")', "AcmeX"),
    ("TEXT(DATE(2018, 1, 31) - TODAY())", "30"),
]


@pytest.mark.parametrize(("formula", "value"), VALUES, ids=[row[0] for row in VALUES])
def test_formulas_mean_what_salesforce_means(org, ids, formula, value):
    """Functions, operators and references over a known account."""
    org.add_field("Account", Field("F__c", "F", "string", 1300, formula=formula))
    held = org.create_permission_set("F", "F")
    org.grant_fields(held, {"Account.F__c": False})
    org.assign(held, org.worker.id)
    if formula == "Owner.LastName":
        value = rows(org, f"SELECT Owner.LastName FROM Account WHERE Id = '{ids[0]}'")[0]["Owner"]["LastName"]
    assert rows(org, f"SELECT F__c FROM Account WHERE Id = '{ids[0]}'")[0]["F__c"] == value


WRONG = [
    ("Nope__c", "Field Nope__c does not exist. Check spelling."),
    ("NOPE(1)", "Unknown function NOPE. Check spelling."),
    ("IF(TRUE, 1", "Syntax error"),
    ('IF(Name = 5, "a", "b")', "Incorrect parameter type for operator '='"),
    ("ISBLANK()", "Incorrect number of parameters for function 'ISBLANK()'"),
]


@pytest.mark.parametrize(("formula", "message"), WRONG, ids=[row[0] for row in WRONG])
def test_a_wrong_formula_is_told(org, formula, message):
    """Unknown fields and functions, wrong types and bad syntax are refused when the field is made."""
    with pytest.raises(FormulaError) as refusal:
        check_formula(org.schema, org.schema.objects["Account"], formula)
    assert message in str(refusal.value)
