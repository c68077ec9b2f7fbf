"""The basis of an approval is gone when what it rests on changed, and nobody whose word counts evaluated it since."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from seamwatch.clauses.reevaluation.statement import metrics_text
from seamwatch.judging.model.facts import UNANNOUNCED, Violation
from seamwatch.judging.model.seam import Approval, Baseline
from seamwatch.judging.patterns.wording import digest_text
from seamwatch.judging.records import violation_record
from seamwatch.wire.topics import Topics
from sinks.store.client import Store
from sinks.store.questions.basis import Record, gone, reasons
from sinks.store.questions.why import Decision
from tests import databases
from tests.clauses.history import at, contract, estate_of
from tests.clauses.test_reevaluation import system
from tests.sinks.ledger.book import Book
from tests.sinks.samples import CODEC, violation

ASKED = contract("scorer", "- {id: anew, kind: reevaluation, by: second@example.org, metrics: [{metric: gini}]}")
PLAIN = contract("scorer", "- {id: valid, kind: range, min: 0, max: 1}")
DIGEST = "sha256:" + "a" * 64
GIVEN = Approval("A1", "credit", at("1d"), approved_by="second@example.org")
PINNED = replace(GIVEN, baseline=Baseline(at("1h"), (("gini", 0.6),), DIGEST))


def decided(offset: str = "9d", **more: Any) -> Decision:
    fields: dict[str, Any] = dict.fromkeys(Decision.__dataclass_fields__)
    return Decision(
        **{**fields, "system": "scorer", "version": "v1", "config_digest": DIGEST, "event_time": at(offset), **more}
    )


def change(offset: str, name: str = "M-1", kind: str = "prompt", effective: str | None = None, **more: Any) -> Any:
    return {
        "event_time": at(offset), "system": "scorer", "change_id": name, "kind": kind, "from_value": None,
        "to_value": None, "config_digest": None, "effective_at": at(effective or offset), "summary": "-",
        "announced_by": "owner@example.org", "environment": "production", "withdrawn": False, "signatures": (), **more,
    }  # fmt: skip


def evaluation(offset: str, person: str = "second@example.org", **metrics: float) -> dict[str, Any]:
    return {
        "event_time": at(offset), "system": "scorer", "subject": "reevaluation", "kind": "reevaluation",
        "metric": None, "value": None, "person": person, "evidence_uri": None, "key_id": None, "signature": None,
        "statement": metrics_text(metrics),
    }  # fmt: skip


def said(
    approval: Approval, *known: Any, documents: str = ASKED, found: Decision | None = None, served: Any = ()
) -> list[str]:
    changes, shifts, evaluations = (*known, (), (), ())[:3]
    estate = estate_of(f"{documents}---{system()}")
    return list(reasons(found or decided(), approval, Record(changes, shifts, served, evaluations), estate))


def test_a_change_since_that_nobody_evaluated_is_told_with_when_it_took_effect() -> None:
    assert said(GIVEN, [change("2d")]) == [
        (
            "prompt change M-1 took effect at 2026-03-04 00:00:00 UTC, and nobody has re-evaluated it since 2026-03-03 "
            "00:00:00 UTC"
        )
    ]
    assert said(GIVEN, [change("23h")]) == []
    assert said(PINNED, [change("23h")]) != [], "its baseline was evaluated before"
    assert said(GIVEN, [change("2d", effective="10d")]) == [], "which had not taken effect"
    assert said(replace(GIVEN, approved_at=None), [change("2d")])[0].endswith(
        "approval A1 does not say when it was given"
    )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"kind": "model", "to_value": "v1"}, True),
        ({"kind": "model", "to_value": "v2"}, False),
        ({"config_digest": DIGEST}, True),
        ({"config_digest": "sha256:" + "b" * 64}, False),
    ],
)
def test_a_change_to_what_did_not_serve_is_none_of_it(more: dict[str, Any], told: bool) -> None:
    assert bool(said(GIVEN, [change("2d", **more)])) is told


def test_a_withdrawn_change_is_none_if_who_withdrew_it_may() -> None:
    back = change("3d", withdrawn=True)
    assert said(GIVEN, [change("2d"), back]) == []
    assert said(GIVEN, [change("2d"), back | {"announced_by": "nobody@example.org"}]) != []


def test_a_re_evaluation_covers_what_was_before_it_if_it_counts() -> None:
    shift = [{"violation_id": "a3506823-6d7d", "opened_at": at("4d")}]
    assert said(GIVEN, [change("2d")], shift, [evaluation("5d", gini=0.6)]) == []
    assert len(said(GIVEN, [change("2d")], shift, [evaluation("3d", gini=0.6)])) == 1
    assert len(said(GIVEN, [change("2d")], shift, [evaluation("5d", auc=0.6)])) == 2, "it lacks what is agreed"
    other = evaluation("5d", "owner@example.org", gini=0.6)
    assert len(said(GIVEN, [change("2d")], shift, [other])) == 2
    assert said(GIVEN, [change("2d")], shift, [other], documents=PLAIN) == [], "where nobody is named anybody may"
    nobody = evaluation("5d", "nobody@example.org", gini=0.6)
    assert len(said(GIVEN, [change("2d")], shift, [nobody], documents=PLAIN)) == 2
    assert said(GIVEN, (), shift)[0].startswith("scores shifted at 2026-03-06 00:00:00 UTC (violation a3506823…), and")


def test_another_configuration_than_the_baseline_s_is_told() -> None:
    assert said(PINNED) == []
    other = decided(config_digest="sha256:" + "b" * 64)
    assert said(PINNED, found=other)[0].startswith("approval A1 rests on configuration sha256:aaaa")
    assert said(PINNED, found=decided(config_digest=None))[0].endswith("and no configuration digest served")
    assert said(GIVEN, found=other) == []


def test_what_served_unannounced_is_told_until_it_is_evaluated() -> None:
    served = [{"violation_id": "0123456789ab", "opened_at": at("2d"), "served": "v1"}]
    (told,) = said(GIVEN, served=served)
    assert told == (
        "'v1' served at 2026-03-04 00:00:00 UTC before it was announced and accepted (violation 01234567…), and nobody "
        "has re-evaluated it since 2026-03-03 00:00:00 UTC"
    )
    assert said(GIVEN, (), (), [evaluation("3d", gini=0.6)], served=served) == []


def test_of_what_is_on_record_only_what_the_decision_came_from_and_what_opened_before_it_counts(
    clickhouse: str,
) -> None:
    name = f"b_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    databases.migrated(url)
    with Store(url) as store:
        book = Book(store, Topics("t"))
        opened: dict[str, dict[str, Any]] = {
            "version": {"slice": "v1"},
            "digest": {"slice": DIGEST, "state": "resolved", "resolved_at": at("4d")},
            "another": {"slice": "v2"},
            "later": {"slice": "v1", "opened_at": at("10d")},
            "elsewhere": {"slice": "v1", "system": "other"},
            "objection": {"slice": "v1", "unit": "objection"},
        }
        book.record(
            [CODEC.encode("violation", violation_record(_episode(name, **more))) for name, more in opened.items()],
            "violations.change_notice",
        )
        told = gone(store, decided(), GIVEN)
        store.command(f"DROP DATABASE {name}")
    assert [line.partition(" served at ")[0] for line in told] == [repr(digest_text(DIGEST)), "'v1'"]


def _episode(violation_id: str, **fields: Any) -> Violation:
    return violation(
        **{
            "violation_id": violation_id, "kind": "change_notice", "system": "scorer", "unit": UNANNOUNCED,
            "opened_at": at("2d"), "detected_at": at("2d"), **fields,
        }
    )  # fmt: skip
