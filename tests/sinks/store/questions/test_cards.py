"""A card's figures are those computed by hand from the raw history; what is not known says so."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pytest

from seamwatch.durations import DAY, HOUR, MINUTE
from sinks.store.questions.cards import Card, card, moved_on, schema
from sinks.store.questions.cards.figures import metric_of, standing
from sinks.store.questions.cards.model import Figure, Threshold
from sinks.store.questions.estate import estate_on_record
from sinks.store.questions.unjudged import Period
from tests.sinks.store.questions.judged import (
    AGENT,
    BASE,
    DATA,
    END,
    MODEL,
    NORTH,
    OWNER,
    RISK,
    SOUTH,
    STRAY,
    Judged,
)

WHEN = Period(BASE, END)


def made(day: Judged, system: str, period: Period = WHEN) -> Card:
    return card(day.store, estate_on_record(day.store), system, period, END + DAY)


@pytest.fixture(scope="module")
def lender(day: Judged) -> Card:
    return made(day, MODEL)


def figure(found: Card, metric: str, cohort: str | None = None) -> Figure:
    (one,) = [each for each in found.figures if (each.metric, each.cohort) == (metric, cohort)]
    return one


def by_hand(pairs: tuple[tuple[float, int], ...]) -> dict[str, float]:
    """Straight from scores and labels, with no code of ours."""
    # Here, since each worker that collects this file would wait two seconds for it.
    from sklearn.metrics import roc_auc_score

    scores, labels = np.array([s for s, _ in pairs]), np.array([label for _, label in pairs])
    edges = np.minimum((scores * 5).astype(int), 4)
    apart = sum(abs(scores[edges == n].sum() - labels[edges == n].sum()) for n in range(5))
    return {
        "accuracy": float((np.abs(scores - labels) < 0.5).mean()),
        "auc": float(roc_auc_score(labels, scores)),
        "brier": float(((scores - labels) ** 2).mean()),
        "calibration error": float(apart / len(pairs)),
    }


@pytest.mark.parametrize(("cohort", "pairs"), [("north", NORTH), ("south", SOUTH), (None, NORTH + SOUTH)])
def test_figures_are_those_of_the_raw_history(
    lender: Card, cohort: str | None, pairs: tuple[tuple[float, int], ...]
) -> None:
    for metric, expected in by_hand(pairs).items():
        found = figure(lender, metric, cohort)
        assert found.value == pytest.approx(expected, abs=1e-9), metric
        assert found.events == len(pairs)
        if (cohort, metric) == ("south", "brier"):
            assert (found.low, found.high) == (None, None)  # of squared errors that are all alike
        else:
            assert found.low is not None
            assert found.high is not None
            assert found.low <= expected <= found.high


def test_what_was_counted_on_paper() -> None:
    # North: 7 of 9 on the label's side; of 20 pairs one is ranked wrong; squared errors add up to 1.1025.
    assert by_hand(NORTH) == pytest.approx(
        {"accuracy": 7 / 9, "auc": 19 / 20, "brier": 0.1225, "calibration error": 1.65 / 9}
    )


def test_a_share_has_wilsons_interval(lender: Card) -> None:
    # 7 of 9, by Wilson's formula with z = 1.96: 0.4526 to 0.9368.
    found = figure(lender, "accuracy", "north")
    assert (found.low, found.high) == pytest.approx((0.4526, 0.9368), abs=1e-4)


def test_each_figure_stands_against_what_was_approved(lender: Card) -> None:
    auc = figure(lender, "auc", "north")
    assert auc.thresholds == (Threshold(source="System document", min=0.8, max=None),)
    assert auc.standing == "perhaps"  # 0.95, but of nine
    assert figure(lender, "auc", "south").standing == "perhaps"
    latency = figure(lender, "latency p95")
    assert (latency.value, latency.high, latency.events) == (40.0, None, 17)
    assert latency.thresholds[0].source == "lending@2/quick"
    assert figure(lender, "abuse").standing == "no threshold"
    assert (figure(lender, "abuse").value, figure(lender, "abuse").events) == (0.0, 23)


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (0.9, 0.85, 0.95, "within"), (0.9, 0.79, 0.95, "perhaps"), (0.7, 0.6, 0.79, "outside"),
        (0.7, 0.6, 0.81, "perhaps"), (0.9, None, None, "perhaps"), (None, None, None, "not known"),
    ],
)  # fmt: skip
def test_an_interval_that_has_the_threshold_in_it_proves_nothing(
    value: float | None, low: float | None, high: float | None, expected: str
) -> None:
    assert standing(value, low, high, [Threshold(source="", min=0.8, max=None)]) == expected
    assert standing(0.9, 0.8, 1.0, []) == "no threshold"


def test_metrics_are_known_by_their_usual_names() -> None:
    names = {"AUC": "auc", "roc_auc": "auc", "ECE": "calibration error", "Brier score": "brier", "psi": "psi"}
    assert {name: metric_of(name) for name in names} == names


def test_what_was_attested_and_what_never_was(lender: Card) -> None:
    told = [(one.metric, one.value, one.person, one.standing) for one in lender.attested]
    assert told == [("auc", 0.83, RISK, "within"), ("psi", None, None, "not known")]


def test_reliability_is_that_of_each_bin(lender: Card) -> None:
    south = next(one for one in lender.calibration if one.cohort == "south")
    (only,) = south.bins
    assert (only.count, only.said, only.happened) == (4, 0.5, 0.5)
    assert (only.low, only.high) == pytest.approx((0.1500, 0.8500), abs=1e-4)
    north = next(one for one in lender.calibration if one.cohort == "north")
    assert [one.count for one in north.bins] == [1, 2, 2, 2, 2]
    assert sum(one.count for one in lender.calibration[0].bins) == len(NORTH + SOUTH)


def test_who_answers_for_it_and_who_approved_it_on_what_basis(lender: Card) -> None:
    assert (lender.who.owner, lender.who.owner_name, lender.who.team) == (OWNER, "Example Owner", "lending")
    assert lender.who.purpose is not None
    assert len(lender.who.not_for) == 2
    (approval,) = lender.approvals
    assert (approval.approved_by, approval.standing, approval.evidence) == (
        RISK, "in force", "https://example.org/CR-1",
    )  # fmt: skip
    assert approval.events == 23


def test_what_happened_and_what_changed_since_the_approval(lender: Card) -> None:
    (incident,) = lender.incidents
    assert (incident.clause, incident.state, incident.resolved_at) == ("lending@2/quick", "resolved", BASE + 3 * HOUR)
    whats = [(one.what, one.at) for one in lender.changes if one.what != "published"]
    assert whats == [("announced", BASE + 2 * HOUR), ("served", BASE)]
    assert "0.5 → 0.6" in lender.changes[0].text


def test_the_data_that_it_stands_on_and_how_fresh_that_is(lender: Card) -> None:
    (data,) = lender.sources
    assert (data.dataset, data.data_as_of, data.refreshes) == (DATA, BASE, 2)
    assert (data.age_seconds, data.agreed_seconds) == (DAY / 1e6, DAY / 1e6)
    assert lender.decided_on is not None
    assert (lender.decided_on.events, lender.decided_on.most_seconds) == (23, 3600.0)


def test_limits_with_who_signed_them_and_what_could_not_be_judged(lender: Card) -> None:
    assert [one.clause for one in lender.limits] == ["quick", "right", "means-it", "spoken"]
    assert lender.limits[0].terms == {"signal": "latency", "max": 100, "window": "1h", "min_count": 5}
    assert {one.person for one in lender.signatories} >= {OWNER, RISK}
    assert ("lending@2/quick", "missing") in {(one.clause, one.why) for one in lender.unjudged}


def test_of_what_nobody_declared_everything_is_not_known_and_nothing_made_up(day: Judged) -> None:
    found = made(day, STRAY)
    assert (found.who.owner, found.who.purpose, found.approvals, found.sources) == (None, None, (), ())
    assert figure(found, "accuracy").why_unknown == "no outcome with a score is on record"
    assert figure(found, "latency p90").value == 40.0
    assert "no contract" in {one.why for one in found.unjudged}
    agent, data = made(day, AGENT), made(day, DATA)
    assert (agent.counted.calls, agent.counted.decisions, agent.decided_on) == (5, 0, None)
    assert [one.dataset for one in data.sources] == [DATA]


def test_of_no_events_no_figure_is_zero(day: Judged) -> None:
    found = made(day, MODEL, Period(BASE - 2 * DAY, BASE - DAY))
    assert {one.value for one in found.figures} == {None}
    assert {one.standing for one in found.figures} == {"not known"}


def test_its_json_is_of_the_documented_form_and_reads_as_the_same_card(lender: Card) -> None:
    text = lender.model_dump_json()
    jsonschema.validate(json.loads(text), schema())
    assert Card.model_validate_json(text) == lender
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(text) | {"as_of": 5}, schema())


def test_more_traffic_is_no_other_record_and_a_revoked_approval_is(day: Judged, lender: Card) -> None:
    again = made(day, MODEL, Period(BASE, END + MINUTE))
    assert moved_on(lender.basis, again) == []
    other = again.model_copy(update={"basis": {**again.basis, "approvals": "sha256:other"}})
    assert moved_on(lender.basis, other) == ["its approvals"]
