"""ClickHouse's own compressed blocks, as `compress=1` and `decompress=1` of its HTTP interface ask for them.

A block is 16 bytes of checksum (CityHash128 in the version that ClickHouse froze, over all that follows), one byte of
method, the packed size with these 9 bytes and the plain size (both 32 bits, little-endian), then the packed bytes.
Packs and unpacks bytes; whole streams in standard encodings (gzip, lz4, zstd) are `stack.clickhouse.http_request`'s.
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Iterable, Iterator
from typing import Any, Final

from stack.clickhouse.refusals import Refusal

BLOCK_BYTES: Final = 1024 * 1024
# What one block of a client may unpack to: ClickHouse's own bound.
MAX_PLAIN_BYTES: Final = 1024 * 1024 * 1024
_CHECKSUM: Final = 16
_HEAD: Final = struct.Struct("<BII")
_HALVES: Final = struct.Struct("<QQ")
_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90


def packed(plain: bytes) -> Iterator[bytes]:
    """Blocks of LZ4 that hold ``plain``, each of at most ``BLOCK_BYTES`` of it."""
    lz4 = importlib.import_module("lz4.block")
    for start in range(0, len(plain), BLOCK_BYTES):
        piece = plain[start : start + BLOCK_BYTES]
        body: bytes = lz4.compress(piece, store_size=False)
        block = _HEAD.pack(_LZ4, _HEAD.size + len(body), len(piece)) + body
        yield _checksum(block) + block


def unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The plain bytes of a stream of blocks, however it is cut.

    Raises Refusal for a checksum that does not hold, a method other than none, LZ4 and ZSTD, and a stream that ends in
    the middle of a block.
    """
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while (size := _whole(waiting)) is not None:
            block = bytes(waiting[:size])
            del waiting[:size]
            yield _plain(block)
    if waiting:
        raise Refusal(33, "CANNOT_READ_ALL_DATA", "The body ends in the middle of a compressed block")


def _whole(waiting: bytearray) -> int | None:
    # The length of the first block when all of it is there.
    if len(waiting) < _CHECKSUM + _HEAD.size:
        return None
    _, size, plain = _HEAD.unpack_from(waiting, _CHECKSUM)
    if size < _HEAD.size or size > MAX_PLAIN_BYTES or plain > MAX_PLAIN_BYTES:
        raise Refusal(271, "CANNOT_DECOMPRESS", f"A compressed block of {size} bytes, {plain} unpacked, is no block")
    return _CHECKSUM + int(size) if len(waiting) >= _CHECKSUM + size else None


def _plain(block: bytes) -> bytes:
    checked, body = block[_CHECKSUM:], block[_CHECKSUM + _HEAD.size :]
    if _checksum(checked) != block[:_CHECKSUM]:
        raise Refusal(40, "CHECKSUM_DOESNT_MATCH", "Checksum doesn't match: corrupted data in a compressed block")
    method, _, size = _HEAD.unpack_from(checked)
    if method == _NONE:
        plain = body
    elif method == _LZ4:
        plain = _unpack_lz4(body, size)
    elif method == _ZSTD:
        plain = _unpack_zstd(body)
    else:
        raise Refusal(89, "UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method {method:#04x}")
    if len(plain) != size:
        raise Refusal(271, "CANNOT_DECOMPRESS", f"A compressed block holds {len(plain)} bytes and says {size}")
    return plain


def _unpack_lz4(body: bytes, size: int) -> bytes:
    lz4 = importlib.import_module("lz4.block")
    try:
        plain: bytes = lz4.decompress(body, uncompressed_size=size)
    except lz4.LZ4BlockError as error:
        raise Refusal(271, "CANNOT_DECOMPRESS", f"A compressed block is not LZ4: {error}") from error
    return plain


def zstd() -> Any:
    """Python's module for ZSTD."""
    try:
        return importlib.import_module("compression.zstd")  # Python 3.14 brings its own
    except ImportError:
        return importlib.import_module("backports.zstd")


def _unpack_zstd(body: bytes) -> bytes:
    module = zstd()
    try:
        plain: bytes = module.decompress(body)
    except module.ZstdError as error:
        raise Refusal(271, "CANNOT_DECOMPRESS", f"A compressed block is not ZSTD: {error}") from error
    return plain


def _checksum(block: bytes) -> bytes:
    number: int = importlib.import_module("clickhouse_cityhash.cityhash").CityHash128(block)
    # ClickHouse writes the upper half first.
    return _HALVES.pack(number >> 64, number & (1 << 64) - 1)
