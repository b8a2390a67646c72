"""A comparison of rules as one HTML page that needs nothing else: to look at together before rules are put to use."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined
from plotly.io import to_html
from plotly.offline import get_plotlyjs

from sync.store.files import write_whole
from sync.store.frames import whole
from sync.trial import charts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    import plotly.graph_objects as go

    from config.crms import Crm
    from config.rules import Rules
    from sync.trial.comparing import Comparison

_LONGEST = 25


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, charts (as HTML), and a table; `numbers` are the columns set to the right."""

    title: str
    charts: list[str]
    text: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numbers: tuple[str, ...] = ()


def write_page(path: Path, found: Comparison, rules: Rules, crm: Crm, *, note: str = "", **told: str) -> None:
    """Write the page, readable by its owner alone. `told` are org, old_rules, new_rules; `note` what else to know."""
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        files("sync.trial").joinpath("page.html.j2").read_text(encoding="utf-8")
    )
    page = template.render(
        plotly=get_plotlyjs(),
        today=found.today,
        note=note,
        tiles=list(_tiles(found, crm)),
        sections=list(_sections(found, rules, crm)),
        **told,
    )
    write_whole(path, page.encode())


def _tiles(found: Comparison, crm: Crm) -> Iterator[dict[str, str]]:
    for name, frame in found.records.items():
        moved = int((frame["tier_old"] != frame["tier_new"]).sum())
        share = f"{100 * moved / max(len(frame), 1):.0f} %"
        yield {
            "number": f"{moved:,}",
            "text": f"of {len(frame):,} {crm.nouns[name].many} change tier ({share})",
        }
    accounts = found.records["account"]
    moved = int((accounts["segment_old"] != accounts["segment_new"]).sum())
    yield {"number": f"{moved:,}", "text": f"{crm.nouns['account'].many} change segment"}
    tasks = found.tasks
    yield {
        "number": f"{tasks['old'].sum():,} → {tasks['new'].sum():,}",
        "text": "new tasks on a day like this",
    }


def _sections(found: Comparison, rules: Rules, crm: Crm) -> Iterator[Section]:
    names = {name: crm.nouns[name].many for name in found.records}
    tiers = {name: found.matrix(name) for name in found.records}
    yield Section(
        "Tiers, now and then",
        [_drawn(charts.shares({names[name].capitalize(): matrix for name, matrix in tiers.items()}))],
    )
    yield Section(
        "Who moves where",
        [_drawn(charts.moves(matrix, names[name].capitalize())) for name, matrix in tiers.items()]
        + [_drawn(charts.moves(found.matrix("account", "segment"), "Segments"))],
        text="From the row to the column. What stays is pale.",
    )
    yield Section(
        "Segments, then",
        [_drawn(charts.segment_map(found.records["account"], rules.segments))],
        text="Expected spend crossed with growth potential, as the new rules see them; dotted lines are their cuts.",
    )
    for name, many in names.items():
        moved = found.moved(name)
        if len(moved):
            yield _movers(many, moved)
    for name, many in names.items():
        yield _owners(many, found.owners(name))
    if len(found.tasks):
        yield Section("New tasks by owner and day, then", [_drawn(charts.tasks(found.tasks))])


def _movers(many: str, moved: pd.DataFrame) -> Section:
    top = moved.head(_LONGEST)
    rows = zip(*(top[name] for name in ("name", "owner", "tier_old", "tier_new")), strict=True)
    scores = zip(*(top[f"score_{when}"] for when in ("old", "new")), strict=True)
    why = zip(*(top[f"reason_{when}"].fillna("") for when in ("old", "new")), strict=True)
    return Section(
        f"Biggest movers: {many}",
        [_drawn(charts.movers(moved))],
        text=f"{len(moved):,} {many} change tier, segment or score.",
        columns=("name", "owner", "tier", "score", "why now", "why then"),
        rows=tuple(
            (name, owner, f"{old} → {new}", " → ".join(whole(one, "-") for one in score), *reasons)
            for (name, owner, old, new), score, reasons in zip(rows, scores, why, strict=True)
        ),
    )


def _owners(many: str, counted: pd.DataFrame) -> Section:
    ranked = counted.sort_values(["moved", "owner"], ascending=[False, True]).head(_LONGEST)
    columns = ("A_old", "A_new", "money_A_old", "money_A_new", "moved")
    heads = ("A now", "A then", "money in A now", "money in A then", "change tier")
    return Section(
        f"Owners: {many} in tier A",
        [_drawn(charts.owners(counted))],
        columns=("owner", *heads),
        rows=tuple(
            (owner, *(whole(number) for number in numbers))
            for owner, *numbers in zip(ranked["owner"], *(ranked[name] for name in columns), strict=True)
        ),
        numbers=heads,
    )


def _drawn(figure: go.Figure) -> str:
    """A chart as HTML that uses the page's own copy of plotly."""
    drawn: str = to_html(
        figure, include_plotlyjs=False, full_html=False, config={"displayModeBar": False, "responsive": True}
    )
    return drawn
