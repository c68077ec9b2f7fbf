"""Marks: what is written is read back, there is always room for it, and nothing that is needed is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.page.marks import Mark, mark_of, read, written

OFFSETS = st.sets(st.integers(0, 10**12), max_size=2_000)


@given(st.integers(0, 10**12), OFFSETS)
def test_a_mark_is_read_back_fits_and_covers_what_is_needed(position: int, needed: set[int]) -> None:
    mark = mark_of(position, needed)
    text = written(mark)
    assert len(text) <= 4_096
    assert read(mark.position, text) == mark
    assert all(offset in mark.needed or offset >= mark.position for offset in needed)
    assert mark.position <= position


def test_with_room_for_all_it_is_read_from_where_it_was_to_be() -> None:
    assert mark_of(100, {7, 3, 100, 250}) == Mark(100, (3, 7))
    assert mark_of(5, ()) == Mark(5)


def test_without_room_it_is_read_from_the_first_that_is_left_out() -> None:
    needed = [number * 10**6 for number in range(3_000)]
    mark = mark_of(10**11, needed)
    assert 0 < len(mark.needed) < 3_000
    assert mark.position == needed[len(mark.needed)]


@pytest.mark.parametrize("metadata", [None, "", "2,3", "1,!", "anything"])
def test_what_is_no_mark_of_ours_is_none(metadata: str | None) -> None:
    assert read(7, metadata) is None
    assert read(-1001, "1") is None
