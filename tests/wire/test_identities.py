"""What identifies an event, a system or a person, and what does not: one rule for every kind of event."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch import testing
from seamwatch.errors import RecordError, Unidentified
from seamwatch.record_types import INPUT_TYPES, OUTPUT_TYPES
from seamwatch.testing import event_id, named
from seamwatch.wire.codec import Codec
from seamwatch.wire.events import EVENTS
from seamwatch.wire.identities import BLANKS, HELD, MAX, NIL, held, is_blank
from seamwatch.wire.schemas import Field, schema
from seamwatch.wire.text import record_of

CODEC = Codec()
ID = "0195a1b2-0000-7000-8000-0000000000aa"
FIELDS = [(name, field) for name in INPUT_TYPES for field in schema(name).fields if field.identity == "name"]
REQUIRED = [(name, field) for name, field in FIELDS if field.required]
OPTIONAL = [(name, field) for name, field in FIELDS if not field.required and field.primitive == "string"]
NOTHING = ["", " ", "\t\n", "\u00a0", "\u200b\ufeff", "\x00", "\u3000\u2060"]
NONE_AT_ALL = [
    "",
    " ",
    "1",
    "null",
    "0000000000000000",
    "-",
    f"{ID} ",
    f"{{{ID}}}",
    f"urn:uuid:{ID}",
    ID[:-1],
    "é" * 18,
]


def record(record_type: str, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = getattr(testing, record_type)().record()
    return {**made, **fields}


def label(case: tuple[str, Field]) -> str:
    return f"{case[0]}.{case[1].name}"


@pytest.mark.parametrize("record_type", INPUT_TYPES)
@pytest.mark.parametrize("text", NONE_AT_ALL)
def test_an_event_id_that_is_no_uuid_is_refused_by_name(record_type: str, text: str) -> None:
    with pytest.raises(Unidentified, match=r"^event_id is .*, which is no UUID: give each event one of its own$"):
        CODEC.encode(record_type, record(record_type, event_id=text))


@pytest.mark.parametrize("text", [NIL, MAX, MAX.upper(), "0" * 32])
def test_an_id_that_stands_for_no_event_is_refused(text: str) -> None:
    with pytest.raises(Unidentified, match=f"^event_id is {held(text)}, which identifies no event"):
        CODEC.encode("inference", record("inference", event_id=text))


@pytest.mark.parametrize("text", [ID, ID.upper(), ID.replace("-", ""), ID.replace("-", "").upper()])
def test_every_spelling_of_a_uuid_is_the_same_id(text: str) -> None:
    decision = CODEC.decode("inference", CODEC.encode("inference", record("inference", event_id=text, parent_id=text)))
    outcome = CODEC.decode("outcome", CODEC.encode("outcome", record("outcome", inference_id=text)))
    assert (decision["event_id"], decision["parent_id"], outcome["inference_id"]) == (ID, ID, ID)


def test_a_reference_may_be_any_text_that_is_not_empty() -> None:
    assert CODEC.decode("outcome", CODEC.encode("outcome", record("outcome", inference_id="-")))["inference_id"] == "-"
    with pytest.raises(Unidentified, match=r"^inference_id is '': it must name something$"):
        CODEC.encode("outcome", record("outcome", inference_id=""))


@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize("case", REQUIRED, ids=label)
def test_a_required_name_that_shows_nothing_is_refused(case: tuple[str, Field], nothing: str) -> None:
    record_type, field = case
    with pytest.raises(Unidentified, match=f"^{field.name} is {re.escape(repr(nothing))}: it must name something$"):
        CODEC.encode(record_type, record(record_type, **{field.name: nothing}))


@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize("case", OPTIONAL, ids=label)
def test_an_optional_name_that_shows_nothing_reads_as_absent(case: tuple[str, Field], nothing: str) -> None:
    record_type, field = case
    value = CODEC.encode(record_type, record(record_type, **{field.name: nothing}))
    assert CODEC.decode(record_type, value)[field.name] == field.default


def test_names_in_lists_are_held_to_the_same() -> None:
    signature = {"person": "owner@example.org", "key_id": "", "signature": "AA=="}
    for record_type, fields, path in (
        ("dataset_refresh", {"sources": ["a", " "]}, "sources[1]"),
        ("dataset_refresh", {"cohorts": {"a": 1, "": 2}}, "cohorts[1].cohort"),
        ("config_change", {"signatures": [signature]}, "signatures[0].key_id"),
    ):
        with pytest.raises(Unidentified, match=f"^{re.escape(path)} is '.?': it must name something$"):
            CODEC.encode(record_type, record(record_type, **fields))


@pytest.mark.parametrize("text", [" a", "a ", "\ta\n", "A", "\x00a", "a\u200bb"])
def test_what_shows_anything_is_kept_to_the_letter(text: str) -> None:
    read = CODEC.decode("tool_call", CODEC.encode("tool_call", record("tool_call", tool=text, trace_id=text)))
    assert (read["tool"], read["trace_id"]) == (text, text)


@pytest.mark.parametrize("event", EVENTS)
def test_what_an_event_says_beside_its_identities_may_be_empty(event: type[Any]) -> None:
    texts = {
        field.name: ""
        for field in schema(event.type).fields
        if field.primitive == "string" and field.identity is None and field.name != "arguments"
    }
    read = CODEC.decode(event.type, CODEC.encode(event.type, record(event.type, **texts)))
    assert {name: read[name] for name in texts} == texts


def test_the_schemas_say_which_fields_are_identities() -> None:
    for name in INPUT_TYPES:
        form = schema(name)
        assert form.field("event_id").identity == "uuid"
        assert form.field("system").identity == "name"
        # What is required and a text identifies something: only a doubtful record could go without.
        texts = [field for field in form.fields if field.required and field.primitive == "string"]
        assert [field.name for field in texts if field.identity is None] == []
    assert not any(field.identity for name in OUTPUT_TYPES for field in schema(name).fields)


def test_a_line_of_text_is_held_to_the_same_and_an_absent_id_is_made() -> None:
    line = {"type": "inference", "event_time": "2026-03-02T00:00:00Z", "system": "s", "version": "1", "trace_id": ""}
    made = record_of(line, make_ids=True)[1]
    assert held(made["event_id"]) == made["event_id"]
    assert made["trace_id"] is None
    for broken in ({"event_id": ""}, {"system": " "}, {"version": "\u200b"}):
        with pytest.raises(RecordError, match=next(iter(broken))):
            record_of({**line, **broken})


@given(st.text(st.sampled_from("0123456789abcdefABCDEF-g"), max_size=40) | st.uuids().map(str))
def test_a_uuid_is_held_in_one_spelling_and_nothing_else_is_one(text: str) -> None:
    found = held(text)
    if found is None:
        digits = text.replace("-", "")
        assert len(digits) != 32 or "g" in text or text.count("-") not in (0, 4) or len(text) in (32, 36)
    else:
        assert re.fullmatch(HELD, found)
        assert held(found) == found
        assert found.replace("-", "") == text.lower().replace("-", "")


@given(st.text())
def test_what_a_person_sees_nothing_of_is_blank(text: str) -> None:
    assert is_blank(text) == all(letter in BLANKS for letter in text)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20))
def test_a_test_can_call_events_by_names(name: str) -> None:
    assert held(event_id(name)) == event_id(name)
    if len(name.encode()) <= 16 and name.isascii() and name.isprintable():
        assert named(event_id(name)) == name
