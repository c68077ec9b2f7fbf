"""What persons attested to have measured, for each metric that has a threshold in the System document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seamwatch.judging.patterns.spelling import meant
from sinks.store.questions.cards.figures import standing
from sinks.store.questions.cards.model import Attested, Threshold
from sinks.store.questions.rows import Micros, columns, rows

if TYPE_CHECKING:
    from seamwatch.documents import System
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class _Measured:
    metric: str | None
    value: float | None
    event_time: Micros
    person: str


_MEASURED: Final = f"""
SELECT {columns(_Measured)} FROM attestations
WHERE system = {{system:String}} AND kind = 'benchmark'
    AND event_time < fromUnixTimestamp64Micro({{until:Int64}}, 'UTC')
ORDER BY event_time DESC, event_id
"""


def attested(store: Store, declared: System | None, until: Micros) -> Iterator[Attested]:
    """The newest of each metric; without a value where nobody has attested any. Whether it counts, the judges say."""
    if declared is None or not declared.benchmark:
        return
    found = rows(store, _Measured, _MEASURED, {"system": declared.id, "until": str(until)})
    for benchmark in declared.benchmark:
        threshold = Threshold(source="System document", min=benchmark.min, max=benchmark.max)
        newest = next((one for one in found if meant(one.metric or "") == meant(benchmark.metric)), None)
        value = None if newest is None else newest.value
        yield Attested(
            metric=benchmark.metric,
            threshold=threshold,
            value=value,
            at=None if newest is None else newest.event_time,
            person=None if newest is None else newest.person,
            # One number, of which nobody says how sure it is.
            standing=standing(value, value, value, [threshold]),
        )
