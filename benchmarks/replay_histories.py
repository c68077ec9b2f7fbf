"""The histories that `benchmarks.replay` judges, the same for a seed: decisions of models, conversations of agents.

Frames and files only; what is measured of them is the benchmark's. A history that is ten times as long covers ten times
as many days.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import polars as pl

from seamwatch.durations import DAY, HOUR, SECOND
from seamwatch.wire.schemas import schema

BEGIN = 1_767_225_600_000_000
"""2026-01-01, in microseconds."""
MODELS = 50
AGENTS = 10
DECISIONS_A_DAY = 1_000_000
CALLS_A_DAY = 300_000
CALLS_A_TALK = 10
PART = 100_000
_JITTER = 2 * SECOND
_TOOLS = ("find_order", "find_user", "verify_identity", "refund", "exchange", "cancel", "transfer_to_human")

CONTRACTS = """
kind: Person
id: owner@example.org
name: Example Owner
---
kind: Contract
id: models
version: "1"
seam: model-to-product
covers: ["model-*"]
parties: {provider: {team: models}, consumer: {team: product}}
escalation: [{person: owner@example.org, acknowledge_within: 1h}]
clauses:
- {id: valid, kind: range, min: 0, max: 1}
- {id: decided, kind: assertion, must: "decision IN ('accept', 'decline', 'refer')"}
- {id: quick, kind: assertion, must: latency_ms < 500, at_least: 0.99, window: 15m, min_count: 20}
- {id: line, kind: threshold, decision: accept, when: score >= 0.5}
- {id: latency, kind: signal, signal: latency, max: 120, quantile: 0.99, window: 15m}
- {id: fell-back, kind: signal, signal: fallback, max: 0.05, window: 15m}
- {id: mix, kind: representation, of: inference, window: 1h,
   shares: {"18-30": [0.2, 0.5], "31-50": [0.2, 0.5], "51+": [0.2, 0.5]}}
- {id: shape, kind: distribution, window: 15m,
   reference: {period: {from: "2026-01-01T00:00:00Z", to: "2026-01-01T06:00:00Z"}}}
- {id: fresh, kind: freshness, of: inference, max_lag: 26h, warn_at: 25h}
---
kind: Contract
id: agents
version: "1"
seam: agent-pact
covers: ["agent-*"]
parties: {provider: {team: agents}, consumer: {team: product}}
escalation: [{person: owner@example.org, acknowledge_within: 1h}]
clauses:
- id: tools
  kind: scope
  tools: [{tool: find_order}, {tool: find_user}, {tool: verify_identity}, {tool: exchange}, {tool: cancel},
    {tool: transfer_to_human}, {tool: refund, where: arguments.amount <= 900}]
- {id: never, kind: prohibition, never: "tool = 'cancel' AND arguments.reason = 'other'"}
- {id: verified, kind: precondition, tool: refund, requires: verify_identity, matching: [user_id]}
- {id: handed-over, kind: escalation, when: tool = 'refund' AND arguments.amount > 800, to: transfer_to_human,
   within: 2}
- {id: few, kind: rate, max: 3, per: trace, tool: refund}
- {id: unsure, kind: human_review, below: 0.02}
- {id: sound, kind: assertion, on: tool_call, must: arguments.user_id IS NOT NULL}
"""


def decisions(count: int, seed: int = 1) -> Iterator[pl.DataFrame]:
    """Decisions of fifty models, a million a day, in frames of a part each; about one in a thousand offends."""
    for part in range(-(-count // PART)):
        chance = np.random.default_rng((seed, part))
        rows = min(PART, count - part * PART)
        numbers = np.arange(part * PART, part * PART + rows)
        times = BEGIN + numbers * (DAY // DECISIONS_A_DAY) + chance.integers(0, _JITTER, rows)
        models = chance.integers(0, MODELS, rows)
        # Some models move on the second half of a day.
        moved = (times % DAY > 14 * HOUR) & (models % 10 == 0)
        scores = np.clip(chance.beta(2, 2, rows) + 0.08 * moved, 0, 1)
        decided = np.where(scores >= 0.5, "accept", np.where(chance.random(rows) < 0.2, "refer", "decline"))
        decided = np.where(chance.random(rows) < 0.0005, "accept", decided)
        scores = np.where(chance.random(rows) < 0.0002, 1.5, scores)
        yield pl.DataFrame(
            {
                "type": np.full(rows, "inference"),
                "event_id": _ids("019b", chance, numbers),
                "event_time": times,
                "producer": np.full(rows, "scoring"),
                "environment": np.full(rows, "production"),
                "system": _named("model-", models, MODELS),
                "version": np.full(rows, "2026.1"),
                "use_case": np.full(rows, "consumer-credit"),
                "subject": _named("s-", chance.integers(0, 100_000, rows), 100_000),
                "score": scores.round(6),
                "confidence": chance.random(rows).round(4),
                "decision": decided,
                "latency_ms": chance.lognormal(3, 0.6, rows).round(2),
                "fallback": chance.random(rows) < 0.02,
                "data_as_of": times - chance.integers(0, 24 * HOUR + HOUR // 2, rows),
                "cohort": np.array(["18-30", "31-50", "51+"])[chance.integers(0, 3, rows)],
            }
        )


def calls(count: int, seed: int = 1) -> Iterator[pl.DataFrame]:
    """Tool calls of ten agents in conversations of ten calls, three hundred thousand a day; arguments as JSON text."""
    gap = DAY // CALLS_A_DAY
    for part in range(-(-count // PART)):
        chance = np.random.default_rng((seed, 1_000_000 + part))
        rows = min(PART, count - part * PART)
        numbers = np.arange(part * PART, part * PART + rows)
        # A hundred conversations go on at a time, and each has every hundredth call.
        talks = numbers // (100 * CALLS_A_TALK) * 100 + numbers % 100
        times = BEGIN + numbers * gap + chance.integers(0, _JITTER, rows)
        tools = chance.choice(len(_TOOLS), rows, p=[0.3, 0.2, 0.2, 0.12, 0.08, 0.07, 0.03])
        # Mostly a conversation begins with who it is.
        tools = np.where((numbers // 100 % CALLS_A_TALK == 0) & (chance.random(rows) < 0.99), 2, tools)
        amounts, odd = chance.gamma(2, 120, rows).round(2), chance.random(rows)
        orders, items = chance.integers(1_000_000, 9_999_999, rows), chance.integers(10**9, 10**10 - 1, (rows, 2))
        yield pl.DataFrame(
            {
                "type": np.full(rows, "tool_call"),
                "event_id": _ids("019c", chance, numbers),
                "event_time": times,
                "producer": np.full(rows, "support-agent"),
                "environment": np.full(rows, "production"),
                "trace_id": _named("talk-", talks, int(talks.max()) + 1),
                "system": _named("agent-", talks % AGENTS, AGENTS),
                "version": np.full(rows, "7"),
                "tool": np.array(_TOOLS)[tools],
                "arguments": [
                    json.dumps(_arguments(*row))
                    for row in zip(
                        tools.tolist(), talks.tolist(), amounts.tolist(), odd.tolist(), orders.tolist(), items.tolist(),
                        strict=True,
                    )
                ],
                "decision": np.where(chance.random(rows) < 0.02, "denied", "allowed"),
                "confidence": chance.random(rows).round(4),
            }
        )  # fmt: skip


def _arguments(tool: int, talk: int, amount: float, odd: float, order: int, items: list[int]) -> dict[str, Any]:
    made: dict[str, Any] = {} if odd < 0.0005 else {"user_id": f"user_{talk % 5_000}{'_b' if odd > 0.995 else ''}"}
    if tool != 1:
        made |= {"order_id": f"#W{order}", "item_ids": [str(item) for item in items]}
    if tool == 3:
        made |= {"amount": amount, "payment_method_id": f"credit_card_{order}"}
    if tool == 5:
        made["reason"] = "other" if odd > 0.999 else "no longer needed"
    return made


def _named(prefix: str, numbers: Any, names: int) -> pl.Series:
    known = pl.Series([f"{prefix}{number:03d}" for number in range(names)])
    return known.gather(pl.Series(numbers))


def _ids(prefix: str, chance: np.random.Generator, numbers: Any) -> pl.Series:
    middle = chance.integers(0, 2**31, len(numbers)).tolist()
    return pl.Series(
        [
            f"{prefix}{x >> 16:04x}-{x & 0xFFFF:04x}-7000-8000-{number:012x}"
            for x, number in zip(middle, numbers.tolist(), strict=True)
        ]
    )


def write(path: Path, frames: Iterator[pl.DataFrame], form: str) -> None:
    """Write a history as ``ndjson``, ``bare`` (ndjson without ids), ``gz``, ``avro`` or ``parquet``."""
    if form in ("ndjson", "bare", "gz"):
        with gzip.open(path, "wb", compresslevel=1) if form == "gz" else path.open("wb") as file:
            for frame in frames:
                file.write(_lines(frame.drop("event_id") if form == "bare" else frame))
    elif form == "avro":
        parts = ((frame["type"][0], frame.drop("type").to_dicts()) for frame in frames)
        name, rows = next(parts)
        with path.open("wb") as file:
            fastavro.writer(file, schema(name).definition, rows, codec="deflate")
        for _, rows in parts:
            with path.open("a+b") as file:
                fastavro.writer(file, schema(name).definition, rows, codec="deflate")
    else:
        import pyarrow.parquet as pq

        writer: pq.ParquetWriter | None = None
        for frame in frames:
            table = frame.to_arrow()
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table, row_group_size=50_000)
        if writer is not None:
            writer.close()


def _lines(frame: pl.DataFrame) -> bytes:
    as_text = pl.from_epoch(pl.col("event_time", "data_as_of"), "us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    if "arguments" not in frame.columns:
        return frame.with_columns(as_text).write_ndjson().encode()
    frame = frame.with_columns(pl.from_epoch("event_time", "us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
    # Arguments as an object, which is how agents log them.
    texts = frame["arguments"].to_list()
    rest = frame.drop("arguments").write_ndjson().encode().splitlines()
    return b"".join(
        b'%b,"arguments":%b}\n' % (line[:-1], text.encode()) for line, text in zip(rest, texts, strict=True)
    )
