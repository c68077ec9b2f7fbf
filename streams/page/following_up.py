"""Following up: tells those who were paged how it went on, each by the channel that they were paged by.

What is due, the aftermath knows. Channels that forget what they do not hear of are told of what is open, over and over;
that is no news, and not on record.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from seamwatch.afterwards import digest_of_news, news_of
from seamwatch.clock import Clock
from seamwatch.delivering import Deliver, MannerOf
from seamwatch.incidents import AGAIN, TRIGGER, Ahead, News
from seamwatch.judging.model.facts import Violation
from seamwatch.paging import Page, Recipient, digest_of, incident_of, page_of
from streams.page.aftermath import Aftermath, Asking, FollowUp, Way
from streams.page.directory import Directory
from streams.page.metrics import Metrics
from streams.page.pages import Pages

_log = structlog.get_logger("streams.page.stage")

SINGLY: Final = 3
"""Up to so many violations due for one person at once are told singly, more in one digest."""
_AT_ONCE: Final = 200
"""Of so many violations at most a channel is told at once that is told of all that is open."""

Mine = Callable[[str, int], bool]


@dataclass(frozen=True, slots=True)
class Means:
    """By what people are told: delivery, the manner of channels, the documents, the record, the clock, the board.

    ``again_every`` is how often the last person of a list is told again, in microseconds; None: once is enough. Whose
    pages are ``held`` back is not told again.
    """

    deliver: Deliver
    manner_of: MannerOf
    directory: Directory
    pages: Pages
    metrics: Metrics
    clock: Clock
    board: str | None
    again_every: int | None
    held: Callable[[Violation], bool] = lambda _violation: False


@dataclass(slots=True)
class FollowingUp:
    """Tells what the aftermath says is due. ``aftermath`` is fed by the pager."""

    means: Means
    aftermath: Aftermath = field(default_factory=Aftermath)
    _repeated: dict[Way, float] = field(default_factory=dict)

    def ahead(self, violation: Violation) -> Ahead:
        """What comes next for a violation."""
        return self.means.directory.ahead(violation, self.aftermath.acting(violation))

    def start(self, mine: Mine) -> Iterator[Coroutine[Any, Any, None]]:
        """What is to be done now, each to be awaited on its own; what is due of ``mine`` partitions is in hand then."""
        steady = asyncio.get_running_loop().time()
        asking = Asking(mine, self._wants, self._is_last, self.means.again_every)
        people: defaultdict[tuple[str, News], list[FollowUp]] = defaultdict(list)
        for follow_up in self.aftermath.take(self.aftermath.due(self.means.clock.now(), steady, asking)):
            people[follow_up.person, follow_up.news].append(follow_up)
        for (person, news), follow_ups in people.items():
            recipient = self.means.directory.recipient(person)
            for group in _groups(follow_ups):
                yield self._tell(recipient, news, group)
        yield from self._repeat(mine, steady)

    def _wants(self, person: str, channel: str, news: News) -> bool:
        recipient = self.means.directory.recipient(person)
        # An incident that is never closed, or that nobody is seen to have, is worse than a message too many.
        return news in recipient.told_of or (news != AGAIN and self.means.manner_of(recipient, channel).keeps_incidents)

    def _is_last(self, violation: Violation) -> bool:
        if self.means.held(violation):
            return False
        return self.means.directory.is_last(violation, self.aftermath.acting(violation))

    async def _tell(self, recipient: Recipient, news: News, follow_ups: list[FollowUp]) -> None:
        by_channel: defaultdict[str, list[FollowUp]] = defaultdict(list)
        for each in follow_ups:
            by_channel[each.channel].append(each)
        only = {channel: some[0].reference for channel, some in by_channel.items()}
        violations = list({each.violation.violation_id: each.violation for each in follow_ups}.values())
        done: set[FollowUp] = set()
        at = self.means.clock.now()
        try:
            async for attempt in self.means.deliver(recipient, self._page(violations, recipient, news), only):
                some = by_channel.pop(attempt.channel)
                of = [each.violation for each in some]
                tellings = await self.means.pages.record(of, recipient, attempt, news)
                for follow_up, telling in zip(some, tellings, strict=True):
                    self.aftermath.receive_telling(telling)
                    if telling.delivered:
                        done.add(follow_up)
        except Exception:  # noqa: BLE001 - what was not told is due again; the others must not wait for it
            _log.exception("telling failed", person=recipient.id, violations=[v.violation_id for v in violations])
        else:
            # Their document names this channel no more: there is nothing to tell it by.
            for channel, some in by_channel.items():
                _log.warning("no such channel any more", person=recipient.id, channel=channel, news=news)
                done.update(some)
        steady = asyncio.get_running_loop().time()
        for follow_up in follow_ups:
            self.aftermath.put_back(follow_up, delivered=follow_up in done, at=at, steady=steady)

    def _page(self, violations: list[Violation], recipient: Recipient, news: News) -> Page:
        board, now = self.means.board, self.means.clock.now()
        ahead = {violation.violation_id: self.ahead(violation) for violation in violations}
        if len(violations) > 1:
            if news == AGAIN:
                return digest_of(violations, recipient, now, board, ahead, news=news)
            return digest_of_news(violations, news, board, ahead)
        (violation,) = violations
        if news == AGAIN:
            return page_of(violation, recipient, now, board, ahead[violation.violation_id], news=news)
        return news_of(violation, news, board, ahead[violation.violation_id])

    def _repeat(self, mine: Mine, steady: float) -> Iterator[Coroutine[Any, Any, None]]:
        """Tell channels that would forget it of all that is open, each as often as it needs."""
        open_by = self.aftermath.open_by(mine)
        self._repeated = {way: at for way, at in self._repeated.items() if way in open_by}
        for way, violations in open_by.items():
            person, channel = way
            recipient = self.means.directory.recipient(person)
            every = self.means.manner_of(recipient, channel).every
            # At once after a start: nobody knows for how long they have heard nothing.
            if every is None or steady - self._repeated.get(way, float("-inf")) < every:
                continue
            self._repeated[way] = steady
            for begin in range(0, len(violations), _AT_ONCE):
                yield self._tell_open(recipient, channel, violations[begin : begin + _AT_ONCE])

    async def _tell_open(self, recipient: Recipient, channel: str, violations: list[Violation]) -> None:
        incidents = tuple(
            incident_of(violation, self.means.board, self.ahead(violation), TRIGGER) for violation in violations
        )
        about = tuple((violation.violation_id, violation.step) for violation in violations)
        page = Page(f"{len(violations)} open", "", violations[0].severity, about, incidents)
        only: Mapping[str, str | None] = {channel: None}
        async for attempt in self.means.deliver(recipient, page, only):
            self.means.metrics.count(attempt)
            if not attempt.delivered:
                _log.warning("not told of what is open", person=recipient.id, channel=channel, result=attempt.result)


def _groups(follow_ups: list[FollowUp]) -> Iterator[list[FollowUp]]:
    """What is told in one message: few violations singly by all channels, many in a digest a channel.

    A message that stands for one violation is changed by itself, however many there are.
    """
    by_violation: defaultdict[str, list[FollowUp]] = defaultdict(list)
    for each in follow_ups:
        by_violation[each.violation.violation_id].append(each)
    if len(by_violation) <= SINGLY:
        yield from by_violation.values()
        return
    by_channel: defaultdict[str, list[FollowUp]] = defaultdict(list)
    for each in follow_ups:
        if each.reference is None:
            by_channel[each.channel].append(each)
        else:
            yield [each]
    yield from by_channel.values()
