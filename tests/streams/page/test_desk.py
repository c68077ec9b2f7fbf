"""What is due: every step of every open violation, until it was delivered, and never what is taken on or over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.paging import DELIVERED, NOBODY, Recipient, digest_of, page_of
from streams.page.desk import CLOCKS_APART, EARLY_LIMIT, Desk
from tests.sinks.samples import NOW, violation

TOPIC = "t.violations.freshness"


def due(desk: Desk, now: float = 0.0) -> list[tuple[str, int]]:
    return [(v.violation_id, v.step) for v in desk.due(now)]


def test_an_open_violation_is_due_until_it_is_delivered() -> None:
    desk = Desk()
    desk.receive(violation(1), TOPIC, 0, 0)
    assert due(desk) == [("v0001", 0)]
    desk.receive_page("v0001", 0, "failed: no answer within 15 s")
    assert due(desk) == [("v0001", 0)]
    desk.receive_page("v0001", 0, DELIVERED)
    assert due(desk) == []


def test_each_step_is_due_of_its_own() -> None:
    desk = Desk()
    desk.receive_page("v0001", 0, DELIVERED)
    desk.receive(violation(1), TOPIC, 0, 0)
    desk.receive(violation(1, state="escalated", step=1, person="bob"), TOPIC, 0, 1)
    assert due(desk) == [("v0001", 1)]


def test_what_is_acknowledged_or_resolved_is_not_due_whatever_is_heard_late() -> None:
    desk = Desk()
    for offset, state in ((5, "acknowledged"), (3, "open")):
        desk.receive(violation(1, state=state), TOPIC, 0, offset)
    desk.receive(violation(2, state="resolved"), TOPIC, 1, 2)
    assert due(desk) == []
    assert desk.open == 0


@pytest.mark.parametrize("pages_first", [True, False])
def test_what_was_delivered_of_an_episode_that_is_over_does_not_count_for_another_of_its_id(pages_first: bool) -> None:
    desk = Desk()
    first, again = violation(1, detected_at=NOW), violation(1, detected_at=NOW + 60)
    page = ("v0001", 0, DELIVERED, NOW + 1)
    if pages_first:  # a pager that starts reads its topics in any order
        desk.receive_page(*page)
    desk.receive(first, TOPIC, 0, 0)
    desk.receive(replace(first, state="resolved"), TOPIC, 0, 1)
    desk.receive(again, TOPIC, 0, 2)
    if not pages_first:
        desk.receive_page(*page)
    assert due(desk) == [("v0001", 0)]
    desk.receive_page("v0001", 0, DELIVERED, NOW + 61)
    assert due(desk) == []


def test_a_delivery_of_ones_own_counts_whatever_the_clocks_of_judge_and_pager() -> None:
    desk = Desk()
    first = violation(1, detected_at=NOW)
    desk.receive(first, TOPIC, 0, 0)
    desk.receive(replace(first, state="resolved"), TOPIC, 0, 1)
    desk.receive(replace(first, detected_at=NOW + 60), TOPIC, 0, 2)
    taken = desk.take(desk.due(0.0))
    desk.put_back(taken, delivered=True, now=0.0)
    desk.receive_page("v0001", 0, DELIVERED, NOW + 1)
    assert due(desk) == []


@pytest.mark.parametrize("earlier", [True, False])
def test_of_an_id_given_twice_only_the_last_may_be_left_in_the_topics(earlier: bool) -> None:
    """Both topics keep the last record of a key: nothing says then that the one before it is over."""
    desk = Desk()
    desk.receive(violation(1, detected_at=NOW), TOPIC, 0, 7)
    desk.receive_page("v0001", 0, DELIVERED, NOW - (2 * CLOCKS_APART if earlier else CLOCKS_APART // 2))
    assert due(desk) == ([("v0001", 0)] if earlier else [])


def test_what_is_in_hand_is_not_due_and_what_failed_is_after_a_growing_pause() -> None:
    desk = Desk()
    desk.receive(violation(1), TOPIC, 0, 0)
    for now, again in ((0.0, 5.0), (5.0, 15.0), (15.0, 35.0)):
        taken = desk.take(desk.due(now))
        assert due(desk, now) == []
        desk.put_back(taken, delivered=False, now=now)
        assert due(desk, again - 0.1) == []
        assert due(desk, again) == [("v0001", 0)]


def test_what_is_acknowledged_while_in_hand_does_not_come_back() -> None:
    desk = Desk()
    desk.receive(violation(1), TOPIC, 0, 0)
    taken = desk.take(desk.due(0.0))
    desk.receive(violation(1, state="acknowledged"), TOPIC, 0, 1)
    desk.put_back(taken, delivered=False, now=0.0)
    assert due(desk, 1_000.0) == []


def test_only_ones_own_partitions_are_due() -> None:
    desk = Desk()
    desk.receive(violation(1), TOPIC, 0, 0)
    desk.receive(violation(2), TOPIC, 1, 0)
    assert [v.violation_id for v in desk.due(0.0, lambda _topic, partition: partition == 1)] == ["v0002"]


def test_many_at_once_are_one_digest_with_the_worst_first_and_every_reference() -> None:
    ann = Recipient("ann", "Ann")
    many = [violation(n, severity="warning" if n < 5 else "breach", system=f"s{n}") for n in range(9)]
    page = digest_of(many, ann, NOW)
    assert page.title == "9 violations, 4 breaches: s5, s6, s7 and 6 more"
    assert page.severity == "breach"
    assert sorted(page.about) == [(f"v{n:04d}", 0) for n in range(9)]
    assert page.body.index("s5:") < page.body.index("seamwatch ack v0005")
    assert "and 4 more" in page.body
    assert "seamwatch violations --open" in page.body


def test_a_digest_names_each_system_once() -> None:
    named = [
        replace(violation(n), system="scorer", summary=text)
        for n, text in enumerate(("scorer: late", "scorer serves v2"))
    ]
    body = digest_of(
        [*named, replace(violation(2), system="scorer", summary="version 1 is not signed")], NOBODY, NOW
    ).body
    assert body.count("scorer") == 3
    assert "scorer: version 1 is not signed" in body


def test_a_notice_names_the_escalation_only_when_there_was_one() -> None:
    ann = Recipient("ann", "Ann")
    assert "Escalated" not in page_of(violation(1), ann, NOW).body
    assert "step 2" in page_of(violation(1, step=1), ann, NOW).body


def test_a_page_names_the_board_where_there_is_one() -> None:
    ann, board = Recipient("ann", "Ann"), "https://board.example.org"
    assert f"at {board}/episodes/v0001" in page_of(violation(1), ann, NOW, board).body
    assert f"{board}/?whose=mine" in digest_of([violation(1), violation(2)], ann, NOW, board).body
    assert "episodes" not in page_of(violation(1), ann, NOW).body


def test_nothing_is_remembered_of_what_is_over_however_much_there_was() -> None:
    desk = Desk()
    for number in range(12_000):  # history, as it is read at the start: first what was said, then what was told
        desk.receive(violation(number), TOPIC, 0, 2 * number)
        desk.receive(violation(number, state="resolved"), TOPIC, 0, 2 * number + 1)
    assert desk.remembered <= EARLY_LIMIT
    for number in range(12_000):
        desk.receive_page(f"v{number:04d}", 0, DELIVERED)
    desk.go_live()
    at_start = desk.remembered
    assert at_start <= 2 * EARLY_LIMIT
    for number in range(60_000, 66_000):  # and live, heard of twice, told, acknowledged
        for ahead in (True, False):
            desk.receive(violation(number), TOPIC, 0, 2 * number, ahead=ahead)
        desk.put_back(desk.take([violation(number)]), delivered=True, now=0.0)
        for ahead in (True, False):
            desk.receive(violation(number, state="acknowledged"), TOPIC, 0, 2 * number + 1, ahead=ahead)
        desk.receive_page(f"v{number:04d}", 0, DELIVERED)
    assert desk.remembered <= 2 * EARLY_LIMIT
    assert (desk.open, due(desk)) == (0, [])


def test_what_is_still_open_after_a_month_and_was_told_is_not_told_again() -> None:
    desk = Desk()
    for number in range(EARLY_LIMIT + 5_000):
        desk.receive(violation(number, state="open" if number < 3 else "resolved"), TOPIC, 0, number)
    for number in range(EARLY_LIMIT + 5_000):
        desk.receive_page(f"v{number:04d}", 0, "failed: no answer")
        desk.receive_page(f"v{number:04d}", 0, DELIVERED)
    desk.go_live()
    assert (desk.open, due(desk)) == (3, [])


def test_what_another_pager_told_before_we_heard_of_it_is_not_told_again() -> None:
    desk = Desk()
    desk.go_live()
    desk.receive_page("v0001", 0, DELIVERED)
    desk.receive(violation(1), TOPIC, 0, 0)
    assert due(desk) == []
    desk.receive_page("v0001", 1, DELIVERED)
    desk.receive(violation(1, state="escalated", step=1, person="bob"), TOPIC, 0, 1)
    assert due(desk) == []


def test_a_channel_may_fail_for_weeks() -> None:
    desk = Desk()
    desk.receive(violation(1), TOPIC, 0, 0)
    now = 0.0
    for _ in range(3_000):
        desk.put_back(desk.take(desk.due(now)), delivered=False, now=now)
        now += 300.0
        assert due(desk, now) == [("v0001", 0)]
    assert desk.waiting(now, lambda *_: True) == (1, now)


def test_a_person_whose_document_changed_is_told_at_once_what_could_not_be_told() -> None:
    desk = Desk()
    desk.receive(violation(1), TOPIC, 0, 0)
    desk.put_back(desk.take(desk.due(0.0)), delivered=False, now=0.0)
    assert due(desk, 1.0) == []
    desk.reconsider("bob")
    assert due(desk, 1.0) == []
    desk.reconsider("ann")
    assert due(desk, 1.0) == [("v0001", 0)]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=24),
    st.lists(st.one_of(st.none(), st.integers(0, 23)), max_size=60),
)
def test_two_readers_of_the_same_topics_come_to_what_one_comes_to(
    states: list[tuple[int, int]], turns: list[int | None]
) -> None:
    """One follows from the beginning (None); the other runs ahead, falls behind, and reads again from a place."""
    log = [violation(number, state=_COURSE[at][0], step=_COURSE[at][1]) for number, at in states]
    alone = Desk()
    alone.go_live()
    for offset, each in enumerate(log):
        alone.receive(each, TOPIC, 0, offset)
    both = Desk()
    both.go_live()
    follower = ahead = 0
    for turn in turns:
        if turn is None and follower < len(log):
            both.receive(log[follower], TOPIC, 0, follower)
            follower += 1
        elif turn is not None and log:
            ahead = min(turn, ahead, len(log) - 1)
            both.receive(log[ahead], TOPIC, 0, ahead, ahead=True)
            ahead = min(ahead + 1, len(log) - 1)
    for offset in range(follower, len(log)):
        both.receive(log[offset], TOPIC, 0, offset)
    for offset, each in enumerate(log):  # and what the other still has to read
        both.receive(each, TOPIC, 0, offset, ahead=True)
    assert due(both) == due(alone)
    assert (both.open, both.remembered) == (alone.open, alone.remembered)


_COURSE = [("open", 0), ("escalated", 1), ("acknowledged", 0), ("resolved", 0)]
