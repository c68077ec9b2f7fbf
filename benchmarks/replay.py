"""How fast a replay is, and what it holds in memory: `make bench-replay`, or `python -m benchmarks.replay`.

    python -m benchmarks.replay [--events 1000000] [--calls 300000] [--long 10000000] [--only ndjson,calls.avro]

Makes seeded histories (`benchmarks.replay_histories`): decisions of fifty models under a contract of nine clauses, tool
calls of ten agents under a pact of seven. Each is replayed in a process of its own, from the file to the last
violation; rates are of the whole, and begin when the process has its modules. Beside them, in processes of their own:
a loop over `json.loads` that does nothing else, and polars reading the same lines with no look at any of them. With
``--long`` decisions and calls are replayed at that length too, for what memory does. Ends with 1 below a target.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from benchmarks.replay_histories import CONTRACTS, calls, decisions, write

DECISIONS_TARGET = 300_000
CALLS_TARGET = 30_000
LOADED_LATE = ("pyarrow.json", "pyarrow.parquet", "seamwatch.statistics.shift")
"""Modules that a replay loads when a first file or window asks for them."""
DECISION_FORMS = ("ndjson", "gz", "avro", "parquet")
CALL_FORMS = ("ndjson", "bare", "avro", "parquet")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one run did; seconds (``processor`` of all threads), megabytes, and a digest of all its violations."""

    events: int
    reading: float
    judging: float
    processor: float
    peak: float
    violations: int
    digest: str

    @property
    def rate(self) -> float:
        """Events a second, from the file to the last violation."""
        return self.events / (self.reading + self.judging)


def replayed(folder: Path, history: Path, run_rows: int | None = None, cut: int = 1) -> Replayed:
    """Replay a file by the contracts of a folder in this process; ``cut`` makes its chunks that much smaller."""
    from seamwatch.documents import Estate
    from seamwatch.judging.model.text import violation_line
    from streams.measure.plan import Plan
    from streams.replay.history import files
    from streams.replay.history.gathering import History
    from streams.replay.replay import RUN_ROWS, judged

    for late in LOADED_LATE:
        import_module(late)
    files.CHUNK_BYTES //= cut
    estate = Estate.load(folder)
    digest, found, unread = hashlib.sha256(), 0, 0

    def complain(_: Exception) -> None:
        nonlocal unread
        unread += 1

    start, used = time.perf_counter(), _used()
    with History([Plan(estate)]) as gathered:
        for name, frame in files.chunks_of_files([str(history)], complain):
            gathered.add(name, frame)
        read = time.perf_counter()
        for violation in judged(estate, gathered, run_rows=run_rows or RUN_ROWS):
            digest.update(violation_line(violation).encode() + b"\n")
            found += 1
        over = time.perf_counter()
        assert not unread, f"{unread} lines hold no event"
        return Replayed(gathered.events, read - start, over - read, _used() - used, _peak(), found, digest.hexdigest())


def _used() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def _peak() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        # The other figure counts what the process was before it was given its program: a copy of the one that asked.
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def plain_loop(_: Path, history: Path) -> Replayed:
    """The peer: every line through the standard library's reader, and nothing done with it."""
    start, used, events = time.perf_counter(), _used(), 0
    with history.open("rb") as lines:
        for line in lines:
            json.loads(line)
            events += 1
    return Replayed(events, time.perf_counter() - start, 0, _used() - used, _peak(), 0, "")


def polars_alone(_: Path, history: Path) -> Replayed:
    """The peer: polars' own reader of lines, all of the file at once, and nothing done with it."""
    import polars as pl

    start, used = time.perf_counter(), _used()
    events = pl.read_ndjson(history, infer_schema_length=1_000).height
    return Replayed(events, time.perf_counter() - start, 0, _used() - used, _peak(), 0, "")


RUNS: dict[str, Callable[[Path, Path], Replayed]] = {
    "replay": replayed, "json.loads": plain_loop, "polars": polars_alone,
}  # fmt: skip


def alone(what: str, folder: Path, history: Path) -> Replayed:
    """One run in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.replay", "--run", what, str(folder), str(history)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=1_800)
    return Replayed(**json.loads(answer.stdout))


def _shown(name: str, run: Replayed, target: int | None, loop: Replayed) -> str:
    # By processor time, which other work on the machine lengthens less.
    beside = f"{loop.processor / loop.events * run.events / run.processor:5.2f} x json.loads"
    wanted = "" if target is None else f"   target {target:,}"
    used = f"{run.processor / run.events * 1e6:>7.1f} us"
    return f"{name:<28}{run.rate:>11,.0f}/s{used}{run.peak:>8,.0f} MB  {run.violations:>7,} found   {beside}{wanted}"


def measure(folder: Path, decided: int, called: int, long: int, only: Sequence[str]) -> bool:
    """Run everything and print as it is done; whether each rate reaches its target."""
    (folder / "contracts").mkdir()
    (folder / "contracts" / "bench.yaml").write_text(CONTRACTS, "utf-8")
    reached = True
    for what, made, count, forms, target in (
        ("decisions", decisions, decided, DECISION_FORMS, DECISIONS_TARGET),
        ("calls", calls, called, CALL_FORMS, CALLS_TARGET),
    ):
        history = folder / what
        write(history, made(count), "ndjson")
        loop = alone("json.loads", folder / "contracts", history)
        print(f"\n{count:,} {what}, {history.stat().st_size / count:.0f} bytes each as NDJSON", flush=True)
        for peer, run in (("json.loads alone", loop), ("polars.read_ndjson alone", alone("polars", folder, history))):
            print(_shown(f"  {peer}", run, None, loop), flush=True)
        digests = set()
        for form in forms:
            if only and f"{what}.{form}" not in only and form not in only:
                continue
            write(history, made(count), form)
            run = alone("replay", folder / "contracts", history)
            reached &= run.rate >= target
            # Without ids of their own events are told by other ids.
            digests |= {run.digest} if form != "bare" else set()
            print(_shown(f"replay, {form}", run, target, loop), flush=True)
        assert len(digests) <= 1, "the forms of one history were judged differently"
        if long:
            more = long if what == "decisions" else long * CALLS_TARGET // DECISIONS_TARGET
            write(history, made(more), "ndjson")
            print(_shown(f"replay, ndjson, {more:,}", alone("replay", folder / "contracts", history), target, loop))
    return reached


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="decisions")
    parser.add_argument("--calls", type=int, default=300_000, help="tool calls")
    parser.add_argument("--long", type=int, default=0, help="also so many decisions, and a tenth as many calls")
    parser.add_argument("--only", default="", help="forms, such as ndjson or calls.bare; all of them unless given")
    parser.add_argument("--run", nargs=3, metavar=("WHAT", "CONTRACTS", "HISTORY"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        what, folder, history = arguments.run
        print(json.dumps(asdict(RUNS[what](Path(folder), Path(history)))))
        return
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print("events a second, processor time an event, peak of resident memory, violations")
    with tempfile.TemporaryDirectory(prefix="seamwatch-bench-") as name:
        only = [form for form in arguments.only.split(",") if form]
        reached = measure(Path(name), arguments.events, arguments.calls, arguments.long, only)
    sys.exit(not reached)


if __name__ == "__main__":
    main()
