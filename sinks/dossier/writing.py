"""Writing: a dossier of one system and one time, from the store into a file.

SELECT only. The same state of the store makes the same bytes: nothing in it is of the clock or of this machine.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from seamwatch.errors import SeamwatchError, UsageError
from sinks.dossier.asked import rows_of
from sinks.dossier.container import Member, Packing
from sinks.dossier.index import Answered, Index
from sinks.dossier.noting import NotingStore
from sinks.dossier.packing import Records
from sinks.dossier.page import page
from sinks.dossier.removals import FILE, removal_lines, text_of
from sinks.dossier.requirements import Source
from sinks.dossier.scope import DOCUMENTS, ERASED, IN_DOCUMENTS, NAMED, OF_SYSTEM, Scope
from sinks.dossier.seal import INDEX, MANIFEST, PAGE, SEAL, LedgerSealer, Manifest, PersonSealer
from sinks.ledger.evidence import DefinitionOf
from sinks.store.questions.rows import micros

_DEAD_LETTERS: Final = (
    "SELECT count() AS found FROM dead_letter WHERE broker_time >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') "
    "AND broker_time < fromUnixTimestamp64Micro({until:Int64}, 'UTC')"
)
_REMOVALS: Final = (
    "SELECT DISTINCT drop_id, note FROM retention WHERE table IN {tables:Array(String)} AND month >= {month:UInt32} "
    "ORDER BY drop_id, note"
)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written: of which system and time, by which requirements, and who vouches for it, if anybody."""

    scope: Scope
    sources: Sequence[Source]
    sealer: LedgerSealer | PersonSealer | None
    definition_of: DefinitionOf
    tell: Callable[[int], None] = field(default=lambda _: None)

    @property
    def signer(self) -> str | None:
        """The person who vouches for it."""
        return self.sealer.person if isinstance(self.sealer, PersonSealer) else None


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: how many records, and what is lacking."""

    records: int
    gaps: list[dict[str, str]]


def write(store: NotingStore, order: Order, out: Path) -> Written:
    """Write a dossier; the file is there when it is whole, and not before.

    Raises ProofError when the store does not hold what was signed, SeamwatchError where nothing is signed, and
    UsageError when the file cannot be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    except OSError as error:
        raise UsageError(f"{out}: cannot be written: {error.strerror}") from error
    made = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            with Packing(file) as packing:
                written = _Writer(store, order, packing).run()
                packing.finish()
            file.flush()
            os.fsync(file.fileno())
        made.replace(out)
    except OSError as error:
        raise UsageError(f"{out}: cannot be written: {error.strerror}") from error
    finally:
        with suppress(FileNotFoundError):
            made.unlink()
    return written


class _Writer:
    """Writes the members of one dossier, one after another."""

    def __init__(self, store: NotingStore, order: Order, packing: Packing) -> None:
        self._store = store
        self._order = order
        self._scope = order.scope
        self._packing = packing
        self._members: list[Member] = []

    def run(self) -> Written:
        """Write all of them."""
        as_of = self._as_of()
        records = self._records()
        self._members += records.members
        answers = {name: self._answer(name) for name in _questions(self._order.sources)}
        removed = self._removed()
        letters = self._store.rows(_DEAD_LETTERS, {name: self._scope.values[name] for name in ("since", "until")})
        index = Index(
            self._scope,
            as_of,
            records.counts,
            self._order.sources,
            answers,
            self._sealed_by(),
            removed,
            letters[0]["found"],
        )
        self._add(INDEX, [index.content])
        self._add(PAGE, [page(index.said)])
        manifest = Manifest(
            self._scope.system, self._scope.start, self._scope.end, as_of, {each.name: each for each in self._members}
        )
        self._packing.add(MANIFEST, [manifest.content])
        if self._order.sealer is not None:
            self._packing.add(SEAL, [self._order.sealer(manifest)])
        return Written(records.counts.rows.total(), index.gaps)

    def _records(self) -> Records:
        erased = frozenset(row["key_id"] for row in self._store.rows("SELECT DISTINCT key_id FROM erasure"))
        people = self._people()
        records = Records(self._store, self._order.definition_of, erased, self._packing, self._order.tell)
        self._store.taken()
        asked = []
        for table, condition in sorted(OF_SYSTEM.items()):
            records.pack(table, condition, self._scope.values)
            asked.append(_statement(table, condition, self._scope.values))
        for table, condition, values in (
            ("document", DOCUMENTS, {"system": self._scope.system, "people": people}),
            ("erasure", ERASED, {"erased": sorted(records.counts.erased)}),
        ):
            records.pack(table, condition, values)
            asked.append(_statement(table, condition, values))
        records.finish()
        self._store.taken()
        self._add("ledger/records.sql", ["\n".join(asked).encode()])
        return records

    def _people(self) -> list[str]:
        """Whom the records and the documents name, of those that are published, and who vouches."""
        known = {row["id"] for row in self._store.rows("SELECT DISTINCT id FROM document WHERE kind = 'Person'")}
        found = {row["person"] for row in self._store.rows(NAMED, self._scope.values)}
        documents = self._store.rows(IN_DOCUMENTS, {"system": self._scope.system, "people": []})
        for row in documents:
            found.update(_texts(json.loads(row["document"])))
        if self._order.signer is not None:
            found.add(self._order.signer)
        return sorted(found & known)

    def _answer(self, question: str) -> Answered:
        rows = 0

        def counted() -> Iterator[bytes]:
            nonlocal rows
            for each in rows_of(question, self._store, self._scope):
                rows += 1
                yield each

        self._store.taken()
        answer = self._add(f"answers/{question}.jsonl", counted())
        sql = self._add(f"answers/{question}.sql", [self._store.taken().encode()])
        return Answered(question, rows, answer.name, sql.name)

    def _removed(self) -> list[str]:
        """The texts of what retention removed that may have been of the time: of months that ended after it began."""
        month = datetime.fromtimestamp(self._scope.start // 1_000_000, UTC)
        given = {"tables": sorted(OF_SYSTEM), "month": month.year * 100 + month.month}
        notes = [row["note"] for row in self._store.rows(_REMOVALS, given)]
        self._add(FILE, removal_lines(notes))
        return [text_of(note) for note in notes]

    def _as_of(self) -> int:
        (row,) = self._store.rows("SELECT count() AS commits, max(committed_at) AS at FROM ledger_commit")
        if not row["commits"]:
            raise SeamwatchError("nothing is on record yet: the recorder has committed nothing to this store")
        return micros(row["at"])

    def _sealed_by(self) -> str | None:
        match self._order.sealer:
            case PersonSealer(person=person, key_id=key_id):
                return f"{person} (key {key_id})"
            case LedgerSealer(key=key):
                return f"the ledger {key.name}"
        return None

    def _add(self, name: str, content: Iterator[bytes] | list[bytes]) -> Member:
        member = self._packing.add(name, content)
        self._members.append(member)
        return member


def _questions(sources: Sequence[Source]) -> list[str]:
    return sorted({each.question for source in sources for one in source.requirements for each in one.evidence})


def _statement(table: str, condition: str, values: dict[str, Any]) -> str:
    said = "".join(f"-- {name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in sorted(values.items()))
    return f"{said}SELECT * FROM {table} WHERE {condition} ORDER BY topic, partition, offset;\n"


def _texts(value: Any) -> Collection[str]:
    """All texts in a document."""
    if isinstance(value, str):
        return [value]
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for each in below for text in _texts(each)]
