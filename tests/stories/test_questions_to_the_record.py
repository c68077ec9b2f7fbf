"""What analysts and auditors ask of the record, without anybody's help: by commands and by SQL.

Held here: decisions made on stale data as a list, what allowed a decision and who answers for it, the five signals, the
inventory of what runs within a minute, approvals with what they allowed, a record that can be verified, legal holds, a
person's data that can be erased without breaking the proof, and terms that are tried on history before they are signed.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from seamwatch.testing import event_id
from tests.stories.conftest import Estate, command
from tests.stories.lending import AGREED

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_decisions_made_on_stale_data_are_listed(estate: Estate) -> None:
    listed = estate.run("stale", "--system", "lender", "--json")
    assert listed.returncode == 1
    (stale,) = [json.loads(line) for line in listed.stdout.splitlines()]
    assert (stale["event_id"], stale["age_seconds"], stale["clause"]) == (
        event_id("lent700"),
        777_600,
        "as-old-as-agreed",
    )
    assert estate.run("stale", "--system", "scorer").returncode == 0


def test_who_approved_a_decision_and_who_answers_for_it_is_said_and_of_one_that_nobody_did(estate: Estate) -> None:
    why = estate.run("why", event_id("lent1"))
    assert why.returncode == 0
    for said in (
        "LOAN-1 by audit@example.org",
        "Example Risk (risk@example.org)",
        "lending@1",
        "then audit@example.org",
    ):
        assert said in why.stdout
    reworded = estate.run("why", event_id("lent1000"))
    assert reworded.returncode == 1
    assert "NONE: its configuration is" in reworded.stdout
    assert "prompt changed" in reworded.stdout
    (allowed,) = estate.rows("approvals", "--system", "lender")
    assert (allowed["config_digest"], allowed["events"]) == (AGREED, 1_179)


def test_five_signals_are_there_although_nobody_asked_for_them(estate: Estate) -> None:
    days = estate.rows("signals", "--system", "lender", "--days", "2")
    assert sum(int(day["events"]) for day in days) == 1_180
    for day in days:
        assert day["latency_p50_ms"] == pytest.approx(20, rel=0.02)
        assert (day["abuse_share"], day["fallback_share"], day["open_drift_episodes"]) == (0, 0, 1)
        assert day["outcomes"] in (0, None), "no outcome came, so accuracy is not known"


def test_what_starts_to_run_is_in_the_inventory_within_a_minute(estate: Estate) -> None:
    began = time.monotonic()
    estate.emit(type="inference", system="price-trial", version="7", score=0.4)

    def seen() -> bool:
        return "price-trial" in {row["system"] for row in estate.rows("inventory", "--unregistered")}

    estate.until(seen, "it is not in the inventory")
    assert time.monotonic() - began < 60
    assert estate.run("owner", "price-trial").returncode == 1


def test_an_analyst_asks_in_sql_and_can_change_nothing(estate: Estate) -> None:
    (row,) = estate.rows(
        "sql", "SELECT version, cohort, count() AS decisions FROM inference WHERE system = 'lender' GROUP BY ALL"
    )
    assert (row["version"], row["cohort"], int(row["decisions"])) == ("1", "north", 1_180)
    refused = estate.run("sql", "ALTER TABLE inference DELETE WHERE system = 'lender'")
    assert refused.returncode == 1
    assert estate.run("verify").returncode == 0


def test_counsel_places_a_hold_and_one_on_a_misspelt_system_is_refused(estate: Estate) -> None:
    held = estate.run("store", "hold", "add", "--by", "counsel", "--reason", "case 17", "--system", "lender")
    assert held.returncode == 0, held.stderr
    wrong = estate.run("store", "hold", "add", "--by", "counsel", "--reason", "case 17", "--system", "lendr")
    assert (wrong.returncode, "lender" in wrong.stderr) == (1, True), wrong.stderr
    assert [row["system"] for row in estate.rows("store", "hold", "list")] == ["lender"]


def test_terms_are_tried_on_history_before_anybody_signs_them(estate: Estate, tmp_path: Path) -> None:
    text = (estate.contracts / "lending.yaml").read_text()
    for name, line in (("now", "score >= 0.5"), ("tighter", "score >= 0.6")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "all.yaml").write_text(text.replace("when: score >= 0.5", f"when: {line}"))
    judged = command("replay", "--contracts", str(tmp_path / "tighter"), "--from-store", "--data", str(estate.data))
    assert judged.returncode == 1
    lines = [json.loads(line) for line in judged.stdout.splitlines()]
    assert any(v["clause"] == "line" and "score >= 0.6" in v["summary"] for v in lines)
    differs = command("contracts", "diff", str(tmp_path / "now"), str(tmp_path / "tighter"))
    assert (differs.returncode, "line" in differs.stdout) == (1, True)
