"""What commands say of an estate: pages of violations, trees of traces, and of what is over, that nobody has to act."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seamwatch.documents import RiskPolicy, published
from seamwatch.documents.canonical import digest_of
from seamwatch.durations import HOUR, MINUTE, SECOND
from seamwatch.judging.found import Found, header_of
from seamwatch.judging.model.facts import Evidence
from seamwatch.judging.model.held import Held
from seamwatch.judging.records import violation_record
from sinks.store.questions.episodes import Wanted, episodes
from sinks.store.questions.trail import Happened, branches
from tests.console.populated import (
    AGENT,
    AWAY,
    DATASET,
    EPISODES,
    MODEL,
    PEOPLE,
    STRAY,
    TRACE,
    Populated,
    call,
    decision,
    event,
    hexed,
    populated,
)
from tests.sinks.ledger.book import NOW_MILLIS
from tests.sinks.samples import CODEC, NOW

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def store(
    clickhouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Populated]:
    with populated(clickhouse, tmp_path, monkeypatch, capsys) as made:
        yield made


def ids(out: str) -> list[str]:
    return [json.loads(line)["violation_id"] for line in out.splitlines()]


def test_violations_come_in_pages_that_leave_none_out_and_show_none_twice(store: Populated) -> None:
    # Seven of one instant, so that a page ends among equals.
    many = [
        replace(EPISODES[0], violation_id=hexed(number), opened_at=NOW - 4 * HOUR - (number // 7) * MINUTE)
        for number in range(24)
    ]
    values: list[bytes | None] = [CODEC.encode("violation", violation_record(each)) for each in many]
    store.book.record(values, "violations.distribution", millis=NOW // 1000)
    everything = ids(store.run("violations", "--json").out)
    assert len(everything) == 27
    for size in (1, 4, 10, 26, 27, 40):
        seen: list[str] = []
        while True:
            after = ["--before", seen[-1]] if seen else []
            answer = store.run("violations", "--json", "--limit", str(size), *after)
            page = ids(answer.out)
            seen += page
            more = f"--before {page[-1]} goes on" in answer.err if page else False
            assert more == (len(seen) < 27)
            if not more:
                break
        assert seen == everything
    shown = store.run("violations", "--limit", "2").out
    assert shown.splitlines()[-1] == f"2 of 27; --before {everything[1]} goes on"
    older = store.run("violations", "--json", "--before", "210m").out
    assert ids(older) == [each for each in everything if each in {hexed(number) for number in range(24)}]
    assert store.run("violations", "--json", "--before", "2001-01-01").code == 0
    wrong = store.run("violations", "--before", "no-such-id")
    assert (wrong.code, wrong.out) == (1, "")
    assert "no-such-id" in wrong.err


def test_one_that_opens_while_none_is_found_is_for_the_next_time(
    store: Populated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.store.questions.episodes.number", lambda *_: 1)
    answer = store.run("violations", "--since", "2999-01-01")
    assert (answer.code, answer.out) == (0, "no violations\n")
    assert store.run("violations", "--json", "--since", "2999-01-01").out == ""


def test_drills_are_listed_and_count_for_nothing(store: Populated) -> None:
    drill = replace(
        EPISODES[0], violation_id=hexed("drill"), kind="drill", clause="drill", severity="drill", system=DATASET,
        slice="leak-1", summary="DRILL, nothing has happened", opened_at=NOW - MINUTE, state="open", resolved_at=None,
    )  # fmt: skip
    store.book.record([CODEC.encode("violation", violation_record(drill))], "violations.drill", millis=NOW // 1000)
    shown = store.run("violations", "--system", DATASET, "--open")
    assert shown.out.startswith("DRILL    open")
    assert shown.code == 0
    both = store.run("violations", "--limit", "1")
    assert both.out.startswith("DRILL")
    assert both.code == 1, "others are behind it"
    assert episodes(store.store, Wanted(DATASET, unresolved=True, drills=False)) == []
    asked = "SELECT count() AS asked FROM acknowledgement_latency WHERE reference = {id:String}"
    assert [row["asked"] for row in store.store.rows(asked, {"id": drill.violation_id})] == [0]


def test_silences_say_what_opened_meanwhile_and_of_what_nobody_was_told(store: Populated) -> None:
    quiet = replace(
        EPISODES[0], violation_id=hexed("quiet"), kind="silence", clause="silence", severity="warning", system=DATASET,
        slice="told", summary="held back", opened_at=NOW - HOUR, since=NOW - HOUR, limit=7_200.0, unit="s",
        state="open", resolved_at=None, evidence=(Evidence(NOW - HOUR, event("said"), "t", 0, 0),),
    )  # fmt: skip
    within = [
        replace(
            quiet, violation_id=hexed(name), kind="freshness", severity="breach", clause=clause, opened_at=opened,
            state=state, resolved_at=None if state == "open" else opened + SECOND,
        )
        for name, clause, opened, state in (
            ("a", "told", NOW - MINUTE, "open"), ("b", "told", NOW - 2 * MINUTE, "resolved"),
            ("c", "other", NOW - MINUTE, "open"), ("d", "told", NOW - 2 * HOUR, "resolved"),
        )
    ]  # fmt: skip
    for kind, several in (("silence", [quiet]), ("freshness", within)):
        values: list[bytes | None] = [CODEC.encode("violation", violation_record(each)) for each in several]
        store.book.record(values, f"violations.{kind}", millis=NOW // 1000)
    answer = store.run("silences", "--system", DATASET, "--json")
    assert answer.code == 1
    (found,) = map(json.loads, answer.out.splitlines())
    assert (found["clause"], found["over"], found["episodes"], found["untold"]) == ("told", False, 2, 1)
    assert "2 episodes opened meanwhile, of 1 of which nobody was told" in store.run("silences").out
    over = replace(quiet, state="resolved", resolved_at=NOW)
    store.book.record([CODEC.encode("violation", violation_record(over))], "violations.silence", millis=NOW // 1000 + 1)
    assert store.run("silences", "--system", DATASET).out == "no silences\n"
    assert store.run("silences", "--system", DATASET, "--over").code == 0


def test_where_a_list_has_a_rota_it_is_told_who_is_on_call(store: Populated) -> None:
    told = store.run("owner", MODEL).out
    assert f"3. rota decisions-on-call: now {PEOPLE[2]}, until " in told
    (contract,) = json.loads(store.run("owner", MODEL, "--json").out)["contracts"]
    first, _, by_rota = contract["escalation"]
    assert first == {"person": PEOPLE[0], "acknowledge_within": "30m"}
    assert (by_rota["rota"], by_rota["acknowledge_within"]) == ("decisions-on-call", "2h")
    on_call = by_rota["on_call"]
    assert (on_call["person"], on_call["since"][:19], on_call["until"][:19], on_call["why"]) == (
        PEOPLE[2], AWAY[0][:19], AWAY[1][:19], "Mira is at a wedding",
    )  # fmt: skip
    assert f"{PEOPLE[1]} then rota decisions-on-call (now {PEOPLE[2]}, until " in store.run("why", event("d1")).out
    answer = store.run("rota", "decisions-on-call", "--at", AWAY[1], "--until", AWAY[0])
    assert (answer.code, answer.err) == (2, f"seamwatch: --until {AWAY[0]}: it must be after {AWAY[1]}\n")
    # Two of its members have no channel.
    answer = store.run("rota", "decisions-on-call")
    assert answer.code == 1
    assert f"PROBLEM  decisions-on-call: {PEOPLE[2]} has no channel but the board" in answer.out
    assert "night-desk" not in answer.out
    odd = {"kind": "Rota", "id": "odd", "owner": PEOPLE[0], "time_zone": "Mars/Base", "starts": "2026-01-05",
           "persons": [PEOPLE[0]]}  # fmt: skip
    message = {"document": odd, "digest": digest_of(odd), "published_at": NOW - HOUR}
    store.book.record([json.dumps(message).encode()], "contracts", key=b"Rota/odd")
    found = {each["rota"]: each for each in map(json.loads, store.run("rota", "--json").out.splitlines())}
    assert set(found) == {"decisions-on-call", "night-desk", "odd"}
    assert found["odd"]["person"] is None
    assert "'Mars/Base' is no time zone that IANA knows" in found["odd"]["problems"][0]


def test_violations_as_json_have_the_documented_fields_in_order(store: Populated) -> None:
    page = (DOCS / "store.md").read_text("utf-8")
    section = page[page.index("### `violations`\n") :].split("\n### ")[0]
    documented = [
        name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    ]
    columns = [row["name"] for row in store.store.rows("DESCRIBE TABLE violations")]
    assert sorted(columns) == sorted(documented)
    for line in store.run("violations", "--json").out.splitlines():
        assert sorted(json.loads(line)) == sorted(documented)


def test_what_is_over_asks_nobody_to_act(store: Populated) -> None:
    shown = store.run("violations").out
    over = next(part for part in re.split(r"^(?=BREACH|WARNING)", shown, flags=re.MULTILINE) if "resolved" in part)
    assert "must act" not in over
    assert "over since 1 h" in over
    assert store.run("violations", "--system", DATASET, "--open").out == "no violations\n"
    told = store.run("why", event("d2")).out
    assert "over since" in told
    assert "must act" not in told
    assert "must act" in store.run("why", event("d1")).out
    assert "must act" not in store.run("owner", DATASET).out
    owned = store.run("owner", MODEL).out
    assert f"{EPISODES[0].violation_id}  breach, {PEOPLE[0]} must act" in owned


def test_burn_says_what_is_used_up_and_ends_with_1_when_any_burns(store: Populated, tmp_path: Path) -> None:
    quiet = store.run("burn", "eligibility-data-to-decisions", "--system", MODEL)
    assert quiet.code == 0
    assert "of 3 1 is unknown: nothing says that they are well" in quiet.out
    assert "no tolerance is agreed by eligibility-data-to-decisions/shape-of-scores" in quiet.out
    # Decided ten minutes ago on data of two hours before; an hour is agreed.
    store.send("inference", decision("late", NOW - 10 * MINUTE))
    file = tmp_path / "seamwatch.prom"
    told = store.run("burn", "--json", "--textfile", str(file))
    assert told.code == 1
    first, *others = (json.loads(line) for line in told.out.splitlines())
    assert (first["clause"], first["verdict"], first["used"]) == ("decisions-on-fresh-features", "over", 2.0)
    assert {each["verdict"] for each in others} == {"unknown", "no tolerance"}
    # What no contract covers is under the defaults.
    assert {each["contract"] for each in others if each["system"] == AGENT} == {"defaults"}
    assert "are unknown: nothing says that they are well" in told.err
    rate = f'{{clause="{first["clause"]}",cohort="",contract="{first["contract"]}",system="{MODEL}"}}'
    assert f"seamwatch_burn_age_used{rate} 2.0" in file.read_text()


def test_why_says_who_had_signed_what_and_when_they_signed(store: Populated) -> None:
    said = " ".join(store.run("why", event("d2")).out.split())
    assert f"signed eligibility-data-to-decisions@4: {PEOPLE[1]} (provider) at 2026-11-02T14:05:00" in said
    assert "NOT BY nobody named (consumer)" in said
    rows = json.loads(store.run("why", event("d2"), "--json").out)["signatures"]
    assert [(row["person"], row["roles"], row["signed"]) for row in rows] == [
        (PEOPLE[1], ["provider"], True), (None, ["consumer"], False)
    ]  # fmt: skip


def test_why_says_that_the_basis_of_an_approval_is_gone_until_it_is_evaluated_again(store: Populated) -> None:
    arrived = CODEC.encode("inference", decision("allowed", NOW - 2 * HOUR))
    store.book.record([arrived], "inference", millis=NOW_MILLIS + 1_000)  # after the documents

    def basis() -> list[str]:
        told = json.loads(store.run("why", event("allowed"), "--json").out)
        assert told["approval_id"] == "APPROVAL-2026-000117"
        return list(told["basis_gone"])

    (shifted,) = basis()  # the announced model had not taken effect
    assert shifted.startswith("scores shifted at ")
    assert "basis gone" in store.run("why", event("allowed")).out
    store.send(
        "attestation",
        {"event_id": event("re"), "event_time": NOW - 170 * MINUTE, "system": MODEL, "subject": "reevaluation",
         "kind": "reevaluation", "person": PEOPLE[1], "statement": '{"metrics":{"auc":0.8}}'},
    )  # fmt: skip
    assert basis() == []
    change = {
        "event_id": event("p9"), "event_time": NOW - 160 * MINUTE, "system": MODEL, "change_id": "P-9",
        "kind": "prompt", "effective_at": NOW - 150 * MINUTE, "announced_by": PEOPLE[1], "summary": "shorter",
    }  # fmt: skip
    store.send("config_change", change)
    (changed,) = basis()
    assert changed.startswith("prompt change P-9 took effect at ")
    back = {"event_id": event("p9-"), "event_time": NOW - 155 * MINUTE, "withdrawn": True}
    store.send("config_change", {**change, **back})
    assert basis() == []


def test_the_trail_shows_what_led_to_what_and_when_to_the_millisecond(store: Populated) -> None:
    lines = store.run("trail", TRACE).out.splitlines()
    times = [re.search(r"\d\d:\d\d:\d\d\.\d{3}", line) for line in lines[1:6]]
    assert all(times)
    ends = [line.split()[-1] for line in lines[1:6]]
    assert ends == [event("d1"), event("c1"), event("c2"), event("d2"), event("c3")]
    leads = [re.match(r"[│├└─ ]*", line) for line in lines[1:6]]
    assert [lead[0] for lead in leads if lead] == ["", "├─ ", "│  └─ ", "└─ ", ""]
    assert lines[-1].startswith(f"{event('c3')} names a parent that is not on record in this trace: {event('nowhere')}")
    rows = [json.loads(line) for line in store.run("trail", TRACE, "--json").out.splitlines()]
    assert [row["event_time"] for row in rows] == sorted(row["event_time"] for row in rows)
    assert {row["event_id"]: row["parent_id"] for row in rows}[event("c2")] == event("c1")


def row(name: str, parent: str | None) -> Happened:
    return Happened(None, NOW, "outcome", name, parent, "s", "", "", "t", 0, 0)


def test_what_is_suspended_is_told_where_one_looks_for_a_system(store: Populated) -> None:
    now = time.time_ns() // 1_000
    said: dict[str, Any] = {
        "suspension_id": event("s"), "system": AGENT, "state": "suspended", "person": PEOPLE[2],
        "reason": "it pays twice", "since": now - HOUR, "judged_at": now - HOUR,
    }  # fmt: skip
    records = [
        said | {"tool": "pay"},
        said | {"version": "7"},
        said | {"version": "7", "state": "resumed", "evidence_uri": "https://example.org/81"},
        said | {"tool": "mail", "until": now - MINUTE},
        said | {"system": MODEL, "person": None, "contract": "scores@1#bounds", "violation_id": hexed("v")},
    ]
    for number, record in enumerate(records):
        store.book.record([CODEC.encode("suspended", record)], "suspended", millis=NOW // 1000 + number)
    of_agent = f"tool pay of {AGENT} is suspended since"
    owner = " ".join(store.run("owner", AGENT).out.split())
    assert of_agent in owner
    assert f"by {PEOPLE[2]}: “it pays twice”" in owner
    assert not [each for each in ("version 7", "tool mail") if f"{each} of {AGENT} is suspended" in owner]
    (row,) = json.loads(store.run("owner", AGENT, "--json").out)["suspended"]
    assert (row["tool"], row["version"]) == ("pay", None)
    listed = " ".join(store.run("inventory").out.split())
    assert of_agent in listed
    assert f"{MODEL} is suspended since" in listed
    assert "by contract scores@1#bounds" in listed
    rows = map(json.loads, store.run("inventory", "--json").out.splitlines())
    assert {row["system"] for row in rows if row["suspended"]} == {AGENT, MODEL}


def test_parents_that_go_round_in_a_circle_lose_no_event() -> None:
    rows = [row("a", "c"), row("b", "a"), row("c", "b"), row("d", "c"), row("e", "e"), row("f", None)]
    shown = list(branches(rows))
    assert sorted(found.event_id for _, found in shown) == list("abcdef")
    chain = [row("0", None), *(row(str(number), str(number - 1)) for number in range(1, 5_000))]
    assert [found.event_id for _, found in branches(chain)] == [str(number) for number in range(5_000)]


def test_a_limit_that_leaves_decisions_out_says_so_to_machines_too(store: Populated) -> None:
    answer = store.run("stale", "--json", "--limit", "1")
    assert len(answer.out.splitlines()) == 1
    assert answer.err.splitlines()[0] == "1 of 5; --limit shows more"
    store.send("tool_call", call("c9", NOW))
    assert store.run("stale", "--system", AGENT).out == "no decision was made on data older than agreed\n"


def test_tiers_say_who_holds_to_one_and_who_is_not_known_to(store: Populated) -> None:
    answer = store.run("tiers", "--json")
    found = {row["system"]: row for line in answer.out.splitlines() for row in [json.loads(line)]}
    assert {name: row["state"] for name, row in found.items()} == {AGENT: "unknown", MODEL: "short", STRAY: "unknown"}
    assert found[MODEL]["policies"] == ["risk-of-decisions@2"]
    assert found[MODEL]["short_of"][0].startswith("has no scheduled review, and tier 'high' of risk policy")
    assert answer.code == 1
    assert answer.err.startswith("0 of 3 systems hold to their tier; 1 fall short of it; 2 are not known to have one")
    assert store.run("tiers", "--short").out.count("\n") >= 7
    first = store.store.rows("SELECT digest FROM documents WHERE kind = 'RiskPolicy'")
    softer = RiskPolicy.model_validate(
        {"kind": "RiskPolicy", "id": "risk-of-decisions", "version": "2", "effective_from": "2026-01-01",
         "signatories": [PEOPLE[2]], "tiers": [{"tier": "high"}]}
    )  # fmt: skip
    for key, value in published([softer], NOW):
        store.book.record([value], "contracts", key=key.encode())
    assert store.store.rows("SELECT digest FROM documents WHERE kind = 'RiskPolicy'") == first, "the first text holds"
    assert [json.loads(line) for line in store.run("tiers", "--json").out.splitlines()] == list(found.values())


def test_the_views_of_approvals_name_the_risk_policies_that_they_do_not_look_at(store: Populated) -> None:
    unread = {row["system"]: row["policies_unread"] for row in store.store.rows("SELECT * FROM approvals")}
    assert unread == {MODEL: ["risk-of-decisions"]}
    # Documents and events of the estate come in about the same millisecond: this one comes after its system's document.
    arrived = CODEC.encode("inference", decision("after", NOW))
    store.book.record([arrived], millis=NOW_MILLIS + 1_000)
    asked = f"SELECT policies_unread FROM why WHERE event_id = '{event('after')}'"
    assert store.store.rows(asked) == [{"policies_unread": ["risk-of-decisions"]}]
    others = f"SELECT DISTINCT policies_unread FROM why WHERE system != '{MODEL}'"
    assert store.store.rows(others) == [{"policies_unread": []}], "no document gives them a tier"
    store.book.record([None], "contracts", key=b"RiskPolicy/risk-of-decisions@2")
    assert store.store.rows(asked) == [{"policies_unread": []}], "it is withdrawn"


def test_decisions_under_a_version_of_a_contract_can_be_asked_for(store: Populated) -> None:
    all_of_them = [json.loads(line) for line in store.run("decisions", "--json").out.splitlines()]
    assert [row["event_id"] for row in all_of_them] == [
        event(name) for name in ("d4", "d3", "d2", "c3", "c2", "c1", "d1")
    ]
    assert [row["contracts"] for row in all_of_them if row["system"] == MODEL] == [
        ["eligibility-data-to-decisions@4"]
    ] * 3
    assert [row["contracts"] for row in all_of_them if row["system"] == AGENT] == [[]] * 3
    under = store.run("decisions", "--contract", "eligibility-data-to-decisions", "--contract-version", "4")
    assert [line.split()[0] for line in under.out.splitlines()[1:]] == [event(name) for name in ("d3", "d2", "d1")]
    # The same events, after another version came into force between the second and the third of them.
    document = {
        "apiVersion": "seamwatch/v1", "kind": "Contract", "id": "eligibility-data-to-decisions", "version": "5",
        "seam": "data-to-model", "covers": ["eligibility-*"], "parties": {"provider": {}, "consumer": {}},
        "escalation": [{"person": PEOPLE[0]}], "clauses": [{"id": "valid", "kind": "range"}],
    }  # fmt: skip
    value = json.dumps({"published_at": NOW - 85 * MINUTE, "digest": "d", "document": document}).encode()
    store.book.record([value], "contracts", key=b"Contract/eligibility-data-to-decisions@5")
    for version, names in (("4", ("d2", "d1")), ("5", ("d3",))):
        typed = ["decisions", "--contract", "eligibility-data-to-decisions", "--contract-version", version, "--json"]
        found = [json.loads(line) for line in store.run(*typed).out.splitlines()]
        assert [row["event_id"] for row in found] == [event(name) for name in names]
        by_view = store.store.rows(
            f"SELECT event_id FROM decided_under WHERE has(contracts, 'eligibility-data-to-decisions@{version}') "
            "ORDER BY event_time DESC"
        )
        assert [row["event_id"] for row in by_view] == [event(name) for name in names]
    both = store.run("decisions", "--contract", "eligibility-data-to-decisions", "--json").out.splitlines()
    assert len(both) == 3
    few = store.run("decisions", "--limit", "2", "--system", AGENT, "--json")
    assert (len(few.out.splitlines()), "there are more" in few.err) == (2, True)
    assert store.run("decisions", "--contract-version", "4").code == 2
    lines = store.run("decisions", "--cohort", "under-25", "--since", "115m", "--json").out.splitlines()
    assert [json.loads(line)["event_id"] for line in lines] == [event("d4"), event("d2")]


def test_the_defaults_govern_what_no_contract_does(store: Populated) -> None:
    document = {
        "apiVersion": "seamwatch/v1", "kind": "Contract", "id": "defaults", "version": "ours", "seam": "operations",
        "covers": ["*"], "parties": {"provider": {}, "consumer": {}}, "clauses": [{"id": "valid", "kind": "range"}],
    }  # fmt: skip
    value = json.dumps({"published_at": NOW - 48 * HOUR, "digest": "d", "document": document}).encode()
    store.book.record([value], "contracts", key=b"Contract/defaults@ours")
    found = {row["event_id"]: row["contracts"] for row in store.store.rows("SELECT * FROM decided_under")}
    assert found[event("c1")] == found[event("d4")] == ["defaults@ours"]
    assert found[event("d1")] == ["eligibility-data-to-decisions@4"]


def test_what_no_view_can_match_is_counted_where_people_look(store: Populated) -> None:
    answer = {"event_id": event("a1"), "system": MODEL, "of": "violation", "reference": "no-such", "person": PEOPLE[0],
              "answer": "accept", "event_time": NOW}  # fmt: skip
    # It comes after the step by which verdicts are kept; what came before is never judged, and is told otherwise.
    later = time.time_ns() // 1_000_000 + 1_000
    store.book.record([CODEC.encode("acknowledgement", answer)], "acknowledgement", millis=later)
    stray = {"violation_id": "no-such", "step": 0, "person": "x", "channel": "c", "sent_at": NOW, "result": "delivered"}
    store.book.record([CODEC.encode("page", stray)], "page", millis=NOW // 1000)
    rows = store.store.rows("SELECT type, event_id, reference FROM unmatched ORDER BY type")
    assert [tuple(each.values()) for each in rows] == [
        ("acknowledgement", event("a1"), "no-such"),
        ("outcome", event("o2"), event("never")),
        ("page", "", "no-such"),
    ]
    told = store.run("signals", "--days", "2")
    assert "1 outcomes since" in told.out
    assert "match no decision on record" in told.out
    assert "match no decision on record" in store.run("signals", "--days", "2", "--json").err
    assert store.run("signals", "--system", AGENT, "--days", "2").out.count("match no decision") == 0
    aged = store.run("stale").out
    assert "1 decisions under a clause on the age of data do not say how old theirs is" in aged
    answers = store.run("acknowledgements")
    assert "1 answer was not judged so far" in answers.out
    (refused,) = [json.loads(line) for line in store.run("acknowledgements", "--refused", "--json").out.splitlines()]
    assert (refused["event_id"], refused["counted"]) == (event("a1"), None)


def test_why_late_says_what_a_violation_waited_for_from_its_event_to_its_person(store: Populated) -> None:
    """One of an event that came late, while a partition was not measured, with a channel that hung."""
    opened, ids = NOW - 10 * MINUTE, hexed("late")
    late = decision("late", opened, producer="credit-api")
    store.book.record([CODEC.encode("inference", late)], "inference", millis=(opened + 40 * SECOND) // 1000)
    held = Held(opened + 30 * SECOND, opened + 90 * SECOND, (("t.outcome", 1, opened + 30 * SECOND),), 1, 28)
    found = Found(opened + 91 * SECOND, 5 * SECOND, 2 * SECOND, (held,))
    (agreed,) = store.store.rows("SELECT digest FROM document WHERE kind = 'Contract'")
    episode = replace(
        EPISODES[0],
        violation_id=ids,
        contract_digest=agreed["digest"],
        kind="freshness",
        clause="decisions-on-fresh-features",
        opened_at=opened,
        since=opened - HOUR,
        detected_at=opened + 90 * SECOND,
        evidence=(Evidence(opened, event("late"), "t.inference", 0, 4),),
    )
    value = CODEC.encode("violation", violation_record(episode))
    name, said = header_of(found)
    store.book.record([value], "violations.freshness", millis=(opened + 92 * SECOND) // 1000, headers=[(name, said)])
    tried = {"violation_id": ids, "step": 0, "person": PEOPLE[0], "channel": "json"}
    hung = {**tried, "sent_at": opened + 93 * SECOND, "result": "failed: time-out: no answer within 15 s (3 tries)"}
    taken = {**tried, "sent_at": opened + 148 * SECOND, "result": "delivered"}
    for page, ended in ((hung, 143), (taken, 149)):
        store.book.record([CODEC.encode("page", page)], "page", millis=(opened + ended * SECOND) // 1000)
    outage = {
        "outage_id": "outage/stalled/judge", "fault": "stalled", "stage": "judge", "state": "open", "since": opened,
        "until": None, "detected_at": opened + MINUTE, "person": None, "summary": "It stands still.",
    }  # fmt: skip
    store.book.record([CODEC.encode("outage", outage)], "outage", millis=NOW // 1000)

    answer = json.loads(store.run("why-late", ids[:8], "--json").out)
    waits = [(wait["cause"], round(wait["seconds"])) for station in answer["stations"] for wait in station["waits"]]
    assert waits == [("producer", 40), ("partition", 50), ("channel", 50), ("pause", 5)]
    stations = [station["what"] for station in answer["stations"]]
    assert stations == ["event", "opened", "arrived", "found", "sent", "tried", "failed", "delivered"]
    assert answer["notes"] == []
    told = store.run("why-late", ids).out
    assert "1 of 28 input partitions: t.outcome[1], measured up to" in told
    assert "credit-api sent it so late" in told
    assert "json: failed: time-out: no answer within 15 s (3 tries)" in told
    assert f"delivered to {PEOPLE[0]} by json" in told

    unknown = store.run("why-late", "no-such-id", "--json")
    assert (unknown.code, unknown.out) == (1, "")
    assert "no-such-id" in unknown.err
    twice = store.run("why-late", hexed("drift"))
    assert "when they came is not known" in twice.out
