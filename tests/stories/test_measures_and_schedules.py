"""What people ask of agents and systems over time: that permissions are looked at, and that conduct is measured.

Held here: reviews on a schedule, of what an agent may do and of a system by its own document; how often an agent went
beyond its scope and whether it handed over, by version; one decision with all that it led to; and a dashboard that asks
the tables which the commands ask.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
import urllib3

from seamwatch.instants import parse_instant
from seamwatch.testing import event_id
from tests.stories.conftest import HOUR, Estate
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_what_an_agent_may_do_is_reviewed_on_a_schedule(estate: Estate) -> None:
    late = estate.violations("permissions", "helper")[-1]
    assert (late["kind"], late["person"]) == ("review", "reviewer@example.org")
    assert late["summary"].startswith("helper: reviewer@example.org has not reviewed it since ")
    done = estate.run("attest", "review", "pact#permissions", "--as", "reviewer@example.org")
    assert done.returncode == 0, done.stderr
    estate.until(lambda: estate.violations("permissions")[-1]["state"] == "resolved", "the review was not heard")


def test_a_system_is_reviewed_as_its_own_document_says_without_any_contract(estate: Estate) -> None:
    (late, *_) = estate.violations("review", "features")
    assert (late["contract"], late["person"]) == ("schedule", "owner@example.org")
    assert parse_instant(late["opened_at"]) == estate.began + HOUR // 2 + 4 * HOUR, "from its first refresh on"
    refused = estate.run("attest", "review", "--system", "features", "--as", "lead@example.org")
    assert (refused.returncode, "it is for owner@example.org to attest" in refused.stderr) == (1, True), refused.stderr
    done = estate.run("attest", "review", "schedule#review", "--system", "features", "--as", "owner@example.org")
    assert done.returncode == 0, done.stderr
    estate.until(
        lambda: all(v["state"] == "resolved" for v in estate.violations("review", "features")), "it was not heard"
    )


def test_how_often_an_agent_goes_beyond_its_scope_and_hands_over_is_a_figure_by_version(estate: Estate) -> None:
    (rate,) = estate.rows(
        "sql",
        "SELECT version, count() AS calls, countIf(event_id IN (SELECT arrayJoin(evidence).event_id FROM violations "
        "WHERE kind = 'scope')) AS beyond FROM tool_call WHERE system = 'helper' GROUP BY version",
    )
    assert (rate["version"], int(rate["calls"]), int(rate["beyond"])) == ("1", 8, 1)
    (person,) = estate.violations("person", "helper")
    assert "so far 0 of 1 hand-overs due were made (recall 0 %)" in person["summary"]
    (served,) = [row for row in estate.rows("signals", "--system", "helper", "--days", "2") if row["calls"]][:1]
    assert (served["version"], served["events"]) == ("1", 0), "an agent that only calls tools has its calls counted"


def test_one_decision_is_shown_with_what_it_led_to_and_what_allowed_each_of_both(estate: Estate) -> None:
    trail = estate.rows("trail", "talk-2")
    assert [(row["system"], row["event_id"], row["parent_id"], row["approval_id"]) for row in trail] == [
        ("scorer", event_id("d12"), None, "CR-1"), ("helper", event_id("after d12"), event_id("d12"), None),
    ]  # fmt: skip


def test_a_dashboard_asks_the_same_tables_as_the_commands_and_may_only_read(estate: Estate) -> None:
    url = urlsplit(json.loads((estate.data / "run.json").read_text())["auditor"])
    address = f"{url.scheme}://{url.hostname}:{url.port}/?database={url.path.strip('/')}"
    who = urllib3.make_headers(basic_auth=f"{url.username}:{url.password}")

    def panel(query: str) -> urllib3.BaseHTTPResponse:
        return urllib3.request("POST", address, body=query, headers=who, timeout=PATIENCE)

    shown = panel("SELECT violation_id FROM violations WHERE system = 'archive' FORMAT JSONEachRow")
    assert shown.status == 200, shown.data
    ids = {json.loads(line)["violation_id"] for line in shown.data.splitlines()}
    assert ids == {v["violation_id"] for v in estate.rows("violations", "--system", "archive")}
    assert ids
    assert panel("ALTER TABLE violation DELETE WHERE 1").status >= 400
