"""The values between stages go over the wire and come back."""

from __future__ import annotations

from seamwatch.judging.model.facts import (
    Evidence,
    Fact,
    ForwardedEvent,
    InputPartitions,
    Measurement,
    Violation,
    Watermark,
)
from seamwatch.judging.records import measurement_of, measurement_record, violation_of, violation_record
from seamwatch.testing import T0, config_change
from seamwatch.wire.codec import Codec

CODEC = Codec()


def test_a_measurement_comes_back_whole() -> None:
    change = CODEC.decode("config_change", CODEC.encode("config_change", config_change().record()))
    measurement = Measurement(
        T0,
        (
            Watermark("seamwatch.inference", 1, 42, T0 - 1, caught_up=True),
            Watermark("seamwatch.outcome", 0, 7, T0 - 1, caught_up=False, progress=T0 - 3, waiting=T0 - 2),
        ),
        (
            Fact("c", "1", "d", "range", "scorer", None, T0, 60, 10, 2, T0, T0 + 5, 3.5, 0.1, 0.9, (1, 2),
                 (Evidence(T0, "e1", "seamwatch.inference", 1, 41, 0.9), Evidence(T0, "e2")), "score"),
        ),
        (ForwardedEvent("config_change", change, "seamwatch.config_change", 0, 7),),
        T0 - 9,
        inputs=InputPartitions(T0 - 4, (("seamwatch.inference", 4), ("seamwatch.outcome", 1))),
    )  # fmt: skip
    value = CODEC.encode("measurement", measurement_record(measurement, CODEC))
    again = measurement_of(CODEC.decode("measurement", value), CODEC)
    assert again == measurement
    assert again.facts[0].evidence[0].offset == 41


def test_a_measurement_of_a_release_that_knew_no_inputs_says_nothing_of_them() -> None:
    value = CODEC.encode("measurement", {"measured_at": T0})
    assert measurement_of(CODEC.decode("measurement", value), CODEC) == Measurement(T0)


def test_a_violation_comes_back_but_for_what_its_evidence_only_refers_to() -> None:
    violation = Violation(
        "v1", "c", "1", "d", "range", "range", "scorer", "cohort-a", "breach", "open", 1.5, 1.0, "score",
        "The score is out of range.", T0, None, T0 + 9, "owner@example.org", 1,
        evidence=(Evidence(T0, "e1", "seamwatch.inference", 1, 41),),
    )  # fmt: skip
    again = violation_of(CODEC.decode("violation", CODEC.encode("violation", violation_record(violation))))
    assert again.evidence[0].event_id == "e1"
    assert again.evidence[0].offset == 41
    assert violation_record(again) == violation_record(violation)
