"""Silences on the board: whose pages are held back, why and until when, and what opened meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from board.context import Context
from seamwatch.durations import HOUR, MINUTE
from seamwatch.judging.model.facts import Evidence, Violation
from seamwatch.judging.records import violation_record
from tests.board.conftest import signed_in
from tests.console.populated import DATASET, EPISODES, PEOPLE, Populated, event, hexed, populated
from tests.sinks.samples import CODEC, NOW

QUIET = replace(
    EPISODES[0], violation_id=hexed("quiet"), kind="silence", clause="silence", severity="warning", system=DATASET,
    slice="told", summary="held back for <load>", opened_at=NOW - HOUR, since=NOW - HOUR, limit=7_200.0, unit="s",
    state="open", resolved_at=None, evidence=(Evidence(NOW - HOUR, event("said"), "t", 0, 0),),
)  # fmt: skip
BROKEN = replace(QUIET, violation_id=hexed("a"), kind="freshness", clause="told", opened_at=NOW - MINUTE)


@pytest.fixture
def store(clickhouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Populated]:
    with populated(clickhouse, tmp_path, monkeypatch) as made:
        yield made


def record(store: Populated, violation: Violation, later: int = 0) -> None:
    value = CODEC.encode("violation", violation_record(violation))
    store.book.record([value], f"violations.{violation.kind}", millis=NOW // 1000 + later)


def test_what_is_held_back_is_listed_until_it_is_over(board: Context, store: Populated) -> None:
    client = signed_in(board, PEOPLE[0])
    assert "No pages are held back" in client.get("/silences", params={"whole": True}).text
    for one in (QUIET, BROKEN):
        record(store, one)
    found = client.get("/parts/silences").text
    assert "1 to 1 of 1 silences in force" in found
    assert f'href="/systems/{DATASET}"' in found
    assert "held back for &lt;load&gt;" in found
    assert "in 1 h</time>" in found
    assert "<td>1</td>\n    <td>0</td>" in found, "one opened meanwhile, which is open still"
    record(store, replace(QUIET, violation_id=hexed("late"), limit=60.0), 1)
    assert "no judge has said so yet" in client.get("/parts/silences").text
    record(store, replace(QUIET, state="resolved", resolved_at=NOW), 2)
    record(store, replace(QUIET, violation_id=hexed("late"), state="resolved", resolved_at=NOW), 3)
    assert "No pages are held back" in client.get("/parts/silences").text
    assert "2 silences on record" in client.get("/parts/silences", params={"over": 1}).text
    page = client.get("/silences", params={"over": 1}).text
    assert 'hx-get="/parts/silences?over=1&amp;page=1"' in page
    assert '<a href="/silences?over=1" aria-current="true">' in page
    assert 'href="/silences"' in client.get("/").text


def test_with_the_store_away_the_page_says_so_in_its_place(without_store: Context) -> None:
    client = signed_in(without_store, PEOPLE[0])
    assert client.get("/silences").status_code == 200
    assert client.get("/parts/silences", headers={"HX-Request": "true"}).status_code == 503
