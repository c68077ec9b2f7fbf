"""The codec: records as dicts to framed Avro bytes and back, one at a time.

Checks types and bounds on both ways. Times are whole microseconds in the dicts. Whole batches are decoded by
`seamwatch.columnar.decode`, which gives the same answers.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import fastavro

from seamwatch.errors import RecordError, UndecodableRecord
from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.checks import check_bounds, checked
from seamwatch.wire.framing import (
    MAXIMUM_VALUE_BYTES,
    confluent_header,
    single_object_header,
    split,
    too_large,
)
from seamwatch.wire.identities import identify
from seamwatch.wire.resolution import Resolution, resolve
from seamwatch.wire.schemas import Definition, plain, schema
from seamwatch.wire.writers import Registry, Writers

if TYPE_CHECKING:
    from seamwatch.settings import Settings


@cache
def _parsed(record_type: str) -> Any:
    return fastavro.parse_schema(plain(schema(record_type).definition))


LONG: Final = 32 * 1024
"""What has fewer bytes or characters than this in any form of text is never too large."""


def demand_size(record_type: str, record: Mapping[str, Any]) -> None:
    """Raise OutOfBounds for an event that would take more than 512 KiB on the wire, in our own schema and framing."""
    stream = io.BytesIO()
    stream.write(single_object_header(schema(record_type).fingerprint))
    fastavro.schemaless_writer(stream, _parsed(record_type), record)
    if stream.tell() > MAXIMUM_VALUE_BYTES:
        raise too_large(stream.tell())


class Codec:
    """Encodes and decodes records of every type.

    ``registry`` gives the schemas of Confluent ids; ``schemas`` is a folder of further writers' ``.avsc``
    files (``<schema id>.avsc`` where a file stands for a Confluent id). Without both, our own are known.
    """

    def __init__(self, registry: Registry | None = None, schemas: Path | None = None) -> None:
        self._registry = registry
        self._writers = Writers(registry, schemas)
        self._headers: dict[str, bytes] = {}
        self._resolutions: dict[tuple[str, bytes, bool], Resolution] = {}

    def register(self, definition: Definition, schema_id: int | None = None) -> bytes:
        """Make another writer's schema known; returns the single-object header of its records."""
        return self._writers.register(definition, schema_id)

    def publish_schemas(self) -> None:
        """Register our schemas (subject: the record's full name) and encode in Confluent framing from now on.

        Without a registry this does nothing. Raises UnreachableError; until it has succeeded, ``encode`` uses
        single-object encoding, which every reader accepts too, so that encoding never waits for a network.
        """
        if self._registry is None:
            return
        for record_type in INPUT_TYPES:
            schema_id = self._registry.register(f"seamwatch.{record_type}", schema(record_type).definition)
            self._headers[record_type] = confluent_header(schema_id)

    def encode(self, record_type: str, record: Mapping[str, Any]) -> bytes:
        """The framed bytes of a record; absent fields take their defaults, datetimes become microseconds.

        Raises RecordError for an unknown or missing field or a wrong type, OutOfBounds for a broken bound
        and for an event of more than 512 KiB, Unidentified for one that lacks an identity.
        """
        form = schema(record_type)
        values = checked(form, record)
        stream = io.BytesIO()
        stream.write(self._headers.get(record_type) or single_object_header(form.fingerprint))
        try:
            fastavro.schemaless_writer(stream, _parsed(record_type), values)
        except Exception as error:
            raise RecordError(f"{record_type} cannot be encoded: {error}") from error
        if stream.tell() > MAXIMUM_VALUE_BYTES and record_type in INPUT_TYPES:
            raise too_large(stream.tell())
        return stream.getvalue()

    def decode(self, record_type: str, value: bytes, *, earlier: bool = False) -> dict[str, Any]:
        """The record in framed bytes, every field of ours in it, times as microseconds, identities as they are held.

        ``earlier``: by the rules of earlier releases, which asked for no identities, for what was taken in by them.
        Raises UndecodableRecord, OutOfBounds or Unidentified with a reason for the dead letter, and UnreachableError
        when the writer's schema could only be asked of a registry that does not answer.
        """
        if len(value) > MAXIMUM_VALUE_BYTES and record_type in INPUT_TYPES:
            raise too_large(len(value))
        header, datum = split(value)
        record = self.resolution(record_type, header, earlier=earlier).read(datum)
        check_bounds(record_type, record, earlier=earlier)
        if not earlier:
            identify(record_type, record)
        return record

    def resolution(self, record_type: str, header: bytes, *, earlier: bool = False) -> Resolution:
        """How records under this header are read as a record type; raises as ``decode`` does."""
        known = self._resolutions.get((record_type, header, earlier))
        if known is not None:
            return known
        definition = self._writers.definition(header)
        try:
            found = resolve(schema(record_type), definition, earlier=earlier)
        except UndecodableRecord as error:
            raise UndecodableRecord(f"wrong schema: {error}") from error
        self._resolutions[record_type, header, earlier] = found
        return found


def codec_of(settings: Settings) -> Codec:
    """The codec that the settings ask for; UsageError when an address or folder in them is wrong."""
    if settings.schema_registry_url is None:
        return Codec(None, settings.schemas)
    from seamwatch.wire.registry import SchemaRegistry  # late: HTTP is slow to import and seldom needed

    return Codec(SchemaRegistry.of(settings), settings.schemas)
