"""Channels: how a person is reached: by the services of their channels (`sinks.channels.services`), or on the console.

Each channel is tried by itself: a slow or dead one holds up no other. A channel's URL carries secrets, so it is
never logged, shown or recorded; its label is the URL's scheme. What is due and to whom, the pager knows.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final, TextIO

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    RetryError,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from seamwatch.channel_urls import CONSOLE, is_console, missing, resolved, scheme_of, unbound
from seamwatch.clock import Clock, SystemClock
from seamwatch.delivering import Manner
from seamwatch.errors import UsageError
from seamwatch.paging import DELIVERED, Attempt, Page, Recipient
from sinks.channels import services
from sinks.channels.service import ChannelError, Sending, Service, UnusableError

TRIES: Final = 3
PATIENCE_SECONDS: Final = 15.0
_GRACE_SECONDS: Final = 1.0
"""How much longer than a service is given its thread may take to say that it was not enough."""
_THREADS: Final = 32
_AT_ONCE: Final = 2
_MOST_UNDER_WAY: Final = 1_000
_MOST_PATIENCE: Final = 20

_LONGEST_PAUSE_SECONDS: Final = 30.0

ServiceOf = Callable[[str], Service]
"""What reaches the service of a URL."""

_Message = tuple[str, tuple[str, ...]]
"""The URL and the references of a page that is being sent."""


class Channels:
    """Delivers pages; fits `seamwatch.delivering.Deliver`.

    A channel is tried three times, a second or two apart, each try given 15 s; a try that is still being answered by
    then is waited for rather than repeated. ``environment`` gives what URLs refer to (`seamwatch.channel_urls`).
    ``console`` is where people without channels are told; ``console_read`` says that somebody reads it. ``apis`` are
    the addresses of services' interfaces that are not their own, by scheme.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        environment: Mapping[str, str] | None = None,
        console: TextIO | None = None,
        patience: float = PATIENCE_SECONDS,
        console_read: bool = True,
        apis: Mapping[str, str] | None = None,
        service_of: ServiceOf = services.service_of,
    ) -> None:
        self._clock = clock or SystemClock()
        self._environment = os.environ if environment is None else environment
        self._console = sys.stdout if console is None else console
        self._console_read = console_read
        self._patience = patience
        self._apis = dict(apis or {})
        self._service_of = service_of
        # A channel that hangs keeps its thread until its sockets time out; two each leaves enough for the others.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="channel")
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._under_way: dict[_Message, asyncio.Future[str | None]] = {}

    async def __call__(
        self, recipient: Recipient, page: Page, only: Mapping[str, str | None] | None = None
    ) -> AsyncIterator[Attempt]:
        """Tell the recipient by every channel at once, or ``only`` by these; yields each one's attempt as it ends."""
        routes: list[tuple[str, str | None]] = list(labelled(recipient.channels)) or [(CONSOLE, None)]
        if only is not None:
            routes = [(label, url) for label, url in routes if label in only]
        known = only or {}
        tasks = [
            asyncio.create_task(self._attempt(label, url, recipient, page, known.get(label))) for label, url in routes
        ]
        try:
            for ended in asyncio.as_completed(tasks):
                yield await ended
        finally:
            for task in tasks:
                task.cancel()

    def unreachable(self, recipient: Recipient) -> list[str]:
        """Why a person cannot be told by some of their channels, or by any, as things stand; empty when all is well."""
        found = []
        if not recipient.channels and not self._console_read:
            found.append("has no channels: pages for them are printed here, and count as not delivered")
        for label, url in labelled(recipient.channels):
            if url is None:
                continue
            why = services.unusable(url)
            if why is None and (absent := missing(url, self._environment)):
                why = f"the environment has no {', '.join(absent)}"
            why = why or unbound(url, self._environment)
            if why is not None:
                found.append(f"channel {label}: {why}")
        return found

    def manner(self, recipient: Recipient, channel: str) -> Manner:
        """How the channel of a recipient is that has this label; fits `seamwatch.delivering.MannerOf`."""
        url = dict(labelled(recipient.channels)).get(channel)
        if url is None:
            return Manner()
        try:
            return self._service_of(resolved(url, self._environment)).manner
        except UsageError:
            return Manner()

    def close(self) -> None:
        """Wait for no channel any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _attempt(
        self, label: str, url: str | None, recipient: Recipient, page: Page, reference: str | None
    ) -> Attempt:
        sent_at = self._clock.now()
        try:
            if url is None:
                self._print(recipient, page)
                return Attempt(label, sent_at, DELIVERED)
            return Attempt(label, sent_at, DELIVERED, await self._send(url, recipient, page, reference))
        except ChannelError as error:
            return Attempt(label, sent_at, f"failed: {error}", taken=error.taken)
        except Exception as error:  # noqa: BLE001 - of a URL that only the environment has, say: its words could hold it
            return Attempt(label, sent_at, f"failed: the channel raised {type(error).__name__}")

    async def _send(self, published: str, recipient: Recipient, page: Page, reference: str | None) -> str | None:
        if (why := services.unusable(published)) is not None:
            raise UnusableError(why)
        try:
            url = resolved(published, self._environment)
        except UsageError as error:
            raise UnusableError(str(error)) from None
        api = self._apis.get(scheme_of(url) or "")
        sending = Sending(url, published, page, self._patience, recipient.id, reference, api)
        turn = self._turns.setdefault(url, asyncio.Semaphore(_AT_ONCE))
        policy = AsyncRetrying(retry=retry_if_exception(_may_pass), stop=stop_after_attempt(TRIES), wait=_pause)
        taken: frozenset[str] = frozenset()
        try:
            async for attempt in policy:
                with attempt:
                    async with turn:
                        try:
                            found = await self._once(replace(sending, page=without(page, taken)))
                        except ChannelError as error:
                            # What it took is not sent again, and not told as refused.
                            error.taken = taken = taken | error.taken
                            raise
        except RetryError as error:
            last = error.last_attempt.exception()
            raise ChannelError(f"{last} ({TRIES} tries)", taken=taken) from None
        return found

    async def _once(self, sending: Sending) -> str | None:
        """One try. While an earlier one of the same page is still being answered, that one is waited for instead."""
        message = (sending.url, sending.page.references)
        under_way = self._under_way.get(message)
        if under_way is None:
            loop = asyncio.get_running_loop()
            under_way = loop.run_in_executor(self._threads, self._service_of(sending.url).send, sending)
            # What comes of one that nobody waits for any more is nobody's error.
            under_way.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            self._forget_ended()
            self._under_way[message] = under_way
        # Its sockets say by themselves that the time is up, and at which host; of many events each has its time.
        patience = self._patience * max(1, min(len(sending.page.incidents), _MOST_PATIENCE)) + _GRACE_SECONDS
        done, _ = await asyncio.wait({under_way}, timeout=patience)
        if not done:
            raise ChannelError(f"time-out: no answer within {self._patience:g} s, and it is being answered still")
        self._under_way.pop(message, None)
        return under_way.result()

    def _forget_ended(self) -> None:
        # Those of pages that were acknowledged meanwhile are asked for by nobody.
        if len(self._under_way) >= _MOST_UNDER_WAY:
            self._under_way = {message: future for message, future in self._under_way.items() if not future.done()}

    def _print(self, recipient: Recipient, page: Page) -> None:
        try:
            self._console.write(block(recipient, page))
            self._console.flush()
        except (OSError, ValueError) as error:
            raise ChannelError(f"the console cannot be written: {error}") from None
        if not recipient.known:
            raise ChannelError(f"no Person document has the id {recipient.id}; printed on the pager's standard output")
        if not recipient.channels and not self._console_read:
            raise ChannelError(
                f"{recipient.id} has no channels; printed on the pager's standard output, which need not be read"
            )


def without(page: Page, taken: frozenset[str]) -> Page:
    """The page without those violations of it that were taken already, for channels that tell of each by itself."""
    if not taken:
        return page
    left = tuple(each for each in page.incidents if each.violation.violation_id not in taken)
    return replace(page, incidents=left, about=tuple((e.violation.violation_id, e.violation.step) for e in left))


def _pause(state: RetryCallState) -> float:
    """For how long a channel is left alone: as long as it asks for, where that is not too long to wait here."""
    error = None if state.outcome is None else state.outcome.exception()
    asked = error.after if isinstance(error, ChannelError) else None
    return min(asked, _LONGEST_PAUSE_SECONDS) if asked is not None else _RANDOM(state)


_RANDOM: Final = wait_random_exponential(multiplier=1.0, max=4.0, min=0.5)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, ChannelError) and not isinstance(error, UnusableError)


def labelled(urls: tuple[str, ...]) -> list[tuple[str, str | None]]:
    """Each URL with a label that holds no secret: its scheme, numbered where there are several (``slack#2``)."""
    seen: Counter[str] = Counter()
    found: list[tuple[str, str | None]] = []
    for url in urls:
        scheme, separator, _ = url.partition("://")
        # Without a scheme the text could be anything, a bare token included.
        name = scheme if separator and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme) else "channel"
        seen[name] += 1
        label = name if seen[name] == 1 else f"{name}#{seen[name]}"
        found.append((label, None if is_console(url) else url))
    return found


def block(recipient: Recipient, page: Page) -> str:
    """A page as it stands on a console: framed, so that it is seen between lines of a log."""
    rule = "━" * 78
    head = f"PAGE  {recipient.name} ({recipient.id})\n{page.title}"
    body = "\n".join(f"  {line}".rstrip() for line in page.body.splitlines())
    return f"\n{rule}\n{head}\n\n{body}\n{rule}\n"
