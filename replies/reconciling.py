"""Reconciling: PagerDuty is asked now and then for answers that never came by webhook, and they are relayed.

A service that has stopped calling is found this way. Only what would change something here is relayed, so that an
answer that came is not published again; the judge has the last word in any case.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import structlog

from replies.asking import Acknowledged, TakenBack
from replies.desk import Desk
from replies.metrics import Metrics
from replies.pagerduty import SERVICE
from replies.relay import Known
from replies.reply import Reply
from seamwatch.durations import MINUTE
from seamwatch.errors import SeamwatchError

log = structlog.get_logger(__name__)

_GRACE: Final = MINUTE
"""So long (micros) a webhook may be on its way, and a judge think."""
_MOST_ASKED: Final = 100
_END_SECONDS: Final = 1.0


class Api(Protocol):
    """What is asked of PagerDuty."""

    def acknowledged(self) -> Iterable[Acknowledged]:
        """The incidents that are acknowledged now. Raises UnreachableError."""

    def taken_back(self, since: int) -> Iterable[TakenBack]:
        """What was taken back since a time (micros). Raises UnreachableError."""

    def keys_of(self, incident: str) -> Sequence[str]:
        """The keys of the alerts of an incident. Raises UnreachableError."""


class Reconciling(threading.Thread):
    """Asks at its start, and ``every`` so many seconds."""

    def __init__(
        self, api: Api, desk: Desk, known: Known, metrics: Metrics, now: Callable[[], int], every: float, back: int
    ) -> None:
        """``back``: how far (micros) the first look goes back."""
        super().__init__(name="reconciling", daemon=True)
        self._api = api
        self._desk = desk
        self._known = known
        self._metrics = metrics
        self._now = now
        self._every = every
        self._since = now() - back
        self._ended = threading.Event()

    def end(self) -> None:
        """End the thread."""
        self._ended.set()
        self.join(_END_SECONDS)

    def run(self) -> None:
        """Ask until told to end; what goes wrong is told and tried again."""
        while not self._known.ready.wait(1.0):
            if self._ended.is_set():
                return
        while not self._ended.is_set():
            self.turn()
            self._ended.wait(self._every)

    def turn(self) -> None:
        """Ask once."""
        found: list[Reply] = []
        began = self._now()
        try:
            self._gather(found)
            self._gather_taken_back(found)
        except SeamwatchError as error:
            self._failed(str(error))
        except Exception as error:
            log.exception("PagerDuty was not asked: an error of ours")
            self._failed(type(error).__name__)
        else:
            # What is in its grace now is looked at again.
            self._since = began - 2 * _GRACE
            self._metrics.asked.labels(SERVICE, "answered").inc()
            self._metrics.asked_at.labels(SERVICE).set_to_current_time()
        for reply in found:
            if self._desk.relay(reply).outcome == "relayed":
                self._metrics.missed.labels(SERVICE).inc()
                log.warning("a reply never came by webhook, and was found by asking", violation_id=reply.violation_id)

    def _failed(self, reason: str) -> None:
        self._metrics.asked.labels(SERVICE, "failed").inc()
        log.error("PagerDuty cannot be asked for what never came", reason=reason)

    def _gather(self, found: list[Reply]) -> None:
        """Add what never came, as far as PagerDuty says it."""
        asked = 0
        for one in self._api.acknowledged():
            if one.at > self._now() - _GRACE:
                continue
            keys: Sequence[str] = () if one.key is None else (one.key,)
            if one.several and asked < _MOST_ASKED:
                asked += 1
                keys = (*keys, *self._api.keys_of(one.incident))
            found += [_reply(one, key) for key in dict.fromkeys(keys) if self._waits(key)]

    def _gather_taken_back(self, found: list[Reply]) -> None:
        for one in self._api.taken_back(self._since):
            episode = self._known.episodes.get(one.key)
            if episode is None or episode.acknowledged_at is None or one.at > self._now() - _GRACE:
                continue
            if episode.state == "acknowledged" and episode.acknowledged_at <= one.at:
                found.append(_taken_back(one))

    def _waits(self, violation_id: str) -> bool:
        episode = self._known.episodes.get(violation_id)
        return episode is not None and episode.state in ("open", "escalated")


def _reply(one: Acknowledged, violation_id: str) -> Reply:
    said: dict[str, str | None] = {
        "incident": one.incident,
        "incident_key": violation_id,
        "acknowledger": one.user,
        "at": one.written,
    }
    name = f"{one.incident}/{one.user}/{one.written}"
    return Reply(SERVICE, name, "acknowledged", violation_id, one.at, _evidence(said), one.user, SERVICE, asked=True)


def _taken_back(one: TakenBack) -> Reply:
    said = {"entry": one.entry, "incident": one.incident, "incident_key": one.key, "by": one.user, "at": one.written}
    name = f"entry/{one.entry}"
    return Reply(SERVICE, name, "unacknowledged", one.key, one.at, _evidence(said), one.user, SERVICE, asked=True)


def _evidence(said: dict[str, str | None]) -> str:
    return json.dumps({"asked": said}, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
