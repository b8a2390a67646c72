"""Reading a portal: everything, changes, links, in as few calls as its rates allow, and nothing twice or never."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from config.records import RECORDS
from config.settings import Rates
from connectors.contract import Checkpoint, ConfigProblem, Truncated
from connectors.cursors import Cursor
from connectors.hubspot import lists
from connectors.hubspot.pulls import Pulls
from connectors.hubspot.schema import Schema
from tests.connectors.hubspot.callers import Played
from tests.contract.conftest import Pulled, World, pull
from tests.crms import people_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import responses

    from connectors.sandbox.server import Sandbox


@pytest.fixture
def make_portal(make_sandbox: Callable[..., Sandbox], tmp_path: Path) -> Callable[..., World]:
    """Make a portal with a book of a name."""
    return lambda data="synthetic:40:200", **options: World(
        people_of(make_sandbox(crm="hubspot", data=data, **options), tmp_path)
    )


@pytest.fixture
def portal(make_portal: Callable[..., World]) -> World:
    """A portal with a small book."""
    return make_portal()


@pytest.fixture
def large(make_portal: Callable[..., World]) -> World:
    """A portal whose lists are worth a split."""
    return make_portal("synthetic:50:2500")


def twins(pulled: Pulled) -> int:
    """How many rows came more than once."""
    return sum(count - 1 for count in Counter(row["id"] for row in pulled.rows).values())


def lists_of_deals(world: World) -> int:
    """Pages of deals that were asked for."""
    return sum(line.startswith("GET /crm/v3/objects/deals?") for line in world.requests())


# Lists.


def test_a_split_list_brings_every_record_once(large: World) -> None:
    """Several readers share the range of ids; the pages that overlap are few."""
    pulled = pull(large.connect(), "opportunity", ["name"])
    assert pulled.ids() == {row["id"] for row in large.people.rows("opportunity")}
    assert (twins(pulled), pulled.checkpoint.read, pulled.checkpoint.expected) == (0, 2500, 2500)
    # More than one list would take: each part ends with a page that is not full.
    assert 25 + 2 < lists_of_deals(large) <= 25 + 2 + lists.READERS


def test_records_made_meanwhile_are_in_the_last_part(large: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list goes on beyond the last id that there was when it began."""
    made: list[str] = []
    listed = large.sandbox.portal.list_records

    def meanwhile(*args: Any, **options: Any) -> Any:
        page = listed(*args, **options)
        if not made:
            # After HubSpot told its last id, and before any part is read.
            made.extend(large.people.create("opportunity", {"name": "New", "stage": "Prospecting"}))
        return page

    monkeypatch.setattr(large.sandbox.portal, "list_records", meanwhile)
    pulled = pull(large.connect(), "opportunity", ["name"])
    assert made[0] in pulled.ids()
    assert (pulled.checkpoint.read, twins(pulled)) == (2501, 0)


@pytest.mark.parametrize("honest", ["nowhere", "at its end"])
def test_a_portal_that_begins_every_list_at_its_beginning_is_read_page_by_page(
    honest: str, large: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then no part could be trusted; everything still comes, once."""
    listed = large.sandbox.portal.list_records

    def unseeded(*args: Any, after: str | None = None, **options: Any) -> Any:
        known = after is None or after in served
        page = listed(*args, after=after if known else None, **options)
        served.add(page.after)
        return page

    served: set[str | None] = {None}
    if honest == "at its end":
        served.add(large.people.rows("opportunity")[-1]["id"])
    # The sandbox honours the seed as its documents say; a portal that does not is played here.
    monkeypatch.setattr(large.sandbox.portal, "list_records", unseeded)
    pulled = pull(large.connect(), "opportunity", ["name"])
    assert (len(pulled.ids()), pulled.checkpoint.read) == (2500, 2500)
    assert lists_of_deals(large) >= 25 + 2


@pytest.mark.parametrize("data", ["synthetic:40:200", "synthetic:40:600"], ids=["one list", "a split one"])
def test_a_list_that_does_not_advance_is_not_read_for_ever(
    data: str, make_portal: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the next page would begin, the last one did."""
    world = make_portal(data)
    listed = world.sandbox.portal.list_records

    def stuck(*args: Any, after: str | None = None, **options: Any) -> Any:
        page = listed(*args, after=after, **options)
        return type(page)(page.results, after or page.after)

    monkeypatch.setattr(world.sandbox.portal, "list_records", stuck)
    with pytest.raises(Truncated, match="do not advance"):
        pull(world.connect(), "opportunity", ["name"])


@pytest.mark.parametrize(
    "odd",
    [
        lambda page: type(page)(page.results, page.after and f"opaque-{page.after}"),
        lambda page: type(page)(page.results[::-1], page.after and page.results[-1]["id"]),
    ],
    ids=["a cursor that is no id", "a cursor behind the last id"],
)
def test_a_list_whose_cursor_is_no_next_id_is_read_page_by_page(
    odd: Callable[[Any], Any], large: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it is one is how HubSpot words it, and no promise."""
    listed = large.sandbox.portal.list_records

    def oddly(*args: Any, after: str | None = None, **options: Any) -> Any:
        return odd(listed(*args, after=after and after.removeprefix("opaque-"), **options))

    monkeypatch.setattr(large.sandbox.portal, "list_records", oddly)
    assert len(pull(large.connect(), "opportunity", ["name"]).ids()) == 2500


def test_more_properties_than_an_address_takes_are_read_by_id(large: World) -> None:
    """Ids by list, the rest in the body of a batch; whatever the length at which the front refuses."""
    large.sandbox.faults.add([{"kind": "long_address", "characters": 200}])
    columns = [column.name for column in RECORDS["opportunity"] if column.need != "mapped"]
    pulled = pull(large.connect(), "opportunity", columns)
    assert (len(pulled.ids()), twins(pulled)) == (2500, 0)
    assert all(row["name"] for row in pulled.rows)


def test_an_address_is_never_so_long_that_a_front_may_refuse_it(mock: responses.RequestsMock) -> None:
    """A portal with many stages has a property for each; their names go into the body of a second call."""
    names = [f"hs_v2_date_entered_{number}" for number in range(400)]
    portal = Played({
        "GET objects/deals": lambda _: (200, {"results": [{"id": "1"}]}),
        "POST deals/batch/read": lambda _: (200, {"results": [{"id": "1", "properties": {}}]}),
    })  # fmt: skip
    portal.register(mock)
    records, _ = lists.Lists(portal.api(), "deals", names).page(None)
    assert [record["id"] for record in records] == ["1"]
    assert max(len(call.request.url) for call in mock.calls) < 8000


def test_a_reader_that_is_done_takes_half_of_what_is_left() -> None:
    """Ids are not spread evenly: one part may hold most of the records."""
    split = lists._Split(None, 6000, 1, 6000)  # type: ignore[arg-type]  # nothing is read
    parts = [split._take() for _ in range(lists.READERS)]
    slowest = parts[0]
    for part in parts[1:]:
        split._reading.remove(part)
    end, half = slowest.end, split._take()
    assert (half.end, half.position) == (end, slowest.end)
    assert abs(half.width(6000) - slowest.width(6000)) <= 1


def test_fewer_records_than_hubspot_counts_are_told(portal: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that leaves records out is read once more, and then not taken for the whole."""
    listed = portal.sandbox.portal.list_records

    def short(*args: Any, **options: Any) -> Any:
        page = listed(*args, **options)
        return type(page)(page.results[:-1], page.after)

    monkeypatch.setattr(portal.sandbox.portal, "list_records", short)
    with pytest.raises(Truncated, match="198 of 200"):
        pull(portal.connect(), "opportunity", ["name"])
    assert lists_of_deals(portal) == 2 * 2


def test_a_record_deleted_while_a_list_is_read_is_not_waited_for(
    portal: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HubSpot counts again, and one list was enough."""
    gone = [portal.people.rows("opportunity")[-1]["id"]]
    listed = portal.sandbox.portal.list_records

    def meanwhile(*args: Any, **options: Any) -> Any:
        page = listed(*args, **options)
        while gone:
            portal.people.delete("opportunity", gone.pop())
        return page

    monkeypatch.setattr(portal.sandbox.portal, "list_records", meanwhile)
    pulled = pull(portal.connect(), "opportunity", ["name"])
    assert (len(pulled.ids()), pulled.checkpoint.read, pulled.checkpoint.expected) == (199, 199, 199)
    assert lists_of_deals(portal) == 2


# Rates.


def test_a_full_pull_stays_within_the_rates_and_keeps_them_busy(make_portal: Callable[..., World]) -> None:
    """No call is refused, and the time on the portal's clock is what its limits make it, and a little."""
    # A clock that only our own waits move.
    world = make_portal("synthetic:50:25000", clock=lambda: datetime(2026, 11, 22, tzinfo=UTC))
    started = world.sandbox.clock()
    pull(world.connect(), "opportunity", ["name", "account_id"])
    took = (world.sandbox.clock() - started).total_seconds()
    assert 429 not in {entry.status for entry in world.sandbox.journal.requests()}
    assert lists_of_deals(world) <= 250 * 1.08
    # Two windows of 190 calls: the second begins when the first is over.
    assert 10 <= took <= 10.1


def test_a_rate_of_our_own_is_kept_below_hubspots(portal: World) -> None:
    """What the settings allow is a ceiling, whatever the portal's headers offer."""
    connection = portal.people.connection().model_copy(update={"rates": Rates(general=2)})
    connector = portal.connect(connection=connection)
    started = portal.sandbox.clock()
    for _ in range(5):
        connector.server_time()
    assert (portal.sandbox.clock() - started).total_seconds() >= 20


# Searches.


def test_more_records_than_a_search_shows_with_one_stamp_all_come(make_portal: Callable[..., World]) -> None:
    """A bulk edit stamps everything alike; windows are cut by id, and HubSpot is never asked beyond 10,000."""
    world = make_portal("synthetic:20:10300")
    connector = world.connect()
    cursor = pull(connector, "opportunity", ["name"]).checkpoint.cursor
    world.advance(7200)
    ids = [row["id"] for row in world.people.rows("opportunity")]
    world.sandbox.portal.touch("deals", ids, world.sandbox.clock())
    world.advance(10)
    pulled = pull(connector, "opportunity", ["name"], cursor)
    assert (len(pulled.ids()), twins(pulled), pulled.checkpoint.expected) == (10_300, 0, 10_300)
    assert 400 not in {entry.status for entry in world.sandbox.journal.requests()}


def test_a_record_deleted_while_changes_are_read_hides_no_other(
    make_portal: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows moves up by one place: whoever counts places passes one record over."""
    world = make_portal("synthetic:20:450")
    connector = world.connect()
    cursor = pull(connector, "opportunity", ["name"]).checkpoint.cursor
    world.advance(7200)
    ids = {row["id"] for row in world.people.rows("opportunity")}
    world.sandbox.portal.touch("deals", sorted(ids), world.sandbox.clock())
    search = world.sandbox.portal.search
    gone: list[str] = []

    def deleting(name: str, body: Any) -> Any:
        found = search(name, body)
        if name == "deals" and not gone:
            gone.append(found.results[0]["id"])
            world.people.delete("opportunity", gone[0])
        return found

    monkeypatch.setattr(world.sandbox.portal, "search", deleting)
    pulled = pull(connector, "opportunity", ["name"], cursor)
    assert ids - set(gone) <= pulled.ids()
    assert len(gone) == 1


def test_merges_that_a_search_keeps_back_are_asked_for_until_they_come(
    portal: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loser that nobody told of would live on in the mirror."""
    connector = portal.connect()
    cursor = pull(connector, "account", ["name"]).checkpoint.cursor
    first, second, *_ = (row["id"] for row in portal.people.rows("account"))
    portal.advance(60)
    survivor = portal.people.merge("account", second, first)
    search = portal.sandbox.portal.search
    short: list[str] = []

    def behind(name: str, body: Any) -> Any:
        found = search(name, body)
        if short:
            return found
        short.append(name)
        return type(found)(found.total, [], None)

    monkeypatch.setattr(portal.sandbox.portal, "search", behind)
    assert set(connector.deleted("account", cursor).merged.values()) == {survivor}


def test_a_change_that_the_index_shows_late_is_in_a_later_increment(portal: World) -> None:
    """The next window begins an hour before the cursor."""
    cursor = pull(portal.connect(), "account", ["name"]).checkpoint.cursor
    portal.advance(3600 * 3)
    portal.sandbox.faults.add([{"kind": "late_commit", "seconds": 900.0, "object": "companies"}])
    (first, *_) = portal.people.rows("account", "name")
    portal.people.edit("account", {"id": first["id"], "name": "Renamed"})
    portal.advance(600)
    # Each run has a connector of its own, which asks for the time first.
    early = pull(portal.connect(), "account", ["name"], cursor)
    portal.advance(1000)
    later = pull(portal.connect(), "account", ["name"], early.checkpoint.cursor)
    assert first["id"] not in early.ids()
    assert [row["name"] for row in later.rows if row["id"] == first["id"]] == ["Renamed"]


def test_of_old_tasks_only_open_ones_and_our_own_are_read(portal: World) -> None:
    """A portal has millions that are done; ours tell what was tried before."""
    portal.set_up()
    person, hubspot = portal.sandbox.portal.person, portal.sandbox.portal

    def made(status: str, **key: str) -> str:
        properties = {"hs_timestamp": "2026-01-31T12:00:00Z", "hs_task_status": status, **key}
        task_id: str = hubspot.create_one(person, "tasks", {"properties": properties})["id"]
        return task_id

    wanted = {made("NOT_STARTED"), made("COMPLETED", foretag_key="k1"), made("WAITING", foretag_key="k2")}
    done = made("COMPLETED")
    ids = pull(portal.connect(), "task", ["key", "is_closed"]).ids()
    assert wanted <= ids
    assert done not in ids


# Links.


def test_a_deal_belongs_to_its_primary_company_else_to_the_first(portal: World) -> None:
    """Type 5 decides; without it the lowest id, the same in every run; a deal without companies has none."""
    deals = portal.people.rows("opportunity", "account_id")
    linked = [row for row in deals if row["account_id"]][:2]
    companies = sorted((row["id"] for row in portal.people.rows("account")), key=int)
    person, hubspot = portal.sandbox.portal.person, portal.sandbox.portal

    def types(*numbers: int) -> list[dict[str, Any]]:
        return [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": one} for one in numbers]

    for row in linked:
        own = {"id": row["id"]}
        hubspot.disassociate(person, "deals", "companies", [{"from": own, "to": [{"id": row["account_id"]}]}])
    primary, plain = ({"id": row["id"]} for row in linked)
    hubspot.associate(person, "deals", "companies", [
        {"from": primary, "to": {"id": companies[0]}, "types": types(341)},
        {"from": primary, "to": {"id": companies[-1]}, "types": types(5, 341)},
        {"from": plain, "to": {"id": companies[-1]}, "types": types(341)},
        {"from": plain, "to": {"id": companies[3]}, "types": types(341)},
    ])  # fmt: skip
    # HubSpot makes the first company the primary one; somebody took that away.
    hubspot.remove_labels(
        person, "deals", "companies", [{"from": plain, "to": {"id": companies[-1]}, "types": types(5)}]
    )
    rows = {
        row["id"]: row["account_id"] for row in pull(portal.connect(), "opportunity", ["account_id"]).rows
    }
    assert (rows[primary["id"]], rows[plain["id"]]) == (companies[-1], companies[3])
    assert rows == {row["id"]: row["account_id"] for row in portal.people.rows("opportunity", "account_id")}


def test_deals_that_got_another_company_are_found_without_a_stamp(portal: World) -> None:
    """Only those come, with the company they have now, or none."""
    connector = portal.connect()
    held = pa.Table.from_pylist(pull(connector, "opportunity", ["account_id"]).rows)
    first, second, *_ = (row for row in held.to_pylist() if row["account_id"])
    other = next(row["id"] for row in portal.people.rows("account") if row["id"] != first["account_id"])
    portal.people.edit("opportunity", {"id": first["id"], "account_id": other})
    portal.people.edit("opportunity", {"id": second["id"], "account_id": None})
    moved = connector.relinked("opportunity", held.select(["id", "account_id"]))
    assert {row["id"]: row["account_id"] for row in moved.to_pylist()} == {
        first["id"]: other,
        second["id"]: None,
    }
    assert connector.relinked("opportunity", moved).num_rows == 0
    # Who keeps the company in a property has a stamp for its changes.
    mapped = portal.connect(mapping={"opportunity": {"account_id": "dealname"}})
    assert mapped.relinked("opportunity", held).num_rows == 0


# What is gone.


def test_a_merge_leaves_a_winner_and_losers_even_in_a_row(portal: World) -> None:
    """What became of all of them answers for each."""
    connector = portal.connect()
    cursor = pull(connector, "account", ["name"]).checkpoint.cursor
    first, second, third, *_ = (row["id"] for row in portal.people.rows("account"))
    portal.advance(60)
    united = portal.people.merge("account", second, first)
    survivor = portal.people.merge("account", third, united)
    deleted = connector.deleted("account", cursor)
    living = {row["id"] for row in portal.people.rows("account")}
    assert set(deleted.ids) == {first, second, third, united}
    assert deleted.merged == dict.fromkeys(deleted.ids, survivor)
    assert survivor in living
    assert not living & set(deleted.ids)


def test_a_winner_that_the_index_still_shows_may_have_lost_since(mock: responses.RequestsMock) -> None:
    """Whoever is left answers for all; and one that lists itself among the lost is not gone.

    What was archived at a moment that nobody can read may have been archived since.
    """
    binned = [{"id": "8", "archivedAt": "2026-11-01T00:00:00Z"}, {"id": "9", "archivedAt": "lately"}]
    told = [
        {"id": "1", "properties": {"hs_merged_object_ids": "2"}},
        {"id": "3", "properties": {"hs_merged_object_ids": "1;3"}},
    ]
    portal = Played({
        "GET properties/companies": lambda _: (200, {"results": [{"name": "hs_merged_object_ids"}]}),
        "GET objects/companies": lambda _: (200, {"results": binned}),
        "POST companies/search": lambda _: (200, {"total": 2, "results": told}),
        "GET details": lambda _: (200, {}),
    })  # fmt: skip
    portal.register(mock)
    api = portal.api()
    api.transport.server_date = datetime(2026, 11, 22, tzinfo=UTC)
    cursor = str(Cursor.after(api.transport.server_date, ["name"]))
    deleted = Pulls(api, Schema(api, {}), 500_000).deleted("account", cursor)
    assert (set(deleted.ids), deleted.merged) == ({"1", "2", "9"}, {"1": "3", "2": "3"})


def test_what_went_shortly_before_the_cursor_is_told_again(portal: World) -> None:
    """Search may be late with a merge, and the recycle bin with a record: both look an hour back."""
    gone, first, second, *_ = (row["id"] for row in portal.people.rows("account"))
    portal.advance(3600 * 3)
    portal.people.delete("account", gone)
    portal.people.merge("account", second, first)
    portal.advance(600)
    connector = portal.connect()
    cursor = pull(connector, "account", ["name"]).checkpoint.cursor
    assert {gone, first} <= set(connector.deleted("account", cursor).ids)
    portal.advance(3600)
    later = pull(portal.connect(), "account", ["name"], cursor).checkpoint.cursor
    assert connector.deleted("account", later).ids == ()


# Others.


def test_owners_that_left_are_read_as_inactive_ones(portal: World) -> None:
    """Records keep pointing to them."""
    owners = pull(portal.connect(), "owner", ["name", "active"]).rows
    portal.sandbox.portal.archive_owner(owners[0]["id"])
    again = {row["id"]: row["active"] for row in pull(portal.connect(), "owner", ["name", "active"]).rows}
    assert set(again) == {row["id"] for row in owners}
    assert again[owners[0]["id"]] is False


def test_an_object_that_the_token_may_not_see_has_no_rows_if_it_is_optional(portal: World) -> None:
    """Quotas need a scope that few give; without it there are none, and nothing is wrong."""
    portal.sandbox.faults.add([{"kind": "missing_scopes", "scopes": ["crm.objects.goals.read"]}])
    connector = portal.connect()
    pulled = pull(connector, "quota", ["amount"])
    assert pulled.rows == []
    assert connector.deleted("quota", pulled.checkpoint.cursor).ids == ()


def test_records_older_than_the_scope_come_once_it_is_granted(portal: World) -> None:
    """The cursor of an object that could not be seen has passed nothing, and knows of nothing deleted."""
    person = portal.sandbox.portal.person
    kept, gone = (portal.sandbox.portal.create_one(person, "goal_targets", {"properties": {
        "hs_goal_name": name, "hs_target_amount": "1000"}})["id"] for name in ("kept", "gone"))  # fmt: skip
    held = pull(portal.connect(), "quota", ["amount"])
    scope = {"kind": "missing_scopes", "scopes": ["crm.objects.goals.read"]}
    (number,) = portal.sandbox.faults.add([scope])
    blind = pull(portal.connect(), "quota", ["amount"], held.checkpoint.cursor)
    portal.sandbox.portal.archive(person, "goal_targets", [gone])
    portal.advance(3 * 3600)
    blind = pull(portal.connect(), "quota", ["amount"], blind.checkpoint.cursor)
    assert (blind.rows, blind.checkpoint.read) == ([], 0)
    portal.sandbox.faults.remove(number)
    portal.advance(3 * 3600)
    seen = pull(portal.connect(), "quota", ["amount"], blind.checkpoint.cursor)
    assert (held.ids() - seen.ids(), kept in seen.ids()) == ({gone}, True)
    assert not portal.connect().deleted("quota", blind.checkpoint.cursor).complete
    assert portal.connect().deleted("quota", seen.checkpoint.cursor).complete


def test_an_object_that_the_token_may_not_see_stops_the_run_if_it_is_needed(portal: World) -> None:
    """And the message names the scope."""
    portal.sandbox.faults.add([{"kind": "missing_scopes", "scopes": ["crm.objects.deals.read"]}])
    with pytest.raises(ConfigProblem, match=r"crm\.objects\.deals\.read"):
        pull(portal.connect(), "opportunity", ["name"])


def test_sums_of_a_portal_with_several_currencies_are_in_its_own(portal: World) -> None:
    """What HubSpot converts is what counts; the rest has no sum."""
    portal.sandbox.portal.use_currencies("USD", {"EUR": 2.0})
    person = portal.sandbox.portal.person
    first = portal.people.rows("opportunity")[0]["id"]
    changed = {"deal_currency_code": "EUR", "amount": "100"}
    portal.sandbox.portal.update(person, "deals", [{"id": first, "properties": changed}])
    rows = {row["id"]: row for row in pull(portal.connect(), "opportunity", ["amount", "currency"]).rows}
    assert float(rows[first]["amount"]) == 200.0
    assert {row["currency"] for row in rows.values()} == {"USD"}


def test_the_dated_paths_bring_the_same(make_portal: Callable[..., World]) -> None:
    """One setting moves every call; associations too."""
    world = make_portal()
    dated = world.people.connection().model_copy(update={"api_version": "2026-03"})
    columns = ["name", "account_id", "stage"]
    before = world.sandbox.journal.position
    moved = pull(world.connect(connection=dated), "opportunity", columns).rows
    assert not [line for line in world.requests(before) if "/v3/" in line or "/v4/" in line]
    assert sorted(moved, key=str) == sorted(pull(world.connect(), "opportunity", columns).rows, key=str)


def test_the_daily_allowance_is_that_of_the_headers(portal: World) -> None:
    """Of the whole portal, as of the last reply that told; and our own calls."""
    connector = portal.connect()
    connector.server_time()
    budget = connector.budget()
    assert (budget.limit, budget.calls) == (625_000, 1)
    assert budget.used == 1


def test_the_portal_is_known_by_its_id_zone_and_currency(make_portal: Callable[..., World]) -> None:
    """Only a standard account is production."""
    org = make_portal(timezone="Europe/Berlin").connect().org()
    assert (org.production, org.bundled_sandbox, org.timezone) == (False, True, "Europe/Berlin")
    assert org.name == f"HubSpot {org.id}"
    assert make_portal(production=True).connect().org().production


def test_a_day_is_a_day_in_the_portals_zone(make_portal: Callable[..., World]) -> None:
    """A close date late in the evening, UTC, is tomorrow in Berlin."""
    world = make_portal(timezone="Europe/Berlin")
    first = world.people.rows("opportunity")[0]["id"]
    late = {"id": first, "properties": {"closedate": "2026-03-31T22:30:00Z"}}
    world.sandbox.portal.update(world.sandbox.portal.person, "deals", [late])
    rows = {row["id"]: row for row in pull(world.connect(), "opportunity", ["close_date"]).rows}
    assert str(rows[first]["close_date"]) == "2026-04-01"


def test_cursors_come_from_hubspots_clock(make_portal: Callable[..., World]) -> None:
    """Ours may be years wrong; and what is changed while a pull reads is in the next one."""
    portal = make_portal(clock=lambda: datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC))
    messages = portal.connect().pull("account", ["name"], None)
    next(messages)
    portal.advance(3600)
    *_, checkpoint = messages
    assert isinstance(checkpoint, Checkpoint)
    assert '"2031-05-06T07:08:07.000Z"' in checkpoint.cursor
