"""Bad input, as users meet it: what, where and what to do; the right exit code; nothing lost, nothing leaked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.conftest import BOTH, BOTH_IN_TIME
from tests.crms import POISONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.acceptance.conftest import Done, Shell

# How the sandbox's access tokens look.
TOKEN = "!AQ4AQ"  # a part of all of them


@pytest.fixture
def ready(shell) -> Shell:
    """A user whose CRM is set up."""
    assert shell.foretag("setup", "--yes").code == 0
    return shell


@pytest.fixture
def large(crm, tmp_path, make_sandbox) -> Shell:
    """A user with a book that is read and written in bulk, set up."""
    from tests.acceptance.conftest import Shell

    shell = Shell(tmp_path, make_sandbox(crm=crm, data="synthetic:2500:6000"))
    assert shell.foretag("setup", "--yes").code == 0
    return shell


def assert_clean(done: Done, shell: Shell, *content: str) -> None:
    """No traceback, no secret and none of this content, in what was said and in the history."""
    history = b"".join(path.read_bytes() for path in shell.folder.glob(".foretag/history.sqlite*"))
    for text in (done.out, done.err, history.decode("latin-1")):
        assert "Traceback" not in text
        for secret in (shell.environment[shell.secret], TOKEN, *content):
            assert secret not in text


def assert_heals(shell: Shell) -> None:
    """Without the fault the next run does all that is left, and the one after it has nothing to do."""
    shell.sandbox.faults.remove()
    done = shell.foretag("run", "--json")
    assert done.code == 0, done.err
    position = shell.sandbox.journal.position
    assert sum(shell.foretag("run", "--json").json["done"].values()) == 0
    assert shell.sandbox.journal.writes(position) == []


# Files and settings.


@pytest.mark.parametrize(
    ("edit", "environment", "code", "words"),
    [
        (("    url: {url}\n", ""), {}, 2,
         "foretag.yaml:2:3: connections.main: 'url' is missing; the org's My Domain, https://YOURS.my.salesforce.com"),
        (("outputs: full", "outputs: everything"), {}, 2,
         "foretag.yaml:9:5: connections.main.outputs: must be 'basic' or 'full'"),
        (("{url}", "https://127.0.0.1:9"), {}, 69,
         "main: https://127.0.0.1:9 cannot be reached; check `url`, the network and the proxy settings"),
        (("    ca_file: {ca_file}\n", ""), {}, 2,
         "main: the certificate of {url} is not trusted; set `ca_file` to your company's certificate authority"),
        (("{ca_file}", "gone.pem"), {}, 2, "gone.pem cannot be used: No such file or directory; correct `ca_file`"),
        (("{ca_file}", "rules.yaml"), {}, 2, "rules.yaml cannot be used: is not a PEM certificate; correct `ca_file`"),
        (("", ""), {"FORETAG_CLIENT_ID": "not-ours"}, 2, "check `client_id`: it is the consumer key"),
        (("", ""), {"FORETAG_CLIENT_SECRET": "not-ours"}, 2, "check `client_id` and `client_secret`"),
        (("{{env: FORETAG_CLIENT_SECRET}}", "{{file: gone}}"), {}, 2,
         "main.auth.client_secret: secret file gone cannot be read: No such file or directory; set it"),
        (("    auth:", "\tauth:"), {}, 2, "foretag.yaml:6:1: is not valid YAML"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_told_in_one_line(shell, edit, environment, code, words):
    """The file and line, or the connection; what to do; the same for machines."""
    told: Callable[[str], str] = lambda text: text.format(  # noqa: E731  # fills in this sandbox's addresses
        url=shell.sandbox.url, ca_file=shell.sandbox.ca_file
    )
    if edit != ("", ""):
        shell.replace("foretag.yaml", told(edit[0]), told(edit[1]))
    done = shell.foretag("run", "--json", **environment)
    assert (done.code, done.json["exit_code"]) == (code, code)
    assert told(words) in done.err
    assert told(words) in done.json["message"]
    assert len(done.err.splitlines()) == 1
    assert "not-ours" not in done.out + done.err
    assert_clean(done, shell)


@pytest.mark.parametrize(
    ("crm", "environment", "code", "words"),
    [
        ("hubspot", {"FORETAG_TOKEN": "not-ours"}, 2, "main: the access token is not accepted"),
        ("hubspot", {"FORETAG_TOKEN": ""}, 2, "environment variable FORETAG_TOKEN is not set"),
    ],
)
def test_a_key_that_does_not_open_is_told_in_one_line(shell, environment, code, words):
    """For a CRM without a sign-in of its own: the connection, and what is wrong with its key."""
    done = shell.foretag("run", "--json", **environment)
    assert (done.code, done.json["exit_code"]) == (code, code)
    assert words in done.err
    assert len(done.err.splitlines()) == 1
    assert "not-ours" not in done.out + done.err


@BOTH
def test_a_wrong_rules_file_is_told_with_its_line(shell):
    """YAML that is none, and fields that nobody has: each with the file it stands in."""
    shell.write("rules.yaml", "priority: [\n")
    done = shell.foretag("run")
    assert done.code == 2
    assert "rules.yaml:2:1: is not valid YAML" in done.err
    shell.write("rules.yaml", "fields: {opportunity: {margin: Marge__c}}\n")
    done = shell.foretag("check")
    assert done.code == 2
    assert (
        f"{shell.people.object_name('opportunity')}.Marge__c: the {shell.people.field_word} is missing"
        in done.err
    )
    assert "correct `fields: {opportunity: {margin: …}}` in the rules file" in done.err
    assert_clean(done, shell)


# Permissions.


MISSING = [
    ({"kind": "fls_off", "object": "Opportunity", "field": "Amount"},
     "Opportunity.Amount: the field is missing, or the worker's user may not read it; let worker@"),
    ({"kind": "fls_off", "object": "Account", "field": "Foretag_Reason__c"},
     "Account.Foretag_Reason__c: the field is missing, or the worker's user may not see it; run `foretag setup`"),
    ({"kind": "read_only", "object": "Account", "field": "Foretag_Tier__c"},
     "Account.Foretag_Tier__c: the worker's user may not edit the field; assign the permission set"),
]  # fmt: skip


def test_a_missing_permission_stops_a_run_before_it_writes(ready):
    """Object and field, and whose right is missing; once it is given, the run goes through."""
    position = ready.sandbox.journal.position
    for fault, words in MISSING:
        ready.sandbox.faults.remove()
        ready.sandbox.faults.add([fault])
        done = ready.foretag("run", "--json")
        assert (done.code, words in done.err) == (2, True), done.err
        assert ready.sandbox.journal.writes(position) == []
        assert_clean(done, ready)
    assert_heals(ready)


def test_taking_the_permission_set_away_stops_the_worker(ready):
    """Every field at once, and which permission set to assign to whom."""
    org = ready.sandbox.org
    soql = "SELECT Id FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Foretag_Worker'"
    (assignment,) = org.query(soql, org.admin).records(0, 1, "62.0")
    org.delete(org.admin, "PermissionSetAssignment", [assignment["Id"]])
    done = ready.foretag("run")
    assert done.code == 2
    assert f"assign the permission set Foretag Worker to {org.worker.username}" in done.err
    assert "Account.Foretag_Tier__c" in done.err
    assert_clean(done, ready)


# The CRM is away, or will not go on.


AWAY = {
    "salesforce": [
        ({"kind": "html_200"}, 69, "something answers in Salesforce's place"),
        ({"kind": "status", "status": 503}, 69, "Salesforce is not available: 503"),
        ({"kind": "query_timeout"}, 69, "the query took too long"),
        ({"kind": "request_limit"}, 75, "the org's daily API allowance is used up"),
    ],
    "hubspot": [
        ({"kind": "wrong_region"}, 2, "region"),
        ({"kind": "html_200"}, 69, "something answers in HubSpot's place"),
        ({"kind": "rate_limit", "policy": "daily"}, 75, "daily API allowance is used up"),
    ],
}


@BOTH
def test_a_crm_that_is_away_is_named_and_nothing_is_written(ready, crm):
    """After all attempts: who is away and what happens next; a scheduler sees it in the code."""
    for fault, code, words in AWAY[crm]:
        ready.sandbox.faults.remove()
        ready.sandbox.faults.add([fault | {"times": None}])
        done = ready.foretag("run", "--json")
        assert (done.code, done.json["exit_code"]) == (code, code)
        assert words in done.err
        assert "; " in done.err
        assert_clean(done, ready)
    assert_heals(ready)


@pytest.mark.long
def test_faults_on_the_way_are_overcome_in_the_same_run(large):
    """A session that expires, replies and downloads cut short in every framing, a slow query: all is written once."""
    large.sandbox.faults.add(
        [
            {"kind": "truncate", "match": "/results", "bytes": 4000, "framing": "length"},
            {"kind": "truncate", "match": "/results", "bytes": 5000, "framing": "chunked", "after": 1},
            {"kind": "truncate", "match": "/results", "bytes": 6000, "framing": "close", "after": 2},
            {"kind": "truncate", "match": r"/query\?", "bytes": 20, "framing": "close", "after": 3},
            {"kind": "query_timeout", "match": "COUNT", "after": 1},
            {"kind": "expire_session", "after": 20},
            {"kind": "status", "status": 503, "after": 25},
        ]
    )
    done = large.foretag("run", "--json")
    assert done.code == 0, done.err
    assert (done.json["pulled"]["account"], done.json["pulled"]["opportunity"]) == (2500, 6000)
    assert done.json["done"]["account"] == 2500
    assert_clean(done, large)
    assert_heals(large)


@pytest.mark.long
def test_what_a_bulk_job_leaves_behind_is_listed_and_done_by_the_next_run(large):
    """Ended in its middle by an admin, and again at the second try: the rest is on the list, by id, and then done."""
    # The first job of accounts reads them.
    large.sandbox.faults.add([{"kind": "job_aborted", "object": "Account", "after": 1, "times": 2}])
    done = large.foretag("run", "--json")
    assert done.code == 3, done.err
    left = done.json["unknown"]["account"]
    assert 0 < left < 2500
    assert done.json["done"]["account"] == 2500 - left
    assert f"{left} not processed: see `foretag runs {done.json['run']}`" in done.json["last_line"]
    items = large.foretag("runs", done.json["run"], "--json").json["items"]
    assert len({item["record_id"] for item in items if item["status"] == "unknown"}) == left
    assert_clean(done, large)
    assert_heals(large)
    assert all(tiers(large).values())


def tiers(shell: Shell) -> dict[str, Any]:
    """The tier of each account, by id; people are let in as readers first."""
    shell.people.let_in()
    return {row["id"]: row["foretag_tier"] for row in shell.people.rows("account", "foretag_tier")}


# Records that cannot be read.

ILL = {
    "nan": ("annual_revenue", "annual_revenue is not an amount of money"),
    "huge_text": ("name", "name is not UTF-8 text of a possible length"),
    "ancient_date": ("created_at", "created_at is not a time between 1700 and 4000"),
    "lone_surrogate": ("name", "name is not UTF-8 text of a possible length"),
    "bad_utf8": ("industry", "industry is not UTF-8 text of a possible length"),
    "html": ("employees", "employees is not a finite number"),
}


def poison(shell: Shell, what: str, column: str | None = None, **which: object) -> str:
    """Make cells of accounts unreadable wherever they appear; returns what is to be said of them."""
    usual, reason = ILL[what]
    name = shell.people.object_name("account")
    field = shell.people.field_name("account", column or usual)
    # Longer than any text that a CRM holds; more would only take longer to send.
    size = {"size": 200_000} if what == "huge_text" else {}
    fault = {"kind": "poison", "object": name, "what": what, "field": field, **size, **which}
    shell.sandbox.faults.add([fault])
    return reason


@pytest.mark.long
@pytest.mark.parametrize(
    ("crm", "book"), [("salesforce", "ready"), ("salesforce", "large"), ("hubspot", "ready")]
)
def test_poisoned_records_are_set_aside_and_read_once_they_are_well(crm, book, request):
    """Listed by id and field and never by content; all others are done; days later they are done, too."""
    shell: Shell = request.getfixturevalue(book)
    rows = shell.people.rows("account", "name")
    known = [what for what in ILL if what in POISONS[crm]]
    ill = dict(zip(known, rows, strict=False))
    expected = {row["id"]: poison(shell, what, id=row["id"]) for what, row in ill.items()}
    names = [row["name"] for row in ill.values()]

    done = shell.foretag("run", "--json")
    assert done.code == 3, done.err
    assert done.json["set_aside"] == len(ill)
    assert done.json["done"]["account"] == len(rows) - len(ill)
    assert f"{len(ill)} unreadable: see `foretag runs {done.json['run']}`" in done.json["last_line"]
    listed = shell.foretag("runs", done.json["run"])
    for record_id, reason in expected.items():
        assert any(record_id in line and reason in line for line in listed.out.splitlines())
    items = shell.foretag("runs", done.json["run"], "--json")
    aside = [item for item in items.json["items"] if item["status"] == "set_aside"]
    assert {item["record_id"]: item["message"] for item in aside} == expected
    for said in (done, listed, items):
        assert_clean(said, shell, *names, "xxxxxxxx", "maintenance")

    # The cursor has passed them long ago, and nobody has touched them since.
    shell.sandbox.clock.advance(timedelta(days=2))
    assert shell.foretag("run", "--json").code == 3
    shell.sandbox.clock.advance(timedelta(days=2))
    assert_heals(shell)
    assert all(tiers(shell).values())


@pytest.mark.long
def test_a_record_without_an_id_is_counted_and_read_once_it_has_one(ready):
    """Nobody can ask for it by id, so the cursor does not pass it."""
    name, first = ready.people.object_name("account"), ready.people.rows("account")[0]
    ready.sandbox.faults.add([{"kind": "poison", "object": name, "what": "missing_id", "id": first["id"]}])
    done = ready.foretag("run", "--json")
    assert (done.code, done.json["set_aside"], done.json["done"]["account"]) == (3, 1, 39)
    assert "(no id)" in ready.foretag("runs", done.json["run"]).out
    ready.sandbox.clock.advance(timedelta(days=2))
    assert_heals(ready)
    assert all(tiers(ready).values())


@pytest.mark.parametrize(
    ("crm", "days"),
    [
        pytest.param("salesforce", 1, marks=pytest.mark.long),
        pytest.param("salesforce", 30, marks=pytest.mark.long),
        pytest.param("hubspot", 1, marks=pytest.mark.long),
    ],
    ids=["next day", "after the CRM forgot what was deleted", "next day, HubSpot"],
)
def test_a_record_that_was_readable_before_keeps_its_place(ready, days):
    """It is neither forgotten nor taken for deleted: its tags stay as they are, in the CRM and for us."""
    assert ready.foretag("run").code == 0
    before = tiers(ready)
    first = min(before)
    ready.sandbox.clock.advance(timedelta(days=days))
    # Edited by a person, and unreadable since.
    ready.people.edit("account", {"id": first, "country": "Norway"})
    poison(ready, "huge_text", id=first)
    poison(ready, "ancient_date", "modified_at", id=first)
    done = ready.foretag("run", "--json")
    assert (done.code, done.json["set_aside"], done.json["gone"]["account"]) == (3, 1, 0), done.err
    assert done.json["book"]["account"] == 40
    assert ready.foretag("explain", first).code == 0
    assert tiers(ready)[first] == before[first]
    assert_heals(ready)


@pytest.mark.long
@BOTH_IN_TIME
def test_too_many_unreadable_records_stop_a_run_before_it_writes(ready):
    """Half a book is no basis for scores: exit 4, and the setting that says how much is too much."""
    poison(ready, "huge_text", rows=list(range(21)))
    position = ready.sandbox.journal.position
    done = ready.foretag("run", "--json")
    assert (done.code, done.json["exit_code"]) == (4, 4)
    assert "cannot be read, more than the 5 % that `limits.max_unreadable` allows" in done.err
    assert ready.sandbox.journal.writes(position) == []
    assert ready.foretag("runs", "--json").json[0]["exit_code"] == 4
    ready.replace("foretag.yaml", "max_changes: 100000", "max_changes: 100000, max_unreadable: 60")
    allowed = ready.foretag("run", "--json")
    assert (allowed.code, allowed.json["set_aside"]) == (3, 21)
    assert_heals(ready)
