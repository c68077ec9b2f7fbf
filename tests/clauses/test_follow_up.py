"""Follow-up: a review is due so long after an episode is over, and its actions by their dates."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.clauses.follow_up import state as limits
from seamwatch.clauses.follow_up.digest import period_end
from seamwatch.clauses.follow_up.statement import Action, Statement, read_statement
from seamwatch.durations import DAY, HOUR
from seamwatch.instants import parse_instant
from seamwatch.judging.model.facts import Verdict, Violation
from seamwatch.signatures import attestation_bytes, sign
from streams.measure.plan import Plan
from streams.replay.history.gathering import History
from streams.replay.replay import chunks_of, judged
from tests.clauses.history import at, contract, decision, estate_of, found, record_of
from tests.clauses.test_state import Live

VALID = "- {id: valid, kind: range, min: 0, max: 1, quiet: 1h}"
LEARN = "- {id: learn, kind: follow_up, by: second@example.org}"
AGREED = contract("scorer", f"{VALID}\n{LEARN}")
PRIVATE = bytes(range(32))
PUBLIC = b64encode(Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()).decode()
NOTHING: tuple[dict[str, Any], ...] = ()


def broken(offset: str, score: float = 2.0) -> dict[str, Any]:
    """A score outside the range: an episode that is over an hour later."""
    return decision(offset, score=score, event_id=f"d{offset}")


def action(name: str = "1", due: str = "2026-03-20", person: str = "owner@example.org") -> dict[str, Any]:
    return {"id": name, "person": person, "due": due, "what": "refuse what has no unit"}


def statement(*actions: dict[str, Any], cause: str = "an input in cents") -> str:
    said = {"implied": "scores are shares", "diverged": "a score of 2 was served", "cause": cause}
    return json.dumps(said | {"actions": list(actions)})


def review(offset: str, of: str, *actions: dict[str, Any], cause: str = "an input in cents", **fields: Any) -> Any:
    return {
        "type": "attestation", "event_time": at(offset), "system": "scorer", "subject": f"example#learn/{of}",
        "kind": "follow_up", "person": "second@example.org", "event_id": f"a{offset}",
        "statement": statement(*actions, cause=cause), **fields,
    }  # fmt: skip


def done(offset: str, of: str, name: str = "1", person: str = "owner@example.org", **fields: Any) -> dict[str, Any]:
    return {
        "type": "attestation", "event_time": at(offset), "system": "scorer", "subject": f"example#learn/{of}/{name}",
        "kind": "action", "person": person, "event_id": f"c{offset}{name}", **fields,
    }  # fmt: skip


def id_of(documents: str, *events: dict[str, Any]) -> str:
    """The id of the one violation of some events."""
    (only,) = found(documents, events)
    return only.violation_id


FIRST = id_of(AGREED, broken("1h"))
SECOND = next(v.violation_id for v in found(AGREED, [broken("1h"), broken("2d")]) if v.opened_at == at("2d"))


def owed(documents: str, events: Sequence[dict[str, Any]], now: str) -> list[tuple[Any, ...]]:
    """What is or was overdue: slice, when since T0, until when, and whose it is."""
    return [
        (v.slice, v.opened_at - at(), None if v.resolved_at is None else v.resolved_at - at(), v.person)
        for v in found(documents, events, now)
        if v.kind == "follow_up"
    ]


def verdicts(documents: str, events: Sequence[dict[str, Any]], now: str = "60d") -> list[tuple[str, str]]:
    """What attestations came to: reason and sentence, of several about one as they are to be read."""
    estate, heard = estate_of(documents), dict[str, Verdict]()

    def hear(verdict: Verdict) -> None:
        before = heard.get(verdict.acknowledgement_id)
        if before is None or not before.counted:
            heard[verdict.acknowledgement_id] = verdict

    with History([Plan(estate)]) as history:
        for record_type, frame in chunks_of([record_of(event) for event in events]):
            history.add(record_type, frame)
        list(judged(estate, history, at(now), hear=hear))
    assert all(v.of == "attestation" for v in heard.values())
    return [(v.reason, v.summary) for v in heard.values()]


# Reviews


def test_a_review_is_due_so_long_after_the_episode_was_over() -> None:
    assert owed(AGREED, [broken("1h")], "5d1h59m") == []
    (late,) = [v for v in found(AGREED, [broken("1h")], "5d2h") if v.kind == "follow_up"]
    assert (late.slice, late.opened_at, late.since, late.person) == (
        FIRST, at("5d2h"), at("2h"), "second@example.org",
    )  # fmt: skip
    assert (late.observed, late.limit, late.unit, late.severity) == (5 * 86_400, 5 * 86_400, "s", "breach")
    shorter = AGREED.replace("by: second@example.org", "by: second@example.org, within: 1d, severity: warning")
    assert owed(shorter, [broken("1h")], "1d2h") == [(FIRST, DAY + 2 * HOUR, None, "second@example.org")]


def test_a_review_in_time_stops_the_clock_and_a_late_one_ends_the_breach() -> None:
    assert owed(AGREED, [broken("1h"), review("3d", FIRST)], "60d") == []
    assert owed(AGREED, [broken("1h"), review("5d2h", FIRST)], "60d") == []
    assert owed(AGREED, [broken("1h"), review("7d", FIRST)], "60d") == [
        (FIRST, 5 * DAY + 2 * HOUR, 7 * DAY, "second@example.org")
    ]


def test_each_episode_asks_for_a_review_of_its_own_while_one_that_goes_on_asks_for_none() -> None:
    events = [broken("1h"), broken("2d"), review("3d", SECOND)]
    assert owed(AGREED, events, "60d") == [(FIRST, 5 * DAY + 2 * HOUR, None, "second@example.org")]
    low = {"type": "attestation", "event_time": at("1h"), "system": "scorer", "subject": "benchmark", "metric": "auc",
           "kind": "benchmark", "person": "owner@example.org", "value": 0.1}  # fmt: skip
    goes_on = found(contract("scorer", f"- {{id: auc, kind: benchmark, metric: auc, min: 0.8}}\n{LEARN}"), [low], "60d")
    assert [(v.kind, v.state) for v in goes_on] == [("benchmark", "open")]


def test_severities_kinds_and_clauses_say_which_episodes_are_followed_up() -> None:
    other = "- {id: whole, kind: assertion, must: score < 1, severity: warning, quiet: 1h}"

    def followed(says: str) -> int:
        text = contract("scorer", f"{VALID}\n{other}\n{LEARN.replace('}', f', {says}}}')}")
        return len(owed(text, [broken("1h")], "60d"))

    assert followed("within: 5d") == 1, "breaches alone"
    assert followed("severities: [warning, breach]") == 2
    assert followed("severities: [warning], kinds: [assertion, scope]") == 1
    assert followed("severities: [warning], kinds: [range]") == 0
    assert followed("severities: [warning, breach], clauses: [valid]") == 1


def test_an_overdue_review_asks_for_none_itself() -> None:
    again = "- {id: again, kind: follow_up, by: owner@example.org, within: 9d}"
    text = contract("scorer", f"{VALID}\n{LEARN}\n{again}")
    events = [broken("1h"), review("7d", FIRST), review("8d", FIRST, subject=f"example#again/{FIRST}",
                                                         person="owner@example.org")]  # fmt: skip
    assert [row[0] for row in owed(text, events, "60d")] == [FIRST]


def test_only_the_contract_s_own_episodes_are_followed_up() -> None:
    other = contract("scorer", VALID).replace("id: example", "id: other")
    text = contract("scorer", LEARN) + "---" + other
    assert owed(text, [broken("1h")], "60d") == []


# Actions


def test_an_action_is_due_by_the_end_of_its_day_or_its_time() -> None:
    events = [broken("1h"), review("3d", FIRST, action(due="2026-03-06"), action("two", due="2026-03-06T12:00:00Z"))]
    assert owed(AGREED, events, "60d") == [
        (f"{FIRST}/two", 4 * DAY + 12 * HOUR, None, "owner@example.org"),
        (f"{FIRST}/1", 5 * DAY, None, "owner@example.org"),
    ]
    (late, _) = [v for v in found(AGREED, events, "60d") if v.kind == "follow_up"]
    assert [e.event_id for e in late.evidence] == ["a3d"]


def test_its_person_or_the_reviewer_closes_an_action_and_nobody_else() -> None:
    begun = [broken("1h"), review("3d", FIRST, action(due="2026-03-10"))]
    for person in ("owner@example.org", "second@example.org"):
        assert owed(AGREED, [*begun, done("4d", FIRST, person=person)], "60d") == []
    third = "---\nkind: Person\nid: third@example.org\nname: Example Third\n"
    other = [*begun, done("4d", FIRST, person="third@example.org")]
    assert owed(AGREED + third, other, "60d") == [(f"{FIRST}/1", 9 * DAY, None, "owner@example.org")]
    assert verdicts(AGREED + third, other)[-1][0] == "not_asked"
    late = [*begun, done("20d", FIRST)]
    assert owed(AGREED, late, "60d") == [(f"{FIRST}/1", 9 * DAY, 20 * DAY, "owner@example.org")]


# What a word comes to


def test_each_word_is_told_what_it_came_to() -> None:
    def came(*words: dict[str, Any], documents: str = AGREED) -> list[str]:
        return [reason for reason, _ in verdicts(documents, [broken("1h"), *words])]

    assert came(review("3d", FIRST)) == ["counts"]
    assert came(review("3d", FIRST, action()), done("4d", FIRST)) == ["counts", "counts"]
    assert came(review("90m", FIRST)) == ["too_early"], "the episode was over at 2h"
    assert came(review("3d", FIRST), review("4d", FIRST)) == ["counts", "over"]
    assert came(review("3d", FIRST, action()), done("4d", FIRST), done("5d", FIRST)) == ["counts", "counts", "over"]
    assert came(review("3d", FIRST), done("4d", FIRST)) == ["counts", "over"]
    assert came(review("3d", FIRST, person="owner@example.org")) == ["not_asked"]
    assert came(review("3d", FIRST, person="stranger@example.org")) == ["not_asked"]
    assert came(review("3d", "unheard-of")) == ["unknown"]
    assert came(done("3d", FIRST)) == ["unknown"]
    assert came(review("3d", FIRST, subject=f"other#learn/{FIRST}")) == ["nobody_asks"]
    assert came(review("3d", FIRST), documents=contract("scorer", VALID)) == ["nobody_asks"]
    assert came(review("3d", FIRST, action(person="stranger@example.org"))) == ["unreadable"]
    assert came(review("3d", FIRST, action(due="2026-03-03"))) == ["unreadable"]
    assert came(review("3d", FIRST, statement=None)) == ["unreadable"]
    assert came(review("3d", FIRST, subject="learn", kind="review")) == [], "another kind of word"


def test_what_a_review_asked_is_remembered_after_its_digest() -> None:
    events = [broken("1h"), review("3d", FIRST), review("40d", FIRST, event_id="again")]
    assert [reason for reason, _ in verdicts(AGREED, events)] == ["counts", "over"]


def test_who_has_keys_signs_the_review_with_all_that_it_states() -> None:
    person = f"""---
kind: Person
id: lead@example.org
name: Example Lead
keys: [{{key_id: k1, public: "{PUBLIC}"}}]
"""
    text = contract("scorer", f"{VALID}\n{LEARN.replace('second', 'lead')}") + person
    event = review("3d", FIRST, person="lead@example.org", key_id="k1")
    event["signature"] = b64encode(sign(attestation_bytes(record_of(event)[1]), PRIVATE)).decode()
    assert owed(text, [broken("1h"), event], "60d") == []
    for fault, reason in (
        ({"signature": None}, "unsigned"), ({"statement": statement(cause="another")}, "wrong_signature"),
        ({"subject": f"example#learn/{FIRST}0"}, "wrong_signature"), ({"key_id": "k2"}, "unknown_key"),
    ):  # fmt: skip
        assert [word for word, _ in verdicts(text, [broken("1h"), event | fault])] == [reason]
        assert len(owed(text, [broken("1h"), event | fault], "60d")) == 1


# Live, and over restarts


def live(documents: str, events: Sequence[dict[str, Any]], until: int, step: int = 12 * HOUR) -> Live:
    """A judge that is restarted every half day, which has judged the events by their arrival."""
    judge = Live(documents)
    for start in range(at(), at() + until, step):
        judge.flush([e for e in events if start <= e["event_time"] < start + step], start + step)
    return judge


def kept(judge: Live) -> dict[str, Any]:
    """What it keeps of the clause."""
    states = [json.loads(value) for key, value in judge.topic.items() if '"learn"' in key]
    assert len(states) == 1
    state: dict[str, Any] = states[0]["state"]
    return state


HISTORY = [
    broken("1h"), broken("2d"), broken("20d"), broken("50d"), review("3d", FIRST, action(due="2026-03-10")),
    review("10d", SECOND, action(due="2026-04-01"), action("2", due="2026-05-20")), done("12d", FIRST),
    done("15d", SECOND), review("90m", SECOND, event_id="early"), decision("70d", score=0.5),
]  # fmt: skip


def test_a_judge_that_is_restarted_finds_what_a_replay_finds() -> None:
    judge = live(AGREED, HISTORY, 100 * DAY)

    def told(violations: Sequence[Violation]) -> list[tuple[Any, ...]]:
        # In a replay nobody is paged, so nothing climbs to another person.
        return sorted((v.violation_id, v.opened_at, v.resolved_at or 0, v.summary) for v in violations)

    replayed = found(AGREED, HISTORY, "100d")
    assert told(list(judge.latest.values())) == told(replayed)
    assert sum(v.kind == "follow_up" for v in replayed) == 5


def test_its_person_is_reminded_at_the_agreed_shares_of_each_clock() -> None:
    text = AGREED.replace("by: second@example.org", "by: second@example.org, digest: never, remind_at: [0.9, 0.5]")
    events = [broken("1h"), review("7d", FIRST, action(due="2026-03-28"))]
    judge = live(text, events, 30 * DAY)
    assert [(n.type, n.person, n.slice, n.due_at) for n in judge.notices] == [
        ("reminder", "second@example.org", FIRST, at("5d2h")),
        ("reminder", "second@example.org", FIRST, at("5d2h")),
        ("reminder", "owner@example.org", f"{FIRST}/1", at("27d")),
        ("reminder", "owner@example.org", f"{FIRST}/1", at("27d")),
    ]
    assert [(n.detected_at - at()) // (12 * HOUR) for n in judge.notices] == [6, 10, 34, 50]


# Digests


def test_a_period_is_a_calendar_one() -> None:
    for day, period, end in (
        ("2026-01-01", "quarterly", "2026-04-01"), ("2026-03-31", "quarterly", "2026-04-01"),
        ("2026-12-31", "quarterly", "2027-01-01"), ("2026-12-31", "monthly", "2027-01-01"),
        ("2028-02-29", "monthly", "2028-03-01"),
    ):  # fmt: skip
        assert period_end(parse_instant(day), period) == parse_instant(end)  # type: ignore[arg-type]


def test_the_parties_are_told_once_a_quarter_what_it_came_to() -> None:
    judge = live(AGREED, HISTORY, 130 * DAY)
    digests = [(n.person, n.summary, n.due_at) for n in judge.notices if n.type == "summary"]
    first = (
        "scorer: follow-up of 2026-Q1 (example#learn): 3 episodes ended (valid 3); what recurs: valid; "
        "causes: “an input in cents”; reviews: 2 given, 1 open, 1 of them overdue; actions: 2 closed, 1 open"
    )
    second = (
        "scorer: follow-up of 2026-Q2 (example#learn): 1 episode ended (valid 1); "
        "reviews: 0 given, 2 open, 2 of them overdue; actions: 0 closed, 1 open, 1 of them overdue"
    )
    people = ("owner@example.org", "second@example.org")
    assert digests == [
        *((person, first, parse_instant("2026-04-01")) for person in people),
        *((person, second, parse_instant("2026-07-01")) for person in people),
    ]
    assert [n.detected_at - n.due_at for n in judge.notices if n.type == "summary"] == [DAY] * 4
    assert len(kept(judge)["reviews"]) == 2
    text = AGREED.replace("by: second@example.org", "by: second@example.org, digest: monthly")
    monthly = live(text, HISTORY, 31 * DAY)
    assert [n.due_at for n in monthly.notices if n.type == "summary"] == [parse_instant("2026-04-01")] * 2


def test_of_a_quarter_in_which_nothing_was_there_is_no_digest() -> None:
    events = [broken("1h"), review("3d", FIRST), decision("300d", score=0.5)]
    judge = live(AGREED, events, 400 * DAY, step=5 * DAY)
    assert [n.due_at for n in judge.notices if n.type == "summary"] == [parse_instant("2026-04-01")] * 2
    assert kept(judge)["digest_due"] is None


# What is remembered


@pytest.mark.parametrize("most", [3])
def test_the_oldest_make_room_and_what_is_open_of_them_is_over(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(limits, "REVIEWS_KEPT", most)
    events = [broken(f"{n * 6 + 1}h") for n in range(most + 2)]
    judge = live(AGREED.replace("by: second", "within: 1h, by: second"), events, 4 * DAY)
    late = sorted((v for v in judge.latest.values() if v.kind == "follow_up"), key=lambda v: v.opened_at)
    assert [v.state for v in late] == ["resolved"] * 2 + ["escalated"] * most
    assert "followed no longer" in late[0].summary
    assert len(kept(judge)["reviews"]) == most


def test_words_about_nothing_are_kept_for_a_while_and_not_many() -> None:
    words = [review(f"{n}m", f"unheard-{n:03}", event_id=f"w{n}") for n in range(1, limits.EARLY_KEPT + 5)]
    judge = live(AGREED, words, 12 * HOUR)
    early = kept(judge)["early"]
    assert [word["slice"] for word in early] == [f"unheard-{n:03}" for n in range(5, limits.EARLY_KEPT + 5)]
    later = live(AGREED, [*words, review("40d", "unheard-of")], 41 * DAY)
    assert [word["slice"] for word in kept(later)["early"]] == ["unheard-of"]


# Statements


def test_a_statement_says_what_is_wrong_with_it() -> None:
    whole = json.loads(statement(action()))
    assert read_statement(json.dumps(whole)).actions[0].due_at == parse_instant("2026-03-21")
    assert Statement(**{**whole, "actions": (Action(**action()),)}).text() == (
        '{"actions":[{"due":"2026-03-20","id":"1","person":"owner@example.org","what":"refuse what has no unit"}],'
        '"cause":"an input in cents","diverged":"a score of 2 was served","implied":"scores are shares"}'
    )
    for broken_one, why in (
        ("nothing", "no JSON"), ("[" * 16_000, "nested too deeply"), (" " * 17_000, "16,384 bytes"),
        ('{"implied":"a","implied":"b"}', "stands twice"), ("[]", "valid dictionary"),
        (json.dumps({**whole, "cause": " "}), "cause: it says nothing"),
        (json.dumps({**whole, "cause": "c" * 3_000}), "cause: String should have at most"),
        (json.dumps({**whole, "more": 1}), "more: Extra inputs"),
        (json.dumps({**whole, "actions": [action(), action()]}), "two actions have the id '1'"),
        (json.dumps({**whole, "actions": [action(due="soon")]}), "actions.1.due: 'soon' is not a time"),
        (json.dumps({**whole, "actions": [action("a/b")]}), "actions.1.id: "),
        (json.dumps({**whole, "actions": [action(str(n)) for n in range(21)]}), "actions: Tuple should have at most"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=why.replace("(", r"\(")):
            read_statement(broken_one)
    with pytest.raises(ValueError, match="states nothing"):
        read_statement(None)
