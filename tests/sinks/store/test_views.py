"""The questions, asked of what was recorded: by SQL and by the commands."""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from console.app import build
from seamwatch.clock import SystemClock
from seamwatch.documents import documents_of, load_folder, published
from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.errors import SeamwatchError, UnreachableError, UsageError
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import Violation
from seamwatch.judging.model.text import violation_object
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.judging.records import violation_record
from seamwatch.signatures import PublicKey, acknowledgement_counts, approval_bytes, change_digest, change_signed_by
from seamwatch.testing import event_id
from seamwatch.wire.schemas import schema
from sinks.decoding import decoding
from sinks.record.stage import Recorder
from sinks.store.questions.rows import micros
from tests.sinks.estate import Estate, committed, estate, everything
from tests.sinks.samples import CODEC, NOW, inference, violation
from tests.waiting import PATIENCE, wait_for

BOB = Ed25519PrivateKey.from_private_bytes(b"b" * 32)
APPROVED = b64encode(
    BOB.sign(
        approval_bytes(
            {"system": "credit-risk", "version": "2.1", "config_digest": "abc", "id": "A-7", "key_id": "bob-1",
             "use_case": "consumer-credit", "approved_by": "bob@example.org", "person": "bob@example.org",
             "approved_at": "2026-01-10T00:00:00Z"}
        )
    )
).decode()  # fmt: skip
DOCUMENTS = f"""\
kind: Person
id: ann@example.org
name: Ann Example
channels: ["mailto://${{SEAMWATCH_CHANNEL_USER}}:${{SEAMWATCH_CHANNEL_SECRET}}@example.org", "json://127.0.0.1/hook"]
---
kind: Person
id: bob@example.org
name: Bob Example
keys:
  - key_id: bob-1
    public: {b64encode(BOB.public_key().public_bytes_raw()).decode()}
---
kind: System
id: credit-risk
type: model
owner: ann@example.org
team: lending
review: {{every: 90d, by: ann@example.org, last: 2026-01-15}}
depends_on: [credit-feed]
versions:
  - version: "2.1"
    config_digest: abc
    approvals:
      - id: A-7
        use_case: consumer-credit
        approved_by: bob@example.org
        approved_at: 2026-01-10T00:00:00Z
        signatures: [{{person: bob@example.org, key_id: bob-1, signature: {APPROVED}}}]
---
kind: System
id: credit-feed
type: dataset
owner: bob@example.org
---
kind: Rota
id: lending-on-call
owner: ann@example.org
time_zone: Europe/Berlin
starts: 2026-01-05
persons: [ann@example.org, bob@example.org]
---
kind: Contract
id: credit-data
version: 1
seam: data-to-model
covers: [credit-*]
parties: {{provider: {{team: data}}, consumer: {{team: lending}}}}
escalation:
  - {{person: ann@example.org, acknowledge_within: 30m}}
  - {{person: bob@example.org, acknowledge_within: 1h}}
  - {{rota: lending-on-call}}
clauses:
  - {{id: fresh, kind: freshness, of: inference, max_lag: 1h30m}}
  - {{id: told, kind: change_notice, kinds: [model], acknowledgers: [ann@example.org, bob@example.org]}}
  - {{id: held, kind: assertion, must: score >= 0, summary: {{every: 1d, to: bob@example.org, receipt_within: 1d12h}}}}
---
kind: Contract
id: defaults
version: ours
seam: operations
covers: ["*"]
parties: {{provider: {{}}, consumer: {{}}}}
escalation: [{{person: bob@example.org}}]
clauses:
  - {{id: shape, kind: distribution, reference: {{first: 7d}}}}
"""

DRIFTED = violation(
    7,
    violation_id="d" * 24,
    kind="distribution",
    clause="shape",
    system="credit-risk",
    observed=0.31,
    limit=0.2,
    unit="share",
    person="ann@example.org",
    opened_at=NOW - HOUR,
    since=NOW - 2 * HOUR,
)
STALE = violation(
    8,
    violation_id="5" * 24,
    person="bob@example.org",
    opened_at=NOW - 30 * MINUTE,
    state="resolved",
    resolved_at=NOW - 10 * MINUTE,
)


def decision(number: int, age: int, at: int, **fields: Any) -> dict[str, Any]:
    return inference(
        number,
        event_time=at,
        data_as_of=at - age,
        system="credit-risk",
        version="2.1",
        config_digest="abc",
        use_case="consumer-credit",
        trace_id="trace-1",
        latency_ms=10.0 * number,
        **fields,
    )


def verdict(answer: dict[str, Any], acknowledgement_id: str, reason: str, summary: str) -> bytes:
    """What the judge would write of an answer."""
    names = ("system", "of", "reference", "person", "answer")
    fields = {name: answer[name] for name in names} | {
        "acknowledgement_id": acknowledgement_id, "counted": reason == "counts", "reason": reason, "summary": summary,
        "contract": "credit-data", "contract_version": "1", "clause": "told",
        "answered_at": answer["event_time"], "judged_at": answer["event_time"] + 1_000_000,
    }  # fmt: skip
    return CODEC.encode("verdict", fields)


@pytest.fixture(scope="module")
def own(kafka: str, clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    folder = tmp_path_factory.mktemp("documents")
    (folder / "all.yaml").write_text(DOCUMENTS)
    loaded, problems = load_folder(folder)
    assert loaded is not None, problems
    with estate(kafka, clickhouse) as made:
        producer, topics = made.producer(), made.topics
        for key, value in published(documents_of(loaded), NOW - DAY):
            producer.produce(topics.contracts, value, key=key.encode())
        producer.flush(PATIENCE)  # what came before a document was published was not approved by it
        decisions = [
            decision(1, age=HOUR, at=NOW - 3 * HOUR),
            decision(2, age=2 * HOUR, at=NOW - 3 * HOUR),
            decision(3, age=HOUR, at=NOW - 20 * MINUTE, fallback=True),
            decision(4, age=HOUR, at=NOW - 5 * MINUTE, parent_id="x"),
        ]
        for record in decisions:
            producer.produce(topics.input("inference"), CODEC.encode("inference", record), key=b"credit-risk")
        send = [
            ("tool_call", {"system": "rogue-agent", "version": "9", "tool": "refund", "arguments": "{}",
                           "decision": "allowed", "trace_id": "trace-1"}),
            ("tool_call", {"system": "credit-risk", "version": "2.1", "config_digest": "abc", "tool": "lookup",
                           "arguments": "{}", "decision": "allowed"}),
            ("outcome", {"system": "credit-risk", "inference_id": decisions[0]["event_id"], "label": 1.0,
                         "observed_at": NOW}),
            ("outcome", {"system": "rogue-agent", "inference_id": decisions[0]["event_id"], "label": 0.0,
                         "observed_at": NOW}),
            ("config_change", {"system": "credit-risk", "change_id": "CH-1", "kind": "model", "effective_at": NOW,
                               "announced_by": "bob@example.org", "summary": "a new base model"}),
            ("acknowledgement", {"system": "credit-risk", "of": "change", "reference": "CH-1",
                                 "person": "ann@example.org", "answer": "accept", "event_time": NOW + 5_000_000}),
            ("acknowledgement", {"system": "credit-risk", "of": "violation", "reference": DRIFTED.violation_id,
                                 "person": "bob@example.org", "answer": "accept", "event_time": NOW + 6_000_000,
                                 "key_id": "bob-1", "signature": "AAAA"}),
            ("acknowledgement", {"system": "credit-feed", "of": "violation", "reference": DRIFTED.violation_id,
                                 "person": "ann@example.org", "answer": "accept", "event_time": NOW + 7_000_000}),
            # Repeated, and announced again with other content.
            ("config_change", {"system": "credit-risk", "change_id": "CH-1", "kind": "model", "effective_at": NOW,
                               "announced_by": "bob@example.org", "summary": "a new base model",
                               "event_time": NOW + 8_000_000}),
            ("config_change", {"system": "credit-risk", "change_id": "CH-1", "kind": "model", "effective_at": NOW,
                               "announced_by": "bob@example.org", "summary": "a new base model", "to_value": "3",
                               "event_time": NOW + 9_000_000}),
        ]  # fmt: skip
        for index, (kind, fields) in enumerate(send):
            record = {"event_id": event_id(f"r{index}"), "event_time": NOW, **fields}
            producer.produce(topics.input(kind), CODEC.encode(kind, record), key=str(fields["system"]).encode())
        for state in (DRIFTED, replace(STALE, state="open", resolved_at=None), STALE):
            value = CODEC.encode("violation", violation_record(state))
            producer.produce(topics.violations(state.kind), value, key=state.violation_id.encode())
        for step, person in enumerate(("ann@example.org", "bob@example.org")):
            page = {"violation_id": DRIFTED.violation_id, "step": step, "person": person, "channel": "console",
                    "sent_at": NOW - HOUR + (1 + step) * 1_000_000, "result": "delivered"}  # fmt: skip
            producer.produce(topics.page, CODEC.encode("page", page), key=DRIFTED.violation_id.encode())
        said = [
            ("r5", send[5][1], "unknown", "no change CH-1 of credit-risk was announced so far"),
            ("r5", send[5][1], "counts", "ann@example.org acknowledges model change CH-1"),
            ("r6", send[6][1], "wrong_signature", "the signature is none of key bob-1 of bob@example.org"),
            ("r7", send[7][1], "unknown", "no violation of credit-feed is open"),
        ]
        for name, answer, reason, summary in said:
            value = verdict(answer, event_id(name), reason, summary)
            producer.produce(topics.verdict, value, key=event_id(name).encode(), partition=0)
        assert producer.flush(PATIENCE) == 0
        recorder = Recorder(kafka, made.url, topics, decoding(CODEC, SystemClock()))
        thread = threading.Thread(target=recorder.run, daemon=True)
        thread.start()
        total = len(documents_of(loaded)) + len(decisions) + len(send) + 3 + 2 + len(said)
        wait_for(lambda: committed(made) == total, "recording")
        assert made.rows("SELECT * FROM dead_letter") == []
        yield made
        recorder.stop()
        thread.join(PATIENCE)


def test_the_inventory_has_what_runs_and_what_is_declared(own: Estate) -> None:
    rows = {row["system"]: row for row in own.rows("SELECT * FROM inventory")}
    assert set(rows) == {"credit-risk", "credit-feed", "rogue-agent"}
    risk, rogue, feed = rows["credit-risk"], rows["rogue-agent"], rows["credit-feed"]
    assert (risk["type"], risk["owner"], risk["events"], risk["registered"]) == ("model", "ann@example.org", 5, True)
    assert (risk["versions"], risk["config_digests"]) == (["2.1"], ["abc"])
    assert risk["last_review"].isoformat() == "2026-01-15T00:00:00+00:00"
    assert (rogue["type"], rogue["owner"], rogue["registered"]) == ("agent", "", False)
    assert (feed["events"], feed["last_seen"], feed["registered"]) == (0, None, True)


def test_stale_decisions_are_those_older_than_agreed_and_those_made_in_a_breach(own: Estate) -> None:
    rows = own.rows("SELECT subject, because, age_seconds, max_lag_seconds, violation_id, dataset FROM stale_decisions")
    assert sorted((row["subject"], row["because"], row["age_seconds"], row["max_lag_seconds"]) for row in rows) == [
        ("s2", "decision", 7200, 5400.0),
        ("s3", "dataset", 3600, None),
    ]
    assert {row["violation_id"] for row in rows} == {None, STALE.violation_id}


def test_an_episode_is_one_row_in_its_latest_state(own: Estate) -> None:
    rows = own.rows("SELECT violation_id, state FROM violations ORDER BY violation_id")
    assert [tuple(row.values()) for row in rows] == [(STALE.violation_id, "resolved"), (DRIFTED.violation_id, "open")]


def test_why_leads_from_a_decision_to_approval_contract_and_owner(own: Estate) -> None:
    (row,) = own.rows("SELECT * FROM why WHERE subject = 's1'")
    assert (row["approval_id"], row["approved_by"], row["owner"], row["owner_name"], row["contracts"]) == (
        "A-7",
        "bob@example.org",
        "ann@example.org",
        "Ann Example",
        ["credit-data@1"],
    )
    assert row["escalation"] == ["ann@example.org", "bob@example.org", "rota lending-on-call"]
    (unowned,) = own.rows("SELECT * FROM why WHERE system = 'rogue-agent'")
    assert (unowned["approval_id"], unowned["owner"]) == (None, "")


def test_a_trail_has_every_step_of_a_trace_in_order(own: Estate) -> None:
    rows = own.rows("SELECT type, system FROM trail WHERE trace_id = 'trace-1' ORDER BY event_time, type")
    assert [row["type"] for row in rows] == ["inference"] * 4 + ["tool_call"]


def test_answers_and_how_long_they_took(own: Estate) -> None:
    rows = own.rows("SELECT * FROM acknowledgement_latency ORDER BY of, person, asked_at")
    assert [(r["of"], r["person"], r["answer"], r["latency_seconds"], r["waiting"], r["refused"]) for r in rows] == [
        ("change", "ann@example.org", "accept", 5.0, False, 0),
        ("change", "ann@example.org", None, None, True, 0),
        ("change", "bob@example.org", None, None, True, 0),
        ("change", "bob@example.org", None, None, True, 0),
        ("violation", "ann@example.org", None, None, True, 1),
        ("violation", "bob@example.org", None, None, True, 1),
    ]
    (answer,) = own.rows("SELECT reference, summary, signed, counted, reason FROM acknowledgements WHERE of = 'change'")
    assert answer == {
        "reference": "CH-1", "summary": "a new base model", "signed": False, "counted": True, "reason": "counts",
    }  # fmt: skip


def test_an_answer_that_does_not_count_is_shown_as_none_wherever_answers_are(own: Estate) -> None:
    rows = own.rows(
        "SELECT person, signed, counted, reason, why FROM acknowledgements WHERE of = 'violation' ORDER BY 1"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("ann@example.org", False, False, "unknown",
         f"violation {DRIFTED.violation_id} is of credit-risk, and the answer names credit-feed"),
        ("bob@example.org", True, False, "wrong_signature", "the signature is none of key bob-1 of bob@example.org"),
    ]  # fmt: skip
    shown = run(own, "acknowledgements").stdout
    assert "an answer does not count: the signature is none of key bob-1" in shown
    assert "2 answers do not count" in shown
    assert "accept after 5 s" in shown
    refused = [json.loads(line) for line in run(own, "acknowledgements", "--refused", "--json").stdout.splitlines()]
    assert [row["person"] for row in refused] == ["ann@example.org", "bob@example.org"]
    waiting = [json.loads(line) for line in run(own, "acknowledgements", "--waiting", "--json").stdout.splitlines()]
    assert {(row["of"], row["person"]) for row in waiting} == {("change", "ann@example.org"),
        ("change", "bob@example.org"), ("violation", "ann@example.org"), ("violation", "bob@example.org"),
    }  # fmt: skip


def test_signals_drift_owners_and_approvals(own: Estate) -> None:
    signals = own.rows(
        "SELECT sum(events) AS e, max(fallback_share) AS f, max(open_drift_episodes) AS d FROM five_signals"
    )
    assert signals[0]["e"] == 4
    (calls,) = own.rows("SELECT * FROM five_signals WHERE system = 'rogue-agent'")
    assert (calls["version"], calls["events"], calls["calls"]) == ("9", 0, 1)
    assert {calls[name] for name in ("latency_p50_ms", "outcomes", "abuse_share", "fallback_share")} <= {None, 0}
    assert own.rows("SELECT sum(calls) AS n FROM five_signals WHERE system = 'credit-risk'") == [{"n": 1}]
    assert signals[0]["f"] > 0
    assert signals[0]["d"] == 1
    (brier,) = own.rows("SELECT brier, outcomes FROM five_signals WHERE outcomes > 0")
    assert brier == {"brier": pytest.approx((0.01 - 1) ** 2), "outcomes": 1}
    drift = {row["system"]: row for row in own.rows("SELECT * FROM drift_now")}
    assert drift["credit-risk"]["drift"] == "drifting"
    assert drift["credit-risk"]["person"] == "ann@example.org"
    assert (drift["rogue-agent"]["drift"], drift["rogue-agent"]["person"]) == ("steady", None)
    (stray,) = own.rows("SELECT * FROM owners WHERE system = 'rogue-agent'")
    assert (stray["contracts"], stray["escalation"]) == (["defaults@ours"], ["bob@example.org"])
    (owner,) = own.rows("SELECT * FROM owners WHERE system = 'credit-risk'")
    assert owner["contracts"] == ["credit-data@1"]
    assert owner["channels"] == ["mailto", "json"]
    assert owner["escalation"] == ["ann@example.org", "bob@example.org", "rota lending-on-call"]
    (approval,) = own.rows("SELECT * FROM approvals")
    assert (approval["approval_id"], approval["use_case"], approval["events"]) == ("A-7", "consumer-credit", 5)


def run(own: Estate, *arguments: str) -> Result:
    environment = {name: value for name, value in own.environment.items() if name.startswith("SEAMWATCH")}
    environment |= {"KAFKA_BOOTSTRAP_SERVERS": own.kafka, "CLICKHOUSE_URL": own.url}
    return CliRunner().invoke(build(), list(arguments), env=environment, catch_exceptions=False)


def test_violations_prints_what_replay_prints(own: Estate) -> None:
    result = run(own, "violations", "--json")
    assert result.exit_code == 1
    expected: list[Violation] = [STALE, DRIFTED]
    assert [json.loads(line) for line in result.stdout.splitlines()] == [violation_object(v) for v in expected]
    documented = {each.name: each for each in schema("violation").fields}
    for line in result.stdout.splitlines():
        printed = json.loads(line)
        assert list(printed) == list(documented)
        for each in printed["evidence"]:
            assert list(each) == [member.name for member in documented["evidence"].members]
    still = run(own, "violations", "--open", "--json").stdout.splitlines()
    assert [json.loads(line)["violation_id"] for line in still] == [DRIFTED.violation_id]
    with pytest.raises(SeamwatchError, match="'nobody' is neither declared nor was it seen"):
        run(own, "violations", "--system", "nobody")
    assert len(run(own, "violations", "--since", format_instant(NOW - 45 * MINUTE), "--json").stdout.splitlines()) == 1
    assert DRIFTED.summary in run(own, "violations").stdout


def test_owner_names_the_person_and_shows_no_secret(own: Estate) -> None:
    result = run(own, "owner", "credit-risk")
    assert result.exit_code == 0
    assert "Ann Example (ann@example.org), by mailto, json" in result.stdout
    assert "1. ann@example.org acknowledges within 30m" in result.stdout
    assert re.search(
        r"3\. rota lending-on-call: now (ann|bob)@example\.org, until Mon [0-9-]+ 09:00 CES?T, "
        r"then (ann|bob)@example\.org; acknowledges within 1h\n", result.stdout,
    )  # fmt: skip
    assert "SECRET" not in result.stdout
    assert run(own, "owner", "rogue-agent").exit_code == 1


def test_inventory_lists_what_nobody_declared(own: Estate) -> None:
    result = run(own, "inventory", "--unregistered", "--json")
    assert result.exit_code == 1
    assert [json.loads(line)["system"] for line in result.stdout.splitlines()] == ["rogue-agent"]
    assert run(own, "inventory").exit_code == 0


def test_sql_passes_formats_through(own: Estate) -> None:
    assert run(own, "sql", "SELECT 1 AS one", "--format", "CSV").stdout == "1\n"
    assert run(own, "sql", "SELECT 1 AS one FORMAT JSONEachRow;").stdout == '{"one":1}\n'
    assert run(own, "sql", "SELECT 1 AS one").stdout == "one\n1\n"


def test_an_acknowledgement_is_signed_found_by_a_prefix_and_counts(own: Estate, tmp_path: Path) -> None:
    key = tmp_path / "bob.key"
    key.write_text(b64encode(BOB.private_bytes_raw()).decode())
    before = set(everything(own.kafka, [own.topics.input("acknowledgement")]))
    typed = ["ack", "ddddddd", "--as", "bob@example.org", "--key", str(key), "--note", "on it", "--wait", "0s"]
    result = run(own, *typed)
    assert result.exit_code == 0, result.output
    assert "nobody was asked whether it counts" in result.stdout
    after = everything(own.kafka, [own.topics.input("acknowledgement")])
    (place,) = set(after) - before
    record = CODEC.decode("acknowledgement", after[place] or b"")
    assert (record["of"], record["reference"], record["system"]) == ("violation", DRIFTED.violation_id, "credit-risk")
    assert acknowledgement_counts(record, [PublicKey("bob-1", BOB.public_key().public_bytes_raw())])
    assert not acknowledgement_counts(
        {**record, "answer": "object"}, [PublicKey("bob-1", BOB.public_key().public_bytes_raw())]
    )


@contextmanager
def judging(own: Estate, *reasons: str) -> Iterator[None]:
    """Something that says these of the next answer, one after another."""
    topic, stop = own.topics.input("acknowledgement"), threading.Event()
    before = set(everything(own.kafka, [topic]))

    def judge() -> None:
        while not stop.is_set():
            for _, value in sorted(
                (place, value) for place, value in everything(own.kafka, [topic]).items() if place not in before
            ):
                answer = CODEC.decode("acknowledgement", value or b"")
                producer = own.producer()
                for reason in reasons:
                    said = verdict(answer, answer["event_id"], reason, f"so it is: {reason}")
                    producer.produce(own.topics.verdict, said, key=answer["event_id"].encode())
                assert producer.flush(PATIENCE) == 0
                return

    thread = threading.Thread(target=judge, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE)


def test_ack_says_what_the_judge_makes_of_it_and_fails_when_it_does_not_count(own: Estate, tmp_path: Path) -> None:
    typed = ["ack", DRIFTED.violation_id, "--as", "ann@example.org"]
    with judging(own, "unknown", "counts"):
        result = run(own, *typed)
    assert (result.exit_code, "ann@example.org acknowledges violation" in result.stdout) == (0, True)
    with judging(own, "counts"):
        result = run(own, *typed, "--retract")
    assert (result.exit_code, "ann@example.org takes back violation" in result.stdout) == (0, True)
    with pytest.raises(UsageError, match="two answers"):
        run(own, *typed, "--retract", "--object")
    with pytest.raises(UsageError, match="CH-1 is a change"):
        run(own, "ack", "CH-1", "--as", "ann@example.org", "--retract")
    with judging(own, "not_asked"), pytest.raises(SeamwatchError, match="does not count: so it is: not_asked"):
        run(own, *typed)
    with judging(own, "unknown"), pytest.raises(SeamwatchError, match="does not count: so it is: unknown"):
        run(own, *typed, "--wait", "2s")
    with pytest.raises(UnreachableError, match="no judge has said within 1s whether it counts"):
        run(own, *typed, "--wait", "1s")
    with pytest.raises(UsageError, match="too short for a violation or a summary: write at least 6 characters"):
        run(own, "ack", "dddd", "--as", "ann@example.org")
    with pytest.raises(SeamwatchError, match=r"was not sent: violation 5{24} is over since"):
        run(own, "ack", STALE.violation_id, "--as", "ann@example.org")
    with pytest.raises(UsageError, match="--wait"):
        run(own, *typed, "--wait", "soon")


def test_why_says_what_allowed_a_decision_and_who_answers(own: Estate) -> None:
    (row,) = own.rows("SELECT event_id FROM why WHERE subject = 's1'")
    result = run(own, "why", row["event_id"])
    assert result.exit_code == 0
    assert "approval    A-7 by bob@example.org" in result.stdout
    assert "owner       Ann Example (ann@example.org)" in result.stdout
    answer = json.loads(run(own, "why", row["event_id"], "--json").stdout)
    assert (answer["contracts"], answer["violations"]) == (["credit-data@1"], [])
    (called,) = own.rows("SELECT approval_id FROM why WHERE type = 'tool_call' AND system = 'credit-risk'")
    assert called["approval_id"] == "A-7"  # a tool call names no use case
    (rogue,) = own.rows("SELECT event_id FROM tool_call WHERE system = 'rogue-agent'")
    unapproved = run(own, "why", rogue["event_id"])
    assert unapproved.exit_code == 1
    assert "approval    NONE" in unapproved.stdout
    with pytest.raises(SeamwatchError, match="no inference or tool call"):
        run(own, "why", "absent")


def test_trail_prints_a_trace_with_the_approval_of_each_link(own: Estate) -> None:
    lines = run(own, "trail", "trace-1", "--json").stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(row["type"], row["approval_id"]) for row in rows] == [("inference", "A-7")] * 4 + [("tool_call", None)]
    assert run(own, "trail", "trace-1").stdout.count("A-7") == 4
    with pytest.raises(SeamwatchError, match="nothing with trace_id"):
        run(own, "trail", "absent")


def test_drift_lists_every_system_the_worst_first(own: Estate) -> None:
    result = run(own, "drift", "--json")
    assert result.exit_code == 1
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["system"], row["drift"]) for row in rows] == [
        ("credit-risk", "drifting"),
        ("rogue-agent", "learning"),
    ]
    assert "0.31, agreed 0.2 share" in run(own, "drift").stdout
    assert run(own, "drift", "--system", "rogue-agent").exit_code == 0


def test_signals_shows_the_five_of_a_system(own: Estate) -> None:
    rows = [json.loads(line) for line in run(own, "signals", "--days", "2", "--json").stdout.splitlines()]
    assert sum(row["events"] for row in rows if row["system"] == "credit-risk") == 4
    shown = run(own, "signals", "--system", "credit-risk", "--days", "2")
    assert shown.exit_code == 0
    assert "1 open" in shown.stdout
    assert "decides nothing" in run(own, "signals", "--system", "rogue-agent", "--days", "2").stdout
    assert run(own, "signals", "--system", "credit-feed").stdout.startswith("nothing was served by credit-feed since")


def test_approvals_says_who_approved_what_and_what_it_served(own: Estate) -> None:
    (row,) = [json.loads(line) for line in run(own, "approvals", "--json").stdout.splitlines()]
    assert (row["approval_id"], row["approved_by"], row["events"]) == ("A-7", "bob@example.org", 5)
    shown = run(own, "approvals", "--system", "credit-risk")
    assert shown.exit_code == 0
    assert "bob@example.org (A-7)" in shown.stdout
    unapproved = run(own, "approvals", "--system", "rogue-agent").stdout
    assert unapproved == "nobody has approved anything of rogue-agent\n"


def test_acknowledgements_says_how_long_each_took_and_who_still_waits(own: Estate) -> None:
    expected = own.rows("SELECT person, reference, answer FROM acknowledgement_latency ORDER BY ALL")
    rows = [json.loads(line) for line in run(own, "acknowledgements", "--json").stdout.splitlines()]
    assert sorted((row["person"], row["reference"]) for row in rows) == [
        (r["person"], r["reference"]) for r in expected
    ]
    shown = run(own, "acknowledgements").stdout
    for row in expected:
        assert (f"{row['answer']} after" if row["answer"] else "waits") in shown
    waiting = run(own, "acknowledgements", "--waiting", "--json").stdout.splitlines()
    assert len(waiting) == sum(row["answer"] is None for row in expected)


def test_stale_lists_decisions_on_old_data_by_their_clause(own: Estate) -> None:
    expected = [row["event_id"] for row in own.rows("SELECT event_id FROM stale_decisions ORDER BY event_id")]
    assert expected
    found = run(own, "stale", "--json")
    assert found.exit_code == 1
    assert sorted(json.loads(line)["event_id"] for line in found.stdout.splitlines()) == expected
    assert "old" in run(own, "stale").stdout
    assert f"1 of {len(expected)}; --limit shows more" in run(own, "stale", "--limit", "1").stdout
    assert run(own, "stale", "--system", "rogue-agent").exit_code == 0


def test_a_change_is_withdrawn_by_who_announced_it_and_waits_for_nobody_then(own: Estate, tmp_path: Path) -> None:
    key = tmp_path / "bob.key"
    key.write_text(b64encode(BOB.private_bytes_raw()).decode())
    told = {"system": "credit-risk", "kind": "model", "effective_at": NOW + DAY, "to_value": "4", "event_time": NOW}
    producer = own.producer()
    for number, by in enumerate(("bob@example.org", "cara@example.org")):
        change = {**told, "event_id": event_id(f"w{number}"), "change_id": f"CH-{8 + number}", "announced_by": by}
        producer.produce(
            own.topics.input("config_change"), CODEC.encode("config_change", change), key=b"credit-risk", partition=0
        )
    assert producer.flush(PATIENCE) == 0
    asked = "SELECT person, state, waiting FROM acknowledgement_latency WHERE reference = 'CH-8' ORDER BY person"
    wait_for(lambda: len(own.rows(asked)) == 2, "the change to be on record")
    typed = ["withdraw", "CH-8", "--as", "bob@example.org"]
    topic = own.topics.input("config_change")
    before = set(everything(own.kafka, [topic]))
    with pytest.raises(UsageError, match="has published keys"):
        run(own, *typed)
    with pytest.raises(SeamwatchError, match="to withdraw it, not for ann@"):
        run(own, "withdraw", "CH-8", "--as", "ann@example.org")
    with pytest.raises(SeamwatchError, match="no change 'CH-0' is on record"):
        run(own, "withdraw", "CH-0", "--as", "ann@example.org")
    with pytest.raises(UsageError, match="it is a change of credit-risk, not of credit-feed"):
        run(own, "withdraw", "CH-8", "--as", "ann@example.org", "--system", "credit-feed")
    assert set(everything(own.kafka, [topic])) == before
    result = run(own, *typed, "--key", str(key), "--note", "after the audit")
    assert "bob@example.org withdrew model change CH-8 of credit-risk" in result.stdout
    after = everything(own.kafka, [topic])
    (place,) = set(after) - before
    record = CODEC.decode("config_change", after[place] or b"")
    assert (record["withdrawn"], record["to_value"], record["summary"]) == (True, "4", "after the audit")
    assert change_signed_by(record, "bob@example.org", [PublicKey("bob-1", BOB.public_key().public_bytes_raw())])
    wait_for(lambda: own.rows(asked)[0]["state"] == "withdrawn", "the withdrawal to be on record")
    assert [(row["state"], row["waiting"]) for row in own.rows(asked)] == [("withdrawn", False)] * 2
    assert "none, it was withdrawn" in run(own, "acknowledgements").stdout
    with pytest.raises(SeamwatchError, match="change CH-8 is withdrawn already"):
        run(own, *typed, "--key", str(key))
    with pytest.raises(SeamwatchError, match="was not sent: change CH-8 was withdrawn"):
        run(own, "ack", "CH-8", "--as", "ann@example.org")


def test_an_answer_to_a_change_signs_the_newest_announcement(own: Estate, tmp_path: Path) -> None:
    key = tmp_path / "bob.key"
    key.write_text(b64encode(BOB.private_bytes_raw()).decode())
    said = {"system": "credit-risk", "change_id": "CH-20", "kind": "model", "effective_at": NOW + DAY,
            "announced_by": "bob@example.org"}  # fmt: skip
    first = {**said, "event_id": event_id("a0"), "event_time": NOW, "to_value": "5", "summary": "a little"}
    newest = {**said, "event_id": event_id("a1"), "event_time": NOW + 1, "to_value": "6", "summary": "a lot"}
    repeated = {**first, "event_id": event_id("a2"), "event_time": NOW + 2}
    # Nobody is asked about changes of this kind.
    of_no_matter = {**first, "event_id": event_id("a3"), "event_time": NOW + 3, "kind": "prompt"}
    producer = own.producer()
    for change in (first, newest, repeated, of_no_matter):
        producer.produce(
            own.topics.input("config_change"), CODEC.encode("config_change", change), key=b"credit-risk", partition=0
        )
    assert producer.flush(PATIENCE) == 0
    wait_for(lambda: len(own.rows("SELECT 1 FROM changes WHERE change_id = 'CH-20'")) == 4, "the changes")
    topic = own.topics.input("acknowledgement")
    before = set(everything(own.kafka, [topic]))
    typed = ["--as", "bob@example.org", "--key", str(key), "--wait", "0s"]
    result = run(own, "ack", "CH-20", *typed)
    assert "acknowledges change CH-20 of credit-risk: a lot" in result.stdout
    after = everything(own.kafka, [topic])
    (place,) = set(after) - before
    record = CODEC.decode("acknowledgement", after[place] or b"")
    digest = change_digest(newest | {"environment": "production"})
    assert record["change_digest"] == digest
    keys = [PublicKey("bob-1", BOB.public_key().public_bytes_raw())]
    assert acknowledgement_counts(record, keys)
    assert not acknowledgement_counts({**record, "change_digest": None}, keys)
    old = change_digest(first | {"environment": "production"})[:12]
    with pytest.raises(SeamwatchError, match=f"was announced again with other content after CH-20@{old}"):
        run(own, "ack", f"CH-20@{old}", *typed)
    assert "a lot" in run(own, "ack", f"CH-20@{digest[:12]}", *typed).stdout


def test_the_receipt_of_a_summary_is_found_by_the_beginning_of_its_id(own: Estate) -> None:
    told = {
        "notice_id": "5e" * 12, "type": "summary", "contract": "credit-data", "contract_version": "1",
        "contract_digest": "d", "clause": "held", "kind": "assertion", "system": "credit-risk", "slice": None,
        "person": "ann@example.org", "summary": "credit-risk: nothing was seen", "due_at": NOW, "detected_at": NOW,
    }  # fmt: skip
    producer = own.producer()
    producer.produce(own.topics.notice, CODEC.encode("notice", told), key=b"5e")
    assert producer.flush(PATIENCE) == 0
    wait_for(lambda: bool(own.rows("SELECT 1 FROM notice")), "the notice to be on record")
    before = set(everything(own.kafka, [own.topics.input("acknowledgement")]))
    result = run(own, "ack", "5e5e5e5e", "--as", "ann@example.org", "--wait", "0s")
    assert f"acknowledges summary {told['notice_id']} of credit-risk" in result.stdout
    after = everything(own.kafka, [own.topics.input("acknowledgement")])
    (place,) = set(after) - before
    record = CODEC.decode("acknowledgement", after[place] or b"")
    assert (record["of"], record["reference"], record["change_digest"]) == ("summary", told["notice_id"], None)


def test_summaries_wait_for_their_receipts_which_are_those_of_earlier_ones_too(own: Estate) -> None:
    producer, day = own.producer(), NOW - 9 * DAY

    def summary(number: int, **fields: Any) -> str:
        told = {
            "notice_id": f"5f{number:02}" * 6, "type": "summary", "contract": "credit-data", "contract_version": "1",
            "contract_digest": "d", "clause": "held", "kind": "assertion", "system": "credit-risk", "slice": None,
            "person": "bob@example.org", "summary": f"credit-risk: day {number}", "due_at": day + number * DAY,
            "detected_at": day + number * DAY, **fields,
        }  # fmt: skip
        producer.produce(own.topics.notice, CODEC.encode("notice", told), key=told["notice_id"].encode())
        return str(told["notice_id"])

    first, second, third = (summary(number) for number in range(3))
    summary(1)  # once more: a pager or judge may repeat itself
    moved = summary(3, person="ann@example.org")  # the clause asks somebody else by now
    other = summary(4, system="credit-feed")
    summary(5, kind="withdrawn", clause="", summary="it was withdrawn")
    for name, reference, reason in (("z1", second, "counts"), ("z2", third, "wrong_signature")):
        answer = {"event_id": event_id(name), "event_time": day + DAY + HOUR, "system": "credit-risk", "of": "summary",
                  "reference": reference, "person": "bob@example.org", "answer": "accept"}  # fmt: skip
        producer.produce(own.topics.input("acknowledgement"), CODEC.encode("acknowledgement", answer), key=b"z")
        producer.produce(own.topics.verdict, verdict(answer, event_id(name), reason, "-"), key=b"z", partition=0)
    assert producer.flush(PATIENCE) == 0
    asked = (
        "SELECT reference, person, asked_at, due_at, answered_at, latency_seconds, waiting, state, refused "
        "FROM acknowledgement_latency WHERE of = 'summary' AND startsWith(reference, '5f') ORDER BY asked_at"
    )
    wait_for(
        lambda: len(rows := own.rows(asked)) == 5 and rows[1]["answered_at"] is not None and rows[2]["refused"] == 1,
        "summaries and their receipts to be on record",
    )
    rows = {row["reference"]: row for row in own.rows(asked)}
    assert [rows[name]["latency_seconds"] for name in (first, second)] == [25 * 3600.0, 3600.0]
    assert {name for name, row in rows.items() if row["waiting"]} == {third, other}
    assert (rows[moved]["state"], rows[third]["state"]) == ("over", None)
    assert micros(rows[third]["due_at"]) == day + 3 * DAY + 12 * HOUR
    known = own.rows(f"SELECT summary, asked_since FROM acknowledgements WHERE reference = '{second}'")
    assert [(row["summary"], micros(row["asked_since"])) for row in known] == [("credit-risk: day 1", day + DAY)]
    shown = run(own, "acknowledgements", "--waiting", "--person", "bob@example.org").stdout
    command = f"seamwatch ack {third} --as bob@example.org --key PRIVATE_KEY_FILE"
    assert f"  {command}" in shown.splitlines()
    assert moment_text(day + 3 * DAY + 12 * HOUR) in shown
    assert first not in shown
    listed = [json.loads(line) for line in run(own, "acknowledgements", "--waiting", "--json").stdout.splitlines()]
    assert command in {row["command"] for row in listed}
    assert all(row["due_at"] for row in listed if row["of"] != "violation")
    with pytest.raises(SeamwatchError, match="no violation, change or summary"):
        run(own, "ack", "5f05" * 6, "--as", "bob@example.org")
