"""A record that is larger than the broker takes stops the stage before its round is committed, and is named."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import pytest

from bus.batches import Batch
from bus.loop import Loop, Output
from bus.loop_settings import LoopSettings
from bus.partitions import Partition
from seamwatch.errors import StageError
from tests.streams.stages import Scene
from tests.waiting import PATIENCE


class Telling:
    """A stage that answers the first message with one record."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def assigned(self, positions: Mapping[Partition, int | None]) -> None: ...

    def forget(self) -> None: ...

    def due(self) -> bool:
        return False

    def compute(self, batch: Batch) -> Sequence[Output]:
        return [self._output]


@pytest.mark.parametrize(("mebibytes", "refused_by"), [(5, "client"), (2, "broker")])
def test_what_is_too_large_is_named(scene: Scene, mebibytes: int, refused_by: str) -> None:
    topic = scene.topics.judge_state if refused_by == "client" else scene.topics.violations("range")
    value = os.urandom(mebibytes * 1024 * 1024)
    settings = LoopSettings(scene.kafka, f"{scene.prefix}.telling", "a", (scene.topics.measurement,))
    scene.producer.produce(scene.topics.measurement, b"{}")
    scene.producer.flush(PATIENCE)
    with pytest.raises(StageError) as raised:
        Loop(settings, Telling(Output(topic, value, b"whose"))).run()
    said = str(raised.value)
    assert f"{topic} takes no record of {len(value):,} bytes (key 'whose')" in said
    assert "max.message.bytes" in said
