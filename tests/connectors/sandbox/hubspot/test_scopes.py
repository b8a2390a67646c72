"""Scopes: the worker has the least it needs, and a call without its scope says which one is missing."""

from __future__ import annotations

PROPERTY = {"name": "x", "label": "X", "groupName": "dealinformation", "type": "string", "fieldType": "text"}


def required(reply):
    """The scopes that a refusal asks for."""
    body = reply.json()
    assert (reply.status_code, body["category"]) == (403, "MISSING_SCOPES")
    assert body["message"] == (
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes "
        "here: https://developers.hubspot.com/scopes."
    )
    assert body["errors"][0]["message"] == "One or more of the following scopes are required."
    assert body["links"]["scopes"].startswith("https://")
    return body["errors"][0]["context"]["requiredGranularScopes"]


def test_making_properties_needs_the_schemas_scope(worker, api):
    """The worker may not, the admin may."""
    assert required(worker.post("/crm/v3/properties/deals", json=PROPERTY)) == ["crm.schemas.deals.write"]
    assert api.post("/crm/v3/properties/deals", json=PROPERTY).status_code == 201


def test_tasks_go_with_contacts(sandbox, worker):
    """There is no scope for tasks: without those of contacts, tasks are out of reach, and their properties."""
    sandbox.faults.add(
        [{"kind": "missing_scopes", "scopes": ["crm.objects.contacts.write", "crm.objects.contacts.read"]}]
    )

    assert required(worker.get("/crm/v3/objects/tasks")) == ["crm.objects.contacts.read"]
    assert required(worker.post("/crm/v3/objects/0-27/batch/create", json={"inputs": []})) == [
        "crm.objects.contacts.write"
    ]
    assert required(worker.post("/crm/v3/properties/task", json=PROPERTY)) == ["crm.schemas.contacts.write"]
    assert worker.get("/crm/v3/objects/deals").status_code == 200


def test_associations_need_the_scopes_of_both_ends(sandbox, worker):
    """Reading deals is not enough to read their companies."""
    sandbox.faults.add([{"kind": "missing_scopes", "scopes": ["crm.objects.companies.read"]}])

    reply = worker.post("/crm/v4/associations/deals/companies/batch/read", json={"inputs": []})

    assert required(reply) == ["crm.objects.companies.read"]

    sandbox.faults.add([{"kind": "missing_scopes", "scopes": ["crm.objects.companies.write"]}])
    reply = worker.post("/crm/v4/associations/deals/companies/batch/create", json={"inputs": []})
    assert required(reply) == ["crm.objects.companies.write"]


def test_every_route_asks_for_its_own(sandbox, worker):
    """Owners, teams, line items and goals have scopes of their own; account details need none."""
    sandbox.faults.add(
        [
            {
                "kind": "missing_scopes",
                "scopes": [
                    "crm.objects.owners.read",
                    "settings.users.teams.read",
                    "e-commerce",
                    "crm.objects.line_items.read",
                    "crm.objects.goals.read",
                ],
            }
        ]
    )

    assert required(worker.get("/crm/v3/owners/")) == ["crm.objects.owners.read"]
    assert required(worker.get("/settings/v3/users/teams")) == ["settings.users.teams.read"]
    assert required(worker.get("/crm/v3/objects/line_items")) == ["e-commerce", "crm.objects.line_items.read"]
    assert required(worker.get("/crm/v3/objects/goal_targets")) == ["crm.objects.goals.read"]
    assert worker.get("/account-info/v3/details").status_code == 200
