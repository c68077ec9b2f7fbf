"""Channels: how a person is reached. Apprise for every URL it knows, the console for who has none.

Each channel is tried by itself: a slow or dead one holds up no other. A channel's URL carries secrets, so it is
never logged, shown or recorded; its label is the URL's scheme. What is due and to whom, the pager knows.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TextIO

from tenacity import AsyncRetrying, RetryError, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from seamwatch.clock import Clock, SystemClock
from seamwatch.paging import DELIVERED, Attempt, Notice, Recipient

CONSOLE: Final = "console"
TRIES: Final = 3
PATIENCE_SECONDS: Final = 15.0
_THREADS: Final = 32
_AT_ONCE: Final = 2
_REFERENCE: Final = re.compile(r"\$\{(\w+)\}")


class ChannelError(Exception):
    """A channel did not take a notice; tried again by the policy, then told as an attempt's result."""


class Channels:
    """Delivers notices; fits `seamwatch.paging.Deliver`.

    A channel is tried three times, a second or two apart, each try given 15 s. ``environment`` resolves references
    such as ``${PAGER_TOKEN}`` in URLs; ``console`` is where people without channels are told.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        environment: Mapping[str, str] | None = None,
        console: TextIO | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._clock = clock or SystemClock()
        self._environment = os.environ if environment is None else environment
        self._console = sys.stdout if console is None else console
        self._patience = patience
        # A channel that hangs keeps its thread until its sockets time out; two each leaves enough for the others.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="channel")
        self._turns: dict[str, asyncio.Semaphore] = {}
        # Apprise names the URL it failed at.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)

    async def __call__(self, recipient: Recipient, notice: Notice) -> AsyncIterator[Attempt]:
        """Tell the recipient by every channel at once; yields each one's attempt as it ends."""
        routes: list[tuple[str, str | None]] = list(labelled(recipient.channels)) or [(CONSOLE, None)]
        tasks = [asyncio.create_task(self._attempt(label, url, recipient, notice)) for label, url in routes]
        try:
            for ended in asyncio.as_completed(tasks):
                yield await ended
        finally:
            for task in tasks:
                task.cancel()

    def close(self) -> None:
        """Wait for no channel any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _attempt(self, label: str, url: str | None, recipient: Recipient, notice: Notice) -> Attempt:
        sent_at = self._clock.now()
        try:
            if url is None:
                self._print(recipient, notice)
            else:
                await self._send(self._resolved(url), notice)
        except ChannelError as error:
            return Attempt(label, sent_at, f"failed: {error}")
        return Attempt(label, sent_at, DELIVERED)

    async def _send(self, url: str, notice: Notice) -> None:
        turn = self._turns.setdefault(url, asyncio.Semaphore(_AT_ONCE))
        policy = AsyncRetrying(
            retry=retry_if_exception_type(ChannelError),
            stop=stop_after_attempt(TRIES),
            wait=wait_random_exponential(multiplier=1.0, max=4.0, min=0.5),
        )
        try:
            async for attempt in policy:
                with attempt:
                    async with turn:
                        await self._once(url, notice)
        except RetryError as error:
            raise ChannelError(f"{error.last_attempt.exception()} ({TRIES} tries)") from None

    async def _once(self, url: str, notice: Notice) -> None:
        sending = asyncio.get_running_loop().run_in_executor(self._threads, _notify, url, notice)
        try:
            await asyncio.wait_for(sending, self._patience)
        except TimeoutError:
            raise ChannelError(f"no answer within {self._patience:.0f} s") from None

    def _resolved(self, url: str) -> str:
        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name not in self._environment:
                raise ChannelError(f"the environment of the pager has no {name}, which the channel refers to")
            return self._environment[name]

        return _REFERENCE.sub(value, url)

    def _print(self, recipient: Recipient, notice: Notice) -> None:
        try:
            self._console.write(block(recipient, notice))
            self._console.flush()
        except (OSError, ValueError) as error:
            raise ChannelError(f"the console cannot be written: {error}") from None


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
        found.append((label, None if url.rstrip("/:") == CONSOLE or name == CONSOLE else url))
    return found


def block(recipient: Recipient, notice: Notice) -> str:
    """A notice as it stands on a console: framed, so that it is seen between lines of a log."""
    rule = "━" * 78
    head = f"PAGE  {recipient.name} ({recipient.id})\n{notice.title}"
    body = "\n".join(f"  {line}".rstrip() for line in notice.body.splitlines())
    return f"\n{rule}\n{head}\n\n{body}\n{rule}\n"


def _notify(url: str, notice: Notice) -> None:
    """Send by Apprise; blocks. Raises ChannelError, which names no URL."""
    import apprise

    sender = apprise.Apprise()
    if not sender.add(url):
        raise ChannelError("Apprise does not know this kind of URL, or it lacks a part")
    kinds: dict[str, Any] = {"breach": apprise.NotifyType.FAILURE, "warning": apprise.NotifyType.WARNING}
    references = " ".join(f"{violation}/{step}" for violation, step in notice.about[:1])
    body = f"{notice.body}\n\nReference {references}"
    try:
        sent = sender.notify(
            title=notice.title, body=body, notify_type=kinds.get(notice.severity, apprise.NotifyType.INFO)
        )
    except Exception as error:  # noqa: BLE001 - a plugin of a hundred authors may raise anything
        raise ChannelError(f"the channel raised {type(error).__name__}") from None
    if not sent:
        raise ChannelError("the service did not take it")
