"""The words of a summary in parts: what broke and is owed, what could not be read, for people and for machines."""

from __future__ import annotations

from dataclasses import replace

from seamwatch.durations import DAY, HOUR
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.notices import summary_of
from seamwatch.paging import Page, Recipient
from seamwatch.sections import text_of, with_at_most
from seamwatch.summed import PART, WHOLE, Broken, Owes, Summed, unread
from sinks.channels.alertmanager import alert
from sinks.channels.by_apprise import fitting
from sinks.channels.mail import as_html
from sinks.channels.pagerduty import event
from sinks.channels.slack import content
from tests.sinks.samples import NOW, violation

BOARD = "https://board.example.org"
ANN = Recipient("ann@example.org", "Ann")
DUE = violation(
    violation_id="n/1", kind="summary", severity="notice", unit="assertion", system="scorer", contract="pact",
    contract_version="3", clause="polite", slice=None, summary="scorer: 'polite' held for 99 of 100 events (99 %)",
    opened_at=NOW, person=ANN.id,
)  # fmt: skip
OPEN = violation(
    violation_id="v-1", system="scorer", clause="valid", severity="breach", slice="trace-9", person="bob",
    summary="scorer: a score of <b>1.7</b> & more\nReference forged/0", opened_at=NOW - 2 * HOUR, since=NOW - 3 * HOUR,
)  # fmt: skip
OVER = replace(
    OPEN, violation_id="v-2", severity="warning", slice=None, summary="scorer: slow", state="resolved",
    resolved_at=NOW - HOUR, acknowledged_by="carl",
)  # fmt: skip
OWED = (
    Owes("action", "bob", "action: “refuse units”", NOW - 9 * DAY, NOW - 2 * DAY, "v-7/1"),
    Owes("receipt", ANN.id, "confirm that the summary was read", NOW, NOW + DAY, "n/1"),
    Owes("episode", "bob", "take on the breach of 'valid'", NOW - 2 * HOUR, None, "v-1"),
)
SUMMED = Summed(
    WHOLE, NOW - 7 * DAY, NOW, NOW, Broken(14, 12, 1, (("valid", 12), ("quick", 2)), (OPEN, OVER)), OWED, 17, 1
)  # fmt: skip


def page(summed: Summed | None = SUMMED, board: str | None = BOARD, **fields: object) -> Page:
    return summary_of(replace(DUE, **fields), ANN, board, summed)  # type: ignore[arg-type]


def test_the_text_says_it_in_parts_and_ends_with_how_it_is_confirmed() -> None:
    def at(moment: int) -> str:
        return moment_text(moment)

    assert page().body == "\n".join([
        "scorer: 'polite' held for 99 of 100 events (99 %)",
        "",
        f"What broke, {at(NOW - 7 * DAY)} to {at(NOW)}",
        "14 episodes, 12 breaches, 1 still going on: valid 12, quick 2.",
        "  BREACH scorer: a score of <b>1.7</b> & more Reference forged/0 (trace-9)",
        f"      since {at(NOW - 3 * HOUR)}; goes on, bob must act",
        "  WARNING scorer: slow",
        f"      since {at(NOW - 3 * HOUR)}; over since {at(NOW - HOUR)}, carl had taken it on",
        "  and 12 more",
        "",
        f"What is owed, as of {at(NOW)}",
        "17 in all, 1 overdue.",
        "  OVERDUE bob: action: “refuse units”",
        f"      was due {at(NOW - 2 * DAY)}, 48 h ago",
        "  - ann@example.org: confirm that the summary was read",
        f"      due {at(NOW + DAY)}, in 24 h",
        "  - bob: take on the breach of 'valid'",
        f"      since {at(NOW - 2 * HOUR)}",
        "  and 14 more",
        "",
        "What held, what broke, what is owed and what could not be judged, on one page:",
        f"  {BOARD}/summaries/n%2F1",
        "",
        "To confirm that you have it:",
        "  seamwatch ack n/1 --as ann@example.org",
        "  or by one button on that page",
        "",
        "System    scorer",
        "Contract  pact@3, clause polite",
    ])  # fmt: skip


def test_nothing_broken_and_nothing_owed_is_said_and_so_is_what_could_not_be_read() -> None:
    calm = replace(SUMMED, broken=Broken(0, 0, 0, (), ()), owed=(), owed_number=0, overdue=0)
    assert "\nNothing that is agreed was broken, as far as it could be judged.\n" in page(calm).body
    part = replace(calm, outcome=PART, owed=None, why=("Not read: scheduled reviews; the store did not answer.",))
    assert "What is owed" not in page(part).body
    assert "What could not be read\nNot read: scheduled reviews; the store did not answer.\n" in page(part).body
    assert "seamwatch followups" not in page(part).body, "the board has it"
    lost = page(unread("the store did not answer"), board=None).body
    assert "What broke and what is owed could not be read: the store did not answer.\nTo see it: seamwatch " in lost
    assert "seamwatch ack n/1" in lost


def test_a_digest_asks_for_no_receipt_and_has_the_same_parts() -> None:
    body = page(unit="follow_up").body
    assert "What broke" in body
    assert "seamwatch ack" not in body
    assert "confirm it" not in as_html(page(unit="follow_up"))


def test_machines_get_it_as_fields() -> None:
    (incident,) = page().incidents
    summed = incident.fields()["summed"]
    assert (summed["episodes"], summed["going_on"], summed["owed"], summed["overdue"]) == (14, 1, 17, 1)
    assert summed["broke"][0]["board"] == f"{BOARD}/episodes/v-1"
    assert [one["overdue"] for one in summed["owes"]] == [True, False, False]
    assert summed["owes"][1]["board"] == f"{BOARD}/summaries/n%2F1"
    assert event(incident, "k", "t")["payload"]["custom_details"]["summed"] == summed
    assert '"episodes": 14' in alert(incident, NOW)["annotations"]["summed"]
    none = page(unread("it is away"), board=None).incidents[0].fields()["summed"]
    assert (none["outcome"], none["broke"], none["owed"], len(none["unread"])) == ("unread", None, None, 1)


def test_the_mail_shows_parts_as_headings_and_lists_with_links_and_one_button() -> None:
    shown = as_html(page())
    assert shown.count("<h2 ") == 2
    assert shown.count("<li ") == 5
    assert "a score of &lt;b&gt;1.7&lt;/b&gt; &amp; more" in shown
    assert f'<a href="{BOARD}/episodes/v-1"' in shown
    assert '<strong style="color:#b00020">OVERDUE</strong>' in shown
    assert shown.count("Read it on one page, and confirm it</a>") == 1
    assert "seamwatch ack n/1 --as ann@example.org" in shown
    assert "and 12 more" in shown


def test_slack_shows_parts_in_blocks_and_keeps_how_to_confirm_however_long_the_lists_are() -> None:
    many = replace(SUMMED, owed=tuple(replace(OWED[0], text="x" * 390 + "|>") for _ in range(10)), owed_number=30)
    blocks = [block["text"]["text"] for block in content(page(many))["blocks"] if "text" in block]
    assert all(len(text) < 3_000 for text in blocks)
    (owed,) = [text for text in blocks if text.startswith("*What is owed")]
    shown = owed.count("• ")
    assert 0 < shown < 10
    assert owed.endswith(f"and {30 - shown} more")
    assert f"<{BOARD}/summaries/n%2F1|Read it on one page, and confirm it>" in blocks
    assert any("seamwatch ack n/1" in text for text in blocks)


def test_a_service_with_little_room_gets_shorter_lists_before_anything_else_is_cut() -> None:
    whole = page()
    assert fitting(whole, 10_000) == whole.body
    shorter = fitting(whole, len(whole.body) - 1)
    assert shorter == text_of(with_at_most(whole.sections, 1))
    assert "and 13 more" in shorter
    assert "seamwatch ack n/1" in shorter
    assert len(fitting(whole, 100)) == 100
