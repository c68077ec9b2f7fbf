"""The writer: takes rounds of batches to the store on a thread of its own, exactly once.

One round: intent rows → the epoch still holds? → blocks → commit rows, in this order, each insert repeated by the
named policy until it is known to be in. It decides nothing about what is in a batch, and reads no topic.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Final, TypeVar

import polars as pl
import structlog

from bus.partitions import Partition
from seamwatch.clock import SystemClock
from seamwatch.errors import StoreError
from sinks.batches import Batch, Block, Range
from sinks.columns import TIME
from sinks.ledger.ledger import Growth, Head, Ledger
from sinks.record.metrics import Metrics
from sinks.record.repeats import AT_ONCE, Repeats
from sinks.store.client import Store, quoted
from sinks.store.fencing import Epoch, SupersededError, check
from sinks.store.positions import stored_offsets
from sinks.store.refusals import StoreRefusedError
from sinks.store.retries import until_it_works

_log = structlog.get_logger("sinks.record.writer")
_TRIES: Final = 3
_IDLE_SECONDS: Final = 0.2
EPOCH_SECONDS: Final = 5.0
"""How long a look at the epochs serves. A recorder that was paused for longer looks again before it sends more."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PendingBatch:
    """A batch on its way, under an epoch; ``repeated``: it was intended before, and perhaps some of it is stored."""

    batch: Batch
    epoch: Epoch
    repeated: bool = False


class Writer:
    """Writes rounds in the order they are handed in; at most one in hand and one waiting.

    Guarantee: once a range is in ``done()``, each of its records is in exactly one row of the store, whatever
    happened to this process, to others that record the same topic partition, or to the store's server. It rests on:

    1. Bounds are decided once. An intent MUST be in the store, and the epoch seen to be the newest *after* that,
       before a block of the range is sent. So whoever takes an epoch later finds the intent, and keeps to its bounds.
    2. A block MUST only be sent whole, with the token that its range gives it: two owners send the same blocks.
    3. The epoch MUST have been seen to be the newest within the last ``EPOCH_SECONDS`` whenever bytes of a block
       are sent: a process that was paused sends nothing that the store has forgotten the token of.
    4. Whenever an insert's fate was in doubt, or the range was intended before, its rows MUST be counted before it
       is committed.
    5. A range's commit row MUST have the range's own token: it is there once, whoever sends it.
    """

    def __init__(
        self,
        url: str,
        stop: Event,
        metrics: Metrics | None = None,
        ledger: Ledger | None = None,
        repeats: Repeats | None = None,
    ) -> None:
        self._url = url
        self._stop = stop
        self._metrics = metrics or Metrics()
        self._ledger = ledger or Ledger()
        self._repeats = repeats
        self._taken_up: Queue[Mapping[Partition, int]] = Queue()
        self._rounds: Queue[Sequence[PendingBatch] | None] = Queue(maxsize=1)
        self._done: Queue[Range] = Queue()
        self._superseded: Queue[tuple[Partition, Epoch]] = Queue()
        self._sizes: dict[tuple[Partition, Epoch], int] = {}
        self._epochs: dict[Partition, Epoch] = {}
        self._checked = 0.0
        self._error: BaseException | None = None
        self._doubt = False
        self._thread = Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, entries: Sequence[PendingBatch]) -> bool:
        """Hand a round over; False when one is waiting already. Raises what the writer ended with, if it did."""
        self.check()
        try:
            self._rounds.put_nowait(entries)
        except Full:
            return False
        return True

    def expect(self, sizes: Mapping[Partition, int], epoch: Epoch) -> None:
        """Say how many rows of each topic partition were recorded when this epoch was taken for it."""
        self._sizes.update({(place, epoch): size for place, size in sizes.items()})

    def take_up(self, recorded: Mapping[Partition, int]) -> None:
        """Say which topic partitions are recorded from now on, and up to which offsets they are already."""
        self._taken_up.put(recorded)

    @property
    def has_room(self) -> bool:
        """Whether a round can be handed over now."""
        return not self._rounds.full()

    def done(self) -> list[Range]:
        """The ranges committed since this was last asked, in order."""
        return _taken(self._done)

    def superseded(self) -> list[tuple[Partition, Epoch]]:
        """What was given up since this was last asked, because somebody else had claimed it. Nothing of it counts."""
        return _taken(self._superseded)

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
                try:
                    entries = self._rounds.get(timeout=_IDLE_SECONDS)
                except Empty:
                    if self._stop.is_set():
                        return  # its recorder has ended, by an error say, and asks for nothing more
                    self._take_up()
                    self._look_for_repeats(store)
                    continue
                try:
                    if entries is None:
                        return
                    if self._error is None:
                        self._write(store, entries)
                except Exception as error:  # noqa: BLE001 - handed to the thread that asks
                    self._error = error
                finally:
                    self._rounds.task_done()

    def _write(self, store: Store, entries: Sequence[PendingBatch]) -> None:
        begun = time.monotonic()
        self._epochs = {entry.batch.range.place: entry.epoch for entry in entries}
        self._take_up()
        self._note_intents(store, entries)
        self._look(store)
        written = self._write_batches(store, entries)
        if self._repeats is not None:
            self._repeats.add(growth.batch.range for _, growth in written)
            # Before the commit, where that is soon done: then what is recorded counts once from its first moment on.
            if self._repeats.behind <= AT_ONCE:
                self._look_for_repeats(store)
        for entry, growth, head in self._grown(store, written):
            self._commit(store, entry, growth, head)
        self._look_for_repeats(store)
        self._metrics.rounds.inc()
        self._metrics.round.observe(time.monotonic() - begun)

    def _take_up(self) -> None:
        for recorded in _taken(self._taken_up):
            if self._repeats is not None:
                self._repeats.take_up(recorded)

    def _look_for_repeats(self, store: Store) -> None:
        if self._repeats is None:
            return
        if self._repeats.is_due:
            self._repeats.look(store)
        self._metrics.repeats_behind.set(self._repeats.behind)

    def _write_batches(self, store: Store, entries: Sequence[PendingBatch]) -> list[tuple[PendingBatch, Growth]]:
        """Write the blocks of a round; an epoch that is outdone is lost for one topic partition, the others go on."""
        written = []
        for entry in entries:
            place = entry.batch.range.place
            if place in self._epochs:
                try:
                    count = self._write_batch(store, entry)
                except SupersededError as lost:
                    self._give_up(lost)
                else:
                    written.append((entry, Growth(entry.batch, self._sizes[place, entry.epoch], count)))
        return written

    def _grown(
        self, store: Store, written: Sequence[tuple[PendingBatch, Growth]]
    ) -> list[tuple[PendingBatch, Growth, Head]]:
        """Grow the trees of a round, without those whose epochs are lost."""
        growths = [growth for _, growth in written]
        try:
            heads = self._retried(lambda: self._ledger.grow(store, growths))
        except StoreError:
            # What another recorder has committed since its epoch looks like a tree that does not fit the rows.
            self._look(store)
            held = [(entry, growth) for entry, growth in written if entry.batch.range.place in self._epochs]
            if len(held) < len(written):
                return self._grown(store, held)
            # All of it is ours: what fits by then is what was on its way from whoever held it before us.
            heads = self._retried(lambda: self._ledger.grow(store, growths, repeated=True))
        return [(entry, growth, head) for (entry, growth), head in zip(written, heads, strict=True)]

    def _commit(self, store: Store, entry: PendingBatch, growth: Growth, head: Head) -> None:
        extent, size = entry.batch.range, growth.size + growth.count
        commit = self._commits(entry, growth.count, size).with_columns(**head.columns())
        self._note(store, "ledger_commit", [extent], commit, str(extent))
        self._ledger.publish(head)
        self._sizes[extent.place, entry.epoch] = size
        self._metrics.rows.labels(extent.topic).inc(growth.count)
        self._done.put(extent)

    def _write_batch(self, store: Store, entry: PendingBatch) -> int:
        """Write the blocks of one batch; returns the rows that the store has of its range."""
        batch = entry.batch
        self._doubt = entry.repeated
        before = self._stored(store, batch) if entry.repeated else {}
        for block in batch.blocks:
            rest = _without(block, {offset for offsets in before.values() for offset in offsets})
            if rest is not None:
                self._insert_block(store, batch, rest, rest.token)
        return self._settled(store, batch) if self._doubt else batch.range.count

    def _look(self, store: Store) -> None:
        """See which epochs of this round still are the newest; those that are not are given up."""
        while self._epochs:
            try:
                self._retried(lambda: check(store, self._epochs))
            except SupersededError as lost:
                self._give_up(lost)
            else:
                self._checked = time.monotonic()
                return

    def _give_up(self, lost: SupersededError) -> None:
        _log.warning("given up, another recorder has claimed it", places=sorted(map(str, lost.places)))
        for place in lost.places:
            self._superseded.put((place, self._epochs.pop(place)))

    def _holding(self, place: Partition) -> None:
        """Raise SupersededError unless the epoch was the newest a moment ago; asks the store when that is long ago."""
        if time.monotonic() - self._checked >= EPOCH_SECONDS:
            with Store(self._url) as store:  # the writer's own connection may be in the middle of an insert
                check(store, {place: self._epochs[place]})
            self._checked = time.monotonic()

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
                self._insert_block(store, batch, rest, f"{rest.token}/again-{attempt}")
        raise StoreError(f"{batch.range}: the store keeps losing rows that it accepted; look at its log and disk")

    def _stored(self, store: Store, batch: Batch) -> dict[str, list[int]]:
        return {
            table: self._retried(partial(stored_offsets, store, table, batch.range))
            for table in (batch.table, "dead_letter")
        }

    def _note_intents(self, store: Store, entries: Sequence[PendingBatch]) -> None:
        ranges = [entry.batch.range for entry in entries]
        epochs = [entry.epoch for entry in entries]
        frame = _ranges(ranges).with_columns(
            epoch=pl.Series([epoch.number for epoch in epochs], dtype=pl.UInt64),
            recorder=pl.Series([epoch.recorder for epoch in epochs]),
            intended_at=_now(),
        )
        named = " ".join(f"{extent}@{epoch}" for extent, epoch in zip(ranges, epochs, strict=True))
        self._note(store, "ledger_intent", ranges, frame, hashlib.sha256(named.encode()).hexdigest())

    def _note(self, store: Store, table: str, ranges: Sequence[Range], frame: pl.DataFrame, name: str) -> None:
        """Insert rows of the ledger, and see that they are there when the insert was in doubt."""
        self._doubt = False
        token = f"{table}/{name}"
        for attempt in range(_TRIES):
            again = token if not attempt else f"{token}/again-{attempt}"
            self._retried(partial(store.insert, table, frame, again))
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

    def _insert_block(self, store: Store, batch: Batch, block: Block, token: str) -> None:
        """Insert a block, or what is missing of it. Raises StoreError with a way out where the store never takes it."""
        place = batch.range.place

        def send() -> None:
            self._holding(place)
            store.insert(block.table, block.frame, token, while_sending=partial(self._holding, place))

        try:
            self._retried(send)
        except StoreRefusedError as error:
            raise StoreRefusedError(
                f"the store will not take block {token} ({len(block.frame)} rows of {block.table}); nothing of it is "
                f'lost, and nothing after it is recorded: docs/store.md, "When the store refuses a block". {error}',
                error.code,
            ) from error

    def _retried(self, action: Callable[[], T]) -> T:
        return until_it_works(self._stop, failed=self._failed)(action)

    def _failed(self, error: BaseException) -> None:
        self._doubt = True
        code = error.code if isinstance(error, StoreRefusedError) else None
        self._metrics.retries.labels("unreachable" if code is None else str(code)).inc()

    def _commits(self, entry: PendingBatch, count: int, size: int) -> pl.DataFrame:
        return _ranges([entry.batch.range]).with_columns(
            count=pl.lit(count, dtype=pl.UInt32),
            dead_letters=pl.lit(entry.batch.dead_letters, dtype=pl.UInt32),
            size=pl.lit(size, dtype=pl.UInt64),
            epoch=pl.lit(entry.epoch.number, dtype=pl.UInt64),
            recorder=pl.lit(entry.epoch.recorder),
            committed_at=_now(),
        )


def _taken(queue: Queue[T]) -> list[T]:
    found = []
    while True:
        try:
            found.append(queue.get_nowait())
        except Empty:
            return found


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
