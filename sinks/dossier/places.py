"""Places: the records of one topic partition in a dossier, as four files, and what they prove by themselves.

    ledger/<topic>/<partition>/checkpoint.txt   the signed head of the topic partition's tree
    ledger/<topic>/<partition>/records.txt      a line a record: the number of its leaf, a space, its bytes in base64
    ledger/<topic>/<partition>/siblings.txt     a line a part of the tree that is not shown: its hash in base64
    ledger/<topic>/<partition>/rows.jsonl       a line a record: what the bytes say, column by column

Read as a stream: nothing grows with the records. Pure, but for the files it is given.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from bus.partitions import Partition
from seamwatch.errors import ProofError
from sinks.ledger.format.disclosed import root_of_disclosed
from sinks.ledger.format.leaves import Entry, entry_bytes, read_entry
from sinks.ledger.format.merkle import leaf_hash

if TYPE_CHECKING:
    from sinks.dossier.typed import Reading

FILES: Final = ("checkpoint.txt", "records.txt", "siblings.txt", "rows.jsonl")
_FOLDER: Final = re.compile(r"ledger/([A-Za-z0-9._-]{1,249})/(0|[1-9][0-9]{0,8})")
_NUMBER: Final = re.compile(rb"0|[1-9][0-9]{0,18}")
_AT_ONCE: Final = 4_096


@dataclass(frozen=True, slots=True)
class Shown:
    """How much of a tree a dossier shows: records, and how many leaves it has beside them.

    ``between`` are those of them that lie between the first record and the last.
    """

    place: Partition
    size: int
    records: int
    between: int

    @property
    def beside(self) -> int:
        """The leaves that are not shown."""
        return self.size - self.records

    @property
    def said(self) -> dict[str, Any]:
        """It as an index says it."""
        topic, partition = self.place
        return {
            "topic": topic,
            "partition": partition,
            "leaves": self.size,
            "records": self.records,
            "not_shown": self.beside,
            "not_shown_between": self.between,
        }


def said(shown: Iterable[Shown]) -> list[dict[str, Any]]:
    """All of them as an index says them, in the order of their topic partitions."""
    return [each.said for each in sorted(shown, key=lambda each: each.place)]


def folder_of(place: Partition) -> str:
    """Where the files of a topic partition are."""
    return f"ledger/{place[0]}/{place[1]}"


def place_in(folder: str) -> Partition:
    """The topic partition of a folder. Raises ProofError where it is none's."""
    match = _FOLDER.fullmatch(folder)
    if match is None:
        raise ProofError(f"{folder}: is no folder of a topic partition")
    return match[1], int(match[2])


def record_line(index: int, entry: Entry) -> bytes:
    """A record as it stands in a file."""
    return b"%d %s\n" % (index, b64encode(entry_bytes(entry)))


def hash_line(value: bytes) -> bytes:
    """A hash as it stands in a file."""
    return b64encode(value) + b"\n"


def read_hashes(lines: Iterable[bytes], name: str) -> Iterator[bytes]:
    """The hashes of a file. Raises ProofError for a line that is none."""
    for line in lines:
        yield _decoded(line, name)


def read_records(lines: Iterable[bytes], place: Partition, name: str) -> Iterator[tuple[int, bytes, Entry]]:
    """Number, bytes and record of each line of a file.

    Raises ProofError for a line that is none, or of another topic partition.
    """
    for line in lines:
        number, _, encoded = line.partition(b" ")
        if not _NUMBER.fullmatch(number):
            raise ProofError(f"{name}: a line has no number of a leaf")
        content = _decoded(encoded, name)
        try:
            entry = read_entry(content)
        except ProofError as error:
            raise ProofError(f"{name}: leaf {int(number)}: {error}") from error
        if (entry.topic, entry.partition) != place:
            raise ProofError(f"{name}: leaf {int(number)} is of {entry.topic}/{entry.partition}")
        yield int(number), content, entry


class Place:
    """The check of one topic partition: first its root, then its rows."""

    def __init__(self, place: Partition, size: int, root: bytes) -> None:
        self._place = place
        self._size = size
        self._root = root
        self._folder = folder_of(place)
        self._records = 0
        self._first, self._last = 0, -1

    def prove(self, records: Iterable[bytes], hashes: Iterable[bytes]) -> Shown:
        """How much is shown of the tree. Raises ProofError when it does not come to the signed root."""
        siblings = read_hashes(hashes, f"{self._folder}/siblings.txt")
        try:
            root = root_of_disclosed(self._size, self._leaves(records), siblings)
        except ProofError as error:
            raise ProofError(self._named(str(error))) from error
        if root != self._root:
            raise ProofError(
                f"{self._folder}: records.txt and siblings.txt do not come to the root in checkpoint.txt: "
                "a record or a hash is not what was signed for"
            )
        between = self._last - self._first + 1 - self._records
        return Shown(self._place, self._size, self._records, between)

    def compare(self, records: Iterable[bytes], rows: Iterable[bytes], table: str, reading: Reading) -> None:
        """Raise ProofError for the first row that is not what the bytes of its record say, or of no record."""
        name = f"{self._folder}/rows.jsonl"
        entries = (entry for _, _, entry in read_records(records, self._place, f"{self._folder}/records.txt"))
        shown = iter(rows)
        while some := list(islice(entries, _AT_ONCE)):
            for entry, expected in zip(some, reading.lines(table, some), strict=True):
                line = next(shown, b"")
                if line not in (expected, reading.earlier(table, entry) if line != expected else expected):
                    raise ProofError(f"{name}: the row of offset {entry.offset} is not what its record says")
        if next(shown, None) is not None:
            raise ProofError(f"{name}: has a row of no record")

    def _leaves(self, records: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        for index, content, _ in read_records(records, self._place, f"{self._folder}/records.txt"):
            if not self._records:
                self._first = index
            self._records, self._last = self._records + 1, index
            yield index, leaf_hash(content)

    def _named(self, said: str) -> str:
        return said if said.startswith(self._folder) else f"{self._folder}: {said}"


def _decoded(line: bytes, name: str) -> bytes:
    try:
        found = b64decode(line.removesuffix(b"\n"), validate=True)
    except (NotBase64, ValueError):
        found = b""
    # Other bits in the padding would make a second text of the same bytes.
    if not found or b64encode(found) + b"\n" != line:
        raise ProofError(f"{name}: a line is not what it should be there, in base64")
    return found
