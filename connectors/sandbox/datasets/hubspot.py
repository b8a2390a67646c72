"""A book of business as a HubSpot portal would hold it: records with HubSpot's properties, numeric ids and links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from connectors.sandbox.datasets.book import Book


@dataclass(frozen=True, slots=True)
class Dataset:
    """HubSpot-shaped rows."""

    name: str
    today: date
    description: str


def load_dataset(name: str, book: Book | None = None) -> Dataset:
    """The data set of this name (see `load_book`) in HubSpot's shape; a book may be given instead."""
    raise NotImplementedError
