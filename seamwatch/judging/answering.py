"""Answering: what an acknowledgement does to the episode that it names, now or once that is opened.

Whether it counts (who answers, and the signature) and what becomes of the episode; the entry it lies in is the judge's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seamwatch.judging.answers import Answers
from seamwatch.judging.episodes import Episode, acknowledge_episode
from seamwatch.judging.seams import BoundClause, Seams
from seamwatch.judging.stream_time import StreamTime
from seamwatch.signatures import acknowledgement_counts


class Answering:
    """The answers that one judge hears. ``seams`` are replaced with the documents."""

    def __init__(self, seams: Seams, time: StreamTime) -> None:
        self.seams = seams
        self.early = Answers()
        """Those that came before their violation was opened."""
        self._time = time

    def wait(self, record: Mapping[str, Any]) -> None:
        """Keep an answer until its violation is opened."""
        self.early.keep(record, self._time.now)

    def answer(self, episode: Episode, record: Mapping[str, Any], bound: BoundClause | None) -> Episode:
        """The episode after an answer; ``bound``: the clause in force, whose list may answer as well."""
        person = record["person"]
        if not acknowledgement_counts(record, self.seams.keys_of(person)):
            return episode
        also = () if bound is None else tuple(step.person for step in bound.seam.escalation)
        return acknowledge_episode(episode, person, record["answer"], record["event_time"], self._time.now, also=also)

    def answered(self, before: Sequence[Episode], after: Sequence[Episode], bound: BoundClause) -> tuple[Episode, ...]:
        """The episodes ``after``, those that are not among ``before`` with the answers that came earlier."""
        known = {episode.violation.violation_id for episode in before}
        answered = []
        for episode in after:
            new = episode
            if episode.violation.violation_id not in known:
                for record in self.early.take(episode.violation.violation_id):
                    new = self.answer(new, record, bound)
            answered.append(new)
        return tuple(answered)
