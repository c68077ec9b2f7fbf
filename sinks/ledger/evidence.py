"""Evidence: makes the proof of one record of a store, which a third person can check alone.

SELECT only. The path comes from the store's tiles and is held to the signed root before it is handed out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seamwatch.errors import ProofError, SeamwatchError, UndecodableRecord
from seamwatch.wire.framing import split
from seamwatch.wire.schemas import Definition
from sinks.ledger.format.leaves import Entry, entry_bytes
from sinks.ledger.format.merkle import inclusion_spans, leaf_hash, span_root, verify_inclusion
from sinks.ledger.format.proofs import Proof, canonical_schema, read_value
from sinks.ledger.format.tiles import node
from sinks.ledger.rows import LEAF_COLUMNS, rows_between, tables_with, tile_reader
from sinks.ledger.sought import Found
from sinks.store.client import Store
from sinks.store.conditions import of_place

DefinitionOf = Callable[[bytes], Definition]
"""The header of a value to the schema that wrote it; raises UndecodableRecord."""


def evidence_of(store: Store, found: Found, definition_of: DefinitionOf) -> Proof:
    """The proof of a record, under the newest signed checkpoint of its topic partition.

    Raises SeamwatchError when no signed checkpoint covers it yet, and ProofError when the store does not hold what was
    signed.
    """
    index = _index(store, found)
    size, root, note = _checkpoint(store, found, index)
    read = tile_reader(store, found.place)
    hashes = [span_root(span, lambda height, at: node(read, height, at)) for span in inclusion_spans(index, size)]
    entry = _entry(store, found)
    try:
        verify_inclusion(index, size, leaf_hash(entry_bytes(entry)), hashes, root)
    except ProofError as error:
        raise ProofError(
            f"the store does not hold what was signed, so nothing can be proven: {error}; "
            "`seamwatch verify` names the row"
        ) from error
    return Proof(entry, _schema(entry, definition_of), index, hashes, note)


def _index(store: Store, found: Found) -> int:
    """The number of the row's leaf: the rows before its range, and those before it in its range."""
    commits = store.rows(
        f"SELECT first_offset, size - count AS before FROM ledger_commit WHERE {of_place(found.place)} "
        f"AND first_offset <= {found.offset} AND next_offset > {found.offset} LIMIT 1"
    )
    if not commits:
        raise SeamwatchError("the record is there, but its range is not committed yet: try again in a moment")
    first = commits[0]["first_offset"]
    range_of = f"{of_place(found.place)} AND offset >= {first} AND offset < {found.offset}"
    tables = tables_with(store, "raw", "offset", "headers")
    parts = [f"SELECT offset FROM {table} WHERE {range_of}" for table in tables]
    # Rows that retention removed have their leaves still.
    parts.append(
        "SELECT arrayJoin(arrayFilter(o -> o >= "
        f"{first} AND o < {found.offset}, offsets)) AS offset FROM ledger_dropped WHERE {of_place(found.place)} "
        f"AND first_offset <= {found.offset} AND next_offset > {first}"
    )
    before = store.rows(f"SELECT uniqExact(offset) AS rows FROM ({' UNION ALL '.join(parts)})")[0]["rows"]
    return int(commits[0]["before"] + before)


def _checkpoint(store: Store, found: Found, index: int) -> tuple[int, bytes, str]:
    rows = store.rows(
        f"SELECT tree_size, hex(root_hash) AS root, note FROM checkpoint WHERE {of_place(found.place)} "
        f"AND tree_size > {index} AND tree_size <= (SELECT max(size) FROM ledger_commit WHERE {of_place(found.place)}) "
        "ORDER BY tree_size DESC, created_at DESC LIMIT 1"
    )
    if not rows:
        raise SeamwatchError(
            "no signed checkpoint covers the record: the recorder signs once it has a key (SEAMWATCH_LEDGER_KEY)"
        )
    return int(rows[0]["tree_size"]), bytes.fromhex(rows[0]["root"]), rows[0]["note"]


def _entry(store: Store, found: Found) -> Entry:
    rows = rows_between(store, found.table, LEAF_COLUMNS, found.place, found.offset, found.offset + 1)
    row: dict[str, Any] = rows.with_columns(millis=rows["broker_time"].dt.epoch("ms")).row(0, named=True)
    try:
        headers = tuple((each["key"].decode(), each["value"]) for each in row["headers"] or ())
    except UnicodeDecodeError as error:
        raise ProofError(
            f"the store does not hold what was signed: {error}; `seamwatch verify` names the row"
        ) from error
    return Entry(*found.place, row["offset"], row["millis"], row["key"], row["raw"], headers)


def _schema(entry: Entry, definition_of: DefinitionOf) -> str:
    """The writer's schema, where the value can be read by one and whoever checks can tell that it is the right one."""
    try:
        header, _ = split(entry.value or b"")
        definition = definition_of(header)
    except UndecodableRecord:
        return ""
    form = canonical_schema(definition)
    try:
        read_value(entry, form)
    except ProofError:
        return ""  # a dead letter, or a schema that only a registry's number names and that is not ours
    return form
