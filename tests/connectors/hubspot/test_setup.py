"""Setting a HubSpot portal up: what is there already, what is in the way, and doing it by hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from connectors.contract import ConfigProblem
from connectors.hubspot.definitions import custom_properties

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.conftest import World


def make_property(world: World, hs_object: str, name: str, **more: Any) -> None:
    """Somebody has made a property of this name."""
    portal = world.sandbox.portal
    group = {"companies": "companyinformation", "deals": "dealinformation"}[hs_object]
    body = {"name": name, "label": name, "groupName": group, "type": "string", "fieldType": "text", **more}
    portal.create_property(portal.person, hs_object, body)


def described(world: World, hs_object: str, name: str) -> dict[str, Any]:
    """A property as the portal describes it."""
    (found,) = [one for one in world.sandbox.portal.properties(hs_object) if one["name"] == name]
    return found


def test_our_properties_stand_together_and_look_right(world) -> None:
    """In our own group; lists with our options, sentences in a large field, a key that is unique."""
    tier = described(world, "companies", "foretag_tier")
    assert (tier["groupName"], tier["type"], tier["fieldType"]) == ("foretag", "enumeration", "select")
    assert [option["value"] for option in tier["options"]] == ["A", "B", "C", "D"]
    assert described(world, "deals", "foretag_reason")["fieldType"] == "textarea"
    assert described(world, "companies", "foretag_growth_plan")["numberDisplayHint"] == "currency"
    assert described(world, "companies", "foretag_valid_until")["type"] == "date"
    assert described(world, "tasks", "foretag_key")["hasUniqueValue"] is True
    assert "foretag_status" not in {one["name"] for one in world.sandbox.portal.properties("companies")}


def test_a_list_that_lacks_our_options_gets_them_and_keeps_its_own(make_world) -> None:
    """Whoever made it, and in whichever group it stands."""
    world = make_world()
    mine = {"label": "Top", "value": "A", "displayOrder": 0, "hidden": False, "description": "ours"}
    make_property(world, "companies", "foretag_tier", type="enumeration", fieldType="select", options=[mine])
    admin = world.admin()
    steps = [step for step in admin.missing("basic") if step.name == "companies.foretag_tier"]
    assert [(step.kind, step.detail) for step in steps] == [("options", "B, C, D")]
    admin.ensure_fields(steps)
    options = described(world, "companies", "foretag_tier")["options"]
    assert [(option["label"], option["value"]) for option in options] == [
        ("Top", "A"), ("B", "B"), ("C", "C"), ("D", "D"),
    ]  # fmt: skip
    assert [step for step in admin.missing("basic") if step.name == "companies.foretag_tier"] == []


def test_a_property_of_our_name_and_another_type_is_told_before_anything_is_made(make_world) -> None:
    """All of them at once."""
    world = make_world()
    make_property(world, "companies", "foretag_score", type="date", fieldType="date")
    make_property(world, "deals", "foretag_valid_until")
    with pytest.raises(ConfigProblem) as caught:
        world.admin().missing("basic")
    assert [problem.where for problem in caught.value.problems] == [
        "companies.foretag_score", "deals.foretag_valid_until",
    ]  # fmt: skip
    assert "cannot hold our values" in str(caught.value)


def test_an_archived_property_of_our_name_is_brought_back_or_explained(world) -> None:
    """HubSpot keeps the name for 90 days."""
    portal = world.sandbox.portal
    portal.archive_property(portal.person, "companies", "foretag_tier")
    admin = world.admin()
    (step,) = admin.missing("full")
    try:
        admin.ensure_fields([step])
    except ConfigProblem as problem:
        assert "archived property" in str(problem)  # noqa: PT017  # either is right; the portal decides
        assert "restore it" in str(problem)  # noqa: PT017  # the same
    else:
        assert admin.missing("full") == []


def test_what_somebody_made_between_looking_and_making_counts_as_done(make_world) -> None:
    """409 is success, if what is there can hold our values; options that it lacks are added."""
    world = make_world()
    admin, portal = world.admin(), world.sandbox.portal
    steps = admin.missing("basic")
    portal.create_group(portal.person, "companies", {"name": "foretag", "label": "Ours"})
    make_property(world, "companies", "foretag_reason")
    option = {"label": "A", "value": "A", "displayOrder": 0, "hidden": False}
    make_property(
        world, "companies", "foretag_tier", type="enumeration", fieldType="select", options=[option]
    )
    assert all(step.done for step in admin.ensure_fields(steps))
    assert admin.missing("basic") == []


def test_what_somebody_made_meanwhile_and_cannot_hold_our_values_stops_the_setup(make_world) -> None:
    """A day is no score."""
    world = make_world()
    admin = world.admin()
    steps = [step for step in admin.missing("basic") if step.name == "companies.foretag_score"]
    make_property(world, "companies", "foretag_score", type="date", fieldType="date")
    with pytest.raises(ConfigProblem, match="cannot hold our values"):
        admin.ensure_fields(steps)


def test_a_lost_reply_does_not_stop_the_setup(make_world) -> None:
    """What is sent again is only told that it is there; and what was made is seen at once."""
    world = make_world()
    admin = world.admin()
    steps = admin.missing("basic")
    assert "foretag_tier" not in admin.schema("account")
    world.sandbox.faults.add([{"kind": "lost_reply", "match": "POST .*/properties/companies$", "times": 2}])
    assert all(step.done for step in admin.ensure_fields(steps))
    assert admin.schema("account")["foretag_tier"].values == ("A", "B", "C", "D")


def test_a_portal_that_lets_no_more_properties_be_unique_gets_a_plain_key(make_world) -> None:
    """HubSpot allows ten for each object; tasks are then found in other ways."""
    world = make_world()
    portal = world.sandbox.portal
    portal.create_group(portal.person, "tasks", {"name": "keys", "label": "Keys"})
    for number in range(10):
        body = {
            "name": f"key{number}",
            "label": "Key",
            "groupName": "keys",
            "type": "string",
            "fieldType": "text",
        }
        portal.create_property(portal.person, "tasks", {**body, "hasUniqueValue": True})
    admin = world.admin()
    assert all(step.done for step in admin.ensure_fields(admin.missing("basic")))
    assert described(world, "tasks", "foretag_key")["hasUniqueValue"] is False


def test_a_token_without_the_scopes_is_told_all_that_it_lacks_and_nothing_is_made(make_world) -> None:
    """In one list."""
    world = make_world()
    worker = world.connect()
    steps = worker.missing("basic")
    position = world.sandbox.journal.position
    with pytest.raises(ConfigProblem) as caught:
        worker.ensure_fields(steps)
    (problem,) = caught.value.problems
    for name in ("companies", "deals", "contacts"):
        assert f"crm.schemas.{name}.write" in problem.message
    assert not any("POST" in line and "/properties/" in line for line in world.requests(position))


def test_a_portal_without_room_for_our_properties_is_told_so_first(make_world, monkeypatch) -> None:
    """HubSpot counts custom properties by object."""
    world = make_world()
    admin = world.admin()
    steps = admin.missing("basic")
    full = {"byObjectType": [{"objectTypeId": "0-2", "limit": 1000, "usage": 997}]}
    monkeypatch.setattr(
        world.sandbox.portal, "property_limits", lambda: full
    )  # a thousand would take a minute
    with pytest.raises(
        ConfigProblem, match="companies: 13 properties are to be made, and there is room for 3"
    ):
        admin.ensure_fields(steps)
    assert admin.missing("basic") == steps


def test_the_files_hold_what_setup_sends(world) -> None:
    """And the page says what has to be done by hand, with every scope that the worker needs."""
    files = world.connect().setup_files("full")
    for one in custom_properties("full"):
        body = json.loads(files[f"{one.hs_object}/properties/{one.output.name}.json"])
        made = described(world, one.hs_object, one.output.name)
        assert {name: made[name] for name in body if name != "options"} == {
            name: value for name, value in body.items() if name != "options"
        }
    page = files["README.md"]
    for scope in ("crm.objects.companies.write", "crm.objects.owners.read", "crm.schemas.contacts.write"):
        assert f"- {scope}\n" in page
    assert "Record customization" in page


def test_the_page_names_a_scope_only_if_the_rules_need_it(world) -> None:
    """Among the worker's own if they do; else among those for later."""
    connector = world.connect()
    for reads, own in (((), False), (("case", "call"), True)):
        worker, _, later = connector.setup_files("basic", reads)["README.md"].partition(
            "Your rules look at nothing more"
        )
        assert ("- tickets\n" in worker) is own
        assert ("- tickets: tickets\n" in later) is not own
        assert "- crm.objects.goals.read: goal targets\n" in later
        # Calls go with the scope that tasks have.
        assert "calls" not in later.partition("Add these")[0]


def test_the_script_in_the_files_sets_a_portal_up(make_world, tmp_path: Path) -> None:
    """As `setup` does, and as harmlessly a second time; what HubSpot refuses is told in its words."""
    if shutil.which("curl") is None:
        pytest.skip("needs curl: apt install curl")
    world = make_world()
    admin = world.admin()
    for name, content in admin.setup_files("full").items():
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    variables = {
        "HUBSPOT_TOKEN": world.sandbox.credentials.admin.token,
        "HUBSPOT_URL": world.sandbox.http_url,
    }

    def send(**more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "send.sh"],  # as the page says
            cwd=tmp_path / "files", env=os.environ | variables | more, capture_output=True, text=True, check=False,
        )  # fmt: skip

    refused = send(HUBSPOT_TOKEN=world.sandbox.credentials.worker.token)
    assert refused.returncode == 1
    assert all("crm.schemas." in line for line in refused.stdout.splitlines())
    for said in ("made", "there"):
        done = send()
        assert done.returncode == 0
        assert {line.split()[0] for line in done.stdout.splitlines()} == {said}
    assert admin.missing("full") == []
