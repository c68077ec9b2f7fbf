"""Figures, thresholds and standings of a card in words, the same in every form. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from seamwatch.durations import SECOND, format_duration
from seamwatch.judging.patterns.wording import number_text
from seamwatch.paging import measure_text
from sinks.store.questions.cards.model import (
    Approval,
    Attested,
    Calibration,
    Drift,
    Figure,
    Source,
    Standing,
    Threshold,
)

NOT_KNOWN: Final = "not known"
STANDINGS: Final[Mapping[Standing, str]] = {
    "within": "within",
    "outside": "outside",
    "perhaps": "not sure: its interval reaches beyond",
    "no threshold": "nothing approved",
    "not known": NOT_KNOWN,
}


def value_text(value: float, unit: str) -> str:
    """A number with its unit: shares as per cent, areas and squared errors with three places, times in ms."""
    if unit == "share":
        return f"{100 * value:.1f} %"
    return f"{number_text(round(value, 1))} ms" if unit == "ms" else f"{value:.3f}"


def figure_text(figure: Figure) -> str:
    """The value of a figure."""
    if figure.value is None:
        return f"{NOT_KNOWN}: {figure.why_unknown}"
    return value_text(figure.value, figure.unit)


def interval_text(figure: Figure) -> str:
    """Between what the true figure lies, with 95 % confidence."""
    if figure.value is None:
        return ""
    ends = [NOT_KNOWN if end is None else value_text(end, figure.unit) for end in (figure.low, figure.high)]
    return f"{NOT_KNOWN}: too few, or all alike" if set(ends) == {NOT_KNOWN} else " to ".join(ends)


def threshold_text(threshold: Threshold, unit: str = "") -> str:
    """What was approved, and by what."""
    bounds = []
    if threshold.min is not None:
        bounds.append(f"at least {value_text(threshold.min, unit) if unit else number_text(threshold.min)}")
    if threshold.max is not None:
        bounds.append(f"at most {value_text(threshold.max, unit) if unit else number_text(threshold.max)}")
    return f"{' and '.join(bounds)} ({threshold.source})"


def thresholds_text(figure: Figure) -> str:
    """All that was approved of a figure."""
    return "; ".join(threshold_text(each, figure.unit) for each in figure.thresholds)


def basis_text(one: Approval) -> str:
    """What an approval rests on: where the reasons are, and what was evaluated."""
    values = ", ".join(f"{name} {number_text(value)}" for name, value in one.baseline.items())
    return "; ".join(filter(None, (one.evidence, values and f"evaluated: {values}"))) or NOT_KNOWN


def attested_text(one: Attested) -> str:
    """What was attested of a metric."""
    return NOT_KNOWN if one.value is None else number_text(one.value)


def age_text(seconds: float | None) -> str:
    """An age, as a duration."""
    return NOT_KNOWN if seconds is None else format_duration(round(seconds * SECOND))


def source_standing(one: Source) -> str:
    """Whether data is as fresh as agreed."""
    if one.age_seconds is None:
        return f"{NOT_KNOWN}: no refresh is on record"
    if one.agreed_seconds is None:
        return "nothing was agreed"
    return "as fresh as agreed" if one.age_seconds <= one.agreed_seconds else "older than agreed"


def drift_text(one: Drift | None) -> str:
    """Whether the scores still look like those approved."""
    if one is None:
        return f"{NOT_KNOWN}: it gives no scores, or nothing of it is on record"
    if one.standing == "unwatched":
        return "unwatched: no clause is on whether its scores still look like those approved"
    if one.observed is None:
        return one.standing
    # To three places: an approved share has all of its digits, which nobody reads.
    observed, limit = (None if each is None else round(each, 3) for each in (one.observed, one.limit))
    assert observed is not None
    agreed = "" if limit is None else f", agreed {measure_text(limit, one.unit)}"
    return f"{one.standing}: moved to {measure_text(observed, one.unit)}{agreed}"


def terms_text(terms: Mapping[str, Any]) -> str:
    """What was agreed, term by term, as one would say it."""
    return "; ".join(f"{name.replace('_', ' ')}: {term_text(value)}" for name, value in terms.items())


def term_text(value: Any) -> str:
    """One value of a document: lists by commas, a time with two ends as such, truth as yes and no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if value.keys() == {"from", "to"}:
            return f"{term_text(value['from'])} to {term_text(value['to'])}"
        return ", ".join(f"{name} {term_text(each)}" for name, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(term_text, value))
    return str(value)


def calibration_text(one: Calibration) -> str:
    """How far scores are from what happens, how surely, and what chance alone would show."""
    error, low, high = (value_text(each, "share") for each in (one.error, one.low, one.high))
    return (
        f"off by {error} (95 % sure: {low} to {high}; chance alone would show {value_text(one.chance, 'share')}) over "
        f"{one.outcomes:,} outcome{'' if one.outcomes == 1 else 's'}"
    )


def cohort_text(cohort: str | None) -> str:
    """Whose figure it is."""
    return "all" if cohort is None else cohort
