"""What is due: every step of every open violation, until it was delivered, and never what is taken on or over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seamwatch.paging import DELIVERED, Recipient, digest_of, notice_of
from streams.page_desk import Desk
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
