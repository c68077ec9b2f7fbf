"""The verifier: holds the rows of a store to its signed checkpoints, with nothing but public keys and SELECT.

Every row is read once: its leaf is computed from the raw bytes, appended to the tree of its topic partition, whose
roots must be those of the signed checkpoints; the raw bytes are decoded again, and every typed column must be what they
say. Changes nothing. `sinks.ledger.roots` has what a tree is held to, `sinks.ledger.plan` in which order rows are read.

A store may be verified while it is recorded: what is not committed when the verification begins is left for the next,
unless a checkpoint has been signed for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from seamwatch.errors import ProofError
from seamwatch.wire.topics import Topics
from sinks.ledger.checking import Checked, Leaves, Piece, in_order
from sinks.ledger.dropped import Dropped
from sinks.ledger.findings import Finding, Report
from sinks.ledger.history import (
    Extent,
    History,
    Note,
    Opened,
    read_commits,
    read_extents,
    read_heads,
    read_notes,
    read_opened,
)
from sinks.ledger.ledger import origin_of
from sinks.ledger.merkle import Tree
from sinks.ledger.notes import Checkpoint, VerifierKey, read_checkpoint
from sinks.ledger.plan import Step, pieces, steps
from sinks.ledger.roots import Commit, Roots
from sinks.ledger.rows import DEAD_LETTER, of_place, of_ranges, tables_with
from sinks.reading import Place
from sinks.store import Store

CheckAll = Callable[[Iterable[Piece]], Iterator[Checked]]
"""Checks pieces (`sinks.ledger.checking.check`) and gives what they hold in their order."""

_NOW: Final = 2**62


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done for one table: the trees of its topic partitions, and the steps in which its rows are read."""

    table: str
    roots: dict[Place, Roots]
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
    ) -> None:
        self._store = store
        self._keys = keys
        self._topics = topics
        self._check_all = check_all
        self._outside = list(outside)
        self._since = since
        self._progress = progress
        self._tables = tables_with(store, "raw", "offset", "headers")
        self._with_events = tables_with(store, "raw", "offset", "headers", "event_id")
        self.report = Report()

    def run(self) -> Report:
        """Verify every topic partition. Raises UnreachableError or StoreError when the store cannot be read."""
        kept = self._outside_checkpoints()
        # In this order: of every row and head that is seen first, the intent is seen afterwards, or else the commit,
        # and of every commit the checkpoint. What came later is left for the next time.
        extents, heads = read_extents(self._store, self._tables), read_heads(self._store)
        opened = read_opened(self._store)
        committed = read_commits(self._store, trees=self._since is not None)
        notes = {
            place: [note for note in own if note.size <= max(heads.get(place, 0), _size(committed.get(place, ())))]
            for place, own in read_notes(self._store).items()
        }
        histories: dict[Place, History] = {}
        for place in sorted({*extents, *notes, *committed, *kept}):
            history = self._history(place, committed.get(place, []), notes.pop(place, []), kept.get(place, []))
            self._see_open(place, history, opened.get(place, []))
            self._see_strangers(place, history, extents.get(place, []))
            histories[place] = history
        self.report.partitions = len(histories)
        works = [
            self._work(table, {place: histories[place] for place in places})
            for table, places in groupby(sorted(histories, key=lambda each: (self._table(each), each)), self._table)
        ]
        total = sum(step.rows for work in works for step in work.steps)
        for work in works:
            self._verify(work, max(1, total))
        self.report.sort()
        return self.report

    def _table(self, place: Place) -> str:
        return self._record_type(place) or DEAD_LETTER

    def _record_type(self, place: Place) -> str | None:
        return "document" if place[0] == self._topics.contracts else self._topics.record_type(place[0])

    # What the store says of itself.

    def _outside_checkpoints(self) -> dict[Place, list[Checkpoint]]:
        found: dict[Place, list[Checkpoint]] = {}
        for note in self._outside:
            checkpoint = read_checkpoint(note, self._keys)  # a copy that does not hold is its keeper's to mend
            name, _, partition = checkpoint.origin.rpartition("/")
            found.setdefault((name.rpartition("/")[2], int(partition)), []).append(checkpoint)
        return found

    # What of it holds together.

    def _history(self, place: Place, commits: list[Commit], notes: list[Note], kept: list[Checkpoint]) -> History:
        following, size = commits[0].first_offset if commits else 0, 0
        for commit in commits:
            if commit.first_offset != following or commit.size != size + commit.count:
                message = (
                    f"the commits do not follow one another: {following} is where [{commit.first_offset}, "
                    f"{commit.next_offset}) of {commit.count} to {commit.size} should begin, after {size}"
                )
                self.report.add("commit", place, message, table="ledger_commit", offset=following)
            following, size = commit.next_offset, commit.size
        signed: dict[int, bytes] = {}
        for note in notes:
            self.report.checkpoints += 1
            try:
                checkpoint = self._checkpoint(place, note)
            except ProofError as error:
                named = {"table": "checkpoint", "offset": _first_offset(commits, note.size)}
                self.report.add("checkpoint", place, f"size {note.size}: {error}", **named)
                continue
            self._agree(place, commits, signed, checkpoint, "the store")
        for checkpoint in kept:
            self._agree(place, commits, signed, checkpoint, "a copy kept elsewhere")
        return History(commits, signed, following)

    def _checkpoint(self, place: Place, note: Note) -> Checkpoint:
        """The signed checkpoint of a row; ProofError when it is none, or says something else than the row."""
        checkpoint = read_checkpoint(note.text, self._keys)
        if checkpoint.origin not in {origin_of(key.name, place) for key in self._keys}:
            raise ProofError(f"the note is of {checkpoint.origin}")
        if (checkpoint.size, checkpoint.root) != (note.size, note.root):
            raise ProofError("the row says another size or root than its signed note")
        return checkpoint

    def _agree(
        self, place: Place, commits: list[Commit], found: dict[int, bytes], checkpoint: Checkpoint, whose: str
    ) -> None:
        known = found.setdefault(checkpoint.size, checkpoint.root)
        if known != checkpoint.root:
            message = f"two signed roots of size {checkpoint.size}, the second in {whose}: the history was forked"
            named = {"table": "checkpoint", "offset": _first_offset(commits, checkpoint.size)}
            self.report.add("fork", place, message, **named)

    def _see_open(self, place: Place, history: History, opened: list[Opened]) -> None:
        """Rows of a range that is being recorded belong to nothing yet, unless it has been signed for."""
        following = history.end if history.commits else min((row.first_offset for row in opened), default=0)
        for row in [row for row in opened if row.first_offset == following][-1:]:
            size = history.size + row.count
            if size in history.signed:
                history.commits.append(Commit(row.first_offset, row.next_offset, row.count, size, _NOW, b""))
            history.end = row.next_offset
        if (ahead := max(history.signed, default=0)) > history.size:
            message = f"a signed checkpoint is of {ahead} records, and {history.size} are committed: the end is missing"
            self.report.add("ahead", place, message, offset=history.end)

    def _see_strangers(self, place: Place, history: History, extents: list[Extent]) -> None:
        """Rows outside every range, and rows of this topic in a table where none of them belongs."""
        own = {self._table(place), DEAD_LETTER} if history.commits or history.end else set()
        first = history.commits[0].first_offset if history.commits else 0
        for extent in extents:
            if extent.table in own and first <= extent.first and extent.last < history.end:
                continue
            inside = of_ranges({place: (first, history.end)}) if extent.table in own else "0"
            row = self._store.rows(
                f"SELECT count() AS rows, min(offset) AS first FROM {extent.table} "
                f"WHERE {of_place(place)} AND NOT ({inside})"
            )[0]
            if row["rows"]:
                message = f"{row['rows']} rows from here on are in no committed range of this table"
                self.report.add("inserted", place, message, table=extent.table, offset=row["first"])

    # The rows.

    def _work(self, table: str, histories: Mapping[Place, History]) -> Work:
        roots = {place: self._roots(place, table, history) for place, history in histories.items()}
        return Work(table, roots, list(steps(table, {place: each.commits for place, each in histories.items()})))

    def _verify(self, work: Work, total: int) -> None:
        known: dict[tuple[str, Place], Finding] = {}
        for step, checked in self._checked(work.steps, self._leading(work.table)):
            for place, commits in step.commits.items():
                rows = in_order([part for each in checked for part in each.leaves.get(place, ())])
                for commit in commits:
                    work.roots[place].extend(commit, _between(rows, commit))
                self.report.rows += len(rows)
            for finding in (finding for each in checked for finding in each.findings):
                key = (finding.table or "", (finding.topic, finding.partition))
                if key not in known or (finding.offset or 0) < (known[key].offset or 0):
                    known[key] = finding
            self._progress(self.report.rows, self.report.rows / total)
        self.report.findings += known.values()
        for each in work.roots.values():
            each.finish(whole=self._since is None)

    def _checked(self, plan: list[Step], leading: str | None) -> Iterator[tuple[Step, list[Checked]]]:
        """What the pieces of each step hold. Pieces of the next are under way while one is appended to its trees."""
        counts: list[int] = []

        def all_pieces() -> Iterator[Piece]:
            for step in plan:
                own = list(pieces(self._store, step, leading))
                counts.append(len(own))
                yield from own

        results = self._check_all(all_pieces())
        for index, step in enumerate(plan):
            found = [next(results)]
            found += [next(results) for _ in range(counts[index] - 1)]
            yield step, found

    def _roots(self, place: Place, table: str, history: History) -> Roots:
        dropped = Dropped(self._store, self._keys, place)
        tree = Tree()
        if self._since is not None:
            tree = _base(history, self._since)
            history.commits = [commit for commit in history.commits if commit.size > tree.size]
        return Roots(self._store, self.report, place, table, history.signed, dropped, self._row, tree)

    def _row(self, place: Place, offset: int) -> dict[str, str | None]:
        """Table and event of the row at an offset."""
        for table in dict.fromkeys((self._table(place), DEAD_LETTER)):
            event = "event_id" if table in self._with_events else "NULL"
            rows = self._store.rows(
                f"SELECT {event} AS event_id FROM {table} WHERE {of_place(place)} AND offset = {offset} LIMIT 1"
            )
            if rows:
                return {"table": table, "event_id": rows[0]["event_id"]}
        return {}

    def _leading(self, table: str) -> str | None:
        """The column that a table is ordered by first, where few values take turns."""
        rows = self._store.rows(
            f"SELECT sorting_key FROM system.tables WHERE database = currentDatabase() AND name = '{table}'"
        )
        return "system" if rows and rows[0]["sorting_key"].split(",")[0] == "system" else None


def _size(commits: Sequence[Commit]) -> int:
    return commits[-1].size if commits else 0


def _between(rows: Leaves, commit: Commit) -> Leaves:
    start, end = rows["offset"].searchsorted([commit.first_offset, commit.next_offset])
    return rows[start:end]


def _first_offset(commits: Sequence[Commit], size: int) -> int | None:
    """Where the range begins that made a tree this large."""
    return next((commit.first_offset for commit in commits if commit.size >= size), None)


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
