"""What is remembered is written in records that a broker takes, however much it is, and taken back whole."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from streams.judge.chunks import CHUNK_BYTES, Chunks

KEYS = st.sampled_from(["\x00clock", json.dumps(["c", "x", "s", ""]), json.dumps(["c", "x", "s", "a\x00b"])])
VALUES = st.none() | st.text(max_size=40).map(lambda text: json.dumps([text], ensure_ascii=False).encode())
KEY = json.dumps(["c", "x", "s", ""])


@given(st.lists(st.tuples(st.dictionaries(KEYS, VALUES), st.booleans()), max_size=8))
def test_any_values_are_taken_back_after_any_changes_and_restarts(rounds: list[tuple[dict[str, bytes], bool]]) -> None:
    topic: dict[str, bytes] = {}
    kept: dict[str, bytes] = {}
    chunks = Chunks(largest=7)
    for changed, restarts in rounds:
        for key, value in chunks.cut(changed):
            assert value is None or len(value) <= 7 + len("99\n")
            _put(topic, key, value)
        for key, value in changed.items():
            _put(kept, key, value)
        if restarts:
            chunks = Chunks(largest=7)
        assert dict(chunks.joined(topic)) == kept
    list(chunks.cut({}))
    assert len(topic) == sum(max(1, -(-len(value) // 7)) for value in kept.values()), "nothing is left lying there"


def test_what_fits_is_one_record_as_it_is() -> None:
    value = b"{" + b" " * (CHUNK_BYTES - 2) + b"}"
    assert list(Chunks().cut({KEY: value})) == [(KEY, value)]


def test_a_lost_piece_loses_its_clause_alone_and_is_said() -> None:
    topic = dict(Chunks(4).cut({KEY: b"[1234567]", "\x00clock": b"[]"}))
    assert len(topic) == 4
    table = {key: value for key, value in topic.items() if value is not None and not key.endswith("\x002")}
    with capture_logs() as logs:
        assert dict(Chunks(4).joined(table)) == {"\x00clock": b"[]"}
    assert [line["key"] for line in logs] == [KEY]


def _put(table: dict[str, bytes], key: str, value: bytes | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
