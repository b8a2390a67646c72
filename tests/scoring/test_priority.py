"""Priority of open deals: soon, profitable, much; need; what is unknown; what caps."""

from __future__ import annotations

import pytest

from config.rules import Rules


def test_sooner_is_worth_more_than_larger(company, find):
    """The premium is on soon: a small deal closing now beats a large one closing in half a year."""
    company.account("acme")
    company.open("soon", "acme", closes_in=5, amount=1_000)
    company.open("large", "acme", closes_in=180, amount=90_000)
    tags = company.tagged().opportunities
    assert find(tags, "soon")["foretag_score"] > find(tags, "large")["foretag_score"]


@pytest.mark.parametrize(
    ("column", "better", "worse"),
    [
        ("closes_in", 5, 60),
        ("closes_in", 0, -40),
        ("push_count", 0, 3),
        ("probability", 80.0, 20.0),
        ("margin", 50.0, 10.0),
        ("amount", 9_000, 100),
        ("need_by", 10, None),
        ("need_by", 0, -30),
        ("need_by", -30, -60),
        ("pain", "Old machines fail", None),
        ("pain", "Old machines fail", "   "),
    ],
)
def test_each_input_moves_the_score_its_way(company, find, column, better, worse):
    """Every input of a deal's priority raises it, or lowers it, as the rules say."""
    company.account("acme")
    for name, value in (("good", better), ("bad", worse)):
        known = company.day(-value) if column == "need_by" and value is not None else value
        company.open(name, "acme", **{"margin": 30.0, column: known})
    tags = company.tagged().opportunities
    assert find(tags, "good")["foretag_score"] > find(tags, "bad")["foretag_score"]


def test_a_deal_that_stands_still_loses(company, find):
    """A deal whose last movement is long ago counts as less near than its close date says."""
    company.account("acme")
    company.open("moving", "acme", last_activity_date=company.day(2))
    company.open("still", "acme", last_activity_date=company.day(200))
    tags = company.tagged().opportunities
    assert find(tags, "moving")["foretag_score"] > find(tags, "still")["foretag_score"]
    assert "no movement since 6 May" in find(tags, "still")["foretag_reason"]


def test_unknown_margin_spreads_its_weight_and_says_so(company, find):
    """Without a margin, soon and much share its weight; the reason tells."""
    company.account("acme")
    company.open("deal", "acme", closes_in=0, amount=500, probability=99.0)
    found = find(company.tagged().opportunities, "deal")
    assert found["foretag_score"] == round((50 * 0.7 * 100 + 50 * 0.3 * 99 + 20 * 50) / 70)
    assert found["foretag_reason"].endswith("margin not known")


def test_margin_falls_back_to_product_and_list_price(company, find):
    """The deal's own margin comes first, then the product's, then the discount from the list price."""
    company.rules = Rules.model_validate(
        {
            "products": {"Drill": {"margin": 55.0}, "Saw": {"list_price": 1000.0}},
            "show": {"margin": "value"},
        }
    )
    company.account("acme")
    company.open("own", "acme", product="Drill", margin=10.0)
    company.open("product", "acme", product="Drill")
    company.open("list", "acme", product="Saw", amount=900)
    company.open("several", "acme", product="Saw", amount=5000)
    tags = company.tagged().opportunities
    assert "margin 10 %" in find(tags, "own")["foretag_reason"]
    assert "margin 55 %" in find(tags, "product")["foretag_reason"]
    assert "discount 10 %" in find(tags, "list")["foretag_reason"]
    assert "margin not known" in find(tags, "several")["foretag_reason"]


def test_thin_margin_caps_at_b(company, find):
    """A margin under `min_margin` caps the tier at B, however large or soon the deal is."""
    company.rules = Rules.model_validate({"tiers": {"min_margin": 20.0, "a_at_least": 0}})
    company.account("acme")
    company.open("thin", "acme", closes_in=1, amount=99_000, margin=5.0, probability=99.0)
    company.open("other", "acme", closes_in=300, amount=10, margin=50.0, probability=1.0)
    found = find(company.tagged().opportunities, "thin")
    assert (found["foretag_tier"], "at most B: margin too thin" in found["foretag_reason"]) == ("B", True)


def test_margin_is_shown_as_a_band_unless_asked(company, find):
    """A text field must not leak what field security hides: margin is a word by default, and can be hidden."""
    company.account("acme")
    company.open("deal", "acme", margin=41.0)
    assert "good margin +" in find(company.tagged().opportunities, "deal")["foretag_reason"]
    company.rules = Rules.model_validate({"show": {"margin": "hide", "amount": "hide"}})
    reason = find(company.tagged().opportunities, "deal")["foretag_reason"]
    assert "margin" not in reason
    assert "other +" in reason


def test_deal_without_close_date_is_not_scored(company, find):
    """A deal that cannot be scored names the field to fill in, and has neither tier nor score."""
    company.account("acme")
    company.open("dateless", "acme", closes_in=None)
    found = find(company.tagged().opportunities, "dateless")
    assert found["foretag_reason"] == "Not scored: fill in Close Date"
    assert (found["foretag_tier"], found["foretag_score"], found["foretag_next_step"]) == (None, None, None)


def test_closed_deal_loses_the_tag_it_still_holds(company, find):
    """A deal that closed since the last run gets empty outputs; closed deals without a tag are left out."""
    company.account("acme")
    company.won("acme", 3, foretag_tier="A", foretag_reason="A 82 · closes 14 Mar +82")
    company.won("acme", 9)
    found = company.tagged().opportunities.to_pylist()
    assert [(deal["foretag_tier"], deal["foretag_score"], deal["foretag_reason"]) for deal in found] == [
        (None, None, None)
    ]


def test_account_with_a_better_record_has_a_better_chance(company, find):
    """Past behaviour counts: the same stage means more with an account that closed its earlier deals."""
    for name in ("buyer", "refuser"):
        company.account(name)
        company.open(f"{name}-deal", name)
    for ago in range(100, 900, 100):
        company.won("buyer", ago)
        company.won("refuser", ago, is_won=False)
        company.deals[-1]["stage"] = "Lost"
    tags = company.tagged().opportunities
    assert find(tags, "buyer-deal")["foretag_score"] > find(tags, "refuser-deal")["foretag_score"]
