"""Records of the state topics that cannot be read are kept, told of by log, metric and doctor, and stop no stage."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import polars as pl
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from bus.restoring import read_tables
from console.app import build
from seamwatch.clock import SystemClock
from seamwatch.columnar.decode import Decoded, Decoder
from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.engine.aside import PREFIX
from seamwatch.judging.model.facts import Evidence, Fact
from seamwatch.judging.patterns.wording import moment_text
from streams.measure.decisions import Decisions
from streams.measure.joining import Joining, Limits
from streams.measure.plan import Plan
from streams.measure.waiting import Waiting
from streams.metrics import Metrics
from streams.unreadable import LISTED, NAME, Lost, UnreadableList, unreadable_in
from tests.clauses.history import at
from tests.streams.hosted import judges, told
from tests.streams.measure.test_joining import ESTATE, Stage, Store, sent
from tests.streams.stages import CODEC, PEOPLE, Scene, contract
from tests.waiting import PATIENCE

CLAUSES = "- {id: few, kind: range, min: 0, max: 1, tolerate: 0.5, window: 1h}"


@pytest.fixture(autouse=True)
def _environment(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", scene.kafka)
    monkeypatch.setenv("SEAMWATCH_PREFIX", scene.prefix)
    monkeypatch.delenv("SEAMWATCH_DATA", raising=False)


def doctor(subject: str) -> tuple[str, str]:
    lines = CliRunner().invoke(build(), ["doctor", "--json"]).stdout.splitlines()
    found = next(line for line in map(json.loads, lines) if line["subject"] == subject)
    return found["verdict"], found["found"]


def fact(system: str, time: int) -> Fact:
    evidence = (Evidence(time, "0b9c9c1e-0000-4000-8000-000000000001", value=2.0),)
    start = time // HOUR * HOUR
    return Fact("agreed", "1", "d" * 64, "few", system, None, start, HOUR, 4, 4, time, time, evidence=evidence)


def table(scene: Scene, topic: str) -> Mapping[str, bytes]:
    return read_tables(scene.kafka, topic, [0])[0]


def put(scene: Scene, topic: str, records: Mapping[str, bytes | None]) -> None:
    for key, value in records.items():
        scene.producer.produce(topic, value, key.encode("utf-8", "surrogateescape"), 0)
    assert scene.producer.flush(PATIENCE) == 0


def test_a_judge_goes_on_with_what_it_can_read_and_tells_of_the_rest(scene: Scene) -> None:
    scene.publish(PEOPLE, contract(CLAUSES))
    contracts = scene.contracts()
    stage = judges(scene, contracts)
    told(stage, scene, at("2h"), at("2h"), (fact("scorer", at("1h30m")), fact("ranker", at("1h30m"))))
    told(stage, scene, at("3h"), at("3h"))
    assert doctor("state of judge") == ("ok", "all of it could be read")
    state = scene.topics.judge_state
    (key,) = (key for key in table(scene, state) if "scorer" in key)
    saved = json.loads(table(scene, state)[key])
    (violation,) = (episode["violation"]["violation_id"] for episode in saved["episodes"])
    broken = json.dumps({**saved, "state": "of another release"}).encode()
    put(scene, state, {key: broken, "\udc81": b"7abc", "other": b"2\n[1", '["a", "b", "c", ""]\x001': b"a piece"})

    with capture_logs() as logs:
        stage = judges(scene, contracts)
    lost = {line["key"]: line for line in logs if "cannot be read" in line["event"]}
    assert set(lost) == {key, "\\x81", "other", '["a", "b", "c", ""]'}
    assert lost[key]["open_violations"] == [violation]
    # The clauses whose state is whole go on, and the open episode of the other does too.
    outputs = told(stage, scene, at("3h") + MINUTE, at("3h") + MINUTE)
    assert not [output for output in outputs if output.topic == scene.topics.violations("range")]
    verdict, said = doctor("state of judge")
    assert verdict == "problem"
    assert said.startswith("4 records could not be read and are kept: ")
    assert violation in said
    assert table(scene, state)[key] == broken
    # Judged anew, it is the same episode that ends; what could not be read lies beside by then.
    told(stage, scene, at("4h"), at("4h"), (fact("scorer", at("3h30m")),))
    (beside,) = (json.loads(value) for name, value in table(scene, state).items() if name.startswith(PREFIX))
    assert beside["key"] == key
    assert len(list(judges(scene, contracts)._judges[0].aside)) == 4


def test_a_state_of_a_later_release_is_read_but_for_what_it_adds(scene: Scene) -> None:
    scene.publish(PEOPLE, contract(CLAUSES))
    contracts = scene.contracts()
    told(judges(scene, contracts), scene, at("2h"), at("2h"), (fact("scorer", at("1h30m")),))
    state = scene.topics.judge_state
    put(scene, state, {"\x00a-later-one": b"{}", "\x00late": b'{"days": []}'})
    stage = judges(scene, contracts)
    opened = [output for output in told(stage, scene, at("3h"), at("3h")) if output.topic.endswith(".range")]
    assert len(opened) == 1
    verdict, said = doctor("state of judge")
    assert verdict == "problem"
    assert "'\\x00a-later-one' (there is nothing of that name here)" in said
    assert table(scene, state)["\x00a-later-one"] == b"{}"


def test_the_doctor_tells_where_event_time_stands(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def clock(time: int) -> None:
        monkeypatch.setenv("SEAMWATCH_CLOCK", f"{time},{SystemClock().now()},1")

    scene.publish(PEOPLE, contract(CLAUSES))
    stage = judges(scene, scene.contracts())
    told(stage, scene, at("2h"), at("2h"), (fact("scorer", at("1h30m")),))
    clock(at("2h"))
    assert doctor("event time") == ("ok", "at most 0 s behind the clock of the stages")
    clock(at("2h") + 10 * MINUTE)
    verdict, said = doctor("event time")
    assert verdict == "note"
    assert said.startswith(f"nothing was heard of since {moment_text(at('2h'))}, 10 m")
    told(stage, scene, at("3h"), at("2h") + MINUTE, (fact("scorer", at("1h30m")),))
    verdict, said = doctor("event time")
    assert verdict == "problem"
    assert said.startswith(f"stands at {moment_text(at('2h') + MINUTE)}, 59 m behind for partition 0 of the judges")
    assert (
        f"1 of 1 input partitions: in[0], of which nothing has been heard since {moment_text(at('2h') + MINUTE)}"
        in said
    )


# Outcomes that wait


def outcomes(count: int) -> Stage:
    stage = Stage(Store())
    stage.round(*(sent(number, f"i{number}") for number in range(count)))
    return stage


def test_outcomes_that_wait_in_other_forms_are_taken_back_or_told_of() -> None:
    stage = outcomes(9)
    whole = dict(stage.topic)
    assert sorted(whole) == ["0/0", "1/1", "2/2"]
    more = io.BytesIO()
    pl.read_ipc(io.BytesIO(whole["0/0"])).with_columns(pl.lit("later").alias("added")).write_ipc(more)
    other = io.BytesIO()
    pl.read_ipc(io.BytesIO(whole["1/1"])).drop("inference_id").write_ipc(other)
    again = Waiting()
    lost = again.restore({"0/0": more.getvalue(), "1/1": other.getvalue(), "2/2": b"[1]"}, 0.0)
    assert sorted(lost) == ["1/1", "2/2"]
    assert len(again) == 3
    # They stay where they are: nothing is written of them.
    assert dict(again.take_changed()) == {}


def test_measure_goes_on_without_outcomes_that_cannot_be_read_and_tells_of_them(scene: Scene) -> None:
    topics = scene.topics
    stage = outcomes(9)
    state = topics.measure_state
    put(scene, state, {"0/0": stage.topic["0/0"], "4/4": b"nothing", "who": b"are you"})

    def joining() -> tuple[Joining, Metrics]:
        metrics = Metrics("measure")
        made = Joining(
            cast(Decisions, Store()), Limits(15 * MINUTE, DAY), Plan(ESTATE), CODEC, metrics,
            topic=topics.input("outcome"), state=state, partitions=scene.partitions,
        )  # fmt: skip
        made.assigned(scene.kafka, [(topics.input("outcome"), 0), (topics.input("outcome"), 4)])
        return made, metrics

    with capture_logs() as logs:
        made, metrics = joining()
    assert {line["key"] for line in logs if "cannot be read" in line["event"]} == {"4/4", "who"}
    assert metrics.unreadable._value.get() == 2
    written = {(output.key or b"").decode(): output.value for output in made.outputs()}
    assert set(written) == {f"0{NAME}", f"4{NAME}"}
    put(scene, state, written)
    verdict, said = doctor("state of measure")
    assert verdict == "problem"
    assert said.startswith("2 records could not be read and are kept: ")
    # Said once; and no more when they are gone.
    made, _ = joining()
    assert list(made.outputs()) == []
    put(scene, state, {"4/4": None, "who": None})
    made, _ = joining()
    put(scene, state, {(output.key or b"").decode(): output.value for output in made.outputs()})
    assert doctor("state of measure") == ("ok", "all of it could be read")


def test_an_outcome_that_cannot_be_decoded_any_more_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = outcomes(9)
    assert stage.store is not None
    for number in range(9):
        stage.store.decide(f"i{number}", 0.5)
    bad = sent(4, "i4").value()
    assert isinstance(bad, bytes)

    class Stricter(Decoder):
        """Of a release that asks more of one of them than the one that took it in."""

        def decode(self, values: Sequence[bytes | None], timestamps: Sequence[int] | None = None) -> Decoded:
            decoded = super().decode(values, timestamps)
            if bad not in list(values):
                return decoded
            row = list(values).index(bad)
            others = pl.arange(0, len(values), eager=True) != row
            return replace(decoded, frame=decoded.frame.filter(others), rejects=[(row, "it lacks a field")])

    monkeypatch.setattr("streams.measure.joining.Decoder", Stricter)
    stage.until(lambda: len(stage.facts) > 0)
    assert sum(stage.counted("labelled").values()) == 8
    assert list(stage.topic) == ["1/1"]
    assert stage.metrics.unreadable._value.get() == 1
    assert stage.joining.earliest(lambda _system: 0) == {}
    # It is tried again at the next start, when its writer's schema may be there again.
    monkeypatch.undo()
    stage.start()
    stage.until(lambda: not stage.topic)
    assert sum(stage.counted("labelled").values()) == 9


# The list of them


def test_the_list_is_written_when_it_changes_and_holds_the_first_of_many() -> None:
    lost = [Lost(f"k{number}", "broken") for number in range(LISTED + 5)]
    listing = UnreadableList()
    assert listing.saved([]) == {}
    written = listing.saved(lost)
    assert listing.saved(lost) == {}
    count, first = unreadable_in({0: {name: value for name, value in written.items() if value is not None}})
    assert (count, len(first)) == (LISTED + 5, LISTED)
    assert listing.saved([]) == {NAME: None}
    assert unreadable_in({0: {NAME: b"?"}})[0] == 1
