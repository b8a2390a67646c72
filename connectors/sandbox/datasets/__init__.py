"""The sandbox's data: public sets and a generator, first as a CRM-neutral book, then in a CRM's shape."""

from __future__ import annotations

from connectors.sandbox.datasets.book import Book, load_book
from connectors.sandbox.datasets.salesforce import Dataset, load_dataset

__all__ = ["Book", "Dataset", "load_book", "load_dataset"]
