"""Which documents are published, as of now: who and what there is, and who signs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sinks.store.questions.rows import columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Published:
    """A document as it was published last; ``document`` is its JSON, ``version`` empty where its kind has none."""

    id: str
    version: str
    document: str

    @property
    def content(self) -> dict[str, Any]:
        """What it says, as JSON has it."""
        found = json.loads(self.document)
        return found if isinstance(found, dict) else {}


_OF_KIND: Final = f"SELECT {columns(Published)} FROM documents WHERE kind = {{kind:String}} ORDER BY id, version"


def published(store: Store, kind: str) -> list[Published]:
    """All that are published of a kind, by id."""
    return rows(store, Published, _OF_KIND, {"kind": kind})


def keys(store: Store) -> dict[str, dict[str, str]]:
    """By person: public key → key id, none where they have none, and sign nothing."""
    found = {person.id: person.content.get("keys") or [] for person in published(store, "Person")}
    return {person: {entry["public"]: entry["key_id"] for entry in entries} for person, entries in found.items()}
