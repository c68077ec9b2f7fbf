"""A guard denies what is suspended, by what it heard last, and lets it go on when it is resumed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from bus.topics import create_topics
from seamwatch.errors import UsageError
from seamwatch.guard import Denied, Guard, Suspensions
from seamwatch.judging.model.facts import Suspended
from seamwatch.testing import RecordingEmitter
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from tests.clauses.history import T0, contract, estate_of
from tests.guard.scene import HandClock
from tests.waiting import PATIENCE, wait_for

CLAUSES = "- {id: tools, kind: scope, tools: [{tool: find}, {tool: refund}]}"
NOWHERE = "127.0.0.1:9"
CODEC = Codec()


def conclusion(state: str = "suspended", **more: Any) -> Suspended:
    """What the judge concluded of `agent`."""
    given: dict[str, Any] = {
        "suspension_id": "s1", "system": "agent", "version": None, "tool": None, "state": state,
        "person": "owner@example.org", "reason": "it refunds twice", "evidence_uri": None, "since": T0, "until": None,
        "contract": None, "violation_id": None, "judged_at": T0,
    }  # fmt: skip
    return Suspended(**given | more)


def heard(suspensions: Suspensions, *conclusions: Suspended) -> None:
    """As if these were all that lies on the topic."""
    suspensions._take({each.key: CODEC.encode("suspended", asdict(each)) for each in conclusions})


@pytest.fixture
def suspensions(tmp_path: Path) -> Iterator[Suspensions]:
    with Suspensions(NOWHERE, keep=tmp_path / "suspended.json") as followed:
        yield followed


def guard_of(suspensions: Suspensions, clock: HandClock | None = None) -> tuple[Guard, RecordingEmitter]:
    clock = clock or HandClock()
    emitter = RecordingEmitter("agents", clock=clock)
    estate = estate_of(contract("agent", CLAUSES))
    return Guard(estate, system="agent", version="v1", emitter=emitter, suspensions=suspensions), emitter


def test_a_call_is_denied_in_words_and_reported_as_denied(suspensions: Suspensions) -> None:
    guard, emitter = guard_of(suspensions)
    heard(suspensions)
    talk = guard.conversation("t1")
    assert talk.check("refund", {}).permitted
    heard(suspensions, conclusion())
    with pytest.raises(Denied) as denied:
        talk.require("refund", {})
    assert denied.value.verdict.sentence == (
        "The call of refund was denied: agent is suspended by owner@example.org since 2026-03-02 00:00:00 UTC: “it "
        "refunds twice”."
    )
    assert [record["decision"] for _, record in emitter.records] == ["allowed", "denied"]
    assert not talk.decide(use_case="credit", subject="s1").permitted
    heard(suspensions, conclusion("resumed"))
    assert talk.check("refund", {}).permitted


@pytest.mark.parametrize(
    ("target", "permitted"),
    [
        ({"tool": "refund"}, {"find": True, "refund": False, "decision": True}),
        ({"version": "v1"}, {"find": False, "refund": False, "decision": False}),
        ({"version": "v2"}, {"find": True, "refund": True, "decision": True}),
        ({"system": "other"}, {"find": True, "refund": True, "decision": True}),
    ],
)
def test_what_is_suspended_alone_is_denied(
    suspensions: Suspensions, target: dict[str, str], permitted: Mapping[str, bool]
) -> None:
    guard, _ = guard_of(suspensions)
    heard(suspensions, conclusion(**target))
    talk = guard.conversation("t1")
    found = {tool: talk.check(tool, {}).permitted for tool in ("find", "refund")}
    assert found | {"decision": talk.decide(use_case="x", subject="s").permitted} == permitted


def test_it_ends_by_itself_at_its_time(suspensions: Suspensions) -> None:
    clock = HandClock()
    guard, _ = guard_of(suspensions, clock)
    heard(suspensions, conclusion(until=T0 + 60_000_000))
    assert not guard.conversation().check("find").permitted
    clock.pass_("1m")
    assert guard.conversation().check("find").permitted


def test_no_person_lifts_it_and_no_repetition_passes(suspensions: Suspensions) -> None:
    guard, emitter = guard_of(suspensions)
    heard(suspensions)
    talk = guard.conversation("t1")
    assert talk.check("refund", {}, call_id="c1").permitted
    heard(suspensions, conclusion())
    assert not talk.check("refund", {}, call_id="c1").permitted
    assert not talk.check("refund", {}, reviewed_by="second@example.org").permitted
    assert len({record["event_id"] for _, record in emitter.records}) == 3


def test_unknown_is_not_permitted_unless_that_was_chosen(tmp_path: Path) -> None:
    with Suspensions(NOWHERE, keep=False) as followed:
        guard, _ = guard_of(followed)
        verdict = guard.conversation().check("find")
        assert verdict.sentence == (
            "The call of find was denied: whether agent is suspended is not known: nothing was heard yet of what is."
        )
        assert (followed.age, followed.wait(0.01)) == (None, False)
    with Suspensions(NOWHERE, keep=False, unheard="allowed") as chosen:
        assert guard_of(chosen)[0].conversation().check("find").permitted
    with pytest.raises(UsageError, match="unheard"):
        Suspensions(NOWHERE, keep=tmp_path / "x", unheard="perhaps")  # type: ignore[arg-type]


def test_a_process_that_starts_while_the_broker_is_away_knows_what_was_heard_last(
    suspensions: Suspensions, tmp_path: Path
) -> None:
    heard(suspensions, conclusion())
    with Suspensions(NOWHERE, keep=tmp_path / "suspended.json") as later:
        assert not guard_of(later)[0].conversation().check("find").permitted
        assert later.of("agent")[0].reason == "it refunds twice"
        assert later.age is not None
        later._heard_at = time.time() - 100
        assert "(as heard 100 s ago: the broker is away)" in guard_of(later)[0].conversation().check("find").sentence


def test_a_file_that_cannot_be_read_is_not_taken_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "suspended.json").write_text("{")
    with Suspensions(NOWHERE, keep=tmp_path / "suspended.json") as followed:
        assert not guard_of(followed)[0].conversation().check("find").permitted


@pytest.mark.timeout(600)
def test_an_agent_in_a_loop_is_stopped_and_goes_on(kafka: str, tmp_path: Path) -> None:
    prefix = f"g{os.urandom(5).hex()}"
    create_topics(kafka, prefix, 2)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": prefix})
    producer.init_transactions(30)

    def say(state: str) -> None:
        said = conclusion(state)
        producer.begin_transaction()
        producer.produce(Topics(prefix).suspended, CODEC.encode("suspended", asdict(said)), said.key.encode())
        producer.commit_transaction(30)

    with Suspensions(kafka, prefix=prefix, keep=tmp_path / "kept.json") as followed:
        guard, _ = guard_of(followed)
        assert followed.wait(PATIENCE)
        permitted: list[tuple[float, bool]] = []
        stop = threading.Event()

        def loop() -> None:
            while not stop.is_set():
                permitted.append((time.monotonic(), guard.conversation("t1").check("find").permitted))
                time.sleep(0.005)

        agent = threading.Thread(target=loop)
        agent.start()
        try:
            wait_for(lambda: bool(permitted) and permitted[-1][1], "a call")
            say("suspended")
            committed = time.monotonic()
            wait_for(lambda: not permitted[-1][1], "a call that is denied")
            say("resumed")
            wait_for(lambda: permitted[-1][1], "a call that is permitted again")
        finally:
            stop.set()
            agent.join()
            producer.close()
        assert next(at for at, allowed in permitted if at > committed and not allowed) - committed < 1
        assert followed.age is not None
        assert followed.age < 5
