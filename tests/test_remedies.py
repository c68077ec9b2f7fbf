"""Remedies: a page names the command that ends it, for the person who can, and it can be pasted into a shell."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer

from console.app import build
from seamwatch.clauses import kinds
from seamwatch.durations import DAY
from seamwatch.judging.model.facts import Notice, Violation
from seamwatch.judging.model.seam import Seam
from seamwatch.notices import notice_as_due, reminder_of, summary_of
from seamwatch.paging import NOBODY, Recipient, page_of
from seamwatch.remedies import ack_command, remedy_command
from sinks.channels.mail import as_html

ANN = "ann@example.org"
REVIEW = Violation(
    violation_id="v1", contract="limits", contract_version="1", contract_digest="d", clause="yearly", kind="review",
    system="scorer", slice=None, severity="breach", state="open", observed=None, limit=None, unit=None, summary="-",
    opened_at=0, since=None, detected_at=0, person=ANN,
)  # fmt: skip
OBJECTED = replace(
    REVIEW, kind="change_notice", slice="CHG 7@0123456789ab/bob@example.org", unit="objection",
    summary="in whatever words",
)  # fmt: skip


@pytest.mark.parametrize(
    ("violation", "command"),
    [
        (REVIEW, f"seamwatch attest review 'limits#yearly' --system scorer --as {ANN}"),
        (replace(REVIEW, kind="benchmark"), "attest benchmark 'limits#yearly' --system scorer --value VALUE --"),
        (replace(REVIEW, kind="change_notice", slice=f"CHG 7/{ANN}", unit="s"), f"seamwatch ack 'CHG 7' --as {ANN}"),
        (replace(REVIEW, kind="change_notice", slice="version v2"), None),
        (replace(REVIEW, kind="change_notice", slice=f"release/{ANN}"), None),
        (OBJECTED, f"seamwatch withdraw 'CHG 7@0123456789ab' --as {ANN}"),
        (replace(OBJECTED, step=1), None),
        (replace(OBJECTED, unit=None, summary="scorer: bob@example.org objects to threshold change a"), None),
        (replace(REVIEW, kind="freshness"), None),
        (replace(REVIEW, kind="follow_up", slice="v 9"), f"seamwatch review 'v 9' --file REVIEW_FILE --as {ANN}"),
        (replace(REVIEW, kind="follow_up", slice="v9/a"), "attest action 'limits#yearly/v9/a' --system scorer --as"),
        (replace(REVIEW, person="bob@example.org"), None),
    ],
)  # fmt: skip
def test_who_must_act_is_told_the_command_that_ends_it(violation: Violation, command: str | None) -> None:
    found = remedy_command(violation, ANN)
    assert (found is None) if command is None else (found is not None and command in found)
    body = page_of(violation, Recipient(ANN, "Ann", signs=True), 0).body
    assert f"seamwatch ack v1 --as {ANN} --key PRIVATE_KEY_FILE" in body
    assert ("To end it" in body) is (command is not None)


def test_nobody_is_told_to_write_their_id() -> None:
    assert "seamwatch ack v1 --as YOUR_ID" in page_of(REVIEW, NOBODY, 0).body


@pytest.mark.parametrize("odd", ["a b", "$(reboot)", "x';y", "`id`", "a\nb"])
def test_ids_are_quoted_for_the_shell(odd: str) -> None:
    assert shlex.split(ack_command(odd, odd)) == ["seamwatch", "ack", odd, "--as", odd]


SEAM = Seam("limits", "1", "d", "scorer", True, keys={ANN: ()}, signatories=(ANN,))
REMINDED: dict[str, dict[str, Any]] = {
    "review": {"every": "30d", "by": ANN},
    "coverage": {"reviewer": ANN},
    "benchmark": {"metric": "gini", "min": 0.5, "by": ANN},
    "distribution": {"reference": {"first": "1d"}, "reviewer": ANN, "review_within": "2d"},
    "reevaluation": {"by": ANN},
}
"""What is agreed of the kinds that remind of a person's word; what is answered, and what must be entered, is below."""


def parsed(line: str) -> dict[str, Any]:
    """The options of a printed command as the command itself reads them; wrong ones raise."""
    command: Any = typer.main.get_command(build())
    name, *words = shlex.split(line)
    while hasattr(command, "commands"):
        name, words, command = words[0], words[1:], command.commands[words[0]]
    given: dict[str, Any] = command.make_context(name, words).params
    return {"command": name, **given}


def reminder(kind: str, slice_: str | None) -> Violation:
    told = Notice(
        notice_id="n1", type="reminder", contract="limits", contract_version="1", contract_digest="d", clause="agreed",
        kind=kind, system="scorer", slice=slice_, person=ANN, summary="-", due_at=9 * DAY, detected_at=0,
    )  # fmt: skip
    return notice_as_due(told)


@pytest.mark.parametrize("kind", REMINDED)
@pytest.mark.parametrize("slice_", [None, "CHG-7", "gini", "north"])
def test_a_reminder_names_the_command_whose_word_counts_for_the_clause(kind: str, slice_: str | None) -> None:
    body = reminder_of(reminder(kind, slice_), Recipient(ANN, "Ann"), 0).body
    (line,) = (line.strip() for line in body.splitlines() if line.startswith("  seamwatch "))
    given = parsed(line.replace("VALUE", "0.7"))
    assert (given["command"], given["system"], given["person"]) == ("attest", "scorer", ANN)
    record = {
        **{name: given[name] for name in ("kind", "subject", "value", "person", "system")}, "event_time": DAY,
        "metric": REMINDED[kind].get("metric"), "evidence_uri": None,
    }  # fmt: skip
    clause = kinds()[kind].model_validate({"id": "agreed", "kind": kind, **REMINDED[kind]})
    assert clause.why_void(SEAM, record) is None
    late = replace(REVIEW, kind=kind, clause="agreed", unit="s", slice=slice_)
    assert remedy_command(late, ANN) == line, "the same ends what came of it when nobody did"


def test_a_reminder_of_a_change_is_answered_and_of_others_the_sentence_says_what_to_do() -> None:
    body = reminder_of(reminder("change_notice", f"CHG 7/{ANN}"), Recipient(ANN, "Ann", signs=True), 0).body
    given = parsed(body.splitlines()[-1].strip())
    assert (given["command"], given["reference"], given["person"]) == ("ack", "CHG 7", ANN)
    assert "seamwatch" not in reminder_of(reminder("approval", None), Recipient(ANN, "Ann"), 0).body


def test_every_kind_that_reminds_is_among_those_that_were_looked_at() -> None:
    folder = Path(__file__).parents[1] / "seamwatch" / "clauses"
    files = [file for file in folder.rglob("*.py") if 'Remind("reminder"' in file.read_text("utf-8")]
    reminding = {file.relative_to(folder).parts[0].removesuffix(".py") for file in files}
    assert reminding == {*REMINDED, "approval", "change_notice", "drill", "follow_up", "incident"}


@pytest.mark.parametrize("kind", sorted(kinds()))
@pytest.mark.parametrize("unit", ["s", "share", None])
@pytest.mark.parametrize("slice_", [None, "north", f"CHG-7/{ANN}"])
def test_what_a_page_prints_can_be_typed(kind: str, unit: str | None, slice_: str | None) -> None:
    violation = replace(REVIEW, kind=kind, unit=unit, slice=slice_, unsigned_by=(ANN,) if kind == "signed" else ())
    for recipient in (Recipient(ANN, "Ann", signs=True), NOBODY):
        body = page_of(violation, recipient, 0).body
        lines = [line.strip().replace("VALUE", "0.7") for line in body.splitlines() if line.startswith("  seamwatch ")]
        assert lines
        assert all(parsed(line)["person"] for line in lines)


def test_a_reminder_of_what_follows_names_the_command_that_gives_it() -> None:
    body = reminder_of(reminder("follow_up", "v9"), Recipient(ANN, "Ann", signs=True), 0).body
    given = parsed(body.splitlines()[-1].strip())
    assert (given["command"], given["violations"], given["person"]) == ("review", ["v9"], ANN)
    body = reminder_of(reminder("follow_up", "v9/2"), Recipient(ANN, "Ann"), 0).body
    given = parsed(body.splitlines()[-1].strip())
    assert (given["command"], given["kind"], given["subject"]) == ("attest", "action", "limits#agreed/v9/2")


def test_a_reminder_of_a_drill_names_the_command_that_holds_it_and_a_drill_names_none() -> None:
    body = reminder_of(reminder("drill", None), Recipient(ANN, "Ann", signs=True), 0).body
    given = parsed(body.splitlines()[-1].strip())
    assert (given["command"], given["system"], given["clause"]) == ("drill", "scorer", "limits#agreed")
    assert remedy_command(replace(REVIEW, kind="drill", severity="drill", slice="leak-1"), ANN) is None
    assert remedy_command(replace(REVIEW, kind="drill", clause="agreed", slice=None), ANN) == (
        f"seamwatch drill scorer --clause 'limits#agreed' --as {ANN}"
    )


def test_a_reminder_of_an_incident_names_the_command_that_reports_it() -> None:
    body = reminder_of(reminder("incident", "v9"), Recipient(ANN, "Ann", signs=True), 0).body
    line = f"seamwatch incident report v9 --receipt RECEIPT_URI --as {ANN} --key PRIVATE_KEY_FILE"
    assert line in body
    assert remedy_command(replace(REVIEW, kind="incident", slice="v9"), ANN, signs=True) == line


def test_a_digest_of_what_follows_asks_for_no_receipt() -> None:
    told = replace(REVIEW, violation_id="n1", kind="summary", severity="notice", unit="follow_up")
    assert "seamwatch" not in summary_of(told, Recipient(ANN, "Ann")).body


def test_a_summary_says_how_its_receipt_is_confirmed() -> None:
    told = replace(REVIEW, violation_id="n1", kind="summary", severity="notice")
    assert (
        f"  seamwatch ack n1 --as {ANN} --key PRIVATE_KEY_FILE"
        in summary_of(told, Recipient(ANN, "Ann", signs=True)).body.splitlines()
    )


def test_a_summary_names_its_page_where_there_is_a_board() -> None:
    told = replace(REVIEW, violation_id="n/1", kind="summary", severity="notice", unit="assertion")
    page = summary_of(told, Recipient(ANN, "Ann"), "https://board.example.org")
    assert "  https://board.example.org/summaries/n%2F1" in page.body.splitlines()
    assert "  or by one button on that page" in page.body.splitlines()
    assert page.incidents[0].board == "https://board.example.org/summaries/n%2F1"
    shown = as_html(page)
    assert '<a href="https://board.example.org/summaries/n%2F1" style=' in shown
    assert "confirm it</a>" in shown
    assert "confirm it</a>" not in as_html(page_of(REVIEW, Recipient(ANN, "Ann"), 0, "https://board.example.org"))
    assert "board" not in summary_of(told, Recipient(ANN, "Ann")).body
