from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.dedup import Dedup, EveryId, RecentIds

batches = st.lists(st.lists(st.text(max_size=3), max_size=20), max_size=8)


@pytest.mark.parametrize("memory", [EveryId, RecentIds])
@given(batches)
def test_each_id_is_fresh_at_its_first_place_only(memory: type[Dedup], ids: list[list[str]]) -> None:
    dedup, seen = memory(), set[str]()
    for batch in ids:
        expected = []
        for name in batch:
            expected.append(name not in seen)
            seen.add(name)
        assert dedup.fresh(pl.Series(batch, dtype=pl.String)).to_list() == expected


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
