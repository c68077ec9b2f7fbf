from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from board.live.open_episodes import OpenEpisodes, Telling, clock_of, steps_of
from seamwatch.documents import Contract, Estate, Rota
from seamwatch.documents.estate import Term
from seamwatch.durations import HOUR, MINUTE
from seamwatch.judging.model.facts import Violation

OPENED = Violation(
    violation_id="v1", contract="feed", contract_version="1", contract_digest="d", clause="fresh", kind="freshness",
    system="features", slice=None, severity="breach", state="open", observed=27.0, limit=26.0, unit="h",
    summary="late", opened_at=1 * HOUR, since=None, detected_at=2 * HOUR, person="a@example.org",
)  # fmt: skip
CLIMBED = replace(OPENED, state="escalated", step=1, person="b@example.org")
TAKEN = replace(CLIMBED, state="acknowledged", acknowledged_by="b@example.org", acknowledged_at=4 * HOUR)
OVER = replace(TAKEN, state="resolved", resolved_at=5 * HOUR)
STATES = [(OPENED, 2 * HOUR), (CLIMBED, 3 * HOUR), (TAKEN, 4 * HOUR), (OVER, 5 * HOUR)]
TOLD = [Telling(step, person, "console", "delivered", at) for step, person, at in
        ((0, "a@example.org", 2 * HOUR), (1, "b@example.org", 3 * HOUR))]  # fmt: skip

CONTRACT = Contract.model_validate(
    {
        "apiVersion": "seamwatch/v1", "kind": "Contract", "id": "feed", "version": "1", "seam": "data-to-model",
        "covers": ["features"],
        "parties": {"provider": {"team": "data", "signatory": "a@example.org"},
                    "consumer": {"team": "models", "signatory": "b@example.org"}},
        "escalation": [{"person": "a@example.org", "acknowledge_within": "1h"},
                       {"person": "b@example.org", "acknowledge_within": "30m"},
                       {"person": "c@example.org", "acknowledge_within": "1h"}],
        "clauses": [{"id": "fresh", "kind": "freshness", "max_lag": "26h"}],
    }
)  # fmt: skip
ESTATE = Estate(terms=(Term(CONTRACT, 0, 1_000 * HOUR),))


def _after(states: list[tuple[Violation, int]]) -> OpenEpisodes:
    episodes = OpenEpisodes()
    for violation, at in states:
        episodes.take(violation, at)
    return episodes


@given(st.integers(1, len(STATES)), st.data())
def test_what_is_read_again_or_late_changes_nothing(length: int, data: st.DataObject) -> None:
    """The store has some of what the topics have, and a topic is read again from before where it stood."""
    sequence = STATES[:length]
    again = data.draw(st.lists(st.sampled_from(sequence)))
    once, more = _after(sequence), _after([*sequence, *again])
    assert more == once


def test_an_episode_climbs_is_taken_and_ends() -> None:
    episodes = _after(STATES[:1])
    first = episodes.followed["v1"]
    assert [step.person[0] for step in steps_of(first, ESTATE)] == ["a", "b", "c"]
    assert (clock_of(first, ESTATE).at, clock_of(first, ESTATE).next) == (3 * HOUR, "b@example.org")
    assert episodes.take(*STATES[1])
    climbed = episodes.followed["v1"]
    assert (clock_of(climbed, ESTATE).at, clock_of(climbed, ESTATE).next) == (3 * HOUR + 30 * MINUTE, "c@example.org")
    episodes.take(*STATES[2])
    assert clock_of(episodes.followed["v1"], ESTATE).at is None, "who took it on is not overtaken"
    episodes.take(*STATES[3])
    assert not episodes.followed
    assert episodes.get("v1") is not None, "who looks at it sees that it is over"


def test_what_is_taken_back_runs_from_then() -> None:
    back = replace(CLIMBED, acknowledged_by=None)
    episodes = _after([*STATES[:3], (back, 6 * HOUR)])
    assert clock_of(episodes.followed["v1"], ESTATE).at == 6 * HOUR + 30 * MINUTE


def test_whom_the_finding_names_comes_before_the_list() -> None:
    named = _after([(replace(OPENED, person="c@example.org"), 2 * HOUR)]).followed["v1"]
    assert [step.person[0] for step in steps_of(named, ESTATE)] == ["c", "a", "b"]
    assert clock_of(named, ESTATE).next == "a@example.org"


def test_nothing_runs_for_a_warning_the_last_of_a_list_and_what_no_published_contract_found() -> None:
    warned = _after([(replace(OPENED, severity="warning"), 2 * HOUR)]).followed["v1"]
    last = _after([(replace(OPENED, state="escalated", step=2, person="c@example.org"), 2 * HOUR)]).followed["v1"]
    of_another = _after([(replace(OPENED, contract_version="2"), 2 * HOUR)]).followed["v1"]
    assert [clock_of(each, ESTATE).at for each in (warned, last, of_another)] == [None, None, None]


def test_an_id_that_is_given_again_begins_anew() -> None:
    episodes = _after(STATES)
    episodes.take(replace(OPENED, detected_at=9 * HOUR), 9 * HOUR)
    again = episodes.followed["v1"]
    assert (again.acting_since, again.first) == (9 * HOUR, "a@example.org")


def test_who_was_told_is_kept_in_order_and_once() -> None:
    episodes = _after(STATES[:2])
    assert [episodes.tell("v1", each) for each in (TOLD[1], TOLD[0], TOLD[1])] == [True, True, False]
    assert episodes.followed["v1"].tellings == tuple(TOLD)
    assert not episodes.tell("of another", TOLD[0])


def test_what_is_over_is_remembered_within_bounds() -> None:
    episodes = OpenEpisodes()
    for number in range(500):
        episodes.take(replace(OVER, violation_id=f"v{number}"), 5 * HOUR)
    assert (len(episodes.followed), len(episodes.over)) == (0, 200)
    assert episodes.get("v499") is not None


def test_the_next_by_a_rota_is_whoever_is_on_call_when_the_step_comes_due() -> None:
    rota = Rota.model_validate(
        {"kind": "Rota", "id": "on-call", "owner": "k@example.org", "time_zone": "UTC", "starts": "1970-01-01",
         "hand_over": "01:30", "every": "1d", "persons": ["a@example.org", "b@example.org"]}
    )  # fmt: skip
    step = {"rota": "on-call", "acknowledge_within": "1h"}
    agreed = Contract.model_validate({**CONTRACT.written, "escalation": [step, step]})
    estate = Estate(terms=(Term(agreed, 0, 1_000 * HOUR),), rotas={"on-call": rota})
    episodes = _after([(replace(OPENED, opened_at=HOUR, person="k@example.org"), 2 * HOUR)])
    first = episodes.followed["v1"]
    assert [step.person[0] for step in steps_of(first, estate)] == ["k", "a"]
    assert clock_of(first, estate).next == "a@example.org"
