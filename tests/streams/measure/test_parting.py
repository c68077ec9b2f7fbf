"""What a flush tells a judge goes into records that a topic takes, in order, whatever comes together."""

from __future__ import annotations

import time
from itertools import chain

from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from bus.batches import Batch, PartitionMessages
from seamwatch.judging.model.facts import Evidence, Fact, ForwardedEvent
from seamwatch.judging.records import measurement_of
from seamwatch.settings import load_settings
from seamwatch.wire.text import record_of
from streams.measure.parting import EVENT_BYTES_A_RECORD, EVENTS_A_RECORD, EVIDENCE_A_RECORD, FACTS_A_RECORD, parts_of
from streams.measure.stage import Measure
from streams.metrics import Metrics
from tests.streams.stages import CODEC, PEOPLE, RANGE, Scene, contract

SIZES = st.one_of(st.integers(1, 20_000), st.integers(1, 2 * EVENT_BYTES_A_RECORD))


def fact(number: int, evidence: int) -> Fact:
    shown = (Evidence(0, "e"),) * evidence
    return Fact("c", "1", "d", "x", "s", None, number, 60, 1, 1, 0, 0, evidence=shown)


@given(
    st.lists(st.sampled_from([0, 5, 1_000]), max_size=20),
    st.integers(0, 2_500),
    st.lists(SIZES, max_size=12),
    st.integers(0, 500),
)
def test_every_record_fits_and_nothing_is_lost_or_turned_round(
    shown: list[int], plain: int, large: list[int], small: int
) -> None:
    facts = [fact(number, evidence) for number, evidence in enumerate([*shown, *[0] * plain])]
    sizes = [*large, *[100] * small]
    events = [ForwardedEvent("config_change", {"size": size, "number": n}) for n, size in enumerate(sizes)]
    parts = parts_of(facts, events, lambda event: event.record["size"])
    assert list(chain.from_iterable(part[0] for part in parts)) == facts
    assert list(chain.from_iterable(part[1] for part in parts)) == events
    assert len(parts) == 1 or ((), ()) not in parts
    for some, told in parts:
        assert len(some) <= FACTS_A_RECORD
        assert len(some) == 1 or sum(len(one.evidence) for one in some) <= EVIDENCE_A_RECORD
        size = sum(event.record["size"] for event in told)
        assert len(told) <= EVENTS_A_RECORD
        assert size <= EVENT_BYTES_A_RECORD or (len(told) == 1 and not some)


def test_a_flush_that_brought_nothing_is_a_record_all_the_same() -> None:
    assert parts_of([], [], lambda _: 0) == [((), ())]


def test_large_changes_that_come_together_reach_the_judge(scene: Scene) -> None:
    scene.publish(PEOPLE, contract(RANGE))
    settings = load_settings().model_copy(update={"kafka": scene.kafka, "prefix": scene.prefix})
    stage = Measure(settings, scene.contracts(), Metrics("measure"))
    topic = scene.topics.input("config_change")
    stage.assigned({(topic, 0): None})
    now = time.time_ns() // 1_000
    changes = [
        record_of({"type": "config_change", "system": "scorer", "change_id": f"c{number}", "kind": "prompt",
                   "event_time": now, "effective_at": now, "to_value": "p" * 500_000,
                   "announced_by": "owner@example.org"}, make_ids=True)[1]
        for number in range(12)
    ]  # fmt: skip
    messages = [
        Message(topic, 0, number, value=CODEC.encode("config_change", change), timestamp=(1, now // 1_000))
        for number, change in enumerate(changes)
    ]
    outputs = stage.compute(Batch((PartitionMessages(topic, 0, messages),), {(topic, 0): 12}))
    told = [output.value or b"" for output in outputs if output.topic == scene.topics.measurement]
    found = [measurement_of(CODEC.decode("measurement", value), CODEC) for value in told]
    assert [event.record["change_id"] for one in found for event in one.events] == [f"c{n}" for n in range(12)]
    assert max(map(len, told)) < EVENT_BYTES_A_RECORD + 1_000
