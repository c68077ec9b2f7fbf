"""The same measuring job in a plain loop over fastavro, and in Faust: what measure is compared with.

    python -m benchmarks.rivals plain|faust --topic TOPIC --events N

Both decode each event with fastavro, count it once by its id, and keep count, breaches, first and last time, and
the value's total and extremes by clause, system and window: the ten clauses of `benchmarks.workload`, written out in
Python as a team would. Neither keeps evidence, checks bounds or commits a transaction, which measure does.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, cast

import fastavro
from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from bus import clients
from seamwatch.settings import load_settings
from seamwatch.wire.schemas import plain, schema

PARTITIONS = 4
HEADER = 10
MINUTE, HOUR = 60_000_000, 3_600_000_000
LAG, AGEING = 26 * HOUR, 25 * HOUR


def decoder() -> Callable[[bytes], dict[str, Any]]:
    """Framed bytes to a record, by fastavro."""
    parsed = fastavro.parse_schema(plain(schema("inference").definition))

    def decode(value: bytes) -> dict[str, Any]:
        return cast("dict[str, Any]", fastavro.schemaless_reader(io.BytesIO(value[HEADER:]), parsed, parsed))

    return decode


class Counting:
    """Ten clauses over one event at a time."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._facts: dict[tuple[str, str, int], list[Any]] = {}
        self._bins: dict[tuple[str, int], list[int]] = {}

    def add(self, event: dict[str, Any]) -> None:
        """Count one event by every clause."""
        if event["event_id"] in self._seen:
            return
        self._seen.add(event["event_id"])
        system, at, score = event["system"], event["event_time"], event["score"]
        for clause, window, breach, value in _judged(event, at, score):
            key = (clause, system, at // window)
            fact = self._facts.get(key)
            if fact is None:
                fact = self._facts[key] = [0, 0, at, at, 0.0, float("inf"), float("-inf")]
            fact[0] += 1
            fact[1] += breach
            fact[2] = min(fact[2], at)
            fact[3] = max(fact[3], at)
            if value is not None:
                fact[4] += value
                fact[5] = min(fact[5], value)
                fact[6] = max(fact[6], value)
        if score is not None:
            bins = self._bins.setdefault((system, at // MINUTE), [0] * 25)
            bins[min(max(int(score * 25), 0), 24)] += 1


def _judged(event: dict[str, Any], at: int, score: float | None) -> Iterator[tuple[str, int, bool, float | None]]:
    lag = None if event["data_as_of"] is None else at - event["data_as_of"]
    yield "score-valid", HOUR, score is not None and not 0 <= score <= 1, score
    yield "score-mostly", HOUR, score is not None and not 0.001 <= score <= 1, score
    yield "fresh", HOUR, lag is not None and lag > LAG, lag
    yield "fresh-warning", HOUR, lag is not None and AGEING < lag <= LAG, lag
    yield "decided", HOUR, event["decision"] not in ("accept", "decline", "refer"), None
    yield "follows", HOUR, event["decision"] == "accept" and (score or 0) > 0.999, None
    yield "quick", MINUTE, not (event["latency_ms"] or 0) < 5000, None
    if event["use_case"] == "consumer-credit":
        yield "alone", MINUTE, event["fallback"], None
    yield "shift", MINUTE, False, score
    yield "approved", HOUR, (event["version"], event["use_case"]) != ("2026.1", "consumer-credit"), None
    yield "announced", HOUR, event["version"] != "2026.1", None


def plain_rate(kafka: str, topic: str, events: int) -> float:
    """Events a second of a plain loop: consume a batch, decode each, count each."""
    consumer = clients.consumer(
        kafka,
        {
            "group.id": f"{topic}.plain",
            "enable.auto.commit": False,
            "fetch.queue.backoff.ms": 0,
            "fetch.message.max.bytes": 8 << 20,
        },
    )
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
    decode, counting, seen = decoder(), Counting(), 0
    begun = time.perf_counter()
    while seen < events:
        messages = consumer.consume(10_000, 1.0)
        for message in messages:
            counting.add(decode(message.value() or b""))
        seen += len(messages)
    rate = seen / (time.perf_counter() - begun)
    consumer.close()
    return rate


def faust_rate(kafka: str, topic: str, events: int) -> float:
    """Events a second of a Faust agent doing the same, from its first event."""
    import faust

    name = f"rival-{uuid.uuid4().hex[:8]}"
    data = tempfile.TemporaryDirectory(prefix=f"{name}-")
    app = faust.App(
        name,
        datadir=data.name,
        broker=f"kafka://{kafka}",
        topic_disable_leader=True,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=name,
        stream_wait_empty=False,
    )
    decode, counting = decoder(), Counting()
    times: list[float] = []
    done = asyncio.Event()

    async def measure(stream: Any) -> None:
        seen = 0
        async for value in stream:
            if not seen:
                times.append(time.perf_counter())
            counting.add(decode(value))
            seen += 1
            if seen >= events:
                times.append(time.perf_counter())
                done.set()

    app.agent(app.topic(topic, value_serializer="raw"))(measure)

    async def run() -> None:
        await app.start()
        await done.wait()
        await app.stop()

    with data:
        app.loop.run_until_complete(run())
    return events / (times[1] - times[0])


def main() -> None:
    """Run one of them and print its rate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=["plain", "faust"])
    parser.add_argument("--topic", required=True)
    parser.add_argument("--events", type=int, required=True)
    arguments = parser.parse_args()
    kafka = load_settings().kafka
    if kafka is None:
        parser.error("set KAFKA_BOOTSTRAP_SERVERS")
    job = plain_rate if arguments.which == "plain" else faust_rate
    print(f"{job(kafka, arguments.topic, arguments.events):.0f}", flush=True)


if __name__ == "__main__":
    main()
