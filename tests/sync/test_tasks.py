"""Tasks: one for each record, rule and period, and never more than a rep can bear."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from config.records import schema
from config.sections.writing import TaskLimits
from scoring.saying.tasks import TASK_SCHEMA as WANTED
from sync.ledger.known_tasks import KNOWN_SCHEMA
from sync.writing.tasks import due_tasks, task_key

TODAY = date(2026, 3, 2)


def want(record, score=50, owner="rep", rule="close it", period="2026-03"):
    """A wanted task for a record."""
    return {
        "rule": rule,
        "object": "opportunity",
        "id": record,
        "account_id": f"account of {record}",
        "opportunity_id": record,
        "owner_id": owner,
        "subject": "Call",
        "description": "",
        "due": TODAY,
        "priority": "high",
        "score": score,
        "period": period,
    }


def in_crm(
    key=None, owner="rep", account=None, due=None, *, closed=False, created=TODAY - timedelta(days=20)
):
    """A task as the CRM shows it; without a key it is a person's."""
    return {
        "id": f"task {key} {account}",
        "key": key,
        "owner_id": owner,
        "account_id": account,
        "due": due,
        "is_closed": closed,
        "created_at": datetime(created.year, created.month, created.day, 12, tzinfo=UTC),
    }


def decide(wanted, tasks=(), known=(), active=None, limits=None):
    """Ids of the due tasks, and why the others wait."""
    due, held_back = due_tasks(
        pa.Table.from_pylist(wanted, schema=WANTED),
        pa.Table.from_pylist(list(tasks), schema=schema("task")),
        pa.Table.from_pylist(list(known), schema=KNOWN_SCHEMA),
        active or {"rep": True, "other": True},
        limits or TaskLimits(),
        TODAY,
        "Europe/Stockholm",
    )
    return due["id"].to_pylist(), {item.record_id: item.message for item in held_back}


def known(record, state="done", created_on=TODAY, period="2026-03", rule="close it", owner="rep"):
    """A task key as the ledger keeps it."""
    return {
        "key": task_key(record, rule, period),
        "rule": rule,
        "record_id": record,
        "period": period,
        "owner_id": owner,
        "state": state,
        "created_on": created_on,
    }


def test_the_best_come_first_within_the_daily_limit():
    """Three new tasks a day: the three with the highest scores; the others are listed with the reason."""
    due, held_back = decide([want("a", 10), want("b", 90), want("c", 50), want("d", 70)])
    assert due == ["b", "d", "c"]
    assert held_back == {"a": "the owner already gets 3 new tasks today"}


def test_limits_are_for_each_owner():
    """A busy colleague takes nothing from anybody's allowance."""
    due, _ = decide([want(str(n), owner="rep") for n in range(3)] + [want("x", 1, owner="other")])
    assert due == ["0", "1", "2", "x"]


def test_what_was_made_is_not_made_again_even_without_history():
    """The CRM's own tasks count: a lost ledger does not double anything."""
    assert decide([want("a")], tasks=[in_crm(task_key("a", "close it", "2026-03"), closed=True)]) == ([], {})


def test_what_was_made_is_not_made_again_even_if_the_crm_hides_it():
    """The history counts too: a deleted or refused task does not come back within its period."""
    for state in ("done", "refused"):
        assert decide([want("a")], known=[known("a", state)]) == ([], {})


def test_what_was_intended_and_never_confirmed_is_tried_again():
    """After a crash the key is looked up by the connector, so trying again cannot double it."""
    for state in ("intended", "unknown"):
        assert decide([want("a")], known=[known("a", state)])[0] == ["a"]


def test_tasks_made_today_count_against_today():
    """A second run on the same day does not fill the desk again."""
    made = [in_crm(task_key(str(n), "close it", "2026-03"), created=TODAY) for n in range(3)]
    assert decide([want("new")], tasks=made)[1] == {"new": "the owner already gets 3 new tasks today"}


def test_no_more_than_ten_open():
    """A desk that is full stays as it is; closed ones make room."""
    full = [in_crm(f"key {n}") for n in range(10)]
    assert "10 open tasks" in decide([want("a")], tasks=full)[1]["a"]
    assert decide([want("a")], tasks=[*full[1:], in_crm("key 0", closed=True)])[0] == ["a"]


def test_none_where_the_owner_is_already_at_it():
    """An open activity of a person, due within seven days, keeps ours away."""
    soon = in_crm(account="account of a", due=TODAY + timedelta(days=7))
    assert "open activity" in decide([want("a")], tasks=[soon])[1]["a"]
    for other in (
        in_crm(account="account of a", due=TODAY + timedelta(days=8)),
        in_crm(account="account of a", due=TODAY, closed=True),
        in_crm(account="account of a", due=TODAY, owner="other"),
    ):
        assert decide([want("a")], tasks=[other])[0] == ["a"]


def test_the_same_task_cools_down():
    """A new month is a new period, but not if the last one was made a few days ago."""
    lately = known("a", created_on=TODAY - timedelta(days=29), period="2026-02")
    long_ago = known("a", created_on=TODAY - timedelta(days=30), period="2026-02")
    assert "once in 30 days" in decide([want("a")], known=[lately])[1]["a"]
    assert decide([want("a")], known=[long_ago])[0] == ["a"]


def test_an_owner_who_left_gets_no_task():
    """It is listed instead, so that somebody else gets the record."""
    due, held_back = decide([want("a", owner="gone"), want("b", owner=None)], active={"gone": False})
    assert due == []
    assert all("not active" in reason for reason in held_back.values())
    assert set(held_back) == {"a", "b"}


def test_a_key_depends_on_record_rule_and_period_alone():
    """The same wherever and whenever it is made."""
    assert (
        task_key("a", "r", "p")
        == "foretag-" + __import__("hashlib").blake2b(b"a\nr\np", digest_size=16).hexdigest()
    )
    assert (
        len(
            {
                task_key(*parts)
                for parts in (("a", "r", "p"), ("b", "r", "p"), ("a", "s", "p"), ("a", "r", "q"))
            }
        )
        == 4
    )
