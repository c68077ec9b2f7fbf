"""Events that stand far behind later ones in a history are counted by what their contract allows for."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from console.app import build
from seamwatch.columnar.columns import frame_of
from seamwatch.durations import MINUTE, SECOND
from seamwatch.instants import format_instant
from streams.replay.history.disorder import Disorder
from tests.clauses.history import PEOPLE, at, contract, decision, estate_of, record_of

CLAUSES = "- {id: valid, kind: range, min: 0, max: 1}"
ESTATE = estate_of(contract("scorer", CLAUSES, lateness="10m"))


def counted(offsets: list[tuple[str, int]], chunk: int = 1_000) -> dict[str, int]:
    records = [
        record_of({**decision(""), "event_time": at("1h") + seconds * SECOND, "system": system, "event_id": f"e{n}"})[1]
        for n, (system, seconds) in enumerate(offsets)
    ]
    disorder = Disorder(ESTATE, 5 * SECOND)
    for start in range(0, len(records), chunk):
        disorder.add("inference", frame_of("inference", records[start : start + chunk]))
    return dict(disorder.events)


def test_each_system_is_allowed_what_its_contract_says() -> None:
    late = [("other", 700), ("other", 695), ("other", 694), ("scorer", 100), ("scorer", 99), ("scorer", 701)]
    assert counted(late) == {"other": 1, "scorer": 1}


@given(
    st.lists(st.tuples(st.sampled_from(["scorer", "other"]), st.integers(0, 1_500)), max_size=40), st.integers(1, 40)
)
def test_it_counts_what_stands_too_far_behind_whatever_the_chunks(events: list[tuple[str, int]], chunk: int) -> None:
    expected: dict[str, int] = {}
    newest = -1
    for system, seconds in events:
        allowed = 10 * MINUTE // SECOND if system == "scorer" else 5
        if newest - seconds > allowed:
            expected[system] = expected.get(system, 0) + 1
        newest = max(newest, seconds)
    assert counted(events, chunk) == expected


def test_a_replay_says_how_many_may_come_too_late_live(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text(PEOPLE + contract("scorer", CLAUSES, lateness="10m"))
    history = tmp_path / "history.ndjson"
    for offsets, said in ((("1h", "50m"), ""), (("1h", "49m"), "note: 1 of 2 events stand more than the lateness")):
        events = [{**decision(""), "event_time": format_instant(at(offset))} for offset in offsets]
        history.write_text("".join(f"{json.dumps(event)}\n" for event in events))
        result = CliRunner().invoke(build(), ["replay", "--contracts", str(tmp_path), str(history)])
        assert (result.exit_code, result.stdout) == (0, "")
        assert said in result.stderr
        assert ("lateness" in result.stderr) == bool(said)
