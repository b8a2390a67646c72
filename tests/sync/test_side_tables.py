"""Files next to the rules: whom they name is looked up, and what names nobody is told and left out."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from config.records import schema
from config.rules import load_rules
from scoring import extract
from sync.buckets import Buckets
from sync.store.mirror import MANY_BUCKETS, ONE_BUCKET_ROWS, Mirror
from sync.store.side_tables import side_tables
from tests.scoring.conftest import TODAY

AT = datetime(2026, 1, 1, tzinfo=UTC)
LONG = "001000000000000AAA"
ACCOUNTS = {LONG: "Acme", "b": "Bolt  Ltd", "c1": "Core", "c2": "core", "d": "c1"}
OWNERS = {"o1": "Ann Low", "o2": "Bob"}


def load(mirror, name, records):
    """Records with these names, by id."""
    rows = [{"id": key, "name": value, "owner_id": "o1", "modified_at": AT} for key, value in records.items()]
    mirror.load(
        name, ("id", "name", "owner_id", "modified_at"), [pa.Table.from_pylist(rows, schema=schema(name))]
    )


@pytest.fixture
def mirror(tmp_path):
    """Five accounts and two owners."""
    mirror = Mirror(tmp_path / "mirror")
    load(mirror, "account", ACCOUNTS)
    load(mirror, "owner", OWNERS)
    return mirror


def rules_with(folder, **files):
    """Rules beside files with these contents."""
    for kind, content in files.items():
        (folder / f"{kind}.csv").write_text(content)
    (folder / "rules.yaml").write_text("files:\n" + "".join(f"  {kind}: {kind}.csv\n" for kind in files))
    return load_rules(folder / "rules.yaml")


@pytest.mark.parametrize(
    ("named", "account"),
    [
        (LONG, LONG), (LONG[:15], LONG), ("acme", LONG),
        ("bolt ltd", "b"), ("c1", "c1"), ("Core", None), ("Nobody", None),
    ],
)  # fmt: skip
def test_accounts_are_named_by_id_or_by_their_one_name(mirror, tmp_path, named, account):
    """An id comes before a name, case and spaces do not matter, and a name of two accounts is none."""
    found = side_tables(
        rules_with(tmp_path, commitments=f"account,amount,by\n{named},10,2027-01-01\n"), mirror
    )
    assert found.tables["commitment"]["account_id"].to_pylist() == ([] if account is None else [account])
    assert len(found.problems) == (account is None)


def test_who_is_not_known_is_told_with_the_place(mirror, tmp_path):
    """The list says file, line, column and what to write; nothing stops for it."""
    rules = rules_with(
        tmp_path, quotas="amount,owner,start,end\n5,Ann Low,2026-01-01,2026-12-31\n6,Zoe,2026-01-01,2026-12-31\n",
        commitments="account,amount,by\nCore,10,2027-01-01\n",
    )  # fmt: skip
    found = side_tables(rules, mirror)
    assert found.tables["quota"]["owner_id"].to_pylist() == ["o1"]
    assert [str(problem).replace(f"{tmp_path}/", "") for problem in found.problems] == [
        'commitments.csv:2:1: 2 accounts are called "Core": the row is left out; give its id',
        'quotas.csv:3:3: no owner is called "Zoe": the row is left out; give its id, or its name exactly as in the CRM',
    ]
    assert {problem.severity for problem in found.problems} == {"warning"}


def test_scores_know_what_the_files_say(tmp_path):
    """Promises lie in the bucket of their account; quotas, territories and capacities are there in each."""
    mirror = Mirror(tmp_path / "mirror")
    load(mirror, "account", {f"a{number}": f"Account {number}" for number in range(ONE_BUCKET_ROWS + 1)})
    load(mirror, "owner", OWNERS)
    rules = rules_with(
        tmp_path,
        commitments="account,amount,by\n"
        + "".join(f"a{number},{number + 1},2027-01-01\n" for number in range(40)),
        quotas="owner,amount,start,end\nAnn Low,500,2026-01-01,2026-12-31\n",
        capacities="owner,accounts\no1,120\n",
    )
    assert mirror.buckets() == MANY_BUCKETS
    promised = {}
    for tables in [bucket() for bucket in Buckets(mirror, rules)][:4]:
        accounts = extract(tables, 90, rules, TODAY).accounts
        assert set(accounts["owner_quota"].to_pylist()) == {50_000}
        assert set(accounts["owner_capacity"].to_pylist()) == {120}
        promised |= dict(zip(accounts["id"].to_pylist(), accounts["promised"].to_pylist(), strict=True))
    kept = {name: cents for name, cents in promised.items() if cents is not None}
    assert kept
    assert kept == {name: 100 * (int(name[1:]) + 1) for name in promised if int(name[1:]) < 40}
