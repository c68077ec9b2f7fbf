"""measure as a process against a broker: what it tells the judges, and what it sets aside."""

from __future__ import annotations

import io
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import fastavro
from confluent_kafka import TopicPartition

from bus.partitions import partition_of
from seamwatch.durations import DAY, HOUR
from seamwatch.judging.model.facts import Measurement
from seamwatch.wire.framing import single_object_header
from seamwatch.wire.schemas import schema
from tests.streams.stages import CODEC, PEOPLE, RANGE, Scene, contract, counted, inference, inferences
from tests.waiting import wait_for


def test_poison_among_many_is_accounted_for_one_by_one(scene: Scene) -> None:
    """100,000 messages, 1 % of them poison: every one is either counted or a dead letter with bytes and reason."""
    scene.publish(PEOPLE, contract(RANGE))
    chance, poison = random.Random(7), {}
    good = 0
    for number, (system, value) in enumerate(inferences(100_000)):
        if chance.random() < 0.01:
            kind = chance.choice(list(_POISON))
            # The number makes every bad message one of a kind, so that each can be found again.
            bad = _POISON[kind](number)
            poison[bad] = kind
            scene.send("inference", bad, system)
        else:
            good += 1
            scene.send("inference", value, system)
    scene.start("measure")
    scene.caught_up("measure")
    letters = scene.dead_letters()
    assert counted(scene.measurements())[0] == good
    assert len(letters) == len(poison)
    assert {letter["value"] for letter in letters} == set(poison)
    assert len({(letter["partition"], letter["offset"]) for letter in letters}) == len(poison)
    reasons: dict[str, Counter[str]] = {kind: Counter() for kind in _POISON}
    for letter in letters:
        assert letter["stage"] == "measure"
        assert letter["topic"] == scene.topics.input("inference")
        reasons[poison[letter["value"]]][letter["reason"].split(":")[0]] += 1
    assert all(len(found) == 1 for kind, found in reasons.items() if kind in _BOUNDS)
    assert {next(iter(reasons[kind])) for kind in _BOUNDS} == {"out of bounds", "too large"}
    assert {kind: [*reasons[kind]] for kind in _NAMELESS} == {kind: [said] for kind, said in _NAMELESS.items()}


def _good(number: int, **fields: Any) -> bytes:
    return CODEC.encode("inference", inference("system-0", 10_000_000 + number, **fields))


def _unchecked(number: int, **fields: Any) -> bytes:
    form = schema("inference")
    record = {**CODEC.decode("inference", _good(number)), **fields}
    datum = io.BytesIO()
    fastavro.schemaless_writer(datum, fastavro.parse_schema(form.definition), record)
    return single_object_header(form.fingerprint) + datum.getvalue()


_POISON: dict[str, Callable[[int], bytes]] = {
    "not avro": lambda n: b"hello, world %d" % n,
    "unknown fingerprint": lambda n: b"\xc3\x01" + n.to_bytes(8, "little") + b"datum",
    "unknown schema id": lambda n: b"\x00" + (n + 1_000_000).to_bytes(4, "big") + b"datum",
    "trailing": lambda n: _good(n) + b"\x00",
    "cut short": lambda n: _good(n)[:-3],
    "two in one": lambda n: _good(n) + _good(n)[10:],
    "number out of bounds": lambda n: _unchecked(n, confidence=1.5),
    "not a number": lambda n: _unchecked(n, score=float("nan")),
    "far in the future": lambda n: _unchecked(n, event_time=time.time_ns() // 1_000 + 2 * DAY),
    "too large": lambda n: _unchecked(n, subject="x" * 600_000),
    # Each of these has the number somewhere, so that no two are alike.
    "no id": lambda n: _unchecked(n, event_id="", subject=str(n)),
    "a constant for an id": lambda n: _unchecked(n, event_id="0000000000000000", subject=str(n)),
    "the nil id": lambda n: _unchecked(n, event_id="00000000-0000-0000-0000-000000000000", subject=str(n)),
    "no system": lambda n: _unchecked(n, system=" ", subject=str(n)),
    "no version": lambda n: _unchecked(n, version="", subject=str(n)),
}
_BOUNDS = ("number out of bounds", "not a number", "far in the future", "too large")
_NAMELESS = {
    "no id": "event_id is '', which is no UUID",
    "a constant for an id": "event_id is '0000000000000000', which is no UUID",
    "the nil id": "event_id is 00000000-0000-0000-0000-000000000000, which identifies no event",
    "no system": "system is ' '",
    "no version": "version is ''",
}


def test_a_producer_that_keys_otherwise_is_judged_right(scene: Scene) -> None:
    scene.publish(PEOPLE, contract(RANGE))
    for number, (_, value) in enumerate(inferences(2_000, every=7)):
        scene.send("inference", value, f"another-key-{number}")
    scene.start("measure")
    scene.start("judge")
    scene.caught_up("measure")
    measurements = scene.measurements()
    assert counted(measurements) == (2_000, 286)
    by_partition: dict[str, set[int]] = {}
    for number, measurement in _by_partition(scene):
        for fact in measurement.facts:
            by_partition.setdefault(fact.system, set()).add(number)
    assert by_partition == {f"system-{n}": {partition_of(f"system-{n}", 4)} for n in range(8)}
    wait_for(lambda: len(scene.violations("range")) >= 8, "a violation of each system")
    opened = [v for v in scene.violations("range") if v["state"] == "open" and v["clause"] == "scores"]
    assert {v["system"] for v in opened} == {f"system-{n}" for n in range(8)}
    assert len({v["violation_id"] for v in opened}) == 8


def _by_partition(scene: Scene) -> list[tuple[int, Measurement]]:
    from confluent_kafka import OFFSET_BEGINNING, Consumer

    from seamwatch.judging.records import measurement_of

    found: list[tuple[int, Measurement]] = []
    consumer = Consumer({"bootstrap.servers": scene.kafka, "group.id": "x", "enable.partition.eof": True})
    consumer.assign([TopicPartition(scene.topics.measurement, n, OFFSET_BEGINNING) for n in range(4)])
    left = set(range(4))
    while left:
        for message in consumer.consume(1000, 0.2):
            if message.error() is not None:
                left.discard(message.partition() or 0)
            else:
                value = message.value() or b""
                found.append((message.partition() or 0, measurement_of(CODEC.decode("measurement", value), CODEC)))
    consumer.close()
    return found


def test_a_repeated_event_counts_once_even_after_a_restart(scene: Scene) -> None:
    scene.publish(PEOPLE, contract(RANGE))
    events = list(inferences(1_000))
    for system, value in events + events[:300]:
        scene.send("inference", value, system)
    scene.start("measure")
    scene.caught_up("measure")
    scene.kill("measure")
    scene.start("measure")
    for system, value in events[300:600]:
        scene.send("inference", value, system)
    scene.caught_up("measure")
    assert counted(scene.measurements())[0] == 1_000


def test_an_old_event_is_not_judged_live(scene: Scene) -> None:
    scene.publish(PEOPLE, contract(RANGE))
    now = time.time_ns() // 1_000
    for number, at in enumerate([now, now - 23 * HOUR, now - 25 * HOUR, now - 400 * DAY]):
        scene.send("inference", CODEC.encode("inference", inference("system-0", number, at)), "system-0")
    scene.start("measure")
    scene.caught_up("measure")
    assert counted(scene.measurements())[0] == 2
    assert scene.dead_letters() == []


def test_rare_events_are_passed_on_once_with_their_arrival(scene: Scene) -> None:
    now = time.time_ns() // 1_000
    change = {
        "event_id": "018f0000-0000-7000-8000-000000000001",
        "event_time": now,
        "system": "system-3",
        "change_id": "c-1",
        "kind": "model",
        "from_value": None,
        "to_value": "2",
        "config_digest": None,
        "effective_at": now,
        "summary": "a new model",
        "announced_by": "owner@example.org",
        "signatures": [],
    }
    value = CODEC.encode("config_change", change)
    scene.send("config_change", value, "elsewhere")
    scene.send("config_change", value, "elsewhere")
    scene.start("measure")
    scene.caught_up("measure")
    events = [event for measurement in scene.measurements() for event in measurement.events]
    assert [(e.type, e.record, e.topic) for e in events] == [
        ("config_change", CODEC.decode("config_change", value), scene.topics.input("config_change"))
    ]
    assert events[0].arrived is not None
    assert abs(events[0].arrived - now) < HOUR


def test_silence_is_told_again_and_again(scene: Scene) -> None:
    scene.start("measure")
    scene.caught_up("measure")
    wait_for(lambda: len(_marked(scene)) >= 4, "the first heartbeat")
    later = min(_marked(scene).values()) + 2_000_000
    wait_for(lambda: len(marks := _marked(scene)) == 4 and min(marks.values()) >= later, "every judge to hear of it")
    assert max(_marked(scene).values()) <= time.time_ns() // 1_000


def _marked(scene: Scene) -> dict[int, int]:
    """By measurement partition, the watermark below which no input partition is."""
    marks: dict[int, int] = {}
    for number, measurement in _by_partition(scene):
        if len(measurement.watermarks) == 4 * len(scene.topics.inputs) and all(
            mark.caught_up for mark in measurement.watermarks
        ):
            marks[number] = min(mark.watermark for mark in measurement.watermarks)
    return marks


def test_transaction_markers_at_the_end_do_not_look_like_a_lag(scene: Scene) -> None:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": scene.kafka, "transactional.id": f"{scene.prefix}-p"})
    producer.init_transactions(30)
    producer.begin_transaction()
    for system, value in inferences(100):
        producer.produce(scene.topics.input("inference"), value, system)
    producer.commit_transaction(30)
    scene.start("measure")
    wait_for(lambda: len(_marked(scene)) == 4, "all partitions to be caught up")
    assert scene.end() == [0]
    assert sum(scene.ends({(scene.topics.input("inference"), n) for n in range(4)}).values()) > 100
    wait_for(lambda: counted(scene.measurements(), "approval")[0] == 100, "all to be counted")


def test_ends_when_asked(scene: Scene) -> None:
    scene.start("measure")
    scene.start("judge")
    wait_for(lambda: len(_marked(scene)) == 4, "measure to be at work")
    assert scene.end() == [0, 0]
