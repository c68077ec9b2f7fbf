"""Answering: what an acknowledgement does to the episode that it names, now or once that is opened.

Whether it counts (who answers, and the signature), what becomes of the episode, and what is told of the answer; the
entry it lies in is the judge's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from seamwatch.judging.answers import Answers
from seamwatch.judging.episodes import Episode, acknowledge_episode
from seamwatch.judging.facts import Violation
from seamwatch.judging.following import Told
from seamwatch.judging.hearing import heard, over_text, unknown_text
from seamwatch.judging.seams import BoundClause, Seams
from seamwatch.judging.stream_time import StreamTime
from seamwatch.judging.verdicts import verdict_of
from seamwatch.signatures import acknowledgement_fault


class Answering:
    """The answers that one judge hears. ``seams`` are replaced with the documents."""

    def __init__(self, seams: Seams, time: StreamTime) -> None:
        self.seams = seams
        self.early = Answers()
        """Those that came before their violation was opened, and which violations are over."""
        self._time = time

    def wait(self, record: Mapping[str, Any], told: Told) -> None:
        """Keep an answer to a violation that is not open until it is opened; one to what is over changes nothing."""
        over = self.early.over_since(record["system"], record["reference"])
        if over is not None:
            self.refuse(record, "over", over_text(record, over), told)
            return
        self.early.keep(record, self._time.now)
        self.refuse(record, "unknown", unknown_text(record), told)

    def refuse(
        self, record: Mapping[str, Any], reason: str, summary: str, told: Told, bound: BoundClause | None = None
    ) -> None:
        """Tell that an answer does not count, and why."""
        self._tell(record, reason, summary, bound, told)

    def ended(self, violations: Iterable[Violation]) -> None:
        """Remember which of these are over, so that an answer to one can be told from one to what is not known."""
        for violation in violations:
            if violation.resolved_at is not None:
                self.early.end(violation.system, violation.violation_id, violation.resolved_at)

    def answer(self, episode: Episode, record: Mapping[str, Any], bound: BoundClause | None, told: Told) -> Episode:
        """The episode after an answer; ``bound``: the clause in force, whose list may answer as well."""
        person = record["person"]
        if record["system"] != episode.violation.system:
            # Elsewhere it would not have been found: judges are parted by system.
            self._tell(record, "unknown", unknown_text(record), None, told)
            return episode
        fault = acknowledgement_fault(record, self.seams.keys_of(person))
        if fault is not None:
            self._tell(record, *fault, bound, told)
            return episode
        also = () if bound is None else tuple(step.person for step in bound.seam.escalation)
        at, now = int(record["event_time"]), self._time.now
        after, reason, summary = acknowledge_episode(episode, person, record["answer"], at, now, also=also)
        self._tell(record, reason, summary, bound, told)
        return after

    def answered(self, episode: Episode, over: int | None, bound: BoundClause, told: Told) -> Episode:
        """A new episode with the answers that came before it; ``over``: when it ended, if that is known already."""
        for record in self.early.take(episode.violation.violation_id):
            if over is not None and record["event_time"] > over:
                self._tell(record, "over", over_text(record, over), bound, told)
            else:
                episode = self.answer(episode, record, bound, told)
        return episode

    def _tell(
        self, record: Mapping[str, Any], reason: str, summary: str, bound: BoundClause | None, told: Told
    ) -> None:
        if record["event_id"]:
            told.hear(verdict_of(heard(record, reason, summary), record["system"], bound, self._time.now))
