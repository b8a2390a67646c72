"""The book as managers and sales ops look at it: who matters, what hangs on whom, and who looks after whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from scoring.saying.wording import GROWTH_DRIVERS
from sync.score import tagged_book
from sync.store.frames import plain
from sync.store.owners import NOBODY, owner_called

if TYPE_CHECKING:
    from datetime import date

    from config.rules import Rules
    from scoring import Tagged
    from sync.store.mirror import Mirror
    from sync.store.tags import TagStore

_FEWEST_GAPS = 3  # purchases: two may lie close by chance
_TAGS = ("tier", "score", "segment", "growth_potential", "growth_score", "likelihood", "reason")
_INPUTS = (
    "spend_last_year", "purchases", "usual_gap", "open_pipeline", "owner_active", "in_territory", "territory",
    "owner_quota", "owner_capacity",
)  # fmt: skip
# What is wrong with how an account is looked after, worst first.
_GAPS = ("no owner", "owner is not active", "owner works another territory", "owner has too many accounts")


@dataclass(frozen=True, slots=True)
class BookView:
    """The book, or one owner's, as frames.

    `accounts` has one row for each scored account: id, name, owner_id, owner, the tags, expected_spend, the inputs,
    and of_owner and of_company: its percent of the spend of the last year. `owners` has one for each owner:
    accounts, capacity, load (percent), deals, pipeline, weighted, quota and reached (weighted in percent of the
    quota, NaN without one), and how many accounts are in tier A.
    """

    accounts: pd.DataFrame
    owners: pd.DataFrame
    rules: Rules

    def of(self, owner: str | None) -> BookView:
        """The same of one owner, by name or id. Raises `ConfigProblem` if there is none, or several."""
        if owner is None:
            return self
        one = owner_called(owner, dict(zip(self.owners["owner_id"], self.owners["owner"], strict=True)))
        accounts, owners = (frame[frame["owner_id"] == one] for frame in (self.accounts, self.owners))
        return BookView(accounts, owners, self.rules)

    def spend_most(self) -> pd.DataFrame:
        """Customers by spend of the last year."""
        bought = self.accounts[self.accounts["spend_last_year"] > 0]
        return bought.sort_values(["spend_last_year", "id"], ascending=[False, True])

    def buy_most_often(self) -> pd.DataFrame:
        """Customers by the days between their purchases; at least three purchases."""
        often = self.accounts[self.accounts["purchases"] >= _FEWEST_GAPS]
        return often.sort_values(["usual_gap", "purchases", "id"], ascending=[True, False, True])

    def could_grow(self) -> pd.DataFrame:
        """Customers by growth score, where it is at least that of a high potential segment."""
        able = self.accounts[
            (self.accounts["purchases"] > 0) & (self.accounts["growth_score"] >= self.rules.segments.growth)
        ]
        return able.sort_values(["growth_score", "spend_last_year", "id"], ascending=[False, False, True])

    def promising_prospects(self) -> pd.DataFrame:
        """Prospects that look like those who became the best customers, then by likelihood to buy."""
        alike = self.accounts[(self.accounts["purchases"] == 0) & (self.accounts["fit"] > 0)]
        return alike.sort_values(["fit", "likelihood", "id"], ascending=[False, False, True])

    def too_much_on_one(self) -> pd.DataFrame:
        """Accounts on which too much of a book hangs, by the limits of `alerts:`."""
        limits, rows = self.rules.alerts, self.accounts
        large = (rows["of_owner"] > limits.owner_share) | (rows["of_company"] > limits.company_share)
        return rows[large].sort_values(["of_company", "of_owner", "id"], ascending=[False, False, True])

    def uncovered(self) -> pd.DataFrame:
        """Accounts of high growth potential that nobody looks after well, with the reason in `gap`; worst first."""
        able = self.accounts[self.accounts["growth_score"] >= self.rules.segments.growth]
        load = able["owner_id"].map(self.owners.set_index("owner_id")["load"])
        gaps = np.select(
            [able["owner_id"] == "", ~able["owner_active"], able["in_territory"] == 0, load > 100],  # percent
            range(len(_GAPS)),
            default=len(_GAPS),
        )
        found = able.assign(worst=gaps)[gaps < len(_GAPS)]
        found = found.assign(gap=found["worst"].map(dict(enumerate(_GAPS))))
        return found.sort_values(
            ["worst", "growth_score", "expected_spend", "id"], ascending=[True, False, False, True]
        ).drop(columns="worst")

    def as_dict(self, most: int) -> dict[str, Any]:
        """For machines: each list with its first rows, and all owners."""
        return {
            "spend_most": plain(self.spend_most().head(most)),
            "buy_most_often": plain(self.buy_most_often().head(most)),
            "could_grow": plain(self.could_grow().head(most)),
            "promising_prospects": plain(self.promising_prospects().head(most)),
            "too_much_on_one": plain(self.too_much_on_one()),
            "uncovered": plain(self.uncovered().head(most)),
            "owners": plain(self.owners),
        }


def view_book(mirror: Mirror, tags: TagStore, rules: Rules, today: date) -> BookView:
    """The whole book of the local copy, as of a day."""
    accounts, deals = [], []
    _, parts = tagged_book(mirror, tags, rules, today)
    for tagged in parts:
        accounts.append(_accounts(tagged))
        deals.append(_deals(tagged))
    table = mirror.read("owner", ("id", "name"))
    names = dict(zip(table["id"].to_pylist(), table["name"].to_pylist(), strict=True))
    everyone = _with_shares(pd.concat(accounts, ignore_index=True))
    everyone["owner"] = _called(everyone["owner_id"], names)
    named = mirror.read("account", ("id", "name")).to_pandas().set_index("id")["name"]
    everyone["name"] = everyone["id"].map(named).fillna(everyone["id"])
    return BookView(
        everyone[everyone["score"].notna()].reset_index(drop=True),
        _owners(everyone, pd.concat(deals, ignore_index=True), names, rules),
        rules,
    )


def _accounts(tagged: Tagged) -> pd.DataFrame:
    inputs = tagged.account_inputs
    columns = {"id": tagged.accounts["id"], "owner_id": tagged.accounts["owner_id"]}
    columns |= {name: tagged.accounts[f"foretag_{name}"] for name in _TAGS}
    columns |= {"expected_spend": tagged.accounts["expected_spend"].cast(pa.float64())}
    frame: pd.DataFrame = pa.table(columns | {name: inputs[name] for name in _INPUTS}).to_pandas()
    growth = _growth(tagged)
    return frame.assign(
        owner_id=frame["owner_id"].fillna(""),
        owner_active=frame["owner_active"].fillna(value=True).astype(bool),
        fit=growth["fit"].fillna(0) if "fit" in growth else 0,
        driver=_drivers(growth),
    )


def _growth(tagged: Tagged) -> pd.DataFrame:
    """The contributions to growth, one column for each item but the base."""
    points = tagged.account_points
    names = [name for name in points.column_names if name.startswith("growth:") and name != "growth:base"]
    frame: pd.DataFrame = points.select(names).to_pandas()
    return frame.rename(columns=lambda name: name.removeprefix("growth:"))


def _drivers(growth: pd.DataFrame) -> pd.Series:
    """What raised growth potential most, in the words of reasons; empty where nothing did."""
    values = growth.fillna(0)
    words = pd.Series([GROWTH_DRIVERS[name][0].removeprefix(", ") for name in growth.columns])
    best = words.take(values.to_numpy().argmax(axis=1)).to_numpy()
    return pd.Series(np.where(values.max(axis=1) > 0, best, ""), index=growth.index)


def _deals(tagged: Tagged) -> pd.DataFrame:
    """Open deals: owner, amount, and amount times the chance of winning."""
    found, rows = tagged.scored.deals, tagged.opportunities
    amount = pd.Series(rows["amount"].cast(pa.float64()).to_pandas()).fillna(0.0)
    frame = pd.DataFrame({"owner_id": rows["owner_id"].to_pandas(), "pipeline": amount})
    frame["weighted"] = amount * found.chance / 100
    return frame.loc[found.scored].assign(owner_id=frame["owner_id"].fillna(""))


def _with_shares(accounts: pd.DataFrame) -> pd.DataFrame:
    """Each account's percent of its owner's and of the company's spend of the last year."""
    spend = accounts["spend_last_year"].fillna(0.0)
    of_owner = spend.groupby(accounts["owner_id"]).transform("sum")
    company = float(spend.sum())
    return accounts.assign(
        of_owner=(100 * spend / of_owner.where(of_owner > 0)).fillna(0.0),
        of_company=100 * spend / company if company else 0.0,
    )


def _owners(accounts: pd.DataFrame, deals: pd.DataFrame, names: dict[str, str], rules: Rules) -> pd.DataFrame:
    """What each owner looks after, and how far the pipeline goes towards the quota."""
    grouped = accounts.groupby("owner_id")
    found = pd.DataFrame(
        {
            "accounts": grouped.size(),
            "tier_A": grouped["tier"].agg(lambda tiers: int((tiers == "A").sum())),
            "capacity": grouped["owner_capacity"].max(),
            "quota": grouped["owner_quota"].max(),
            "active": grouped["owner_active"].first(),
        }
    )
    by_deal = deals.groupby("owner_id").agg(
        deals=("pipeline", "size"), pipeline=("pipeline", "sum"), weighted=("weighted", "sum")
    )
    found = found.join(by_deal, how="outer")
    counts = ["accounts", "tier_A", "deals", "pipeline", "weighted"]
    found[counts] = found[counts].fillna(0)
    usual = rules.coverage.accounts_per_owner
    capacity = found["capacity"] if usual is None else found["capacity"].fillna(usual)
    found = found.assign(
        capacity=capacity,
        load=100 * found["accounts"] / capacity,
        reached=100 * found["weighted"] / found["quota"].where(found["quota"] > 0),
    )
    found = found.rename_axis("owner_id").reset_index()
    found["owner"] = _called(found["owner_id"], names)
    return found.sort_values(["weighted", "owner_id"], ascending=[False, True], ignore_index=True)


def _called(ids: pd.Series, names: dict[str, str]) -> pd.Series:
    called: pd.Series = ids.map(names).fillna(ids).replace("", NOBODY)
    return called
