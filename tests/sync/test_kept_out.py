"""What explanations keep out: what `show:` hides from reasons, and what people wrote."""

from __future__ import annotations

from datetime import date

import pytest

from config.rules import Rules
from config.sections.showing import Show
from scoring.saying.origins import ORIGINS
from sync.explaining.kept_out import shown_text, shown_value

COLUMNS = {
    "amount": 640_000, "close_date": date(2026, 3, 22), "probability": 62.0, "stage": "Proposal", "margin": 41.0,
    "need_by": date(2026, 4, 1), "created_at": date(2025, 1, 1), "last_activity_date": date(2026, 2, 1),
    "stage_changed_at": date(2026, 2, 1), "push_count": 3, "foretag_growth_plan": 9000,
    "foretag_growth_plan_by": date(2026, 12, 31), "pain": "Ann Example says it leaks",
}  # fmt: skip


@pytest.mark.parametrize("shown", ["hide", "band"])
def test_what_reasons_keep_out_is_not_shown_as_a_value(shown):
    """Neither a number nor a day nor a word of the record is left."""
    rules = Rules(show=Show(**dict.fromkeys(Show.model_fields, shown)))
    for column, value in COLUMNS.items():
        assert shown_value(rules, column, value).startswith("known, not shown (show: ")
        assert shown_value(rules, column, None) is None


@pytest.mark.parametrize(
    "name", [name for name in Show.model_fields if name not in ("margin", "growth_plan")]
)
def test_each_input_that_can_be_hidden_hides_the_text_of_an_item(name):
    """What an item saw is told of it alone where nothing is hidden; margin and growth plan choose their own words."""
    hidden = Rules(show=Show(**{name: "hide"}))
    kept_out = [item for item in ORIGINS if shown_text(hidden, item, "640k") != "640k"]
    assert kept_out
    assert all(shown_text(Rules(), item, "640k") == "640k" for item in kept_out)


def test_of_what_people_wrote_only_that_they_did_is_shown():
    """A pain may name people, and only whether it is filled in counts."""
    assert shown_value(Rules(), "pain", COLUMNS["pain"]) == "filled in"
    assert shown_value(Rules(), "amount", 640_000) == 640_000
