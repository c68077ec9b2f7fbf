from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.measure.dedup import Dedup, EveryId, RecentIds

batches = st.lists(st.lists(st.text(max_size=3), max_size=20), max_size=8)
told = st.lists(st.lists(st.tuples(st.text(max_size=2), st.integers(0, 2)), max_size=20), max_size=8)


def recent() -> Dedup:
    return RecentIds(contents=True)


@pytest.mark.parametrize("memory", [EveryId, RecentIds, recent])
@given(batches)
def test_each_id_is_fresh_at_its_first_place_only(memory: type[Dedup], ids: list[list[str]]) -> None:
    dedup, seen = memory(), set[str]()
    for batch in ids:
        expected = []
        for name in batch:
            expected.append(name not in seen)
            seen.add(name)
        assert dedup.fresh(pl.Series(batch, dtype=pl.String)).to_list() == expected


@pytest.mark.parametrize("memory", [EveryId, recent])
@given(told)
def test_what_comes_again_with_other_content_than_first_is_told(
    memory: type[Dedup], batches: list[list[tuple[str, int]]]
) -> None:
    dedup, seen = memory(), dict[str, int]()
    for batch in batches:
        fresh = [
            name not in seen and name not in [other for other, _ in batch[:n]] for n, (name, _) in enumerate(batch)
        ]
        other = [seen.setdefault(name, content) != content for name, content in batch]
        ids = pl.Series([name for name, _ in batch], dtype=pl.String)
        contents = pl.Series([content for _, content in batch], dtype=pl.UInt64)
        looked = dedup.look(ids, contents)
        assert (looked.fresh.to_list(), looked.other.to_list()) == (fresh, other)


def test_contents_are_kept_with_their_ids_while_others_come() -> None:
    capacity = 1 << 14
    dedup = RecentIds(capacity, contents=True)
    ids = pl.Series([f"id-{number}" for number in range(capacity // 4)])
    contents = pl.Series(range(len(ids)), dtype=pl.UInt64)
    assert dedup.look(ids, contents).fresh.all()
    assert not dedup.look(ids, contents).other.any()
    again = dedup.look(ids, contents + 1)
    assert (again.fresh | again.other).all()
    assert again.other.sum() >= len(ids) - len(ids) // 1000


def test_recent_ids_are_kept_while_others_come() -> None:
    capacity = 1 << 14
    dedup = RecentIds(capacity)
    ids = pl.Series([f"id-{number}" for number in range(capacity // 4)])
    assert dedup.fresh(ids).all()
    assert dedup.fresh(ids).sum() <= len(ids) // 1000


def test_memory_is_bounded_and_the_oldest_are_forgotten() -> None:
    dedup = RecentIds(1 << 10)
    first = pl.Series([f"first-{number}" for number in range(100)])
    dedup.fresh(first)
    for number in range(20):
        dedup.fresh(pl.Series([f"id-{number}-{other}" for other in range(1 << 10)]))
    assert dedup.fresh(first).sum() > 90
