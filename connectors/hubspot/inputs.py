"""Changes as the inputs of batch calls: text cells by property, for each record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

# The value that empties a property; a property that is not named stays as it is.
EMPTY = ""


def inputs(rows: pa.Table, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Inputs from the rows of `changes.text_cells`; `names` has the property behind each canonical column."""
    columns = [rows[name].to_pylist() for name in names]
    cells = zip(*columns, strict=True) if columns else [()] * rows.num_rows
    hs_names = tuple(names.values())
    return [
        {
            "id": record_id,
            "properties": {name: cell for name, cell in zip(hs_names, row, strict=True) if cell is not None},
        }
        for record_id, row in zip(rows["id"].to_pylist(), cells, strict=True)
    ]
