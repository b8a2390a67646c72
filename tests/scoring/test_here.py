"""The engine of this process: several buckets at once, and nothing else of it shows."""

from __future__ import annotations

import threading

import pyarrow as pa
import pytest

from scoring import read_book
from scoring.engine import HERE, TOGETHER


def test_results_come_in_order_while_others_are_under_way():
    """The first bucket waits for the second to begin: alone, one after the other, it would wait for ever."""
    begun = threading.Event()

    def work(number: int, *, twice: int) -> int:
        if number == 1:
            begun.set()
        elif number == 0:
            assert begun.wait(30)
        return number * twice

    assert list(HERE.each(work, range(9), twice=2)) == [0, 2, 4, 6, 8, 10, 12, 14, 16]


def test_no_more_buckets_are_opened_than_fit():
    """A result that nobody has looked at yet holds its bucket in memory."""
    opened: list[int] = []
    results = HERE.each(lambda number: number, (opened.append(one) or one for one in range(9)))
    for looked_at in range(9):
        assert next(results) == looked_at
        assert len(opened) <= looked_at + 1 + TOGETHER


def test_an_error_in_a_bucket_ends_the_book():
    """Nothing is scored without one of its buckets."""
    with pytest.raises(ZeroDivisionError):
        list(HERE.each(lambda number: 1 // (3 - number), range(9)))


def test_what_is_wrong_with_a_bucket_is_told_while_another_is_being_read(company):
    """The other's database is busy at that moment, and has no say in it."""
    company.crowd()
    opening = threading.Event()
    many = {name: pa.concat_tables([table] * 20_000) for name, table in company.tables().items()}

    def bad():
        assert opening.wait(30)
        sum(range(500_000))  # meanwhile the other begins to read
        raise ZeroDivisionError

    def good():
        opening.set()
        return many

    with pytest.raises(ZeroDivisionError):
        read_book([bad, good], company.rules, company.today)


def test_one_bucket_is_read_where_it_is_asked_for():
    """A small book needs no threads."""
    assert list(HERE.each(lambda _: threading.current_thread(), range(1))) == [threading.current_thread()]
