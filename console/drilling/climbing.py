"""Climbing: a drill goes up the escalation list while we listen, until somebody takes it on or nobody is left.

Follows and tells; pages nobody itself, and judges nothing: the stages do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from seamwatch.clauses.drill.statement import Paged, Taken
from seamwatch.durations import MINUTE, SECOND, format_duration
from seamwatch.judging.model.facts import Violation
from seamwatch.judging.model.seam import Step
from seamwatch.paging import DELIVERED
from statements.heard import Episode

_LOOK_SECONDS: Final = 1.0
_NOBODY_WITHIN: Final = MINUTE
"""So long it is waited where nobody is named who could take it on."""
_LONGEST_RESULT: Final = 200
Say = Callable[[str], None]


class Hears(Protocol):
    """Where records come from."""

    def read(self, seconds: float) -> Iterable[tuple[str, dict[str, Any]]]:
        """What comes within so many seconds, each with its record type."""


@dataclass(slots=True)
class Climb:
    """A drill of one id that began ``began`` (micros), by a list of steps; ``say`` is told of each thing that happens.

    ``at_most``: for how long (micros) it is waited for somebody; None: as long as the list says.
    """

    drill: str
    began: int
    steps: Sequence[Step]
    now: Callable[[], int]
    say: Say
    at_most: int | None = None

    def follow(self, heard: Hears) -> Episode:
        """The episode as it stands when somebody has taken it on, it is over, or nobody is left."""
        episode = Episode()
        acting, since = -1, self.began
        while not self._is_done(episode.violation, since):
            for record_type, record in heard.read(_LOOK_SECONDS):
                before, told = episode.violation, len(episode.told)
                if episode.take(record_type, record, self._is_mine):
                    self._tell(before, episode, told)
            if episode.violation is not None and episode.violation.step != acting:
                acting, since = episode.violation.step, self.now()
        # What somebody answered may be read a moment after what came of it.
        for record_type, record in heard.read(_LOOK_SECONDS):
            episode.take(record_type, record, self._is_mine)
        return episode

    def _is_mine(self, violation: Violation) -> bool:
        return violation.slice == self.drill

    def _is_done(self, violation: Violation | None, since: int) -> bool:
        now = self.now()
        if self.at_most is not None and now - self.began >= self.at_most:
            return True
        if violation is None:
            return now - self.began >= _NOBODY_WITHIN
        if violation.state in ("acknowledged", "resolved"):
            return True
        last = violation.step + 1 >= len(self.steps)
        within = self.steps[-1].acknowledge_within if self.steps else _NOBODY_WITHIN
        return last and now - since >= within

    def _tell(self, before: Violation | None, episode: Episode, told: int) -> None:
        for one in episode.told[told:]:
            self._line(one.sent_at, f"{one.person} told by {one.channel}: {one.result}")
        violation = episode.violation
        if violation is None or violation == before:
            return
        if violation.acknowledged_by is not None and violation.acknowledged_at is not None:
            self._line(violation.acknowledged_at, f"{violation.acknowledged_by} takes it on")
        elif violation.state == "resolved":
            self._line(self.now(), "it is over")
        else:
            self._line(self.now(), f"{violation.person or 'nobody'} must act")

    def _line(self, at: int, text: str) -> None:
        self.say(f"{format_duration(max(0, at - self.began)):>8}  {text}")


def paged_of(episode: Episode, began: int, most: int) -> tuple[Paged, ...]:
    """Each attempt to tell somebody, the first ``most`` of them."""
    told = sorted(episode.told, key=lambda one: (one.sent_at, one.person, one.channel))
    return tuple(
        Paged(
            person=one.person, channel=one.channel[:_LONGEST_RESULT], step=one.step,
            after_seconds=(one.sent_at - began) / SECOND, result=one.result[:_LONGEST_RESULT],
        )
        for one in told[:most]
    )  # fmt: skip


def taken_of(episode: Episode, began: int) -> Taken | None:
    """Who took it on, by what, and after how long; None where nobody did."""
    violation = episode.violation
    if violation is None or violation.acknowledged_by is None or violation.acknowledged_at is None:
        return None
    person, at = violation.acknowledged_by, violation.acknowledged_at
    own = [one.sent_at for one in episode.told if one.person == person and one.result == DELIVERED]
    told = min(own, default=None)
    return Taken(
        person=person,
        by=episode.answered_by.get((person, at), "unknown"),
        after_seconds=(at - began) / SECOND,
        told_seconds=None if told is None else (at - told) / SECOND,
    )
