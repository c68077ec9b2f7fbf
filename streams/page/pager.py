"""The pager itself: receives what is open, reconciles it with what was delivered, tells who must act, and records it.

Knows Faust's app and topics; that they are read and joined is `streams.page.stage`'s. What is due, the desk knows; what
is to be told afterwards, the aftermath; of whom and by which documents, the directory.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import faust
import structlog
from faust.types import TP

from bus.partitions import Partition
from seamwatch.clauses import kinds
from seamwatch.clock import Clock
from seamwatch.delivering import Complete, Deliver, MannerOf
from seamwatch.durations import SECOND
from seamwatch.errors import UsageError
from seamwatch.incidents import TRIGGER
from seamwatch.judging.model.facts import DRILL, Violation
from seamwatch.notices import is_summary, reminder_of, summary_of
from seamwatch.outages import Outage
from seamwatch.paging import (
    NOBODY,
    NOTICE,
    OUTAGE,
    Attempt,
    Page,
    Recipient,
    digest_of,
    outage_as_due,
    outage_of,
    page_of,
)
from seamwatch.wire.topics import Topics
from streams.page.beginning import Needed
from streams.page.codec import NoticeCodec, OutageCodec, violation_topic
from streams.page.completing import Completing
from streams.page.desk import Desk
from streams.page.directory import Directory
from streams.page.follower import Received, ReceivedDocument, ReceivedOutage, ReceivedViolation
from streams.page.following_up import SINGLY, FollowingUp, Means
from streams.page.lookout import Lookout
from streams.page.metrics import Metrics
from streams.page.pages import Pages
from streams.page.silences import Silences
from streams.page.tellings import Telling
from streams.page.watching import Watching, Watchman

_log = structlog.get_logger("streams.page.stage")

RECONCILE_SECONDS = 2.0
GATHER_SECONDS = 0.2
Unreachable = Callable[[Recipient], list[str]]
"""Why somebody cannot be told as things stand, in words; nothing when they can."""


class Pager:
    """Receives, reconciles, delivers and keeps the record of it."""

    def __init__(
        self,
        app: faust.App,
        topics: Topics,
        clock: Clock,
        deliver: Deliver,
        unreachable: Unreachable,
        watching: Watching,
        lookout: Lookout,
        metrics: Metrics,
        manner_of: MannerOf,
        complete: Complete,
        board: str | None = None,
        again_every: int | None = None,
        *,
        required: bool = False,
    ) -> None:
        self._app = app
        self._clock = clock
        self._deliver = deliver
        self._default_owner = watching.default_owner
        self._unreachable = unreachable
        self._metrics = metrics
        self._board = board
        self._silences = Silences()
        self._desk = Desk(self._is_held)
        self._directory = Directory(required=required)
        self._completing = Completing(complete, self._directory, metrics)
        self._pages = Pages(app, topics, metrics)
        self._following_up = FollowingUp(
            Means(deliver, manner_of, self._directory, self._pages, metrics, clock, board, again_every, self._is_held)
        )
        self._aftermath = self._following_up.aftermath
        self._passed: dict[Partition, int] = {}
        self._caught_up = asyncio.Event()
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        for kind in kinds():
            self._agent(violation_topic(app, kind, topics.prefix), kind)
        self._agent(
            app.topic(topics.notice, key_serializer="raw", key_type=bytes, value_serializer=NoticeCodec()), NOTICE
        )
        self._outages = app.topic(topics.outage, key_serializer="raw", key_type=bytes, value_serializer=OutageCodec())
        self._agent(self._outages, OUTAGE)
        self._watchman = Watchman(
            lookout,
            watching,
            metrics,
            is_ours=lambda: self._is_mine(topics.outage, 0),
            publish=self._publish,
            tell=self._tell_directly,
            record=self._make_up_for,
            works=self._works,
        )

    def _agent(self, topic: Any, kind: str) -> None:
        async def receive(stream: Any) -> None:
            async for event in stream.events():
                message = event.message
                if isinstance(event.value, Violation):
                    said_at = round(message.timestamp * SECOND)
                    received = ReceivedViolation(event.value, message.topic, message.partition, message.offset, said_at)
                    self._receive_violation(received, ahead=True)
                    self._wake.set()

        self._app.agent(topic, name=f"page-{kind}")(receive)

    def receive(self, received: Sequence[Received]) -> None:
        """Take note of what was read; none at all says that everything up to now has been."""
        if not received:
            self._desk.go_live()
            self._aftermath.go_live()
            self._caught_up.set()
        for item in received:
            match item:
                case ReceivedViolation():
                    self._receive_violation(item)
                case Telling():
                    self._receive_telling(item)
                case ReceivedOutage(outage, topic, partition, offset):
                    self._desk.receive(outage_as_due(outage), topic, partition, offset)
                    self._watchman.receive(outage)
                case ReceivedDocument(key, value):
                    if (person := self._directory.take(key, value)) is not None:
                        self._desk.reconsider(person)
        self._wake.set()

    def _receive_violation(self, received: ReceivedViolation, *, ahead: bool = False) -> None:
        violation, topic, partition = received.violation, received.topic, received.partition
        self._silences.receive(violation)
        if self._desk.receive(violation, topic, partition, received.offset, ahead=ahead):
            said_at, now = self._clock.at(received.said_at), self._clock.now()
            self._aftermath.receive(violation, topic, partition, received.offset, said_at=said_at, now=now)

    def _is_held(self, violation: Violation) -> bool:
        """Whether a silence holds back what is to be told of a violation now."""
        return self._silences.hold(violation, self._clock.now())

    def _receive_telling(self, telling: Telling, of: Violation | None = None) -> None:
        if telling.at is not None:
            topic, partition, offset = telling.at
            self._passed[topic, partition] = offset + 1
        if telling.news == TRIGGER:
            self._desk.receive_page(telling.violation_id, telling.step, telling.result, telling.sent_at)
        self._aftermath.receive_telling(telling, of)

    async def needed(self) -> Needed | None:
        """What another pager would need of the topics to know what this one does; None before all has been read."""
        if not self._caught_up.is_set():
            return None
        offsets: defaultdict[Partition, set[int]] = defaultdict(set)
        for topic, partition, offset in (*self._desk.needed(), *self._aftermath.needed()):
            offsets[topic, partition].add(offset)
        return Needed({**self._desk.passed, **self._passed}, offsets)

    async def run(self) -> None:
        """Deliver what is due until cancelled; nothing before all that was ever said has been read."""
        await self._caught_up.wait()
        _log.info("caught up", open=self._desk.open)
        self._say_who_cannot_be_reached()
        while True:
            self._tell_due()
            for telling in self._following_up.start(self._is_mine):
                self._start(telling)
            self._show()
            try:
                await asyncio.wait_for(self._wake.wait(), RECONCILE_SECONDS)
            except TimeoutError:
                continue
            # What comes in one burst is told together.
            await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()

    async def watch(self) -> None:
        """Watch the other stages until cancelled; nothing before all that was ever said has been read."""
        await self._caught_up.wait()
        await self._watchman.run()

    def _say_who_cannot_be_reached(self) -> None:
        """Say so at the start, and not when somebody is to be woken. Raises UsageError for the default owner."""
        owner = self._default_owner
        if owner is not None and owner not in self._directory.persons:
            raise UsageError(
                f"SEAMWATCH_DEFAULT_OWNER={owner}: no published Person document has this id, so that nobody would be "
                "paged for what nobody owns: publish one, or name somebody who has one"
            )
        if owner is None and self._unreachable(NOBODY):
            _log.warning("nobody is paged for what nobody owns: set SEAMWATCH_DEFAULT_OWNER")
        for recipient in self._directory.persons.values():
            for why in self._unreachable(recipient):
                _log.warning("a person cannot be reached", person=recipient.id, why=why)

    def _tell_due(self) -> None:
        people: defaultdict[str, list[Violation]] = defaultdict(list)
        now = self._clock.now()
        for violation in self._desk.due(asyncio.get_running_loop().time(), self._is_mine):
            if violation.kind == "reminder" and violation.severity == NOTICE and violation.opened_at <= now:
                # The clock it reminds of has run out: the breach says so.
                continue
            people[violation.person or ""].append(violation)
        for person, violations in people.items():
            # Neither a notice nor a drill is told among what was broken.
            notices = [v for v in violations if v.severity in (NOTICE, DRILL)]
            breaches = [v for v in violations if v.severity not in (NOTICE, DRILL)]
            singly = [[v] for v in breaches] if len(breaches) <= SINGLY else [breaches]
            for group in [*([v] for v in notices), *singly]:
                self._start(self._tell(person, self._desk.take(group)))

    def _start(self, telling: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(telling)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _is_mine(self, topic: str, partition: int) -> bool:
        """Whether the group has given this process the partition; nothing is, before it has joined."""
        return TP(topic, partition) in self._app.consumer.assignment()

    async def _tell(self, person: str, violations: list[Violation]) -> None:
        recipient = self._directory.recipient(person)
        page = await self._page_of(violations, recipient)
        delivered: set[str] = set()
        try:
            async for attempt in self._deliver(recipient, page):
                tellings = await self._pages.record(violations, recipient, attempt, TRIGGER)
                delivered |= {telling.violation_id for telling in tellings if telling.delivered}
                for violation, telling in zip(violations, tellings, strict=True):
                    self._aftermath.receive_telling(telling, violation)
        except Exception:  # noqa: BLE001 - what was not told is due again; the others must not wait for it
            _log.exception("telling failed", person=recipient.id, violations=[v.violation_id for v in violations])
        steady = asyncio.get_running_loop().time()
        told = [violation for violation in violations if violation.violation_id in delivered]
        self._metrics.count_delivered(told, self._clock.now())
        self._desk.put_back(told, delivered=True, now=steady)
        left = [violation for violation in violations if violation.violation_id not in delivered]
        self._desk.put_back(left, delivered=False, now=steady)

    async def _page_of(self, violations: list[Violation], recipient: Recipient) -> Page:
        if len(violations) > 1:
            ahead = {violation.violation_id: self._following_up.ahead(violation) for violation in violations}
            return digest_of(violations, recipient, self._clock.now(), self._board, ahead)
        (due,) = violations
        if is_summary(due):
            return summary_of(due, recipient, self._board, await self._completing.summed(due))
        if due.severity == NOTICE:
            return outage_of(due) if due.kind == OUTAGE else reminder_of(due, recipient, self._clock.now())
        return page_of(due, recipient, self._clock.now(), self._board, self._following_up.ahead(due))

    def _show(self) -> None:
        waiting, oldest = self._desk.waiting(asyncio.get_running_loop().time(), self._is_mine)
        self._metrics.open.set(self._desk.open)
        self._metrics.waiting.set(waiting)
        self._metrics.oldest.set(oldest)
        self._metrics.remembered.set(self._desk.remembered + self._aftermath.remembered)

    # What the watchman is given

    async def _publish(self, outage: Outage) -> None:
        await (await self._outages.send(key=outage.outage_id.encode(), value=outage))

    async def _tell_directly(self, outage: Outage) -> Sequence[Attempt]:
        due = outage_as_due(outage)
        return [attempt async for attempt in self._deliver(self._directory.recipient(outage.person), outage_of(due))]

    async def _make_up_for(self, outage: Outage, attempts: Sequence[Attempt]) -> None:
        due = outage_as_due(outage)
        for attempt in attempts:
            recipient = self._directory.recipient(outage.person)
            for telling in await self._pages.record([due], recipient, attempt, TRIGGER):
                self._receive_telling(telling)

    def _works(self) -> bool:
        """Whether the group has given us something to look after, and of no outage nobody could be told."""
        return bool(self._app.consumer.assignment()) and not self._desk.is_in_trouble(OUTAGE)
