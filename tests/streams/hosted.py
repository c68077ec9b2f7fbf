"""The judge as it is hosted, in the process of the test: what it produces of a measurement, its state in the topic."""

from __future__ import annotations

from confluent_kafka import Message

from bus.batches import Batch, PartitionMessages
from bus.documents import ContractsFollower
from bus.loop import Output
from seamwatch.judging.model.facts import Fact, Measurement, Watermark
from seamwatch.judging.records import measurement_record
from seamwatch.settings import load_settings
from streams.judge.stage import Judges
from streams.metrics import Metrics
from tests.clauses.history import at
from tests.streams.stages import CODEC, Scene
from tests.waiting import PATIENCE


def judges(scene: Scene, contracts: ContractsFollower) -> Judges:
    """A judge that takes back what lies in the state topic."""
    settings = load_settings().model_copy(update={"kafka": scene.kafka, "prefix": scene.prefix})
    stage = Judges(settings, contracts, Metrics("judge"))
    stage.assigned({(scene.topics.measurement, 0): None})
    return stage


def told(stage: Judges, scene: Scene, now: int, watermark: int, facts: tuple[Fact, ...] = ()) -> list[Output]:
    """What the judge produces of a measurement; its state is in the topic then."""
    marks = (Watermark("in", 0, 1, watermark, caught_up=True),)
    value = CODEC.encode("measurement", measurement_record(Measurement(now, marks, facts, began=at()), CODEC))
    topic = scene.topics.measurement
    messages = PartitionMessages(topic, 0, [Message(topic=topic, partition=0, offset=1, value=value)])
    outputs = list(stage.compute(Batch((messages,))))
    for output in outputs:
        scene.producer.produce(output.topic, output.value, output.key, output.partition or 0)
    scene.producer.flush(PATIENCE)
    return outputs
