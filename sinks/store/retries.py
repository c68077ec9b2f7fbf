"""The retry policies: which failures of the store are waited out, which never, and how long between tries.

A policy only says when to try again; making a second try harmless (the same block, the same token) is the caller's.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from threading import Event
from typing import Final

import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    sleep_using_event,
    stop_when_event_set,
    wait_random_exponential,
)

from seamwatch.errors import SeamwatchError, UnreachableError
from sinks.store.fencing import SupersededError
from sinks.store.refusals import StoreRefusedError, causes_of

_log = structlog.get_logger("sinks.store.retries")

TRANSIENT_CODES: Final = {
    74: "CANNOT_READ_FROM_FILE_DESCRIPTOR",
    75: "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
    95: "CANNOT_READ_FROM_SOCKET",
    96: "CANNOT_WRITE_TO_SOCKET",
    159: "TIMEOUT_EXCEEDED",
    160: "TOO_SLOW",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    203: "NO_FREE_CONNECTION",
    209: "SOCKET_TIMEOUT",
    210: "NETWORK_ERROR",
    225: "NO_ZOOKEEPER",
    236: "ABORTED",
    241: "MEMORY_LIMIT_EXCEEDED",
    242: "TABLE_IS_READ_ONLY",
    243: "NOT_ENOUGH_SPACE",
    252: "TOO_MANY_PARTS",
    279: "ALL_CONNECTION_TRIES_FAILED",
    285: "TOO_FEW_LIVE_REPLICAS",
    286: "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE",
    319: "UNKNOWN_STATUS_OF_INSERT",
    394: "QUERY_WAS_CANCELLED",
    425: "SYSTEM_ERROR",
    439: "CANNOT_SCHEDULE_TASK",
    499: "S3_ERROR",
    745: "SERVER_OVERLOADED",
    999: "KEEPER_EXCEPTION",
}
"""ClickHouse's codes for what passes: overload, full disks, lost connections, replicas away.

Any other code (a missing table, a wrong type, a refused login) is never retried: waiting mends none of them, and the
supervisor's restart, with its own patience, is where a person sees it.
"""


def is_transient(error: BaseException) -> bool:
    """Whether a failure of the store may be waited out."""
    if isinstance(error, StoreRefusedError):
        return error.code in TRANSIENT_CODES
    return isinstance(error, UnreachableError)


class Patience:
    """The same policy for a caller that has other things to do between tries: it asks ``is_over`` before each."""

    def __init__(self, longest: float = 10.0) -> None:
        self._longest = longest
        self._pause = 0.1
        self._until = 0.0

    @property
    def is_over(self) -> bool:
        """Whether it is time to try."""
        return time.monotonic() >= self._until

    def have(self, error: SeamwatchError) -> None:
        """Wait after this failure; raises it when it is not one that passes."""
        if not isinstance(error, SupersededError) and not is_transient(error):
            raise error
        _log.warning("not taken up yet, trying again", error=str(error))
        self._until = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, self._longest)


def until_it_works(
    stop: Event, *, longest: float = 10.0, failed: Callable[[BaseException], None] | None = None
) -> Retrying:
    """The policy of the recorder: transient failures are tried again without end, 0.1 s to ``longest`` apart.

    Setting ``stop`` ends the waiting: then the last failure is raised. ``failed`` is called with each
    failure. A failure that does not pass is raised at once.
    """

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        _log.warning("store away, trying again", attempt=state.attempt_number, error=str(error))
        if error is not None:
            _let_go(error)
            if failed is not None:
                failed(error)

    return Retrying(
        retry=retry_if_exception(is_transient),
        wait=wait_random_exponential(multiplier=0.2, max=longest, min=0.1),
        stop=stop_when_event_set(stop),
        sleep=sleep_using_event(stop),
        before_sleep=tell,
        reraise=True,
    )


def _let_go(error: BaseException) -> None:
    """Empty the frames that an error came through.

    Errors that refer to each other are freed when the collector comes by, which a recorder that waits seldom gives it
    reason to: until then each attempt would keep the body that it was sending.
    """
    for each in causes_of(error):
        traceback.clear_frames(each.__traceback__)
