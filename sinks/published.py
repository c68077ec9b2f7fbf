"""Rows of the `document` table: what messages on the contracts topic say was published or withdrawn.

The documents stay JSON; what is in them, `seamwatch.documents` knows, and the store's views read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Final

import polars as pl

from seamwatch.columnar.decode import Decoded
from seamwatch.documents.signing import VERSIONED
from seamwatch.errors import UndecodableRecord
from sinks.columns import TIME

_EARLIEST, _LATEST = -2_208_988_800_000_000, 4_102_444_800_000_000
_COLUMNS = {
    "kind": pl.String,
    "id": pl.String,
    "version": pl.String,
    "digest": pl.String,
    "published_at": pl.Int64,
    "document": pl.String,
    "retired": pl.Boolean,
    "signatures": pl.String,
}
DOCUMENT_COLUMNS: Final = MappingProxyType({**_COLUMNS, "published_at": TIME})
"""The columns of the table, by what they hold."""
_SIGNATURE: Final = ("person", "key_id", "signed_at", "signature")


def published(keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> Decoded:
    """One row a message: key ``<kind>/<id>``, with ``@<version>`` where its kind has any; no value withdraws."""
    found, rows, rejects = [], [], []
    for index, (key, value) in enumerate(zip(keys, values, strict=True)):
        try:
            found.append(tuple(read_document(key, value).values()))
            rows.append(index)
        except UndecodableRecord as error:
            rejects.append((index, str(error)))
    frame = pl.DataFrame(found, schema=_COLUMNS, orient="row").with_columns(pl.col("published_at").cast(TIME))
    return Decoded(frame, pl.Series(rows, dtype=pl.UInt32), rejects)


def read_document(key: bytes | None, value: bytes | None) -> dict[str, Any]:
    """What one message says, by column; ``published_at`` in microseconds. Raises UndecodableRecord when it is none."""
    try:
        return dict(zip(_COLUMNS, _row(key, value), strict=True))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UndecodableRecord(f"not a published document: {error!r}") from error


def _row(key: bytes | None, value: bytes | None) -> tuple[str, str, str, str, int | None, str, bool, str | None]:
    kind, _, name = (key or b"").decode().partition("/")
    if not name:
        raise ValueError(f"the key {key!r} names no document")
    # Only some kinds have versions; an id may hold an @ of its own, the version holds none.
    identity, _, version = name.rpartition("@") if kind in VERSIONED and "@" in name else (name, "", "")
    if value is None:
        return kind, identity, version, "", None, "", True, None
    message = json.loads(value)
    document = json.dumps(message["document"], separators=(",", ":"), ensure_ascii=False)
    digest, published_at = str(message["digest"]), int(message["published_at"])
    if not _EARLIEST <= published_at <= _LATEST:
        raise ValueError(f"published_at is {published_at}, which is no time between 1900 and 2100")
    (document + digest).encode()  # which half a surrogate pair cannot be: it is no text
    signatures = _signatures(message.get("signatures"))
    return kind, identity, version, digest, published_at, document, False, signatures


def _signatures(written: Any) -> str | None:
    """The signatures under it as JSON, a list of objects; None where none are published with it."""
    if written is None:
        return None
    text = json.dumps([{name: str(each[name]) for name in _SIGNATURE} for each in written], ensure_ascii=False)
    text.encode()
    return text
