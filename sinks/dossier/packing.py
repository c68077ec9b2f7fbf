"""Packing: the records of a dossier from the store into its archive, topic partition by topic partition, with proofs.

SELECT only. Rows go through files, some at a time, so memory does not grow with them. What does not come to the signed
roots is refused before it is handed out, by the very check that its reader makes.
"""

from __future__ import annotations

import re
import tempfile
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import polars as pl

from bus.partitions import Partition
from seamwatch.errors import ProofError, SeamwatchError, UndecodableRecord
from seamwatch.sealing import KEY_ID_SIZE, PREFIX
from seamwatch.wire.framing import split
from sinks.dossier.container import Member, Packing
from sinks.dossier.places import Place, Shown, folder_of, hash_line, record_line
from sinks.dossier.positions import stretches
from sinks.dossier.typed import Reading, is_own, row_lines, types_of
from sinks.dossier.values import line
from sinks.ledger.evidence import DefinitionOf
from sinks.ledger.format.disclosed import Undisclosed
from sinks.ledger.format.leaves import Entry
from sinks.ledger.format.merkle import Span, span_root
from sinks.ledger.format.tiles import node
from sinks.ledger.rows import LEAF_COLUMNS, windowed_tile_reader
from sinks.store.client import Store
from sinks.store.conditions import of_place

_SEALED: Final = re.compile(re.escape(PREFIX).encode() + rb"([A-Za-z0-9_-]{24})")


@dataclass(slots=True)
class Counts:
    """What was packed: rows by table, those that no checkpoint covers yet, sealed values, and by erased key."""

    rows: Counter[str] = field(default_factory=Counter)
    unsigned: Counter[str] = field(default_factory=Counter)
    sealed: int = 0
    erased: Counter[str] = field(default_factory=Counter)
    shown: list[Shown] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Files:
    records: IO[bytes]
    siblings: IO[bytes]
    rows: IO[bytes]

    def each(self) -> Iterator[tuple[str, IO[bytes]]]:
        yield "records.txt", self.records
        yield "siblings.txt", self.siblings
        yield "rows.jsonl", self.rows


class Records:
    """Packs rows of the store. ``erased`` are the keys that were destroyed, in hex; ``tell`` hears how many came."""

    def __init__(
        self,
        store: Store,
        definition_of: DefinitionOf,
        erased: frozenset[str],
        packing: Packing,
        tell: Callable[[int], None],
    ) -> None:
        self.counts = Counts()
        self.members: list[Member] = []
        self._store = store
        self._definition_of = definition_of
        self._erased = erased
        self._packing = packing
        self._tell = tell
        self._schemas: dict[str, bytes] = {}
        self._headers: set[bytes] = set()

    def pack(self, table: str, condition: str, values: Mapping[str, Any]) -> None:
        """Pack the rows of a table that a condition holds for.

        Raises ProofError when the store does not hold what was signed, and SeamwatchError where nothing is signed.
        """
        places = self._store.rows(
            f"SELECT topic, partition, count() AS rows, min(offset) AS first, max(offset) AS last FROM {table} "
            f"WHERE {condition} GROUP BY topic, partition ORDER BY topic, partition",
            values,
        )
        for found in places:
            place = (found["topic"], found["partition"])
            self._place(table, condition, values, place, found["first"], found["last"])

    def finish(self) -> None:
        """Pack the writers' schemas that are not ours."""
        for name, content in sorted(self._schemas.items()):
            self.members.append(self._packing.add(f"schemas/{name}.json", [content]))

    def _place(
        self, table: str, condition: str, values: Mapping[str, Any], place: Partition, first: int, last: int
    ) -> None:
        head = self._head(place)
        with tempfile.TemporaryDirectory() as folder, _Opened(Path(folder)) as files:
            rows = self._rows(table, condition, values, place, first, last)
            shown = self._write(files, table, place, head, rows)
            if shown is None:
                return
            self.counts.shown.append(shown)
            name = folder_of(place)
            self.members.append(self._packing.add(f"{name}/checkpoint.txt", [head["note"].encode()]))
            for own, file in files.each():
                self.members.append(self._packing.add(f"{name}/{own}", _again(file)))

    def _rows(
        self, table: str, condition: str, values: Mapping[str, Any], place: Partition, first: int, last: int
    ) -> Iterator[tuple[list[int], pl.DataFrame]]:
        """The rows with the numbers of their leaves, some at a time, in the order of their offsets."""
        names = ", ".join(f"`{name}`" for name in dict.fromkeys((*LEAF_COLUMNS, *types_of(table))))
        for stretch in stretches(self._store, table, place, first, last):
            frame = self._store.frame(
                f"SELECT {names} FROM {table} WHERE ({condition}) AND {of_place(place)} "
                f"AND offset >= {stretch.first} AND offset < {stretch.end} ORDER BY offset",
                values,
            )
            if len(frame):
                yield stretch.numbers(frame["offset"].to_list()), frame

    def _write(
        self,
        files: _Files,
        table: str,
        place: Partition,
        head: Mapping[str, Any],
        rows: Iterator[tuple[list[int], pl.DataFrame]],
    ) -> Shown | None:
        """Write what is under the head; None where none of it is."""
        size = head["size"]
        undisclosed, read = Undisclosed(size), windowed_tile_reader(self._store, place)

        def sibling(span: Span) -> bytes:
            return hash_line(span_root(span, lambda height, at: node(read, height, at)))

        written = 0
        for numbers, every in rows:
            under = sum(number < size for number in numbers)
            self.counts.unsigned[table] += len(numbers) - under
            frame = every.head(under)
            for number, entry in zip(numbers[:under], _entries(place, frame), strict=True):
                files.siblings.writelines(map(sibling, undisclosed.before(number)))
                files.records.write(record_line(number, entry))
                self._look(entry)
            files.rows.writelines(row_lines(table, frame))
            written += under
            self._tell(under)
        if not written:
            return None
        files.siblings.writelines(map(sibling, undisclosed.rest()))
        self.counts.rows[table] += written
        return self._held(files, table, place, head)

    def _held(self, files: _Files, table: str, place: Partition, head: Mapping[str, Any]) -> Shown:
        """Hold what was written to the signed root, and the rows to their bytes."""
        check = Place(place, head["size"], bytes.fromhex(head["root"]))
        try:
            shown = check.prove(_again(files.records), _again(files.siblings))
            check.compare(_again(files.records), _again(files.rows), table, Reading(self._schemas))
        except ProofError as error:
            raise ProofError(
                f"the store does not hold what was signed, so no dossier can be made of it: {error}; "
                "`seamwatch verify` names the row"
            ) from error
        return shown

    def _look(self, entry: Entry) -> None:
        """See what a value needs to be read, and what of it is sealed."""
        value = entry.value or b""
        for match in _SEALED.finditer(value):
            key_id = urlsafe_b64decode(match[1])[:KEY_ID_SIZE].hex()
            self.counts.sealed += 1
            if key_id in self._erased:
                self.counts.erased[key_id] += 1
        try:
            header, _ = split(value)
            if header in self._headers:
                return
            self._headers.add(header)
            if not is_own(header):
                self._schemas[header.hex()] = line(self._definition_of(header))
        except UndecodableRecord:
            return  # a document, which is JSON; or a record that was read by a schema that is lost

    def _head(self, place: Partition) -> dict[str, Any]:
        """The newest signed head of a topic partition that is committed."""
        rows = self._store.rows(
            f"SELECT tree_size AS size, hex(root_hash) AS root, note FROM checkpoint WHERE {of_place(place)} "
            f"AND tree_size <= (SELECT max(size) FROM ledger_commit WHERE {of_place(place)}) "
            "ORDER BY tree_size DESC, created_at DESC LIMIT 1"
        )
        if not rows:
            raise SeamwatchError(
                f"no signed checkpoint covers {place[0]}/{place[1]}: the recorder signs once it has a key "
                "(SEAMWATCH_LEDGER_KEY)"
            )
        return rows[0]


def _entries(place: Partition, frame: pl.DataFrame) -> Iterator[Entry]:
    rows = frame.select(*LEAF_COLUMNS).with_columns(millis=pl.col("broker_time").dt.epoch("ms"))
    for row in rows.iter_rows(named=True):
        headers = tuple((_text(each["key"]), each["value"]) for each in row["headers"] or ())
        yield Entry(*place, row["offset"], row["millis"], row["key"], row["raw"], headers)


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


class _Opened:
    """Three files of a folder, open to be written and read again."""

    def __init__(self, folder: Path) -> None:
        self._files = _Files(*((folder / name).open("w+b") for name in ("records", "siblings", "rows")))

    def __enter__(self) -> _Files:
        return self._files

    def __exit__(self, *_: object) -> None:
        for _name, file in self._files.each():
            file.close()


def _again(file: IO[bytes]) -> Iterator[bytes]:
    file.flush()
    file.seek(0)
    yield from file
