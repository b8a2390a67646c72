"""Tell where each point of a score came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from scoring.saying.details import account_details, deal_details

if TYPE_CHECKING:
    from scoring.tags import Tagged

EXPLAIN_SCHEMA = pa.schema(
    [
        ("object", pa.string()),
        ("id", pa.string()),
        ("dimension", pa.string()),
        ("item", pa.string()),
        ("points", pa.int64()),
        ("detail", pa.string()),
    ]
)


def explain(tagged: Tagged, record_id: str) -> pa.Table:
    """The contributions to each score of one account or open deal, in `EXPLAIN_SCHEMA`.

    Dimensions are priority, win (the chance of winning a deal), likelihood and growth; within each the base comes
    first, then the strongest items.
    `detail` says what the item saw. The points of a dimension add up exactly to the shown score. An unknown id,
    or a record that is not scored, gives no rows.
    """
    rows: list[tuple[str, str, str, str, int, str]] = []
    for object_name, points, details in (
        ("account", tagged.account_points, account_details),
        ("opportunity", tagged.opportunity_points, deal_details),
    ):
        row = pc.index(points["id"], record_id).as_py()
        if row >= 0:
            said = details(tagged, row)
            for name in points.column_names[1:]:
                dimension, item = name.split(":", 1)
                number = points[name][row].as_py()
                if number is not None and (number != 0 or name in said):
                    rows.append((object_name, record_id, dimension, item, number, said.get(name, "")))
    rows.sort(key=_order)
    return pa.table([list(column) for column in zip(*rows, strict=True)] or [[]] * 6, schema=EXPLAIN_SCHEMA)


_DIMENSIONS = ("priority", "win", "likelihood", "growth")


def _order(row: tuple[str, str, str, str, int, str]) -> tuple[str, int, bool, int, str]:
    object_name, _, dimension, item, points, _ = row
    return (object_name, _DIMENSIONS.index(dimension), item != "base", -abs(points), item)
