"""What comes too late to change what was judged is counted where it can be seen: a metric at once, the log in time."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from structlog.testing import capture_logs

from seamwatch.judging.late import Late
from streams.late import EVERY_SECONDS, LINES, LateEvents
from streams.metrics import Metrics

SCORER = Late("credit-limits", "valid", "scorer")


class _Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def moment() -> _Time:
    return _Time()


def counted(metrics: Metrics) -> dict[tuple[str, ...], float]:
    samples = [sample for metric in metrics.too_late.collect() for sample in metric.samples]
    return {tuple(s.labels.values()): s.value for s in samples if s.name == "seamwatch_judge_too_late_total"}


def test_each_clause_has_a_count_of_its_own(moment: _Time) -> None:
    metrics = Metrics("judge")
    late = LateEvents(metrics, moment)
    late.add({SCORER: 3})
    late.add({SCORER: 2, Late("credit-limits", "fresh", "scorer"): 1})
    assert counted(metrics) == {("credit-limits", "valid", "scorer"): 5, ("credit-limits", "fresh", "scorer"): 1}


def test_the_log_says_so_at_once_and_then_every_so_often(moment: _Time) -> None:
    late = LateEvents(Metrics("judge"), moment)
    with capture_logs() as logs:
        for number in (3, 2, 4):
            late.add({SCORER: number})
            late.tell()
            moment.now += EVERY_SECONDS / 2
        late.tell()
    assert [(line["contract"], line["clause"], line["system"], line["events"]) for line in logs] == [
        ("credit-limits", "valid", "scorer", 3),
        ("credit-limits", "valid", "scorer", 6),
    ]


def test_many_clauses_are_summed_up(moment: _Time) -> None:
    late = LateEvents(Metrics("judge"), moment)
    late.add(Counter({Late("c", "valid", f"s{number}"): number + 1 for number in range(LINES + 2)}))
    with capture_logs() as logs:
        late.tell()
    lines: list[Any] = list(logs)
    assert [line["system"] for line in lines[:2]] == [f"s{LINES + 1}", f"s{LINES}"]
    assert (lines[-1]["others"], lines[-1]["events"]) == (2, 3)
