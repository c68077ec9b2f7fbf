"""Chunks: what is remembered under one key, in as many records of the state topic as it takes.

A broker takes records up to a size only, and a clause whose clock stands still may have more than that to remember.
A value of more than `CHUNK_BYTES` is cut: the record of its own key says how many chunks there are and holds the
first, the others lie beside it, under the key, a zero character and their number. The caller writes them in one
transaction, so readers of committed records see all of them or none. Bytes only; what they say is the judge's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import structlog

log = structlog.get_logger(__name__)

CHUNK_BYTES = 512 * 1024
"""Half of what brokers take unless they are told otherwise."""
_SEPARATOR = "\x00"
_COUNT_END = b"\n"


class Chunks:
    """The state records of one partition; remembers which keys lie there in more than one."""

    def __init__(self, largest: int = CHUNK_BYTES) -> None:
        self._largest = largest
        self._counts: dict[str, int] = {}
        self.lacking: dict[str, bytes] = {}
        """What is there of the values that lack a chunk, in order, by key."""

    def joined(self, table: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
        """Keys and whole values of the records that lie in the topic. What lacks a chunk is told in ``lacking``."""
        for key, value in table.items():
            owner, _, _ = key.rpartition(_SEPARATOR)
            if owner:
                if owner not in table:
                    self.lacking[owner] = self.lacking.get(owner, b"") + value
                continue
            count, _, first = value.partition(_COUNT_END)
            if not count.isdigit():
                yield key, value
                continue
            self._counts[key] = int(count)
            rest = [table.get(_name(key, number)) for number in range(1, int(count))]
            whole = [chunk for chunk in rest if chunk is not None]
            if len(whole) < len(rest):
                log.error("what is remembered of a clause lacks a chunk, so it begins anew", key=key)
                self.lacking[key] = first + b"".join(whole)
            else:
                yield key, first + b"".join(whole)

    def cut(self, changed: Mapping[str, bytes | None]) -> Iterator[tuple[str, bytes | None]]:
        """The records to write for values that changed, none larger than a chunk and its count; None deletes.

        A value begins with no digit (it is a JSON object or list), so that a count before it is told from it.
        """
        for key, value in changed.items():
            chunks = [] if value is None else self._chunks(value)
            before, count = self._counts.pop(key, 1), len(chunks)
            if count > 1:
                self._counts[key] = count
            yield key, chunks[0] if chunks else None
            for number in range(1, max(before, count)):
                yield _name(key, number), chunks[number] if number < count else None

    def _chunks(self, value: bytes) -> list[bytes]:
        chunks = [value[at : at + self._largest] for at in range(0, len(value), self._largest)]
        if len(chunks) > 1:
            chunks[0] = b"%d%b%b" % (len(chunks), _COUNT_END, chunks[0])
        return chunks


def _name(key: str, number: int) -> str:
    return f"{key}{_SEPARATOR}{number}"
