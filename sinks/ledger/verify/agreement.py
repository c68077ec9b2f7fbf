"""Agreement: whether the commits, signed heads and open ranges that a store says a topic partition has fit together.

Looks at no row but for where rows are; what they hold is `sinks.ledger.verify.roots`'s affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from bus.partitions import Partition
from seamwatch.errors import ProofError
from sinks.ledger.format.notes import Checkpoint, VerifierKey, read_checkpoint
from sinks.ledger.format.origins import origin_of, place_of
from sinks.ledger.rows import DEAD_LETTER
from sinks.ledger.verify.findings import Report
from sinks.ledger.verify.history import Extent, History, Note, Opened
from sinks.ledger.verify.roots import Commit
from sinks.store.client import Store
from sinks.store.conditions import of_place, of_ranges

_NOW: Final = 2**62


class Agreement:
    """Puts histories together, and notes what contradicts itself. ``table_of`` is the table of a topic's records."""

    def __init__(
        self, store: Store, keys: Sequence[VerifierKey], report: Report, table_of: Callable[[Partition], str]
    ) -> None:
        self._store = store
        self._keys = keys
        self._report = report
        self._table_of = table_of

    def outside(self, notes: Iterable[str]) -> dict[Partition, list[Checkpoint]]:
        """Checkpoints that were kept elsewhere. Raises ProofError for one that does not hold: its keeper's to mend."""
        found: dict[Partition, list[Checkpoint]] = {}
        for note in notes:
            checkpoint = read_checkpoint(note, self._keys)
            found.setdefault(place_of(checkpoint.origin, self._keys), []).append(checkpoint)
        return found

    def history(self, place: Partition, commits: list[Commit], notes: list[Note], kept: list[Checkpoint]) -> History:
        """What was done, as far as commits and signed heads say the same."""
        following, size = commits[0].first_offset if commits else 0, 0
        for commit in commits:
            if commit.first_offset != following or commit.size != size + commit.count:
                message = (
                    f"the commits do not follow one another: {following} is where [{commit.first_offset}, "
                    f"{commit.next_offset}) of {commit.count} to {commit.size} should begin, after {size}"
                )
                self._report.add("commit", place, message, table="ledger_commit", offset=following)
            following, size = commit.next_offset, commit.size
        signed: dict[int, bytes] = {}
        for note in notes:
            self._report.checkpoints += 1
            try:
                checkpoint = self._checkpoint(place, note)
            except ProofError as error:
                named = {"table": "checkpoint", "offset": _first_offset(commits, note.size)}
                self._report.add("checkpoint", place, f"size {note.size}: {error}", **named)
                continue
            self._agree(place, commits, signed, checkpoint, "the store")
        for checkpoint in kept:
            self._agree(place, commits, signed, checkpoint, "a copy kept elsewhere")
        return History(commits, signed, following)

    def see_open(self, place: Partition, history: History, opened: list[Opened]) -> None:
        """Rows of a range that is being recorded belong to nothing yet, unless it has been signed for."""
        following = history.end if history.commits else min((row.first_offset for row in opened), default=0)
        for row in [row for row in opened if row.first_offset == following][-1:]:
            size = history.size + row.count
            if size in history.signed:
                history.commits.append(Commit(row.first_offset, row.next_offset, row.count, size, _NOW, b""))
            history.end = row.next_offset
        if (ahead := max(history.signed, default=0)) > history.size:
            lacking = (
                f"{history.size} are committed: the end is missing" if history.size else "none is: all are missing"
            )
            message = f"a signed checkpoint is of {ahead} records, and {lacking}"
            self._report.add("ahead", place, message, offset=history.end)

    def see_strangers(self, place: Partition, history: History, extents: list[Extent]) -> None:
        """Rows outside every range, and rows of this topic in a table where none of them belongs."""
        own = {self._table_of(place), DEAD_LETTER} if history.commits or history.end else set()
        first = history.commits[0].first_offset if history.commits else 0
        for extent in extents:
            rows, begun = extent.rows, extent.first
            if extent.table in own:
                if first <= extent.first and extent.last < history.end:
                    continue
                row = self._store.rows(
                    f"SELECT count() AS rows, min(offset) AS first FROM {extent.table} "
                    f"WHERE {of_place(place)} AND NOT {of_ranges({place: (first, history.end)})}"
                )[0]
                rows, begun = row["rows"], row["first"]
            if rows:
                message = f"{rows} rows from here on are in no committed range of this table"
                self._report.add("inserted", place, message, table=extent.table, offset=begun)

    def _checkpoint(self, place: Partition, note: Note) -> Checkpoint:
        """The signed checkpoint of a row; ProofError when it is none, or says something else than the row."""
        checkpoint = read_checkpoint(note.text, self._keys)
        if checkpoint.origin not in {origin_of(key.name, place) for key in self._keys}:
            raise ProofError(f"the note is of {checkpoint.origin}")
        if (checkpoint.size, checkpoint.root) != (note.size, note.root):
            raise ProofError("the row says another size or root than its signed note")
        return checkpoint

    def _agree(
        self, place: Partition, commits: list[Commit], found: dict[int, bytes], checkpoint: Checkpoint, whose: str
    ) -> None:
        known = found.setdefault(checkpoint.size, checkpoint.root)
        if known != checkpoint.root:
            message = f"two signed roots of size {checkpoint.size}, the second in {whose}: the history was forked"
            named = {"table": "checkpoint", "offset": _first_offset(commits, checkpoint.size)}
            self._report.add("fork", place, message, **named)


def _first_offset(commits: Sequence[Commit], size: int) -> int | None:
    """Where the range begins that made a tree this large."""
    return next((commit.first_offset for commit in commits if commit.size >= size), None)
