"""The estate plays the same history every time, and its faults are where the stories say."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from importlib import resources
from itertools import pairwise

import pytest

from console.demo import timeline
from console.demo.agent import calls
from console.demo.configurations import (
    AGENT,
    ASSISTANT,
    ASSISTANT_ANNOUNCED,
    CREDIT,
    CREDIT_ANNOUNCED,
    CREDIT_SLIPPED,
    ELIGIBILITY,
    RENEWALS,
    digest,
)
from console.demo.models import Models, train
from console.demo.planned import Planned
from console.demo.producers import estate
from seamwatch.durations import HOUR
from seamwatch.wire.codec import Codec

ORIGIN = timeline.micros_of(timeline.NOMINAL_ORIGIN)


@pytest.fixture(scope="module")
def models() -> Models:
    return train()


@pytest.fixture(scope="module")
def history(models: Models) -> list[Planned]:
    return [event for producer in estate(ORIGIN, models) for event in producer.events]


def test_every_producer_publishes_in_time_order_and_within_the_history(models: Models) -> None:
    end = timeline.at(ORIGIN, timeline.LENGTH_DAYS + timeline.TAIL_DAYS)
    for producer in estate(ORIGIN, models):
        times = [event.at for event in producer.events]
        assert times, producer.name
        assert all(a <= b for a, b in pairwise(times)), producer.name
        assert times[0] >= ORIGIN
        assert times[-1] <= end


def test_two_runs_publish_the_same_events(models: Models, history: list[Planned]) -> None:
    again = [event for producer in estate(ORIGIN, models) for event in producer.events]
    assert again == history


def test_event_ids_are_unique_version_7_uuids(history: list[Planned]) -> None:
    ids = [event.event.event_id for event in history]
    assert len(set(ids)) == len(ids)
    assert {value[14] for value in ids} == {"7"}


def test_every_event_fits_its_schema(history: list[Planned]) -> None:
    codec = Codec()
    for event in history[:: max(1, len(history) // 2_000)]:
        assert (
            codec.decode(event.event.type, codec.encode(event.event.type, event.event.record()))["event_id"]
            == event.event.event_id
        )


def test_the_rate_on_the_wall_is_modest(history: list[Planned]) -> None:
    assert len(history) / timeline.wall_seconds(timeline.at(0, timeline.LENGTH_DAYS + timeline.TAIL_DAYS)) < 2_000


def test_the_eligibility_feed_is_silent_for_nine_days_and_decisions_go_on(history: list[Planned]) -> None:
    refreshes = [e.at for e in history if e.event.system == "eligibility-features"]
    silent = max(b - a for a, b in pairwise(refreshes))
    assert silent > timeline.at(0, 9)
    stale = [e for e in history if e.event.system == "eligibility-model" and e.at > timeline.at(ORIGIN, 9.5)]
    assert max(e.at - e.event.record()["data_as_of"] for e in stale) > timeline.at(0, 9)


def test_no_feed_ends_before_the_demo_has_stopped_waiting(history: list[Planned]) -> None:
    end = timeline.at(ORIGIN, timeline.LENGTH_DAYS + timeline.TAIL_DAYS)
    for system in ("eligibility-features", "credit-features", "renewals-features"):
        newest = max(e.event.record()["data_as_of"] for e in history if e.event.system == system)
        assert end - newest < 36 * HOUR, system


def test_the_swap_changes_scores_but_neither_version_nor_digest(history: list[Planned]) -> None:
    swapped = timeline.at(ORIGIN, timeline.MODEL_SWAPPED)
    effective = timeline.at(ORIGIN, timeline.PROMPT_EFFECTIVE)
    served = [e for e in history if e.event.system == "claims-assistant" and e.at >= effective]
    before = [e.event.record()["score"] for e in served if e.at < swapped]
    after = [e.event.record()["score"] for e in served if e.at >= swapped]
    assert len({(e.event.record()["version"], e.event.record()["config_digest"]) for e in served}) == 1
    assert sum(after) / len(after) < sum(before) / len(before) - 0.05


def test_only_strayed_calls_differ_from_the_real_ones() -> None:
    text = (resources.files("console.demo") / "data" / "retail-agent-calls.ndjson").read_text("utf-8")
    real = [
        (r["conversation"], r["step"], r["tool"], json.dumps(r["arguments"]))
        for r in map(json.loads, text.splitlines())
    ]
    played = [(c.conversation, c.step, c.tool, json.dumps(c.arguments)) for c in calls(ORIGIN) if not c.strays]
    assert set(played) <= set(real)
    strayed = Counter(c.tool for c in calls(ORIGIN) if c.strays)
    assert set(strayed) == {"issue_store_credit", "cancel_pending_order"}
    assert len(played) + sum(strayed.values()) == len(real) == 768


def test_the_digests_in_the_system_documents_are_those_of_the_configurations() -> None:
    text = (resources.files("console.demo") / "contracts" / "systems.yaml").read_text("utf-8")
    for configuration in (ELIGIBILITY, CREDIT, CREDIT_ANNOUNCED, RENEWALS, ASSISTANT, ASSISTANT_ANNOUNCED, AGENT):
        announced_only = configuration is ASSISTANT_ANNOUNCED
        assert (digest(configuration) in text) is not announced_only
    assert digest(CREDIT_SLIPPED) not in text


def test_contract_dates_move_with_the_origin() -> None:
    text = "approved_at: 2025-12-31, period: {from: 2026-01-05, to: 2026-01-09}"
    assert (
        timeline.moved(text, date(2026, 2, 5)) == "approved_at: 2026-01-31, period: {from: 2026-02-05, to: 2026-02-09}"
    )


def test_a_decision_that_is_held_up_is_made_on_data_of_the_same_age(history: list[Planned]) -> None:
    planned = next(e for e in history if e.event.system == "credit-model" and e.event.record()["data_as_of"])
    late = planned.delayed(planned.at + timeline.at(0, 1))
    record = late.event.record()
    assert record["event_time"] == late.at == planned.at + timeline.at(0, 1)
    assert late.at - record["data_as_of"] == planned.at - planned.event.record()["data_as_of"]
