"""From what was measured to figures with intervals, each held against what was approved. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from seamwatch.clauses.calibration import Calibration as Calibrated
from seamwatch.clauses.signal import Signal
from seamwatch.documents import Contract, System
from seamwatch.judging.patterns.intervals import wilson
from seamwatch.judging.patterns.spelling import meant
from seamwatch.judging.patterns.wording import number_text
from seamwatch.statistics.reliability import BILLION, Reliability
from sinks.store.questions.cards.estimates import Estimate, area, mean, share
from sinks.store.questions.cards.measuring import Decided, Known
from sinks.store.questions.cards.model import Bin, Calibration, Figure, Standing, Threshold

_ACCURACY, _AREA, _BRIER, _ERROR = "accuracy", "auc", "brier", "calibration error"
_SPELT: Final[Mapping[str, str]] = {
    "acc": _ACCURACY, "roc auc": _AREA, "auroc": _AREA, "brier score": _BRIER, "ece": _ERROR,
    "expected calibration error": _ERROR,
}  # fmt: skip
"""Other names of figures that are computed here."""
LIVE: Final = frozenset({_ACCURACY, _AREA, _BRIER, _ERROR, "abuse", "fallback", "human review"})
QUANTILE: Final = 0.95
"""The quantile of the latency that is told where no clause is on another."""


@dataclass(frozen=True, slots=True)
class Approved:
    """Thresholds by the metric that they are of; and the quantiles of the latency, and the bins, that are agreed."""

    thresholds: Mapping[str, tuple[Threshold, ...]]
    quantiles: tuple[float, ...]
    bins: int
    range: tuple[float, float]


def approved(declared: System | None, contracts: Iterable[Contract]) -> Approved:
    """What the System document and the contracts in force agree on."""
    found: dict[str, list[Threshold]] = {}
    quantiles, bins, scores = set(), 10, (0.0, 1.0)
    for benchmark in () if declared is None else declared.benchmark:
        agreed = Threshold(source="System document", min=benchmark.min, max=benchmark.max)
        found.setdefault(metric_of(benchmark.metric), []).append(agreed)
    for contract in contracts:
        for clause in contract.clauses:
            source = f"{contract.id}@{contract.version}/{clause.id}"
            if isinstance(clause, Calibrated):
                bins, scores = clause.bins, clause.range
                found.setdefault(_ERROR, []).append(Threshold(source=source, min=None, max=clause.max_error))
            elif isinstance(clause, Signal) and clause.signal != "drift":
                quantiles |= {clause.quantile} if clause.signal == "latency" else set()
                metric = latency_name(clause.quantile) if clause.signal == "latency" else clause.signal
                found.setdefault(metric, []).append(Threshold(source=source, min=clause.min, max=clause.max))
    thresholds = {metric: tuple(those) for metric, those in found.items()}
    return Approved(thresholds, tuple(sorted(quantiles)) or (QUANTILE,), bins, scores)


def metric_of(name: str) -> str:
    """The figure that a benchmark's metric is, or its own name for one that is not computed here."""
    spelt = meant(name).replace("_", " ").replace("-", " ")
    return _SPELT.get(spelt, spelt if spelt in LIVE else name)


def latency_name(quantile: float) -> str:
    """What a quantile of the latency is called."""
    return f"latency p{number_text(100 * quantile)}"


def figures(
    decided: Sequence[Decided], known: Sequence[Known], errors: Sequence[Calibration],
    agreed: Approved,
) -> list[Figure]:  # fmt: skip
    """Every figure, of all events and then of each cohort."""
    whose: list[str | None] = [None]
    whose += [one.cohort for one in decided if not one.overall and one.cohort is not None]
    return [figure for cohort in whose for figure in _of_cohort(cohort, decided, known, errors, agreed)]


def _of_cohort(
    cohort: str | None, decided: Sequence[Decided], known: Sequence[Known],
    errors: Sequence[Calibration], agreed: Approved,
) -> Iterator[Figure]:  # fmt: skip
    outcome = next((one for one in known if _is(one, cohort)), None)
    error = next((one for one in errors if one.cohort == cohort), None)
    of = next((one for one in decided if _is(one, cohort)), None)
    none = "no outcome with a score is on record"

    def figure(metric: str, unit: Literal["share", "area", "squared", "ms"], one: Estimate | None, why: str) -> Figure:
        return _figure(metric, cohort, unit, one, why, agreed.thresholds.get(metric, ()))

    right = None if outcome is None else share(outcome.right, outcome.judged)
    yield figure(_ACCURACY, "share", right, none)
    ranked = None
    if outcome is not None and outcome.area is not None:
        won = outcome.area * outcome.positives * outcome.negatives
        ranked = area(won, outcome.positives, outcome.negatives)
    yield figure(_AREA, "area", ranked, none if outcome is None else "of both labels, 0 and 1, one is missing")
    brier = None if outcome is None else mean(outcome.squared, outcome.fourth, outcome.outcomes)
    yield figure(_BRIER, "squared", brier, none)
    calibrated = None if error is None else Estimate(error.error, error.low, error.high, error.outcomes)
    yield figure(_ERROR, "share", calibrated, none)
    for place, quantile in enumerate(agreed.quantiles):
        timed = None
        if of is not None and of.latencies and (value := of.latencies[place][0]) is not None:
            timed = Estimate(value, *of.latencies[place][1:], of.timed)
        yield figure(latency_name(quantile), "ms", timed, "no decision says how long it took")
    for metric in ("abuse", "fallback", "human_review"):
        hits = None if of is None else share(getattr(of, metric), of.events)
        yield figure(metric.replace("_", " "), "share", hits, "no decision is on record")


def _is(one: Decided | Known, cohort: str | None) -> bool:
    return bool(one.overall) if cohort is None else not one.overall and one.cohort == cohort


def _figure(
    metric: str, cohort: str | None, unit: Literal["share", "area", "squared", "ms"], one: Estimate | None, why: str,
    thresholds: tuple[Threshold, ...],
) -> Figure:  # fmt: skip
    value, low, high, events = (None, None, None, 0) if one is None else (one.value, one.low, one.high, one.count)
    return Figure(
        metric=metric, cohort=cohort, value=value, low=low, high=high, unit=unit, events=events,
        standing=standing(value, low, high, thresholds), thresholds=thresholds,
        why_unknown=why if one is None else None,
    )  # fmt: skip


def standing(value: float | None, low: float | None, high: float | None, thresholds: Iterable[Threshold]) -> Standing:
    """How a figure and its interval lie to the thresholds; where the interval has no end, it reaches for ever."""
    agreed = list(thresholds)
    if value is None:
        return "not known"
    if not agreed:
        return "no threshold"
    low, high = float("-inf") if low is None else low, float("inf") if high is None else high
    least = max((one.min for one in agreed if one.min is not None), default=float("-inf"))
    most = min((one.max for one in agreed if one.max is not None), default=float("inf"))
    if high < least or low > most:
        return "outside"
    return "within" if least <= low and high <= most else "perhaps"


def calibrations(known: Iterable[Known], bins: int) -> list[Calibration]:
    """The error of the scores of all outcomes, and of each cohort's, with their bins; those of all first."""
    return [_calibration(one, bins) for one in known if one.bins and (one.overall or one.cohort is not None)]


def _calibration(of: Known, bins: int) -> Calibration:
    cohort, held = None if of.overall else of.cohort, dict(zip(of.bins, range(len(of.bins)), strict=True))
    columns = (
        [values[held[n]] if n in held else 0 for n in range(bins)] for values in (of.counts, of.said, of.happened)
    )
    reliability = Reliability().plus(*columns)
    low, high = reliability.interval()
    return Calibration(
        cohort=cohort, outcomes=reliability.size, error=reliability.error(), low=low, high=high,
        chance=reliability.chance(), bins=tuple(_bin(reliability, n) for n in sorted(held)),
    )  # fmt: skip


def _bin(reliability: Reliability, number: int) -> Bin:
    said, happened = reliability.of_bin(number)
    count = reliability.counts[number]
    # Labels between 0 and 1 count by their parts, as in the share itself.
    low, high = wilson(round(reliability.happened[number] / BILLION), count)
    return Bin(count=count, said=said, happened=happened, low=low, high=high)
