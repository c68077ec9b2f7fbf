"""The verifier: holds the rows of a store to its signed checkpoints, with nothing but public keys and SELECT.

Every row is read once: its leaf is computed from the raw bytes, appended to the tree of its topic partition, whose
roots must be those of the signed checkpoints; the raw bytes are decoded again, and every typed column must be what they
say. Tables and views are held to the migrations. Changes nothing. `sinks.ledger.verify.roots` has what a tree is held
to, `sinks.ledger.verify.plan` in which order rows are read.

A store may be verified while it is recorded: what is not committed when the verification begins is left for the next,
unless a checkpoint has been signed for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from bus.partitions import Partition
from seamwatch.errors import ProofError
from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.topics import Topics
from sinks.ledger.dropped import Dropped, Noted, read_noted
from sinks.ledger.format.merkle import Tree
from sinks.ledger.format.notes import VerifierKey
from sinks.ledger.rows import DEAD_LETTER
from sinks.ledger.verify.agreement import Agreement
from sinks.ledger.verify.checking import Checked, Chunk, Leaves, in_order
from sinks.ledger.verify.findings import Finding, Report
from sinks.ledger.verify.history import (
    History,
    read_commits,
    read_extents,
    read_heads,
    read_notes,
    read_opened,
)
from sinks.ledger.verify.makeup import definition_findings, step_findings, view_findings
from sinks.ledger.verify.plan import Step, chunks, steps
from sinks.ledger.verify.roots import Commit, Roots
from sinks.ledger.verify.stand_ins import record_tables, stand_ins
from sinks.store.client import Store
from sinks.store.cluster import Cluster
from sinks.store.conditions import of_place
from sinks.store.ddl import Table
from sinks.store.definitions import read_definitions

CheckAll = Callable[[Iterable[Chunk]], Iterator[Checked]]
"""Checks chunks (`sinks.ledger.verify.checking.check`) and gives what they hold in their order."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done for one table: the trees of its topic partitions, and the steps in which its rows are read."""

    table: str
    roots: dict[Partition, Roots]
    steps: list[Step]


class Verifier:
    """Verifies one store. ``outside`` are notes that were kept elsewhere; ``progress`` is told rows and their share.

    With ``since`` (microseconds) only what was committed from then on is read, up from the last checkpoint before.
    """

    def __init__(
        self,
        store: Store,
        keys: Sequence[VerifierKey],
        topics: Topics,
        check_all: CheckAll,
        outside: Iterable[str] = (),
        since: int | None = None,
        progress: Callable[[int, float], None] = lambda _rows, _share: None,
        cluster: Cluster | None = None,
    ) -> None:
        self._store = store
        self._keys = keys
        self._topics = topics
        self._check_all = check_all
        self._outside = list(outside)
        self._since = since
        self._progress = progress
        self._cluster = cluster
        self._tables: list[str] = []
        self._stand_ins: Mapping[str, str] = {}
        self.report = Report()

    def run(self) -> Report:
        """Verify every topic partition. Raises UnreachableError or StoreError when the store cannot be read."""
        definitions = read_definitions(self._store, self._cluster)
        tables = {name: made for name, made in definitions.made.items() if isinstance(made, Table)}
        self._tables = record_tables(tables)
        # Whatever was done to a table, all that is left of it and of the others is verified.
        self._stand_ins = stand_ins(self._store, definitions)
        self.report.findings.extend(definition_findings(self._store, definitions))
        with self._store.with_stand_ins(self._stand_ins):
            self.report.findings.extend(step_findings(self._store))
            self.report.findings.extend(view_findings(self._store))
            self._verify_all()
        self.report.sort()
        return self.report

    def _verify_all(self) -> None:
        # In this order: of every row and head that is seen first, the intent is seen afterwards, or else the commit,
        # and of every commit the checkpoint. What came later is left for the next time.
        extents, heads = read_extents(self._store, self._tables), read_heads(self._store)
        opened = read_opened(self._store)
        committed = read_commits(self._store, trees=self._since is not None)
        notes = {
            place: [note for note in own if note.size <= max(heads.get(place, 0), _size(committed.get(place, ())))]
            for place, own in read_notes(self._store).items()
        }
        histories: dict[Partition, History] = {}
        agreement = Agreement(self._store, self._keys, self.report, self._table)
        kept = agreement.outside(self._outside)
        for place in sorted({*extents, *notes, *committed, *kept}):
            history = agreement.history(place, committed.get(place, []), notes.pop(place, []), kept.get(place, []))
            agreement.see_open(place, history, opened.get(place, []))
            agreement.see_strangers(place, history, extents.get(place, []))
            histories[place] = history
        self.report.partitions = len(histories)
        noted = read_noted(self._store)
        works = [
            self._work(table, {place: histories[place] for place in places}, noted)
            for table, places in groupby(sorted(histories, key=lambda each: (self._table(each), each)), self._table)
        ]
        total = sum(step.rows for work in works for step in work.steps)
        for work in works:
            self._verify(work, max(1, total))

    def _table(self, place: Partition) -> str:
        """The table of a topic's records; dead_letter for a topic that is none of those that are recorded."""
        named = "document" if place[0] == self._topics.contracts else self._topics.record_type(place[0])
        return named if named in self._tables else DEAD_LETTER

    # The rows.

    def _work(
        self, table: str, histories: Mapping[Partition, History], noted: Mapping[Partition, Sequence[Noted]]
    ) -> Work:
        roots = {place: self._roots(place, table, each, noted.get(place, [])) for place, each in histories.items()}
        return Work(table, roots, list(steps(table, {place: each.commits for place, each in histories.items()})))

    def _verify(self, work: Work, total: int) -> None:
        known: dict[tuple[str | None, ...], Finding] = {}
        for step, checked in self._checked(work.steps, self._leading(work.table)):
            for place, commits in step.commits.items():
                rows = in_order([part for each in checked for part in each.leaves.get(place, ())])
                for commit in commits:
                    work.roots[place].extend(commit, _between(rows, commit))
                self.report.rows += len(rows)
            for finding in (finding for each in checked for finding in each.findings):
                key = (finding.table, finding.topic, str(finding.partition))
                if key not in known or (finding.offset or 0) < (known[key].offset or 0):
                    known[key] = finding
            self._progress(self.report.rows, self.report.rows / total)
        self.report.findings += known.values()
        for each in work.roots.values():
            each.finish(whole=self._since is None)

    def _checked(self, plan: list[Step], leading: str | None) -> Iterator[tuple[Step, list[Checked]]]:
        """What the chunks of each step hold. Chunks of the next are under way while one is appended to its trees."""
        counts: list[int] = []

        def all_chunks() -> Iterator[Chunk]:
            for step in plan:
                own = [replace(chunk, stand_ins=self._stand_ins) for chunk in chunks(self._store, step, leading)]
                counts.append(len(own))
                yield from own

        results = self._check_all(all_chunks())
        for index, step in enumerate(plan):
            found = [next(results)]
            found += [next(results) for _ in range(counts[index] - 1)]
            yield step, found

    def _roots(self, place: Partition, table: str, history: History, noted: Sequence[Noted]) -> Roots:
        dropped = Dropped(self._store, self._keys, place, noted)
        tree = Tree()
        if self._since is not None:
            tree = _base(history, self._since)
            history.commits = [commit for commit in history.commits if commit.size > tree.size]
        return Roots(self._store, self.report, place, table, history.signed, dropped, self._row, tree)

    def _row(self, place: Partition, offset: int) -> dict[str, str | None]:
        """Table and event of the row at an offset."""
        for table in dict.fromkeys((self._table(place), DEAD_LETTER)):
            named = f"SELECT {self._id_of(table)} AS event_id FROM {table}"
            rows = self._store.rows(f"{named} WHERE {of_place(place)} AND offset = {offset} LIMIT 1")
            if rows:
                return {"table": table, "event_id": rows[0]["event_id"]}
        return {}

    def _id_of(self, table: str) -> str:
        """What names an event in a table, if anything does."""
        return "event_id" if table in INPUT_TYPES and table not in self._stand_ins else "NULL"

    def _leading(self, table: str) -> str | None:
        """The column that a table is ordered by first, where few values take turns."""
        if table in self._stand_ins:
            return None
        rows = self._store.rows(
            f"SELECT sorting_key FROM system.tables WHERE database = currentDatabase() AND name = '{table}'"
        )
        return "system" if rows and rows[0]["sorting_key"].split(",")[0] == "system" else None


def _size(commits: Sequence[Commit]) -> int:
    return commits[-1].size if commits else 0


def _between(rows: Leaves, commit: Commit) -> Leaves:
    start, end = rows["offset"].searchsorted([commit.first_offset, commit.next_offset])
    return rows[start:end]


def _base(history: History, since: int) -> Tree:
    """The tree of the last signed checkpoint before a time, as its commit kept it; an empty one if there is none.

    What a commit kept counts only if it comes to the signed root.
    """
    for commit in reversed(history.commits):
        if commit.committed_at < since and commit.size in history.signed:
            try:
                tree = Tree(commit.size, commit.tree)
            except ProofError:
                continue
            if tree.root() == history.signed[commit.size]:
                return tree
    return Tree()
