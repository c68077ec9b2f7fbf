"""Pages on record: each attempt to tell somebody, one `page` record a violation, in the log and in the metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import faust
import structlog

from seamwatch.incidents import News
from seamwatch.judging.model.facts import Violation
from seamwatch.paging import DELIVERED, Attempt, Recipient
from seamwatch.wire.topics import Topics
from streams.page.codec import PageCodec
from streams.page.metrics import Metrics
from streams.page.tellings import Telling

_log = structlog.get_logger("streams.page.stage")


class Pages:
    """Writes the page topic; a record is there when ``record`` has returned."""

    def __init__(self, app: faust.App, topics: Topics, metrics: Metrics) -> None:
        self._topic: Any = app.topic(topics.page, key_serializer="raw", value_serializer=PageCodec())
        self._metrics = metrics

    async def record(
        self, violations: Sequence[Violation], recipient: Recipient, attempt: Attempt, news: News
    ) -> list[Telling]:
        """Put on record what came of telling somebody by one channel; returns it, one a violation, in their order."""
        self._metrics.count(attempt)
        _log.info(
            "told" if attempt.delivered else "not told",
            person=recipient.id,
            channel=attempt.channel,
            news=news,
            result=attempt.result,
            violations=[f"{v.violation_id}/{v.step}" for v in violations],
        )
        tellings = [_telling(violation, recipient, attempt, news) for violation in violations]
        sent = [await self._topic.send(key=telling.key, value=telling.record()) for telling in tellings]
        await asyncio.gather(*sent)
        return tellings


def _telling(violation: Violation, recipient: Recipient, attempt: Attempt, news: News) -> Telling:
    # Of many that were sent one by one, some may have been taken before the channel refused the next.
    result = DELIVERED if violation.violation_id in attempt.taken else attempt.result
    return Telling(
        violation.violation_id, violation.step, recipient.id, attempt.channel, attempt.sent_at, result, news,
        attempt.reference,
    )  # fmt: skip
