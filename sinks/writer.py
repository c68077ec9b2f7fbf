"""The writer: takes rounds of batches to the store on a thread of its own, exactly once.

One round: intent rows → blocks → commit rows, in this order, each insert repeated by the named policy until it is
known to be in. It decides nothing about what is in a batch, and reads no topic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Final, TypeVar

import polars as pl
import structlog

from seamwatch.clock import SystemClock
from seamwatch.errors import StoreError
from sinks.blocks import Batch, Block, Range
from sinks.columns import TIME
from sinks.positions import stored_offsets
from sinks.reading import Place
from sinks.retries import until_it_works
from sinks.store import Store, quoted

_log = structlog.get_logger("sinks.writer")
_TRIES: Final = 3

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """A batch on its way; ``repeated``: its intent is already in the store, and perhaps some of its blocks."""

    batch: Batch
    repeated: bool = False


class Writer:
    """Writes rounds in the order they are handed in; at most one in hand and one waiting.

    Guarantee: once a round is in ``done()``, each record of its ranges is in exactly one row of the store, whatever
    happened to this process, to an earlier one or to the store's server in between. It rests on three things: a
    range is intended before anything of it is written; a block is only ever inserted whole with its own token; and
    whenever an insert's fate was in doubt, the rows are counted before the range is committed.
    """

    def __init__(self, url: str, recorder: str, stop: Event) -> None:
        self._url = url
        self._recorder = recorder
        self._stop = stop
        self._rounds: Queue[Sequence[Entry] | None] = Queue(maxsize=1)
        self._done: Queue[Range] = Queue()
        self._sizes: dict[Place, int] = {}
        self._error: BaseException | None = None
        self._doubt = False
        self._thread = Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, entries: Sequence[Entry]) -> bool:
        """Hand a round over; False when one is waiting already. Raises what the writer ended with, if it did."""
        self.check()
        try:
            self._rounds.put_nowait(entries)
        except Full:
            return False
        return True

    def expect(self, sizes: Mapping[Place, int]) -> None:
        """Say how many rows of each topic partition are recorded so far; only while nothing is handed over."""
        self._sizes = dict(sizes)

    @property
    def has_room(self) -> bool:
        """Whether a round can be handed over now."""
        return not self._rounds.full()

    def done(self) -> list[Range]:
        """The ranges committed since this was last asked, in order."""
        found = []
        while True:
            try:
                found.append(self._done.get_nowait())
            except Empty:
                return found

    def check(self) -> None:
        """Raise what the writer ended with, if it did: a failure of the store that waiting does not mend."""
        if self._error is not None:
            raise self._error

    def drain(self, seconds: float) -> bool:
        """Wait until everything handed over is committed; False when that took longer than ``seconds``."""
        waiting = Thread(target=self._rounds.join, daemon=True)
        waiting.start()
        waiting.join(seconds)
        return not waiting.is_alive()

    def close(self, seconds: float) -> bool:
        """Commit what was handed over, then end; False when that took longer than ``seconds``."""
        finished = self.drain(seconds)
        self._stop.set()
        if finished:
            self._rounds.put(None)
            self._thread.join(seconds)
        return finished

    def _run(self) -> None:
        with Store(self._url) as store:
            while True:
                entries = self._rounds.get()
                try:
                    if entries is None:
                        return
                    if self._error is None:
                        self._write(store, entries)
                except Exception as error:  # noqa: BLE001 - handed to the thread that asks
                    self._error = error
                finally:
                    self._rounds.task_done()

    def _write(self, store: Store, entries: Sequence[Entry]) -> None:
        self._doubt = False
        fresh = [entry.batch.range for entry in entries if not entry.repeated]
        if fresh:
            self._note(store, "ledger_intent", fresh, self._intents(fresh))
        counts = {entry.batch.range: self._write_batch(store, entry) for entry in entries}
        for extent, count in counts.items():
            self._sizes[extent.place] = self._sizes.get(extent.place, 0) + count
        self._note(store, "ledger_commit", list(counts), self._commits(entries, counts))
        for extent in counts:
            self._done.put(extent)

    def _write_batch(self, store: Store, entry: Entry) -> int:
        """Write the blocks of one batch; returns the rows that the store has of its range."""
        batch = entry.batch
        self._doubt = entry.repeated
        before = self._stored(store, batch) if entry.repeated else {}
        for block in batch.blocks:
            rest = _without(block, {offset for offsets in before.values() for offset in offsets})
            if rest is not None:
                self._insert(store, rest.table, rest.frame, rest.token)
        return self._settled(store, batch) if self._doubt else batch.range.count

    def _settled(self, store: Store, batch: Batch) -> int:
        """Count the rows of a range whose inserts were in doubt, and insert what is missing.

        A server that dies between noting a token and keeping its rows leaves a token without rows; repeating the
        block would then be taken for a duplicate. So what is missing is inserted under another token.
        """
        for attempt in range(_TRIES):
            stored = self._stored(store, batch)
            there = [offset for offsets in stored.values() for offset in offsets]
            if len(set(there)) < len(there):
                raise StoreError(f'{batch.range}: records are in the store twice; see docs/store.md, "Exactly once"')
            missing = [rest for block in batch.blocks if (rest := _without(block, set(there))) is not None]
            if not missing:
                return len(there)
            for rest in missing:
                _log.warning("rows missing behind a token, inserting them", range=str(batch.range), table=rest.table)
                self._insert(store, rest.table, rest.frame, f"{rest.token}/again-{attempt}")
        raise StoreError(f"{batch.range}: the store keeps losing rows that it accepted; look at its log and disk")

    def _stored(self, store: Store, batch: Batch) -> dict[str, list[int]]:
        return {
            table: self._retried(partial(stored_offsets, store, table, batch.range))
            for table in (batch.table, "dead_letter")
        }

    def _note(self, store: Store, table: str, ranges: Sequence[Range], frame: pl.DataFrame) -> None:
        """Insert rows of the ledger, and see that they are there when the insert was in doubt."""
        self._doubt = False
        token = f"{table}/{hashlib.sha256(' '.join(map(str, ranges)).encode()).hexdigest()}"
        for attempt in range(_TRIES):
            self._insert(store, table, frame, token if not attempt else f"{token}/again-{attempt}")
            if not self._doubt or self._noted(store, table, ranges):
                return
        raise StoreError(f"{table}: the store keeps losing rows that it accepted; look at its log and disk")

    def _noted(self, store: Store, table: str, ranges: Sequence[Range]) -> bool:
        keys = ", ".join(f"({quoted([r.topic])}, {r.partition}, {r.first_offset}, {r.next_offset})" for r in ranges)
        sql = (
            f"SELECT uniqExact(topic, partition, first_offset) AS found FROM {table} "
            f"WHERE (topic, partition, first_offset, next_offset) IN ({keys})"
        )
        return int(self._retried(lambda: store.rows(sql))[0]["found"]) == len(ranges)

    def _insert(self, store: Store, table: str, frame: pl.DataFrame, token: str) -> None:
        self._retried(lambda: store.insert(table, frame, token))

    def _retried(self, action: Callable[[], T]) -> T:
        return until_it_works(self._stop, failed=self._set_doubt)(action)

    def _set_doubt(self) -> None:
        self._doubt = True

    def _intents(self, ranges: Sequence[Range]) -> pl.DataFrame:
        return _ranges(ranges).with_columns(recorder=pl.lit(self._recorder), intended_at=_now())

    def _commits(self, entries: Sequence[Entry], counts: dict[Range, int]) -> pl.DataFrame:
        ranges = [entry.batch.range for entry in entries]
        return _ranges(ranges).with_columns(
            pl.Series("count", [counts[extent] for extent in ranges], dtype=pl.UInt32),
            pl.Series("dead_letters", [entry.batch.dead_letters for entry in entries], dtype=pl.UInt32),
            pl.Series("size", [self._sizes[extent.place] for extent in ranges], dtype=pl.UInt64),
            recorder=pl.lit(self._recorder),
            committed_at=_now(),
        )


def _without(block: Block, stored: set[int]) -> Block | None:
    """The block without the rows that are stored already: itself if none is, None if all are."""
    if not stored:
        return block
    rest = block.frame.filter(~pl.col("offset").is_in(list(stored)))
    if not len(rest):
        return None
    if len(rest) == len(block.frame):
        return block
    return Block(block.table, f"{block.token}/rest-{len(rest)}-{rest['offset'][0]}", rest)


def _ranges(ranges: Sequence[Range]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "topic": [r.topic for r in ranges],
            "partition": pl.Series([r.partition for r in ranges], dtype=pl.Int32),
            "first_offset": pl.Series([r.first_offset for r in ranges], dtype=pl.Int64),
            "next_offset": pl.Series([r.next_offset for r in ranges], dtype=pl.Int64),
            "count": pl.Series([r.count for r in ranges], dtype=pl.UInt32),
        }
    )


def _now() -> pl.Expr:
    return pl.lit(SystemClock().now(), dtype=pl.Int64).cast(TIME)
