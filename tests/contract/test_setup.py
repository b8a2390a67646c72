"""Checking and setting up a CRM: every problem at once, only what is missing, nothing twice."""

from __future__ import annotations

import re

import pytest

from config.outputs import written
from config.records import RECORDS
from connectors.contract import AuthProblem, ConfigProblem, RetryLater

# What a run reads; the others are read for those who ask.
READ = ("account", "opportunity", "owner", "stage", "task")
FIELDS = {name: [column.name for column in RECORDS[name]] for name in READ}
WRITTEN = {name: [field.name for field in written(name)] for name in ("account", "opportunity")}


def test_setup_makes_what_is_missing_and_then_nothing(make_world) -> None:
    """Idempotent: a second look finds nothing to do, and doing it all again is harmless."""
    world = make_world()
    admin, (first, more) = world.admin(), world.people.setup_kinds
    steps = admin.missing("basic")
    assert {step.kind for step in steps} == first
    made = admin.ensure_fields(steps)
    assert all(step.done for step in made)
    assert admin.missing("basic") == []
    assert all(step.done for step in admin.ensure_fields(steps))
    assert {step.kind for step in admin.missing("full")} == more


def test_after_setup_a_check_finds_nothing(world) -> None:
    """The worker may read and write all it needs."""
    assert world.connect().check(FIELDS, WRITTEN) == []


def test_a_worker_that_may_do_too_much_is_a_warning(world) -> None:
    """Whoever got hold of its credentials could do as much; the words say which rights, and how to take them away."""
    problems = world.connect("admin").check(FIELDS, WRITTEN)
    told = "; ".join(str(problem) for problem in problems if problem.severity == "warning")
    for words in world.people.too_mighty:
        assert words in told


def test_before_setup_a_check_names_every_field_and_what_to_do(make_world) -> None:
    """All at once, each with its fix."""
    world = make_world()
    problems = world.connect().check(FIELDS, WRITTEN)
    named = {problem.where for problem in problems}
    ours = [("account", "foretag_tier"), ("opportunity", "foretag_reason"), ("task", "key")]
    assert {world.people.place(*one) for one in ours} <= named
    assert all(problem.fix for problem in problems)


def test_a_field_that_is_hidden_or_read_only_is_named(world) -> None:
    """What an admin took away shows before a run."""
    hidden, read_only = ("account", "foretag_score"), ("opportunity", "foretag_tier")
    people = world.people
    people.hide(*hidden)
    world.sandbox.faults.add([people.freeze(*read_only)])
    found = {problem.where: str(problem) for problem in world.connect().check(FIELDS, WRITTEN)}
    assert re.search(people.hidden_words, found[people.place(*hidden)])
    assert re.search(people.read_only_words, found[people.place(*read_only)])


def test_a_mapping_to_a_field_that_does_not_exist_is_named(world) -> None:
    """As it stands in the rules file."""
    connector = world.connect(mapping={"opportunity": {"margin": "Gross_Margin__c"}})
    (problem,) = connector.check(FIELDS, WRITTEN)
    assert problem.where == f"{world.people.object_name('opportunity')}.Gross_Margin__c"
    assert "correct `fields: {opportunity: {margin: …}}`" in problem.fix


def test_wrong_credentials_are_explained(world) -> None:
    """What, where, and what to do; the secret itself is not shown."""
    connection, name = world.people.connection(), world.people.secrets[-1]
    getattr(connection.auth, name).file.write_text("a-wrong-secret")
    (problem,) = world.connect(connection=connection).check(FIELDS, WRITTEN)
    assert name in str(problem)
    assert "a-wrong-secret" not in str(problem)
    with pytest.raises(AuthProblem):
        world.connect(connection=connection).org()


def test_a_secret_that_is_not_there_is_a_configuration_problem(world) -> None:
    """Named by its place."""
    connection, name = world.people.connection(), world.people.secrets[-1]
    getattr(connection.auth, name).file.unlink()
    with pytest.raises(ConfigProblem, match=rf"auth\.{name}: secret file .* cannot be read"):
        world.connect(connection=connection).org()


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
    assert org.name == world.people.org_name


def test_a_time_zone_that_nobody_here_knows_is_read_as_utc(world) -> None:
    """An old machine may lack a zone: that is no reason to stop."""
    connector = world.connect()
    # No sandbox has such a zone.
    facts = getattr(connector, "_organization", None) or connector._api.account
    facts.update(TimeZoneSidKey="Mars/Olympus", timeZone="Mars/Olympus")
    assert connector.org().timezone == "UTC"


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
