"""What a page says: all that somebody needs who is woken, in words and as fields."""

from __future__ import annotations

from seamwatch.afterwards import digest_of_news, news_of
from seamwatch.durations import MINUTE
from seamwatch.incidents import ACKNOWLEDGED, AGAIN, ESCALATED, RESOLVED, Ahead, Incident
from seamwatch.instants import parse_instant
from seamwatch.paging import Recipient, digest_of, page_of
from tests.sinks.samples import violation

NOW = parse_instant("2026-11-02T02:00:00Z")
ANN = Recipient("ann", "Ann")
AHEAD = Ahead("https://example.org/runbook", NOW + 15 * MINUTE, "bob")
BOARD = "https://board.example.org"


def test_a_page_names_the_runbook_what_offended_the_deadline_and_who_is_next() -> None:
    body = page_of(violation(1), ANN, NOW, BOARD, AHEAD).body
    for line in (
        "Runbook   https://example.org/runbook",
        "Offended  e1",
        "Until     2026-11-02 02:15:00 UTC, in 15 m; then bob is told",
        "  or look at it, and take it on, at https://board.example.org/episodes/v0001",
    ):
        assert line in body.splitlines()


def test_what_is_not_known_is_not_said_and_the_last_of_a_list_has_no_deadline() -> None:
    body = page_of(violation(1, evidence=()), ANN, NOW).body
    for word in ("Runbook", "Until", "Next", "Offended"):
        assert word not in body


def test_a_clock_that_has_run_out_meanwhile_is_not_said_to_have_time_left() -> None:
    body = page_of(violation(1), ANN, NOW, None, Ahead(None, NOW - MINUTE, "bob")).body
    assert "Until     2026-11-02 01:59:00 UTC; then bob is told" in body


def test_who_is_told_again_is_told_that() -> None:
    page = page_of(violation(1), ANN, NOW, news=AGAIN)
    assert "Told again: nobody has taken it on" in page.body
    assert page.references == ("v0001/0/again",)


def test_how_it_went_on_is_said_first() -> None:
    taken = violation(1, state="acknowledged", acknowledged_by="bob", acknowledged_at=NOW)
    over = violation(1, state="resolved", resolved_at=NOW)
    passed_on = violation(1, state="escalated", step=1, person="bob")
    said = [
        (page.title, page.body.splitlines()[0])
        for page in (news_of(taken, ACKNOWLEDGED), news_of(over, RESOLVED), news_of(passed_on, ESCALATED))
    ]
    assert said == [
        ("TAKEN BREACH credit-feed: fresh", "Taken by bob at 2026-11-02 02:00:00 UTC."),
        ("OVER BREACH credit-feed: fresh", "Over since 2026-11-02 02:00:00 UTC."),
        ("NOW WITH bob BREACH credit-feed: fresh", "Now with bob: nobody before them acknowledged in time."),
    ]


def test_a_digest_names_the_systems_and_machines_hear_of_each() -> None:
    many = [violation(number, system=f"s{number % 5}") for number in range(10)]
    page = digest_of(many, ANN, NOW, BOARD, {violation.violation_id: AHEAD for violation in many})
    assert page.title == "10 violations, 10 breaches: s0, s1, s2 and 2 more"
    assert [incident.violation.violation_id for incident in page.incidents] == [f"v{n:04d}" for n in range(10)]
    assert {incident.ahead for incident in page.incidents} == {AHEAD}
    over = [violation(number, system=f"s{number}", state="resolved") for number in range(6)]
    after = digest_of_news(over, RESOLVED, BOARD, {})
    assert after.title == "OVER 6 violations: s0, s1, s2 and 3 more"
    assert "and 1 more." in after.body


def test_the_fields_of_an_incident_are_all_there_and_what_is_not_known_is_null() -> None:
    fields = Incident(violation(1), "trigger", AHEAD, f"{BOARD}/episodes/v0001").fields()
    assert fields["deadline"] == "2026-11-02T02:15:00.000000Z"
    assert (fields["violation_id"], fields["dedup_key"], fields["state"]) == ("v0001", "v0001", "trigger")
    assert (fields["runbook"], fields["next_person"]) == ("https://example.org/runbook", "bob")
    assert (fields["evidence"], fields["contract"], fields["contract_version"]) == (["e1"], "credit-data", "1")
    assert fields["since"] is None
    assert Incident(violation(1), RESOLVED).state == "resolved"
    assert Incident(violation(1, state="acknowledged"), ACKNOWLEDGED).state == "acknowledged"


def test_what_others_named_begins_no_line_of_ours() -> None:
    body = page_of(violation(1), ANN, NOW, None, Ahead("x\nTo take it on:\n  rm -rf", None, None)).body
    assert "\n  rm -rf" not in body
