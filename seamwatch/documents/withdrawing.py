"""Withdrawing: who takes documents back, as headers of the messages without a value that do so.

A message that withdraws has no value, since the topic is compacted; so who withdraws, when, and their signature are its
headers, which are recorded with it. Values and bytes only; the topic is written by `bus.documents`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from seamwatch.documents.models import Document
from seamwatch.documents.signing import version_of
from seamwatch.instants import format_instant
from seamwatch.signatures import withdrawal_bytes

WITHDRAWN_BY: Final = "withdrawn_by"
WITHDRAWN_AT: Final = "withdrawn_at"
KEY_ID: Final = "key_id"
SIGNATURE: Final = "signature"

Headers = list[tuple[str, str | bytes | None]]


@dataclass(frozen=True, slots=True)
class Withdrawer:
    """The person who withdraws. ``sign`` gives the id of their key and their signature over bytes, in base64."""

    person: str
    sign: Callable[[bytes], tuple[str | None, str | None]] | None = None


def withdrawal_headers(document: Document | None, by: Withdrawer, at: int) -> Headers:
    """The headers of the message that withdraws a document, at ``at`` (micros; whole seconds are kept).

    Of one that cannot be read (None) there is nothing to sign.
    """
    moment = format_instant(at)[:19] + "Z"
    headers: Headers = [(WITHDRAWN_BY, by.person), (WITHDRAWN_AT, moment)]
    if document is None or by.sign is None:
        return headers
    said = {
        "kind": document.kind_name, "id": document.id, "version": version_of(document), "digest": document.digest,
        "person": by.person, "withdrawn_at": moment,
    }  # fmt: skip
    key_id, signature = by.sign(withdrawal_bytes(said))
    return headers if signature is None else [*headers, (KEY_ID, key_id), (SIGNATURE, signature)]
