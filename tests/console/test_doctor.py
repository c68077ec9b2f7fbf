"""The doctor says which stage stands still, is missing or fails over and over, by the broker alone; exit 1."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from typer.testing import CliRunner

from bus.documents import publish_folder
from console import health
from console.app import build
from seamwatch.clock import SystemClock
from seamwatch.judging.model.facts import Measurement
from seamwatch.judging.records import measurement_record
from seamwatch.outages import Fault, begun, ended
from tests.sinks.estate import Estate, estate
from tests.sinks.samples import CODEC, encoded
from tests.streams.page.publishing import person
from tests.waiting import PATIENCE

PEOPLE = """\
apiVersion: seamwatch/v1
kind: Person
id: ann@example.org
name: Ann
channels: ["slak://token"]
---
apiVersion: seamwatch/v1
kind: Person
id: bob@example.org
name: Bob
channels: ["console://", "json://${CLICKHOUSE_URL}"]
---
apiVersion: seamwatch/v1
kind: Person
id: dan@example.org
name: Dan
"""

Doctor = Callable[[], dict[str, tuple[str, str]]]


@pytest.fixture
def own(kafka: str, clickhouse: str) -> Iterator[Estate]:
    with estate(kafka, clickhouse) as made:
        yield made


@pytest.fixture
def doctor(own: Estate, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", own.kafka)
    monkeypatch.setenv("CLICKHOUSE_URL", own.url)
    monkeypatch.setenv("SEAMWATCH_PREFIX", own.topics.prefix)
    monkeypatch.setattr(health, "_FRESH_SECONDS", 1.0)
    monkeypatch.setattr(health, "_LOOK_AGAIN_SECONDS", 0.5)

    def found() -> dict[str, tuple[str, str]]:
        result = CliRunner().invoke(build(), ["doctor", "--json"])
        findings = [json.loads(line) for line in result.stdout.splitlines()]
        problems = any(finding["verdict"] == "problem" for finding in findings)
        assert result.exit_code == (1 if problems else 0), result.output
        return {finding["subject"]: (finding["verdict"], finding["found"]) for finding in findings}

    return found


def publish(own: Estate, topic: str, value: bytes, key: bytes = b"") -> None:
    producer = own.producer()
    producer.produce(topic, value, key=key, partition=0)
    assert producer.flush(PATIENCE) == 0


def commit(own: Estate, stage: str, topic: str, position: int) -> None:
    group = Consumer({"bootstrap.servers": own.kafka, "group.id": f"{own.topics.prefix}.{stage}"})
    group.commit(offsets=[TopicPartition(topic, 0, position)], asynchronous=False)
    group.close()


def test_a_system_that_never_ran_is_no_problem(doctor: Doctor) -> None:
    found = doctor()
    assert [(subject, said) for subject, (verdict, said) in found.items() if verdict == "problem"] == []
    assert found["measurements"] == ("note", "none has come yet: nothing is watched")
    assert found["lag of judge"] == ("note", "it has committed nothing yet")


def test_a_stage_that_stands_still_is_told_with_its_partition_and_how_long(own: Estate, doctor: Doctor) -> None:
    topic = own.topics.input("inference")
    publish(own, topic, encoded(number=1))
    publish(own, topic, encoded(number=2))
    commit(own, "measure", topic, 1)
    publish(own, own.topics.measurement, CODEC.encode("measurement", measurement_record(Measurement(1), CODEC)))
    commit(own, "judge", own.topics.measurement, 1)
    time.sleep(1.2)
    found = doctor()
    verdict, said = found["lag of measure"]
    assert verdict == "problem"
    assert said.startswith(f"it stands still, in {topic}[0]: 1 record, the oldest since ")
    assert found["lag of judge"] == ("ok", "0 records")


def test_no_measurement_for_long_is_told_with_its_time(
    own: Estate, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAMWATCH_HEARTBEAT", "200ms")
    publish(own, own.topics.measurement, CODEC.encode("measurement", measurement_record(Measurement(1), CODEC)))
    commit(own, "judge", own.topics.measurement, 1)
    time.sleep(1.2)
    verdict, said = doctor()["measurements"]
    assert verdict == "problem"
    assert said.startswith("nothing is watched: none since ")


def test_a_stage_that_has_run_and_has_no_process_is_told(own: Estate, doctor: Doctor) -> None:
    commit(own, "record", own.topics.input("inference"), 0)
    assert doctor()["record"] == ("problem", "no process of it is in its group: its work waits")


def test_an_outage_is_told_until_it_is_over(own: Estate, doctor: Doctor) -> None:
    now = SystemClock().now()
    outage = begun(Fault("restarting", "judge", now, times=7), now, "owner@example.org")
    for state in (outage, ended(outage, now, now)):
        publish(own, own.topics.outage, CODEC.encode("outage", asdict(state)), outage.outage_id.encode())
        if state is outage:
            verdict, said = doctor()["outage"]
            assert verdict == "problem"
            assert "The judge stage starts over and over: 7 times" in said
            assert "owner@example.org is told" in said
    assert doctor()["outages"][0] == "ok"


def test_who_cannot_be_paged_is_told(
    own: Estate, doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As an earlier version would have published them.
    (tmp_path / "people.yaml").write_text(PEOPLE)
    publish_folder(own.kafka, own.topics.prefix, tmp_path)
    monkeypatch.setenv("SEAMWATCH_DEFAULT_OWNER", "ann@example.com")
    result = CliRunner().invoke(build(), ["doctor"])
    text = " ".join(result.stdout.split())
    assert result.exit_code == 1
    assert "problem default owner SEAMWATCH_DEFAULT_OWNER=ann@example.com: no Person document has this id" in text
    assert "problem channels ann@example.org cannot be paged by a channel: Apprise does not know" in text
    assert "note channels bob@example.org cannot be paged by a channel: the channel refers to ${CLICKHOUSE_URL}" in text
    assert "note channels dan@example.org have none: they are told on the pager's output" in text
    assert max(map(len, result.stdout.splitlines())) <= 110  # a path may be longer than the table is wide


def test_a_person_who_was_changed_unsigned_is_told_and_where_signatures_are_required_not_followed(
    own: Estate, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"key_id": "ann-1", "public": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}
    person(own, "ann@example.org", "console://", keys=[key])
    assert doctor()["signatures"] == ("ok", "SEAMWATCH_SIGNED=warn; no person's document changed unsigned")
    person(own, "ann@example.org", "json://elsewhere.example.org", keys=[key])
    said = "ann@example.org: channels were changed, and nobody vouched for it"
    assert doctor()["signatures"] == ("note", f"SEAMWATCH_SIGNED=warn: followed and not signed: {said}")
    monkeypatch.setenv("SEAMWATCH_SIGNED", "required")
    verdict, problem = doctor()["documents"]
    assert verdict == "problem"
    assert f"'Person/ann@example.org' is not followed: {said}" in problem


def test_a_process_of_up_that_starts_over_and_over_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "CLICKHOUSE_URL"):
        monkeypatch.delenv(name, raising=False)
    now = time.time()
    running = {
        "pid": os.getpid(), "stages": {"judge": os.getpid(), "page": os.getpid()}, "servers": {}, "prefix": "seamwatch",
        "restarts": {"judge": [now - 60 * n for n in range(6, 0, -1)], "page": [now - 3_000]}, "metrics": {},
    }  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps(running))
    result = CliRunner().invoke(build(), ["doctor", "--json", "--data", str(tmp_path)])
    found = {line["subject"]: line for line in map(json.loads, result.stdout.splitlines())}
    assert result.exit_code == 1
    assert found["judge"]["verdict"] == "problem"
    assert "started again 6 times within 10 m, the last time at" in found["judge"]["found"]
    assert found["page"]["verdict"] == "ok"
