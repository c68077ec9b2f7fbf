"""The watch that the pager keeps on the other stages: it looks, and has the default owner told of what is wrong.

It needs neither measure nor judge: what it looks at is the broker (`streams.page.lookout`), what it says goes to the
outage topic, and from there to its person like anything else that is due. So it is told once, whichever pager runs and
however often it starts. While the broker itself is away the person is told directly, and the record is made up for
when it is back. Several pagers look; the one that has the outage topic speaks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from seamwatch.clock import SystemClock
from seamwatch.durations import SECOND
from seamwatch.errors import SeamwatchError, UnreachableError
from seamwatch.outages import Outage
from seamwatch.paging import Attempt
from streams.page.lookout import Lookout
from streams.page.metrics import Metrics
from streams.page.watch import Book, Limits, Watch

_log = structlog.get_logger("streams.page.stage")

LOOK_SECONDS = 5.0
DIRECTLY_AGAIN_SECONDS = 60.0
PUBLISH_SECONDS = 10.0

Beat = Callable[[], Awaitable[None]]
"""Gives an outside service a sign of life. Raises UnreachableError when it was not taken."""


@dataclass(frozen=True, slots=True)
class Watching:
    """How the stages are watched: the limits, who is told, and who outside hears of us how often (in seconds)."""

    limits: Limits = field(default_factory=Limits)
    default_owner: str | None = None
    beat: Beat | None = None
    beat_every: float = 60.0


@dataclass(slots=True)
class _Direct:
    """An outage that could not be put on record, and what came of telling its person without."""

    outage: Outage
    attempts: list[Attempt] = field(default_factory=list)
    next: float = 0.0

    @property
    def is_delivered(self) -> bool:
        """Whether somebody took it."""
        return any(attempt.delivered for attempt in self.attempts)


class Watchman:
    """Looks every few seconds, until cancelled.

    ``is_ours`` says whether it is for this pager to speak; ``publish`` puts outages on record; ``tell`` reaches the
    person without the broker; ``record`` puts on record what came of that; ``works`` says whether this pager does its
    own work, as the sign of life tells others.
    """

    def __init__(
        self,
        lookout: Lookout,
        watching: Watching,
        metrics: Metrics,
        *,
        is_ours: Callable[[], bool],
        publish: Callable[[Outage], Awaitable[None]],
        tell: Callable[[Outage], Awaitable[Sequence[Attempt]]],
        record: Callable[[Outage, Sequence[Attempt]], Awaitable[None]],
        works: Callable[[], bool],
    ) -> None:
        self._lookout = lookout
        self._watching = watching
        self._metrics = metrics
        self._is_ours = is_ours
        self._publish = publish
        self._tell = tell
        self._record = record
        self._works = works
        self._watch = Watch(watching.limits)
        self._book = Book(watching.limits)
        self._speaks = False
        self._direct: _Direct | None = None
        self._unsaid: list[Outage] = []
        self._every = min(LOOK_SECONDS, watching.limits.unwatched_after / SECOND / 4)
        self._next_beat = time.monotonic() + watching.beat_every
        self._beaten = True

    def receive(self, outage: Outage) -> None:
        """Take note of what was said of an outage, by us or another, now or before we started."""
        self._book.receive(outage)

    async def run(self) -> None:
        """Look until cancelled. Start it when all that was ever said of outages has been received."""
        while True:
            is_blind = await self._look()
            self._metrics.show(self._book.open)
            if not is_blind and self._works():
                await self._give_sign_of_life()
            await asyncio.sleep(self._every)

    async def _look(self) -> bool:
        """One look and what follows from it; True when the broker did not answer."""
        try:
            sight = await asyncio.to_thread(self._lookout.look)
        except SeamwatchError as error:
            _log.warning("could not look at the stages", why=str(error))
            self._metrics.looks.labels("blind").inc()
            await self._without_broker()
            return True
        self._metrics.looks.labels("seen").inc()
        self._speaks = self._is_ours()
        await self._make_up_for()
        faults = self._watch.see(sight, time.monotonic())
        for stage in self._watch.restarted:
            self._metrics.restarts.labels(stage).inc()
        if self._speaks:
            owner, doubtful = self._watching.default_owner, self._watch.doubtful
            for outage in self._book.settle(faults, doubtful, sight.at, time.monotonic(), owner):
                self._say(outage)
        await self._put_on_record()
        return False

    async def _without_broker(self) -> None:
        now, steady = SystemClock().now(), time.monotonic()
        faults = self._watch.see_nothing(now, steady)
        if not self._speaks:
            return
        if self._direct is None:
            # Of what is begun now, that is all there can be.
            for outage in self._book.settle(faults, None, now, steady, self._watching.default_owner):
                self._direct = _Direct(outage)
        if self._direct is not None and not self._direct.is_delivered and steady >= self._direct.next:
            _log.error("outage", summary=self._direct.outage.summary)
            self._direct.attempts += await self._tell(self._direct.outage)
            self._direct.next = time.monotonic() + DIRECTLY_AGAIN_SECONDS

    async def _make_up_for(self) -> None:
        """Put on record what was told without the broker: first that it was told, so that it is not told again."""
        direct, self._direct = self._direct, None
        if direct is not None:
            await self._record(direct.outage, direct.attempts)
            self._say(direct.outage)

    def _say(self, outage: Outage) -> None:
        said = _log.error if outage.state == "open" else _log.warning
        said("outage", state=outage.state, fault=outage.fault, stage_of=outage.stage, summary=outage.summary)
        # Not said twice while the topic has not told us of it.
        self._book.receive(outage)
        self._unsaid.append(outage)

    async def _put_on_record(self) -> None:
        while self._unsaid:
            try:
                await asyncio.wait_for(self._publish(self._unsaid[0]), PUBLISH_SECONDS)
            except TimeoutError:
                # The broker is away again; what then comes twice is told once.
                return
            del self._unsaid[0]

    async def _give_sign_of_life(self) -> None:
        beat, now = self._watching.beat, time.monotonic()
        if beat is None or now < self._next_beat:
            return
        self._next_beat = now + self._watching.beat_every
        try:
            await beat()
        except UnreachableError as error:
            self._beaten = False
            self._metrics.signs.labels("refused").inc()
            _log.warning("no sign of life given", why=str(error))
        else:
            self._metrics.signs.labels("taken").inc()
            if not self._beaten:
                _log.warning("the sign of life is taken again")
            self._beaten = True
