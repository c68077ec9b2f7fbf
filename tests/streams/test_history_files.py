"""Files of history: whatever their form, the events are those that the strict reader of lines gives."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator, Sequence
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
from seamwatch.errors import RecordError, UsageError
from seamwatch.instants import parse_instant
from seamwatch.testing import event_id
from seamwatch.wire.schemas import schema
from seamwatch.wire.text import read_lines, record_of
from streams.history.files import chunks_of_files
from streams.history.json_columns import instants
from streams.history.json_lines import json_chunks

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
def test_lines_in_bulk_are_lines_one_by_one(texts: list[str], size: int) -> None:
    lines = [text.encode() + b"\n" for text in texts]
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
