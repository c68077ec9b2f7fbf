"""The pager: tells the person who must act, at least once, of every step of every violation that is open.

One Faust agent a violation topic hears of it at once. What was delivered is not left to commits: every delivery is a
`page` record, and every few seconds, and at start, whatever is open without one is told (again). Receivers
deduplicate by violation id and step. It does not judge, and does not climb the escalation list; the judge does.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import faust
import structlog
from faust.types import TP

from seamwatch.clauses import kinds
from seamwatch.clock import Clock
from seamwatch.errors import SeamwatchError, StageError, UnreachableError, UsageError
from seamwatch.judging.facts import Violation
from seamwatch.paging import NOBODY, NOTICE, Attempt, Deliver, Recipient, digest_of, notice_of, reminder_of
from seamwatch.settings import Settings
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from streams.page_codec import NoticeCodec, PageCodec, violation_topic
from streams.page_desk import Desk
from streams.page_follow import Follower, Heard, Known, News, Told
from streams.page_membership import membership_error

_log = structlog.get_logger("streams.page")

RECONCILE_SECONDS = 2.0
GATHER_SECONDS = 0.2
STOP_SECONDS = 6.0
SINGLY = 3
"""Up to so many violations due for one person at once are told singly, more in one digest."""


Unreachable = Callable[[Recipient], list[str]]
"""Why somebody cannot be told as things stand, in words; nothing when they can."""


def _nobody_is_unreachable(_recipient: Recipient) -> list[str]:
    return []


def faust_app(bootstrap: str, topics: Topics, instance: str, folder: str) -> faust.App:
    """The pager's Faust app, by the settings that were found to hold (docs/paging.md says why each)."""
    return faust.App(
        f"{topics.prefix}.page",
        broker=f"aiokafka://{bootstrap.replace(',', ';')}",
        store="memory://",
        datadir=folder,
        processing_guarantee="at_least_once",
        topic_disable_leader=True,
        topic_allow_declare=False,
        producer_acks=-1,
        web_enabled=False,
        # Unique, since two workers with an empty one would each own every partition; and the same after a restart,
        # since the group would otherwise wait for the one that died.
        consumer_group_instance_id=f"{topics.prefix}.page-{instance}",
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        consumer_auto_offset_reset="earliest",
        key_serializer="raw",
        autodiscover=False,
    )


class Pager:
    """Hears, reconciles, delivers and keeps the record of it."""

    def __init__(
        self,
        app: faust.App,
        topics: Topics,
        clock: Clock,
        deliver: Deliver,
        default_owner: str | None = None,
        unreachable: Unreachable = _nobody_is_unreachable,
    ) -> None:
        self._app = app
        self._clock = clock
        self._deliver = deliver
        self._default_owner = default_owner
        self._unreachable = unreachable
        self._desk = Desk()
        self._persons: dict[str, Recipient] = {}
        self._caught_up = asyncio.Event()
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pages = app.topic(topics.page, key_serializer="raw", value_serializer=PageCodec())
        for kind in kinds():
            self._agent(violation_topic(app, kind, topics.prefix), kind)
        self._agent(
            app.topic(topics.notice, key_serializer="raw", key_type=bytes, value_serializer=NoticeCodec()), NOTICE
        )

    def _agent(self, topic: Any, kind: str) -> None:
        async def hear(stream: Any) -> None:
            async for event in stream.events():
                message = event.message
                if isinstance(event.value, Violation):
                    self.news([Heard(event.value, message.topic, message.partition, message.offset)])

        self._app.agent(topic, name=f"page-{kind}")(hear)

    def news(self, news: Sequence[News]) -> None:
        """Take note of what was read; none at all says that everything up to now has been."""
        if not news:
            self._desk.go_live()
            self._caught_up.set()
        for item in news:
            match item:
                case Heard(violation, topic, partition, offset):
                    self._desk.hear(violation, topic, partition, offset)
                case Told(violation_id, step, result, sent_at):
                    self._desk.hear_page(violation_id, step, result, sent_at)
                case Known(identity, recipient):
                    self._persons.pop(identity, None)
                    if recipient is not None:
                        self._persons[identity] = recipient
        self._wake.set()

    async def run(self) -> None:
        """Deliver what is due until cancelled; nothing before all that was ever said has been read."""
        await self._caught_up.wait()
        _log.info("caught up", open=self._desk.open)
        self._say_who_cannot_be_reached()
        while True:
            self._tell_due()
            try:
                await asyncio.wait_for(self._wake.wait(), RECONCILE_SECONDS)
            except TimeoutError:
                continue
            # What comes in one burst is told together.
            await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()

    def _say_who_cannot_be_reached(self) -> None:
        """Say so at the start, and not when somebody is to be woken. Raises UsageError for the default owner."""
        owner = self._default_owner
        if owner is not None and owner not in self._persons:
            raise UsageError(
                f"SEAMWATCH_DEFAULT_OWNER={owner}: no published Person document has this id, so that nobody would be "
                "paged for what nobody owns: publish one, or name somebody who has one"
            )
        if owner is None and self._unreachable(NOBODY):
            _log.warning("nobody is paged for what nobody owns: set SEAMWATCH_DEFAULT_OWNER")
        for recipient in self._persons.values():
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
            notices = [v for v in violations if v.severity == NOTICE]
            breaches = [v for v in violations if v.severity != NOTICE]
            singly = [[v] for v in breaches] if len(breaches) <= SINGLY else [breaches]
            for group in [*([v] for v in notices), *singly]:
                task = asyncio.create_task(self._tell(person, self._desk.take(group)))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _is_mine(self, topic: str, partition: int) -> bool:
        """Whether the group has given this process the partition; nothing is, before it has joined."""
        return TP(topic, partition) in self._app.consumer.assignment()

    async def _tell(self, person: str, violations: list[Violation]) -> None:
        recipient = self._persons.get(person) or (Recipient(person, person, known=False) if person else NOBODY)
        now = self._clock.now()
        single = len(violations) == 1
        if single:
            word = reminder_of if violations[0].severity == NOTICE else notice_of
            notice = word(violations[0], recipient, now)
        else:
            notice = digest_of(violations, recipient, now)
        delivered = False
        try:
            async for attempt in self._deliver(recipient, notice):
                delivered = delivered or attempt.delivered
                await self._record(violations, recipient, attempt)
        except Exception:  # noqa: BLE001 - what was not told is due again; the others must not wait for it
            _log.exception("telling failed", person=recipient.id, violations=[v.violation_id for v in violations])
        self._desk.put_back(violations, delivered=delivered, now=asyncio.get_running_loop().time())

    async def _record(self, violations: list[Violation], recipient: Recipient, attempt: Attempt) -> None:
        _log.info(
            "told" if attempt.delivered else "not told",
            person=recipient.id,
            channel=attempt.channel,
            result=attempt.result,
            violations=[f"{v.violation_id}/{v.step}" for v in violations],
        )
        sent = [
            await self._pages.send(
                key=violation.violation_id.encode(),
                value={
                    "violation_id": violation.violation_id,
                    "step": violation.step,
                    "person": recipient.id,
                    "channel": attempt.channel,
                    "sent_at": attempt.sent_at,
                    "result": attempt.result,
                },
            )
            for violation in violations
        ]
        await asyncio.gather(*sent)


async def page(
    bootstrap: str,
    topics: Topics,
    clock: Clock,
    deliver: Deliver,
    stop: asyncio.Event,
    instance: str = "0",
    *,
    default_owner: str | None = None,
    unreachable: Unreachable = _nobody_is_unreachable,
) -> None:
    """Page until ``stop``. Raises StageError or UnreachableError when it cannot go on."""
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory(prefix="seamwatch-page-") as folder:
        app = faust_app(bootstrap, topics, instance, folder)
        pager = Pager(app, topics, clock, deliver, default_owner, unreachable)
        follower = Follower(bootstrap, topics, list(kinds()), lambda news: _handed(loop, pager, news), Codec())
        # Joining the group may take a while, and must not keep the process from ending.
        starting: asyncio.Task[None] = asyncio.create_task(app.start())
        delivering = asyncio.create_task(pager.run())
        try:
            while not stop.is_set():
                _check(app, follower, starting, delivering)
                try:
                    await asyncio.wait_for(stop.wait(), 0.5)
                except TimeoutError:
                    continue
        finally:
            starting.cancel()
            delivering.cancel()
            await asyncio.to_thread(follower.close)
            with suppress(TimeoutError):
                await asyncio.wait_for(app.stop(), STOP_SECONDS)


def _handed(loop: asyncio.AbstractEventLoop, pager: Pager, news: list[News]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(pager.news, news)


def _check(app: faust.App, follower: Follower, starting: asyncio.Task[None], delivering: asyncio.Task[None]) -> None:
    if follower.error is not None:
        raise follower.error
    if starting.done() and (failure := starting.exception()) is not None:
        raise UnreachableError(f"the pager cannot read its topics: {failure}") from failure
    if delivering.done():
        failure = delivering.exception()
        if isinstance(failure, SeamwatchError):
            raise failure
        raise StageError(f"the pager stopped delivering: {failure!r}") from failure
    if app.crashed:
        raise StageError(f"Faust gave up: {app.crash_reason!r}")
    if (lost := membership_error(app)) is not None:
        raise StageError(f"the pager has fallen out of its consumer group: {lost!r}")


def run(settings: Settings, deliver: Deliver, unreachable: Unreachable = _nobody_is_unreachable) -> None:
    """Page until SIGTERM or SIGINT, by the settings; ``deliver`` reaches people, ``unreachable`` knows whom it cannot.

    Raises UsageError without a broker, and when no document knows the default owner.
    """
    if settings.kafka is None:
        raise UsageError("page needs KAFKA_BOOTSTRAP_SERVERS")

    async def until_signalled(bootstrap: str) -> None:
        stop, instance = asyncio.Event(), settings.instance or socket.gethostname()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await page(
            bootstrap, Topics(settings.prefix), settings.clock(), deliver, stop, instance,
            default_owner=settings.default_owner, unreachable=unreachable,
        )  # fmt: skip

    asyncio.run(until_signalled(settings.kafka))
