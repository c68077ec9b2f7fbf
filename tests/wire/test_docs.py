"""The page on the wire says what the code does, to the byte."""

from __future__ import annotations

import json
import re
from pathlib import Path

from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.codec import Codec
from seamwatch.wire.schemas import schema
from seamwatch.wire.text import record_of

PAGE = (Path(__file__).parents[2] / "docs" / "wire.md").read_text()


def test_the_worked_example_is_what_the_codec_writes() -> None:
    (text,) = re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)
    (table,) = re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)
    spelled = "".join("".join(re.findall(r"^(?:[0-9a-f]{2,}(?: |$))+", line)) for line in table.splitlines())
    record_type, record = record_of(json.loads(text))
    value = Codec().encode(record_type, record)
    assert bytes.fromhex(spelled.replace(" ", "")) == value
    assert Codec().decode(record_type, value) == record
    assert str(record["event_time"]) in table
    assert str(record["observed_at"]) in table


def test_the_headers_are_those_of_the_schemas() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `c301 ([0-9a-f]{16})` \|$", PAGE, re.MULTILINE))
    assert rows == {record_type: schema(record_type).fingerprint.hex() for record_type in INPUT_TYPES}
