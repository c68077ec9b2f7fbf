"""A store of the estate whose contract follows up on what was broken: an episode that is over, and words about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.instants import format_instant
from tests.console import populated
from tests.console.populated import DATASET, EPISODES, PEOPLE, Populated, event
from tests.sinks.samples import CODEC, NOW

BROKEN: Final = next(episode for episode in EPISODES if episode.state == "resolved")
REVIEWER: Final = PEOPLE[1]
AGREED: Final = (
    f"  - {{id: learn, kind: follow_up, by: {REVIEWER}, within: 5d, kinds: [freshness]}}\n"
    f"  - {{id: serious, kind: incident, by: {REVIEWER}}}\n"
)
INCIDENT: Final = f"{BROKEN.contract}#serious/{BROKEN.violation_id}"
DECLARED: Final = {
    "kind": "serious", "aware": format_instant(NOW - HOUR), "began": format_instant(BROKEN.opened_at), "note": "<harm>",
}  # fmt: skip
SUBJECT: Final = f"{BROKEN.contract}#learn/{BROKEN.violation_id}"
ACTIONS: Final = (
    {"id": "1", "person": PEOPLE[0], "due": format_instant(NOW + DAY), "what": "watch the feed's age"},
    {"id": "2", "person": PEOPLE[2], "due": format_instant(NOW - MINUTE), "what": "ask the <supplier>"},
)
STATED: Final = {
    "implied": "data is an hour old", "diverged": "it was two", "cause": "a job that hung", "actions": ACTIONS,
}  # fmt: skip


@contextmanager
def followed(
    clickhouse: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str] | None = None
) -> Iterator[Populated]:
    """The store."""
    monkeypatch.setattr(populated, "DOCUMENTS", populated.DOCUMENTS + AGREED)
    with populated.populated(clickhouse, folder, monkeypatch, capsys) as made:
        yield made


def attest(store: Populated, kind: str, subject: str = SUBJECT, *, counted: bool = True, **fields: Any) -> None:
    """Record what somebody attests half an hour ago, and what the judge made of it."""
    at, name = NOW - HOUR // 2, event(f"{kind}/{subject}/{counted}/{fields.get('person')}")
    stated = {"follow_up": json.dumps(STATED), "incident": json.dumps(DECLARED)}.get(kind)
    attested = {
        "event_id": name, "event_time": at, "system": DATASET, "subject": subject, "kind": kind, "person": REVIEWER,
        "statement": stated,
    } | fields  # fmt: skip
    store.send("attestation", attested)
    verdict = {
        "acknowledgement_id": name, "system": DATASET, "of": "attestation", "reference": subject,
        "person": attested["person"], "answer": "accept", "counted": counted, "summary": "-",
        "reason": "counts" if counted else "not_asked", "answered_at": at, "judged_at": at,
    }  # fmt: skip
    store.book.record([CODEC.encode("verdict", verdict)], "verdict", millis=NOW // 1000)
