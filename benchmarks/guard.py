"""What a guard costs a call, by a pact of twenty clauses: `make bench-guard`, or `python -m benchmarks.guard`.

Beside it, in the same run, what validating the same arguments by a pydantic model costs, which checks types and
bounds of one call and remembers nothing, and how a loop of plain Python fares that takes as long: what that has of a
99th percentile is the machine's. No broker: evidence goes to an emitter whose broker is away. Ends with 1 when the
guard's median is more than the limit.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from seamwatch import Emitter
from seamwatch.guard import Guard

LIMIT_US = 50.0
CALLS = 2_000
SYSTEM = "bench-agent"

_TOOLS = [f"look_up_{n}" for n in range(6)]
_CONTRACT = """
apiVersion: seamwatch/v1
kind: Contract
id: bench-pact
version: "1"
seam: agent-pact
covers: [bench-agent]
parties: {provider: {team: agents}, consumer: {team: product}}
clauses:
"""


def clauses() -> list[str]:
    """Twenty clauses of the kinds that a guard checks, as YAML; half of them speak of the tool that is called."""
    listed = "".join(f"\n    - tool: {tool}" for tool in [*_TOOLS, "verify", "rebook"])
    refund = "\n    - tool: refund\n      where: arguments.amount BETWEEN 0 AND 100 AND arguments.currency = 'EUR'"
    never = [
        "tool = 'refund' AND arguments.flown > 0",
        "tool = 'refund' AND contains(lower(arguments.note), 'voucher')",
        "tool = 'refund' AND arguments.reason NOT IN ('delay', 'cancelled', 'duplicate')",
        "tool = 'rebook' AND arguments.cabin = 'first'",
        "tool = 'rebook' AND arguments.days > 30",
        "arguments.user_id LIKE 'staff-%'",
        "starts_with(tool, 'admin')",
    ]
    return [
        f"- id: tools\n  kind: scope\n  tools:{listed}{refund}",
        *(f'- {{id: never-{n}, kind: prohibition, never: "{never_}"}}' for n, never_ in enumerate(never)),
        "- {id: verified, kind: precondition, tool: refund, requires: verify, matching: [user_id]}",
        "- {id: verified-too, kind: precondition, tool: rebook, requires: verify, matching: [user_id]}",
        *(f"- {{id: after-{n}, kind: precondition, tool: refund, requires: look_up_{n}}}" for n in range(3)),
        "- {id: few, kind: rate, max: 900, per: trace, tool: refund}",
        "- {id: all, kind: rate, max: 990, per: trace}",
        "- {id: an-hour, kind: rate, max: 10000000, per: 1h, tool: refund}",
        "- {id: a-day, kind: rate, max: 10000000, per: 1d}",
        "- {id: large, kind: rate, max: 10000000, per: 1h, where: arguments.amount > 50}",
        "- {id: unsure, kind: human_review, below: 0.4}",
        "- {id: unsure-of-money, kind: human_review, below: 0.6, where: tool = 'refund'}",
    ]


class Refund(BaseModel):
    """The peer: the arguments of the same call."""

    model_config = ConfigDict(extra="forbid", strict=True)

    user_id: str
    amount: float = Field(ge=0, le=100)
    currency: Literal["EUR"]
    reason: Literal["delay", "cancelled", "duplicate"]
    flown: int = Field(ge=0, le=0)
    note: str


ARGUMENTS = {
    "user_id": "u-5512", "amount": 42.5, "currency": "EUR", "reason": "delay", "flown": 0,
    "note": "Flight was six hours late; the traveller asks for the meal and the taxi.",
}  # fmt: skip


def guarded(folder: Path, emitter: Emitter | None) -> Guard:
    """The guard of the pact."""
    (folder / "pact.yaml").write_text(_CONTRACT + "\n".join(clauses()), "utf-8")
    return Guard.load(folder, system=SYSTEM, version="1", emitter=emitter)


def timed(guard: Guard, tool: str, rounds: int) -> tuple[float, float, float]:
    """Median and 99th percentile of a permitted call, in microseconds, in conversations of a hundred calls each.

    And the 99th percentile of a loop of plain Python that takes about as long, run after each call: what disturbs the
    machine just then.
    """
    taken, plain, turns = [], [], 500
    for n in range(max(1, rounds // 100)):
        talk = guard.conversation(f"t{n}")
        for before in ("verify", *_TOOLS[:3]):
            talk.require(before, {"user_id": "u-5512"})
        for _ in range(100):
            start = time.perf_counter_ns()
            verdict = talk.check(tool, ARGUMENTS, confidence=0.9)
            taken.append((time.perf_counter_ns() - start) / 1_000)
            assert verdict.decision == "allowed", verdict.sentence
            start = time.perf_counter_ns()
            sum(n * n for n in range(turns))
            plain.append((time.perf_counter_ns() - start) / 1_000)
        turns = max(1, round(turns * median(taken[-100:]) / median(plain[-100:])))
    return median(taken), _late(taken), _late(plain)


def _late(taken: list[float]) -> float:
    return sorted(taken)[len(taken) * 99 // 100]


def _each(function: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        function()
        taken.append((time.perf_counter_ns() - start) / 1_000)
    return median(taken)


def _say(what: str, measured: tuple[float, float, float]) -> None:
    middle, late, plain = measured
    print(f"{what:52}{middle:8.1f}{late:10.1f}{plain:14.1f}")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=CALLS, help="calls measured of each")
    calls = parser.parse_args().calls
    logging.disable(logging.WARNING)
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"{len(clauses())} clauses, {calls} calls each; microseconds a call, the median's limit is {LIMIT_US:.0f}")
    print(f"{'':52}{'median':>8}{'99 %':>10}{'99 % of plain':>14}")
    with tempfile.TemporaryDirectory(prefix="seamwatch-bench-") as name:
        folder = Path(name)
        (folder / "contracts").mkdir()
        guard = guarded(folder / "contracts", None)
        timed(guard, "refund", calls)
        most = timed(guard, "refund", calls)
        _say("guard, the tool that most clauses speak of", most)
        _say("guard, a tool that few speak of", timed(guard, "look_up_5", calls))
        emitter = Emitter("bench", bootstrap="127.0.0.1:9", spool=folder / "spool")
        others = time.process_time() - time.thread_time()
        offline = timed(guarded(folder / "contracts", emitter), "refund", calls)
        _say("the first, with its evidence, the broker away", offline)
        emitter.close(timeout=5.0)
        others = (time.process_time() - time.thread_time() - others) * 1e6 / max(1, emitter.counts.accepted)
        print(f"{'its evidence, in the background, of processor time':52}{others:8.1f}")
    print(f"{'pydantic, the arguments alone':52}{_each(lambda: Refund.model_validate(ARGUMENTS), calls):8.1f}")
    sys.exit(max(most[0], offline[0]) > LIMIT_US)


if __name__ == "__main__":
    main()
