"""The command between its parts: nobody is paged by who may not, and a drill that is broken off is called off."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import pytest

import statements.drill
import statements.heard
from console.commands import drill as command
from console.drilling.scenario import read_scenario
from seamwatch.clauses.drill.statement import Begun, CalledOff, Held, read_statement
from seamwatch.engine.seams import Seams
from seamwatch.errors import SeamwatchError, UnreachableError, UsageError
from statements.incident import taking
from tests.clauses.history import at, contract, estate_of
from tests.console.drilling.test_holding import DRILLED

OWNER = "owner@example.org"
AGREED = contract("scorer", "- {id: valid, kind: range, min: 0, max: 1}")
SYSTEM = f"kind: System\nid: scorer\ntype: model\nowner: {OWNER}\n"
OTHER = AGREED.replace("id: example", "id: other")
DEMANDING = OTHER.replace("- {id: valid, kind: range, min: 0, max: 1}", "- {id: practised, kind: drill, every: 90d}")


class Published:
    """Documents as if they were published."""

    def __init__(self, *documents: str) -> None:
        self.estate = estate_of(*documents)
        self.seams = Seams(self.estate)

    def demand_system(self, system: str) -> None:
        if system not in self.estate.systems:
            raise UsageError(system)

    def clauses(self, system: str, kind: str) -> list[Any]:
        contracts = self.estate.contracts_for(system, at())
        bound = [one for contract in contracts for one in self.seams.covering(contract, system).values()]
        return [one for one in bound if one.clause.kind_name == kind]


class Silence:
    """Topics on which nothing comes, until somebody interrupts."""

    def __init__(self, *_of: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, _seconds: float) -> Iterable[Any]:
        return ()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is stated, each of which counts."""
    stated: list[dict[str, Any]] = []

    def state(_system: object, event: dict[str, Any], _patience: float) -> dict[str, Any]:
        stated.append(event)
        return {"counted": True}

    monkeypatch.setattr(statements.drill, "state", state)
    monkeypatch.setattr(statements.heard, "Heard", Silence)
    return stated


def asked(person: str = OWNER, answers: Any = command._nobody, *documents: str) -> Any:
    published: Any = Published(*(documents or (f"{AGREED}\n---\n{SYSTEM}",)))
    bound = statements.drill.drilled(published, "scorer", None)
    nowhere: Any = None
    times = iter(range(at(), at("30d"), 20_000_000))
    return command._Asked(
        nowhere, published, bound, read_scenario("basics"), person, {}, None, answers, None, Path("nowhere"),
        lambda: next(times),
    )  # fmt: skip


def nothing(_report: object) -> None:
    pass


def test_a_drill_is_stated_when_it_begins_and_when_it_is_over(sent: list[dict[str, Any]]) -> None:
    told: list[Any] = []
    report = command._hold(asked(), told.append)
    assert told == [report]
    begun, held = (read_statement(event["statement"]) for event in sent)
    assert isinstance(begun, Begun)
    assert isinstance(held, Held)
    assert {event["subject"] for event in sent} == {f"example#drill/{report.drill}"}
    assert (held.report, held.passed, sent[1]["evidence_uri"]) == (report.digest, False, report.digest)
    assert [step.result for step in report.steps][:2] == ["failed", "failed"]
    assert "the record did not answer" in report.steps[-1].said


def test_nobody_is_paged_by_who_may_not_run_one(sent: list[dict[str, Any]]) -> None:
    with pytest.raises(SeamwatchError, match=r"is for owner@example.org or second@example.org to run, not for third"):
        command._hold(asked("third@example.org", command._nobody, f"{AGREED}\n---\n{SYSTEM}---\n{THIRD}"), nothing)
    assert sent == []


THIRD = "kind: Person\nid: third@example.org\nname: Example Third\n"


def test_a_drill_that_is_broken_off_is_called_off(sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> Iterable[Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(Silence, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        command._hold(asked(), nothing)
    begun, off = (read_statement(event["statement"]) for event in sent)
    assert isinstance(begun, Begun)
    assert isinstance(off, CalledOff)
    assert off.why == "it was interrupted"


def test_a_drill_of_which_no_judge_says_anything_is_called_off(
    sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_system: object, event: dict[str, Any], _patience: float) -> dict[str, Any]:
        sent.append(event)
        raise UnreachableError("no judge has said whether it counts")

    monkeypatch.setattr(statements.drill, "state", silent)
    with pytest.raises(UnreachableError):
        command._hold(asked(), nothing)
    assert [type(read_statement(event["statement"])) for event in sent] == [Begun, CalledOff]


def test_whose_list_is_climbed_is_asked_for_where_it_could_be_several() -> None:
    both: Any = Published(f"{AGREED}\n---\n{OTHER}\n---\n{SYSTEM}")
    with pytest.raises(UsageError, match="--clause, one of example#drill, other#drill"):
        statements.drill.drilled(both, "scorer", None)
    assert statements.drill.drilled(both, "scorer", "other#drill").seam.contract == "other"
    with pytest.raises(UsageError, match="did you mean 'other#drill'"):
        statements.drill.drilled(both, "scorer", "other#dril")
    demanding: Any = Published(f"{AGREED}\n---\n{DEMANDING}\n---\n{SYSTEM}")
    assert statements.drill.drilled(demanding, "scorer", None).clause.id == "practised"


def test_a_drill_is_declared_no_incident() -> None:
    seams = Seams(estate_of(f"{AGREED}\n---\n{SYSTEM}"))
    with pytest.raises(SeamwatchError, match="v1 is a drill, in which nothing happened"):
        taking(seams, DRILLED, OWNER, at())


def test_what_the_judge_does_not_count_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for verdict, error in (
        (None, UnreachableError),
        ({"counted": False, "summary": "a drill is under way"}, SeamwatchError),
    ):
        monkeypatch.setattr("statements.review.submit", lambda *_, told=verdict: [told])
        with pytest.raises(error):
            statements.drill.state(Any, {}, 1)  # type: ignore[arg-type]
