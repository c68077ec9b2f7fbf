"""Relayed answers in the store: by whom and with what evidence, and what is taken back is waited for again."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from console.examination import replies
from seamwatch.clock import SystemClock
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.judging.records import violation_record
from seamwatch.testing import event_id
from sinks.decoding import decoding
from sinks.record.stage import Recorder
from sinks.store.questions.acknowledgements import answers_to, asked_of
from sinks.store.questions.relayed import last_relayed
from tests.sinks.estate import Estate, committed, estate
from tests.sinks.samples import CODEC, NOW, violation
from tests.sinks.store.test_views import verdict
from tests.waiting import PATIENCE, wait_for

SECOND = 1_000_000
OPENED = violation(1, violation_id="a" * 24, person="dana@example.org", opened_at=NOW, detected_at=NOW)
EVIDENCE = '{"event":{"event_type":"incident.acknowledged"}}'


def say(own: Estate, number: int, answer: str, reason: str = "counts") -> None:
    """An answer by a relay, a second after the one before, and what the judge made of it."""
    record: dict[str, Any] = {
        "event_id": event_id(f"answer{number}"), "event_time": NOW + number * SECOND, "system": OPENED.system,
        "of": "violation", "reference": OPENED.violation_id, "person": "dana@example.org", "answer": answer,
        "key_id": "replies-1", "signature": "AAAA", "relayed_by": "replies@example.org", "evidence": EVIDENCE,
    }  # fmt: skip
    producer, topics = own.producer(), own.topics
    key = OPENED.system.encode()
    producer.produce(topics.input("acknowledgement"), CODEC.encode("acknowledgement", record), key=key)
    said = verdict(record, record["event_id"], reason, "-")
    producer.produce(topics.verdict, said, key=record["event_id"].encode())
    assert producer.flush(PATIENCE) == 0


def test_what_is_relayed_is_kept_with_its_evidence_and_what_is_taken_back_waits(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    with estate(kafka, clickhouse) as own, own.store() as store:
        producer, topics = own.producer(), own.topics
        value = CODEC.encode("violation", violation_record(replace(OPENED)))
        producer.produce(topics.violations(OPENED.kind), value, key=OPENED.violation_id.encode())
        page = {"violation_id": OPENED.violation_id, "step": 0, "person": "dana@example.org", "channel": "console",
                "sent_at": NOW, "result": "delivered"}  # fmt: skip
        producer.produce(topics.page, CODEC.encode("page", page), key=OPENED.violation_id.encode())
        assert producer.flush(PATIENCE) == 0
        recorder = Recorder(kafka, own.url, topics, decoding(CODEC, SystemClock()))
        thread = threading.Thread(target=recorder.run, daemon=True)
        thread.start()

        def waiting(records: int) -> tuple[bool, str | None]:
            wait_for(lambda: committed(own) == records, "recording")
            (one,) = asked_of(store, "violation")
            return bool(one.waiting), one.answer

        assert (waiting(2), last_relayed(store), list(replies(store))) == ((True, None), None, [])
        say(own, 1, "accept")
        assert waiting(4) == (False, "accept")
        say(own, 2, "retract")
        assert waiting(6) == (True, None)
        say(own, 3, "retract", "not_taken")
        say(own, 4, "accept")
        assert waiting(10) == (False, "accept")
        assert {(each.answer, each.relayed_by, each.counted) for each in answers_to(store, "violation")} == {
            ("accept", "replies@example.org", True),
            ("retract", "replies@example.org", True),
            ("retract", "replies@example.org", False),
        }
        assert own.rows("SELECT DISTINCT evidence FROM answers") == [{"evidence": EVIDENCE}]
        last = last_relayed(store)
        assert last is not None
        (told,) = replies(store)
        assert told.found == f"the last one was relayed at {moment_text(last.recorded_at)} by replies@example.org"
        recorder.stop()
        thread.join(PATIENCE)
