"""A partition's name, and which one a key belongs to, as Kafka's Java partitioner and librdkafka's say.

The latter's ``murmur2_random``, that is. Asks no broker.
"""

from __future__ import annotations

Partition = tuple[str, int]
"""A topic and one of its partitions."""

_M = 0x5BD1E995
_SEED = 0x9747B28C
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The 32-bit murmur2 hash that Kafka partitions by."""
    length = len(data)
    h = (_SEED ^ length) & _MASK
    whole = length & ~3
    for start in range(0, whole, 4):
        k = int.from_bytes(data[start : start + 4], "little") * _M & _MASK
        k = (k ^ (k >> 24)) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if length & 3:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ (h >> 13)) * _M & _MASK
    return h ^ (h >> 15)


def partition_of(key: str, partitions: int) -> int:
    """The partition, of so many, that records with this key go to."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
