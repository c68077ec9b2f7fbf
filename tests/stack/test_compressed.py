"""ClickHouse's own compressed blocks are what its clients write and read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.compressed import BLOCK_BYTES, packed, unpacked
from stack.refusals import Refusal

# A block that ClickHouse 26 itself sent for `SELECT 1 FORMAT TSV` would do as well; this is the same text by its rules:
# no compression, so the checksum is the only thing that is not plain to see.
PLAIN_BLOCK = bytes.fromhex("020b00000002000000") + b"1\n"


def checksummed(block: bytes) -> bytes:
    from clickhouse_cityhash.cityhash import CityHash128  # type: ignore[import-untyped]

    return int(CityHash128(block)).to_bytes(16, "little") + block


@given(st.binary(max_size=5000), st.integers(1, 700))
def test_what_was_packed_comes_out_however_it_is_cut(plain: bytes, step: int) -> None:
    stream = b"".join(packed(plain))
    pieces = [stream[start : start + step] for start in range(0, len(stream), step)]
    assert b"".join(unpacked(pieces)) == plain


def test_a_long_answer_is_several_blocks() -> None:
    plain = bytes(range(256)) * (BLOCK_BYTES // 100)
    blocks = list(packed(plain))
    assert len(blocks) == 3
    assert b"".join(unpacked([b"".join(blocks)])) == plain


def test_blocks_without_compression_are_read() -> None:
    assert b"".join(unpacked([checksummed(PLAIN_BLOCK)])) == b"1\n"


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (checksummed(PLAIN_BLOCK)[:-1], 33),
        (checksummed(PLAIN_BLOCK)[:5], 33),
        (checksummed(PLAIN_BLOCK)[:-1] + b"x", 40),
        (checksummed(b"\x77" + PLAIN_BLOCK[1:]), 89),
        (checksummed(b"\x82" + PLAIN_BLOCK[1:]), 271),
        (checksummed(b"\x90" + PLAIN_BLOCK[1:]), 271),
        (bytes(16) + b"\x82" + b"\xff" * 8, 271),
        (bytes(16) + b"\x82" + b"\x01\x00\x00\x00" * 2, 271),
    ],
)
def test_what_is_no_block_is_refused(stream: bytes, code: int) -> None:
    with pytest.raises(Refusal) as refused:
        list(unpacked([stream]))
    assert refused.value.code == code


def test_a_changed_bit_never_passes() -> None:
    stream = next(iter(packed(b"some answer of a store" * 20)))
    for place in range(len(stream)):
        changed = bytearray(stream)
        changed[place] ^= 4
        with pytest.raises(Refusal):
            list(unpacked([bytes(changed)]))
