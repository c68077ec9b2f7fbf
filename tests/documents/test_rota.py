"""Rotas: who is on call when, over hand-overs, exceptions and the days on which clocks are changed."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seamwatch.documents import Estate, Rota, documents_of, load_folder, published
from seamwatch.documents.people_and_systems import document_differences
from seamwatch.documents.rota import Shift
from seamwatch.documents.template import template
from seamwatch.durations import DAY, HOUR, SECOND
from seamwatch.instants import format_instant, parse_instant
from seamwatch.local_times import LAST, instant_of, local_of, zone, zone_names

ANN, BEN, CAI, DEE = (f"{name}@example.org" for name in ("ann", "ben", "cai", "dee"))
WRITTEN = {
    "kind": "Rota", "id": "on-call", "owner": DEE, "time_zone": "Europe/Berlin", "starts": "2026-11-02",
    "hand_over": "09:00", "every": "7d", "persons": [ANN, BEN, CAI],
}  # fmt: skip


def rota(**changes: Any) -> Rota:
    return Rota.model_validate({**WRITTEN, **changes})


def refusal(**changes: Any) -> str:
    with pytest.raises(ValidationError) as error:
        rota(**changes)
    return "; ".join(each["msg"] for each in error.value.errors())


def plain(shifts: Any) -> list[tuple[str, str, str, str | None]]:
    return [(format_instant(s.start)[:16], format_instant(s.end)[:16], s.person, s.why) for s in shifts]


def at(text: str) -> int:
    return parse_instant(text)


def test_persons_take_turns_from_hand_over_to_hand_over_and_before_the_first_the_owner_is_on_call() -> None:
    found = rota()
    assert found.on_call(at("2026-11-02T07:59:59Z")) == DEE, "it begins at 09:00 in Berlin, which is 08:00 UTC"
    assert [found.on_call(at("2026-11-02T08:00:00Z") + week * 7 * DAY) for week in range(4)] == [ANN, BEN, CAI, ANN]
    assert found.on_call(at("2026-11-09T07:59:59.999999Z")) == ANN
    assert found.members == (ANN, BEN, CAI, DEE)
    assert plain(found.shifts(at("2026-11-01"), at("2026-11-10"))) == [
        ("2026-11-01T00:00", "2026-11-02T08:00", DEE, "the rota has not begun"),
        ("2026-11-02T08:00", "2026-11-09T08:00", ANN, None),
        ("2026-11-09T08:00", "2026-11-10T00:00", BEN, None),
    ]
    assert list(found.shifts(at("2026-11-10"), at("2026-11-10"))) == []


def test_whoever_stands_in_is_on_call_and_of_several_the_last_that_is_written() -> None:
    instead = [
        {"from": "2026-11-03", "to": "2026-11-05", "person": BEN, "reason": "holiday"},
        {"from": "2026-11-04 12:00", "to": "2026-11-04T14:00:00Z", "person": DEE, "reason": "dentist"},
        {"from": "2026-10-31T08:00:00+01:00", "to": "2026-11-01", "person": CAI, "reason": "trial"},
    ]
    found = rota(instead=instead)
    assert plain(found.shifts(at("2026-10-31"), at("2026-11-09T08:00:00Z"))) == [
        ("2026-10-31T00:00", "2026-10-31T07:00", DEE, "the rota has not begun"),
        ("2026-10-31T07:00", "2026-11-01T08:00", CAI, "trial"),
        ("2026-11-01T08:00", "2026-11-02T08:00", DEE, "the rota has not begun"),
        ("2026-11-02T08:00", "2026-11-03T08:00", ANN, None),
        ("2026-11-03T08:00", "2026-11-04T11:00", BEN, "holiday"),
        ("2026-11-04T11:00", "2026-11-04T14:00", DEE, "dentist"),
        ("2026-11-04T14:00", "2026-11-05T08:00", BEN, "holiday"),
        ("2026-11-05T08:00", "2026-11-09T08:00", ANN, None),
    ]
    assert rota(persons=[ANN], instead=instead).members == (ANN, BEN, DEE, CAI), "each once"


@pytest.mark.parametrize(
    ("time_zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-28", 23),
        ("Europe/Berlin", "2026-10-24", 25),
        ("America/New_York", "2026-03-07", 23),
        ("America/New_York", "2026-10-31", 25),
        ("Australia/Lord_Howe", "2026-10-03", 23.5),
        ("Asia/Kolkata", "2026-03-28", 24),
        ("Pacific/Apia", "2011-12-29", 24),  # the day after was left out: the 30th did not come
    ],
)
def test_a_turn_ends_at_the_same_local_time_where_clocks_were_changed(time_zone: str, day: str, hours: float) -> None:
    found = rota(time_zone=time_zone, starts=day, every="1d")
    first = next(found.shifts(instant_of(datetime.fromisoformat(f"{day}T09:00"), zone(time_zone)), LAST))
    assert (first.person, (first.end - first.start) / HOUR) == (ANN, hours)
    assert local_of(first.end, zone(time_zone)).strftime("%H:%M") == "09:00"


def test_a_hand_over_at_an_hour_that_clocks_skip_or_show_twice() -> None:
    skipped = rota(starts="2026-03-28", hand_over="02:30", every="1d")
    assert plain(skipped.shifts(at("2026-03-28T01:30:00Z"), at("2026-03-30T00:30:00Z"))) == [
        ("2026-03-28T01:30", "2026-03-29T01:30", ANN, None),  # 03:30 there
        ("2026-03-29T01:30", "2026-03-30T00:30", BEN, None),
    ]
    twice = rota(starts="2026-10-24", hand_over="02:30", every="1d")
    assert plain(twice.shifts(at("2026-10-24T00:30:00Z"), at("2026-10-26T01:30:00Z"))) == [
        ("2026-10-24T00:30", "2026-10-25T00:30", ANN, None),  # the first 02:30 of two
        ("2026-10-25T00:30", "2026-10-26T01:30", BEN, None),
    ]


def test_whoever_would_be_on_call_on_a_day_that_did_not_come_is_left_out() -> None:
    found = rota(time_zone="Pacific/Apia", starts="2011-12-29", every="1d")
    start = instant_of(datetime.fromisoformat("2011-12-29T09:00"), zone("Pacific/Apia"))
    assert [shift.person for shift in found.shifts(start, start + 3 * DAY)] == [ANN, CAI, ANN]


ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
INSTANTS = st.integers(at("2005-01-01"), at("2045-01-01"))
PLAIN = st.fixed_dictionaries(
    {
        "time_zone": st.sampled_from(ZONES),
        "starts": st.integers(0, 11_000).map(lambda days: str(date(2009, 1, 1) + timedelta(days))),
        "hand_over": st.integers(0, 24 * 60 - 1).map(lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}"),
        "every": st.integers(1, 40).map("{}d".format),
        "persons": st.lists(st.sampled_from((ANN, BEN, CAI, DEE)), min_size=1, max_size=5),
    }
)
INSTEAD = st.builds(
    lambda start, length, person: {
        "from": format_instant(start), "to": format_instant(start + length), "person": person, "reason": "away",
    },
    INSTANTS, st.integers(HOUR, 9_000 * DAY), st.sampled_from((ANN, BEN, CAI)),
)  # fmt: skip


@given(PLAIN, st.lists(INSTEAD, max_size=4), INSTANTS, st.integers(0, 200 * DAY))
def test_shifts_part_any_time_without_gaps_and_say_who_is_on_call(
    agreed: dict[str, Any], instead: list[dict[str, Any]], start: int, length: int
) -> None:
    found, end = rota(**agreed, instead=instead), start + length
    shifts = list(found.shifts(start, end))
    borders = [start, *(shift.end for shift in shifts)]
    assert borders[-1] == end
    assert borders == sorted(set(borders)), "none is of no length"
    assert [shift.start for shift in shifts] == borders[:-1]
    turns = rota(**agreed)
    for shift in shifts:
        for moment in (shift.start, (shift.start + shift.end) // 2, shift.end - 1):
            holding = [one for one, span in zip(instead, found.spans, strict=True) if span[0] <= moment < span[1]]
            assert shift.person == found.on_call(moment)
            assert shift.person == (holding[-1]["person"] if holding else turns.on_call(moment))
            assert shift.person in found.members


@given(PLAIN)
def test_everybody_gets_their_turn_in_order_and_begins_at_the_agreed_local_time(agreed: dict[str, Any]) -> None:
    found = rota(**agreed)
    first = parse_instant(agreed["starts"]) - 2 * DAY
    before, *turns = found.shifts(first, first + 12 * (found.every + DAY))
    assert (before.person, before.why) == (DEE, "the rota has not begun")
    assert [turn.person for turn in turns] == [found.persons[n % len(found.persons)] for n in range(len(turns))]
    assert len(turns) >= 12
    for number, turn in enumerate(turns):
        # By the rules of zones as the standard library finds them.
        day = found.starts + number * timedelta(microseconds=found.every)
        asked = datetime.combine(day, time.fromisoformat(found.hand_over), ZoneInfo(found.time_zone))
        assert turn.start == round(asked.timestamp()) * SECOND
        assert number + 1 == len(turns) or abs(turn.end - turn.start - found.every) <= HOUR


def test_any_time_has_somebody_on_call_at_the_ends_of_the_calendar_too() -> None:
    found = rota(every="1d")
    assert found.on_call(-(2**63)) == DEE
    assert found.on_call(2**63 - 1) in found.persons
    last = list(found.shifts(2**63 - 2, 2**63 - 1))
    assert last == [Shift(2**63 - 2, 2**63 - 1, found.on_call(2**63 - 1))]
    assert all(shift.person in found.persons for shift in found.shifts(LAST - DAY, LAST))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"time_zone": "Europe/Berln"}, "'Europe/Berln' is no time zone that IANA knows: did you mean 'Europe/Berlin'"),
        ({"time_zone": "America"}, "'America' is no time zone that IANA knows"),
        ({"time_zone": "../../etc/hostname"}, "is no time zone that IANA knows"),
        ({"time_zone": "localtime"}, "'localtime' is no time zone that IANA knows"),
        ({"starts": "2026-02-30"}, "'2026-02-30' is no date: there is no such day"),
        ({"starts": 20261102}, "20261102 is no date: write it as 2026-11-02"),
        ({"starts": "0026-11-02"}, "the year is from 1970 to 2999"),
        ({"hand_over": "9:00"}, "'9:00' is no time of day: write it as 09:00"),
        ({"hand_over": "24:00"}, "'24:00' is no time of day"),
        ({"every": "12h"}, "12h is not from 1 to 366 whole days"),
        ({"every": "36h"}, "36h is not from 1 to 366 whole days"),
        ({"every": "367d"}, "367d is not from 1 to 366 whole days"),
        ({"persons": []}, "at least 1 item"),
        (
            {"instead": [{"from": "2026-12-24", "to": "2026-12-24 09:00", "person": ANN, "reason": "r"}]},
            "item 1 of instead ends at 2026-12-24 09:00, which is not after 2026-12-24, where it begins",
        ),
        (
            {"instead": [{"from": "Christmas", "to": "2026-12-24", "person": ANN, "reason": "r"}]},
            "'Christmas' is no time: write a day (2026-12-24), a local time (2026-12-24 14:00) or one with its zone",
        ),
        ({"instead": [{"from": "2026-12-24", "to": "2026-12-25", "person": ANN}]}, "Field required"),
    ],
)  # fmt: skip
def test_what_makes_no_rota_is_refused_by_name(changes: dict[str, Any], said: str) -> None:
    assert said in refusal(**changes)


def test_every_time_zone_that_is_listed_can_be_read() -> None:
    assert {"Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"} <= zone_names()
    for name in zone_names():
        zone.__wrapped__(name)


PEOPLE = "".join(f"---\nkind: Person\nid: {name}\nname: Example\n" for name in (ANN, BEN, CAI, DEE))
DOCUMENT = f"""---
kind: Rota
id: on-call
owner: {DEE}
time_zone: Europe/Berlin
starts: 2026-11-02
persons: [{ANN}, {BEN}]
"""
CONTRACT = f"""---
kind: Contract
id: feed
version: "1"
seam: data-to-model
covers: [feed]
parties: {{provider: {{signatory: {ANN}}}, consumer: {{signatory: {BEN}}}}}
escalation:
  - {{rota: on-call, acknowledge_within: 15m}}
  - {{person: {CAI}}}
clauses:
  - {{id: fresh, kind: freshness, of: inference, max_lag: 1h}}
"""


def checked(folder: Path, *documents: str) -> list[str]:
    (folder / "all.yaml").write_text("".join(documents))
    return [str(problem).removeprefix(f"{folder}/") for problem in load_folder(folder)[1]]


def test_a_contract_names_a_rota_and_whoever_is_unknown_is_said_by_line(tmp_path: Path) -> None:
    assert [p for p in checked(tmp_path, PEOPLE, DOCUMENT, CONTRACT) if "warning" not in p] == []
    wrong = CONTRACT.replace("rota: on-call", "rota: on-cal").replace(f"person: {CAI}", "acknowledge_within: 5m")
    nobody = DOCUMENT.replace(BEN, "bem@example.org")
    instead = "instead:\n" + "".join(
        f"  - {{from: 2026-12-{start}, to: 2026-12-{start + 3}, person: {who}, reason: away}}\n"
        for start, who in ((24, "cay@example.org"), (26, ANN))
    )
    assert [p for p in checked(tmp_path, PEOPLE, nobody, instead, wrong) if "covers" not in p] == [
        "all.yaml:23: unknown person 'bem@example.org' ('persons' of rota 'on-call'): did you mean 'ben@example.org'?",
        "all.yaml:25: unknown person 'cay@example.org' ('person' of rota 'on-call'): did you mean 'cai@example.org'?",
        (
            "all.yaml:26: warning: items 1 and 2 of 'instead' of rota 'on-call' are for the same time: then the later "
            f"one holds, {ANN}"
        ),
        "all.yaml:35: unknown rota 'on-cal' ('escalation' of contract 'feed'): did you mean 'on-call'?",
        "all.yaml:36: contract 'feed': a step of escalation names a person or a rota: give one of them",
    ]


def test_a_step_of_both_and_a_rota_that_is_there_twice_are_refused(tmp_path: Path) -> None:
    both = CONTRACT.replace(f"person: {CAI}", f"person: {CAI}, rota: on-call")
    found = [p for p in checked(tmp_path, PEOPLE, DOCUMENT, DOCUMENT, both) if "covers" not in p]
    assert found == [
        f"all.yaml:26: rota 'on-call' is defined twice: first in {tmp_path}/all.yaml:19",
        "all.yaml:40: contract 'feed': a step of escalation names a person or a rota, and this one both: leave one out",
    ]


def test_a_template_is_a_rota(tmp_path: Path) -> None:
    (tmp_path / "rota.yaml").write_text(template("rota") + PEOPLE.replace(ANN, "owner@example.org"))
    estate, problems = load_folder(tmp_path)
    assert problems == []
    assert estate is not None
    assert estate.rotas["credit-on-call"].on_call(at("2027-01-01")) == "owner@example.org"


def test_it_is_published_and_read_again_and_withdrawn(tmp_path: Path) -> None:
    checked(tmp_path, PEOPLE, DOCUMENT, CONTRACT)
    estate = Estate.load(tmp_path)
    messages = published(documents_of(estate), 1)
    assert "Rota/on-call" in dict(messages)
    again = Estate.of_published(messages)
    assert again.rotas == estate.rotas
    assert documents_of(again) == documents_of(estate)
    assert Estate.of_published([*messages, ("Rota/on-call", None)]).rotas == {}


def differing(**changes: Any) -> list[tuple[str, str, Any, Any]]:
    instead = [
        {"from": "2026-12-24", "to": "2026-12-27", "person": BEN, "reason": "holiday"},
        {"from": "2026-12-25", "to": "2026-12-26", "person": CAI, "reason": "swap"},
    ]
    (found,) = document_differences([rota(instead=instead)], [rota(**{"instead": instead, **changes})])
    return [(part.name, part.what, part.before, part.after) for part in found.parts]


def test_what_differs_between_two_states_of_a_rota_is_told_exception_by_exception() -> None:
    first = {"from": "2026-12-24", "to": "2026-12-27", "person": BEN, "reason": "holiday"}
    second = {"from": "2026-12-25", "to": "2026-12-26", "person": CAI, "reason": "swap"}
    third = {"from": "2026-12-30", "to": "2026-12-31", "person": DEE, "reason": "away"}
    assert differing(persons=[BEN, ANN], instead=[first, {**second, "reason": "ill"}, third]) == [
        ("persons", "changed", [ANN, BEN, CAI], [BEN, ANN]),
        (f"instead 2026-12-25 2026-12-26 {CAI}: reason", "changed", "swap", "ill"),
        (f"instead 2026-12-30 2026-12-31 {DEE}", "added", None, third),
    ]
    # Of two for the same time the last one holds, so that their order is no matter of writing.
    assert differing(instead=[second, first]) == [("instead", "changed", [first, second], [second, first])]


def test_the_example_of_the_docs_is_right(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/rotas.md").read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    people = "".join(f"---\nkind: Person\nid: {name}@example.org\nname: Example\n" for name in ("ada", "ben", "cleo"))
    system = "---\nkind: System\nid: credit-model\ntype: pipeline\nowner: ada@example.org\n"
    (warned,) = checked(tmp_path, example, people, system)
    assert "warning: items 1 and 2 of 'instead' of rota 'credit-on-call' are for the same time" in warned
    (found,) = Estate.load(tmp_path).rotas.values()
    assert found.on_call(at("2026-12-25T12:00:00Z")) == "ben@example.org"
    assert found.on_call(at("2026-12-25T18:00:00Z")) == "cleo@example.org"
