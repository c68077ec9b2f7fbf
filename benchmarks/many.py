"""What thousands of contracts cost: `make bench-contracts`, or `python -m benchmarks.many`.

    python -m benchmarks.many [--systems 5000] [--events 200000] [--contracts 10000]

Figures are ratios against peers of the same run, in processes of their own, by processor time, which other work on the
machine lengthens less; each is run twice in turns, and the better counts. Reading: `contracts check`, `verify`
and `gate` over a folder of contracts (five clauses each, no two with the same numbers) beside PyYAML's CSafeLoader over
the same files. Events: a replay of decisions of many systems, each under a contract of its own, beside one contract
that covers all of them, from the folder to the last violation. Stages: what they do with as many published documents
when they start and when one of them changes. Ends with 1 where a figure misses its target.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.many_estates import decisions, name_of, one_contract, own_contracts
from benchmarks.replay_histories import write

OWN_CONTRACTS, READING, LIKE_CHECK, SECONDS, ROUND = 2.5, 2.5, 1.3, 5.0, 1.0
"""Targets: of the replay beside one contract's, of check and of a start beside the plain reader, of verify and gate
beside check, seconds of a clock for all of check and of a processor for a start, and for what a stage does when a
document changes."""
_TURNS = 2


@dataclass(frozen=True, slots=True)
class Run:
    """What a process took: seconds of a clock and, with its forks, of processors, megabytes it held, what it found."""

    wall: float
    processor: float
    peak: float
    found: str = ""


def commanded(*arguments: str) -> str:
    """A command of ours, with nothing shown; how it ended."""
    from console.app import main

    code: object = 0
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
        try:
            main(arguments)
        except SystemExit as ended:
            code = ended.code
    return f"exit {code}, {len(out.getvalue().splitlines()):,} lines"


def plain_reader(folder: str) -> str:
    """The peer: every file through PyYAML's C reader, and nothing done with it."""
    import yaml

    found = 0
    for file in sorted(Path(folder).glob("*.yaml")):
        found += sum(1 for _ in yaml.load_all(file.read_bytes(), yaml.CSafeLoader))
    return f"{found:,} documents"


def replayed(folder: str, history: str) -> str:
    """A replay, from the folder of contracts and the file of events to the last violation."""
    from seamwatch.documents import Estate
    from streams.measure.plan import Plan
    from streams.replay.history import files
    from streams.replay.history.gathering import History
    from streams.replay.replay import judged

    estate, unread = Estate.load(Path(folder)), list[Exception]()
    with History([Plan(estate)]) as gathered:
        for name, frame in files.chunks_of_files([history], unread.append):
            gathered.add(name, frame)
        violations = sum(1 for _ in judged(estate, gathered))
    assert not unread, unread[0]
    return f"{violations:,} violations of {len({term.contract.id for term in estate.terms}):,} contracts"


RUNS: dict[str, Callable[..., str]] = {"command": commanded, "plain": plain_reader, "replay": replayed}


def alone(what: str, *arguments: str) -> Run:
    """One run in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.many", "--run", what, *arguments]
    start = time.perf_counter()
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=1_800)
    run = Run(**json.loads(answer.stdout))
    return Run(time.perf_counter() - start, run.processor, run.peak, run.found)


def in_turns(*runs: tuple[str, ...]) -> list[Run]:
    """The better of some runs of each, taken in turns."""
    found = [[alone(*run) for run in runs] for _ in range(_TURNS)]
    return [min(those, key=lambda run: run.processor) for those in zip(*found, strict=True)]


def _line(name: str, run: Run, peer: Run | None, target: float | None) -> str:
    ratio = "" if peer is None else f"{run.processor / peer.processor:6.2f} x"
    wanted = "" if target is None else f"   target {target:g} x"
    return f"{name:<44}{run.processor:>7.2f} s{run.wall:>8.2f} s{run.peak:>7,.0f} MB{ratio:>10}{wanted}   {run.found}"


def reading(folder: Path, contracts: int) -> bool:
    """Checking, verifying and gating a folder, beside a reader that does nothing else."""
    own = str(own_contracts(folder / "many", contracts))
    gate = ("command", "gate", name_of(contracts // 2), "--contracts", own, "--offline")
    plain, check, verify, gated = in_turns(
        ("plain", own), ("command", "contracts", "check", own), ("command", "contracts", "verify", own), gate
    )
    print(f"\n{contracts:,} contracts of five clauses: processor, clock, memory, beside a plain reader (gate: check)")
    print(_line("yaml.CSafeLoader, and nothing else", plain, None, None))
    print(_line("contracts check", check, plain, READING))
    print(_line("contracts verify", verify, check, LIKE_CHECK))
    print(_line("gate", gated, check, LIKE_CHECK), flush=True)
    print(f"contracts check takes {check.wall:.2f} s of a clock   target {SECONDS:g} s", flush=True)
    within = check.processor <= READING * plain.processor and check.wall <= SECONDS
    return within and all(run.processor <= LIKE_CHECK * check.processor for run in (verify, gated))


def events(folder: Path, systems: int, count: int) -> bool:
    """A replay under one contract, and under one for each system."""
    history, single = folder / "many.parquet", folder / "single.parquet"
    write(history, decisions(count, systems), "parquet")
    write(single, decisions(count, 1), "parquet")
    one, own = one_contract(folder / "one", systems), own_contracts(folder / "own", systems)
    alone_ = own_contracts(folder / "alone", 1)
    runs = in_turns(
        ("replay", str(alone_), str(single)), ("replay", str(one), str(history)), ("replay", str(own), str(history))
    )
    print(f"\n{count:,} decisions of {systems:,} systems, two hours: processor, clock, memory, beside one contract")
    print(_line("one system under its contract", runs[0], None, None))
    print(_line(f"{systems:,} systems under one contract", runs[1], None, None))
    print(_line(f"{systems:,} systems, a contract of its own each", runs[2], runs[1], OWN_CONTRACTS), flush=True)
    return runs[2].processor <= OWN_CONTRACTS * runs[1].processor


def stages(folder: Path, contracts: int) -> bool:
    """What measure and judge do with so many documents: at their start, and when one changes."""
    own = str(own_contracts(folder / "stages", contracts))
    started = alone("stages", own, str(contracts))
    plain = alone("plain", own)
    figures = json.loads(started.found)
    print(f"\n{contracts:,} contracts in measure and judge: processor seconds")
    for name, seconds in figures.items():
        print(f"{name:<44}{seconds:>7.2f} s")
    print(f"{'memory of the process':<44}{started.peak:>7,.0f} MB, {started.peak * 1024 / contracts:.1f} kB a contract")
    start = figures["start: documents read and checked"]
    print(f"a start is {start / plain.processor:.2f} of a plain reader's time   target {READING:g}")
    changed = [seconds for name, seconds in figures.items() if name.startswith("a document changes")]
    reached: bool = start <= min(SECONDS, READING * plain.processor) and max(changed) <= ROUND
    return reached


def staged(folder: str, contracts: str) -> str:
    """The stages' work with the documents of a folder, as if they were read from the topic."""
    from seamwatch.collector import unhurried_collector
    from seamwatch.documents import Contract, Estate, documents_of, published
    from seamwatch.documents.publishing import Published
    from seamwatch.engine.judge import Judge
    from seamwatch.judging.model.facts import Measurement, Watermark
    from streams.measure.plan import Plan

    figures: dict[str, float] = {}

    def timed(name: str, work: Callable[[], object]) -> None:
        begun = time.process_time()
        work()
        figures[name] = time.process_time() - begun

    def taken(sent: Iterable[tuple[str, bytes]]) -> None:
        for key, value in sent:
            said.take(key, value)

    messages = published(documents_of(Estate.load(Path(folder))), 1)
    said = Published()
    with unhurried_collector():
        timed("start: documents read and checked", lambda: taken(messages))
        estate = said.estate()
        plan, judge = Plan(estate), Judge(estate)
        (frame,) = decisions(100_000, int(contracts))
        timed("measuring 100,000 decisions, the first", lambda: plan.facts("inference", frame))
        timed("measuring 100,000 decisions, the next", lambda: plan.facts("inference", frame))
        facts = tuple(plan.facts("inference", frame))
        end = max(fact.last_time for fact in facts)
        mark = Watermark("bench", 0, 0, end, caught_up=True)
        timed("judging what was measured", lambda: judge.on_measurement(Measurement(end, (mark,), facts)))
        other = Contract.model_validate({**estate.contracts[7].written, "version": "2"})
        ((key, value),) = published([other], 2)
        timed("a document changes: read", lambda: taken([(key, value)]))
        changed = said.estate()
        timed("a document changes: the estate", said.estate)
        timed("a document changes: measure", lambda: plan.replace_estate(changed))
        timed("a document changes: judge", lambda: judge.replace_estate(changed))
        timed("measuring 100,000 decisions, after the change", lambda: plan.facts("inference", frame))
    return json.dumps(figures)


RUNS["stages"] = staged


def _run(what: str, arguments: list[str]) -> Run:
    found = RUNS[what](*arguments)
    return Run(0.0, _used(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, found)


def _used() -> float:
    """Seconds of the processors that this process has taken since its start, and the processes that it started."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", type=int, default=5_000, help="systems whose events are replayed")
    parser.add_argument("--events", type=int, default=200_000, help="decisions that are replayed")
    parser.add_argument("--contracts", type=int, default=10_000, help="contracts that are checked")
    parser.add_argument("--run", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        what, *rest = arguments.run
        print(json.dumps(asdict(_run(what, rest))))
        return
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="seamwatch-bench-") as name:
        folder = Path(name)
        reached = [
            reading(folder, arguments.contracts),
            events(folder, arguments.systems, arguments.events),
            stages(folder, arguments.contracts),
        ]
    sys.exit(not all(reached))


if __name__ == "__main__":
    main()
