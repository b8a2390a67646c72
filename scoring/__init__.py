"""Who deserves a rep's time next: canonical tables in, tags with reasons out. No network, clock or files.

Three calls, each a pure function, over *buckets* (all records of an account lie in one bucket):

    book, parts = read_book(buckets, rules, today)            # what the whole book says; small, can be kept
    for part, kept in zip(parts, kept_states):                # one part for each bucket, in order
        tagged = tag(part, book, kept, rules, today)          # tiers, scores, reasons, tasks of one bucket

`read_book` takes an engine, which calls each of its steps once for each bucket: here, unless told otherwise.

An increment scores touched accounts against a kept book:
`tag(extract(tables, book.horizon, rules, today), book, kept, rules, today)`.
`explain(tagged, id)` tells where every point came from.
"""

from __future__ import annotations

from scoring.book import TIMES, Book, read_book
from scoring.engine import HERE, Engine
from scoring.explain import explain
from scoring.placing.state import STATE_SCHEMA
from scoring.reading.features import Features, Tables, extract
from scoring.reading.groups import kept_families
from scoring.tags import Tagged, tag

__all__ = [
    "HERE",
    "STATE_SCHEMA",
    "TIMES",
    "Book",
    "Engine",
    "Features",
    "Tables",
    "Tagged",
    "explain",
    "extract",
    "kept_families",
    "read_book",
    "tag",
]
