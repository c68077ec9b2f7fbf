"""The people of the demo: who is paged acknowledges after half a second, unless they are away."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from console.demo.identities import event_id
from console.demo.planned import ENVIRONMENT
from console.demo.sightings import Page
from console.demo.stories import ANSWERS_NO_PAGES
from seamwatch.clock import Clock
from seamwatch.judging.model.facts import Violation
from seamwatch.wire.events import Acknowledgement

REACTION_SECONDS: Final = 0.5


class People:
    """Turns pages into acknowledgements. Driven by one thread; ``publish`` sends an acknowledgement."""

    def __init__(self, clock: Clock, publish: Callable[[Acknowledgement], None]) -> None:
        self._clock = clock
        self._publish = publish
        self._waiting: deque[tuple[float, Page, str]] = deque()

    def page(self, page: Page, violation: Violation) -> None:
        """A person has been told."""
        if page.person not in ANSWERS_NO_PAGES:
            self._waiting.append((time.monotonic() + REACTION_SECONDS, page, violation.system))

    def react(self) -> None:
        """Publish the acknowledgements whose time has come."""
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, page, system = self._waiting.popleft()
            now = self._clock.now()
            self._publish(
                Acknowledgement(
                    event_id=event_id(f"ack/{page.violation_id}/{page.person}", now),
                    event_time=now,
                    producer="phone",
                    environment=ENVIRONMENT,
                    system=system,
                    of="violation",
                    reference=page.violation_id,
                    person=page.person,
                    answer="accept",
                    note="I take this on",
                )
            )
