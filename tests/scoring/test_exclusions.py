"""Who is left out: no score, tier, alert or task, a reason that says why, and a book that is read without them."""

from __future__ import annotations

import pytest

from config.rules import Rules


def with_a_partner(company):
    """Ten customers, and a partner with the largest deal and purchase."""
    company.crowd(10)
    company.account("ally", type=" partner", owner_id="rep")
    company.won("ally", 20, 900_000)
    company.open("with-ally", "ally", closes_in=3, amount=800_000)
    company.open("with-customer", "crowd-001", closes_in=30, amount=2000)
    return company


def test_partners_and_their_deals_are_not_scored(company, find):
    """Defaults leave out partners: nothing is written but why, and nobody gets a task."""
    tagged = with_a_partner(company).tagged()
    for found in (find(tagged.accounts, "ally"), find(tagged.opportunities, "with-ally")):
        assert found["foretag_reason"] == "Not scored: partner or reseller"
        assert (found["foretag_tier"], found["foretag_score"], found["foretag_next_step"]) == (
            None,
            None,
            None,
        )
    assert find(tagged.accounts, "ally")["foretag_alert"] is None
    assert {"ally", "with-ally"}.isdisjoint(tagged.tasks["id"].to_pylist())


def test_the_book_is_read_without_the_excluded(company, find):
    """Customers score as if the partner were not in the CRM at all."""
    company.crowd(10)
    company.open("with-customer", "crowd-001", closes_in=30, amount=2000)
    alone = company.tagged()
    company.accounts.clear()
    company.deals.clear()
    together = with_a_partner(company).tagged()
    for table, names in (("accounts", ["crowd-001", "crowd-007"]), ("opportunities", ["with-customer"])):
        for name in names:
            assert find(getattr(together, table), name) == find(getattr(alone, table), name)


def test_who_opted_out_is_left_alone(company, find):
    """An account that does not want to be sold to says so in its reason."""
    company.account("quiet", opted_out=True)
    assert find(company.tagged().accounts, "quiet")["foretag_reason"] == "Not scored: opted out"


def test_deals_can_be_left_out_on_their_own(company, find):
    """An exclusion on opportunities leaves the account and its other deals as they are."""
    company.rules = Rules.model_validate(
        {"exclude": [{"on": "opportunity", "when": "amount < 100", "because": "too small"}]}
    )
    company.account("acme", type="Partner")
    company.open("tiny", "acme", amount=5)
    company.open("real", "acme", amount=5000)
    tagged = company.tagged()
    assert find(tagged.opportunities, "tiny")["foretag_reason"] == "Not scored: too small"
    assert find(tagged.opportunities, "real")["foretag_score"] is not None
    assert "by best deal" in find(tagged.accounts, "acme")["foretag_reason"]


def test_leaving_out_shows_its_cause(company, find):
    """A record that becomes a partner loses its tier by its data; one that new rules leave out, by the rules."""
    company.crowd(10)
    kept = company.tagged().state
    company.accounts[3]["type"] = "Reseller"
    found = find(company.tagged(kept).accounts, "crowd-003")
    assert (found["foretag_tier"], found["changed"], found["cause"]) == (None, True, "data")
    company.rules = Rules.model_validate(
        {"exclude": [{"on": "account", "when": 'industry == "Retail"', "because": "not our market"}]}
    )
    found = find(company.tagged(kept).accounts, "crowd-004")
    assert (found["foretag_reason"], found["cause"]) == ("Not scored: not our market", "rules")


@pytest.mark.parametrize(
    ("on", "account", "kind"), [("account", "ally", None), ("opportunity", "crowd-001", "Odd")]
)
def test_the_past_of_the_excluded_teaches_nothing(company, on, account, kind):
    """How deals of a partner, or deals of a kind that is left out, ended is not counted among the book's own."""
    when = {"account": 'type == "Partner"', "opportunity": 'type == "Odd"'}[on]
    company.rules = Rules.model_validate({"exclude": [{"on": on, "when": when, "because": "left out"}]})
    company.crowd(20)
    for number in range(60):
        company.won(f"crowd-{number % 20:03d}", 100 + 5 * number, 7_000 + number, is_won=number % 3 > 0)
    alone = company.tagged().book.history
    assert alone.lasting.deals
    company.account("ally", type="Partner")
    for number in range(60):
        company.won(account, 100 + 5 * number, 50_000, is_won=False, type=kind)
    found = company.tagged().book.history
    for what in ("lasting", "pace", "list_prices"):
        assert getattr(found, what) == getattr(alone, what)
