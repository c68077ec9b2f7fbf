"""A store of a mixed estate, and a summary that is due of it: episodes of several systems, and debts of all kinds."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from seamwatch.documents import Estate
from seamwatch.durations import DAY, HOUR, MINUTE
from seamwatch.judging.model.facts import DRILL, Notice, Violation
from seamwatch.judging.records import violation_record
from seamwatch.notices import notice_as_due
from tests.console import followed as over
from tests.console import populated
from tests.console.populated import DATASET, EPISODES, MODEL, PEOPLE, Populated, event
from tests.sinks.samples import CODEC, NOW, violation

READER: Final = PEOPLE[0]
CONTRACT: Final = over.BROKEN.contract
AGREED: Final = (
    f"  - {{id: quick, kind: assertion, must: latency_ms < 20, at_least: 0.9, summary: {{every: 12h, to: {READER}}}}}\n"
    f"  - {{id: checked, kind: review, of: system, every: 30d, by: {PEOPLE[2]}}}\n"
    f"  - {{id: again, kind: reevaluation, every: 90d, by: {PEOPLE[1]}}}\n"
)
NOTICE: Final[dict[str, Any]] = {
    "notice_id": "summary-1", "type": "summary", "contract": CONTRACT, "contract_version": "4", "contract_digest": "d",
    "clause": "quick", "kind": "assertion", "system": DATASET, "slice": None, "person": READER,
    "summary": f"{DATASET}: 'quick' (latency_ms < 20) held for 2 of 3 events (67 %)", "due_at": NOW - MINUTE,
    "detected_at": NOW - MINUTE,
}  # fmt: skip
EARLIER: Final = {**NOTICE, "notice_id": "summary-0", "due_at": NOW - 3 * DAY, "detected_at": NOW - 3 * DAY}
REMINDER: Final = {
    **NOTICE, "notice_id": "reminder-1", "type": "reminder", "clause": "again", "kind": "reevaluation",
    "person": PEOPLE[1], "summary": "a re-evaluation is due", "due_at": NOW + 400 * DAY,
}  # fmt: skip
GOES_ON: Final = violation(
    violation_id=str(uuid.uuid5(uuid.NAMESPACE_OID, "late")), system=DATASET, contract=CONTRACT, contract_version="4",
    clause="volume", kind="volume", severity="warning", slice="under-25", summary=f"{DATASET}: <few> rows came",
    person=PEOPLE[1], opened_at=NOW - 40 * MINUTE, since=NOW - 50 * MINUTE,
)  # fmt: skip
OLD: Final = tuple(
    replace(
        over.BROKEN, violation_id=f"old-{n:02}", kind="freshness", clause="fresh", since=None,
        opened_at=NOW - 5 * HOUR - n * MINUTE, resolved_at=NOW - 4 * HOUR,
    )
    for n in range(11)
)  # fmt: skip
PRACTICE: Final = replace(GOES_ON, violation_id="practice", severity=DRILL, kind="drill", clause="drill")
LONG_OVER: Final = replace(OLD[0], violation_id="long-over", opened_at=NOW - 9 * DAY, resolved_at=NOW - 8 * DAY)


def due(**fields: Any) -> Violation:
    """The summary as the pager keeps it."""
    return notice_as_due(Notice(**{**NOTICE, **fields}))


def published_estate(store: Populated) -> Estate:
    """The documents, as the pager follows them."""
    return Estate.load(store.documents)


@contextmanager
def summed_estate(clickhouse: str, folder: Path) -> Iterator[Populated]:
    """The store: besides the populated one's, debts about a data set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(populated, "DOCUMENTS", populated.DOCUMENTS + over.AGREED + AGREED)
        with populated.populated(clickhouse, folder, patch) as made:
            patch.undo()
            for kind in ("freshness", "volume", "drill"):
                some = [one for one in (*OLD, LONG_OVER, GOES_ON, PRACTICE) if one.kind == kind]
                values: list[bytes | None] = [CODEC.encode("violation", violation_record(one)) for one in some]
                made.book.record(values, f"violations.{kind}", millis=NOW // 1000)
            notices: list[bytes | None] = [CODEC.encode("notice", one) for one in (EARLIER, NOTICE, REMINDER)]
            made.book.record(notices, "notice", millis=NOW // 1000)
            over.attest(made, "follow_up")
            over.attest(made, "incident", over.INCIDENT)
            made.send(
                "config_change",
                {"event_id": event("other"), "event_time": NOW - HOUR, "system": DATASET, "change_id": "CHANGE-7",
                 "kind": "schema", "effective_at": NOW, "announced_by": PEOPLE[1], "summary": "a column more"},
            )  # fmt: skip
            made.send(
                "attestation",
                {"event_id": event("seen"), "event_time": NOW - 45 * DAY, "system": DATASET, "subject": "review",
                 "kind": "review", "person": PEOPLE[2]},
            )  # fmt: skip
            yield made


__all__ = ["DATASET", "EPISODES", "MODEL", "PEOPLE", "READER", "due", "published_estate", "summed_estate"]
