"""ClickHouse's own compressed blocks are what its clients write and read."""

from __future__ import annotations

import importlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.clickhouse.compressed import BLOCK_BYTES, packed, unpacked
from stack.clickhouse.refusals import Refusal

# What the engine wrote to disk for the UInt64 column 0..99 of a TinyLog table: a block in ZSTD.
OF_THE_ENGINE = bytes.fromhex(
    "e5dbcb34dfd7f063f9085986ea1bcf31909c0000002003000028b52ffd6020024d0400e20c201210b8de0dfcffffffdf9955"
    "55555555c59602ffa244870a0d0af4a7cf9e3c77eacc89f3a6cd9a3467ca8c09f3a5cb962c57aa4c89f2a4c99224478a0c09"
    "f2a3c78e1c376acc88f1a2c58a14274a8c08f1a1c3860c172a4c88f0a0c18204070a0c08f0d7b79777573717f7d6b6967656"
    "3616f6d5b59575553515f5d4b4947474635402000301"
)
PLAIN_BLOCK = bytes.fromhex("020b00000002000000") + b"1\n"


def checksummed(block: bytes) -> bytes:
    checksum: int = importlib.import_module("clickhouse_cityhash.cityhash").CityHash128(block)
    return struct.pack("<QQ", checksum >> 64, checksum & (1 << 64) - 1) + block


def test_a_block_that_the_engine_wrote_is_read() -> None:
    assert b"".join(unpacked([OF_THE_ENGINE])) == b"".join(number.to_bytes(8, "little") for number in range(100))


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
