"""Files next to the rules: strictly read, and what is wrong told with its place."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest

from config.problems import ConfigProblem
from config.rules import load_rules
from config.sections.side_files import SHEETS


def load(folder, kind, content):
    """The rules of a folder in which one file has this content."""
    (folder / "rules.yaml").write_text(f"files:\n  {kind}: it.csv\n")
    (folder / "it.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_rules(folder / "rules.yaml")


def told(folder, kind, content):
    """All problems of such a folder, without the folder's own name."""
    with pytest.raises(ConfigProblem) as caught:
        load(folder, kind, content)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


@pytest.mark.parametrize(
    "content",
    [
        "account,amount,by\nAcme,12500.5,2026-12-31\n",
        "\ufeffBy;Account;Amount\r\n2026-12-31;Acme;12500.50\r\n\r\n",
        'amount\tby\taccount\tmade_on\n12500.50\t2026-12-31\t"Acme"\t\n',
    ],
    ids=["commas", "a spreadsheet's semicolons", "tabs"],
)
def test_a_file_may_be_written_as_spreadsheets_do(tmp_path, content):
    """Any order of columns, any usual delimiter, quotes, a byte order mark and empty lines are all the same."""
    (row,) = load(tmp_path, "commitments", content).side_rows["commitments"].rows
    assert {name: value for name, value in row.items() if value is not None} == {
        "account": "Acme", "amount": Decimal("12500.5"), "by": date(2026, 12, 31),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "content", "problem"),
    [
        ("quotas", "owner,amount,start,end\nAnn,12k,2026-01-01,2026-12-31\n",
         'it.csv:2:5: amount: "12k" is no amount; write 12000'),
        ("quotas", 'owner,amount,start,end\n"Low, Ann",12,31.1.2026,2026-12-31\n',
         'it.csv:2:15: start: "31.1.2026" is no day; write it as year-month-day, such as 2026-12-31'),
        ("quotas", "owner,amount,start,end\nAnn,12,2026-02-30,2026-12-31\n",
         'it.csv:2:8: start: "2026-02-30" is a day that no calendar has'),
        ("quotas", "owner,amount,start,end\nAnn,12,2026-12-31,2026-01-01\n",
         "it.csv:2:19: end: 2026-01-01 is before start, 2026-12-31"),
        ("quotas", "owner,ammount,start,end\n",
         'it.csv:1:7: unknown column "ammount"; did you mean "amount"?'),
        ("quotas", "owner,amount,start\n",
         'it.csv:1:1: the column "end" is missing; the first line is owner,amount,start,end'),
        ("capacities", "owner,accounts\nAnn,120\nBob,\n", "it.csv:3:5: accounts: is empty"),
        ("capacities", "owner,accounts\nAnn,120\nAnn,130\n", "it.csv:3:1: owner as in line 2; keep one of the two"),
        ("capacities", "owner,accounts\nAnn,1.5\n",
         'it.csv:2:5: accounts: "1.5" is no whole number; write it bare, such as 120'),
        ("territories", "territory,owner\nNorth\n",
         "it.csv:2:1: cells: 1 here, 2 in the first line; a comma too many or too few"),
        ("territories", 'territory,owner\n"North,Ann\n',
         "it.csv:2:1: is not CSV: unexpected end of data; look at the quotes of this line and the one before"),
        ("territories", 'territory,owner\n"North,\n' + '""' * 61 + 'x",Ann,\n',
         "it.csv:3:1: cells: 3 here, 2 in the first line; a comma too many or too few"),
        ("territories", b"territory,owner\nS\xfcd,Ann\n", "it.csv: is not UTF-8 text (byte 17); save it as CSV UTF-8"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(tmp_path, kind, content, problem):
    """File, line, column, and what to write instead."""
    assert problem in told(tmp_path, kind, content)


def test_all_problems_of_all_files_come_at_once(tmp_path):
    """One look at the list is enough: the rules' own problems, and the first twenty of each file."""
    (tmp_path / "rules.yaml").write_text("needs: {pian: 3}\nfiles:\n  quotas: q.csv\n  capacities: c.csv\n")
    (tmp_path / "c.csv").write_text("owner,accounts\n" + "".join(f"o{number},many\n" for number in range(30)))
    with pytest.raises(ConfigProblem) as caught:
        load_rules(tmp_path / "rules.yaml")
    problems = [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]
    assert problems[0].startswith("rules.yaml:1:9:")
    assert (
        "rules.yaml:3:3: files.quotas: q.csv cannot be read: No such file or directory; correct the path"
        in problems
    )
    assert sum(problem.startswith("c.csv:") for problem in problems) == 21
    assert "c.csv: 10 more problems of this kind" in problems


def test_a_path_is_that_of_the_file_that_says_it(tmp_path):
    """Rules that extend a company's in another folder read its files there."""
    company = tmp_path / "company"
    company.mkdir()
    load(company, "territories", "territory,owner\nNorth,Ann\n")
    (tmp_path / "team.yaml").write_text("extends: company/rules.yaml\nneeds: {pain: 7}\n")
    rules = load_rules(tmp_path / "team.yaml")
    assert rules.side_rows["territories"].rows == ({"territory": "North", "owner": "Ann"},)


@pytest.mark.parametrize("content", ["", "\n\n", "\x00", '"', ",,,\n,,,", "owner\n" * 3, "\u2028,\x0b\n" * 3])
@pytest.mark.parametrize("kind", list(SHEETS))
def test_no_content_raises_anything_else(tmp_path, kind, content):
    """Whatever stands in a file, the answer is rows or problems, never another error."""
    with suppress(ConfigProblem):
        load(tmp_path, kind, content)


@pytest.mark.parametrize(
    ("name", "said"),
    [("/dev/zero", "is longer than"), ('"a\\0b"', "is no name of a file"), (".", "cannot be read")],
)
def test_what_is_no_file_is_not_read(tmp_path, name, said):
    """A device without an end, a folder, and what no file can be called are told like a missing file."""
    (tmp_path / "rules.yaml").write_text(f"files: {{quotas: {name}}}\n")
    with pytest.raises(ConfigProblem, match=said):
        load_rules(tmp_path / "rules.yaml")
