"""Writers: the schemas that others are known to write with, found by the header of a message.

Own schemas are always known, earlier ones too; further ones are registered, read from a folder, or asked of the
registry once.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Protocol

from seamwatch.errors import UndecodableRecord, UsageError
from seamwatch.record_types import RECORD_TYPES
from seamwatch.wire.framing import (
    SINGLE_OBJECT_MARKER,
    confluent_header,
    schema_id_of,
    single_object_header,
)
from seamwatch.wire.schemas import Definition, earlier, fingerprint, schema

_FORGET_UNKNOWN_AFTER = 30.0
"""Seconds until an unknown schema id is asked for again: a registry may learn of it later."""


class Registry(Protocol):
    """Where Confluent schema ids come from."""

    def definition(self, schema_id: int) -> Definition:
        """The schema of an id; UndecodableRecord when it is unknown, UnreachableError for no answer."""
        ...

    def register(self, subject: str, definition: Definition) -> int:
        """The id of a schema under a subject, registered if it is new."""
        ...


class Writers:
    """The writer schemas known to one codec, by message header."""

    def __init__(self, registry: Registry | None = None, folder: Path | None = None) -> None:
        self._registry = registry
        self._known: dict[bytes, Definition] = {}
        self._unknown: dict[bytes, tuple[float, str]] = {}
        for record_type in RECORD_TYPES:
            self.register(schema(record_type).definition)
        for definition in earlier():
            self.register(definition)
        if folder is not None:
            self._read(folder)

    def register(self, definition: Definition, schema_id: int | None = None) -> bytes:
        """Make a writer's schema known, by its fingerprint and by ``schema_id`` if given.

        Returns the single-object header of its records. Raises UndecodableRecord when it is not a schema.
        """
        header = single_object_header(fingerprint(definition))
        self._known[header] = definition
        if schema_id is not None:
            self._known[confluent_header(schema_id)] = definition
        return header

    def definition(self, header: bytes) -> Definition:
        """The schema that wrote the records with this header.

        Asks the registry at most once for each id. Raises UndecodableRecord for an unknown schema, and
        UnreachableError when only an unreachable registry could tell: the record may well be good.
        """
        known = self._known.get(header)
        if known is not None:
            return known
        if header[:2] == SINGLE_OBJECT_MARKER:
            raise UndecodableRecord(
                f"unknown schema fingerprint {header[2:].hex()}: "
                "put the writer's .avsc into the SEAMWATCH_SCHEMAS folder"
            )
        return self._ask(header)

    def _ask(self, header: bytes) -> Definition:
        schema_id = schema_id_of(header)
        if self._registry is None:
            raise UndecodableRecord(
                f"unknown schema id {schema_id}: no registry is configured (SEAMWATCH_SCHEMA_REGISTRY_URL)"
            )
        asked, reason = self._unknown.get(header, (0.0, ""))
        if reason and time.monotonic() - asked < _FORGET_UNKNOWN_AFTER:
            raise UndecodableRecord(reason)
        try:
            definition = self._registry.definition(schema_id)
        except UndecodableRecord as error:
            # Garbage names ever new ids; remembering them all would be a leak.
            if len(self._unknown) > 10_000:
                self._unknown.clear()
            self._unknown[header] = (time.monotonic(), str(error))
            raise
        self._known[header] = definition
        return definition

    def _read(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(f"SEAMWATCH_SCHEMAS={folder}: there is no such folder")
        for path in sorted(folder.rglob("*.avsc")):
            try:
                definition = json.loads(path.read_text(encoding="utf-8"))
                self.register(definition, int(path.stem) if path.stem.isdigit() else None)
            except (ValueError, UndecodableRecord) as error:
                raise UsageError(f"{path}: not an Avro schema: {error}") from error
