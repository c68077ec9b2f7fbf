"""What a guard costs a call, by a pact of twenty clauses: `make bench-guard`, or `python -m benchmarks.guard`.

Beside it, in the same run, what validating the same arguments by a pydantic model costs, which checks types and
bounds of one call and remembers nothing. No broker: evidence goes to an emitter whose broker is away. Ends with 1
when the guard takes more than the limit.
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


def timed(guard: Guard, tool: str, rounds: int) -> tuple[float, float]:
    """Median and 99th percentile of a permitted call, in microseconds, in conversations of a hundred calls each."""
    taken = []
    for n in range(max(1, rounds // 100)):
        talk = guard.conversation(f"t{n}")
        for before in ("verify", *_TOOLS[:3]):
            talk.require(before, {"user_id": "u-5512"})
        for _ in range(100):
            start = time.perf_counter_ns()
            verdict = talk.check(tool, ARGUMENTS, confidence=0.9)
            taken.append((time.perf_counter_ns() - start) / 1_000)
            assert verdict.decision == "allowed", verdict.sentence
    return median(taken), sorted(taken)[len(taken) * 99 // 100]


def _each(function: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        function()
        taken.append((time.perf_counter_ns() - start) / 1_000)
    return median(taken)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=CALLS, help="calls measured of each")
    calls = parser.parse_args().calls
    logging.disable(logging.WARNING)
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"{len(clauses())} clauses, {calls} calls each; microseconds a call: median, 99th percentile")
    with tempfile.TemporaryDirectory(prefix="seamwatch-bench-") as name:
        folder = Path(name)
        (folder / "contracts").mkdir()
        guard = guarded(folder / "contracts", None)
        timed(guard, "refund", calls)
        most = timed(guard, "refund", calls)
        print(f"{'guard, the tool that most clauses speak of':52}{most[0]:8.1f}{most[1]:8.1f}   limit {LIMIT_US:.0f}")
        few = timed(guard, "look_up_5", calls)
        print(f"{'guard, a tool that few speak of':52}{few[0]:8.1f}{few[1]:8.1f}   limit {LIMIT_US:.0f}")
        emitter = Emitter("bench", bootstrap="127.0.0.1:9", spool=folder / "spool")
        told = timed(guarded(folder / "contracts", emitter), "refund", calls)
        print(f"{'the first, with its evidence, the broker away':52}{told[0]:8.1f}{told[1]:8.1f}")
        emitter.close(timeout=1.0)
    peer = _each(lambda: Refund.model_validate(ARGUMENTS), calls)
    print(f"{'pydantic, the arguments alone':52}{peer:8.1f}")
    sys.exit(most[0] > LIMIT_US)


if __name__ == "__main__":
    main()
