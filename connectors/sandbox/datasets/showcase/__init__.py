"""A readable book of 300 accounts to look at: a planted one with good names, and 21 accounts with stories."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.datasets.planted import planted
from connectors.sandbox.datasets.showcase.names import PEOPLE, company_names
from connectors.sandbox.datasets.showcase.stories import STORIES
from connectors.sandbox.datasets.showcase.telling import told

if TYPE_CHECKING:
    from connectors.sandbox.datasets.book import Book

DESCRIPTION = """Invented, names too. A seller of sensors, servers and service to 300 companies in five territories:
growth plans that are kept and broken, margins, line items, service requests, quotas, calls, e-mails and meetings,
partners, a rep who has left and one with too much to do. `notes` tells the stories."""

_ACCOUNTS, _OPPORTUNITIES, _SEED = 300, 2_200, 2026


def showcase() -> Book:
    """Always the same book."""
    base = planted(_ACCOUNTS - len(STORIES), _OPPORTUNITIES, _SEED)
    names = company_names(base.accounts["industry"].to_pylist())
    deals = base.opportunities
    titles = pc.binary_join_element_wise(
        pa.array(names).take(deals["account"]), base.products["name"].take(deals["product"]), ": "
    )
    named = replace(
        base,
        name="showcase",
        description=DESCRIPTION,
        owners=_renamed(base.owners, PEOPLE),
        accounts=_renamed(base.accounts, names),
        opportunities=_renamed(deals, titles),
        history=True,
    )
    return told(named, STORIES)


def _renamed(rows: pa.Table, names: Any) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index("name"), rows.schema.field("name"), [names])
