"""Ways to tamper with a store, each at a random place of one topic partition, and what a verification must say of it.

Knows what was recorded (`Golden`), so that it can name the first bad row without asking the verifier.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bus.partitions import Partition
from sinks.ledger.format.merkle import Tree
from sinks.ledger.format.notes import Checkpoint, SignerKey
from sinks.ledger.format.origins import origin_of
from sinks.ledger.format.tiles import pieces
from sinks.ledger.rows import stored_leaves
from sinks.store.client import Store, quoted
from sinks.store.conditions import of_place

SYNC: Final = "SETTINGS mutations_sync = 2"
_POSITION: Final = ("topic", "partition", "offset", "broker_time", "key", "headers", "raw")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it was recorded."""

    table: str
    offset: int
    is_gone: bool = False
    """Whether retention has dropped it since."""


@dataclass(frozen=True, slots=True)
class Range:
    """A committed range; ``size`` leaves are in the tree after it."""

    first_offset: int
    next_offset: int
    size: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Golden:
    """What was recorded of one topic partition, and into which table what was good of it.

    ``month`` is one that only its first range is in.
    """

    place: Partition
    table: str
    ranges: tuple[Range, ...]
    month: int | None = None

    @property
    def rows(self) -> list[Row]:
        """Every row of it that is there."""
        return [row for each in self.ranges for row in each.rows if not row.is_gone]

    def range_of(self, offset: int) -> Range:
        """The range that an offset is in."""
        return next(each for each in self.ranges if each.first_offset <= offset < each.next_offset)

    def before(self, offset: int) -> int:
        """The first offset that a record missing at this one may have had."""
        own = self.range_of(offset)
        return max((row.offset + 1 for row in own.rows if row.offset < offset), default=own.first_offset)


@dataclass(frozen=True, slots=True)
class Expected:
    """What the first finding must be: one of these kinds, at this offset, in this column if one is named.

    ``outside`` are copies of checkpoints without which nobody could tell.
    """

    kinds: tuple[str, ...]
    offset: int | None
    column: str | None = None
    outside: tuple[str, ...] = ()


@dataclass(slots=True)
class Tampering:
    """Tampers with a copy of ``source``; ``columns`` are the columns of each table and their ClickHouse types.

    ``keyed`` are those of each table that it is sorted or parted by, which no UPDATE may touch: the row is put in anew.
    """

    store: Store
    source: str
    key: SignerKey
    columns: dict[str, dict[str, str]]
    keyed: dict[str, set[str]]
    chance: random.Random
    done: list[str] = field(default_factory=list)

    def run(self, sql: str) -> None:
        """Run a statement, and keep it for whoever must repeat it."""
        self.done.append(sql)
        self.store.command(sql)

    def update(self, table: str, place: Partition, change: str, condition: str) -> None:
        """Change rows where they are."""
        self.run(f"ALTER TABLE {table} UPDATE {change} WHERE {of_place(place)} AND {condition} {SYNC}")

    def delete(self, table: str, place: Partition, condition: str) -> None:
        """Take rows away."""
        self.run(f"ALTER TABLE {table} DELETE WHERE {of_place(place)} AND {condition} {SYNC}")

    def change(self, table: str, place: Partition, column: str, value: str, condition: str) -> None:
        """Change a column of rows where they are; where it cannot be changed, put the rows in anew."""
        if column not in self.keyed[table]:
            self.update(table, place, f"`{column}` = {value}", condition)
            return
        self.delete(table, place, condition)
        self.run(
            f"INSERT INTO {table} SELECT * REPLACE({value} AS `{column}`) FROM (SELECT * FROM {self.source}.{table} "
            f"WHERE {of_place(place)} AND {condition}) SETTINGS insert_deduplicate = 0"
        )


Way = Callable[[Tampering, Golden], Expected]


def edited_column(tampering: Tampering, golden: Golden) -> Expected:
    """A typed column says something else than the raw bytes."""
    row = tampering.chance.choice(golden.rows)
    names = [name for name in tampering.columns[row.table] if name not in _POSITION]
    name = tampering.chance.choice(names)
    value = _other(name, tampering.columns[row.table][name])
    tampering.change(row.table, golden.place, name, value, f"offset = {row.offset}")
    return Expected(("column",), row.offset, name)


def edited_bytes(tampering: Tampering, golden: Golden) -> Expected:
    """One bit of the raw bytes, the key, the headers or the time of arrival is another."""
    row, bit = tampering.chance.choice(golden.rows), 1 << tampering.chance.randrange(8)
    at = tampering.chance.random()
    byte = f"toUInt64(floor(length(raw) * {at})) + 1"
    flipped = f"char(bitXor(reinterpretAsUInt8(substring(assumeNotNull(raw), {byte}, 1)), {bit}))"
    raw = f"if(raw IS NULL, '', concat(substring(raw, 1, {byte} - 1), {flipped}, substring(raw, {byte} + 1)))"
    change = tampering.chance.choice(
        [f"raw = {raw}"] * 5 + ["key = concat(ifNull(key, ''), 'x')", "headers = arrayPushBack(headers, ('h', 'v'))"]
    )
    if tampering.chance.random() < 0.1:
        later = "broker_time + toIntervalMillisecond(1)"
        tampering.change(row.table, golden.place, "broker_time", later, f"offset = {row.offset}")
    else:
        tampering.update(row.table, golden.place, change, f"offset = {row.offset}")
    return Expected(("content",), row.offset)


def deleted_row(tampering: Tampering, golden: Golden) -> Expected:
    """A row is gone."""
    row = tampering.chance.choice(golden.rows)
    tampering.delete(row.table, golden.place, f"offset = {row.offset}")
    return Expected(("missing",), golden.before(row.offset))


def inserted_row(tampering: Tampering, golden: Golden) -> Expected:
    """A row is there that nobody sent: in a gap, at the end, or a second time."""
    row = tampering.chance.choice(golden.rows)
    first, end = golden.ranges[0].first_offset, golden.ranges[-1].next_offset
    taken = {each.offset for each in golden.rows}
    free = [offset for offset in range(first, end + 3) if offset not in taken]
    offset = tampering.chance.choice([*free, row.offset])
    tampering.run(
        f"INSERT INTO {row.table} SELECT * REPLACE({offset} AS offset) FROM (SELECT * FROM {row.table} "
        f"WHERE {of_place(golden.place)} AND offset = {row.offset}) SETTINGS insert_deduplicate = 0"
    )
    # In the place of one that retention dropped, it is one that was changed.
    gone = any(each.is_gone and each.offset == offset for own in golden.ranges for each in own.rows)
    return Expected(("twice" if offset == row.offset else "content" if gone else "inserted",), offset)


def swapped_rows(tampering: Tampering, golden: Golden) -> Expected:
    """Two rows have changed places."""
    good = [row.offset for row in golden.rows if row.table == golden.table]
    a, b = sorted(tampering.chance.sample(good, 2))
    swapped = f"if(offset = {a}, {b}, {a})"
    tampering.change(golden.table, golden.place, "offset", swapped, f"offset IN ({a}, {b})")
    return Expected(("content",), a)


def cut_tail(tampering: Tampering, golden: Golden) -> Expected:
    """The newest rows are gone; and their commits; and their checkpoints, so that only a copy kept elsewhere tells."""
    reach = tampering.chance.choice(["rows", "commits", "checkpoints"])
    if reach == "rows":
        cut = tampering.chance.choice(golden.rows).offset
        expected = Expected(("missing",), golden.before(cut))
    else:
        own = tampering.chance.choice(golden.ranges[1:])
        cut = own.first_offset
        outside: tuple[str, ...] = ()
        if reach == "checkpoints":
            last = golden.ranges[-1].size
            outside = (_note(tampering.store, golden.place, last),)
            tampering.delete("checkpoint", golden.place, f"tree_size >= {own.size}")
            tampering.delete("ledger_intent", golden.place, f"first_offset >= {cut}")
        tampering.delete("ledger_commit", golden.place, f"first_offset >= {cut}")
        kinds = ("ahead",) if reach == "checkpoints" else ("missing", "ahead")
        expected = Expected(kinds, cut, outside=outside)
    for table in (golden.table, "dead_letter"):
        tampering.delete(table, golden.place, f"offset >= {cut}")
    return expected


def replaced_checkpoint(tampering: Tampering, golden: Golden) -> Expected:
    """A checkpoint says another size or root, is another's, or is signed by another key of the same name."""
    own = tampering.chance.choice(golden.ranges)
    root, other = tampering.chance.randbytes(32), SignerKey.make(tampering.key.name)
    origin = origin_of(tampering.key.name, golden.place)
    condition = f"tree_size = {own.size}"
    way = tampering.chance.choice(["size", "root", "row", "forged", "elsewhere"])
    if way == "size":
        note = f"replaceOne(note, '\\n{own.size}\\n', '\\n9{own.size}\\n')"
        tampering.update("checkpoint", golden.place, f"note = {note}", condition)
    elif way == "row":
        tampering.update("checkpoint", golden.place, f"root_hash = unhex('{root.hex()}')", condition)
    else:
        signer = other if way == "forged" else tampering.key
        note = signer.sign(Checkpoint(origin + "1" if way == "elsewhere" else origin, own.size, root))
        if way == "root":
            note = note.replace(*_one_letter(note, tampering.chance))
        values = f"note = {quoted([note])}, root_hash = unhex('{root.hex()}')"
        tampering.update("checkpoint", golden.place, values, condition)
    return Expected(("checkpoint",), own.first_offset)


def forked_history(tampering: Tampering, golden: Golden) -> Expected:
    """The key signed two roots of one size; the second is in the store or in a copy that somebody kept."""
    own = tampering.chance.choice(golden.ranges)
    root = tampering.chance.randbytes(32)
    origin = origin_of(tampering.key.name, golden.place)
    note = tampering.key.sign(Checkpoint(origin, own.size, root))
    if tampering.chance.random() < 0.5:
        return Expected(("fork",), own.first_offset, outside=(note,))
    tampering.run(
        "INSERT INTO checkpoint (origin, topic, partition, tree_size, root_hash, note) VALUES "
        f"({quoted([origin])}, {quoted([golden.place[0]])}, {golden.place[1]}, {own.size}, unhex('{root.hex()}'), "
        f"{quoted([note])})"
    )
    return Expected(("fork",), own.first_offset)


def rewritten_history(tampering: Tampering, golden: Golden) -> Expected:
    """A row is another, and tree, tiles and commits are made anew; the signatures are the old ones, or a new key's."""
    row = tampering.chance.choice([row for row in golden.rows if row.table == golden.table])
    tampering.update(row.table, golden.place, "key = concat(ifNull(key, ''), 'x')", f"offset = {row.offset}")
    tampering.delete("ledger_tile", golden.place, "1")
    new_key = SignerKey.make(tampering.key.name) if tampering.chance.random() < 0.3 else None
    tree, tiles = Tree(), []
    for own in golden.ranges:
        bounds = (own.first_offset, own.next_offset)
        tiles += list(pieces(tree.append(stored_leaves(tampering.store, golden.table, golden.place, *bounds))))
        tampering.update(
            "ledger_commit",
            golden.place,
            f"root = unhex('{tree.root().hex()}'), frontier = unhex('{tree.frontier().hex()}')",
            f"next_offset = {own.next_offset}",
        )
        if new_key is not None:
            note = new_key.sign(Checkpoint(origin_of(new_key.name, golden.place), tree.size, tree.root()))
            values = f"note = {quoted([note])}, root_hash = unhex('{tree.root().hex()}')"
            tampering.update("checkpoint", golden.place, values, f"tree_size = {tree.size}")
    rows = ", ".join(
        f"({quoted([golden.place[0]])}, {golden.place[1]}, {each.level}, {each.tile}, {each.start}, "
        f"unhex('{each.hashes.hex()}'))"
        for each in tiles
    )
    tampering.run(f"INSERT INTO ledger_tile (topic, partition, level, tile, start, hashes) VALUES {rows}")
    if new_key is not None:
        return Expected(("checkpoint",), golden.ranges[0].first_offset)
    return Expected(("root",), golden.range_of(row.offset).first_offset)


def dropped_month(tampering: Tampering, golden: Golden) -> Expected:
    """A whole table partition is dropped, and nothing says that its time was over."""
    tampering.run(f"ALTER TABLE {golden.table} DROP PARTITION {golden.month}")
    first = next(row for row in golden.ranges[0].rows if row.table == golden.table)
    return Expected(("missing",), golden.before(first.offset))


def forged_removal(tampering: Tampering, golden: Golden) -> Expected:
    """What retention signed for says something else, or is of another topic partition."""
    note = tampering.store.rows(f"SELECT note FROM retention WHERE {of_place(golden.place)}")[0]["note"]
    changed = (
        note.replace("topic ", "topic x", 1)
        if tampering.chance.random() < 0.5
        else note.replace("leaves ", "leaves 1", 1)
    )
    tampering.update("retention", golden.place, f"note = {quoted([changed])}", "1")
    return Expected(("retention",), None)


WAYS: Final[tuple[Way, ...]] = (
    edited_column,
    edited_bytes,
    deleted_row,
    inserted_row,
    swapped_rows,
    cut_tail,
    replaced_checkpoint,
    forked_history,
    rewritten_history,
)


def _other(name: str, kind: str) -> str:
    """An expression for another value of a column of this type."""
    inner = kind.removeprefix("LowCardinality(").removeprefix("Nullable(").rstrip(")")
    if kind.startswith("Array("):
        # One item more: its last once again, or, where there is none, one that is empty.
        empty = f"defaultValueOfTypeName({quoted([kind[6:-1]])})"
        return f"arrayPushBack(`{name}`, if(empty(`{name}`), {empty}, `{name}`[-1]))"
    if inner.startswith("String"):
        return f"concat(ifNull(`{name}`, ''), 'x')"
    if inner.startswith("DateTime64"):
        return f"ifNull(`{name}`, now64(6)) + toIntervalMicrosecond(1)"
    if inner == "Bool":
        return f"NOT ifNull(`{name}`, false)"
    # Not the next number: of a large one that is the same.
    return f"if(ifNull(`{name}`, 0) = 1, 2, 1)"


def _note(store: Store, place: Partition, size: int) -> str:
    return str(store.rows(f"SELECT note FROM checkpoint WHERE {of_place(place)} AND tree_size = {size}")[0]["note"])


def _one_letter(note: str, chance: random.Random) -> tuple[str, str]:
    """A line of a note, and the same with another letter in it."""
    line = note.split("\n")[2]
    at = chance.randrange(len(line) - 2)
    return line, line[:at] + ("B" if line[at] == "A" else "A") + line[at + 1 :]
