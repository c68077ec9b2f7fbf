"""Change notice: what serves before it was agreed to serve, and which announcement announces what."""

from __future__ import annotations

from typing import Any

import pytest

from seamwatch.clauses.change_notice.state import ChangeNoticeState
from seamwatch.durations import HOUR, MINUTE
from seamwatch.engine.keyed_state import KeyedState
from seamwatch.engine.state_codec import read_state, write_state
from tests.clauses.history import at, brief, contract, decision, found
from tests.clauses.test_change_notice import DECLARED, answer, change
from tests.clauses.test_state import Live, _seen

OWNER = "owner@example.org"
TRAFFIC = contract("scorer", "- {id: tell, kind: change_notice, unannounced: true}") + DECLARED
BOTH_DECLARED = TRAFFIC + "  - {version: v2, config_digest: bbb}\n"
ANSWERED = (
    contract(
        "scorer",
        "- {id: tell, kind: change_notice, unannounced: true, answered_before_effect: true,"
        " acknowledge_within: 20d, acknowledgers: [owner@example.org, second@example.org]}",
    )
    + DECLARED
)


def model(offset: str, effective: str, change_id: str = "c1", **fields: Any) -> dict[str, Any]:
    told = {"kind": "model", "to_value": "v2", "effective_at": at(effective), **fields}
    return change(offset, change_id, **told)


def v2(offset: str, **fields: Any) -> dict[str, Any]:
    return decision(offset, version="v2", **fields)


@pytest.mark.parametrize("documents", [TRAFFIC, BOTH_DECLARED], ids=["undeclared", "declared"])
def test_what_serves_before_it_takes_effect_is_a_breach_until_then(documents: str) -> None:
    served = [decision("1h"), *(v2(f"{hour}h30m") for hour in range(6, 14))]
    (violation,) = found(documents, [model("2h", "10h"), *served], now="3d")
    assert brief([violation]) == [("v2", "breach", "resolved", 6 * HOUR + HOUR // 2)]
    assert violation.resolved_at == at("10h")
    assert violation.summary.endswith(
        "serves 'v2' since 2026-03-02 06:30:00 UTC, announced for 2026-03-02 10:00:00 UTC (change c1)"
    )
    after = [event for event in served if event["event_time"] >= at("10h") or event["version"] == "v1"]
    assert found(documents, [model("2h", "10h"), *after], now="3d") == []


def test_a_single_early_event_is_over_after_the_quiet_time() -> None:
    (violation,) = found(TRAFFIC, [model("2h", "5d"), v2("6h")], now="9d")
    assert violation.resolved_at == at("1d6h")


def test_what_has_served_before_it_was_announced_again_goes_on_serving() -> None:
    back = change("2h", kind="model", to_value="v1", effective_at=at("3d"))
    assert found(TRAFFIC, [decision("1h"), back, decision("3h"), decision("1d")], now="4d") == []
    again = model("2d", "5d", change_id="c2")
    assert found(TRAFFIC, [model("1h", "2h"), v2("3h"), again, v2("3d")], now="6d") == []


def test_a_change_that_is_put_off_is_not_to_serve_before_and_one_in_effect_stays() -> None:
    put_off = model("3h", "2d")
    (violation,) = found(TRAFFIC, [model("1h", "5h"), put_off, v2("6h")], now="1d")
    assert "announced for 2026-03-04 00:00:00 UTC" in violation.summary
    too_late = model("7h", "2d")
    assert found(TRAFFIC, [model("1h", "5h"), v2("6h"), too_late, v2("8h")], now="1d") == []


OTHER_KINDS = ["threshold", "prompt", "retrieval", "tools", "data_source", "schema", "provider", "policy"]


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_the_value_of_another_kind_announces_no_version(kind: str) -> None:
    told = change("1h", kind=kind, to_value="v2", effective_at=at("1h"))
    (violation,) = found(TRAFFIC, [told, v2("2h")])
    assert "nobody announced" in violation.summary


def test_a_version_announces_no_digest_and_a_digest_no_version() -> None:
    version = change("1h", kind="model", to_value="x", effective_at=at("1h"))
    digest = change("1h", kind="prompt", config_digest="y", effective_at=at("1h"))
    events = [version, digest, decision("2h", version="x", config_digest="y")]
    assert found(TRAFFIC, events) == []
    crossed = [version, digest, decision("2h", version="y", config_digest="x")]
    assert sorted(v.slice or "" for v in found(TRAFFIC, crossed)) == ["x", "y"]


def test_with_answers_before_effect_it_serves_once_all_have_accepted() -> None:
    events = [model("1h", "2h"), *(v2(f"{hour}h30m") for hour in range(3, 9)), answer("4h", OWNER)]
    (violation,) = found(ANSWERED, events, now="9h")
    assert (violation.state, violation.opened_at) == ("open", at("3h30m"))
    assert violation.summary.endswith(f"before {OWNER} and second@example.org accepted change c1")
    (violation,) = found(ANSWERED, [*events, answer("6h", "second@example.org")], now="9h")
    assert (violation.state, violation.resolved_at) == ("resolved", at("6h"))
    objected = [*events, answer("6h", "second@example.org", answer="object")]
    assert [v.state for v in found(ANSWERED, objected, now="9h")] == ["open", "open"]
    in_time = [model("1h", "2h"), answer("1h", OWNER), answer("2h", "second@example.org"), v2("3h")]
    assert found(ANSWERED, in_time, now="9h") == []


def test_a_declared_value_may_serve_when_its_change_is_withdrawn() -> None:
    early = [decision("1h"), model("2h", "5d", announced_by=OWNER), v2("6h"), v2("9h10m"), v2("9h50m"), v2("20h")]
    back = change("9h30m", kind="model", to_value="v2", announced_by=OWNER, withdrawn=True)
    (violation,) = found(BOTH_DECLARED, [*early, back], now="2d")
    assert (violation.opened_at, violation.resolved_at) == (at("6h"), at("9h30m"))
    again = [model("10h", "6d", announced_by=OWNER)]
    assert len(found(BOTH_DECLARED, [*early, back, *again], now="2d")) == 2


@pytest.mark.parametrize("documents", [TRAFFIC, BOTH_DECLARED, ANSWERED], ids=["undeclared", "declared", "answered"])
@pytest.mark.parametrize("minutes", [1, 37, 600])
@pytest.mark.parametrize("taken_back", ["8h30m", "20h"])
def test_live_finds_the_same_however_the_events_are_cut(documents: str, minutes: int, taken_back: str) -> None:
    withdrawn = change(
        taken_back, kind="model", to_value="v2", effective_at=at("10h"), announced_by=OWNER, withdrawn=True
    )
    events = [
        decision("1h"), model("2h", "10h", announced_by=OWNER), answer("5h", OWNER),
        *(v2(f"{hour}h10m", config_digest="bbb") for hour in range(6, 30)),
        answer("9h", "second@example.org"), change("12h", change_id="c3", kind="prompt", config_digest="bbb"),
        withdrawn,
    ]  # fmt: skip
    replayed = found(documents, events, now="4d")
    assert replayed
    live = Live(documents)
    ordered = sorted(events, key=lambda event: event["event_time"])
    step = minutes * MINUTE
    for start in range(at(), at("31h"), step):
        live.flush([e for e in ordered if start <= e["event_time"] < start + step], start + step)
    live.flush([], at("4d"))
    assert live.told() == sorted(_seen(violation) for violation in replayed)


def test_the_state_of_an_earlier_release_is_gone_on_with() -> None:
    state = ChangeNoticeState(changes=(), announced=(("v2", at("1h")),))
    value = write_state(KeyedState("change_notice", "1", state))
    earlier = value
    for name in ("values", "serving", "withdrawals", "refused"):
        earlier = earlier.replace(f',"{name}":[]'.encode(), b"")
    assert earlier != value
    assert read_state(earlier).of_clause == state
    said = earlier.replace(b'"changes":[]', b'"changes":[["c1","' + b"d" * 64 + b'"]]')
    (known,) = read_state(said).of_clause.changes
    assert (known.change_id, known.by, known.called) == ("c1", "", "c1")
