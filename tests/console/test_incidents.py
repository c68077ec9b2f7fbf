"""Incidents by the record and by command: what is owed by whom until when, what was said, and what is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from seamwatch.documents import Estate
from seamwatch.durations import DAY, HOUR
from seamwatch.engine.seams import Seams
from seamwatch.errors import SeamwatchError, UsageError
from seamwatch.instants import format_instant
from sinks.store.questions.incidents import incidents, said_of, standing
from statements import incident
from tests.console.followed import BROKEN, DECLARED, INCIDENT, REVIEWER, attest, followed
from tests.console.populated import DATASET, PEOPLE, Populated
from tests.sinks.samples import NOW

OWNER, NOBODY = PEOPLE[2], PEOPLE[0]
SOURCE = "https://example.org/receipt"


@pytest.fixture
def store(
    clickhouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Populated]:
    with followed(clickhouse, tmp_path, monkeypatch, capsys) as made:
        yield made


@pytest.fixture
def sent(store: Populated, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What goes to the broker, which a judge counts at once; and the documents, as it has them."""
    events: list[dict[str, Any]] = []

    def submit(_system: object, given: list[dict[str, Any]], _patience: float) -> list[dict[str, Any]]:
        events.extend(given)
        verdict = {"counted": True, "reason": "counts", "summary": "it counts", "contract": "c", "clause": "serious"}
        return [verdict | {"contract_version": "1"}] * len(given)

    class Published:
        def __init__(self, _system: object) -> None:
            self.estate = Estate.load(store.documents)

        def keys_of(self, person: str) -> dict[str, str]:
            return {key.public: key.key_id for key in self.estate.persons[person].keys}

    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
    monkeypatch.setattr("statements.published.Published", Published)
    monkeypatch.setattr("statements.review.submit", submit)
    monkeypatch.setattr("statements.recorded._beyond", lambda *_: {})
    return events


def test_what_is_owed_is_on_record_until_the_complete_report_is(store: Populated) -> None:
    assert incidents(store.store, over=True) == []
    attest(store, "incident", INCIDENT, counted=False)
    assert incidents(store.store, over=True) == []
    attest(store, "incident", INCIDENT, person=OWNER)
    (one,) = incidents(store.store)
    assert (one.violation_id, one.contract, one.clause, one.system, one.kind) == (
        BROKEN.violation_id, BROKEN.contract, "serious", DATASET, "serious",
    )  # fmt: skip
    assert (one.declared_by, one.declared_at, one.aware_at) == (OWNER, NOW - HOUR // 2, NOW - HOUR)
    assert (one.standing, one.owes, one.person, one.due_at) == ("open", "report", REVIEWER, NOW - HOUR + 15 * DAY)
    assert one.episode == BROKEN.summary
    assert standing(one, NOW) == "due in 14 d 23 h"
    assert standing(one, NOW + 16 * DAY) == "overdue for 25 h"
    assert incidents(store.store, person=OWNER) == incidents(store.store, system="another") == []
    death = DECLARED | {"kind": "death"}
    attest(store, "incident", INCIDENT, statement=json.dumps(death), event_time=NOW - HOUR // 3)
    (one,) = incidents(store.store, violation=BROKEN.violation_id)
    assert (one.kind, one.due_at, one.declared_by) == ("death", NOW - HOUR + 10 * DAY, OWNER)
    attest(store, "report", INCIDENT, statement='{"stage":"draft","content":"we know"}', event_time=NOW - HOUR // 4)
    report = {"stage": "initial", "to": "the authority"}
    attest(store, "report", INCIDENT, statement=json.dumps(report), evidence_uri=SOURCE, event_time=NOW, person=OWNER)
    (one,) = incidents(store.store)
    assert (one.standing, one.owes, one.due_at) == ("initial", "complete report", NOW + 30 * DAY)
    told = [(one.person, one.evidence_uri, type(one.stated).__name__) for one in said_of(store.store, one.violation_id)]
    assert told == [
        (OWNER, None, "Declaration"), (REVIEWER, None, "Declaration"), (REVIEWER, None, "Report"),
        (OWNER, SOURCE, "Report"),
    ]  # fmt: skip


def test_the_commands_tell_what_is_owed_and_what_was_said(store: Populated) -> None:
    told = store.run("incidents")
    assert (told.code, "nobody owes the report" in told.out) == (0, True)
    assert store.run("incident", "show", BROKEN.violation_id).code == 1
    attest(store, "incident", INCIDENT)
    told = store.run("incidents", "--json")
    (row,) = (json.loads(line) for line in told.out.splitlines())
    assert row["command"] == f"seamwatch incident report {BROKEN.violation_id} --receipt RECEIPT_URI --as {REVIEWER}"
    shown = store.run("incident", "show", BROKEN.violation_id[:10])
    assert shown.code == 0
    assert "incident (serious), aware since" in shown.out
    gone = f"{BROKEN.contract}#serious/{'0' * 32}"
    attest(store, "incident", gone, person=OWNER)
    told = store.run("incidents")
    assert told.code == 1
    assert "no violation of this id is on record" in told.out
    assert "neither declared" in store.run("incidents", "--person", "nobody").err
    withdrawn = json.dumps({"withdrawn": "nobody was harmed"})
    attest(store, "incident", gone, person=REVIEWER, statement=withdrawn, event_time=NOW)
    assert store.run("incidents").code == 0
    assert f"withdrawn by {REVIEWER}" in store.run("incidents", "--over").out


def declare(store: Populated, *more: str, person: str = REVIEWER) -> Any:
    return store.run("incident", "declare", BROKEN.violation_id[:8], "--as", person, "--note", "harm was done", *more)


def test_a_declaration_is_sent_as_the_clause_takes_it(store: Populated, sent: list[dict[str, Any]]) -> None:
    since = format_instant(BROKEN.resolved_at or 0)
    told = declare(store, "--kind", "death", "--aware", since)
    assert (told.code, told.err) == (0, "")
    assert f"{REVIEWER} has declared violation {BROKEN.violation_id} an incident (it counts)" in told.out
    (event,) = sent
    assert (event["kind"], event["subject"], event["person"]) == ("incident", INCIDENT, REVIEWER)
    assert json.loads(event["statement"]) == {
        "kind": "death", "aware": since, "began": format_instant(incident.began_at(BROKEN)), "note": "harm was done",
    }  # fmt: skip
    bound = incident.taking(Seams(Estate.load(store.documents)), BROKEN, REVIEWER, NOW)
    assert bound.clause.why_void(bound.seam, event) is None


def test_what_is_said_anew_is_as_before_where_nothing_else_is_said(
    store: Populated, sent: list[dict[str, Any]]
) -> None:
    attest(store, "incident", INCIDENT)
    assert declare(store).code == 0
    assert declare(store, "--kind", "death").code == 0
    told = [json.loads(event["statement"]) for event in sent]
    assert [(each["kind"], each["aware"]) for each in told] == [
        ("serious", format_instant(NOW - HOUR)), ("death", format_instant(NOW - HOUR)),
    ]  # fmt: skip


def test_reports_drafts_and_a_withdrawal_go_to_where_it_was_declared(
    store: Populated, sent: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "receipt.pdf"
    file.write_bytes(b"\xff\x00receipt")
    typed = ("report", BROKEN.violation_id, "--as", OWNER, "--receipt", SOURCE)
    assert "is not declared an incident" in store.run("incident", *typed).err
    attest(store, "incident", INCIDENT)
    assert store.run("incident", *typed, "--initial", "--to", "the authority", "--file", str(file)).code == 0
    assert (sent[0]["kind"], sent[0]["subject"], sent[0]["evidence_uri"]) == ("report", INCIDENT, SOURCE)
    assert json.loads(sent[0]["statement"]) == {
        "stage": "initial", "to": "the authority", "sha256": sha256(b"\xff\x00receipt").hexdigest(), "content": None,
        "note": None,
    }  # fmt: skip
    draft = ("draft", BROKEN.violation_id, "--as", OWNER)
    assert "is no text" in store.run("incident", *draft, "--file", str(file)).err
    assert store.run("incident", *draft, "--file", str(file), "--at", SOURCE).code == 0
    assert store.run("incident", *draft).code == 0
    assert BROKEN.summary in json.loads(sent[-1]["statement"])["content"]
    told = store.run("incident", "withdraw", BROKEN.violation_id, "--as", OWNER, "--reason", "nobody was harmed")
    assert "has withdrawn that violation" in told.out
    assert json.loads(sent[-1]["statement"]) == {"withdrawn": "nobody was harmed"}
    assert len(sent) == 4


def test_a_draft_has_what_is_on_record_and_names_what_is_not(store: Populated, sent: list[dict[str, Any]]) -> None:
    attest(store, "incident", INCIDENT)
    told = store.run("incident", "draft", BROKEN.violation_id)
    assert told.code == 0
    for line in (
        f"# Report of a serious incident: {DATASET} (draft)", f"- {BROKEN.summary}",
        f"- {DATASET}, a system of type dataset, owned by {OWNER}", "kind serious; aware of it since",
        "; open; report due by", "## To be added: no record says", "- the harm: to whom",
    ):  # fmt: skip
        assert line in told.out, line
    assert sent == [], "it was printed"


def test_what_would_not_count_is_not_sent(store: Populated, sent: list[dict[str, Any]]) -> None:
    for told, why in (
        (declare(store), "say which kind"),
        (declare(store, "--kind", "accident"), "its kind is accident, none of serious, death"),
        (declare(store, "--kind", "death", "--aware", "2020-01-01"), "before it began"),
        (declare(store, "--kind", "death", "--aware", "2126-01-01"), "after it was declared"),
        (declare(store, "--kind", "death", "--aware", "soon"), "aware: 'soon' is not a time"),
        (declare(store, "--kind", "death", person=NOBODY), "it is for"),
        (store.run("incident", "draft", BROKEN.violation_id, "--at", SOURCE), "--as"),
    ):
        assert told.code in (1, 2), told
        assert why in told.err
    assert sent == []


def test_what_the_judge_says_is_told(
    store: Populated, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statements.review.submit", lambda *_: [{"counted": False, "summary": "it is over"}])
    told = declare(store, "--kind", "death")
    assert (told.code, "it does not count: it is over" in told.err) == (1, True)
    monkeypatch.setattr("statements.review.submit", lambda *_: [None])
    assert declare(store, "--kind", "death").code == 3
    assert declare(store, "--kind", "death", "--wait", "0s").code == 0


def test_no_clause_takes_it(store: Populated) -> None:
    with pytest.raises(SeamwatchError, match="has a clause of kind incident"):
        incident.taking(Seams(replace(Estate.load(store.documents), terms=())), BROKEN, REVIEWER, NOW)
    with pytest.raises(UsageError, match="withdrawn"):
        incident.withdrawal(" ")
