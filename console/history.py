"""The history that a command judges: files, or the tables of the decision store, and which part of it.

Gathers and says on standard error how far it has come; judges nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.lines import Complaints, Progress
from console.moments import moment_of
from seamwatch.errors import UsageError

if TYPE_CHECKING:
    from polars import DataFrame

    from seamwatch.documents import Estate
    from streams.replay.history.gathering import History
    from streams.replay.history.period import Period
    from streams.replay.history.reused import Reused


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command was asked to judge; see `seamwatch replay --help`."""

    files: Sequence[str]
    from_store: bool = False
    since: str | None = None
    until: str | None = None
    record_type: str | None = None
    data: Path | None = None

    def check(self) -> None:
        """Raise UsageError for what does not go together."""
        from seamwatch.record_types import INPUT_TYPES
        from seamwatch.wire.schemas import nearest

        if self.from_store and self.files:
            raise UsageError("name files of events or --from-store, not both: a history comes from one place")
        if not self.from_store and not self.files:
            raise UsageError(
                "there is no history to judge: name files of events, - for standard input, or --from-store"
            )
        if self.from_store and self.record_type is not None:
            raise UsageError("--type is for Avro and Parquet files; the store's tables say what they hold")
        if not self.from_store and self.data is not None:
            raise UsageError("--data names the system whose store is read: add --from-store")
        if self.record_type is not None and self.record_type not in INPUT_TYPES:
            raise UsageError(
                f"--type: {self.record_type!r} is no type of event{nearest(self.record_type, INPUT_TYPES)}"
            )

    def period(self, *estates: Estate) -> Period:
        """The part of the history that is asked after; UsageError when it is none."""
        from streams.replay.history.period import Period

        since, until = moment_of("--since", self.since), moment_of("--until", self.until)
        if since is not None and until is not None and since >= until:
            raise UsageError("--since is not before --until: nothing lies between them")
        return Period.of(estates, since, until)


@contextmanager
def gathered(asked: Asked, complaints: Complaints, *estates: Estate) -> Iterator[tuple[History, Period]]:
    """The history, for these estates to judge, and which part of it is asked after.

    What holds no event goes to ``complaints``. Raises UsageError for what cannot be read.
    """
    from streams.measure.plan import Plan
    from streams.replay.history.gathering import History

    asked.check()
    period = asked.period(*estates)
    if forgetful := period.forgetful(estates):
        named = ", ".join(forgetful)
        print(f"note: these count from before --since, and may find otherwise without it: {named}", file=sys.stderr)
    with History([Plan(estate) for estate in estates]) as history:
        if asked.from_store:
            _gather_store(asked, history, period, complaints)
        else:
            _gather_files(asked, history, period, complaints, estates[0])
        yield history, period
        tell_reused(history.reused, complaints)


def tell_reused(found: Iterable[Reused], complaints: Complaints) -> None:
    """Say which events were left out because another one had their id; only the first content of an id counts."""
    for reused in found:
        if not reused.by_producer:
            continue
        for line in reused.named:
            print(line, file=sys.stderr)
        by = ", ".join(f"{producer} {number:,}" for producer, number in reused.by_producer.most_common(3))
        more = f" and {len(reused.by_producer) - 3} producers more" if len(reused.by_producer) > 3 else ""
        count = reused.by_producer.total()
        complaints.count += count
        print(
            f"note: {count:,} events were left out since another event had their event_id before, with other content "
            f"({by}{more}): only the first of an id counts; the producer must give each event an id of its own",
            file=sys.stderr,
        )


def _gather_store(asked: Asked, history: History, period: Period, complaints: Complaints) -> None:
    from console.asking import auditor
    from seamwatch.settings import load_settings
    from streams.replay.history.store import gather_store

    progress = Progress("events read so far")
    with auditor(asked.data) as store:
        clock = load_settings().clock()
        gather_store(store, history, period, complain=complaints.add, read=progress.tell, clock=clock)
    complaints.finish()


def _add_older(history: History, decisions: DataFrame) -> None:
    history.meet("inference", decisions["system"].unique().to_list())
    history.add_decisions(decisions)


def _size(name: str) -> int:
    """The bytes of a file; 0 of what is none, or cannot be looked at, which whoever reads it says."""
    try:
        return Path(name).stat().st_size if Path(name).is_file() else 0
    except (OSError, ValueError):
        return 0


def _gather_files(asked: Asked, history: History, period: Period, complaints: Complaints, estate: Estate) -> None:
    from seamwatch.settings import load_settings
    from streams.replay.history.disorder import Disorder
    from streams.replay.history.files import chunks_of_files

    disorder = Disorder(estate, load_settings().lateness)
    size = sum(map(_size, asked.files))
    progress, done, events = Progress("events read so far"), 0, 0

    def read(count: int) -> None:
        nonlocal done
        done = count

    for name, frame in chunks_of_files(asked.files, complaints.add, record_type=asked.record_type, read=read):
        history.add(name, period.within(name, frame))
        if name == "inference" and period.lead is not None:
            _add_older(history, period.before(frame))
        disorder.add(name, frame)
        events += frame.height
        progress.tell(events, done / size if size else None)
    complaints.finish()
    if disorder.events:
        most = ", ".join(f"{system} {number:,}" for system, number in disorder.events.most_common(3))
        more = f" and {len(disorder.events) - 3} systems more" if len(disorder.events) > 3 else ""
        print(
            f"note: {disorder.events.total():,} of {events:,} events stand more than the lateness of their contract "
            f"after later ones ({most}{more}): judged in order here; live, they may come too late to count",
            file=sys.stderr,
        )
