"""`seamwatch spool`: what nobody sends any more is shown and sent, what a running producer owns is left to it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bus.tail import tail
from bus.topics import create_topics
from console.app import build
from seamwatch import Emitter
from seamwatch.errors import UnreachableError, UsageError
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics

NOWHERE = "127.0.0.1:1"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["spool", *arguments])


def leave(producer: str, events: int, prefix: str, *, ends: bool = True) -> Emitter:
    """Events of a producer that had no broker; it is gone, or goes on."""
    emitter = Emitter(producer, bootstrap=NOWHERE, prefix=prefix, delivery_timeout=1)
    for number in range(events):
        emitter.inference(system=f"s{number % 3}", version="1", use_case=producer)
    while emitter.counts.spooled < events:
        emitter.flush(0.05)
    if ends:
        emitter.close()
    return emitter


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAMWATCH_DATA", str(tmp_path))
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "SEAMWATCH_KAFKA", "SEAMWATCH_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_what_nobody_sends_is_shown_and_sent(
    kafka: str, topics: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_topics(kafka, topics, 3)
    leave("scoring service", 5, topics)
    leave("batch", 70, topics)
    running = leave("running", 4, topics, ends=False)
    shown = run("list", "--json")
    rows = {row["producer"]: (row["events"], row["orphaned"]) for row in map(json.loads, shown.stdout.splitlines())}
    assert rows == {"scoring_service": (5, 5), "batch": (70, 70), "running": (4, 0)}
    assert shown.exit_code == 1

    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("SEAMWATCH_PREFIX", topics)
    assert run("send", "--producer", "batch").stdout == "70 events of batch sent\n"
    assert run("send").stdout == "5 events of scoring_service sent\n"
    assert run("send").stdout == "nothing waits on disk that nobody sends\n"
    codec = Codec()
    read = [codec.decode("inference", message.value or b"") for message in tail(kafka, Topics(topics), ["inference"])]
    assert Counter(event["use_case"] for event in read) == {"batch": 70, "scoring service": 5}
    after = run("list")
    assert (after.exit_code, "running" in after.stdout) == (0, True)
    running.close()


def test_without_a_broker_nothing_leaves_the_disk(topics: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave("svc", 6, topics)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", NOWHERE)
    failed = run("send", "--timeout", "1.5")
    assert isinstance(failed.exception, UnreachableError)
    assert f"6 stay in {data / 'spool' / 'svc'}" in str(failed.exception)
    assert json.loads(run("list", "--json").stdout)["orphaned"] == 6


def test_what_is_no_spool_is_named_and_left(data: Path) -> None:
    folder = data / "spool" / "svc"
    folder.mkdir(parents=True)
    (folder / "notes.spool").write_text("what somebody else wrote")
    shown = run("list")
    assert shown.exit_code == 1
    assert "notes.spool: this is no spool file" in shown.stderr
    assert isinstance(run("send", "--producer", "scv").exception, UsageError)
    assert isinstance(run("list", "--folder", str(data / "nowhere")).exception, UsageError)
