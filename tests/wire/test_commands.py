"""`topics create`, `emit` and `cat`, on a broker."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner, Result

from console.app import build
from seamwatch.errors import UnreachableError, UsageError
from seamwatch.testing import event_id
from seamwatch.wire.text import record_of
from tests.waiting import PATIENCE

MINE = event_id("mine")
EVENT = {"type": "inference", "event_time": "2026-03-02T00:00:00Z", "system": "scorer", "version": "v1"}
CALL = {"type": "tool_call", "event_time": "2026-03-02T00:00:01Z", "system": "agent", "version": "1", "tool": "pay",
        "arguments": {"amount": 5}}  # fmt: skip


@pytest.fixture
def prefix(kafka: str, topics: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("SEAMWATCH_PREFIX", topics)
    return topics


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(build(), list(arguments), input=stdin)


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_topics_are_created_once_and_differences_reported(prefix: str) -> None:
    first = rows(run("topics", "create", "--partitions", "2", "--json"))
    assert {row["outcome"] for row in first} == {"created"}
    names = {row["name"] for row in first}
    assert {
        f"{prefix}.{name}" for name in ("inference", "contracts", "measurement", "judge-state", "dead_letter")
    } <= names
    assert f"{prefix}.violations.freshness" in names
    assert {row["outcome"] for row in rows(run("topics", "create", "--partitions", "2", "--json"))} == {"existing"}
    other = run("topics", "create", "--partitions", "3")
    assert other.exit_code == 1
    assert f"different  {prefix}.inference  2 partitions, not 3" in other.stdout
    assert f"existing   {prefix}.contracts\n" in other.stdout


def test_what_is_emitted_is_shown_and_bad_lines_are_named(prefix: str, tmp_path: Path) -> None:
    run("topics", "create")
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join([json.dumps(EVENT), json.dumps({**EVENT, "scor": 1}), "", json.dumps(CALL)]))
    result = run("emit", str(file), "-", "--json", stdin=json.dumps({**EVENT, "event_id": MINE}))
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"sent": 3, "left_out": 1}
    assert f"{file}:2: inference has no field 'scor': did you mean 'score'?" in result.stderr

    shown = rows(run("cat", "inference", f"{prefix}.tool_call"))
    assert sorted((row["type"], row["system"]) for row in shown) == [
        ("inference", "scorer"), ("inference", "scorer"), ("tool_call", "agent"),
    ]  # fmt: skip
    mine = next(row for row in shown if row["event_id"] == MINE)
    assert record_of(mine) == record_of({**EVENT, "event_id": MINE})
    (first,) = rows(run("cat", "inference", "--limit", "1", "--position"))
    assert first["topic"] == f"{prefix}.inference"


BAD = {
    "not JSON": b"{",
    "is none of": json.dumps({**CALL, "decision": "perhaps"}).encode(),
    "'tool' is given 2 times in one object": json.dumps(CALL).encode()[:-1] + b', "tool": "refund"}',
    "outcome has half a character": json.dumps({**CALL, "outcome": "\ud83e"}).encode(),
    "arguments has half a character": json.dumps({**CALL, "arguments": {"x": "\ud83e"}}).encode(),
    "not UTF-8: byte 0xed": json.dumps({**CALL, "outcome": "CUT"}).encode().replace(b"CUT", b"\xed\xa0\xbd"),
    "too large: ": json.dumps({**CALL, "arguments": {"x": "x" * 600_000}}).encode(),
    "event_id is ''": json.dumps({**CALL, "event_id": ""}).encode(),
    "system is ' '": json.dumps({**CALL, "system": " "}).encode(),
    "nested too deeply": b'{"arguments": ' + b"[" * 50_000,
}


def test_a_bad_line_of_whatever_kind_is_named_and_keeps_no_other_from_being_sent(prefix: str, tmp_path: Path) -> None:
    run("topics", "create")
    file = tmp_path / "calls.ndjson"
    good = json.dumps({**CALL, "outcome": "\U0001f600\0\x1b[31m"}).encode()
    file.write_bytes(b"\n".join(line for bad in BAD.values() for line in (good, bad)))
    result = run("emit", str(file), "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (1, {"sent": len(BAD), "left_out": len(BAD)})
    for number, (said, complaint) in enumerate(zip(BAD, result.stderr.splitlines(), strict=True), 1):
        assert complaint.startswith(f"{file}:{2 * number}: ")
        assert said in complaint
    assert len(rows(run("cat", "tool_call"))) == len(BAD)


def test_what_was_read_before_a_file_that_is_not_there_is_sent_and_told(prefix: str, tmp_path: Path) -> None:
    run("topics", "create")
    file = tmp_path / "calls.ndjson"
    file.write_text("\n".join([json.dumps(CALL)] * 3))
    result = run("emit", str(file), str(tmp_path / "nowhere.ndjson"))
    assert isinstance(result.exception, UsageError)
    assert "nowhere.ndjson: cannot be read" in str(result.exception)
    assert result.stdout == "3 events sent\n"
    assert len(rows(run("cat", "tool_call"))) == 3


def test_what_cannot_be_decoded_is_shown_with_its_bytes_and_reason(prefix: str, kafka: str) -> None:
    run("topics", "create", "--partitions", "1")
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce(f"{prefix}.inference", b"garbage", b"\xff")
    producer.produce(f"{prefix}.contracts", b'{"document": {}}', b"Person/a")
    assert producer.flush(PATIENCE) == 0
    (bad,) = rows(run("cat", "inference"))
    assert base64.b64decode(bad["value"]) == b"garbage"
    assert bad["reason"].startswith("not framed: starts with 67 61 72 62")
    (contract,) = rows(run("cat", "contracts"))
    assert (contract["key"], contract["value"]) == ("Person/a", {"document": {}})
    assert rows(run("cat", "violations")) == []


def test_a_topic_that_is_not_there_names_the_nearest(prefix: str) -> None:
    run("topics", "create")
    result = run("cat", "inferense")
    assert isinstance(result.exception, UsageError)
    assert "did you mean 'inference'" in str(result.exception)


def test_topics_that_are_missing_say_how_to_create_them(prefix: str) -> None:
    result = run("emit", "-", stdin=json.dumps(EVENT))
    assert isinstance(result.exception, UsageError)
    assert "seamwatch topics create" in str(result.exception)


def test_a_broker_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from seamwatch.sdk.publisher import Publisher
    from seamwatch.wire.codec import Codec
    from seamwatch.wire.topics import Topics

    with pytest.raises(UnreachableError, match=r"Kafka at 127\.0\.0\.1:1 does not answer"):
        Publisher("127.0.0.1:1", Topics(), Codec(), timeout=1)
