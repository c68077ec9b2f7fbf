"""The emitter against a broker that is there, away, and back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from bus.tail import Read, tail
from bus.topics import create_topics
from seamwatch import Delivery, Emitter
from seamwatch.errors import RecordError, UsageError
from seamwatch.running import RUN_FILE
from seamwatch.testing import event_id, named
from seamwatch.wire.codec import Codec
from seamwatch.wire.events import Inference
from seamwatch.wire.topics import Topics
from tests.waiting import PATIENCE

NOWHERE = "127.0.0.1:1"


def received(kafka: str, prefix: str) -> list[Read]:
    return list(tail(kafka, Topics(prefix), ["inference"]))


def ids(messages: list[Read]) -> list[str]:
    codec = Codec()
    return [str(codec.decode("inference", message.value or b"")["event_id"]) for message in messages]


def names(messages: list[Read]) -> list[str]:
    return [named(each) for each in ids(messages)]


def test_events_arrive_keyed_by_system_and_are_reported(kafka: str, topics: str, tmp_path: Path) -> None:
    create_topics(kafka, topics, 3)
    delivered: list[Delivery] = []
    with Emitter("svc", bootstrap=kafka, prefix=topics, spool=tmp_path, on_delivery=delivered.append) as emitter:
        sent = [emitter.inference(system=f"s{i % 5}", version="1") for i in range(500)]
        assert emitter.flush(PATIENCE) == 0
        counts = emitter.counts
    assert (counts.accepted, counts.delivered, counts.dropped, counts.pending) == (500, 500, 0, 0)
    messages = received(kafka, topics)
    assert sorted(ids(messages)) == sorted(map(str, sent))
    assert {message.key for message in messages} == {b"s0", b"s1", b"s2", b"s3", b"s4"}
    place = {(one.partition, one.offset): one.event_id for one in delivered}
    assert [place[message.partition, message.offset] for message in messages] == ids(messages)


def test_a_broker_away_delays_no_caller_and_loses_nothing(kafka: str, topics: str, tmp_path: Path) -> None:
    create_topics(kafka, topics, 3)
    away = Emitter("svc", bootstrap=NOWHERE, prefix=topics, spool=tmp_path, delivery_timeout=1)
    start = time.perf_counter()
    sent = [away.inference(system="s", version="1") for _ in range(1_000)]
    assert time.perf_counter() - start < 60
    while away.counts.spooled < 500:
        time.sleep(0.05)
    sent += [away.inference(system="s", version="1") for _ in range(1_000)]
    assert away.close(60) == 2_000

    with Emitter("svc", bootstrap=kafka, prefix=topics, spool=tmp_path) as back:
        back.start()
        while not back.counts.delivered:
            time.sleep(0.02)
        sent += [back.inference(system="s", version="1") for _ in range(1_000)]
        assert back.flush(PATIENCE) == 0
    # At least once, and in order: whatever came twice came with the same id.
    assert list(dict.fromkeys(ids(received(kafka, topics)))) == sent
    assert list(tmp_path.iterdir()) == []


def test_a_full_buffer_and_no_spool_drop_and_count(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Emitter("svc", bootstrap=NOWHERE, spool=False, buffer=10, delivery_timeout=1) as emitter:
        for _ in range(2_000):
            assert emitter.inference(system="s", version="1") is not None
        emitter.close(3)
        counts = emitter.counts
    assert counts.delivered == counts.spooled == counts.pending == 0
    assert counts.dropped == 2_000
    assert len([line for line in caplog.messages if "dropped so far" in line]) < 6


def test_what_is_made_later_keeps_its_place_and_a_wrong_one_is_refused_by_itself(
    kafka: str, topics: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    create_topics(kafka, topics, 1)
    made_in: set[str] = set()

    def make(name: str) -> Inference:
        made_in.add(threading.current_thread().name)
        score = "high" if name == "7" else 0.5
        return Inference(event_id=event_id(name), system="s", version="1", score=score)  # type: ignore[arg-type]

    with Emitter("svc", bootstrap=kafka, prefix=topics, spool=tmp_path) as emitter:
        for number in range(100):
            if number % 2:
                emitter.emit_later(partial(make, str(number)))
            else:
                emitter.emit(Inference(event_id=event_id(str(number)), system="s", version="1"))
        emitter.emit_later(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
        assert emitter.flush(PATIENCE) == 0
        counts = emitter.counts
    assert made_in == {"seamwatch-emitter"}
    assert (counts.accepted, counts.delivered, counts.refused, counts.dropped) == (99, 99, 2, 0)
    assert names(received(kafka, topics)) == [str(number) for number in range(100) if number != 7]
    assert "score is 'high'; it must be a number" in caplog.text


def test_what_is_made_later_outlives_a_broker_that_is_away_and_the_process(tmp_path: Path) -> None:
    away = Emitter("svc", bootstrap=NOWHERE, spool=tmp_path, delivery_timeout=1)
    for _ in range(3_000):
        away.emit_later(lambda: Inference(system="s", version="1"))
    assert away.close(10) == 3_000
    counts = away.counts
    assert (counts.accepted, counts.spooled, counts.dropped, counts.refused) == (3_000, 3_000, 0, 0)


def test_a_strict_emitter_puts_nothing_off(tmp_path: Path) -> None:
    emitter = Emitter("svc", bootstrap=NOWHERE, spool=tmp_path, strict=True)
    with pytest.raises(RecordError, match="score is 'high'"):
        emitter.emit_later(lambda: Inference(system="s", version="1", score="high"))  # type: ignore[arg-type]
    emitter.close()


def test_a_fork_emits_on_its_own(kafka: str, topics: str, tmp_path: Path) -> None:
    create_topics(kafka, topics, 1)
    # In a process of its own: forking this one, with its threads, is what nobody should do.
    code = f"""
import os
from seamwatch import Emitter
emitter = Emitter("svc", bootstrap={kafka!r}, prefix={topics!r}, spool={str(tmp_path)!r})
emitter.inference(system="parent", version="1", event_id={event_id("parent")!r})
if (child := os.fork()) == 0:
    emitter.inference(system="child", version="1", event_id={event_id("child")!r})
    os._exit(emitter.close(20))
assert os.waitpid(child, 0)[1] == 0
assert emitter.close(20) == 0
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=os.environ, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert sorted(names(received(kafka, topics))) == ["child", "parent"]


def test_the_process_may_end_without_a_word(kafka: str, topics: str, tmp_path: Path) -> None:
    create_topics(kafka, topics, 1)
    code = f"""
from seamwatch import Emitter
emitter = Emitter("svc", bootstrap={kafka!r}, prefix={topics!r}, spool={str(tmp_path)!r})
emitter.inference(system="s", version="1", event_id={event_id("last")!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)
    assert names(received(kafka, topics)) == ["last"]


def test_a_running_up_is_found_by_its_folder_as_commands_find_it(
    kafka: str, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_topics(kafka, topics, 2)
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "SEAMWATCH_KAFKA", "SEAMWATCH_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SEAMWATCH_DATA", str(tmp_path))
    with pytest.raises(UsageError, match=r"no broker is named.*No system is running.*SEAMWATCH_DATA"):
        Emitter("svc")
    (tmp_path / RUN_FILE).write_text(json.dumps({"pid": os.getpid(), "kafka": kafka, "prefix": topics}))
    with Emitter("svc") as emitter:
        sent = emitter.inference(system="s", version="1")
        assert emitter.flush(PATIENCE) == 0
    assert ids(received(kafka, topics)) == [sent]
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", NOWHERE)  # what the environment names goes first
    with Emitter("svc", delivery_timeout=1) as elsewhere:
        elsewhere.inference(system="s", version="1")
        assert elsewhere.flush(0.2) == 1


def test_a_child_that_reports_nothing_has_nothing_of_its_parents(tmp_path: Path) -> None:
    with Emitter("svc", bootstrap=NOWHERE, spool=tmp_path, delivery_timeout=30) as emitter:
        emitter.inference(system="s", version="1")
        child = os.fork()
        if not child:
            nothing = emitter.counts.accepted == emitter.flush(0.0) == emitter.close() == 0
            os._exit(0 if nothing else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert emitter.counts.pending == 1
