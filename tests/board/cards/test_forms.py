"""A card says the same in each form, what is not known too; what others wrote changes no page; a stale one says so."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from board.cards import FORMS, Form, made_of, rendered
from seamwatch.durations import DAY, HOUR
from seamwatch.errors import UsageError
from sinks.store.questions.cards.basis import basis_of
from sinks.store.questions.cards.figures import calibrations
from sinks.store.questions.cards.measuring import Known
from sinks.store.questions.cards.model import (
    Attested,
    Card,
    Change,
    Counted,
    Drift,
    Figure,
    Incident,
    Source,
    Suspended,
    Threshold,
    Unjudged,
    Who,
)
from tests.clauses.history import at

NASTY = "<script>alert(1)</script> --> | # `x`"
EVERY: tuple[Form, ...] = tuple(FORMS)
NOTHING: dict[str, Any] = dict.fromkeys(("type", "owner", "owner_name", "team", "purpose", "risk_tier"))
AGREED = (Threshold(source="System document", min=0.8, max=None),)


def card(**more: Any) -> Card:
    """A card of which nothing is known but what is given."""
    who = more.pop("who", Who(system="lender", not_for=(), use_cases=(), links={}, **NOTHING))
    empty = dict.fromkeys(
        ("suspended", "approvals", "figures", "attested", "calibration", "incidents", "sources", "limits",
         "signatories", "changes", "unjudged"),
        (),
    )  # fmt: skip
    counted = Counted(decisions=23, calls=0, outcomes=15, refreshes=0, cohorts_left_out=2)
    given: dict[str, Any] = {
        "as_of": at("5h"), "good_until": at("5h") + DAY, "since": at(), "counted": counted, "who": who,
        "drift": None, "incidents_left_out": 0, "decided_on": None, "changed_since": None,
        "basis": basis_of(who, (), (), (), (), (), (), ()),
    }  # fmt: skip
    return Card(**{**empty, **given, **more})


def full() -> Card:
    auc = Figure(
        metric="auc", cohort="north", value=0.95, low=0.71, high=0.99, unit="area", events=9, standing="perhaps",
        thresholds=AGREED, why_unknown=None,
    )  # fmt: skip
    incident = Incident(
        violation_id="v", clause="c@1/quick", severity="breach", state="open", summary=NASTY, opened_at=at("1h"),
        acknowledged_by=None, acknowledged_at=None, resolved_at=None, followed=(),
    )  # fmt: skip
    sums = ((0, 4), (4, 2), (400_000_000, 1_800_000_000), (0, 2_000_000_000))
    known = [Known(1, None, 6, 6, 6, 0.1, 0.01, 2, 4, 1.0, *sums)]
    return card(
        who=Who(system="lender", not_for=(NASTY,), use_cases=("credit",), links={"runbook": "https://example.org/r"},
                **{**NOTHING, "owner": "owner@example.org", "purpose": "ranks applications"}),
        figures=(auc,),
        attested=(Attested(metric="psi", threshold=Threshold(source="System document", min=None, max=0.2), value=None,
                           at=None, person=None, standing="not known"),),
        calibration=tuple(calibrations(known, 5)),
        drift=Drift(standing="drifting", observed=0.31, limit=0.2, unit="share", since=at()),
        incidents=(incident,),
        suspended=(Suspended(what="version 1 of lender", since=at("3h"), until=None, by="owner@example.org",
                             reason="it refused everybody"),),
        sources=(Source(dataset="households", declared=True, refreshed_at=None, data_as_of=None, age_seconds=None,
                        agreed_seconds=86_400.0, refreshes=0),),
        changed_since=at(),
        changes=(Change(at=at("2h"), what="announced", text=NASTY, by="owner@example.org"),),
        unjudged=(Unjudged(clause="c@1/quick", why="missing", count=6, said="6 of 23 decisions lack latency_ms"),),
    )  # fmt: skip


@pytest.mark.parametrize("form", EVERY)
def test_each_form_says_what_is_known_and_as_of_when(form: Form) -> None:
    text = rendered(full(), form)
    for said in ("ranks applications", "owner@example.org", "0.95", "6 of 23 decisions lack", "it refused everybody"):
        assert said in text.replace("\\_", "_"), said
    assert ("2026-03-02T05:00:00" if form == "json" else "2026-03-02 05:00") in text or "02 Mar 2026 05:00" in text


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_what_is_not_known_is_said_to_be_not_known(form: Form) -> None:
    text = rendered(card(), form)
    assert text.lower().count("not known") >= 8
    assert "Nobody has approved anything" in text
    assert "None" not in text


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_what_others_wrote_is_text_and_nothing_else(form: Form) -> None:
    text = rendered(full(), form)
    assert "<script>alert" not in text
    if form == "markdown":
        row = next(line for line in text.splitlines() if "alert" in line and line.startswith("|"))
        assert row.replace("\\|", "").count("|") == 9  # eight cells
        assert text.count("-->") == 1


def test_a_page_needs_nothing_else_and_runs_its_own_script_alone() -> None:
    text = rendered(full(), "html")
    assert re.findall(r'(?:src|href)="(?!https://example\.org)', text) == []
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy.startswith("default-src 'none'")
    assert "script-src 'sha256-" in policy
    assert text.count("<script") == 2  # the one that the policy names, and data
    assert '<svg viewBox="0 0 240 240" role="img"' in text


@pytest.mark.parametrize("form", EVERY)
def test_a_card_tells_of_itself_until_when_it_is_good(form: Form) -> None:
    known = full()
    made = made_of(rendered(known, form))
    assert (made.system, made.as_of, made.good_until, made.since) == (
        "lender", known.as_of, known.good_until, known.since,
    )  # fmt: skip
    assert made.basis == known.basis
    assert not made.is_stale(known.good_until - 1)
    assert made.is_stale(known.good_until)


def test_what_is_no_card_is_refused_by_name() -> None:
    for text in ("", "{}", "# a page", json.dumps({"form": "seamwatch/card/v1"})):
        with pytest.raises(UsageError, match="no card"):
            made_of(text)
    later = json.loads(rendered(card(), "json")) | {"form": "seamwatch/card/v9"}
    with pytest.raises(UsageError, match="v9"):
        made_of(json.dumps(later))


def test_the_basis_is_another_for_what_is_said_and_the_same_for_traffic() -> None:
    before, known = card(), full()
    incident = known.incidents[0]
    over = incident.model_copy(update={"state": "resolved", "resolved_at": at("1h") + HOUR})
    one, other = (basis_of(before.who, (), (), (), (each,), (), (), ()) for each in (incident, over))
    assert {name for name in one if one[name] != other[name]} == {"incidents"}
    assert one["incidents"] != before.basis["incidents"]
