"""Events without an id: what theirs is made of is the same however they are read."""

from __future__ import annotations

import json
from collections import Counter

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from seamwatch.wire.text import canonical, id_of, made_id
from streams.replay.history.json_lines import _arguments, _contents, _Unusual
from streams.replay.history.ordinals import Ordinals

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
    | st.sampled_from([1e16, 1e-5, 0.0001, -0.0, 2**63, 2**64, -(2**63) - 1, 1e22, 123456789012345680.0, ",1e5", "é"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=80)
@given(st.dictionaries(st.sampled_from(["type", "event_id", "a", "é", "b\n"]), VALUES))
def test_contents_are_canonical(event: dict[str, object]) -> None:
    event["event_id"] = None
    lines: tuple[dict[str, object], ...] = (
        event,
        {name: value for name, value in event.items() if name != "event_id"},
        {},
    )
    texts = [json.dumps(line).encode() for line in lines]
    found = _contents(texts, list(map(orjson.loads, texts)))
    for line, (whole, bare) in zip(lines, found, strict=True):
        assert whole.decode() == canonical(line)
        assert id_of(bare, 3) == made_id(line, 3)


@settings(max_examples=80)
@given(st.lists(st.dictionaries(st.text(max_size=2), VALUES), min_size=1, max_size=3))
def test_arguments_are_written_as_the_strict_reader_writes_them(events: list[dict[str, object]]) -> None:
    texts = [json.dumps(event) for event in events]
    try:
        written = _arguments(list(map(orjson.loads, texts)))
    except _Unusual:
        assert any("e+" in text or len(text) > 18 for text in texts)
    else:
        exact = [json.loads(text) for text in texts]
        assert written == [json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in exact]


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(1, 40), max_size=12), max_size=30), st.integers(1, 9))
def test_equal_contents_are_counted_however_few_are_held(parts: list[list[int]], held: int) -> None:
    ordinals, seen = Ordinals(held), Counter[int]()
    for keys in parts:
        expected = []
        for key in keys:
            expected.append(seen[key])
            seen[key] += 1
        assert ordinals.count(keys) == expected
