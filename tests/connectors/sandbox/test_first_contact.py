"""What the sf CLI asks on its first contact with an org, with the versions and addresses it uses."""

from __future__ import annotations

import pytest

from tests.connectors.sandbox.callers import error


def test_the_user_is_told_by_userinfo_and_an_old_version(api):
    """`userinfo` has the ids and the name; the CLI then reads the user with v51.0."""
    info = api.get("/services/oauth2/userinfo").json()
    assert {"sub", "user_id", "organization_id", "preferred_username"} <= set(info)

    user = api.get(f"/services/data/v51.0/sobjects/User/{info['user_id']}").json()

    assert user["Username"] == info["preferred_username"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/services/data/v51.0/query", "ScratchOrgInfo"),
        ("/services/data/v67.0/tooling/query", "SandboxProcess"),
    ],
)
def test_what_only_dev_hubs_have_is_an_unknown_type(api, path, name):
    """INVALID_TYPE tells the CLI that this org makes no other orgs."""
    assert error(api.get(path, params={"q": f"SELECT Id FROM {name}"})) == (400, "INVALID_TYPE")


def test_the_organization_says_what_kind_it_is(api):
    """The very query of the CLI, at the newest version that the org lists."""
    newest = api.get("/services/data").json()[-1]["url"]
    names = "Name, InstanceName, IsSandbox, TrialExpirationDate, NamespacePrefix, OrganizationType"

    found = api.get(f"{newest}/query", params={"q": f"SELECT {names} FROM Organization"}).json()["records"]

    assert [set(row) - {"attributes"} for row in found] == [set(names.split(", "))]
    assert found[0]["IsSandbox"] is True
