"""Plan files come back as they were written, and say clearly when they cannot."""

from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from config.outputs import written
from config.problems import ConfigProblem
from sync.writing.plan import OBJECTS, TASK_CHANGE_SCHEMA, TASK_SCHEMA, Plan, change_schema
from sync.writing.plan_file import PlanHeader, mismatches, read_plan, write_plan

HEADER = PlanHeader(
    connection="main",
    org_id="00D",
    org_name="Acme",
    production=True,
    rules="abc",
    outputs="basic",
    today="2026-03-01",
    run="r1",
    planned={"account": 1},
    book={"account": 9},
)


@pytest.fixture
def plan():
    """A plan with one account and one task."""
    changes = {name: change_schema(name, written(name, "basic")).empty_table() for name in OBJECTS}
    row = {
        "id": "1",
        "name": "Acme",
        "foretag_tier": "A",
        "clear": ["foretag_alert"],
        "old_foretag_alert": "x",
        "foretag_valid_until": date(2026, 3, 9),
    }
    changes["account"] = pa.Table.from_pylist(
        [row], schema=change_schema("account", written("account", "basic"))
    )
    tasks = pa.Table.from_pylist(
        [{"key": "k", "object": "opportunity", "id": "2", "subject": "Call"}], schema=TASK_SCHEMA
    )
    return Plan(changes, tasks, TASK_CHANGE_SCHEMA.empty_table(), (), {"account": 9}, lambda *_: None)


def test_a_plan_comes_back_as_it_was(tmp_path, plan):
    """Values, old values, what is cleared, tasks and header."""
    write_plan(tmp_path / "p", plan, HEADER)
    header, kept = read_plan(tmp_path / "p")
    assert header == HEADER
    assert kept.tasks == plan.tasks
    assert {name: kept.changes[name].to_pylist() for name in OBJECTS} == {
        name: plan.changes[name].to_pylist() for name in OBJECTS
    }


def test_a_plan_is_private(tmp_path, plan):
    """It holds company names."""
    write_plan(tmp_path / "p", plan, HEADER)
    assert (tmp_path / "p").stat().st_mode & 0o777 == 0o600


def test_a_cut_plan_is_refused(tmp_path, plan):
    """Half a plan is no plan."""
    write_plan(tmp_path / "p", plan, HEADER)
    whole = (tmp_path / "p").read_bytes()
    for length in (0, 3, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(ConfigProblem, match="cut short"):
            read_plan(tmp_path / "cut")


def test_what_is_no_plan_is_refused(tmp_path):
    """A missing file, another Parquet file."""
    with pytest.raises(ConfigProblem, match="cannot be read"):
        read_plan(tmp_path / "none")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other")
    with pytest.raises(ConfigProblem, match="not a plan"):
        read_plan(tmp_path / "other")


def test_a_plan_for_another_place_says_what_differs():
    """Org, connection, rules and outputs must be those it was made for."""
    assert mismatches(HEADER, connection="main", org_id="00D", rules="abc", outputs="basic") == []
    found = mismatches(HEADER, connection="main", org_id="00X", rules="new", outputs="basic")
    assert [str(problem) for problem in found] == [
        "the plan was made with org 00D, here it is 00X; make a new plan",
        "the plan was made with rules digest abc, here it is new; make a new plan",
    ]
