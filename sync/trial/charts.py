"""The charts of a comparison of rules: tier shares, moves, segment map, movers, owners, tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from config.outputs import SEGMENTS, TIERS

if TYPE_CHECKING:
    import pandas as pd

    from config.sections.tiers import Segments

# Okabe and Ito's colours, which colour-blind people can tell apart.
_TIER_COLOURS = dict(zip(TIERS, ("#0072B2", "#56B4E9", "#E69F00", "#BBBBBB"), strict=True))
_SEGMENT_COLOURS = dict(zip(SEGMENTS, ("#009E73", "#0072B2", "#E69F00", "#999999"), strict=True))
_NOW, _THEN = "#BBBBBB", "#0072B2"
# More points than this hide each other, and make the page heavy: then counts are drawn.
MOST_POINTS = 3_000
_MOVERS, _OWNERS = 15, 25


def shares(matrices: dict[str, pd.DataFrame]) -> go.Figure:
    """Tier shares of each object, now and then, as bars to 100 %."""
    rows = [
        (f"{name}, {when}", counts) for name, matrix in matrices.items() for when, counts in _sides(matrix)
    ]
    names = [tier for tier in (*TIERS, "none") if any(tier in counts.index for _, counts in rows)]
    bars = [
        go.Bar(
            name=tier,
            y=[label for label, _ in rows],
            x=[100 * counts.get(tier, 0) / max(counts.sum(), 1) for _, counts in rows],
            customdata=[int(counts.get(tier, 0)) for _, counts in rows],
            hovertemplate=f"%{{y}}: %{{customdata:,}} in {tier} (%{{x:.1f}} %)<extra></extra>",
            orientation="h",
            marker_color=_TIER_COLOURS.get(tier, "#EEEEEE"),
        )
        for tier in names
    ]
    figure = _figure(bars, height=90 + 45 * len(rows), barmode="stack", x_title="percent of the book")
    figure.update_yaxes(autorange="reversed")
    return figure


def _sides(matrix: pd.DataFrame) -> tuple[tuple[str, pd.Series], ...]:
    return ("now", matrix.sum(axis=1)), ("then", matrix.sum(axis=0))


def moves(matrix: pd.DataFrame, title: str) -> go.Figure:
    """A migration matrix: from rows to columns. What stays lies on the diagonal and is left pale."""
    off = matrix.to_numpy(copy=True)
    for place in range(len(off)):
        off[place, place] = 0
    heat = go.Heatmap(
        z=off.tolist(),
        x=[f"{name}<br>then" for name in matrix.columns],
        y=[f"{name} now" for name in matrix.index],
        text=[[f"{count:,}" if count else "" for count in row] for row in matrix.to_numpy()],
        texttemplate="%{text}",
        colorscale=[[0, "#F4F6F8"], [1, "#0072B2"]],
        showscale=False,
        hovertemplate="%{y} → %{x}: %{text}<extra></extra>",
    )
    figure = _figure([heat], height=130 + 50 * len(matrix))
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(tickangle=0)
    figure.update_layout(title={"text": title, "font": {"size": 15}}, margin_t=40)
    return figure


def segment_map(accounts: pd.DataFrame, cuts: Segments) -> go.Figure:
    """Where each account lies: expected spend across, growth potential up, coloured by its new segment."""
    scored = accounts[accounts["segment_new"].isin(SEGMENTS)]
    drawn = _points(scored) if len(scored) <= MOST_POINTS else [_density(scored)]
    figure = _figure(drawn, height=520, x_title="expected spend, rank in the book", y_title="growth score")
    figure.update_xaxes(range=[-2, 102])
    figure.update_yaxes(range=[-2, 102])
    figure.add_vline(cuts.expected_spend, line_dash="dot", line_color="#666666")
    figure.add_hline(cuts.growth, line_dash="dot", line_color="#666666")
    return figure


def _points(scored: pd.DataFrame) -> list[go.Scatter]:
    return [
        go.Scatter(
            name=segment,
            mode="markers",
            x=part["rank"].tolist(),
            y=part["growth_score_new"].tolist(),
            text=part["name"].tolist(),
            customdata=part[["owner", "tier_new", "segment_old"]].to_numpy().tolist(),
            hovertemplate="%{text}<br>%{customdata[0]}, tier %{customdata[1]}"
            "<br>now in %{customdata[2]}<extra></extra>",
            marker={"color": _SEGMENT_COLOURS[segment], "size": 8, "opacity": 0.75},
        )
        for segment in SEGMENTS
        if len(part := scored[scored["segment_new"] == segment])
    ]


def _density(scored: pd.DataFrame) -> go.Heatmap:
    """How many accounts lie in each field of two by two points; counted here, so that the page stays small."""
    middles = np.arange(1, 102, 2)
    places = scored[["growth_score_new", "rank"]].to_numpy(np.int64) // 2
    counts = np.bincount(places @ [len(middles), 1], minlength=len(middles) ** 2).reshape(len(middles), -1)
    return go.Heatmap(
        x=middles.tolist(),
        y=middles.tolist(),
        z=np.where(counts, counts, np.nan).tolist(),
        colorscale="Blues",
        colorbar_title="accounts",
        hovertemplate="%{z:,} accounts<extra></extra>",
    )


def movers(moved: pd.DataFrame) -> go.Figure:
    """The biggest movers: from the score now to the score then."""
    top = moved.dropna(subset=["score_old", "score_new"]).head(_MOVERS)
    lines: list[Any] = [
        go.Scatter(
            x=[row.score_old, row.score_new],
            y=[row.label, row.label],
            mode="lines",
            line={"color": "#CCCCCC", "width": 3},
            showlegend=False,
            hoverinfo="skip",
        )
        for row in _labelled(top).itertuples()
    ]
    labelled = _labelled(top)
    ends = [
        go.Scatter(
            name=word,
            x=labelled[f"score_{when}"].tolist(),
            y=labelled["label"].tolist(),
            mode="markers+text",
            text=labelled[f"tier_{when}"].tolist(),
            # Outside of the line between the two, so that near ends do not hide each other's letters.
            textposition=np.where(
                labelled[f"score_{when}"] < labelled[f"score_{other}"], "middle left", "middle right"
            ).tolist(),
            marker={"color": colour, "size": 11},
            hovertemplate=f"%{{y}}<br>score {word}: %{{x}}<extra></extra>",
        )
        for when, other, word, colour in (("old", "new", "now", _NOW), ("new", "old", "then", _THEN))
    ]
    figure = _figure([*lines, *ends], height=120 + 34 * len(top), x_title="score")
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(range=[-6, 106])  # room for the letters
    return figure


def _labelled(top: pd.DataFrame) -> pd.DataFrame:
    """Names that tell rows apart, also where two companies are called the same."""
    twins = top["name"].duplicated(keep=False)
    return top.assign(label=top["name"].where(~twins, top["name"] + " (" + top["id"] + ")"))


def owners(counted: pd.DataFrame) -> go.Figure:
    """Tier A of each owner, now and then; the owners with the largest change."""
    top = counted.assign(far=(counted["A_new"] - counted["A_old"]).abs(), much=counted["A_new"])
    top = top.sort_values(["far", "much", "owner"], ascending=[False, False, True]).head(_OWNERS)
    bars = [
        go.Bar(
            name=word,
            y=top["owner"].tolist(),
            x=top[f"A_{when}"].tolist(),
            customdata=top[f"money_A_{when}"].tolist(),
            orientation="h",
            marker_color=colour,
            hovertemplate=f"%{{y}}, {word}: %{{x}} in tier A, worth %{{customdata:,.0f}}<extra></extra>",
        )
        for when, word, colour in (("old", "now", _NOW), ("new", "then", _THEN))
    ]
    figure = _figure(bars, height=110 + 34 * len(top), barmode="group", x_title="in tier A")
    figure.update_yaxes(autorange="reversed")
    return figure


def tasks(load: pd.DataFrame) -> go.Figure:
    """New tasks of each owner and day under the new rules; the owners with the most."""
    table = load.pivot_table(index="owner", columns="due", values="new", aggfunc="sum", fill_value=0)
    table = table.loc[table.sum(axis=1).sort_values(ascending=False, kind="stable").index[:_OWNERS]]
    heat = go.Heatmap(
        z=table.to_numpy().tolist(),
        x=[f"{day:%a %d %b}" for day in table.columns],
        y=table.index.tolist(),
        texttemplate="%{z}",
        colorscale=[[0, "#F4F6F8"], [1, "#E69F00"]],
        showscale=False,
        hovertemplate="%{y}, %{x}: %{z} tasks<extra></extra>",
    )
    figure = _figure([heat], height=110 + 30 * len(table))
    figure.update_yaxes(autorange="reversed")
    return figure


def _figure(
    traces: list[Any], *, height: int, x_title: str = "", y_title: str = "", barmode: str | None = None
) -> go.Figure:
    figure = go.Figure(traces)
    figure.update_layout(
        template="plotly_white",
        height=height,
        margin={"l": 10, "r": 20, "t": 20, "b": 40},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        xaxis={"title": x_title, "automargin": True},
        yaxis={"title": y_title, "automargin": True, "ticksuffix": " "},
        barmode=barmode,
        font={"family": "system-ui, sans-serif", "size": 14},
    )
    return figure
