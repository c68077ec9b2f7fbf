"""Which documents hold, by what the recorder has of the contracts topic: the estate, as the stages follow it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from seamwatch.documents import Estate
from seamwatch.documents.publishing import Published
from sinks.store.questions.rows import Micros, columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Publication:
    """One message of the contracts topic; ``retired`` where it withdraws."""

    kind: str
    id: str
    version: str
    document: str
    digest: str
    published_at: Micros | None
    retired: int
    signatures: str | None


_BYTES: Final = "SELECT key, raw, retired FROM document WHERE key IS NOT NULL ORDER BY broker_time, partition, offset"
_MESSAGES: Final = f"SELECT {columns(Publication)} FROM document ORDER BY broker_time, offset"


def estate_on_record(store: Store, *, signed_only: bool = False) -> Estate:
    """The estate of all that was published by now; for who may see bytes as they came.

    ``signed_only``: what is not signed by all who must is left out. What cannot be used is named in ``problems``.
    """
    said = Published(required=signed_only)
    for row in store.rows(_BYTES):
        raw = row["raw"]
        text = raw.encode() if isinstance(raw, str) else raw
        said.take(row["key"], None if row["retired"] else text)
    return said.estate()


def estate_shown(store: Store) -> Estate:
    """The same by the columns, signed or not; for who may not see bytes as they came."""
    return Estate.of_published(_messages(rows(store, Publication, _MESSAGES)))


def _messages(published: Iterable[Publication]) -> Iterator[tuple[str, bytes | None]]:
    for one in published:
        key = f"{one.kind}/{one.id}" + (f"@{one.version}" if one.version else "")
        if one.retired:
            yield key, None
            continue
        said: dict[str, Any] = {
            "document": json.loads(one.document), "digest": one.digest, "published_at": one.published_at,
        }  # fmt: skip
        if one.signatures is not None:
            said["signatures"] = json.loads(one.signatures)
        yield key, json.dumps(said).encode()
