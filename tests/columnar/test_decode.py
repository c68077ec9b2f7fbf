"""Bulk decoding gives what the codec gives one by one, whatever lies beside a record and however it is batched."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from copy import deepcopy
from typing import Any

import fastavro
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seamwatch import testing
from seamwatch.clock import ScaledClock, SystemClock
from seamwatch.columnar.columns import columns, frame_of
from seamwatch.columnar.decode import Decoded, Decoder, decode
from seamwatch.durations import DAY, HOUR
from seamwatch.errors import RecordError, UnreachableError
from seamwatch.testing import T0
from seamwatch.wire.codec import Codec
from seamwatch.wire.events import EVENTS, Event
from seamwatch.wire.framing import confluent_header
from seamwatch.wire.identities import MAX, NIL
from seamwatch.wire.schemas import Definition, schema
from tests.waiting import PATIENCE

OLDER: Definition = {
    **schema("inference").definition,
    "fields": [f for f in schema("inference").definition["fields"] if f["name"] not in ("cohort", "abuse")],
}
NEWER: Definition = {
    **schema("inference").definition,
    "fields": [
        *schema("inference").definition["fields"],
        {"name": "region", "type": ["null", "string"], "default": None},
    ],
}
FOREIGN: Definition = {
    **schema("inference").definition,
    "fields": [
        {"name": "tags", "type": {"type": "map", "values": "string"}, "default": {}},
        *schema("inference").definition["fields"],
    ],
}
SEVERAL = 7


def codec() -> Codec:
    one = Codec()
    for number, definition in enumerate((OLDER, NEWER, FOREIGN), SEVERAL):
        one.register(definition, schema_id=number)
    return one


CODEC = codec()
WRITERS = [
    (Codec().register(schema("inference").definition), schema("inference").definition),
    (CODEC.register(OLDER), OLDER),
    (confluent_header(SEVERAL + 1), NEWER),
    (confluent_header(SEVERAL + 2), FOREIGN),
]
PARSED = {id(definition): fastavro.parse_schema(deepcopy(definition)) for _, definition in WRITERS}

text = st.text(max_size=12)
ID = testing.event_id("jklmno")
# Ids as producers write them, well and badly; and names that may turn out to name nothing.
ids = (
    st.sampled_from([ID, ID.upper(), ID.replace("-", ""), NIL, MAX.upper(), "", " ", "1", f"{ID} ", f"{{{ID}}}"]) | text
)
good = st.sampled_from([ID, testing.event_id("two")])
names = st.sampled_from(["scorer", " scorer", "", "  ", "\u200b\u3000", "\x00", "ümlaut"]) | text
number = st.none() | st.floats(0, 1)


@st.composite
def values(draw: st.DrawFn) -> bytes:
    """A framed inference of some writer, its bounds perhaps broken."""
    header, definition = draw(st.sampled_from(WRITERS))
    record = testing.inference(
        event_id=draw(good | good | ids),
        system=draw(st.just("scorer") | names),
        version=draw(st.just("v1") | names),
        use_case=draw(names),
        parent_id=draw(st.none() | ids),
        event_time=draw(st.integers(T0, T0 + DAY) | st.just(5)),
        trace_id=draw(st.none() | names),
        attributes=draw(st.dictionaries(text, text, max_size=3)),
        score=draw(st.none() | st.floats()),
        confidence=draw(number | st.just(1.5)),
        data_as_of=draw(st.none() | st.integers(T0 - DAY, T0)),
        cohort=draw(st.none() | names),
        fallback=draw(st.booleans()),
    ).record()
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, PARSED[id(definition)], record)
    return header + stream.getvalue()


@st.composite
def messages(draw: st.DrawFn) -> bytes | None:
    """A value, or poison."""
    value = draw(values())
    spoil = draw(st.integers(0, 14))
    if spoil == 0:
        return value[: draw(st.integers(0, len(value) - 1))]
    if spoil == 1:
        return value + draw(st.binary(min_size=1, max_size=20))
    if spoil == 2:
        return value + value[10:]
    if spoil == 3:
        return draw(st.binary(max_size=40))
    if spoil == 4:
        return value[:10] + draw(st.binary(max_size=60))
    if spoil == 5:
        return b"\xc3\x01" + draw(st.binary(min_size=8, max_size=8)) + value[10:]
    return None if spoil == 6 else value


def one_by_one(record_type: str, some: list[bytes | None]) -> tuple[list[int], list[dict[str, Any]], dict[int, str]]:
    """What the codec says of each."""
    rows, records, reasons = [], [], {}
    for index, value in enumerate(some):
        if value is None:
            reasons[index] = "empty: the message has no value"
            continue
        try:
            records.append(CODEC.decode(record_type, value))
        except RecordError as error:
            reasons[index] = str(error)
        else:
            rows.append(index)
    return rows, records, reasons


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(messages(), max_size=60))
def test_good_rows_are_the_codecs_and_every_other_value_is_rejected_with_its_reason(some: list[bytes | None]) -> None:
    rows, records, reasons = one_by_one("inference", some)
    decoded = decode("inference", some, codec=CODEC)
    assert decoded.rows.to_list() == rows
    assert decoded.frame.equals(frame_of("inference", records))
    assert dict(decoded.rejects) == reasons


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(messages(), max_size=80), st.integers(1, 50), st.randoms(use_true_random=False))
def test_batching_and_order_never_change_what_a_value_gives(some: list[bytes | None], size: int, random: Any) -> None:
    decoder = Decoder("inference", CODEC)
    whole = decoder.decode(some)
    parts = [decoder.decode(some[start : start + size]) for start in range(0, len(some), size)]
    assert pl.concat([whole.frame[:0], *(part.frame for part in parts)]).equals(whole.frame)
    order = list(range(len(some)))
    random.shuffle(order)
    shuffled = decoder.decode([some[index] for index in order])
    assert {order[index]: reason for index, reason in shuffled.rejects} == dict(whole.rejects)


@pytest.mark.parametrize("event", EVENTS)
def test_every_type_of_event_decodes_as_the_codec_does(event: type[Event]) -> None:
    build = getattr(testing, event.type)
    events = [build(event_id=testing.event_id(str(i))).record() for i in range(5)]
    some: list[bytes | None] = [CODEC.encode(event.type, record) for record in events]
    assert isinstance(some[2], bytes)
    some[2] = some[2][:-1]
    _, records, _ = one_by_one(event.type, some)
    decoded = decode(event.type, some)
    assert decoded.frame.to_dicts() == records
    assert decoded.frame.schema == columns(event.type)
    assert [index for index, _ in decoded.rejects] == [2]


def test_outputs_decode_too() -> None:
    letter = {
        "topic": "t", "partition": 0, "offset": 5, "broker_time": None, "key": None, "value": b"\x00",
        "headers": [{"key": "h", "value": None}], "reason": "r", "stage": "measure", "detected_at": T0,
    }  # fmt: skip
    assert decode("dead_letter", [CODEC.encode("dead_letter", letter)]).frame.to_dicts() == [letter]


def inferences(count: int, **fields: Any) -> list[bytes | None]:
    ids = [testing.event_id(str(i)) for i in range(count)]
    return [CODEC.encode("inference", testing.inference(event_id=name, **fields).record()) for name in ids]


def test_only_wanted_columns_come_in_the_schemas_order_and_bounds_are_checked_all_the_same() -> None:
    some = inferences(3)
    some[1] = with_confidence(2.0)
    decoded = Decoder("inference", columns=["score", "event_id"]).decode(some)
    assert decoded.frame.columns == ["event_id", "score"]
    assert [testing.named(name) for name in decoded.frame["event_id"]] == ["0", "2"]
    assert decoded.rejects == [(1, "out of bounds: confidence is 2.0, above the bound of 1")]


def with_confidence(confidence: float) -> bytes:
    stream = io.BytesIO()
    record = testing.inference(confidence=confidence).record()
    fastavro.schemaless_writer(stream, PARSED[id(WRITERS[0][1])], record)
    return WRITERS[0][0] + stream.getvalue()


def test_bounds_inside_lists_are_checked_in_bulk() -> None:
    good = testing.dataset_refresh(cohorts={"a": 1, "b": 2}).record()
    parsed = fastavro.parse_schema(deepcopy(schema("dataset_refresh").definition))
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, parsed, {**good, "cohorts": [{"cohort": "a", "count": -4}]})
    value = CODEC.encode("dataset_refresh", good)
    decoded = decode("dataset_refresh", [value, value[:10] + stream.getvalue()])
    assert decoded.rows.to_list() == [0]
    assert decoded.rejects == [(1, "out of bounds: cohorts[0].count is -4, below the bound of 0")]


def test_an_event_from_the_future_is_out_of_bounds_by_the_brokers_clock() -> None:
    arrival = T0 // 1_000
    some = inferences(1, event_time=T0 + DAY) + inferences(1, event_time=T0 + DAY + 1_000)
    decoder = Decoder("inference", clock=SystemClock())
    decoded = decoder.decode(some, [arrival, arrival])
    assert decoded.rows.to_list() == [0]
    ((index, reason),) = decoded.rejects
    assert index == 1
    assert "more than a day ahead of its arrival at 2026-03-02T00:00:00" in reason
    scaled = Decoder("inference", clock=ScaledClock(T0 + HOUR, T0, 1.0))
    assert scaled.decode(some, [arrival, arrival]).rows.to_list() == [0, 1]


def test_a_large_batch_survives_one_bad_value_and_loses_only_that() -> None:
    some = inferences(5_000)
    value = some[3_210]
    assert value is not None
    some[3_210] = value + b"\x00"
    decoded = decode("inference", some)
    assert decoded.rejects == [(3_210, "1 trailing bytes after the inference")]
    assert [testing.named(name) for name in decoded.frame["event_id"]] == [str(i) for i in range(5_000) if i != 3_210]


def test_two_records_in_one_message_are_seen_even_when_the_next_is_empty() -> None:
    some = inferences(4)
    first, second = some[1] or b"", some[2] or b""
    some[1], some[2] = first + second[10:], second[:10]
    assert [index for index, _ in decode("inference", some).rejects] == [1, 2]


def test_an_empty_batch_gives_an_empty_frame() -> None:
    decoded = decode("inference", [])
    assert decoded == Decoded(decoded.frame, decoded.rows, [])
    assert decoded.frame.schema == columns("inference")


def test_a_registry_that_does_not_answer_rejects_nothing() -> None:
    from seamwatch.wire.registry import SchemaRegistry

    with pytest.raises(UnreachableError):
        decode("inference", [confluent_header(5) + b"x"], codec=Codec(SchemaRegistry("http://127.0.0.1:1", 1)))


GARBAGE: list[bytes | None] = [WRITERS[0][0] + b"\xfe\xff\xff\x7f" + bytes([i]) * 30 for i in range(100)]


def test_garbage_leaves_no_panic_on_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    assert len(decode("inference", GARBAGE).rejects) == 100
    assert capfd.readouterr().err == ""


def test_what_others_say_on_standard_error_meanwhile_is_not_lost() -> None:
    code = """
import os, threading
from seamwatch.columnar.panics import panics_withheld
from tests.columnar.test_decode import GARBAGE, decode

said = 0
stop = threading.Event()

def chatter():
    global said
    while not stop.is_set():
        said += os.write(2, b"a line of another thread\\n")
        stop.wait(0.001)

thread = threading.Thread(target=chatter, daemon=True)
thread.start()
with panics_withheld():
    decode("inference", GARBAGE)
stop.set()
thread.join()
print(said)
"""
    # With backtraces on, Rust writes piece by piece, and lines of others may come in between.
    environment = os.environ | {"RUST_BACKTRACE": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert done.stderr == "a line of another thread\n" * (int(done.stdout) // 25)
    assert "another" in done.stderr
