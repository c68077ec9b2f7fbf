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
from collections.abc import Sequence
from contextlib import suppress

import faust

from bus.faust_app import faust_app
from seamwatch.broker import Address
from seamwatch.clauses import kinds
from seamwatch.clock import Clock
from seamwatch.delivering import Complete, Deliver, MannerOf, asking_nobody, by_the_way
from seamwatch.durations import SECOND
from seamwatch.errors import SeamwatchError, StageError, UnreachableError, UsageError
from seamwatch.paging import Recipient
from seamwatch.settings import Settings
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from streams.page.beginning import WHOLE_SECONDS, Needed
from streams.page.follower import MARK_SECONDS, Follower, Received
from streams.page.lookout import Lookout
from streams.page.membership import membership_error
from streams.page.metrics import Metrics
from streams.page.pager import Pager, Unreachable
from streams.page.watch import Limits
from streams.page.watching import Beat, Watching

STOP_SECONDS = 6.0
_NEEDED_SECONDS = 1.0


def _nobody_is_unreachable(_recipient: Recipient) -> list[str]:
    return []


async def page(
    bootstrap: Address,
    topics: Topics,
    clock: Clock,
    deliver: Deliver,
    stop: asyncio.Event,
    instance: str = "0",
    *,
    unreachable: Unreachable = _nobody_is_unreachable,
    watching: Watching | None = None,
    metrics: Metrics | None = None,
    board: str | None = None,
    manner_of: MannerOf = by_the_way,
    complete: Complete = asking_nobody,
    again_every: int | None = None,
    required: bool = False,
    whole_seconds: float = WHOLE_SECONDS,
    mark_every: float = MARK_SECONDS,
) -> None:
    """Page until ``stop``; pages name the ``board`` at this address.

    ``manner_of`` knows how channels are, ``complete`` what a summary says beside its sentence.
    The last person of a list is told again ``again_every`` so many microseconds.
    ``required``: documents are followed only when they are signed by who must. Whatever came in the last
    ``whole_seconds`` is read at the start, and every ``mark_every`` seconds it is marked from where.

    Raises UsageError, StageError or UnreachableError when it cannot go on.
    """
    loop = asyncio.get_running_loop()
    metrics = metrics or Metrics()
    lookout = Lookout(bootstrap, topics)
    with tempfile.TemporaryDirectory(prefix="seamwatch-page-") as folder:
        app = faust_app(bootstrap, f"{topics.prefix}.page", instance, folder)
        pager = Pager(
            app, topics, clock, deliver, unreachable, watching or Watching(), lookout, metrics, manner_of, complete,
            board, again_every, required=required,
        )  # fmt: skip
        follower = Follower(
            bootstrap, topics, list(kinds()), lambda received: _handed(loop, pager, received), Codec(),
            lambda: _needed(loop, pager), whole_seconds, mark_every,
        )  # fmt: skip
        # Joining the group may take a while, and must not keep the process from ending.
        starting: asyncio.Task[None] = asyncio.create_task(app.start())
        working = [asyncio.create_task(pager.run()), asyncio.create_task(pager.watch())]
        try:
            while not stop.is_set():
                _check(app, follower, starting, working)
                metrics.unreadable.set(follower.unreadable)
                try:
                    await asyncio.wait_for(stop.wait(), 0.5)
                except TimeoutError:
                    continue
        finally:
            starting.cancel()
            for task in working:
                task.cancel()
            await asyncio.to_thread(follower.close)
            with suppress(TimeoutError):
                await asyncio.wait_for(app.stop(), STOP_SECONDS)
            await asyncio.to_thread(lookout.close)


def _handed(loop: asyncio.AbstractEventLoop, pager: Pager, received: list[Received]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(pager.receive, received)


def _needed(loop: asyncio.AbstractEventLoop, pager: Pager) -> Needed | None:
    """What the pager needs of the topics, asked from another thread; None when it has no time to say."""
    if loop.is_closed():
        return None
    asked = asyncio.run_coroutine_threadsafe(pager.needed(), loop)
    try:
        return asked.result(_NEEDED_SECONDS)
    except TimeoutError:
        asked.cancel()
        return None


def _check(
    app: faust.App, follower: Follower, starting: asyncio.Task[None], working: Sequence[asyncio.Task[None]]
) -> None:
    if follower.error is not None:
        raise follower.error
    if starting.done() and (failure := starting.exception()) is not None:
        raise UnreachableError(f"the pager cannot read its topics: {failure}") from failure
    for task in working:
        if not task.done():
            continue
        failure = task.exception()
        if isinstance(failure, SeamwatchError):
            raise failure
        raise StageError(f"the pager stopped working: {failure!r}") from failure
    if app.crashed:
        raise StageError(f"Faust gave up: {app.crash_reason!r}")
    if (lost := membership_error(app)) is not None:
        raise StageError(f"the pager has fallen out of its consumer group: {lost!r}")


def run(
    settings: Settings,
    deliver: Deliver,
    unreachable: Unreachable = _nobody_is_unreachable,
    beat: Beat | None = None,
    manner_of: MannerOf = by_the_way,
    complete: Complete = asking_nobody,
) -> None:
    """Page until SIGTERM or SIGINT, by the settings.

    ``deliver`` reaches people, ``unreachable`` knows whom it cannot, ``beat`` gives an outside service a sign of life,
    ``manner_of`` knows how channels are, ``complete`` what a summary says beside its sentence.
    Raises UsageError without a broker, and when no document knows the default owner.
    """
    broker = settings.broker()
    if broker is None:
        raise UsageError("page needs KAFKA_BOOTSTRAP_SERVERS")

    async def until_signalled(bootstrap: Address) -> None:
        stop, instance = asyncio.Event(), settings.instance or socket.gethostname()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await page(
            bootstrap, Topics(settings.prefix), settings.clock(), deliver, stop, instance,
            unreachable=unreachable, watching=_watching(settings, beat), metrics=metrics,
            board=settings.board_url, manner_of=manner_of, complete=complete,
            again_every=settings.page_again_every or None, required=settings.follows_signed_only,
        )  # fmt: skip

    metrics = Metrics(settings.metrics_port, settings.metrics_host)
    asyncio.run(until_signalled(broker))


def limits_of(settings: Settings) -> Limits:
    """When what is seen of the stages is a fault, by the settings."""
    # A measure that has nothing to measure says so once a heartbeat.
    return Limits(max(settings.unwatched_after, 5 * settings.heartbeat), settings.behind_after)


def _watching(settings: Settings, beat: Beat | None) -> Watching:
    return Watching(limits_of(settings), settings.default_owner, beat, settings.deadman_every / SECOND)
