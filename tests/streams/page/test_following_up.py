"""Following up: what is told in one message, and what is repeated to channels that forget what they do not hear of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from seamwatch.clock import SystemClock
from seamwatch.delivering import Manner
from seamwatch.incidents import RESOLVED, TRIGGER
from seamwatch.judging.model.facts import Violation
from seamwatch.paging import DELIVERED, Attempt, Page, Recipient
from streams.page.directory import Directory
from streams.page.following_up import FollowingUp, Means
from streams.page.metrics import Metrics
from streams.page.pages import Pages
from streams.page.tellings import Telling
from tests.sinks.samples import NOW, violation


class Recorded(Pages):
    """A record of its own, without a broker."""

    def __init__(self) -> None:
        pass

    async def record(self, violations: Any, recipient: Recipient, attempt: Attempt, news: Any) -> list[Telling]:
        return [
            Telling(v.violation_id, v.step, recipient.id, attempt.channel, attempt.sent_at, attempt.result, news)
            for v in violations
        ]


class World:
    """One who follows up, and what the channels were told: news, channel, how many violations, reference."""

    def __init__(self, *channels: str, every: float | None = None) -> None:
        self.told: list[tuple[str, str, int, str | None]] = []
        self.result = DELIVERED

        async def deliver(
            recipient: Recipient, page: Page, only: Mapping[str, str | None] | None = None
        ) -> AsyncIterator[Attempt]:
            for channel, reference in (only or {}).items():
                if channel in channels and recipient.id == "ann":
                    self.told.append((page.news, channel, len(page.incidents), reference))
                    yield Attempt(channel, SystemClock().now(), self.result)

        means = Means(
            deliver, lambda _recipient, channel: Manner(every=every if channel == "alertmanager" else None),
            Directory(), Recorded(), Metrics(), SystemClock(), None, None,
        )  # fmt: skip
        self.following_up = FollowingUp(means)
        self.following_up.aftermath.go_live()

    def state(self, number: int, of: Violation) -> None:
        now = SystemClock().now()
        self.following_up.aftermath.receive(of, "t.violations.freshness", 0, number, said_at=now, now=now)

    def page(self, identity: str, channel: str, reference: str | None = None) -> None:
        telling = Telling(identity, 0, "ann", channel, NOW, DELIVERED, TRIGGER, reference)
        self.following_up.aftermath.receive_telling(telling)

    def work(self) -> list[tuple[str, str, int, str | None]]:
        async def main() -> None:
            for telling in self.following_up.start(lambda *_: True):
                await telling

        before = len(self.told)
        asyncio.run(main())
        return self.told[before:]


def test_a_channel_that_forgets_is_told_of_all_that_is_open_at_once_and_not_again_at_once() -> None:
    world = World("alertmanager", "json", every=60.0)
    for number in range(250):
        world.state(number, violation(number, state="acknowledged" if number % 2 else "open"))
        world.page(f"v{number:04d}", "alertmanager")
    world.following_up.aftermath.receive_telling(Telling("v0000", 0, "ann", "json", NOW, DELIVERED))
    told = world.work()
    assert [each[2] for each in told if each[:2] == (TRIGGER, "alertmanager")] == [200, 50]
    assert [each for each in world.work() if each[0] == TRIGGER] == []


def test_few_are_told_singly_by_all_channels_and_many_in_a_digest_where_no_message_stands_for_one() -> None:
    world = World("json", "slack")
    for number in range(5):
        world.state(number, violation(number))
        world.page(f"v{number:04d}", "json")
        world.page(f"v{number:04d}", "slack", f"C1:{number}")
    for number in range(2):
        world.state(10 + number, violation(number, state="resolved"))
    assert sorted(world.work(), key=str) == [
        (RESOLVED, "json", 1, None), (RESOLVED, "json", 1, None),
        (RESOLVED, "slack", 1, "C1:0"), (RESOLVED, "slack", 1, "C1:1"),
    ]  # fmt: skip
    for number in range(5):
        world.state(20 + number, violation(number + 10))
        world.page(f"v{number + 10:04d}", "json")
        world.page(f"v{number + 10:04d}", "slack", f"C2:{number}")
        world.state(30 + number, violation(number + 10, state="resolved"))
    told = world.work()
    assert [each for each in told if each[1] == "json"] == [(RESOLVED, "json", 5, None)]
    assert len([each for each in told if each[1] == "slack"]) == 5


def test_a_channel_that_is_named_no_more_is_not_waited_for() -> None:
    world = World()
    world.state(0, violation(0))
    world.page("v0000", "json")
    world.state(1, violation(0, state="resolved"))
    assert world.work() == []
    assert world.work() == []
    assert world.following_up.aftermath.remembered == 0


def test_what_a_channel_refuses_is_kept() -> None:
    world = World("json")
    world.state(0, violation(0))
    world.page("v0000", "json")
    world.state(1, violation(0, state="resolved"))
    world.result = "failed: HTTP 503"
    assert len(world.work()) == 1
    assert world.work() == []  # after a pause
    assert world.following_up.aftermath.remembered == 1
