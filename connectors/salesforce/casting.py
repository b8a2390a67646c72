"""How Salesforce writes values: ids in two lengths, and references to one of several objects."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from connectors import casting
from connectors.casting import LONGEST_TEXT, Casting, local_days, require, texts
from connectors.salesforce.fields import KEY_PREFIXES
from connectors.salesforce.ids import SHAPE, long_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.casting import Converter
    from connectors.contract import Page

__all__ = ["LONGEST_TEXT", "cast_records"]


def cast_records(
    object_name: str, columns: Sequence[str], cells: Mapping[str, pa.Array], timezone: str = ""
) -> Page:
    """Typed records from columns of bytes; a column that is not among the cells is null in every row.

    With a time zone, a date column may hold moments, too.
    """
    if not timezone:
        return casting.cast_records(object_name, columns, cells, _SALESFORCE)
    dated = replace(_SALESFORCE, others={pa.date32(): lambda cells: local_days(cells, timezone)})
    return casting.cast_records(object_name, columns, cells, dated)


def _key_ids(cells: pa.Array) -> pa.Array:
    ids = texts(cells)
    require(pc.match_substring_regex(ids, SHAPE.pattern))
    return long_ids(ids)


def _reference(object_name: str, column: str) -> Converter:
    return partial(_references, prefix=KEY_PREFIXES.get((object_name, column), ""))


def _references(cells: pa.Array, prefix: str) -> pa.Array:
    ids = long_ids(texts(cells))
    return pc.if_else(pc.starts_with(ids, prefix), ids, None) if prefix else ids


_SALESFORCE = Casting(_key_ids, _reference)
