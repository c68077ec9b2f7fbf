"""What people ask of a running estate, from their side: each test is one demand, through the commands they use."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from seamwatch.instants import parse_instant
from seamwatch.testing import event_id
from tests.stories.conftest import HOUR, Estate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_data_that_stops_is_told_in_silence(estate: Estate) -> None:
    (late,) = [v for v in estate.violations("fresh") if v["severity"] == "breach"]
    assert (late["state"] in ("open", "escalated"), late["person"]) == (True, "owner@example.org")
    assert parse_instant(late["opened_at"]) == estate.began + 7 * HOUR, "three hours after the last refresh"


def test_a_declared_data_set_that_never_came_is_told(estate: Estate) -> None:
    (never,) = estate.violations("rows", "archive")
    assert never["observed"] == 0
    assert never["summary"].startswith("archive: 0 rows in the 2 h from ")


def test_demographic_bounds_that_cannot_be_checked_any_more_are_told(estate: Estate) -> None:
    told = {v["slice"]: v["summary"] for v in estate.violations("who")}
    assert "cohort 'south' is no longer reported" in told["south"]
    assert "names a cohort for 0 of its 1,000 rows" in told["features"]


def test_a_source_that_was_excluded_is_known_however_it_is_spelt(estate: Estate) -> None:
    (source,) = estate.violations("sources")
    assert (source["slice"], source["severity"]) == ("Partner-Legacy ", "breach")


def test_what_a_score_means_is_judged_of_the_newest_outcomes_too(estate: Estate) -> None:
    (means,) = estate.violations("means")
    assert "over the newest 200 outcomes" in means["summary"]
    (valid,) = estate.violations("valid")
    assert valid["observed"] == 1.4


def test_the_owner_of_any_system_is_named_within_a_minute(estate: Estate) -> None:
    began = time.monotonic()
    (owner,) = estate.rows("owner", "scorer")
    assert time.monotonic() - began < 60
    assert "lead@example.org" in json.dumps(owner)


def test_what_runs_unregistered_is_in_the_inventory_and_names_whom_it_may_be(estate: Estate) -> None:
    names = {row["system"] for row in estate.rows("inventory", "--unregistered")}
    assert "Scorer" in names
    (stray,) = estate.violations("approval", "Scorer")
    assert stray["summary"].endswith("it differs from the declared 'scorer' by blanks or capitals")


def test_an_agent_that_goes_beyond_its_pact_is_told_with_the_calls(estate: Estate) -> None:
    (scope,), (rate,), (person,) = (estate.violations(clause, "helper") for clause in ("tools", "few", "person"))
    assert event_id("c5") in json.dumps(scope["evidence"])
    assert (rate["observed"], rate["limit"]) == (4, 3)
    assert event_id("c6") in json.dumps(person["evidence"])
    trail = estate.rows("trail", "talk-1")
    assert [row["what"].partition(":")[0] for row in trail] == ["find", "pay", "pay", "pay", "pay", "erase", "find"]


def test_a_review_that_is_attested_ends_its_breach(estate: Estate) -> None:
    (late,) = estate.violations("looked-at")
    assert late["person"] == "reviewer@example.org"
    refused = estate.run("attest", "review", "meaning#looked-at", "--as", "lead@example.org")
    assert refused.returncode == 1
    assert "it is for reviewer@example.org to attest" in refused.stderr
    done = estate.run("attest", "review", "meaning#looked-at", "--as", "reviewer@example.org")
    assert done.returncode == 0, done.stderr
    estate.until(lambda: estate.violations("looked-at")[-1]["state"] == "resolved", "the review was not heard")


def test_a_benchmark_below_what_was_approved_is_a_breach(estate: Estate) -> None:
    done = estate.run("attest", "benchmark", "meaning#auc", "--value", "0.71", "--as", "lead@example.org")
    assert done.returncode == 0, done.stderr

    def told() -> bool:
        return any(v["observed"] == 0.71 and v["limit"] == 0.8 for v in estate.violations("auc"))

    estate.until(told, "the measurement was not judged")


def test_a_hand_over_that_says_nothing_is_refused_at_the_gate(estate: Estate) -> None:
    done = estate.run("gate", "scorer", "--contracts", str(estate.contracts), "--version", "1", "--json")
    assert done.returncode == 1
    reasons = [finding["reason"] for finding in json.loads(done.stdout)["findings"]]
    assert any("'ask the lead' is no link" in reason for reason in reasons)
    assert any(finding["rule"] == "open-breach" for finding in json.loads(done.stdout)["findings"])


def test_a_violation_can_be_proven_to_an_outsider(estate: Estate, tmp_path: Path) -> None:
    (source,) = estate.violations("sources")
    proof = tmp_path / "proof"

    def written() -> bool:
        return estate.run("evidence", "--violation", source["violation_id"], "--out", str(proof)).returncode == 0

    estate.until(written, "it was not signed for")
    shown = estate.run("verify", "--proof", str(proof))
    assert shown.returncode == 0, shown.stderr
    assert "Partner-Legacy" in shown.stdout
