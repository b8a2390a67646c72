"""Which records share a batch."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.hubspot.lanes import lanes

PARENTS = st.lists(st.one_of(st.none(), st.sampled_from("abcdefg")), max_size=60)


@given(PARENTS, st.integers(1, 8))
def test_each_record_is_sent_once_in_a_batch_that_is_not_too_large(parents, size) -> None:
    """Whatever the families."""
    batches = [batch for lane in lanes(parents, size) for batch in lane]
    assert sorted(place for batch in batches for place in batch) == list(range(len(parents)))
    assert all(1 <= len(batch) <= size for batch in batches)


@given(PARENTS, st.integers(1, 8))
def test_records_of_one_parent_are_never_in_two_lanes(parents, size) -> None:
    """Lanes are in flight at once; batches of a lane follow each other."""
    for parent in set(parents) - {None}:
        holding = [
            lane
            for lane in lanes(parents, size)
            if any(parents[place] == parent for batch in lane for place in batch)
        ]
        assert len(holding) == 1


@given(st.lists(st.integers(1, 30), min_size=1, max_size=80))
def test_batches_are_full_although_families_stay_together(sizes) -> None:
    """With single records to fill the gaps there is no batch more than must be."""
    parents: list[str | None] = [str(number) for number, size in enumerate(sizes) for _ in range(size)]
    parents += [None] * 100 * len(sizes)
    batches = [batch for lane in lanes(parents, 100) for batch in lane]
    assert len(batches) == -(-len(parents) // 100)
