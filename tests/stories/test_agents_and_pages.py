"""What people ask of agents and pages: an agent is stopped before it acts, and somebody answers when it is not.

Held here: a pact that the agent's own process asks and that the stream judges again, calls that wait for a person, an
escalation that climbs when nobody answers and stops when somebody does, and the trail of a conversation.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from seamwatch import Emitter
from seamwatch.guard import Denied, Escalated, Guard
from tests.stories.conftest import Estate
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def guard(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> Guard:
    """The guard of the desk, as the agent's own service makes it."""
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.setenv("SEAMWATCH_DATA", str(estate.data))
    emitter = Emitter("desk", spool=False)
    return Guard.load(estate.contracts, system="desk", version="1", emitter=emitter)


def test_an_agent_is_stopped_before_it_pays_too_much_and_the_attempt_is_on_record(estate: Estate, guard: Guard) -> None:
    talk = guard.conversation("talk-refused")
    with pytest.raises(Denied):
        talk.require("refund", {"user": "ada", "amount": 20}, confidence=0.9)
    talk.require("verify_identity", {"user": "ada"}, confidence=0.9)
    talk.require("refund", {"user": "ada", "amount": 20}, confidence=0.9)
    with pytest.raises(Denied) as denied:
        talk.require("refund", {"user": "ada", "amount": 500}, confidence=0.9)
    assert denied.value.verdict.clause == "no-large-refund"
    with pytest.raises(Escalated):
        talk.require("refund", {"user": "ada", "amount": 30}, confidence=0.2)

    estate.until(lambda: len(estate.rows("trail", "talk-refused")) == 5, "the calls are not on record")
    attempts = [v for v in estate.violations("no-large-refund", "desk") if v["slice"] == "talk-refused"]
    assert all(v["severity"] == "warning" for v in attempts), "what was denied was not done"


def test_a_call_that_was_made_all_the_same_pages_one_after_the_other_until_somebody_answers(estate: Estate) -> None:
    refund = json.dumps({"user": "eve", "amount": 900})
    estate.emit(
        type="tool_call", system="desk", version="1", tool="refund", arguments=refund,
        decision="allowed", trace_id="talk-made", confidence=0.9,
    )  # fmt: skip

    def told(person: str) -> list[str]:
        return [page for page in estate.pages(person) if "no-large-refund" in page]

    estate.until(lambda: bool(told("sales")), "the first person was not paged")
    estate.until(lambda: bool(told("audit")), "nobody answered, and the next person was not paged")

    def breach_of() -> dict[str, Any]:
        (found,) = [v for v in estate.violations("no-large-refund", "desk") if v["severity"] == "breach"]
        return found

    estate.until(lambda: breach_of()["state"] == "escalated", "the page came, and the record did not follow")
    breach = breach_of()
    assert breach["person"] == "audit@example.org"
    assert f"seamwatch ack {breach['violation_id']} --as audit@example.org" in told("audit")[0]

    answer = estate.run(
        "ack", breach["violation_id"][:13], "--as", "audit@example.org", "--note", "called the customer"
    )
    assert answer.returncode == 0, answer.stderr

    def state() -> list[str]:
        return [v["state"] for v in estate.violations("no-large-refund", "desk") if v["severity"] == "breach"]

    estate.until(lambda: state() == ["acknowledged"], "the answer was not heard")
    delivered = estate.rows(
        "sql", f"SELECT person, step FROM page WHERE violation_id = '{breach['violation_id']}' AND result = 'delivered'"
    )  # fmt: skip
    assert {(row["person"], row["step"]) for row in delivered} >= {("sales@example.org", 0), ("audit@example.org", 1)}


def test_a_drill_reaches_the_real_people_climbs_and_is_no_breach(estate: Estate) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(estate.run, "drill", "desk", "--as", "risk@example.org", "--json")

        def told(person: str) -> list[str]:
            return [page for page in estate.pages(person) if "DRILL" in page]

        # The first of the list has three seconds.
        estate.until(lambda: bool(told("audit")) or running.done(), "the drill did not climb")
        assert told("sales"), running.result().stderr if running.done() else "the first person was not told"
        (drilled,) = [row for row in estate.rows("violations") if row["severity"] == "drill"]
        answer = estate.run("ack", drilled["violation_id"], "--as", "audit@example.org", "--note", "practised")
        assert answer.returncode == 0, answer.stderr
        held = running.result(timeout=PATIENCE)
    # Nobody has written a runbook for it, which is what a drill is there to find.
    assert held.returncode == 1, held.stderr
    report = json.loads(held.stdout)
    came_to = {step["id"]: step["result"] for step in report["steps"]}
    assert came_to == {
        "detection": "passed", "escalation": "passed", "runbook": "failed", "offline": "passed",
        "reconstruct": came_to["reconstruct"],
    }  # fmt: skip
    assert (report["taken"]["person"], report["violation_id"]) == ("audit@example.org", drilled["violation_id"])
    assert {one["person"] for one in report["paged"]} == {"sales@example.org", "audit@example.org"}

    def state() -> str:
        (row,) = [row for row in estate.rows("violations") if row["violation_id"] == drilled["violation_id"]]
        return str(row["state"])

    estate.until(lambda: state() == "resolved", "the drill goes on")
    assert "drill" not in estate.run("violations", "--open").stdout.lower()
