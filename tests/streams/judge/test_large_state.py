"""What a clause remembers while its clock stands still may be more than a record takes: it is taken back whole."""

from __future__ import annotations

from seamwatch.durations import MINUTE, SECOND
from seamwatch.judging.model.facts import Fact
from streams.judge.chunks import CHUNK_BYTES
from tests.clauses.history import at
from tests.streams.hosted import judges, told
from tests.streams.stages import CODEC, PEOPLE, Scene, contract

WINDOWS = 900
LATENCY = "- {id: fast, kind: signal, signal: latency, max: 100, window: 1m, min_count: 1}"
END = at("1h") + WINDOWS * MINUTE


def window(number: int) -> Fact:
    slow = number == WINDOWS - 1
    start = at("1h") + number * MINUTE
    return Fact(
        "agreed", "1", "d" * 64, "fast", "scorer", None, start, MINUTE, 1_000, 1_000 * slow, start, start,
        1e6, 1.0, 900.0 if slow else 1.0, (1_000, *(0,) * 254, 0) if not slow else (0, *(0,) * 254, 1_000),
    )  # fmt: skip


def test_more_than_a_record_is_taken_back(scene: Scene) -> None:
    scene.publish(PEOPLE, contract(LATENCY))
    contracts = scene.contracts()
    outputs = told(judges(scene, contracts), scene, END, at("1h"), tuple(map(window, range(WINDOWS))))
    sizes = [len(output.value or b"") for output in outputs if output.topic == scene.topics.judge_state]
    assert sum(sizes) > CHUNK_BYTES
    assert max(sizes) <= CHUNK_BYTES + len(b"99\n")
    outputs = told(judges(scene, contracts), scene, END + MINUTE, END + 10 * SECOND)
    found = [CODEC.decode("violation", o.value or b"") for o in outputs if o.topic == scene.topics.violations("signal")]
    assert [(violation["opened_at"], violation["observed"]) for violation in found] == [(END, 900.0)]
    state = [output for output in outputs if output.topic == scene.topics.judge_state]
    assert sum(len(output.value or b"") for output in state) < CHUNK_BYTES
    assert any(output.value is None for output in state), "the chunks that are no longer needed go"
