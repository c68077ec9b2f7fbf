"""A row is one line of JSON, the same each time, whatever is in it."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime

from sinks.dossier.values import line


def test_times_bytes_and_numbers_that_json_has_not_are_texts() -> None:
    row = {
        "at": datetime(2026, 11, 2, 14, 5, tzinfo=UTC),
        "day": date(2026, 11, 2),
        "bytes": b"\xff\0",
        "text": 'größe "x"\n\u2028',
        "number": 0.1,
        "none": None,
        "list": ({"key": "k", "value": [1]},),
    }
    written = line(row)
    assert written.count(b"\n") == 1
    assert json.loads(written) == {
        **row,
        "at": "2026-11-02T14:05:00.000000Z",
        "day": "2026-11-02",
        "bytes": "/wA=",
        "list": [{"key": "k", "value": [1]}],
    }


def test_what_is_no_number_of_json_does_not_change_the_rest() -> None:
    row = {"a": math.nan, "b": [math.inf, -math.inf, 1.5], "at": datetime(1970, 1, 1, tzinfo=UTC)}
    assert json.loads(line(row)) == {"a": "nan", "b": ["inf", "-inf", 1.5], "at": "1970-01-01T00:00:00.000000Z"}
