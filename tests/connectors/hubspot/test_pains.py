"""What users of other HubSpot integrations report as broken, tried on ours: docs/hubspot.md lists it in their words."""

from __future__ import annotations

import re
import threading
from collections import Counter
from datetime import datetime, timedelta
from importlib.metadata import requires
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

import pytest
import requests
from packaging.requirements import Requirement

from connectors.contract import Page, RetryLater, Truncated
from connectors.hubspot import lists, pulls
from connectors.hubspot.fields import LINKS, OBJECTS
from connectors.hubspot.searches import ATTEMPTS
from connectors.transport import MOST_CONNECTIONS
from tests.contract.conftest import World, pull
from tests.contract.test_setup import FIELDS, WRITTEN
from tests.contract.test_writing import changes, held, statuses
from tests.invariants.conftest import EVERY_RECORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.invariants.conftest import World as Installation

# Who follows pages that stand still so often would never stop.
FOR_EVER = 100


def arrivals(world: World | Installation, pattern: str, since: int = 0) -> list[Any]:
    """The requests that arrived and match."""
    return [
        entry
        for entry in world.sandbox.journal.requests(since)
        if re.search(pattern, f"{entry.method} {entry.path}")
    ]


def keys(installation: Installation) -> Counter[str]:
    """How often each key of ours stands on a task, deleted ones too."""
    return Counter(row["key"] for row in installation.people.rows("task", "key", deleted=True) if row["key"])


# 1. "My retry settings do nothing for POST."


@pytest.mark.parametrize(
    "fault",
    [{"kind": "rate_limit"}, {"kind": "status", "status": 503}, {"kind": "lost_reply"}],
    ids=["429", "503", "lost reply"],
)
def test_every_post_of_a_run_is_sent_again(fault, make_installation) -> None:
    """Whatever a run posts meets the fault once, and all is read, written and made, once."""
    calm = make_installation()
    calm.use_rules(EVERY_RECORD)
    position = calm.sandbox.journal.position
    calm.run()
    posts = {f"POST {entry.path.partition('?')[0]}" for entry in arrivals(calm, "^POST ", position)}
    assert {line.rpartition("/crm")[2] for line in posts} >= {
        "/v3/objects/companies/batch/update",
        "/v3/objects/deals/batch/update",
        "/v3/objects/tasks/batch/create",
        "/v3/objects/tasks/batch/read",
        "/v3/objects/tasks/search",
        "/v4/associations/deals/companies/batch/read",
    }
    calm.forget()

    rough = make_installation()
    rough.use_rules(EVERY_RECORD)
    position = rough.sandbox.journal.position
    rough.sandbox.faults.add([fault | {"match": f"{re.escape(line)}(\\?|$)"} for line in sorted(posts)])
    report = rough.run()
    assert (report.exit_code, report.refused, report.unknown) == (
        0,
        {"account": 0, "opportunity": 0, "task": 0},
        {"account": 0, "opportunity": 0, "task": 0},
    )
    assert [line["match"] for line in rough.sandbox.faults.listing() if line["acted"] != 1] == []
    once = [line["match"] for line in rough.sandbox.faults.listing() if line["seen"] == 1]
    # What was made although no reply came is looked up, and never sent again.
    assert once == (
        [match for match in once if "batch/create" in match] if fault["kind"] == "lost_reply" else []
    )
    assert len(once) == (fault["kind"] == "lost_reply")
    assert sum(keys(rough).values()) == len(keys(rough)) == report.done["task"] > 0
    written = Counter(
        (entry.object, one)
        for entry in rough.sandbox.journal.writes(position)
        if entry.changed
        for one in entry.ids
    )
    assert set(written.values()) == {1}
    assert rough.run().writes == 0


# 2. "It hangs."


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda connector: connector.schema("account"), "/properties/companies"),
        (lambda connector: pull(connector, "owner", ["name"]), "/owners"),
        (lambda connector: pull(connector, "account", ["name"]), "GET .*/objects/companies"),
        (lambda connector: pull(connector, "opportunity", ["account_id"]), "/associations/"),
        (lambda connector: connector.update("account", changes(["1"], foretag_score=[7])), "batch/update"),
        (lambda connector: connector.tasks(["key"]), "batch/read"),
    ],
    ids=["properties by the SDK", "owners by the SDK", "list", "associations", "write", "look-up"],
)
def test_a_portal_that_never_answers_ends_the_call(call, match, world) -> None:
    """Each attempt has its timeout, SDK or not, and the attempts have an end."""
    world.sandbox.faults.add([{"kind": "latency", "seconds": 600, "match": match}])
    connection = world.people.connection().model_copy(update={"read_timeout": 0.2})
    connector = world.connect(connection=connection)
    with pytest.raises(RetryLater, match="no reply in time"):
        call(connector)
    (latency,) = world.sandbox.faults.listing()
    assert 3 <= latency["seen"] <= 7 * lists.READERS


# 3. "Rows beyond 10,000 are lost."


def test_a_search_that_shows_fewer_rows_than_it_counts_moves_no_cursor(installation, monkeypatch) -> None:
    """What is missing is noticed by HubSpot's own total, and the run ends rather than pass it."""
    installation.run()
    touched = [row["id"] for row in installation.people.rows("opportunity")]
    installation.sandbox.portal.touch("deals", touched)
    position = installation.sandbox.journal.position
    search = installation.sandbox.portal.search

    def short(name: str, body: Any) -> Any:
        found = search(name, body)
        hidden = name == "deals" and body.get("limit") != 1
        return type(found)(found.total, found.results[hidden:], found.after)

    monkeypatch.setattr(installation.sandbox.portal, "search", short)
    with installation.job() as job:
        before = job.ledger.cursor(job.name, "opportunity")
    with pytest.raises(Truncated, match=r"deals: 199 of 200 records arrived"):
        installation.run()
    with installation.job() as job:
        assert job.ledger.cursor(job.name, "opportunity") == before
    # A new connector cannot know of the searches that the last one made within the same second: some are sent twice.
    asked = [one for one in arrivals(installation, "/deals/search", position) if one.status != 429]
    # Of merges once; then each attempt, and the count after it.
    assert len(asked) == 1 + 2 * ATTEMPTS
    monkeypatch.undo()
    assert installation.run().exit_code == 0


# 4. "It loops for ever."


@pytest.mark.parametrize("place", ["200", "10000"])
def test_a_search_whose_pages_do_not_advance_is_left(place, world, monkeypatch) -> None:
    """The same place twice, or a new window that brings nothing new."""
    search, calls = world.sandbox.portal.search, count()

    def stuck(name: str, body: Any) -> Any:
        found = search(name, {**body, "after": None, "filterGroups": []})
        return type(found)(found.total, found.results, place if next(calls) < FOR_EVER else None)

    cursor = pull(world.connect(), "account", ["name"]).checkpoint.cursor
    monkeypatch.setattr(world.sandbox.portal, "search", stuck)
    position = world.sandbox.journal.position
    with pytest.raises(Truncated, match="do not advance"):
        pull(world.connect(), "account", ["name"], cursor)
    assert len(arrivals(world, "/search", position)) <= 3


@pytest.mark.parametrize("object_name", ["account", "owner"])
def test_a_list_whose_pages_do_not_advance_is_left(object_name, world, monkeypatch) -> None:
    """And what came of it is not taken for the whole."""
    name = "owners" if object_name == "owner" else "list_records"
    listed, calls = getattr(world.sandbox.portal, name), count()

    def stuck(*args: Any, **options: Any) -> Any:
        page = listed(*args, **{**options, "after": None})
        return type(page)(page.results, "7" if next(calls) < FOR_EVER else None)

    monkeypatch.setattr(world.sandbox.portal, name, stuck)
    position = world.sandbox.journal.position
    with pytest.raises(Truncated, match="do not advance"):
        pull(world.connect(), object_name, ["name"])
    assert len(arrivals(world, "GET .*/(owners|companies)", position)) <= 3


# 10. "429 storms; it fails for ever, and begins anew each time."


def test_a_storm_of_refused_searches_is_waited_out(world) -> None:
    """One call at a time, a second apart at least; no refusal is our doing, and no row is lost."""
    cursor = pull(world.connect(), "account", ["name"]).checkpoint.cursor
    world.advance(60)
    world.sandbox.portal.touch("companies", [row["id"] for row in world.people.rows("account")])
    position = world.sandbox.journal.position
    world.sandbox.faults.add([{"kind": "rate_limit", "policy": "secondly", "match": "/search", "times": 5}])
    pulled = pull(world.connect(), "account", ["name"], cursor)
    searches = arrivals(world, "/search", position)
    assert (len(pulled.ids()), [entry.status for entry in searches]) == (40, [429] * 5 + [200])
    moments = [datetime.fromisoformat(entry.at) for entry in searches]
    assert all(later - sooner >= timedelta(seconds=1) for sooner, later in pairwise(moments))


def test_a_day_that_is_used_up_is_not_spun_at(world) -> None:
    """One refusal parks the run; nothing is asked again."""
    connector = world.connect()
    connector.server_time()
    position = world.sandbox.journal.position
    world.sandbox.faults.add([{"kind": "rate_limit", "policy": "daily", "times": None}])
    with pytest.raises(RetryLater, match="midnight in the portal's time zone") as caught:
        pull(connector, "account", ["name"])
    assert caught.value.quota
    assert len(world.requests(position)) == 1
    assert world.waits == []


def test_a_run_that_failed_is_taken_up_where_it_stopped(installation) -> None:
    """Companies that were read before the deals failed are not read again."""
    installation.sandbox.faults.add(
        [{"kind": "status", "status": 503, "match": "GET .*/objects/deals", "times": None}]
    )
    with pytest.raises(RetryLater):
        installation.run()
    installation.sandbox.faults.remove()
    position = installation.sandbox.journal.position
    report = installation.run()
    assert report.exit_code == 0
    assert arrivals(installation, r"GET .*/objects/companies\?.*archived=false", position) == []
    assert len(arrivals(installation, r"GET .*/objects/deals\?.*archived=false", position)) == 2


# 11. "Every run reads everything again."


def test_a_second_run_reads_what_changed_and_little_else(make_installation) -> None:
    """No list of living records; one deal was edited, and four times the deals take as many calls."""
    calls = {}
    for data in ("synthetic:20:100", "synthetic:20:400"):
        installation = make_installation(data=data)
        installation.run()
        installation.sandbox.clock.advance(timedelta(hours=3))
        installation.run()
        installation.sandbox.clock.advance(timedelta(hours=3))
        deal = installation.open_deals("amount")[0]
        installation.people.edit("opportunity", {"id": deal["id"], "amount": 12_345})
        position = installation.sandbox.journal.position
        report = installation.run()
        assert report.pulled["opportunity"] == 1
        assert arrivals(installation, r"objects/(companies|deals)\?.*archived=false", position) == []
        calls[data] = report.api_calls
        installation.forget()
    assert max(calls.values()) - min(calls.values()) <= 2
    # Of seven objects, tickets among them, since the default rules ask for open requests.
    assert max(calls.values()) <= 42


# 13. "A wrong association type id: the link is refused, or means something else."


def test_the_association_types_that_we_use_are_the_portals_own(world) -> None:
    """Each id is a label of its own direction; the reverse one has another number."""
    ours = [
        (OBJECTS[name], link.to, number)
        for name, columns in LINKS.items()
        for link in columns.values()
        for number in (link.primary, link.made)
        if number is not None
    ]
    assert len(ours) == 4
    for here, there, number in ours:
        told = labels(world, here, there)
        assert number in told
        assert number not in labels(world, there, here)
        assert told[number] == ("Primary" if here == "deals" else told[number])


@pytest.mark.parametrize("version", ["v3", "2026-03"])
def test_other_association_types_than_ours_stop_a_run_before_it_links(version, world, monkeypatch) -> None:
    """One call for each pair tells, and the problem names the pair and the number."""
    told = world.sandbox.portal.association_labels

    def renumbered(here: str, there: str) -> list[dict[str, Any]]:
        changed = {216: 10_216, 5: 10_005}
        return [{**one, "typeId": changed.get(one["typeId"], one["typeId"])} for one in told(here, there)]

    connection = world.people.connection().model_copy(update={"api_version": version})
    position = world.sandbox.journal.position
    assert world.connect(connection=connection).check(FIELDS, WRITTEN) == []
    assert len(arrivals(world, "/labels", position)) == 3
    monkeypatch.setattr(world.sandbox.portal, "association_labels", renumbered)
    problems = world.connect(connection=connection).check(FIELDS, WRITTEN)
    assert [problem.where for problem in problems] == ["deals to companies", "tasks to deals"]
    assert "association type 5 " in problems[0].message
    assert "association type 216 " in problems[1].message


def labels(world: World, here: str, there: str) -> dict[int, str | None]:
    """Labels by type id, as the portal tells them."""
    sandbox = world.sandbox
    reply = requests.get(
        f"{sandbox.url}/crm/v4/associations/{here}/{there}/labels",
        headers={"Authorization": f"Bearer {sandbox.credentials.worker.token}"},
        verify=str(sandbox.ca_file),
        timeout=10,
    )
    return {one["typeId"]: one["label"] for one in reply.json()["results"]}


# 15. "The client library: a new connection for each call, everything in memory, broken by an update."


def test_a_run_opens_a_handful_of_connections(installation, monkeypatch) -> None:
    """One pool for all calls, the SDK's too."""
    from connectors.sandbox import front

    made = []
    # Only the server knows how many connections were opened, and it keeps no count.
    connection_made = front.Protocol.connection_made
    monkeypatch.setattr(
        front.Protocol,
        "connection_made",
        lambda self, transport: (made.append(1), connection_made(self, transport))[1],
    )
    report = installation.run()
    assert 1 <= len(made) <= MOST_CONNECTIONS
    assert report.api_calls > 2 * len(made)


def test_a_pull_holds_a_part_of_the_portal_and_not_all_of_it(make_world: Callable[..., World]) -> None:
    """Readers stop when nobody takes what they read; the rest is not even asked for."""
    world = make_world(data="synthetic:20:15000")
    position = world.sandbox.journal.position
    messages = world.connect().pull("opportunity", ["name"], None)
    assert isinstance(next(messages), Page)
    ahead = pulls.TOGETHER // lists.PAGE * (pulls.LINKING + 1)
    most = 1 + 2 + lists.WAITING + lists.READERS + ahead
    asked = -1
    while asked != (asked := len(arrivals(world, r"GET .*/objects/deals\?", position))):
        # Nothing waits for anything any more once the count stands still.
        threading.Event().wait(0.5)
    assert asked <= most < 150
    messages.close()


def test_the_release_of_urllib3_that_breaks_hubspots_client_is_never_installed() -> None:
    """2.6.0 took away what it reads headers by."""
    ours = [Requirement(text) for text in requires("foretag") or ()]
    (urllib3,) = [one for one in ours if one.name == "urllib3"]
    assert not urllib3.specifier.contains("2.6.0")
    assert urllib3.specifier.contains("2.6.1")


def test_a_property_of_a_type_that_no_client_knows_breaks_nothing(world, monkeypatch) -> None:
    """HubSpot adds types; models that list them fail on all properties at once."""
    described = world.sandbox.portal.properties

    def with_news(name: str, **options: Any) -> Any:
        found = described(name, **options)
        return [*found, {**found[0], "name": "where", "type": "hologram", "fieldType": "gesture", "new": 1}]

    monkeypatch.setattr(world.sandbox.portal, "properties", with_news)
    connector = world.connect()
    assert connector.schema("account")["name"].type == "string"
    ids = sorted(held(world))
    assert set(statuses(connector.update("account", changes(ids, foretag_score=[7] * 40))).values()) == {
        "done"
    }


# 16. "Numbers come as strange texts."


def test_numbers_with_all_their_binary_digits_score_alike(installation) -> None:
    """What was written from them is what plain ones ask for."""
    installation.sandbox.faults.add([{"kind": "float_expansions"}])
    report = installation.run()
    assert (report.exit_code, report.set_aside) == (0, 0)
    installation.sandbox.faults.remove()
    installation.forget()
    assert installation.plan().records == 0
