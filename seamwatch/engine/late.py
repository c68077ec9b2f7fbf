"""Late: the side count of events that came too late to change what was judged. Counts only; the host shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from seamwatch.engine.seams import BoundClause
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Input


@dataclass(frozen=True, slots=True)
class Late:
    """A clause that events of a system came too late for."""

    contract: str
    clause: str
    system: str


class LateCount:
    """Counts events by the clause that would have counted them. ``total``: all since the beginning."""

    def __init__(self) -> None:
        self._untaken: Counter[Late] = Counter()
        self._singly: dict[tuple[str, str, str, str], bool] = {}
        self.total = 0

    def add(self, bound: BoundClause, number: int) -> None:
        """So many more."""
        if number:
            self.total += number
            self._untaken[Late(bound.seam.contract, bound.clause.id, bound.seam.system)] += number

    def add_judged(self, bound: BoundClause, received: Input, late: int) -> None:
        """What a judgement calls late: of a window's fact all its events, but one by one where they are told so."""
        if late and isinstance(received, Fact) and not self._emitted_singly(bound, received):
            late = max(late, received.count)
        self.add(bound, late)

    def take(self) -> Mapping[Late, int]:
        """What was counted since the last call."""
        taken, self._untaken = self._untaken, Counter()
        return taken

    def forget_documents(self) -> None:
        """The documents have changed."""
        self._singly.clear()

    def _emitted_singly(self, bound: BoundClause, fact: Fact) -> bool:
        name = (fact.contract, fact.contract_version, fact.clause, fact.measure)
        if name not in self._singly:
            measures = (m for m in bound.clause.all_measures(bound.seam) if m.name == fact.measure)
            self._singly[name] = any(measure.evidence is None for measure in measures)
        return self._singly[name]
