"""State that cannot be read is kept, told of and gone on without; what another release has added stops nothing."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest

from seamwatch.clauses import kinds
from seamwatch.durations import DAY, HOUR
from seamwatch.engine.aside import KEPT, PREFIX
from seamwatch.engine.episodes import Episode
from seamwatch.engine.judge import Judge
from seamwatch.engine.keyed_state import KeyedState, StateKey
from seamwatch.engine.settings import JudgeSettings
from seamwatch.engine.spent import Spent
from seamwatch.engine.state_codec import UnreadableState, read_state, write_state
from seamwatch.engine.unjudged import KIND
from seamwatch.judging.model.facts import Evidence, Fact, ForwardedEvent, Measurement, Violation, Watermark
from seamwatch.judging.model.seam import Step
from tests.clauses.history import at, contract, estate_of

ESTATE = estate_of(
    contract("scorer", "- {id: mostly, kind: range, min: 0, max: 1, tolerate: 0.5}\n- {id: each, kind: range, max: 1}")
)
MOSTLY, EACH = StateKey("example", "mostly", "scorer", ""), StateKey("example", "each", "scorer", "")


def bad(clause: str, time: int, count: int = 4) -> Fact:
    start = time // HOUR * HOUR
    digest = ESTATE.contracts[0].digest
    shown = (Evidence(time, str(uuid5(NAMESPACE_OID, str(time))), value=2.0),)
    return Fact(
        "example", "1", digest, clause, "scorer", None, start, HOUR, count, count, time, time, evidence=shown
    )  # fmt: skip


def told(judge: Judge, now: int, *facts: Fact, events: tuple[ForwardedEvent, ...] = ()) -> list[Violation]:
    mark = Watermark("seamwatch.inference", 0, 0, now, caught_up=True)
    return list(judge.on_measurement(Measurement(now, (mark,), facts, events)).violations)


def kept(judge: Judge, topic: dict[str, bytes]) -> dict[str, bytes]:
    """The topic after what the judge writes."""
    written = judge.take_dirty()
    return {key: value for key, value in {**topic, **written}.items() if value is not None}


def restored(topic: dict[str, bytes]) -> Judge:
    judge = Judge(ESTATE, JudgeSettings(lateness=0, settle=0))
    for key, value in topic.items():
        judge.restore(key, value)
    return judge


@pytest.fixture
def topic() -> dict[str, bytes]:
    """What a judge left: both clauses have an open episode."""
    judge = Judge(ESTATE, JudgeSettings(lateness=0, settle=0))
    opened = told(judge, at("1h30m"), bad("mostly", at("1h30m")), bad("each", at("1h30m")))
    opened += told(judge, at("2h"))
    assert {violation.clause for violation in opened} == {"mostly", "each"}
    return kept(judge, {})


def added_to(value: Any) -> Any:
    """The same with a member more in every object."""
    if isinstance(value, dict):
        return {**{name: added_to(member) for name, member in value.items()}, "of_a_later_release": [1]}
    return [added_to(item) for item in value] if isinstance(value, list) else value


def test_what_a_later_release_adds_is_passed_over(topic: dict[str, bytes]) -> None:
    later = {key: json.dumps(added_to(json.loads(value))).encode() for key, value in topic.items()}
    later["\x00of_a_later_release"] = b"{}"
    judge = restored(later)
    assert [one.key for one in judge.aside] == ["\x00of_a_later_release"]
    assert sorted(v.violation_id for v in judge.episodes()) == sorted(
        v.violation_id for v in restored(topic).episodes()
    )
    assert judge.clock == restored(topic).clock
    # What it knows nothing of stays where it is.
    told(judge, at("2h1m"))
    assert kept(judge, later)["\x00of_a_later_release"] == b"{}"


def test_a_clock_of_any_release_is_taken_back() -> None:
    for saved in ([5, 4, 3], [5, 4, 3, 2], [5, 4, 3, 2, 1], [5, 4, 3, 2, 1, 0], [5, 4, 3, 2, 1, 0, {"more": 1}]):
        judge = restored({"\x00clock": json.dumps(saved).encode()})
        assert (judge.clock, list(judge.aside)) == ((5, 4), [])


_HEAD = '{"kind": "range", "version": "1", "deadline": "soon"}'
BROKEN = {
    "no JSON": b"\x81\x02",
    "another shape": b"[1, 2]",
    "no head": b'{"episodes": [], "state": null}',
    "a kind that is not here": b'{"head": {"kind": "telepathy", "version": "1"}, "episodes": [], "state": null}',
    "a deadline of text": f'{{"head": {_HEAD}, "episodes": [], "state": null}}'.encode(),
    "deep": b'{"head": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
}


@pytest.mark.parametrize("value", BROKEN.values(), ids=BROKEN)
def test_what_is_no_entry_is_kept_and_the_others_go_on(topic: dict[str, bytes], value: bytes) -> None:
    broken = {**topic, MOSTLY.text(): value}
    judge = restored(broken)
    (one,) = judge.aside
    assert (one.key, one.value) == (MOSTLY.text(), value)
    assert one.why
    assert [violation.clause for violation in judge.episodes()] == ["each"]
    # It lies where it lay until its clause is judged again; then beside, to the byte.
    assert kept(judge, broken)[MOSTLY.text()] == value
    told(judge, at("3h30m"), bad("mostly", at("3h30m")))
    after = kept(judge, broken)
    assert read_state(after[MOSTLY.text()]).version == "1"
    (beside,) = (json.loads(record) for key, record in after.items() if key.startswith(PREFIX))
    assert base64.b64decode(beside["value"]) == value
    # So it is known of after the next start, and for a month.
    again = restored(after)
    assert [one.key for one in again.aside] == [MOSTLY.text()]
    assert len(restored(kept(again, after)).aside) == 1
    told(again, at("3h30m") + KEPT + DAY)
    assert [key for key in kept(again, after) if key.startswith(PREFIX)] == []


def test_an_open_episode_goes_on_without_the_state_that_cannot_be_read(topic: dict[str, bytes]) -> None:
    saved = json.loads(topic[MOSTLY.text()])
    before = next(v for v in restored(topic).episodes() if v.clause == "mostly")
    broken = {**topic, MOSTLY.text(): json.dumps({**saved, "state": {"nothing": "known"}}).encode()}
    judge = restored(broken)
    (one,) = judge.aside
    assert one.episodes == (before.violation_id,)
    assert before in list(judge.episodes())
    # Whoever acknowledges it is heard.
    record = {
        "event_id": "a", "event_time": at("2h1m"), "system": "scorer", "of": "violation", "note": None,
        "reference": before.violation_id, "person": before.person, "answer": "accept", "key_id": None,
        "signature": None,
    }  # fmt: skip
    (answered,) = told(judge, at("2h1m"), events=(ForwardedEvent("acknowledgement", record),))
    assert (answered.violation_id, answered.state) == (before.violation_id, "acknowledged")
    # And its clause is judged anew, by which the episode is over when it is.
    ids = {v.violation_id for v in told(judge, at("4h"), bad("each", at("3h30m"), 1))}
    assert before.violation_id not in ids


def test_the_id_of_an_episode_that_cannot_be_read_is_told(topic: dict[str, bytes]) -> None:
    saved = json.loads(topic[MOSTLY.text()])
    (episode,) = saved["episodes"]
    del episode["violation"]["severity"]
    judge = restored({**topic, MOSTLY.text(): json.dumps(saved).encode()})
    (one,) = judge.aside
    assert one.episodes == (episode["violation"]["violation_id"],)
    assert "severity" in one.why


def test_keys_and_records_of_others_stop_nothing(topic: dict[str, bytes]) -> None:
    foreign = {"healthcheck": b"ok", "[1]": b"{}", '["a", "b"]': b"{}", "\x00clock": b"soon", "\x00marks": b"{}",
               "\x00answers": b"[3]"}  # fmt: skip
    judge = restored({**topic, **foreign})
    assert {one.key for one in judge.aside} == set(foreign)
    assert len(list(judge.episodes())) == 2
    # Its own records are written again, and what lay there is beside.
    told(judge, at("4h"), bad("mostly", at("3h30m")))
    after = kept(judge, {**topic, **foreign})
    beside = {json.loads(value)["key"] for key, value in after.items() if key.startswith(PREFIX)}
    assert beside == {"\x00clock", "\x00marks"}
    assert after["healthcheck"] == b"ok"


@pytest.mark.parametrize("kind", [*kinds(), KIND])
@pytest.mark.parametrize("state", [b'"text"', b"[7]", b"17"])
def test_of_every_kind_an_unreadable_state_leaves_its_episodes(kind: str, state: bytes) -> None:
    violation = Violation(
        "v1", "c", "1", "d", "x", kind, "s", None, "breach", "open", 1.0, 0.5, None, "It is so.", 5, None, 6, "p"
    )
    episode, over = Episode(violation, "k", (Step("p", HOUR),), 7), Spent("breach", None, "j", 2)
    entry = KeyedState(kind, "1", None, (episode,), 3, 4, last=9, spent=(over,))
    value = write_state(entry)
    assert read_state(value) == entry
    with pytest.raises(UnreadableState) as raised:
        read_state(value.replace(b'"state":null', b'"state":' + state))
    left = raised.value.left
    assert left == entry._replace(deadline=None, wake=None)
    assert read_state(write_state(left)) == left
    # Names that are spent are not given to another episode, whether or not one is open.
    alone = entry._replace(episodes=())
    with pytest.raises(UnreadableState) as raised:
        read_state(write_state(alone).replace(b'"state":null', b'"state":' + state))
    assert raised.value.left == alone._replace(deadline=None, wake=None)
