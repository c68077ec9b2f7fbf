"""Fencing: which recorder may write the record of a topic partition, as the store has it.

An epoch outranks every older one of its topic partition, for ever. It decides nothing about who should record what:
that is the consumer group's affair. It makes the group's answer hold in the store, where a process that has not heard
of it yet would write. docs/store.md, "Several recorders", has the argument.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from bus.partitions import Partition
from seamwatch.clock import SystemClock
from seamwatch.errors import SeamwatchError
from sinks.columns import TIME
from sinks.store.client import Store, quoted


@dataclass(frozen=True, slots=True, order=True)
class Epoch:
    """The right to write some topic partitions; the greater one counts. ``recorder`` is of one run of one process."""

    number: int
    recorder: str


class SupersededError(SeamwatchError):
    """Another recorder has claimed ``places`` since; nothing more may be written for them under the older epoch."""

    def __init__(self, places: Collection[Partition]) -> None:
        named = ", ".join(f"{topic}[{partition}]" for topic, partition in sorted(places))
        super().__init__(f"another recorder has claimed {named}; the group says who records it")
        self.places = frozenset(places)


def take_epoch(store: Store, places: Collection[Partition], recorder: str) -> Epoch:
    """Take an epoch for these topic partitions, above every one that the store has.

    Once it returns, ``holders`` names this epoch for each of them, until somebody takes a later one. MUST be called
    before the positions are read, never after: what an older epoch's owner wrote before is then seen, and what it
    begins later does not count. Raises SupersededError when another recorder was quicker; call again then, if the
    group still says so.
    """
    newest = store.rows("SELECT max(epoch) AS epoch FROM ledger_claim")
    made = Epoch(int(newest[0]["epoch"] or 0) + 1, recorder)
    ordered = sorted(places)
    frame = pl.DataFrame(
        {
            "topic": [topic for topic, _ in ordered],
            "partition": pl.Series([partition for _, partition in ordered], dtype=pl.Int32),
        }
    ).with_columns(
        epoch=pl.lit(made.number, dtype=pl.UInt64),
        recorder=pl.lit(recorder),
        claimed_at=pl.lit(SystemClock().now(), dtype=pl.Int64).cast(TIME),
    )
    store.insert("ledger_claim", frame, f"ledger_claim/{made.number}/{recorder}")
    check(store, dict.fromkeys(ordered, made))
    return made


def check(store: Store, epochs: dict[Partition, Epoch]) -> None:
    """See that each of these epochs is the newest of its topic partition. Raises SupersededError with those not."""
    held = holders(store, epochs)
    if lost := [place for place, own in epochs.items() if held.get(place) != own]:
        raise SupersededError(lost)


def holders(store: Store, places: Collection[Partition]) -> dict[Partition, Epoch]:
    """The newest epoch of each of these topic partitions that has one."""
    named = quoted(sorted({topic for topic, _ in places}))
    if not named:
        return {}
    answer = store.rows(
        "SELECT topic, partition, max((epoch, recorder)) AS newest "
        f"FROM ledger_claim WHERE topic IN ({named}) GROUP BY topic, partition"
    )
    return {(row["topic"], row["partition"]): Epoch(*row["newest"]) for row in answer}
