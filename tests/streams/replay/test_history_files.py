"""Files of history: whatever their form, the events are those that the strict reader of lines gives."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import fastavro
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamwatch.columnar.columns import columns
from seamwatch.errors import OutOfBounds, RecordError, UsageError
from seamwatch.instants import parse_instant
from seamwatch.testing import event_id, named
from seamwatch.wire.codec import Codec
from seamwatch.wire.framing import MAXIMUM_VALUE_BYTES
from seamwatch.wire.schemas import schema
from seamwatch.wire.text import read_lines, record_of
from streams.replay.history.files import chunks_of_files
from streams.replay.history.json_columns import instants
from streams.replay.history.json_lines import json_chunks

START = "2026-03-02T00:00:00Z"


def event(**more: Any) -> dict[str, Any]:
    return {"type": "inference", "event_id": event_id("a"), "event_time": START, "system": "s", "version": "1", **more}


def call(**more: Any) -> dict[str, Any]:
    return event(**{"type": "tool_call", "tool": "t", **more})


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "event_id": st.sampled_from([None, event_id("b"), event_id("jklmno").upper(), "c", "", 7]),
    "event_time": st.sampled_from(
        [
            *(START, "2026-03-02T01:02:03.5Z", "2026-03-02T01:02:03.123456+02:00", "2026-03-02"),
            *("2026-03-02T00:00:60Z", "1800-01-01T00:00:00Z", "2026-02-30T00:00:00Z"),
            *(1_772_409_600_000_000, 5, 10**30, None, 1.5, True),
        ]
    ),
    "score": st.sampled_from([1, -0.0, 2.5, None, "1", 10**20, 10**400, True]),
    "confidence": st.sampled_from([0, 1, 0.5, 2]),
    "fallback": st.sampled_from([True, False, None, 1]),
    "attributes": st.sampled_from(
        [[], None, [{"key": "k", "value": "v"}], [{"key": "k"}], {}, [{"key": "k", "value": 1}], [None]]
    ),
    "arguments": st.sampled_from(["{}", {"x": {"y": [1, 2.5, "ä"]}}, {"x": 10**30}, {"x": 1e300}, {"x": 1e22}, 3]),
    "decision": st.sampled_from(["allowed", "denied", None, "else"]),
    "use_case": st.sampled_from(["u", None, "", " "]),
    "trace_id": st.sampled_from(["t", None, "", "\u200b"]),
    "parent_id": st.sampled_from([event_id("jklmno").upper(), "p", "", None]),
    "tool": st.sampled_from(["t", " t ", "", "\u3000"]),
    "version": st.sampled_from(["1", " ", ""]),
    "systemm": st.just(None),
}
OBJECTS = st.builds(
    lambda base, more: json.dumps(base(**more)),
    st.sampled_from([event, call]),
    st.fixed_dictionaries({}, optional=VALUES),
)
USUAL = st.builds(
    lambda base, time, score, named: json.dumps(
        base(event_time=time, confidence=score, **({} if named else {"event_id": None}))
    ),
    st.sampled_from([event, call]),
    st.sampled_from([START, "2026-03-02T01:02:03.25Z", 1_772_409_600_000_001]),
    st.sampled_from([0, 0.5, None]),
    st.booleans(),
)
ODD = st.sampled_from(
    [
        *("", "  ", "{", "[]", "null", '{"type": 1}', '{"type": []}', '{"type": "inferrence"}', "NaN", "\ufeff{}"),
        '{"type":"inference"},{"type":"inference"}',
        json.dumps(event(attributes={"region": "eu", "absent": None})),
        json.dumps(event(attributes={"region": 5})),
        json.dumps(event(type="acknowledgement", of="change", reference="r", person="p", answer="accepted")),
        # Keys that stand twice, plainly and not; and what looks like it and is not.
        json.dumps(event())[:-1] + ', "system": "t"}',
        json.dumps(event())[:-1] + ', "syst\\u0065m": "t"}',
        json.dumps(event())[:-1] + ', "system" :"t"}',
        json.dumps(event())[:-1] + ', "system"\t: "t", "cohort": "\\u0022:"}',
        json.dumps(event(subject="\\u0022\\u003a"))[:-1] + ', "system": "t"}',
        json.dumps(event(cohort='":', subject=' : "a": 1'))[:-1] + ', "decision": "\\":"}',
        json.dumps(call(attributes=[{"key": "k", "value": "v"}])).replace('"key"', '"value": "u", "key"'),
        json.dumps(call(arguments={"x": {"y": 1}})).replace('"y"', '"y": 2, "y"'),
        json.dumps(call(arguments='{"x": 1, "x": 2}')),
        # Half a character, a whole one in two halves, NUL and controls, and what is no UTF-8 at all.
        json.dumps(event(subject="x"))[:-1] + ', "cohort": "\\ud83d"}',
        json.dumps(event(subject="x"))[:-1] + ', "cohort": "\\ude00\\ud83d", "event_id": null}',
        json.dumps(event(cohort="\U0001f600", use_case="\0\x1b[31m\u202e")),
        json.dumps(event(attributes={"\ud83d": "v"})),
        json.dumps(call(arguments={"\ud83d": ["\udc00"]})),
        json.dumps(call(arguments='{"x": "\\ud83d"}')),
        json.dumps(event(cohort="\xff")).encode("latin-1"),
        json.dumps(event(cohort="CUT")).encode().replace(b"CUT", b"\xed\xa0\xbd"),
        json.dumps(event(cohort="CUT")).encode().replace(b"CUT", b"\xf0\x9f"),
        json.dumps(event()).encode("utf-16"),
        b'"' + b"[" * 5_000,
        b"[" * 100_000,
        b'{"type": "inference", "attributes": ' + b'{"a":' * 3_000 + b"1" + b"}" * 3_000 + b"}",
        b'{"score": ' + b"9" * 5_000 + b"}",
    ]
)


def strict(lines: Sequence[bytes]) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    errors = []
    for line in read_lines(lines, "f", make_ids=True):
        if line.error is None:
            groups.setdefault(line.type, []).append(line.record)
        else:
            errors.append(str(line.error))
    return groups, errors


def rows_of(chunks: Iterator[tuple[str, pl.DataFrame]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for name, frame in chunks:
        assert dict(frame.schema) == dict(columns(name))
        groups.setdefault(name, []).extend(frame.to_dicts())
    return groups


@settings(max_examples=300)
@given(st.lists(st.one_of(USUAL, USUAL, USUAL, OBJECTS, ODD), max_size=12), st.integers(1, 5))
def test_lines_in_bulk_are_lines_one_by_one(texts: list[str | bytes], size: int) -> None:
    lines = [(text.encode() if isinstance(text, str) else text).replace(b"\n", b"") + b"\n" for text in texts]
    errors: list[str] = []
    parts = [b"".join(lines[start : start + size]) for start in range(0, len(lines), size)]
    groups = rows_of(json_chunks(parts, "f", lambda error: errors.append(str(error))))
    expected, complaints = strict(lines)
    assert repr(groups) == repr({name: expected[name] for name in groups})
    assert groups.keys() == expected.keys()
    assert errors == complaints


def read(path: Path, **options: Any) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    errors: list[RecordError] = []
    return rows_of(chunks_of_files([str(path)], errors.append, **options)), [str(error) for error in errors]


EVENTS = [event(event_id=event_id(str(n)), score=n / 2, attributes=[{"key": "k", "value": str(n)}]) for n in range(50)]
RECORDS = [record_of(each)[1] for each in EVENTS]


def avro(definition: Any, records: list[dict[str, Any]], codec: str = "deflate") -> bytes:
    stream = io.BytesIO()
    fastavro.writer(stream, fastavro.parse_schema(definition), records, codec=codec, sync_interval=200)
    return stream.getvalue()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("form", ["ndjson", "avro", "parquet"])
def test_every_form_gives_the_same_events(form: str, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "history"
    if form == "ndjson":
        content = "\n".join(map(json.dumps, EVENTS)).encode()
    elif form == "avro":
        content = avro(schema("inference").definition, RECORDS)
    else:
        stream = io.BytesIO()
        times = pl.col("event_time").cast(pl.Datetime("us", "UTC"))
        pl.DataFrame(RECORDS).with_columns(times, type=pl.lit("inference")).write_parquet(stream)
        content = stream.getvalue()
    path.write_bytes(gzip.compress(content) if packed else content)
    assert read(path) == ({"inference": RECORDS}, [])


def test_an_avro_file_of_another_writer_resolves_and_what_breaks_a_bound_is_named(tmp_path: Path) -> None:
    fields = [field for field in schema("inference").definition["fields"] if field["name"] in RECORDS[0]]
    kept = [field for field in fields if field["name"] not in {"abuse", "subject"}]
    writer = {"type": "record", "name": "decisions", "fields": [*kept, {"name": "extra", "type": "int"}]}
    records = [{**record, "extra": 1, "confidence": 3.0 if n == 7 else None} for n, record in enumerate(RECORDS)]
    path = tmp_path / "history.avro"
    path.write_bytes(avro(writer, records))
    groups, errors = read(path, record_type="inference")
    assert groups == {"inference": [record for n, record in enumerate(RECORDS) if n != 7]}
    assert errors == [f"{path}:8: out of bounds: confidence is 3.0, above the bound of 1"]
    with pytest.raises(UsageError, match="--type"):
        read(path)


ODDLY_NAMED: dict[int, tuple[dict[str, Any], str]] = {
    3: ({"event_id": ""}, "event_id is '', which is no UUID: give each event one of its own"),
    7: (
        {"event_id": "0000000000000000"},
        "event_id is '0000000000000000', which is no UUID: give each event one of its own",
    ),
    9: ({"system": "\u200b"}, "system is '\\u200b': it must name something"),
    11: ({"version": " "}, "version is ' ': it must name something"),
}
ALSO_NAMED: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {
    5: ({"event_id": event_id("jklmno").upper()}, {"event_id": event_id("jklmno")}),
    6: ({"trace_id": "", "cohort": " ", "use_case": ""}, {"trace_id": None, "cohort": None, "use_case": "default"}),
}


@pytest.mark.parametrize("form", ["ndjson", "avro", "parquet"])
def test_what_lacks_an_identity_is_named_in_every_form_and_the_rest_is_read(form: str, tmp_path: Path) -> None:
    path, changed = tmp_path / "history", {n: fields for n, (fields, _) in [*ODDLY_NAMED.items(), *ALSO_NAMED.items()]}
    records = [{**record, **changed.get(n, {})} for n, record in enumerate(RECORDS)]
    if form == "ndjson":
        path.write_text("\n".join(json.dumps({"type": "inference", **record}) for record in records))
    elif form == "avro":
        path.write_bytes(avro(schema("inference").definition, records))
    else:
        pl.DataFrame(records).write_parquet(path)
    groups, errors = read(path, record_type="inference")
    held = {n: fields for n, (_, fields) in ALSO_NAMED.items()}
    assert groups == {
        "inference": [{**record, **held.get(n, {})} for n, record in enumerate(RECORDS) if n not in ODDLY_NAMED]
    }
    assert errors == [f"{path}:{n + 1}: {said}" for n, (_, said) in ODDLY_NAMED.items()]


LARGE = MAXIMUM_VALUE_BYTES - 200


@pytest.mark.parametrize("form", ["ndjson", "objects", "avro", "parquet"])
def test_what_the_wire_would_refuse_for_its_size_is_refused_in_every_form_in_the_same_words(
    form: str, tmp_path: Path
) -> None:
    path, codec = tmp_path / "history", Codec()
    many = [{"key": "k" * 9, "value": "v" * 9}] * 30_000
    changed: dict[int, dict[str, Any]] = {
        3: {"subject": "s" * LARGE},
        5: {"subject": "ü" * LARGE},
        8: {"attributes": many},
    }
    records = [{**record, **changed.get(n, {})} for n, record in enumerate(RECORDS)]
    refused: dict[int, str] = {}
    for number, record in enumerate(records):
        try:
            codec.encode("inference", record)
        except OutOfBounds as error:
            refused[number] = str(error)
    assert refused.keys() == {5, 8}
    if form == "avro":
        path.write_bytes(avro(schema("inference").definition, records))
    elif form == "parquet":
        pl.DataFrame(records).write_parquet(path)
    else:
        others = [] if form == "ndjson" else [call(arguments={"x": 1})]
        path.write_text(
            "\n".join(json.dumps(each) for each in [*({"type": "inference", **r} for r in records), *others])
        )
    groups, errors = read(path, record_type="inference")
    assert groups["inference"] == [record for n, record in enumerate(records) if n not in refused]
    assert errors == [f"{path}:{n + 1}: {said}" for n, said in refused.items()]
    assert errors[0].endswith("above the bound of 524288")


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("decision", "string", "gives decision as string: write an enum of allowed, denied, escalated"),
        ("confidence", ["null", "string"], "gives confidence as null or string: write null or double"),
        ("confidence", "boolean", "gives confidence as boolean: write null or double"),
        (
            "attributes",
            {"type": "map", "values": "string"},
            "gives attributes as a map of string: write an array of {key, value}",
        ),
        (
            "attributes",
            {"type": "array", "items": "string"},
            "gives attributes as an array of string: write an array of",
        ),
        ("trace_id", ["null", "long"], "gives trace_id as null or long: write null or string"),
        ("tool", {"type": "enum", "name": "t", "symbols": ["a"]}, "gives tool as an enum of a: write string"),
        ("event_time", "string", "gives event_time as string: write long"),
    ],
)
def test_an_avro_file_whose_schema_can_never_be_ours_is_refused_by_its_field(
    tmp_path: Path, name: str, kind: Any, said: str
) -> None:
    definition = deepcopy(schema("tool_call").definition)
    for field in definition["fields"]:
        if field["name"] == name:
            field["type"] = kind
            field.pop("default", None)
    path = tmp_path / "history.avro"
    path.write_bytes(avro(definition, []))
    with pytest.raises(
        UsageError, match=f"history.avro: not an Avro container file of events: its schema {re.escape(said)}"
    ):
        read(path)


def test_a_record_of_an_avro_file_that_is_none_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    # Another word of the enum, a union of which one branch is ours, a text that is none, an id that is none; as live.
    definition = deepcopy(schema("tool_call").definition)
    for field in definition["fields"]:
        if field["name"] == "decision":
            field["type"] = {"type": "enum", "name": "d", "symbols": ["allowed", "pending", "denied"]}
            field["default"] = "allowed"
        if field["name"] == "confidence":
            field["type"] = ["null", "double", "string"]
    calls = [record_of(call(event_id=event_id(str(n))))[1] for n in range(12)]
    odd: dict[int, dict[str, Any]] = {
        2: {"decision": "pending"}, 5: {"confidence": "high"}, 7: {"event_id": "7"}, 9: {"confidence": 2.0},
        10: {"tool": "BAD"},
    }  # fmt: skip
    path = tmp_path / "history.avro"
    written = [{**record, **odd.get(n, {})} for n, record in enumerate(calls)]
    path.write_bytes(avro(definition, written, codec="null").replace(b"BAD", b"\xed\xa0\xbd"))
    groups, errors = read(path)
    assert groups == {"tool_call": [record for n, record in enumerate(calls) if n not in odd]}
    assert [error.split(": ")[0] for error in errors] == [f"{path}:{n + 1}" for n in odd]
    # The reasons are those of the dead letters that a broker's messages of the same bytes become.
    codec, parsed = Codec(), fastavro.parse_schema(deepcopy(definition))
    header = codec.register(definition)
    reasons = []
    for number in odd:
        datum = io.BytesIO()
        fastavro.schemaless_writer(datum, parsed, written[number])
        with pytest.raises(RecordError) as refused:
            codec.decode("tool_call", header + datum.getvalue().replace(b"BAD", b"\xed\xa0\xbd"))
        reasons.append(str(refused.value))
    assert [error.removeprefix(f"{path}:{n + 1}: ") for error, n in zip(errors, odd, strict=True)] == reasons


def test_a_block_that_claims_more_records_than_it_has_bytes_is_not_believed(tmp_path: Path) -> None:
    content = avro(schema("inference").definition, RECORDS, codec="null")
    sync = content[-16:]
    head = content[: content.index(sync) + 16]
    path = tmp_path / "history.avro"
    # 2**40 records in four bytes.
    path.write_bytes(head + b"\x80\x80\x80\x80\x80\x40" + b"\x08abcd" + sync)
    with pytest.raises(UsageError, match="a block of 4 bytes says that it has 1099511627776 records"):
        read(path)


def test_a_row_of_a_parquet_file_with_text_that_is_none_or_a_time_beyond_all_is_named(tmp_path: Path) -> None:
    text, number = pa.string(), range(50)
    subjects = pa.array([b"s%d" % n if n != 4 else b"\xed\xa0\xbd" for n in number], pa.binary()).view(text)
    keys = pa.array([b"k\xff" if n == 6 else b"k" for n in number], pa.binary()).view(text)
    items = pa.StructArray.from_arrays([keys, pa.array(["v"] * 50)], ["key", "value"])
    attributes = pa.ListArray.from_arrays(pa.array(range(51), pa.int32()), items)
    times = pa.array([2**62 if n == 8 else r["event_time"] for n, r in enumerate(RECORDS)], pa.timestamp("us", "UTC"))
    table = pl.DataFrame(RECORDS).to_arrow(compat_level=pl.CompatLevel.oldest())
    for name, column in (("subject", subjects), ("attributes", attributes), ("event_time", times)):
        table = table.set_column(table.schema.get_field_index(name), name, column)
    path = tmp_path / "history.parquet"
    pq.write_table(table, path)
    groups, errors = read(path, record_type="inference")
    assert errors[:2] == [f"{path}:5: subject is not UTF-8", f"{path}:7: attributes is not UTF-8"]
    assert [error.split(": ")[0] for error in errors[2:]] == [f"{path}:9"]
    assert [named(row["event_id"]) for row in groups["inference"]] == [str(n) for n in number if n not in (4, 6, 8)]


@pytest.mark.parametrize("kind", [pa.map_(pa.string(), pa.string()), pa.struct({"k": pa.string(), "l": pa.string()})])
def test_attributes_of_a_parquet_file_may_be_a_map_or_a_struct(tmp_path: Path, kind: pa.DataType) -> None:
    path = tmp_path / "history.parquet"
    plain = [{name: value for name, value in record.items() if name != "attributes"} for record in RECORDS]
    table = pa.Table.from_pylist(plain).append_column("attributes", pa.array([{"k": str(n)} for n in range(50)], kind))
    pq.write_table(table, path)
    groups, errors = read(path, record_type="inference")
    assert (groups["inference"], errors) == (RECORDS, [])


def test_a_row_of_a_parquet_file_that_holds_no_event_is_named(tmp_path: Path) -> None:
    path = tmp_path / "history.parquet"
    pl.DataFrame([{**record, "confidence": 3.0 if n == 7 else 1.0} for n, record in enumerate(RECORDS)]).write_parquet(
        path
    )
    groups, errors = read(path, record_type="inference")
    assert [row["event_id"] for row in groups["inference"]] == [event_id(str(n)) for n in range(50) if n != 7]
    assert errors == [f"{path}:8: out of bounds: confidence is 3.0, above the bound of 1"]


@pytest.mark.parametrize("types", [[b"inference", b"inference", b"inference"], [b"inference", b"\xff", None]])
@pytest.mark.parametrize(
    "kind", [pl.Binary, pl.String, pl.Categorical, pl.List(pl.Binary), pl.Struct({"of": pl.Binary})]
)
def test_the_types_of_a_parquet_file_are_read_however_it_has_them_and_what_is_none_is_named(
    tmp_path: Path, types: list[bytes | None], kind: pl.DataType
) -> None:
    path = tmp_path / "history.parquet"
    values: list[Any] = list(types)
    if kind in (pl.String, pl.Categorical):
        values = [None if each is None else each.decode(errors="replace") for each in types]
    elif kind != pl.Binary:
        values = [[each] if isinstance(kind, pl.List) else {"of": each} for each in types]
    pl.DataFrame(RECORDS[:3]).with_columns(pl.Series("type", values, dtype=kind)).write_parquet(path)
    groups, errors = read(path)
    plain = kind in (pl.Binary, pl.String, pl.Categorical)
    right = [number for number, each in enumerate(types) if plain and each == b"inference"]
    assert groups == ({"inference": [RECORDS[number] for number in right]} if right else {})
    assert [error.split(": ")[0] for error in errors] == [f"{path}:{n + 1}" for n in range(3) if n not in right]


@pytest.mark.parametrize("content", [b"Obj\x01nothing", b"PAR1nothing", b"\x1f\x8bnothing"])
def test_a_broken_file_is_said_plainly(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="history"):
        read(path)


def test_what_stands_before_the_damage_of_an_avro_file_is_given(tmp_path: Path) -> None:
    path = tmp_path / "history.avro"
    content = avro(schema("inference").definition, RECORDS)
    path.write_bytes(content[:-30])
    given: list[str] = []

    def take() -> None:
        for _, frame in chunks_of_files([str(path)], lambda _: None):
            given.extend(frame["event_id"])

    with pytest.raises(UsageError, match="not an Avro container file"):
        take()
    assert 20 < len(given) < len(RECORDS)
    assert given == [record["event_id"] for record in RECORDS][: len(given)]


@given(st.lists(st.from_regex(r"[12]\d{3}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(\.\d{1,6})?Z", fullmatch=True)))
def test_times_read_by_column_are_those_read_one_by_one(texts: list[str]) -> None:
    try:
        expected = [parse_instant(text) for text in texts]
    except ValueError:
        assert instants(pl.Series(texts, dtype=pl.String)) is None
    else:
        found = instants(pl.Series("at", texts, dtype=pl.String))
        assert found is not None
        assert (found.name, found.to_list()) == ("at", expected)
