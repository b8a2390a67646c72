"""Checking and setting up a CRM: every problem at once, only what is missing, nothing twice."""

from __future__ import annotations

import pytest

from config.outputs import written
from config.records import RECORDS
from config.settings import SalesforceConnection
from connectors.contract import AuthProblem, ConfigProblem, RetryLater

FIELDS = {name: [column.name for column in columns] for name, columns in RECORDS.items()}
WRITTEN = {name: [field.name for field in written(name)] for name in ("account", "opportunity")}


def test_setup_makes_what_is_missing_and_then_nothing(make_world) -> None:
    """Idempotent: a second look finds nothing to do, and doing it all again is harmless."""
    world = make_world()
    admin = world.connect("admin", worker=world.sandbox.credentials.worker.username)
    steps = admin.missing("basic")
    assert {step.kind for step in steps} == {"field", "permission set", "permissions", "assignment"}
    made = admin.ensure_fields(steps)
    assert all(step.done for step in made)
    assert admin.missing("basic") == []
    assert all(step.done for step in admin.ensure_fields(steps))
    assert {step.kind for step in admin.missing("full")} == {"field", "permissions"}


def test_after_setup_a_check_finds_nothing(world) -> None:
    """The worker may read and write all it needs."""
    assert world.connect().check(FIELDS, WRITTEN) == []


def test_before_setup_a_check_names_every_field_and_what_to_do(make_world) -> None:
    """All at once, each with its fix."""
    problems = make_world().connect().check(FIELDS, WRITTEN)
    named = {problem.where for problem in problems}
    assert {"Account.Foretag_Tier__c", "Opportunity.Foretag_Reason__c", "Task.Foretag_Key__c"} <= named
    assert all(problem.fix for problem in problems)


def test_a_field_that_is_hidden_or_read_only_is_named(world) -> None:
    """Field-level security is the usual first failure."""
    world.sandbox.faults.add([
        {"kind": "fls_off", "object": "Account", "field": "Foretag_Score__c"},
        {"kind": "read_only", "object": "Opportunity", "field": "Foretag_Tier__c"},
    ])  # fmt: skip
    found = {problem.where: problem.message for problem in world.connect().check(FIELDS, WRITTEN)}
    assert "may not see it" in found["Account.Foretag_Score__c"]
    assert "may not edit" in found["Opportunity.Foretag_Tier__c"]


def test_a_mapping_to_a_field_that_does_not_exist_is_named(world) -> None:
    """As it stands in the rules file."""
    connector = world.connect(mapping={"opportunity": {"margin": "Gross_Margin__c"}})
    (problem,) = connector.check(FIELDS, WRITTEN)
    assert problem.where == "Opportunity.Gross_Margin__c"
    assert "correct `fields: {opportunity: {margin: …}}`" in problem.fix


def test_people_keep_their_fields_to_themselves(world) -> None:
    """The worker may read an override, and not write it."""
    override = world.connect().schema("account")["foretag_override"]
    assert not override.updateable


def test_wrong_credentials_are_explained(world) -> None:
    """What, where, and what to do; the secret itself is not shown."""
    connection = world.connection()
    secret = world.secret("wrong", "a-wrong-secret")
    auth = {"client_id": {"file": str(connection.auth.client_id.file)}, "client_secret": secret}
    wrong = SalesforceConnection(crm="salesforce", url=connection.url, ca_file=connection.ca_file, auth=auth)
    world.connection = lambda _: wrong
    (problem,) = world.connect().check(FIELDS, WRITTEN)
    assert "client_secret" in problem.fix
    assert "a-wrong-secret" not in str(problem)
    with pytest.raises(AuthProblem):
        world.connect().org()


def test_a_secret_that_is_not_there_is_a_configuration_problem(world) -> None:
    """Named by its place."""
    (world.folder / "worker-secret").unlink(missing_ok=True)
    connector = world.connect()
    (world.folder / "worker-secret").unlink()
    with pytest.raises(ConfigProblem, match=r"auth\.client_secret: secret file .* cannot be read"):
        connector.org()


def test_an_unreachable_host_is_named(world) -> None:
    """With what to look at."""
    connector = world.connect()
    world.sandbox.stop()
    with pytest.raises(RetryLater, match="cannot be reached; check `url`"):
        connector.org()


def test_the_org_says_what_it_is(world) -> None:
    """Name, sandbox or production, time zone."""
    org = world.connect().org()
    assert not org.production
    assert org.bundled_sandbox
    assert org.name == world.sandbox.org.name


def test_the_budget_is_the_orgs_and_the_calls_are_ours(world) -> None:
    """Every request of this process is counted, and the org's allowance is read from replies."""
    connector = world.connect()
    connector.org()
    before = connector.budget()
    connector.server_time()
    after = connector.budget()
    assert after.calls == before.calls + 1
    assert after.limit == before.limit
    assert after.left == before.left - 1
