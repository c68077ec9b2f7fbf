"""A summary on one page: what held and how it went, what broke, what is owed, what could not be judged; its receipt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from board.context import Context
from board.running import Shown
from seamwatch.broker import Broker
from seamwatch.documents import Estate
from seamwatch.durations import DAY, HOUR, MINUTE
from tests.board.conftest import context_over, form_token, signed_in, url_of
from tests.console import followed as over
from tests.console import populated
from tests.console.populated import MODEL, PEOPLE, Populated, decision
from tests.sinks.samples import CODEC, NOW

READER, OTHER = PEOPLE[0], PEOPLE[1]
ENDED = NOW - HOUR
PATH = "/summaries/summary-9"
QUICK = (
    "  - {id: quick, kind: assertion, must: latency_ms < 20, at_least: 0.9, summary: {every: 2h, to: READER}}\n"
    "  - {id: personal, kind: assertion, must: attributes.a = 'x'}\n"
    "  - {id: some, kind: assertion, must: score < 1, where: latency_ms < 15}\n"
    "  - {id: calls, kind: assertion, on: tool_call, must: arguments.amount < 1}\n"
).replace("READER", READER)


@pytest.fixture(scope="module")
def store(clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Populated]:
    """The store, with decisions of three periods, a summary of the last, and what is owed of the system."""
    folder = tmp_path_factory.mktemp("summaries")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(populated, "DOCUMENTS", populated.DOCUMENTS + over.AGREED + QUICK)
        with populated.populated(clickhouse, folder, patch) as made:
            patch.undo()
            before = [decision(f"b{n}", NOW - 4 * HOUR, latency_ms=10.0 if n < 3 else 99.0) for n in range(4)]
            long_ago = [decision(f"l{n}", NOW - 9 * HOUR) for n in range(2)]
            made.send("inference", *before, *long_ago)
            fields: dict[str, Any] = {
                "notice_id": "summary-9", "type": "summary", "contract": over.BROKEN.contract, "contract_version": "4",
                "contract_digest": "d", "clause": "quick", "kind": "assertion", "system": MODEL, "person": READER,
                "summary": "'quick' (latency_ms < 20) held", "due_at": ENDED, "detected_at": ENDED,
            }  # fmt: skip
            other = fields | {"notice_id": "summary-8", "clause": "gone", "due_at": ENDED - MINUTE}
            values: list[bytes | None] = [CODEC.encode("notice", one) for one in (fields, other)]
            made.book.record(values, "notice", millis=NOW // 1000)
            broken = f"{over.BROKEN.contract}#serious/{populated.EPISODES[0].violation_id}"
            over.attest(made, "incident", broken, system=MODEL)
            yield made


@pytest.fixture
def board(store: Populated, auditor_url: str, tmp_path: Path) -> Context:
    url = url_of(auditor_url, store.url)
    return context_over(Shown(Broker("127.0.0.1:9"), "t", url, url), Estate.load(store.documents), tmp_path)


def section(page: str, name: str) -> str:
    return page.split(f'aria-labelledby="{name}-title"')[1].split("</section>", maxsplit=1)[0]


def test_it_says_what_held_and_how_it_went(board: Context) -> None:
    page = signed_in(board, READER).get(PATH).text
    found = section(page, "held")
    (quick,) = [item for item in found.split("<li>") if "<strong>quick</strong>" in item]
    # Of d1, d2 and d3 the third says no latency, and did not pass; three of the four before did.
    assert "67 %" in quick
    assert "of 3, agreed 90 %, worse" in quick
    assert "no events, no events, no events, 100 %, no events, 75 %, 6" in quick
    assert quick.count("<svg") == 1
    assert "calls, personal: read attributes or arguments, so shown to auditors only" in found
    found = section(signed_in(board, None).get(PATH).text, "held")
    (calls,) = [item for item in found.split("<li>") if "<strong>calls</strong>" in item]
    assert "not known" in calls
    assert "no events" in calls


def test_it_says_what_broke_what_is_owed_and_what_could_not_be_judged(board: Context) -> None:
    page = signed_in(board, READER).get(PATH).text
    found = section(page, "broke")
    assert "1 episode, 1 of them a breach, 1 goes on: shape-of-scores 1." in found
    assert "no longer those that were approved" in found
    found = section(page, "owed")
    assert over.REVIEWER in found
    assert "report of an incident (serious)" in found
    found = " ".join(section(page, "unjudged").split())
    assert "<strong>quick</strong>: 1 event: they do not give what it asks for" in found
    assert "<strong>some</strong>: 1 event: it cannot be told whether it is about them" in found


def test_whom_it_was_sent_to_confirms_it_and_looking_changes_nothing(
    board: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[dict[str, Any]] = []

    def submit(_system: object, event: dict[str, Any], _patience: float) -> dict[str, Any]:
        events.append(event)
        return {"counted": True, "summary": "it counts"}

    monkeypatch.setattr("statements.answer.submit", submit)
    monkeypatch.setattr("statements.recorded._beyond", lambda *_: {})
    client = signed_in(board, READER)
    page = client.get(PATH).text
    assert 'action="/answers"' in page
    assert 'name="reference" value="summary-9"' in page
    assert 'action="/answers"' not in signed_in(board, OTHER).get(PATH).text
    assert events == []
    sent = {"reference": "summary-9", "kind": "accept", "note": ""} | form_token(board, client)
    answer = client.post("/answers", data=sent, headers={"HX-Request": "true"})
    assert answer.status_code == 200, answer.text
    assert [(e["of"], e["reference"], e["person"]) for e in events] == [("summary", "summary-9", READER)]


def test_of_a_clause_that_is_gone_a_week_is_shown_and_of_no_summary_nothing(board: Context) -> None:
    client = signed_in(board, READER)
    assert "the week before is shown" in client.get("/summaries/summary-8").text
    assert client.get("/summaries/none").status_code == 404
    assert '<a href="/summaries/summary-9">' in client.get("/parts/compliance/summaries").text
    stranger = signed_in(board, READER)
    stranger.cookies.clear()
    asked = stranger.get(PATH, follow_redirects=False)
    assert "back=" in asked.headers["location"], "whoever comes by the link in a mail signs in, and comes back"


def test_the_periods_end_with_the_summary(store: Populated) -> None:
    from seamwatch.expressions import Expression
    from sinks.store.questions.periods import periods

    must = Expression.parse("latency_ms < 20")
    found = periods(store.store, MODEL, "inference", must, None, 2 * HOUR, ENDED, 3)
    assert [(one.start, one.events, one.passed, one.untold, one.unselected) for one in found] == [
        (ENDED - 6 * HOUR, 0, 0, 0, 0), (ENDED - 4 * HOUR, 4, 3, 0, 0), (ENDED - 2 * HOUR, 3, 2, 1, 0),
    ]  # fmt: skip
    assert json.dumps([one.share for one in found]) == "[null, 0.75, 0.6666666666666666]"
    assert periods(store.store, MODEL, "inference", must, None, 3 * DAY, ENDED, 2)[1].events == 9
