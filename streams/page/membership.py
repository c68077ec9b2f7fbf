"""Membership: why Faust's consumer is a member of its group no more, although Faust has not noticed.

aiokafka hands an error that ends its part in the group to whoever reads by it next, and waits. Faust reads past the
place where that is done, so the pager would live on and be told of nothing. Looks only, and at what neither of the two
shows: tests/streams/page/test_membership.py says when a release of theirs has moved it.
"""

from __future__ import annotations

import asyncio
from typing import Any

import faust


def membership_error(app: faust.App) -> BaseException | None:
    """What ended the membership; None as long as it goes on, or has not begun."""
    coordinator = coordinator_of(app)
    if coordinator is None:
        return None
    task: asyncio.Task[None] = coordinator._coordination_task  # noqa: SLF001 - shown nowhere else
    ended = task.exception() if task.done() and not task.cancelled() else None
    pending: BaseException | None = coordinator._pending_exception  # noqa: SLF001
    return ended or pending


def coordinator_of(app: faust.App) -> Any | None:
    """The part of aiokafka that keeps up the membership; None before the consumer has started."""
    thread: Any = app.consumer._thread  # type: ignore[attr-defined]  # noqa: SLF001
    client: Any = None if thread is None else thread._consumer  # noqa: SLF001
    return None if client is None else client._coordinator  # noqa: SLF001
