"""Completing: has a summary say what broke and what is owed before it is told, and counts how much could be read.

It asks no store: that is done by what the pager is handed. Whatever comes of that, the summary goes out.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from seamwatch.delivering import Complete
from seamwatch.judging.model.facts import Violation
from seamwatch.summed import Summed, unread
from streams.page.directory import Directory
from streams.page.metrics import Metrics

_log = structlog.get_logger("streams.page.stage")


@dataclass(frozen=True, slots=True)
class Completing:
    """Completes summaries by what knows the record, and by the documents that the pager follows."""

    complete: Complete
    directory: Directory
    metrics: Metrics

    async def summed(self, due: Violation) -> Summed:
        """What a summary that is due says beside its sentence. Raises nothing."""
        try:
            summed = await self.complete(due, self.directory.estate)
        except Exception:  # noqa: BLE001 - the summary itself is of more use than why it is not whole
            _log.exception("completing a summary failed", notice=due.violation_id)
            summed = unread("it failed, and the pager's log says how")
        self.metrics.summaries.labels(summed.outcome).inc()
        if summed.why:
            _log.warning("a summary is not whole", notice=due.violation_id, outcome=summed.outcome, why=summed.why)
        return summed
