"""Field history: what an org keeps of the fields that its admins track."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.connectors.sandbox.org.conftest import rows

CHANGES = (
    "SELECT AccountId, Field, DataType, OldValue, NewValue FROM AccountHistory ORDER BY CreatedDate, DataType"
)


def test_a_tracked_change_is_kept_and_no_other(granted, ids, hands):
    """Only from the moment on at which an admin switches it on; a save that changes nothing leaves no row."""
    granted.update(granted.admin, "Account", [{"Id": ids[0], "Industry": "before"}])
    granted.track("Account", "Industry")
    granted.update(granted.admin, "Account", [{"Id": ids[0], "Industry": "during", "Fax": "1"}])
    hands.now += timedelta(days=1)
    granted.update(granted.admin, "Account", [{"Id": ids[0], "Industry": "during"}])
    (kept,) = rows(granted, CHANGES)
    assert (kept["AccountId"], kept["Field"]) == (ids[0], "Industry")
    assert (kept["OldValue"], kept["NewValue"]) == ("before", "during")


def test_a_reference_is_kept_by_name_and_by_id(granted, ids):
    """Two rows for one change, under the name of the relationship."""
    granted.track("Account", "OwnerId")
    (before,) = rows(granted, f"SELECT OwnerId, Owner.Name FROM Account WHERE Id = '{ids[0]}'")
    granted.update(granted.admin, "Account", [{"Id": ids[0], "OwnerId": granted.admin.id}])
    by_id, by_name = rows(granted, CHANGES)
    assert {by_id["Field"], by_name["Field"]} == {"Owner"}
    assert (by_id["OldValue"], by_id["NewValue"]) == (before["OwnerId"], granted.admin.id)
    assert by_name["OldValue"] == before["Owner"]["Name"]


def test_nobody_filters_by_old_values(granted):
    """They are of any type."""
    with pytest.raises(Exception, match="OldValue"):
        rows(granted, "SELECT Id FROM AccountHistory WHERE OldValue = 'x'")
