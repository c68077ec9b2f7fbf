"""The bytes of a leaf: records that differ have different ones; one by one or in bulk they are the same."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from sinks.columns import BROKER_TIME, HEADERS
from sinks.ledger.format.leaves import Entry, entry_bytes, leaf_hashes, read_entry
from sinks.ledger.format.merkle import leaf_hash

BYTES = st.none() | st.binary(max_size=6)
ENTRIES = st.builds(
    Entry,
    topic=st.sampled_from(["a", "ab", "t.é"]),
    partition=st.integers(0, 2**31 - 1),
    offset=st.integers(0, 2**62),
    timestamp=st.integers(-1, 4_000_000_000_000),
    key=BYTES,
    value=BYTES,
    headers=st.lists(st.tuples(st.text(max_size=3), BYTES), max_size=2).map(tuple),
)


@given(ENTRIES)
def test_the_bytes_tell_everything_back_so_that_no_two_records_share_them(entry: Entry) -> None:
    assert read_entry(entry_bytes(entry)) == entry


@given(st.lists(ENTRIES, min_size=1, max_size=4))
def test_hashes_in_bulk_are_those_one_by_one(entries: list[Entry]) -> None:
    rows = pl.DataFrame(
        {
            "offset": pl.Series([e.offset for e in entries], dtype=pl.Int64),
            "broker_time": pl.Series([e.timestamp for e in entries], dtype=pl.Int64).cast(BROKER_TIME),
            "key": pl.Series([e.key for e in entries], dtype=pl.Binary),
            "headers": pl.Series([[{"key": k, "value": v} for k, v in e.headers] for e in entries], dtype=HEADERS),
            "raw": pl.Series([e.value for e in entries], dtype=pl.Binary),
        }
    )
    each = [leaf_hash(entry_bytes(Entry("t", 7, e.offset, e.timestamp, e.key, e.value, e.headers))) for e in entries]
    assert leaf_hashes("t", 7, rows) == b"".join(each)


def test_the_layout_is_the_documented_one() -> None:
    entry = Entry("t.x", 1, 2, 3, key=b"k", value=None, headers=(("h", b"v"),))
    assert entry_bytes(entry).hex() == (
        "01" "0003742e78" "00000001" "0000000000000002" "0000000000000003" "00000001" "0000000a" "ffffffff"
        "6b" "00000001680000000176"
    )  # fmt: skip
