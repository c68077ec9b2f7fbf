"""Which documents hold, by what the recorder has of the contracts topic: the estate, as the stages follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from seamwatch.documents import Estate
from seamwatch.documents.publishing import Published

if TYPE_CHECKING:
    from sinks.store.client import Store

_MESSAGES: Final = (
    "SELECT key, raw, retired FROM document WHERE key IS NOT NULL ORDER BY broker_time, partition, offset"
)


def estate_on_record(store: Store, *, signed_only: bool = False) -> Estate:
    """The estate of all that was published by now; for who may see bytes as they came.

    ``signed_only``: what is not signed by all who must is left out. What cannot be used is named in ``problems``.
    """
    said = Published(required=signed_only)
    for row in store.rows(_MESSAGES):
        raw = row["raw"]
        text = raw.encode() if isinstance(raw, str) else raw
        said.take(row["key"], None if row["retired"] else text)
    return said.estate()
