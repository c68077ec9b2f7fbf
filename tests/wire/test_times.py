"""Times of events are RFC 3339 or whole microseconds, and nothing else; what is near to one is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.errors import OutOfBounds, RecordError
from seamwatch.instants import format_instant, parse_instant, parse_time
from seamwatch.record_types import INPUT_TYPES
from seamwatch.testing import T0
from seamwatch.wire.schemas import schema
from seamwatch.wire.text import record_of
from streams.replay.history.json_columns import instants

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DECISION = {"type": "inference", "event_time": T0, "system": "s", "version": "1"}


def micros(*parts: int, offset: int = 0) -> int:
    moment = datetime(*parts, tzinfo=timezone(timedelta(minutes=offset)))  # type: ignore[misc, arg-type]
    return (moment - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T09:00:00Z", micros(2026, 3, 2, 9)),
        ("2026-03-02t09:00:00z", micros(2026, 3, 2, 9)),
        ("2026-03-02 09:00:00+00:00", micros(2026, 3, 2, 9)),
        ("2026-03-02T09:00:00-00:00", micros(2026, 3, 2, 9)),
        ("2026-03-02T10:30:00+01:30", micros(2026, 3, 2, 9)),
        ("2026-03-01T23:15:00-09:45", micros(2026, 3, 2, 9)),
        ("2026-03-02T09:00:00.5Z", micros(2026, 3, 2, 9, 0, 0, 500_000)),
        ("2026-03-02T09:00:00.123456789Z", micros(2026, 3, 2, 9, 0, 0, 123_456)),
        ("1969-12-31T23:59:59.25Z", -750_000),
        ("2016-12-31T23:59:60Z", micros(2017, 1, 1)),
        ("2016-12-31T23:59:60.75Z", micros(2017, 1, 1, 0, 0, 0, 750_000)),
        ("2017-01-01T00:59:60+01:00", micros(2017, 1, 1)),
        ("2015-06-30T23:59:60Z", micros(2015, 7, 1)),
        ("2024-02-29T00:00:00Z", micros(2024, 2, 29)),
    ],
)
def test_a_time_may_be_spelt_in_every_way_of_rfc_3339(text: str, expected: int) -> None:
    assert parse_time(text) == expected
    assert record_of({**DECISION, "data_as_of": text})[1]["data_as_of"] == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-03-02T09:00:00", "has no time zone: write it as 2026-03-02T09:00:00Z"),
        ("2026-03-02 09:00:00.5", "has no time zone"),
        ("2026-03-02", "is a date: write the time of day as well"),
        ("2026-03-02T24:00:00Z", "there is no such time of day"),
        ("2026-03-02T09:60:00Z", "there is no such time of day"),
        ("2026-03-02T09:00:61Z", "there is no such time of day"),
        ("2026-03-02T09:00:00+24:00", "there is no such time of day"),
        ("2026-03-02T09:00:00+01:60", "there is no such time of day"),
        ("2026-03-02T09:00:60Z", "there is no leap second then"),
        ("2026-03-02T23:59:60Z", "there is no leap second then"),
        ("2016-12-31T23:59:60+01:00", "there is no leap second then"),
        ("2026-02-30T09:00:00Z", "there is no such day"),
        ("2025-02-29T09:00:00Z", "there is no such day"),
        ("0000-01-01T00:00:00Z", "there is no such day"),
        *(
            (text, "is not a time: write it as 2026-11-02T14:05:00Z")
            for text in (
                *("", " ", "now", "2026-03-02T09:00Z", "2026-03-02T09Z", "20260302T090000Z", "2026-03-02T090000Z"),
                *("2026-03-02T09:00:00,5Z", "2026-03-02T09:00:00.Z", "2026-03-02X09:00:00Z", "2026-03-02  09:00:00Z"),
                *(" 2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z ", "2026-03-02T09:00:00 Z", "2026-03-02T09:00:00Z\n"),
                *("2026-03-02T09:00:00+01", "2026-03-02T09:00:00+0100", "2026-03-02T09:00:00+01:00:00"),
                *("2026-W10-1T09:00:00Z", "2026-W10-1", "2026-061T09:00:00Z", "+002026-03-02T09:00:00Z"),
                *("2026-03-02T09:00:00Z[Europe/London]", "2026-03-02T09:00:00 Europe/London", "2026-3-2T9:00:00Z"),
                *("Mon, 02 Mar 2026 09:00:00 GMT", "1772442000", "1772442000000000", "1.772442e15", "null", "true"),
                *("２０２６-03-02T09:00:00Z", "2026-03-02T09:00:00.५Z", "2026-03-02T09:00:00\u0000Z"),
            )
        ),
    ],
)
def test_whatever_else_looks_like_a_time_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(RecordError, match=r"^event_time: ") as refused:
        record_of({**DECISION, "event_time": text})
    assert said in str(refused.value)
    column = instants(pl.Series([text, "2026-03-02T09:00:00Z"]))
    assert column is None


@pytest.mark.parametrize("value", [1.5, 1.772442e15, True, [T0], {"at": T0}])
def test_a_number_that_is_no_whole_one_is_no_time(value: object) -> None:
    with pytest.raises(RecordError, match=r"event_time is .*; it must be a time"):
        record_of({**DECISION, "event_time": value})


TIMES = [(name, field.name) for name in INPUT_TYPES for field in schema(name).fields if field.time]


@pytest.mark.parametrize("case", TIMES, ids=".".join)
@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (1_772_442_000, "seconds"), (1_772_442_000_000, "milliseconds"), (1_772_442_000_000_000_000, "nanoseconds"),
        (946_684_800, "seconds"), (4_102_444_800_000, "milliseconds"), (0, None), (1, None),
    ],
)  # fmt: skip
def test_another_unit_is_refused_and_named(case: tuple[str, str], value: int, unit: str | None) -> None:
    record_type, name = case
    lines: dict[str, dict[str, object]] = {
        "tool_call": {"version": "1", "tool": "t"}, "inference": {"version": "1"},
        "config_change": {"change_id": "c", "kind": "model", "effective_at": T0, "announced_by": "p"},
        "acknowledgement": {"of": "change", "reference": "c", "person": "p", "answer": "accept"},
        "dataset_refresh": {"data_as_of": T0, "row_count": 1},
        "outcome": {"inference_id": "i", "label": 1.0, "observed_at": T0},
        "attestation": {"subject": "s", "kind": "review", "person": "p"},
        "suspension": {"state": "suspended", "person": "p", "reason": "r"},
    }  # fmt: skip
    line = {"type": record_type, "event_time": T0, "system": "s", **lines[record_type]}
    record_of(line)
    with pytest.raises(OutOfBounds, match=f"out of bounds: {name} is ") as refused:
        record_of({**line, name: value})
    if unit is not None:
        assert f"{value} seems to be in {unit}; times are whole microseconds" in str(refused.value)


two = st.integers(0, 99).map(lambda n: f"{n:02}")
PARTS = st.tuples(
    st.sampled_from(["2026", "2024", "0001", "9999", "1969", "0000"]) | st.integers(0, 9999).map(lambda n: f"{n:04}"),
    st.sampled_from(["01", "02", "06", "12", "13"]) | two,
    st.sampled_from(["01", "28", "29", "30", "31"]) | two,
    st.sampled_from(["T", "t", " ", "X", ""]),
    st.sampled_from(["00", "23", "24"]) | two,
    st.sampled_from(["00", "59", "60"]) | two,
    st.sampled_from(["00", "59", "60"]) | two,
    st.sampled_from(["", ".5", ".123456", ".1234567", ",5", "."]),
    st.sampled_from(["Z", "z", "", "+00:00", "-23:59", "+0100", "+01", "+24:00"]),
)


@given(PARTS)
def test_what_is_a_time_is_what_the_grammar_and_the_calendar_say(parts: tuple[str, ...]) -> None:
    year, month, day, between, hour, minute, second, fraction, zone = parts
    text = f"{year}-{month}-{day}{between}{hour}:{minute}:{second}{fraction}{zone}"
    expected: int | None = None
    if between in ("T", "t", " ") and fraction not in (",5", ".") and zone in ("Z", "z", "+00:00", "-23:59"):
        offset = -(23 * 60 + 59) if zone == "-23:59" else 0
        leaps = second == "60"
        try:
            numbers = (int(part) for part in (year, month, day, hour, minute, "59" if leaps else second))
            moment = datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001
        except ValueError:
            pass
        else:
            seconds = (moment - datetime(1970, 1, 1)) // timedelta(seconds=1) - offset * 60 + leaps  # noqa: DTZ001
            after = datetime(1970, 1, 1) + timedelta(seconds=seconds) if seconds < 253402300800 else None  # noqa: DTZ001
            new_month = after is not None and (after.day, after.hour, after.minute, after.second) == (1, 0, 0, 0)
            if not leaps or new_month:
                expected = seconds * 1_000_000 + int(fraction[1:7].ljust(6, "0") if fraction else 0)
    try:
        found: int | None = parse_time(text)
    except ValueError:
        found = None
    assert found == expected
    # The reader of columns knows the usual forms only; what it takes it takes alike.
    column = instants(pl.Series([text]))
    assert column is None or column.to_list() == [expected]


@given(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999))
def test_what_is_written_is_read_again(at: int) -> None:
    assert parse_time(format_instant(at)) == at


def test_documents_and_options_may_say_a_date() -> None:
    assert parse_instant("2026-03-02") == micros(2026, 3, 2)
    with pytest.raises(ValueError, match="write it as 2026-11-02T14:05:00Z or 2026-11-02"):
        parse_instant("2026-03")
    with pytest.raises(ValueError, match="there is no such day"):
        parse_instant("2026-02-30")
