"""Typed rows of records: what the bytes of a record say, as lines of JSON, and how they are read from the bytes again.

The writer takes the columns from the store, who checks decodes the bytes: both come to the same lines. Asks no store.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from seamwatch.columnar.decode import Decoded, Decoder
from seamwatch.errors import ProofError, UndecodableRecord
from seamwatch.record_types import INPUT_TYPES, RECORD_TYPES
from seamwatch.wire.codec import Codec
from seamwatch.wire.framing import SINGLE_OBJECT_MARKER, schema_id_of, single_object_header, split
from seamwatch.wire.schemas import fingerprint
from seamwatch.wire.writers import Writers
from sinks.columns import BROKER_TIME, columns
from sinks.dossier.values import lines
from sinks.ledger.format.proofs import type_of
from sinks.published import DOCUMENT_COLUMNS, published

if TYPE_CHECKING:
    from sinks.ledger.format.leaves import Entry

_DOCUMENT: Final = "document"
_DOCUMENTS: Final = "contracts"


def is_own(header: bytes) -> bool:
    """Whether records under a header are by a schema of ours, of now or before, which whoever checks has as well."""
    try:
        Writers().definition(header)
    except UndecodableRecord:
        return False
    return True


def table_of(topic: str) -> str:
    """The table that holds the records of a topic. Raises ProofError for a topic whose records no table holds."""
    name = type_of(topic)
    if name == _DOCUMENTS:
        return _DOCUMENT
    if name not in RECORD_TYPES:
        raise ProofError(f"{topic} is a topic of no records that a dossier may hold")
    return name


def types_of(table: str) -> Mapping[str, Any]:
    """The columns that the bytes of a record give, with their types."""
    return DOCUMENT_COLUMNS if table == _DOCUMENT else columns(table)


def row_lines(table: str, frame: pl.DataFrame) -> Iterator[bytes]:
    """Rows of a table, with their offset and time of arrival, a line each."""
    types = types_of(table)
    where = [pl.col("offset").cast(pl.Int64), pl.col("broker_time").cast(BROKER_TIME)]
    yield from lines(frame.select(*where, *(pl.col(name).cast(kind) for name, kind in types.items())))


class Reading:
    """Reads records again; one for a dossier. ``schemas`` are its files of writers' schemas, by the header in hex."""

    def __init__(self, schemas: Mapping[str, bytes]) -> None:
        """Raises ProofError for a file that is not the schema that its name says."""
        self.unvouched: set[str] = set()
        """Headers of records that name their schema by a registry's number, for which no key vouches."""
        self._codec = Codec()
        self._decoders: dict[tuple[str, bool], Decoder] = {}
        self._given: set[bytes] = set()
        for name, content in schemas.items():
            self._register(name, content)

    def lines(self, table: str, entries: Sequence[Entry]) -> list[bytes]:
        """The typed rows of records of one table. Raises ProofError for one that is none of its table."""
        values = [entry.value for entry in entries]
        self.unvouched |= {
            header.hex() for header in {(value or b"")[:5] for value in values} & self._given if header[:1] == b"\0"
        }
        found = self._lines(table, entries, values, earlier=False)
        if None in found and table in INPUT_TYPES:
            # What earlier releases took in, which asked for no identities, is a record all the same.
            before = self._lines(table, entries, values, earlier=True)
            found = [now or then for now, then in zip(found, before, strict=True)]
        lost = next((entry for entry, line in zip(entries, found, strict=True) if line is None), None)
        if lost is not None:
            raise ProofError(f"the record at {lost.topic}/{lost.partition}/{lost.offset} is no {table}")
        return [line for line in found if line is not None]

    def earlier(self, table: str, entry: Entry) -> bytes | None:
        """The typed row of a record as earlier releases took it in; None where they would not have."""
        return self._lines(table, [entry], [entry.value], earlier=True)[0] if table in INPUT_TYPES else None

    def _lines(
        self, table: str, entries: Sequence[Entry], values: Sequence[bytes | None], *, earlier: bool
    ) -> list[bytes | None]:
        decoded = self._decoded(table, entries, values, earlier=earlier)
        places = pl.DataFrame(
            {
                "offset": [entries[at].offset for at in decoded.rows],
                "broker_time": [entries[at].timestamp for at in decoded.rows],
            },
            schema={"offset": pl.Int64, "broker_time": pl.Int64},
        ).with_columns(pl.col("broker_time").cast(BROKER_TIME))
        found: list[bytes | None] = [None] * len(entries)
        for at, line in zip(
            decoded.rows, row_lines(table, pl.concat([places, decoded.frame], how="horizontal")), strict=True
        ):
            found[at] = line
        return found

    def _decoded(
        self, table: str, entries: Sequence[Entry], values: Sequence[bytes | None], *, earlier: bool
    ) -> Decoded:
        if table == _DOCUMENT:
            return published([entry.key for entry in entries], values)
        make = partial(Decoder, table, self._codec, earlier=earlier)
        decoder = self._decoders.get((table, earlier)) or self._decoders.setdefault((table, earlier), make())
        return decoder.decode(values)

    def _register(self, name: str, content: bytes) -> None:
        try:
            header, definition = bytes.fromhex(name), json.loads(content)
            if is_own(header):
                return  # which is known here, with all that a fingerprint does not cover
            if header[:2] == SINGLE_OBJECT_MARKER:
                if header != single_object_header(fingerprint(definition)):
                    raise ProofError(f"the schema {name} is another than its records name")
                self._codec.register(definition)
            else:
                self._codec.register(definition, schema_id_of(split(header)[0]))
                self._given.add(header)
        except (ValueError, UndecodableRecord) as error:
            raise ProofError(f"the schema {name} is none: {error}") from error
