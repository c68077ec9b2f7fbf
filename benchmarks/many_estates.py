"""The estates and histories that `benchmarks.many` compares: the same events under one contract or under thousands.

Files and frames only; what is measured of them is the benchmark's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.replay_histories import BEGIN
from seamwatch.durations import HOUR

TEAMS = 40

PEOPLE = "".join(
    f"kind: Person\nid: owner-{number}@example.org\nname: Owner {number}\n---\n" for number in range(TEAMS)
)

SYSTEM = """\
apiVersion: seamwatch/v1
kind: System
id: {name}
type: model
owner: owner-{team}@example.org
team: team-{team}
use_cases: [claims]
runbook: https://example.org/{name}
labels: {{region: "{team}", cost-centre: CC-{number}}}
"""

CONTRACT = """\
apiVersion: seamwatch/v1
kind: Contract
id: {contract}
version: "1"
seam: model-to-product
covers: ["{covers}"]
parties:
  provider: {{team: team-{team}, signatory: owner-{team}@example.org}}
  consumer: {{team: claims, signatory: owner-0@example.org}}
escalation:
  - {{person: owner-{team}@example.org, acknowledge_within: 1h}}
clauses:
  - {{id: valid, kind: range, min: 0, max: {most}}}
  - {{id: line, kind: threshold, decision: accept, when: score >= {line}}}
  - id: quick
    kind: assertion
    must: >
      latency_ms < {slow} AND
      confidence BETWEEN 0 AND 1
    at_least: 0.98
    window: 1h
    min_count: 5
  - {{id: latency, kind: signal, signal: latency, max: {slow}, quantile: 0.9, window: 1h, min_count: 5}}
  - {{id: fresh, kind: freshness, of: inference, max_lag: {lag}h, warn_at: {warn}h}}
"""


def name_of(number: int) -> str:
    """The id of a system."""
    return f"model-{number:05}"


def contract_text(number: int, *, covers: str, contract: str) -> str:
    """A contract; those of different numbers differ by their numbers, and one in seven is kept by nobody's traffic."""
    return CONTRACT.format(
        contract=contract, covers=covers, team=number % TEAMS, most=f"1.{number % 997:03}",
        line=f"{0.5 + (number % 4001) / 1e6:.6f}", slow=300 + number % 1009, lag=25 + number % 5, warn=24,
    )  # fmt: skip


def own_contracts(folder: Path, systems: int) -> Path:
    """An estate in which each system has a contract of its own, one file each."""
    _people(folder)
    for number in range(systems):
        name = name_of(number)
        system = SYSTEM.format(name=name, team=number % TEAMS, number=number)
        text = f"{system}---\n{contract_text(number, covers=name, contract=f'terms-{number:05}')}"
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return folder


def one_contract(folder: Path, systems: int) -> Path:
    """An estate in which one contract covers every system."""
    _people(folder)
    for number in range(systems):
        text = SYSTEM.format(name=name_of(number), team=number % TEAMS, number=number)
        (folder / f"{name_of(number)}.yaml").write_text(text, "utf-8")
    (folder / "terms.yaml").write_text(contract_text(1, covers="model-*", contract="terms"), "utf-8")
    return folder


def _people(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "people.yaml").write_text(PEOPLE, "utf-8")


def decisions(count: int, systems: int, seed: int = 1) -> Iterator[pl.DataFrame]:
    """Decisions of so many systems, spread over two hours; few of them offend."""
    chance = np.random.default_rng(seed)
    times = np.sort(BEGIN + chance.integers(0, 2 * HOUR, count))
    numbers = chance.integers(0, systems, count)
    names = np.array([name_of(number) for number in range(systems)])
    scores = chance.beta(2, 2, count).round(6)
    offends = chance.random(count) < 0.0002
    high = hex_ids(chance, count)
    yield pl.DataFrame(
        {
            "type": np.full(count, "inference"),
            "event_id": high,
            "event_time": times,
            "producer": np.full(count, "claims-desk"),
            "environment": np.full(count, "production"),
            "system": names[numbers],
            "version": np.full(count, "3.1"),
            "use_case": np.full(count, "claims"),
            "subject": np.full(count, "s-1"),
            "score": np.where(chance.random(count) < 0.00005, 7.5, scores),
            "confidence": chance.random(count).round(4),
            "decision": np.where((scores >= 0.52) != offends, "accept", "refer"),
            "latency_ms": chance.lognormal(3.5, 0.6, count).round(2),
            "fallback": np.full(count, False),
            "data_as_of": times - chance.integers(0, 24 * HOUR, count),
            "cohort": np.array(["a", "b", "c"])[chance.integers(0, 3, count)],
        }
    ).filter((pl.col("score") < 0.5) | (pl.col("score") >= 0.505))


def hex_ids(chance: np.random.Generator, count: int) -> list[str]:
    """UUIDs (version 4), drawn at random."""
    drawn = chance.bytes(16 * count).hex()
    return [
        f"{i[:8]}-{i[8:12]}-4{i[13:16]}-a{i[17:20]}-{i[20:]}"
        for i in (drawn[n : n + 32] for n in range(0, 32 * count, 32))
    ]
