"""What was decided reaches the broker, also when it was away, and a guard costs an importer little."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from seamwatch import Emitter
from seamwatch.errors import DocumentError, RecordError, UsageError
from seamwatch.guard import Guard
from seamwatch.testing import RecordingEmitter
from tests.clauses.history import PEOPLE, contract
from tests.guard.scene import Scene
from tests.test_light_import import loaded_after

NOWHERE = "127.0.0.1:9"
PACT = "- {id: one, kind: rate, max: 1, per: trace}"


def folder_of(tmp_path: Path, clauses: str) -> Path:
    folder = tmp_path / "contracts"
    folder.mkdir(exist_ok=True)
    (folder / "all.yaml").write_text(PEOPLE + contract("agent", clauses), "utf-8")
    return folder


def test_with_the_broker_away_calls_are_decided_at_once_and_the_evidence_is_kept(tmp_path: Path) -> None:
    emitter = Emitter("agents", bootstrap=NOWHERE, spool=tmp_path / "spool", delivery_timeout=1.0)
    guard = Guard.load(folder_of(tmp_path, PACT), system="agent", version="v1", emitter=emitter)
    talk = guard.conversation("t1")
    begun = time.monotonic()
    assert [talk.check("refund", {"n": n}).permitted for n in range(50)] == [True] + [False] * 49
    assert time.monotonic() - begun < 40, "nobody waits for the broker"
    emitter.close(timeout=60.0)
    counts = emitter.counts
    assert (counts.accepted, counts.spooled, counts.dropped, counts.refused) == (50, 50, 0, 0)


def test_an_emitter_that_refuses_does_not_change_what_is_permitted_unless_it_is_strict(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for strict in (False, True):
        emitter = RecordingEmitter("agents", strict=strict)
        guard = Scene(PACT, {"emitter": emitter}).guard
        with caplog.at_level(logging.WARNING):
            if strict:
                with pytest.raises(RecordError):
                    guard.conversation("t1").check("refund", parent_id=5)
            else:
                assert guard.conversation("t1").check("refund", parent_id=5).permitted
                assert "event refused" in caplog.text
        assert emitter.events == []


def test_a_folder_that_changed_binds_from_the_next_call_and_a_wrong_one_changes_nothing(tmp_path: Path) -> None:
    guard = Guard.load(str(folder_of(tmp_path, PACT)), system="agent", version="v1")
    talk = guard.conversation("t1")
    assert [talk.check("refund").permitted for _ in range(2)] == [True, False]
    guard.reload(folder_of(tmp_path, PACT.replace("max: 1", "max: 3")))
    # The one before is remembered, and the one that was denied was not made.
    assert [talk.check("refund").permitted for _ in range(3)] == [True, True, False]
    with pytest.raises(DocumentError):
        guard.reload(folder_of(tmp_path, PACT.replace("max: 1", "max: -1")))
    assert guard.covered


def test_conversations_are_forgotten_the_silent_ones_first() -> None:
    guard = Scene(PACT, {"conversations": 2}).guard
    for trace in ("a", "b", "a", "c"):
        guard.conversation(trace).check("refund")
    assert not guard.conversation("a").check("refund").permitted
    assert guard.conversation("b").check("refund").permitted


def test_a_guard_used_wrongly_says_how_to_use_it() -> None:
    for options in ({"version": ""}, {"uncovered": "maybe"}, {"conversations": 0}):
        with pytest.raises(UsageError):
            Scene(PACT, options)
    with pytest.raises(UsageError, match="id is text"):
        Scene(PACT).guard.conversation("")


def test_a_guard_pulls_in_nothing_of_the_platform() -> None:
    assert loaded_after("from seamwatch.guard import Guard") == set()
