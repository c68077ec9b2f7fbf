"""What is due: every step of every open violation, until it was delivered, and never what is taken on or over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.paging import DELIVERED, Recipient, digest_of, notice_of
from streams.page_desk import CLOCKS_APART, EARLY_LIMIT, Desk
from tests.sinks.samples import NOW, violation

TOPIC = "t.violations.freshness"


def due(desk: Desk, now: float = 0.0) -> list[tuple[str, int]]:
    return [(v.violation_id, v.step) for v in desk.due(now)]


def test_an_open_violation_is_due_until_it_is_delivered() -> None:
    desk = Desk()
    desk.hear(violation(1), TOPIC, 0, 0)
    assert due(desk) == [("v0001", 0)]
    desk.hear_page("v0001", 0, "failed: no answer within 15 s")
    assert due(desk) == [("v0001", 0)]
    desk.hear_page("v0001", 0, DELIVERED)
    assert due(desk) == []


def test_each_step_is_due_of_its_own() -> None:
    desk = Desk()
    desk.hear_page("v0001", 0, DELIVERED)
    desk.hear(violation(1), TOPIC, 0, 0)
    desk.hear(violation(1, state="escalated", step=1, person="bob"), TOPIC, 0, 1)
    assert due(desk) == [("v0001", 1)]


def test_what_is_acknowledged_or_resolved_is_not_due_whatever_is_heard_late() -> None:
    desk = Desk()
    for offset, state in ((5, "acknowledged"), (3, "open")):
        desk.hear(violation(1, state=state), TOPIC, 0, offset)
    desk.hear(violation(2, state="resolved"), TOPIC, 1, 2)
    assert due(desk) == []
    assert desk.open == 0


@pytest.mark.parametrize("pages_first", [True, False])
def test_what_was_delivered_of_an_episode_that_is_over_does_not_count_for_another_of_its_id(pages_first: bool) -> None:
    desk = Desk()
    first, again = violation(1, detected_at=NOW), violation(1, detected_at=NOW + 60)
    page = ("v0001", 0, DELIVERED, NOW + 1)
    if pages_first:  # a pager that starts reads its topics in any order
        desk.hear_page(*page)
    desk.hear(first, TOPIC, 0, 0)
    desk.hear(replace(first, state="resolved"), TOPIC, 0, 1)
    desk.hear(again, TOPIC, 0, 2)
    if not pages_first:
        desk.hear_page(*page)
    assert due(desk) == [("v0001", 0)]
    desk.hear_page("v0001", 0, DELIVERED, NOW + 61)
    assert due(desk) == []


def test_a_delivery_of_ones_own_counts_whatever_the_clocks_of_judge_and_pager() -> None:
    desk = Desk()
    first = violation(1, detected_at=NOW)
    desk.hear(first, TOPIC, 0, 0)
    desk.hear(replace(first, state="resolved"), TOPIC, 0, 1)
    desk.hear(replace(first, detected_at=NOW + 60), TOPIC, 0, 2)
    taken = desk.take(desk.due(0.0))
    desk.put_back(taken, delivered=True, now=0.0)
    desk.hear_page("v0001", 0, DELIVERED, NOW + 1)
    assert due(desk) == []


@pytest.mark.parametrize("earlier", [True, False])
def test_of_an_id_given_twice_only_the_last_may_be_left_in_the_topics(earlier: bool) -> None:
    """Both topics keep the last record of a key: nothing says then that the one before it is over."""
    desk = Desk()
    desk.hear(violation(1, detected_at=NOW), TOPIC, 0, 7)
    desk.hear_page("v0001", 0, DELIVERED, NOW - (2 * CLOCKS_APART if earlier else CLOCKS_APART // 2))
    assert due(desk) == ([("v0001", 0)] if earlier else [])


def test_what_is_in_hand_is_not_due_and_what_failed_is_after_a_growing_pause() -> None:
    desk = Desk()
    desk.hear(violation(1), TOPIC, 0, 0)
    for now, again in ((0.0, 5.0), (5.0, 15.0), (15.0, 35.0)):
        taken = desk.take(desk.due(now))
        assert due(desk, now) == []
        desk.put_back(taken, delivered=False, now=now)
        assert due(desk, again - 0.1) == []
        assert due(desk, again) == [("v0001", 0)]


def test_what_is_acknowledged_while_in_hand_does_not_come_back() -> None:
    desk = Desk()
    desk.hear(violation(1), TOPIC, 0, 0)
    taken = desk.take(desk.due(0.0))
    desk.hear(violation(1, state="acknowledged"), TOPIC, 0, 1)
    desk.put_back(taken, delivered=False, now=0.0)
    assert due(desk, 1_000.0) == []


def test_only_ones_own_partitions_are_due() -> None:
    desk = Desk()
    desk.hear(violation(1), TOPIC, 0, 0)
    desk.hear(violation(2), TOPIC, 1, 0)
    assert [v.violation_id for v in desk.due(0.0, lambda _topic, partition: partition == 1)] == ["v0002"]


def test_many_at_once_are_one_digest_with_the_worst_first_and_every_reference() -> None:
    ann = Recipient("ann", "Ann")
    many = [violation(n, severity="warning" if n < 5 else "breach", system=f"s{n}") for n in range(9)]
    notice = digest_of(many, ann, NOW)
    assert notice.title == "9 violations, 4 breaches"
    assert notice.severity == "breach"
    assert sorted(notice.about) == [(f"v{n:04d}", 0) for n in range(9)]
    assert notice.body.index("s5:") < notice.body.index("seamwatch ack v0005")
    assert "and 4 more" in notice.body
    assert "seamwatch violations --open" in notice.body


def test_a_notice_names_the_escalation_only_when_there_was_one() -> None:
    ann = Recipient("ann", "Ann")
    assert "Escalated" not in notice_of(violation(1), ann, NOW).body
    assert "step 2" in notice_of(violation(1, step=1), ann, NOW).body


def test_nothing_is_remembered_of_what_is_over_however_much_there_was() -> None:
    desk = Desk()
    for number in range(12_000):  # history, as it is read at the start: first what was said, then what was told
        desk.hear(violation(number), TOPIC, 0, 2 * number)
        desk.hear(violation(number, state="resolved"), TOPIC, 0, 2 * number + 1)
    assert desk.remembered <= EARLY_LIMIT
    for number in range(12_000):
        desk.hear_page(f"v{number:04d}", 0, DELIVERED)
    desk.go_live()
    at_start = desk.remembered
    assert at_start <= 2 * EARLY_LIMIT
    for number in range(60_000, 66_000):  # and live, heard of twice, told, acknowledged
        for ahead in (True, False):
            desk.hear(violation(number), TOPIC, 0, 2 * number, ahead=ahead)
        desk.put_back(desk.take([violation(number)]), delivered=True, now=0.0)
        for ahead in (True, False):
            desk.hear(violation(number, state="acknowledged"), TOPIC, 0, 2 * number + 1, ahead=ahead)
        desk.hear_page(f"v{number:04d}", 0, DELIVERED)
    assert desk.remembered <= 2 * EARLY_LIMIT
    assert (desk.open, due(desk)) == (0, [])


def test_what_is_still_open_after_a_month_and_was_told_is_not_told_again() -> None:
    desk = Desk()
    for number in range(EARLY_LIMIT + 5_000):
        desk.hear(violation(number, state="open" if number < 3 else "resolved"), TOPIC, 0, number)
    for number in range(EARLY_LIMIT + 5_000):
        desk.hear_page(f"v{number:04d}", 0, "failed: no answer")
        desk.hear_page(f"v{number:04d}", 0, DELIVERED)
    desk.go_live()
    assert (desk.open, due(desk)) == (3, [])


def test_what_another_pager_told_before_we_heard_of_it_is_not_told_again() -> None:
    desk = Desk()
    desk.go_live()
    desk.hear_page("v0001", 0, DELIVERED)
    desk.hear(violation(1), TOPIC, 0, 0)
    assert due(desk) == []
    desk.hear_page("v0001", 1, DELIVERED)
    desk.hear(violation(1, state="escalated", step=1, person="bob"), TOPIC, 0, 1)
    assert due(desk) == []


def test_a_channel_may_fail_for_weeks() -> None:
    desk = Desk()
    desk.hear(violation(1), TOPIC, 0, 0)
    now = 0.0
    for _ in range(3_000):
        desk.put_back(desk.take(desk.due(now)), delivered=False, now=now)
        now += 300.0
        assert due(desk, now) == [("v0001", 0)]
    assert desk.waiting(now, lambda *_: True) == (1, now)


def test_a_person_whose_document_changed_is_told_at_once_what_could_not_be_told() -> None:
    desk = Desk()
    desk.hear(violation(1), TOPIC, 0, 0)
    desk.put_back(desk.take(desk.due(0.0)), delivered=False, now=0.0)
    assert due(desk, 1.0) == []
    desk.reconsider("bob")
    assert due(desk, 1.0) == []
    desk.reconsider("ann")
    assert due(desk, 1.0) == [("v0001", 0)]


@given(st.data())
def test_two_readers_of_the_same_topics_come_to_what_one_comes_to(data: st.DataObject) -> None:
    """One follows from the beginning; the other runs ahead, falls behind, and reads again."""
    states = data.draw(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(_COURSE)), max_size=24))
    log = [violation(number, state=state, step=step) for number, (state, step) in states]
    alone = Desk()
    alone.go_live()
    for offset, each in enumerate(log):
        alone.hear(each, TOPIC, 0, offset)
    both = Desk()
    both.go_live()
    follower = ahead = 0
    while follower < len(log):
        if data.draw(st.booleans()):
            both.hear(log[follower], TOPIC, 0, follower)
            follower += 1
        else:
            ahead = data.draw(st.integers(0, min(ahead, len(log) - 1)), label="reads from")
            both.hear(log[ahead], TOPIC, 0, ahead, ahead=True)
            ahead = min(ahead + 1, len(log) - 1)
    for offset, each in enumerate(log):  # and what the other still has to read
        both.hear(each, TOPIC, 0, offset, ahead=True)
    assert due(both) == due(alone)
    assert (both.open, both.remembered) == (alone.open, alone.remembered)


_COURSE = [("open", 0), ("escalated", 1), ("acknowledged", 0), ("resolved", 0)]
