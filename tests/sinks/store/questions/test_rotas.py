"""Who is on call, until when and who follows: of rotas that hold, that have not begun, and that nobody can read."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from seamwatch.documents import Contract, Estate, Person, Rota
from seamwatch.documents.estate import Term
from seamwatch.durations import DAY
from seamwatch.instants import parse_instant
from sinks.store.questions.names import UnknownNameError
from sinks.store.questions.rotas import (
    COMING,
    OnCall,
    Turn,
    may_be_called,
    paged_text,
    rota_record,
    standing,
    turns,
)

ANN, BOB, CYN, DAN = (f"{name}@example.org" for name in ("ann", "bob", "cyn", "dan"))
BERLIN: dict[str, Any] = {
    "kind": "Rota", "id": "credit", "title": "Credit, on call", "owner": CYN, "time_zone": "Europe/Berlin",
    "starts": "2026-03-02", "persons": [ANN, BOB],
    "instead": [
        {"from": "2026-03-11 08:00", "to": "2026-03-12 08:00", "person": DAN, "reason": "a wedding"},
        {"from": "2025-12-24", "to": "2025-12-27", "person": "left@example.org", "reason": "long ago"},
    ],
}  # fmt: skip
YORK: dict[str, Any] = {
    "kind": "Rota", "id": "desk", "owner": ANN, "time_zone": "America/New_York", "starts": "2026-03-02",
    "hand_over": "17:00", "every": "1d", "persons": [ANN, CYN],
}  # fmt: skip
LISTED: dict[str, Any] = {
    "kind": "Contract", "id": "limits", "version": "1", "seam": "model-to-product", "covers": ["scorer"],
    "parties": {"provider": {"signatory": ANN}, "consumer": {"signatory": BOB}},
    "escalation": [{"rota": "credit"}, {"person": BOB}, {"rota": "gone"}],
    "clauses": [{"id": "valid", "kind": "range", "min": 0, "max": 1}],
}  # fmt: skip
AT = parse_instant("2026-03-11T12:00:00Z")


def at(text: str) -> int:
    return parse_instant(text)


def estate(*rotas: dict[str, Any], without: tuple[str, ...] = (), silent: tuple[str, ...] = ()) -> Estate:
    persons = {
        name: Person.model_validate(
            {"kind": "Person", "id": name, "name": name[:3].title()}
            | ({} if name in silent else {"channels": ["json://example.org/hook"]})
        )
        for name in (ANN, BOB, CYN, DAN)
        if name not in without
    }
    declared = [Rota.model_validate(each) for each in rotas or (BERLIN, YORK)]
    return Estate(
        persons=persons, rotas={one.id: one for one in declared}, terms=(Term(Contract.model_validate(LISTED)),)
    )


def test_a_rota_says_who_is_on_call_until_when_and_who_follows() -> None:
    credit, desk, gone = standing(estate(), AT)
    assert credit == OnCall(
        rota="credit", title="Credit, on call", owner=CYN, time_zone="Europe/Berlin", at=AT, person=DAN, name="Dan",
        reached_by=("json",), since=at("2026-03-11T07:00:00Z"), until=at("2026-03-12T07:00:00Z"), why="a wedding",
        next_person=BOB, next_until=at("2026-03-16T08:00:00Z"), contracts=("limits@1",), problems=(),
    )  # fmt: skip
    assert credit.local(credit.until) == "Thu 2026-03-12 08:00 CET"
    # The clocks of New York went forward on the 8th, those of Berlin not yet.
    assert (desk.person, desk.since, desk.until) == (ANN, at("2026-03-10T21:00:00Z"), at("2026-03-11T21:00:00Z"))
    assert (desk.local(desk.until), desk.contracts) == ("Wed 2026-03-11 17:00 EDT", ())
    assert (gone.person, gone.contracts, len(gone.problems)) == (None, ("limits@1",), 1)
    assert "no document that can be used declares it" in gone.problems[0]


def test_its_turns_are_whole_and_without_gaps() -> None:
    found = turns(estate().rotas["credit"], AT, AT + 7 * DAY)
    assert found == [
        Turn("credit", DAN, at("2026-03-11T07:00:00Z"), at("2026-03-12T07:00:00Z"), "a wedding"),
        Turn("credit", BOB, at("2026-03-12T07:00:00Z"), at("2026-03-16T08:00:00Z"), None),
        Turn("credit", ANN, at("2026-03-16T08:00:00Z"), at("2026-03-23T08:00:00Z"), None),
    ]
    daily = turns(estate().rotas["desk"], AT, AT + COMING)
    assert len(daily) == 29
    assert all(one.end == two.start for one, two in pairwise(daily))


def test_before_it_begins_its_keeper_is_on_call_and_has_always_been() -> None:
    early = at("2026-02-01T00:00:00Z")
    (credit,) = standing(estate(), early, ["credit"])
    assert (credit.person, credit.since, credit.until) == (CYN, at("2025-12-27T08:00:00Z"), at("2026-03-02T08:00:00Z"))
    (desk,) = standing(estate(), early, ["desk"])
    assert (desk.person, desk.since, desk.local(desk.since), desk.next_person) == (ANN, None, "-", ANN)
    assert rota_record(estate(), desk, early + DAY)["turns"] == [
        {"rota": "desk", "person": ANN, "start": None, "end": "2026-03-02T22:00:00.000000Z",
         "why": "the rota has not begun"}
    ]  # fmt: skip


def test_somebody_who_stands_in_for_years_is_told_since_when_and_what_has_no_end_has_none() -> None:
    long = BERLIN | {"instead": [{"from": "2026-03-04", "to": "9999-12-31T00:00:00Z", "person": DAN, "reason": "ever"}]}
    (credit,) = standing(estate(long), at("2040-01-01T00:00:00Z"), ["credit"])
    assert (credit.person, credit.since, credit.until) == (DAN, at("2026-03-04T08:00:00Z"), None)


def test_who_may_be_called_are_those_to_come() -> None:
    credit = estate().rotas["credit"]
    assert may_be_called(credit, AT) == (DAN, ANN, BOB)
    assert may_be_called(credit, AT + 2 * DAY) == (BOB, ANN)
    assert may_be_called(credit, at("2026-01-15T00:00:00Z")) == (CYN, ANN, BOB, DAN)


def test_a_name_that_is_no_rota_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'credit'"):
        standing(estate(), AT, ["credits"])


def test_a_list_in_a_line_names_the_rota_and_who_is_on_call() -> None:
    told = paged_text(["rota credit", BOB, "rota gone"], estate, AT)
    assert told == (
        f"rota credit (now {DAN}, until Thu 2026-03-12 08:00 CET) then {BOB} then rota gone (which no "
        "document declares; the owner of the system is paged)"
    )

    def never() -> Estate:
        raise AssertionError("who asks about persons needs no documents")

    assert paged_text([ANN, BOB], never, AT) == f"{ANN} then {BOB}"


def test_what_was_published_and_cannot_be_used_is_told_by_its_rota() -> None:
    why = "published document 'Rota/credit' cannot be used: starts: is no date"
    read = Estate.of_published([("Rota/credit", b'{"document": 1}'), ("Rota/odd@x", b"{")])
    (credit, odd) = standing(read, AT)
    assert (credit.rota, odd.rota) == ("credit", "odd@x")
    assert credit.problems[0].startswith(why[:40])
    assert credit.person is None


@pytest.mark.parametrize("text", ["0001-01-01", "1969-12-31T23:59:59Z", "9999-12-29", "9999-12-31T23:59:59Z"])
def test_the_ends_of_the_calendar_are_told_like_any_other_time(text: str) -> None:
    world = estate()
    for one in standing(world, at(text), ["credit", "desk"]):
        told = rota_record(world, one, at(text) + COMING)
        assert told["person"] in world.persons
        assert [turn["person"] for turn in told["turns"]][:1] == [one.person]
        assert one.local(one.since)
        assert one.local(one.until)
