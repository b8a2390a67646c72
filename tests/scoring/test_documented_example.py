"""The worked example of docs/scoring.md is what the product computes."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc

from scoring import explain

DOCUMENT = Path(__file__).parents[2] / "docs" / "scoring.md"


def test_the_worked_example_is_true(company, find):
    """The reason and the points that the page shows are those of the same deal, scored."""
    company.account("acme")
    company.open("renewal", "acme", closes_in=30, amount=95_000, probability=60.0, margin=41.0)
    company.open("second", "acme", closes_in=90, amount=40_000)
    company.open("third", "acme", closes_in=120, amount=10_000)
    tagged = company.tagged()
    found = find(tagged.opportunities, "renewal")
    text = DOCUMENT.read_text(encoding="utf-8")
    assert f"`{found['foretag_reason']}`" in text
    assert f"**{found['foretag_score']}**" in text
    explained = explain(tagged, "renewal")
    lines = explained.filter(pc.equal(explained["dimension"], "priority"))
    assert pc.sum(lines["points"]).as_py() == found["foretag_score"]
    documented = [
        int(cell.strip()) for line in text.splitlines() for cell in line.split("|")[4:5] if "+" in cell
    ]
    assert sorted(documented) == sorted(points for points in lines["points"].to_pylist() if points)
