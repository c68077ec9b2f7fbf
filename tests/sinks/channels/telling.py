"""Telling by channels in tests: a person's URLs, a page, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from seamwatch.afterwards import news_of
from seamwatch.durations import MINUTE
from seamwatch.incidents import TRIGGER, Ahead, News
from seamwatch.judging.model.facts import Violation
from seamwatch.paging import Attempt, Page, Recipient, page_of
from sinks.channels.channels import Channels
from tests.sinks.samples import NOW, violation

AHEAD = Ahead("https://example.org/runbook", NOW + 15 * MINUTE, "bob")
BOARD = "https://board.example.org"


def told(
    urls: tuple[str, ...],
    page: Page,
    only: Mapping[str, str | None] | None = None,
    environment: Mapping[str, str] | None = None,
    apis: Mapping[str, str] | None = None,
) -> list[Attempt]:
    """What came of telling Ann a page by these channels."""

    async def tell() -> list[Attempt]:
        channels = Channels(environment=environment or {}, apis=apis, patience=5.0)
        try:
            return [attempt async for attempt in channels(Recipient("ann", "Ann", urls), page, only)]
        finally:
            channels.close()

    return asyncio.run(tell())


def page(news: News = TRIGGER, of: Violation | None = None) -> Page:
    """A page about a violation with all that a woken person needs."""
    about = of or violation(1)
    if news == TRIGGER:
        return page_of(about, Recipient("ann", "Ann"), NOW, BOARD, AHEAD)
    return news_of(about, news, BOARD, AHEAD)
