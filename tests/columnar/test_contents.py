"""Two events under one id are told from one event that is sent twice, however its id is spelt and whoever framed it."""

from __future__ import annotations

from copy import deepcopy

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.columnar.columns import frame_of
from seamwatch.columnar.contents import contents_of_rows, contents_of_values
from seamwatch.testing import event_id, inference
from seamwatch.wire.codec import Codec
from seamwatch.wire.framing import confluent_header
from seamwatch.wire.schemas import schema
from tests.wire.unchecked import unchecked

CODEC = Codec()
ID = event_id("jklmno")
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "event_time": st.integers(1_772_409_600_000_000, 1_772_409_600_000_002),
        "score": st.sampled_from([None, 0.5, 0.25]),
        "subject": st.sampled_from(["", "a", "b"]),
        "trace_id": st.sampled_from([None, "a"]),
        "parent_id": st.sampled_from([None, "a"]),
        "fallback": st.booleans(),
        "attributes": st.sampled_from([[], [{"key": "a", "value": ""}], [{"key": "", "value": "a"}]]),
    },
)


def first(header: bytes) -> bool:
    return len(header) in (5, 10)


@given(st.lists(FIELDS, max_size=12))
def test_contents_are_equal_exactly_where_what_is_said_is(some: list[dict[str, object]]) -> None:
    records = [
        CODEC.decode("inference", unchecked("inference", event_id=event_id(f"{n}x"), **each))
        for n, each in enumerate(some)
    ]
    said = [repr({**record, "event_id": None}) for record in records]
    values: list[bytes | None] = [CODEC.encode("inference", record) for record in records]
    for contents in (contents_of_rows(frame_of("inference", records)), contents_of_values(values, first)):
        known: dict[str, int] = {}
        for text, content in zip(said, contents.to_list(), strict=True):
            assert known.setdefault(text, content) == content
        assert len(set(known.values())) == len(known)


def test_neither_spelling_nor_framing_is_content() -> None:
    values = [unchecked("inference", event_id=text) for text in (ID, ID.upper(), ID.replace("-", ""))]
    framed = [*values, *(confluent_header(7) + value[10:] for value in values)]
    for some in ([*framed], [*reversed(framed)], [None, *framed], framed[3:]):
        contents = zip(contents_of_values(some, first), some, strict=True)
        assert len({each for each, value in contents if value is not None}) == 1


def test_where_the_id_does_not_come_first_nothing_is_left_out() -> None:
    definition = deepcopy(schema("inference").definition)
    fields = definition["fields"]
    fields[0], fields[2] = fields[2], fields[0]
    codec = Codec()
    header = codec.register(definition)
    names = [each["name"] for each in codec.resolution("inference", header).writer["fields"]]
    assert names[0] == "producer"
    # Two producers of 36 letters each, which look like ids.
    values = [header + b"\x48" + letter * 36 + b"rest" for letter in (b"a", b"b")]
    assert contents_of_values(values, lambda _: False).n_unique() == 2


def test_rejected_values_do_no_harm() -> None:
    values = [None, b"", b"\xc3", b"\x00\x00", b"\xc3\x01" + b"x" * 8, b"hello"]
    assert contents_of_values(values, first).dtype == pl.UInt64
    assert contents_of_values([], first).is_empty()
    assert inference().event_id
