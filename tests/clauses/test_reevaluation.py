"""Re-evaluation: what an approval rests on is measured again by a deadline, and is not worse than its baseline."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from seamwatch.clauses import kinds
from seamwatch.clauses.reevaluation.statement import MOST_BYTES, metrics_of, metrics_text
from seamwatch.documents import digest_of
from seamwatch.documents.approving import approval_statement
from seamwatch.documents.models import System
from seamwatch.durations import DAY, HOUR, MINUTE, SECOND
from seamwatch.judging.model.facts import Violation
from seamwatch.remedies import remedy_command
from seamwatch.signatures import approval_bytes, attestation_bytes, sign
from tests.clauses.history import at, contract, decision, found
from tests.clauses.test_state import Live
from tests.clauses.test_threshold_review import SHIFTED

PRIVATE = bytes(range(32))
PUBLIC = b64encode(Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()).decode()
ANEW = "- {id: anew, kind: reevaluation, within: 5d, by: second@example.org%s}"
AGREED = contract("scorer", ANEW % "")
GINI = contract("scorer", ANEW % ", metrics: [{metric: gini, tolerance: 0.02}]")


def system(baseline: str = "{evaluated_at: 2026-03-01, metrics: {gini: 0.61}}", more: str = "") -> str:
    return f"""
kind: System
id: scorer
type: model
owner: owner@example.org
versions:
  - version: v1
    approvals:
      - {{id: A1, use_case: credit, approved_by: second@example.org, approved_at: 2026-03-01, baseline: {baseline}}}
{more}"""


def change(offset: str, name: str = "M-1", kind: str = "model", effective: str | None = None, **fields: Any) -> Any:
    return {
        "type": "config_change", "event_time": at(offset), "system": "scorer", "change_id": name, "kind": kind,
        "announced_by": "owner@example.org", "effective_at": at(effective or offset), "summary": "other weights",
        "event_id": f"c{offset}{name}", **fields,
    }  # fmt: skip


def evaluation(offset: str, person: str = "second@example.org", **fields: Any) -> dict[str, Any]:
    return {
        "type": "attestation", "event_time": at(offset), "system": "scorer", "subject": "reevaluation",
        "kind": "reevaluation", "person": person, "event_id": f"a{offset}", **fields,
    }  # fmt: skip


def measured(offset: str, **metrics: float) -> dict[str, Any]:
    return evaluation(offset, statement=metrics_text(metrics))


def told(documents: str, events: Sequence[dict[str, Any]], now: str = "60d") -> list[tuple[Any, ...]]:
    """Slice, severity, when since T0 it opened, and until when."""
    return [
        (v.slice, v.severity, v.opened_at - at(), None if v.resolved_at is None else v.resolved_at - at())
        for v in of_kind(found(documents, events, now))
    ]


def of_kind(violations: Sequence[Violation]) -> list[Violation]:
    return [v for v in violations if v.kind == "reevaluation"]


def overdue(opened: int, resolved: int | None = None) -> tuple[Any, ...]:
    return (None, "breach", opened, resolved)


# The clock


def test_a_change_is_to_be_evaluated_in_time_and_a_late_evaluation_ends_the_breach() -> None:
    assert told(AGREED, [change("1d")], "5d23h") == []
    (late,) = of_kind(found(AGREED, [change("1d")], "6d"))
    assert (late.opened_at, late.since, late.person, late.unit) == (at("6d"), at("1d"), "second@example.org", "s")
    assert (late.observed, late.limit) == (5 * 86_400, 5 * 86_400)
    assert late.summary == (
        "scorer: second@example.org has not re-evaluated it since model change M-1 was announced at 2026-03-03 "
        "00:00:00 UTC; agreed by 2026-03-08 00:00:00 UTC"
    )
    assert remedy_command(late, late.person) == (
        "seamwatch attest reevaluation 'example#anew' --system scorer --metric METRIC=VALUE --as second@example.org"
    )
    assert told(AGREED, [change("1d"), evaluation("6d")]) == [], "of the very time it is in time"
    assert told(AGREED, [change("1d"), evaluation("5d23h")]) == []
    assert told(AGREED, [change("1d"), evaluation("8d")]) == [overdue(6 * DAY, 8 * DAY)]


def test_it_is_due_after_the_change_takes_effect_and_may_be_made_before() -> None:
    assert told(AGREED, [change("1d", effective="3d")], "7d23h") == []
    assert told(AGREED, [change("1d", effective="3d")], "8d") == [overdue(8 * DAY)]
    assert told(AGREED, [change("1d", effective="3d"), evaluation("2d")]) == []
    assert told(AGREED, [evaluation("23h"), change("1d")]) == [overdue(6 * DAY)], "which says nothing of the change"


def test_of_several_reasons_the_earliest_deadline_holds_and_one_evaluation_covers_all_before_it() -> None:
    both = [change("1d", effective="4d"), change("2d", "P-1", "prompt")]
    assert told(AGREED, both) == [overdue(7 * DAY)]
    assert told(AGREED, [*both, evaluation("6d")]) == []
    assert told(AGREED, [change("1d"), evaluation("2d"), change("3d", "P-1", "prompt")]) == [overdue(8 * DAY)]


def test_only_what_is_agreed_asks_for_one() -> None:
    assert told(AGREED, [change("1d", kind="threshold")]) == []
    only = contract("scorer", ANEW % ", after: [provider]")
    assert told(only, [change("1d")]) == []
    assert told(only, [change("1d", kind="provider")]) == [overdue(6 * DAY)]


def test_a_change_that_is_withdrawn_asks_for_none_any_more() -> None:
    back = change("3d", withdrawn=True)
    assert told(AGREED, [change("1d"), back]) == []
    assert told(AGREED, [change("1d"), change("7d", withdrawn=True)]) == [overdue(6 * DAY, 7 * DAY)]
    other = change("2d", "P-1", "prompt")
    assert told(AGREED, [change("1d"), other, change("6d12h", withdrawn=True)]) == [
        overdue(6 * DAY, 6 * DAY + 12 * HOUR), overdue(7 * DAY),
    ]  # fmt: skip


def test_so_often_one_is_due_from_the_first_event_or_from_the_baseline() -> None:
    often = contract("scorer", ANEW % ", after: [], every: 10d")
    assert told(often, [decision("1h")], "30d") == [overdue(10 * DAY + HOUR)]
    assert told(often, [decision("1h"), evaluation("4d")], "30d") == [overdue(14 * DAY)]
    pinned = f"{often}---{system('{evaluated_at: 2026-02-27, metrics: {gini: 1}}')}"
    assert told(pinned, [decision("1h")], "30d") == [overdue(7 * DAY)]
    (late,) = of_kind(found(often, [decision("1h")], "30d"))
    assert late.summary.endswith("has not re-evaluated it since 2026-03-02 01:00:00 UTC; agreed every 10 d")


def test_a_baseline_covers_what_was_announced_before_it_was_evaluated() -> None:
    documents = f"{AGREED}---{system('{evaluated_at: 2026-03-05, metrics: {gini: 1}}')}"
    assert told(documents, [change("1d")]) == []
    assert told(documents, [change("4d")]) == [overdue(9 * DAY)]


def test_a_shift_of_the_scores_asks_for_one_and_no_other_episode_does() -> None:
    shifts = "- {id: scores, kind: distribution, reference: {first: 2h}, floor: 0.05, daily_cycle: none}\n"
    both = contract("scorer", shifts + (ANEW % ", after: [distribution]").replace("5d", "1d"))
    everything = found(both, SHIFTED, "3d")
    (shift,) = [v for v in everything if v.kind == "distribution"]
    (late,) = of_kind(everything)
    assert (late.since, late.opened_at) == (shift.opened_at, shift.opened_at + DAY)
    assert "scores shifted at 2026-03-02 02:" in late.summary
    assert shift.violation_id[:8] in late.summary
    assert told(both, [*SHIFTED, evaluation("20h")], "3d") == []
    assert told(both, [*SHIFTED, evaluation("1h")], "3d") != [], "which was before the shift"
    ranged = contract("scorer", "- {id: valid, kind: range, min: 0, max: 1}\n" + ANEW % ", after: [distribution]")
    assert told(ranged, [decision("1h", score=7.0)]) == []


def test_a_change_in_service_that_nobody_announced_asks_for_one_and_an_objection_does_not() -> None:
    notice = "- {id: tell, kind: change_notice, unannounced: true, acknowledgers: [second@example.org]}\n"
    both = contract("scorer", notice + (ANEW % ", after: [unannounced]").replace("5d", "1d")) + "---" + system()
    swapped = [decision("30m"), *(decision(f"{minutes}m", version="v2") for minutes in range(60, 300, 10))]
    everything = found(both, swapped, "3d")
    (served,) = [v for v in everything if v.kind == "change_notice"]
    (late,) = of_kind(everything)
    assert (late.since, late.opened_at) == (served.opened_at, served.opened_at + DAY)
    assert "since a change was served at 2026-03-02 01:" in late.summary
    assert "before it was announced and accepted" in late.summary
    assert served.violation_id[:8] in late.summary
    assert told(both, [*swapped, evaluation("20h")], "3d") == []
    refused = {
        "type": "acknowledgement", "event_time": at("2h"), "system": "scorer", "of": "change", "reference": "M-1",
        "person": "second@example.org", "answer": "object", "event_id": "o1",
    }  # fmt: skip
    objected = found(both, [change("1h", effective="2d"), refused], "3d")
    assert {v.kind for v in objected} == {"change_notice"}


def test_who_evaluates_is_reminded_once_before_it_is_due() -> None:
    live = Live(AGREED)
    live.flush([change("1d")], at("1d"))
    for hours in range(24, 24 * 6, 6):
        live.flush([], at("1h") + (hours - 1) * HOUR)
    (notice,) = live.notices
    assert (notice.person, notice.due_at, notice.type) == ("second@example.org", at("6d"), "reminder")
    assert "a re-evaluation (example#anew) is due by 2026-03-08 00:00:00 UTC, since model change M-1" in notice.summary


# Whose word counts


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({}, True),
        ({"subject": "example#anew"}, True),
        ({"subject": "example#other"}, False),
        ({"person": "owner@example.org"}, False),
        ({"kind": "review"}, False),
        ({"statement": "no JSON"}, False),
    ],
)
def test_an_evaluation_counts_by_whom_it_names_of_this_clause(fields: dict[str, Any], counts: bool) -> None:
    assert told(AGREED, [change("1d"), evaluation("2d") | fields]) == ([] if counts else [overdue(6 * DAY)])


def test_who_has_keys_signs_it_with_its_values() -> None:
    keys = f"\nkind: Person\nid: third@example.org\nname: T\nkeys: [{{key_id: k, public: {PUBLIC}}}]\n"
    documents = f"{GINI.replace('by: second', 'by: third')}---{system()}---{keys}"
    plain = evaluation("2d", "third@example.org", statement=metrics_text({"gini": 0.6}), key_id="k")
    record = {"trace_id": None, "metric": None, "value": None, "evidence_uri": None, **plain}
    signed = plain | {"signature": b64encode(sign(attestation_bytes(record), PRIVATE)).decode()}
    assert told(documents, [change("1d"), plain]) == [overdue(6 * DAY)]
    assert told(documents, [change("1d"), signed]) == []
    assert told(documents, [change("1d"), signed | {"statement": metrics_text({"gini": 0.7})}]) == [overdue(6 * DAY)]


def test_one_without_a_value_that_is_agreed_counts_for_nothing() -> None:
    documents = f"{GINI}---{system()}"
    for bare in (evaluation("2d"), measured("2d", auc=0.9), evaluation("2d", metric="gini")):
        assert told(documents, [change("1d"), bare]) == [overdue(6 * DAY)]
    assert told(documents, [change("1d"), evaluation("2d", metric="gini", value=0.6)]) == []


@pytest.mark.parametrize(
    "text",
    [
        "[]", "{}", '{"metrics":[]}', '{"metrics":{"gini":"0.6"}}', '{"metrics":{"gini":true}}',
        '{"metrics":{"gini":NaN}}', '{"metrics":{"gini":1,"gini":2}}', '{"metrics":{"":1}}', '{"metrics":{},"more":1}',
        "[" * 5_000, json.dumps({"metrics": {"x" * MOST_BYTES: 1}}),
    ],
)  # fmt: skip
def test_a_statement_that_is_none_says_what_is_wrong(text: str) -> None:
    with pytest.raises(ValueError, match=r"statement|value|name"):
        metrics_of({"metric": None, "value": None, "statement": text})


# Values


def test_what_is_worse_than_the_baseline_beyond_tolerance_is_a_breach_until_it_is_not() -> None:
    documents = f"{GINI}---{system()}"
    assert told(documents, [measured("1d", gini=0.59)]) == []
    worse = [measured("1d", gini=0.58), measured("2d", gini=0.5), measured("3d", gini=0.6)]
    assert told(documents, worse) == [("gini", "breach", DAY, 3 * DAY)]
    (open_one,) = of_kind(found(documents, worse[:1]))
    assert (open_one.observed, open_one.limit) == (0.58, 0.59)
    assert open_one.summary == (
        "scorer: gini is 0.58 when re-evaluated at 2026-03-03 00:00:00 UTC; agreed at least 0.59, by the baseline of "
        "approval A1"
    )


@pytest.mark.parametrize(
    ("agreed", "value", "breach"),
    [
        ("min: 0.7", 0.69, True),
        ("min: 0.7", 0.7, False),
        ("max: 0.7", 0.71, True),
        ("tolerance: 0", 0.61, False),
        ("tolerance: 0", 0.6, True),
        ("tolerance: 0.02, better: lower", 0.64, True),
        ("tolerance: 0.02, better: lower", 0.63, False),
        ("tolerance: 0.02, better: lower", 0.1, False),
        ("tolerance: 1, max: 0.5", 0.55, True),
    ],
)
def test_bounds_are_absolute_or_by_the_baseline(agreed: str, value: float, breach: bool) -> None:
    documents = f"{contract('scorer', ANEW % f', metrics: [{{metric: gini, {agreed}}}]')}---{system()}"
    assert bool(told(documents, [measured("1d", gini=value)])) is breach


@pytest.mark.parametrize(
    "documents",
    [
        GINI,
        f"{GINI}---{system('{evaluated_at: 2026-03-01, metrics: {auc: 0.8}}')}",
        f"{GINI}---{system().replace('approved_at: 2026-03-01', 'approved_at: 2026-06-01')}",
        f"{GINI}---{system().replace('approved_by: second', 'approved_by: owner')}",
    ],
)
def test_without_a_baseline_in_force_nothing_can_be_said_which_is_a_warning(documents: str) -> None:
    assert told(documents, [measured("1d", gini=0.9)]) == [("gini", "warning", DAY, None)]
    (only,) = of_kind(found(documents, [measured("1d", gini=0.9)]))
    assert only.summary.endswith("nothing can be said of it: no approval in force has a baseline of gini")


def test_the_baseline_is_that_of_the_approval_in_force_that_was_given_last() -> None:
    newer = (
        "      - {id: A2, use_case: debit, approved_by: second@example.org, approved_at: 2026-03-05,\n"
        "         baseline: {evaluated_at: 2026-03-04, metrics: {gini: 0.7}}}"
    )
    documents = f"{GINI}---{system(more=newer)}"
    events = [measured("1d", gini=0.6), measured("4d", gini=0.6), measured("5d", gini=0.69)]
    assert told(documents, events) == [("gini", "breach", 4 * DAY, 5 * DAY)]


def test_a_baseline_is_signed_with_the_approval() -> None:
    written = {"id": "A", "use_case": "c", "approved_by": "p"}
    pinned = written | {"baseline": {"evaluated_at": "2026-03-01", "metrics": {"gini": 0.61}}}
    said = []
    for approval in (written, pinned):
        one = System.model_validate(
            {"kind": "System", "id": "s", "type": "model", "owner": "o",
             "versions": [{"version": "v", "approvals": [approval]}]}
        )  # fmt: skip
        version = one.versions[0]
        said.append(approval_bytes(approval_statement(one, version, version.approvals[0], approval, "p", "k")))
    digest = b'"baseline":"%s",' % digest_of(pinned["baseline"]).encode()
    assert digest in said[1]
    assert said[1].replace(digest, b"") == said[0], "what was signed before stays signed"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"after": []}, "nothing asks for an evaluation"),
        ({"metrics": [{"metric": "a"}, {"metric": "a"}]}, "one is given twice"),
        ({"metrics": [{"metric": "a", "min": 2, "max": 1}]}, "turn them round"),
        ({"where": "version = 'v1'"}, "leave out 'where'"),
    ],
)
def test_what_cannot_be_meant_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        kinds()["reevaluation"].model_validate({"id": "anew", "kind": "reevaluation", **more})


# The same however it comes


_SHIFTING = contract(
    "scorer",
    "- {id: scores, kind: distribution, reference: {first: 2h}, floor: 0.05, daily_cycle: none}\n"
    + (ANEW % ", every: 3d, metrics: [{metric: gini, tolerance: 0.02}]").replace("5d", "2h"),
)
_EVENTS = [
    *SHIFTED,
    change("1h"),
    evaluation("90m", metric="gini", value=0.6),
    change("2h30m", "P-1", "prompt", effective="3h"),
    change("150m", "P-2", "tools"),
    change("160m", "P-2", "tools", withdrawn=True),
    evaluation("5h20m", metric="gini", value=0.4),
    change("6h", "R-1", "retrieval"),
    evaluation("7h", metric="gini", value=0.6),
    change("8h", "M-2"),
]


def outcome(violations: Sequence[Violation]) -> set[tuple[Any, ...]]:
    return {(v.violation_id, v.opened_at, v.resolved_at, v.summary) for v in of_kind(violations)}


DOCUMENTS = f"{_SHIFTING}---{system()}"
REPLAYED = outcome(found(DOCUMENTS, _EVENTS, "4d"))


def test_the_history_has_known_answers() -> None:
    begun = [(opened - at(), None if over is None else over - at()) for _, opened, over, _ in sorted(REPLAYED)]
    assert sorted(begun, key=str) == sorted(
        [
            (254 * MINUTE, 320 * MINUTE),  # the shift at 02:14, which is due before what was announced at 02:30
            (320 * MINUTE, 420 * MINUTE),  # a value of 0.4, until 0.6
            (600 * MINUTE, None),  # what was announced at 08:00
        ],
        key=str,
    )


@settings(max_examples=12, deadline=None)
@given(st.sets(st.integers(1, 12 * 60), max_size=8))
def test_in_any_batches_the_same_is_found(borders: set[int]) -> None:
    live = Live(DOCUMENTS)
    events = sorted(_EVENTS, key=lambda event: event["event_time"])
    since = 0
    for end in [*sorted(at() + border * MINUTE for border in borders), at("4d")]:
        live.flush([e for e in events if since <= e["event_time"] < end], end)
        since = end
    for minutes in (1, 2, 3):  # what came late has settled
        live.flush([], at("4d") + minutes * MINUTE)
    assert outcome(list(live.latest.values())) == REPLAYED


@pytest.mark.parametrize("steps", [(4, 8, 12, 60), (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20), (5, 6, 7, 30)])
def test_a_history_that_comes_at_once_is_judged_the_same_in_whatever_steps_it_settles(steps: tuple[int, ...]) -> None:
    live = Live(DOCUMENTS)
    live.flush(sorted(_EVENTS, key=lambda event: event["event_time"]), at("4d"))
    for seconds in steps:
        live.flush([], at("4d") + seconds * SECOND)
    assert outcome(list(live.latest.values())) == REPLAYED
