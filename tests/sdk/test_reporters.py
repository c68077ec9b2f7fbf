"""What every reporter promises, the real one and its fake: types checked, ids given back, the caller never failed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seamwatch import Delivery, Emitter, testing
from seamwatch.clock import ScaledClock
from seamwatch.errors import BrokenText, RecordError, SeamwatchError, UsageError
from seamwatch.sdk.reporter import Reporter
from seamwatch.testing import T0, RecordingEmitter
from seamwatch.wire.events import EVENTS, Event, Inference

NOWHERE = "127.0.0.1:1"
Make = Callable[..., Reporter]


@pytest.fixture(params=["Emitter", "RecordingEmitter"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "RecordingEmitter":
        return lambda **options: RecordingEmitter("svc", **{"strict": False, **options})
    return lambda **options: Emitter("svc", bootstrap=NOWHERE, spool=tmp_path, delivery_timeout=1, **options)


@pytest.mark.parametrize("event", EVENTS)
def test_every_type_of_event_is_taken_and_its_id_given_back(make: Make, event: type[Event]) -> None:
    with make() as reporter:
        built = getattr(testing, event.type)()
        assert reporter.emit(built) == built.event_id
        assert counts(reporter).accepted == 1


def counts(reporter: Reporter) -> Any:
    return reporter.counts  # type: ignore[attr-defined]


def test_the_methods_take_the_fields_of_their_events(make: Make) -> None:
    with make() as reporter:
        first = reporter.inference(system="s", version="1", score=0.5)
        second = reporter.tool_call(system="a", version="1", tool="t", arguments={"x": 1})
        third = reporter.outcome(system="s", inference_id=str(first), label=1.0, observed_at=T0)
        assert len({first, second, third}) == 3
        assert counts(reporter).accepted == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"version": "1"},
        {"system": "s", "version": "1", "scor": 0.5},
        {"system": "s", "version": 1},
        {"system": "s", "version": "1", "score": "high"},
        {"system": "s", "version": "1", "confidence": 2.0},
        {"system": "s", "version": "1", "attributes": 5},
        {"system": "s", "version": "1", "data_as_of": "yesterday"},
        {"system": None, "version": "1"},
        {"system": "s", "version": "1", "subject": "x" * 600_000},
    ],
)
def test_what_is_not_right_is_counted_and_logged_and_never_raised(
    make: Make, fields: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with make() as reporter, caplog.at_level(logging.WARNING, "seamwatch.sdk"):
        for _ in range(5):
            assert reporter.inference(**fields) is None
        assert (counts(reporter).refused, counts(reporter).accepted) == (5, 0)
    assert len([line for line in caplog.messages if "event refused" in line]) == 1


def test_strict_raises_what_is_not_right(make: Make) -> None:
    with make(strict=True) as reporter:
        with pytest.raises(RecordError, match="score is 'high'"):
            reporter.inference(system="s", version="1", score="high")  # type: ignore[arg-type]
        with pytest.raises(SeamwatchError, match="unexpected keyword argument 'scor'"):
            reporter.inference(system="s", version="1", scor=1.0)  # type: ignore[call-arg]


def test_after_the_end_events_are_refused_and_ending_again_is_nothing(make: Make) -> None:
    reporter = make()
    reporter.close()
    assert reporter.inference(system="s", version="1") is None
    assert reporter.close() == 0
    assert counts(reporter).refused == 1


def test_the_fake_keeps_what_would_be_on_the_wire() -> None:
    delivered: list[Delivery] = []
    clock = ScaledClock(T0, 0, 1e-9)
    reporter = RecordingEmitter("svc", environment="staging", clock=clock, on_delivery=delivered.append)
    event_id = reporter.inference(system="s", version="1")
    ((record_type, record),) = reporter.records
    assert (record_type, record["producer"], record["environment"]) == ("inference", "svc", "staging")
    assert record["event_time"] == clock.now()
    assert isinstance(reporter.events[0], Inference)
    assert delivered == [Delivery(str(event_id), "seamwatch.inference", 0, 0)]


def test_no_broker_named_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    with pytest.raises(UsageError, match="set KAFKA_BOOTSTRAP_SERVERS=host:port"):
        Emitter("svc")


def test_half_a_character_is_mended_and_the_evidence_sent(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), make() as reporter:
        for _ in range(3):
            reporter.tool_call(
                system="agent\ud83d",
                version="1",
                tool="run",
                arguments={"sql": "drop table \ud83d", "\udc00": ["\ud83d\ude00"]},
                attributes={"k\udfff": "v"},
            )
        reporter.inference(system="s", version="1", subject="\U0001f600")
        taken = counts(reporter)
        assert (taken.accepted, taken.refused, taken.mended) == (4, 0, 3)
    assert caplog.text.count("U+FFFD") == 1
    if isinstance(reporter, RecordingEmitter):
        record = reporter.records[0][1]
        assert (record["system"], record["attributes"]) == ("agent\ufffd", [{"key": "k\ufffd", "value": "v"}])
        assert record["arguments"] == '{"sql":"drop table \ufffd","\ufffd":["\U0001f600"]}'
        assert reporter.records[3][1]["subject"] == "\U0001f600"


def test_half_a_character_is_refused_by_name_where_tests_want_to_know(make: Make) -> None:
    with (
        make(strict=True) as reporter,
        pytest.raises(BrokenText, match=r"subject has half a .* \(\\ud83d\) at 2"),
    ):
        reporter.inference(system="s", version="1", subject="ab\ud83d")
