"""`seamwatch drill`: people are paged for practice, and what that came to is signed and on record."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from console.drilling.answering import Answers
    from console.drilling.report import Report
    from console.drilling.scenario import Scenario
    from console.reach import Reach
    from seamwatch.clauses.drill.statement import Statement
    from seamwatch.engine.seams import BoundClause
    from statements.published import Published

_PATIENCE_SECONDS: Final = 30.0
_MOST_PAGES: Final = 100


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(drill)


def drill(
    system: Annotated[str, typer.Argument(help="the id of a declared system")],
    person: Annotated[
        str | None, typer.Option("--as", help="who runs it: the id of a Person document", metavar="PERSON")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="your Ed25519 private key, to sign with; needed when your Person has keys")
    ] = None,
    scenario: Annotated[
        str, typer.Option(help="the name of one that comes with Seamwatch, or a YAML file", metavar="NAME|FILE")
    ] = "basics",
    clause: Annotated[
        str | None, typer.Option(help="whose list is climbed: <contract>#<clause>; needed where several bind it")
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(help="a YAML file with what came of the steps that persons do; asked for when absent")
    ] = None,
    wait: Annotated[
        str | None,
        typer.Option(help="how long to wait for somebody to take it on  [default: as long as the list says]"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="write the report there: .md, .html, .json or .txt")] = None,
    show: Annotated[bool, typer.Option("--show", help="print the scenario, to be copied, and page nobody")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the report as one object")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Page the real people for practice, go through a scenario, and sign what that came to.

    Whoever a contract's escalation list names is told by their channels, marked as a drill everywhere; it climbs until
    somebody takes it on. Then each step of the scenario is checked, or its person says what came of it. Interrupted, it
    is called off. Exit 1 when a step did not pass, or the drill does not count, which the judge says, and why.

    Example: seamwatch drill credit-model --as owner@example.org --key owner.pem --scenario leaked-data --out report.md
    """
    from console.drilling.scenario import read_scenario, scenario_text

    if show:
        print(scenario_text(scenario), end="")
        return
    asked = _asked(system, person, key, read_scenario(scenario), scenario, clause, answers, wait, out, data)
    held = _hold(asked, lambda report: _print(report, out, as_json=as_json))
    raise typer.Exit(not held.passed)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for, looked up and checked before anybody is paged."""

    reach: Reach
    published: Published
    bound: BoundClause
    scenario: Scenario
    person: str
    keys: Mapping[str, str]
    key: Path | None
    answers: Answers
    at_most: int | None
    data: Path | None
    now: Callable[[], int]

    def sign(self, drill: str, said: Statement, evidence_uri: str | None = None) -> dict[str, Any]:
        """The event of a statement, signed."""
        from console.signing import sign_as
        from seamwatch.signatures import attestation_bytes
        from statements.drill import draft

        event = draft(self.bound, drill, self.person, said, self.now(), evidence_uri)
        event["key_id"], event["signature"] = sign_as(attestation_bytes(event), self.person, self.keys, self.key)
        return event


def _asked(
    system: str,
    person: str | None,
    key: Path | None,
    scenario: Scenario,
    named: str,
    clause: str | None,
    answers: Path | None,
    wait: str | None,
    out: Path | None,
    data: Path | None,
) -> _Asked:
    from console.drilling.answering import at_terminal, check_people, read_answers
    from console.drilling.report import FORMS
    from console.reach import reach
    from console.waiting import seconds_of
    from seamwatch.durations import SECOND
    from seamwatch.errors import UsageError
    from seamwatch.settings import load_settings
    from statements.drill import drilled
    from statements.published import Published

    if person is None:
        raise UsageError("say who runs it: --as PERSON")
    if out is not None and out.suffix not in FORMS:
        raise UsageError(f"--out {out}: a report is written as one of {', '.join(FORMS)}")
    at_most = None if wait is None else round(seconds_of(wait) * SECOND)
    where = reach(data)
    published = Published(where)
    check_people(scenario, published.estate, named)
    if answers is not None:
        given = read_answers(answers, scenario, published.estate)
    elif sys.stdin.isatty():
        given = at_terminal(_say, input, time.monotonic)
    else:
        given = _nobody
    bound, keys = drilled(published, system, clause), published.keys_of(person)
    clock = load_settings().clock()
    return _Asked(where, published, bound, scenario, person, keys, key, given, at_most, data, clock.now)


def _nobody(_asked: object) -> None:
    """No answer to any step: nobody is there to be asked."""


def _hold(asked: _Asked, tell: Callable[[Report], None]) -> Report:
    """The drill, from its beginning to the judge's word that it is over. Raises SeamwatchError where it may not be.

    ``tell`` is handed the report before it is signed and sent, so that it is there whatever becomes of that.
    """
    from console.drilling.climbing import Climb
    from seamwatch.clauses.drill.statement import Begun
    from seamwatch.errors import UnreachableError
    from seamwatch.judging.patterns.ladder import ladder
    from seamwatch.wire.events import new_event_id
    from statements.drill import state
    from statements.heard import Heard
    from statements.review import demand_effect

    scenario = asked.scenario
    drill = f"{scenario.id}-{new_event_id()[-12:]}"
    with Heard(asked.reach, "drill") as heard:
        begin = asked.sign(
            drill, Begun(scenario=scenario.id, title=scenario.title, limit_seconds=scenario.limit_seconds)
        )
        demand_effect(asked.bound, begin)
        try:
            state(asked.reach, begin, _PATIENCE_SECONDS)
        except (UnreachableError, KeyboardInterrupt):
            # It was sent, and may begin yet.
            _call_off(asked, drill, "nobody followed it")
            raise
        began = int(begin["event_time"])
        _say(f"drill {drill} of {asked.bound.seam.system} begins: {scenario.title}")
        _say(f"  {scenario.story}")
        try:
            climb = Climb(
                drill, began, ladder(asked.bound.seam.escalation, began, None), asked.now, _say, asked.at_most
            )
            report = _report(asked, drill, began, climb.follow(heard))
            tell(report)
            held = report.held()
        except BaseException as error:
            why = "it was interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"
            _call_off(asked, drill, why[:300])
            raise
    state(asked.reach, asked.sign(drill, held, report.digest), _PATIENCE_SECONDS)
    return report


def _report(asked: _Asked, drill: str, began: int, episode: Any) -> Report:
    from console.drilling.checking import Subject, reconstructed
    from console.drilling.climbing import paged_of, taken_of
    from console.drilling.holding import Holding
    from console.drilling.report import Report

    seam, clause = asked.bound.seam, asked.bound.clause.id
    paged, taken = paged_of(episode, began, _MOST_PAGES), taken_of(episode, began)
    holding = Holding(
        Subject(seam, asked.published.estate, asked.now()), paged, taken, asked.answers,
        lambda: reconstructed(seam.system, drill, asked.data, time.monotonic), time.monotonic,
    )  # fmt: skip
    steps = holding.outcomes(asked.scenario)
    violation = None if episode.violation is None else episode.violation.violation_id
    return Report(
        drill, seam.system, seam.contract, seam.contract_version, clause, asked.scenario, asked.person, began,
        asked.now(), violation, paged, taken, steps,
    )  # fmt: skip


def _call_off(asked: _Asked, drill: str, why: str) -> None:
    """Say that it is over; where that cannot be said either, it ends by itself at its limit."""
    from seamwatch.clauses.drill.statement import CalledOff
    from seamwatch.errors import SeamwatchError
    from statements.drill import state

    try:
        off = CalledOff(scenario=asked.scenario.id, why=why)
        state(asked.reach, asked.sign(drill, off), _PATIENCE_SECONDS)
    except SeamwatchError as error:
        _say(f"the drill could not be called off ({error}); it ends by itself")
    else:
        _say("the drill is called off")


def _say(text: str) -> None:
    """Progress, which is no part of the report."""
    print(text, file=sys.stderr, flush=True)


def _print(report: Report, out: Path | None, *, as_json: bool) -> None:
    from console.drilling.report import written

    if out is not None:
        out.write_text(written(report, out.suffix), "utf-8")
    if as_json:
        print(json.dumps(report.record() | {"report": report.digest}, ensure_ascii=False))
    else:
        print(written(report, ".txt"), end="")
