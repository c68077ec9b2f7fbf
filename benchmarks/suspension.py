"""What suspension costs measure and judge: `python -m benchmarks.suspension [--systems 500] [--events 200000]`.

A bulk load of decisions of many declared systems, each under a contract of its own, measured and judged in this
process: with nothing suspended, with one of the systems suspended, and with all of them. By processor time, which other
work on the machine lengthens less; in turns, and the best of each counts. The first is also taken without the clause
itself, which is what it would be without suspension. Ends with 1 where nothing is suspended and it costs more than a
twentieth.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unittest import mock

import polars as pl

from benchmarks.many_estates import decisions, name_of, own_contracts
from seamwatch.clauses.suspension import Suspension
from seamwatch.collector import unhurried_collector
from seamwatch.documents import Estate
from seamwatch.engine.judge import Judge
from seamwatch.judging.model.facts import Measurement, Watermark
from streams.measure.dedup import RecentIds
from streams.measure.plan import Plan

BATCH: Final = 10_000
MOST: Final = 1.05
"""Target: what nothing suspended may take, beside a release without the clause."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a processor, how many facts went from measure to judge, and how many states judge keeps."""

    measure: float
    judge: float
    facts: int
    states: int

    @property
    def whole(self) -> float:
        """Of both."""
        return self.measure + self.judge


def loaded(estate: Estate, frame: pl.DataFrame, held: Collection[str]) -> Cost:
    """What measuring and judging a load takes when these systems are held."""
    plan, judge = Plan(estate, RecentIds()), Judge(estate)
    plan.hold(held)
    measuring = judging = 0.0
    count, states = 0, set[str]()
    with unhurried_collector():
        for start in range(0, frame.height, BATCH):
            part = frame.slice(start, BATCH)
            begun = time.process_time()
            facts = tuple(plan.facts("inference", part))
            between = time.process_time()
            end = int(part["event_time"][-1])
            judge.on_measurement(Measurement(end, (Watermark("bench", 0, 0, end, caught_up=True),), facts))
            states |= {key for key, value in judge.take_dirty().items() if value is not None}
            measuring, judging = measuring + between - begun, judging + time.process_time() - between
            count += len(facts)
    return Cost(measuring, judging, count, len(states))


def without(estate: Estate, frame: pl.DataFrame) -> Cost:
    """The same in a release that knows no suspension."""
    with (
        mock.patch.object(Suspension, "measures", return_value=()),
        mock.patch.object(Estate, "held_by", Estate.contracts_for),
    ):
        return loaded(estate, frame, ())


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", type=int, default=500)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="seamwatch-bench-") as name:
        estate = Estate.load(own_contracts(Path(name) / "own", asked.systems))
    frame = pl.concat(list(decisions(asked.events, asked.systems))).sort("event_time")
    names = [name_of(number) for number in range(asked.systems)]
    runs: dict[str, Callable[[], Cost]] = {
        "without suspension": lambda: without(estate, frame),
        "nothing suspended": lambda: loaded(estate, frame, ()),
        "one system suspended": lambda: loaded(estate, frame, names[:1]),
        "all systems suspended": lambda: loaded(estate, frame, names),
    }
    found: dict[str, list[Cost]] = {name: [] for name in runs}
    for _ in range(asked.turns):
        for name, run in runs.items():
            found[name].append(run())
    best = {name: min(costs, key=lambda cost: cost.whole) for name, costs in found.items()}
    peer = best["without suspension"].whole
    print(f"{asked.events:,} decisions of {asked.systems:,} systems: processor time of measure, of judge, of both")
    for name, cost in best.items():
        print(
            f"{name:<24}{cost.measure:>7.2f} s{cost.judge:>7.2f} s{cost.whole / peer:>7.2f} x"
            f"{cost.facts:>10,} facts{cost.states:>8,} states"
        )
    sys.exit(int(best["nothing suspended"].whole > MOST * peer))


if __name__ == "__main__":
    main()
