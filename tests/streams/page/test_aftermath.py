"""The aftermath: who was paged hears how it went on, once, by the channel that they were paged by."""

from __future__ import annotations

from typing import Any

import pytest

from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.incidents import AFTERWARDS, News
from seamwatch.judging.model.facts import Violation
from seamwatch.paging import DELIVERED
from streams.page.aftermath import GIVE_UP_SECONDS, IN_HAND_SECONDS, RECENT, Aftermath, Asking
from streams.page.tellings import Telling
from tests.sinks.samples import NOW, violation

PLACE = ("t.violations.freshness", 0)


class Told:
    """An aftermath that is live, with what makes its tests short."""

    def __init__(self, *, live: bool = True, wants: tuple[str, ...] = AFTERWARDS, last: bool = False) -> None:
        self.aftermath = Aftermath()
        if live:
            self.aftermath.go_live()
        self.wants, self.last = wants, last
        self.offset = 0

    def state(self, of: Violation, said_at: int = NOW) -> None:
        self.offset += 1
        self.aftermath.receive(of, *PLACE, self.offset, said_at=said_at, now=NOW)

    def page(self, person: str = "ann", channel: str = "slack", step: int = 0, **fields: Any) -> None:
        at = fields.pop("sent_at", NOW)
        result = fields.pop("result", DELIVERED)
        self.aftermath.receive_telling(Telling("v0001", step, person, channel, at, result, **fields))

    def due(self, now: int = NOW, steady: float = 0.0) -> list[tuple[str, str, News, str | None]]:
        asking = Asking(lambda *_: True, lambda _p, _c, news: news in self.wants, lambda _: self.last, 30 * MINUTE)
        self.latest = self.aftermath.due(now, steady, asking)
        return [(each.person, each.channel, each.news, each.reference) for each in self.latest]

    def settle(self, *, delivered: bool, at: int = NOW, steady: float = 0.0) -> None:
        for each in self.aftermath.take(self.latest):
            self.aftermath.put_back(each, delivered=delivered, at=at, steady=steady)


def opened(**fields: Any) -> Told:
    told = Told(**fields)
    told.state(violation(1))
    return told


def test_nothing_is_told_afterwards_while_nothing_has_happened() -> None:
    told = opened()
    told.page()
    assert told.due() == []


@pytest.mark.parametrize("state", ["acknowledged", "resolved"])
def test_whoever_was_told_hears_once_by_each_channel_that_it_was_taken_or_is_over(state: str) -> None:
    told = opened()
    told.page(reference="C1:2")
    told.page(channel="mailto")
    told.page(channel="json", result="failed: HTTP 500")
    told.state(violation(1, state=state))
    assert sorted(told.due()) == [("ann", "mailto", state, None), ("ann", "slack", state, "C1:2")]
    told.settle(delivered=True)
    assert told.due() == []


def test_what_is_over_and_told_is_remembered_no_more() -> None:
    told = opened()
    told.page()
    told.state(violation(1, state="resolved"))
    told.due()
    assert told.aftermath.remembered == 1
    told.settle(delivered=True)
    assert told.due() == []
    assert told.aftermath.remembered == 0


def test_who_is_told_next_is_named_to_those_before_and_not_to_themselves() -> None:
    told = opened()
    told.page()
    told.state(violation(1, state="escalated", step=1, person="bob"))
    told.page(person="bob", step=1)
    assert told.due() == [("ann", "slack", "escalated", None)]
    told.settle(delivered=True)
    told.state(violation(1, state="escalated", step=2, person="cid"))
    assert told.due() == [("ann", "slack", "escalated", None), ("bob", "slack", "escalated", None)]


def test_the_last_of_a_list_is_told_again_until_somebody_takes_it_on() -> None:
    told = opened(last=True)
    told.page()
    assert told.due(NOW + 29 * MINUTE) == []
    assert told.due(NOW + 30 * MINUTE) == [("ann", "slack", "again", None)]
    told.settle(delivered=True, at=NOW + 30 * MINUTE)
    assert told.due(NOW + 59 * MINUTE) == []
    assert told.due(NOW + 60 * MINUTE) == [("ann", "slack", "again", None)]
    told.settle(delivered=True, at=NOW + 60 * MINUTE)
    told.state(violation(1, state="acknowledged"))
    assert [news for _, _, news, _ in told.due(NOW + 3 * HOUR)] == ["acknowledged"]


@pytest.mark.parametrize("fields", [{"severity": "warning"}, {"state": "escalated", "step": 1, "person": "bob"}])
def test_a_warning_is_told_once_and_who_was_before_the_last_is_not_told_again(fields: dict[str, Any]) -> None:
    told = Told(last=True, wants=("again",))
    told.state(violation(1, **fields))
    told.page()
    assert told.due(NOW + DAY) == []


def test_a_pager_that_starts_tells_what_was_not_told_before_and_nothing_twice() -> None:
    told = Told(live=False)
    told.state(violation(1, state="acknowledged"))
    told.page(sent_at=NOW - 2)
    told.page(channel="mailto", sent_at=NOW - 2)
    told.page(channel="mailto", sent_at=NOW - 1, news="acknowledged")
    told.aftermath.go_live()
    assert told.due() == [("ann", "slack", "acknowledged", None)]


def test_a_pager_that_starts_tells_of_what_was_over_lately_to_who_was_told_and_forgets_the_rest() -> None:
    told = Told(live=False)
    for number, said_at in ((1, NOW - HOUR), (2, NOW - HOUR), (3, NOW - RECENT - DAY)):
        told.state(violation(number, state="resolved"), said_at)
    assert told.aftermath.remembered == 2
    told.page()
    told.aftermath.go_live()
    assert told.due() == [("ann", "slack", "resolved", None)]
    assert told.aftermath.remembered == 1


def test_what_was_said_of_an_episode_of_the_same_id_before_does_not_count() -> None:
    told = Told(live=False)
    told.state(violation(1, state="resolved"))
    told.page(sent_at=NOW + 5)
    told.page(sent_at=NOW + 1, news="resolved")  # of the episode before
    told.aftermath.go_live()
    assert told.due() == [("ann", "slack", "resolved", None)]


def test_another_episode_of_the_same_id_begins_anew() -> None:
    told = opened()
    told.page()
    told.state(violation(1, detected_at=NOW + HOUR))
    told.state(violation(1, detected_at=NOW + HOUR, state="acknowledged"))
    assert told.due() == []


def test_what_a_document_says_is_not_wanted_is_not_told_and_held_against_nobody() -> None:
    told = opened(wants=("resolved",))
    told.page()
    told.state(violation(1, state="acknowledged"))
    assert told.due() == []
    told.state(violation(1, state="resolved"))
    assert told.due() == [("ann", "slack", "resolved", None)]


def test_what_fails_is_due_again_after_a_growing_pause_and_given_up_after_a_day() -> None:
    told = opened()
    told.page()
    told.state(violation(1, state="resolved"))
    for steady, again in ((0.0, 5.0), (5.0, 15.0), (15.0, 35.0)):
        assert len(told.due(steady=steady)) == 1
        told.settle(delivered=False, steady=steady)
        assert told.due(steady=again - 0.1) == []
    assert told.due(steady=GIVE_UP_SECONDS + 1) == []
    assert told.due(steady=GIVE_UP_SECONDS + 2) == []
    assert told.aftermath.remembered == 0


def test_what_is_in_hand_is_not_due() -> None:
    told = opened()
    told.page()
    told.state(violation(1, state="resolved"))
    told.due()
    told.aftermath.take(told.latest)
    assert told.due() == []


def test_who_was_told_of_what_was_over_already_hears_that_it_is() -> None:
    told = Told()
    over = violation(1, state="resolved")
    told.aftermath.receive_telling(Telling("v0001", 0, "ann", "pagerduty", NOW, DELIVERED), over)
    assert told.due() == [("ann", "pagerduty", "resolved", None)]


def test_who_is_just_being_told_when_it_ends_hears_that_it_is_over() -> None:
    told = opened()
    told.state(violation(1, state="resolved"))
    assert told.due(steady=1.0) == []
    told.page()
    assert told.due(steady=2.0) == [("ann", "slack", "resolved", None)]


def test_what_was_over_before_anybody_was_told_is_not_kept_for_long() -> None:
    told = opened()
    told.state(violation(1, state="resolved"))
    assert told.due(steady=1.0) == told.due(steady=2.0 + IN_HAND_SECONDS) == []
    assert told.aftermath.remembered == 0


def test_a_page_of_another_pager_may_come_before_its_violation() -> None:
    told = Told()
    told.page()
    told.state(violation(1))
    told.state(violation(1, state="resolved"))
    assert told.due() == [("ann", "slack", "resolved", None)]


def test_nothing_is_kept_of_ten_thousand_that_are_over() -> None:
    told = Told()
    for number in range(10_000):
        told.state(violation(number))
        told.aftermath.receive_telling(Telling(f"v{number:04d}", 0, "ann", "slack", NOW, DELIVERED))
        told.state(violation(number, state="resolved"))
        if number % 1_000 == 999:
            told.due()
            told.settle(delivered=True)
            assert told.due() == []
            assert told.aftermath.remembered == 0
