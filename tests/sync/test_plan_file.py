"""Plan files come back as they were written, in every form, and say clearly when they cannot."""

from dataclasses import asdict, replace
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from config.outputs import OBJECTS, written
from config.problems import ConfigProblem
from sync.writing.plan import KEPT, TASK_CHANGE_SCHEMA, TASK_SCHEMA, Plan, change_schema
from sync.writing.plan_file import PlanHeader, check_target, mismatches, read_plan, write_plan

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
    summary=("Foretag plan of 2026-03-01 for Acme (PRODUCTION), connection main", "Chosen: all records."),
)
FORMS = pytest.mark.parametrize("name", ["p", "p.csv", "p.xlsx"])

# What spreadsheets take for something else, or lose.
HOSTILE = (
    "=1+1", "+49 30", "-5", "@acme", "'quoted", "", " ", 'say "hi", now', "a;b,c", "back\\slash", "two\nlines\r\n",
    "tab\there", "bell\x07", "\\u0041", "#N/A", "N/A", "NULL", "TRUE", "1e400", "2026-03-01", "007", "Müller 株式会社",
    "# Foretag plan", "_x000A_", "\ufeffbom", "x" * 255,
)  # fmt: skip


def schema_of(object_name):
    """The columns of a kept plan's changes."""
    return pa.schema([*change_schema(object_name, written(object_name, "basic")), *KEPT])


@pytest.fixture
def plan():
    """A plan with accounts that are called like formulas, a deal, a task and a change of one."""
    accounts = [
        {
            "id": f"{place:03}",
            "company": name,
            "foretag_tier": "A",
            "foretag_score": place,
            "clear": ["foretag_alert", "foretag_segment"] if place % 2 else [],
            "old_foretag_alert": name,
            "foretag_valid_until": date(2026, 3, 9),
            "owner": "Ada",
            "inputs": "00ffee1234567890",
            "state": '{"tier":"A"}',
        }
        for place, name in enumerate(HOSTILE)
    ]
    deal = {"id": "d", "name": "For Eve Smith, 0171 555", "company": "Acme", "foretag_tier": "B", "clear": []}
    task = {"key": "k", "object": "opportunity", "id": "d", "subject": "Call", "company": "Acme"}
    change = {"key": "k2", "action": "reassign", "object": "account", "id": "001", "owner_id": "005"}
    changes = {
        "account": pa.Table.from_pylist(accounts, schema=schema_of("account")),
        "opportunity": pa.Table.from_pylist([deal], schema=schema_of("opportunity")),
    }
    return Plan(
        changes,
        pa.Table.from_pylist([task], schema=pa.schema([*TASK_SCHEMA, *KEPT])),
        pa.Table.from_pylist([change], schema=pa.schema([*TASK_CHANGE_SCHEMA, *KEPT])),
        (),
        {"account": 9},
        lambda *_: None,
    )


@FORMS
def test_a_plan_comes_back_as_it_was(name, tmp_path, plan):
    """Values, old values, what is cleared, tasks, and header; names that look like formulas, and lines in names."""
    write_plan(tmp_path / name, plan, HEADER)
    header, kept = read_plan(tmp_path / name)
    fields = {one: [field.name for field in written(one, "basic")] for one in OBJECTS}
    assert header == replace(HEADER, fields=fields)
    assert kept.tasks.to_pylist() == plan.tasks.to_pylist()
    assert kept.task_changes.to_pylist() == plan.task_changes.to_pylist()
    for one in OBJECTS:
        wanted = [row | {"name": row["company"]} for row in plan.changes[one].to_pylist()]
        assert kept.changes[one].to_pylist() == wanted


@FORMS
def test_a_plan_holds_company_names_but_no_names_of_deals(name, tmp_path, plan):
    """What people call a deal may name a contact; the company is enough to find it."""
    write_plan(tmp_path / name, plan, HEADER)
    _, kept = read_plan(tmp_path / name)
    assert kept.changes["opportunity"]["name"].to_pylist() == ["Acme"]
    assert b"Eve" not in (tmp_path / name).read_bytes()


@FORMS
def test_a_plan_is_private(name, tmp_path, plan):
    """It holds company names."""
    write_plan(tmp_path / name, plan, HEADER)
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


@FORMS
def test_a_cut_plan_is_refused(name, tmp_path, plan):
    """Half a plan is no plan."""
    write_plan(tmp_path / name, plan, HEADER)
    whole = (tmp_path / name).read_bytes()
    for length in (0, 3, len(whole) // 3, len(whole) // 2, len(whole) - 2):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(ConfigProblem, match="cut short"):
            read_plan(tmp_path / "cut")


def test_a_plan_says_what_it_is_to_whoever_opens_it(tmp_path, plan):
    """A CSV file begins with the summary, a workbook has it as its first sheet."""
    from openpyxl import load_workbook

    write_plan(tmp_path / "p.csv", plan, HEADER)
    lines = (tmp_path / "p.csv").read_text("utf-8-sig").splitlines()
    assert lines[:2] == [f"# {line}" for line in HEADER.summary]
    assert lines[3].startswith('"no","object","id","company","owner","foretag_tier","old_foretag_tier"')
    write_plan(tmp_path / "p.xlsx", plan, HEADER)
    book = load_workbook(tmp_path / "p.xlsx")
    assert book.sheetnames == ["Plan", "Rows"]
    assert [book["Plan"].cell(row, 1).value for row in (1, 2)] == list(HEADER.summary)
    # A name is a name, whatever it begins with.
    assert "f" not in {cell.data_type for cell in book["Rows"]["D"]}


@pytest.mark.parametrize(
    ("old", "new"), [(",12,", ",13,"), ("2026-03-09", "2026-03-10"), ("abc", "abd"), ("Ada", "Eva")]
)
def test_a_cell_or_header_changed_in_a_csv_file_is_refused(old, new, tmp_path, plan):
    """A plan is done as it was made: whoever wants another makes another."""
    write_plan(tmp_path / "p.csv", plan, HEADER)
    text = (tmp_path / "p.csv").read_text("utf-8-sig")
    assert old in text
    (tmp_path / "p.csv").write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(ConfigProblem, match="was changed"):
        read_plan(tmp_path / "p.csv")


def test_a_cell_changed_in_excel_is_refused_and_rows_sorted_are_not(tmp_path, plan):
    """To look at a plan sorted another way changes nothing of what it would do."""
    from openpyxl import load_workbook

    write_plan(tmp_path / "p.xlsx", plan, HEADER)
    book = load_workbook(tmp_path / "p.xlsx")
    rows = [[cell.value for cell in row] for row in book["Rows"].iter_rows(min_row=2)]
    for place, row in enumerate(reversed(rows), 2):
        for column, value in enumerate(row, 1):
            book["Rows"].cell(place, column).value = value
    book.save(tmp_path / "sorted.xlsx")
    assert read_plan(tmp_path / "sorted.xlsx")[1].changes["account"]["id"][0].as_py() == "000"
    book["Rows"].cell(5, 6, "D")
    book.save(tmp_path / "changed.xlsx")
    with pytest.raises(ConfigProblem, match="was changed"):
        read_plan(tmp_path / "changed.xlsx")


def test_a_row_taken_out_is_told(tmp_path, plan):
    """How many of how many are there."""
    write_plan(tmp_path / "p.csv", plan, HEADER)
    lines = (tmp_path / "p.csv").read_text("utf-8-sig").splitlines()
    (tmp_path / "p.csv").write_text("\n".join(lines[:-1]) + "\n", "utf-8")
    with pytest.raises(ConfigProblem, match=f"{len(HOSTILE) + 2} of {len(HOSTILE) + 3} rows"):
        read_plan(tmp_path / "p.csv")


def test_what_is_no_plan_is_refused(tmp_path):
    """A missing file, a folder, other Parquet, CSV and zip files."""
    with pytest.raises(ConfigProblem, match="cannot be read: No such file"):
        read_plan(tmp_path / "none")
    with pytest.raises(ConfigProblem, match="cannot be read: Is a directory"):
        read_plan(tmp_path)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other")
    with pytest.raises(ConfigProblem, match="not a plan"):
        read_plan(tmp_path / "other")
    for content in (b"a,b\n1,2\n", b"PK\x03\x04 zip", b"\xff\xfe"):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(ConfigProblem, match="plan"):
            read_plan(tmp_path / "other")


def test_a_plan_of_another_format_is_told_from_a_damaged_one(tmp_path):
    """An older Foretag wrote it."""
    import json

    header = asdict(HEADER) | {"format": 1}
    pq.write_table(
        pa.table({"a": [1]}).replace_schema_metadata({"foretag": json.dumps(header)}), tmp_path / "p"
    )
    with pytest.raises(ConfigProblem, match=r"another version of Foretag \(format 1, here 2\)"):
        read_plan(tmp_path / "p")


def test_where_a_plan_cannot_be_kept_is_known_before_anything_is_read(tmp_path):
    """A file that is there already, a folder that is not."""
    (tmp_path / "there").touch()
    with pytest.raises(ConfigProblem, match="there is such a file"):
        check_target(tmp_path / "there")
    with pytest.raises(ConfigProblem, match="cannot be kept there"):
        check_target(tmp_path / "none" / "p")
    check_target(tmp_path / "p")


def test_what_excel_cannot_hold_is_refused_not_cut(tmp_path, plan):
    """A cell has an end; the other forms have none."""
    row = {"id": "1", "company": "x" * 40_000, "foretag_tier": "A", "clear": []}
    long = replace(
        plan, changes=plan.changes | {"account": pa.Table.from_pylist([row], schema=schema_of("account"))}
    )
    with pytest.raises(ConfigProblem, match=r"Excel file may have .*name it \.csv or \.parquet"):
        write_plan(tmp_path / "p.xlsx", long, HEADER)
    assert list(tmp_path.iterdir()) == []
    write_plan(tmp_path / "p.csv", long, HEADER)
    assert read_plan(tmp_path / "p.csv")[1].changes["account"]["name"].to_pylist() == ["x" * 40_000]


def test_a_plan_for_another_place_says_what_differs():
    """Org, connection, rules, outputs and Foretag must be those it was made for."""
    assert mismatches(HEADER, connection="main", org_id="00D", rules="abc", outputs="basic") == []
    found = mismatches(
        replace(HEADER, version="0.0.1"), connection="main", org_id="00X", rules="new", outputs="basic"
    )
    assert [str(problem).partition(", here it is")[0] for problem in found] == [
        "the plan was made with org 00D",
        "the plan was made with rules digest abc",
        "the plan was made with Foretag 0.0.1",
    ]
    assert str(found[0]) == "the plan was made with org 00D, here it is 00X; make a new plan"
