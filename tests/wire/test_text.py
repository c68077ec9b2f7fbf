"""Events as text: strict, with errors that name the line and the nearest word; ids that a replay can repeat."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seamwatch.errors import RecordError
from seamwatch.testing import T0, event_id
from seamwatch.wire.codec import Codec
from seamwatch.wire.text import read_lines, record_of

MINE = event_id("mine")
EVENT = {"type": "inference", "event_time": "2026-03-02T00:00:00Z", "system": "scorer", "version": "v1"}


def errors(*events: Any) -> list[str]:
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    return [str(line.error) for line in read_lines(lines, "f.ndjson") if line.error]


def test_absent_and_null_fields_take_their_defaults() -> None:
    _, record = record_of({**EVENT, "fallback": None, "score": None})
    assert (record["fallback"], record["score"], record["attributes"], record["environment"]) == (
        False, None, [], "production",
    )  # fmt: skip
    assert Codec().encode("inference", record)


def test_attributes_and_cohorts_may_be_objects() -> None:
    _, record = record_of({**EVENT, "attributes": {"branch": "Graz", "desk": None}})
    assert record["attributes"] == [{"key": "branch", "value": "Graz"}]
    refresh = {"type": "dataset_refresh", "event_time": T0, "system": "d", "data_as_of": T0, "row_count": 5}
    _, record = record_of({**refresh, "cohorts": {"a": 2, "b": 3}})
    assert record["cohorts"] == [{"cohort": "a", "count": 2}, {"cohort": "b", "count": 3}]
    assert Codec().encode("dataset_refresh", record)


@pytest.mark.parametrize("time", ["2026-03-02T00:00:00Z", "2026-03-02T01:00:00+01:00", T0])
def test_times_are_rfc_3339_or_microseconds(time: Any) -> None:
    assert record_of({**EVENT, "event_time": time})[1]["event_time"] == T0


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("{", "f.ndjson:1: not JSON"),
        ("[]", "f.ndjson:1: not a JSON object"),
        ('{"type": "inference", "score": NaN}', "NaN is not a JSON value"),
        ({"system": "s"}, "f.ndjson:1: the object has no type: give one of inference, tool_call"),
        ({**EVENT, "type": "inferense"}, "f.ndjson:1: 'inferense' is no type of event: did you mean 'inference'?"),
        ({**EVENT, "scor": 1}, "f.ndjson:1: inference has no field 'scor': did you mean 'score'?"),
        ({**EVENT, "score": "high"}, "f.ndjson:1: score is 'high'; it must be a number"),
        ({**EVENT, "event_time": "yesterday"}, "f.ndjson:1: event_time: 'yesterday' is not a time"),
        ({**EVENT, "event_time": "2026-03-02T00:00:00"}, "has no time zone"),
        ({**EVENT, "attributes": {"branch": 5}}, "attributes[0].value is 5; it must be text"),
        ({**EVENT, "event_time": 1.5}, "event_time is 1.5; it must be a time"),
        ({"type": "inference", "event_time": T0, "version": "v1"}, "f.ndjson:1: inference lacks system"),
        ({**EVENT, "confidence": 7}, "f.ndjson:1: out of bounds: confidence is 7"),
    ],
)
def test_a_bad_line_is_named_with_its_place(event: Any, words: str) -> None:
    (error,) = errors(event)
    assert words in error


def test_a_bad_line_does_not_disturb_the_others() -> None:
    lines = list(read_lines([json.dumps(EVENT), "{", "", json.dumps(EVENT)], "f"))
    assert [(line.number, line.error is None) for line in lines] == [(1, True), (2, False), (4, True)]
    with pytest.raises(RecordError, match="f:2"):
        lines[1].whole()


def test_made_ids_repeat_with_the_history_and_tell_equal_lines_apart() -> None:
    history = [json.dumps(EVENT), json.dumps(dict(reversed(EVENT.items()))), json.dumps({**EVENT, "score": 1})]
    first = [line.record["event_id"] for line in read_lines(history, make_ids=True)]
    again = [line.record["event_id"] for line in read_lines(["", *history], make_ids=True)]
    assert first == again
    assert len(set(first)) == 3


def test_ids_are_new_where_nothing_asks_for_the_same() -> None:
    assert record_of(EVENT)[1]["event_id"] != record_of(EVENT)[1]["event_id"]
    assert record_of({**EVENT, "event_id": MINE})[1]["event_id"] == MINE
