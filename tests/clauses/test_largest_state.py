"""The most that each kind remembers of one slice, as it lies in the state topic: what its page says, measured.

Each kind is driven to its bounds: the clock stands still while everything comes that it remembers, with as many digits
and as long ids as real traffic has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from sys import modules
from typing import Any

import pytest

from seamwatch.clauses import kinds, threshold
from seamwatch.clauses.change_notice import state as change_state
from seamwatch.clauses.change_notice.state import Answer, ChangeNoticeState, Clock, Withdrawal
from seamwatch.clauses.drill.state import DrillState, Running
from seamwatch.clauses.escalation import EscalationState
from seamwatch.clauses.follow_up import state as follow_up_state
from seamwatch.clauses.follow_up.state import Action, FollowUpState, Review, Word
from seamwatch.clauses.follow_up.statement import MOST_BYTES
from seamwatch.clauses.incident import state as incident_state
from seamwatch.clauses.reevaluation import state as reevaluation
from seamwatch.clauses.silence.state import MOST, Quiet, SilenceState
from seamwatch.clauses.suspension.state import MOST_PASSED, WINDOW, GoingOn, Passed, SuspensionState
from seamwatch.clauses.threshold import ThresholdState
from seamwatch.durations import DAY, HOUR
from seamwatch.engine import unjudged
from seamwatch.engine.emitted import Emitter
from seamwatch.engine.episodes import open_episode
from seamwatch.engine.following import Finder, follow
from seamwatch.engine.keyed_state import KeyedState
from seamwatch.engine.seams import BoundClause
from seamwatch.engine.state_codec import read_state, write_state
from seamwatch.judging.model.facts import Evidence, Fact, ForwardedEvent
from seamwatch.judging.model.judgement import IN_FORCE, Input, Moment, Open, TimePassed
from seamwatch.judging.model.measure import UNJUDGED, Measure
from seamwatch.judging.model.seam import Approval, DeclaredVersion, Seam, Signer, Signing, Step
from seamwatch.judging.patterns import serving, unannounced
from seamwatch.judging.patterns.announcements import Said
from seamwatch.judging.patterns.calls import MOST_CALLS, Call, Calls
from seamwatch.judging.patterns.countdown import Countdown
from seamwatch.judging.patterns.faults import Fault
from seamwatch.judging.patterns.handovers import MOST_OWED, MOST_SILENT, MOST_WAITING, Handovers, Owed, Talk
from seamwatch.judging.patterns.runs import Run, Runs
from seamwatch.judging.patterns.serving import Announcement
from seamwatch.judging.patterns.suspensions import MOST_CLAIMS, Claim, Target
from seamwatch.judging.patterns.windows import MOST_WINDOWS, Window, Windows
from tests.clauses.history import at

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
OWNER = "owner@example.org"
CLAUSE = "clause-of-some-length"
CHANGE = "change-of-some-length-"
COUNT = 12_345
STILL = at("1h")
"""Where the clock stands."""
SEAM = Seam(
    "contract-of-some-length", "1.0.0", "d" * 64, "system-of-some-length",
    declared=True,
    versions=tuple(
        DeclaredVersion(f"version-{n}", "e" * 64, (Approval(ID, "some use case", at()),)) for n in range(20)
    ),
    escalation=(Step(OWNER),) * 3,
    keys={OWNER: ()},
    signatories=(OWNER,),
    signing=Signing(at("1s"), tuple(Signer(f"signer-{n}@example.org", ("co-signer of a line",)) for n in range(6))),
)  # fmt: skip


@dataclass
class Kept:
    """What is remembered of each part of one clause, judged as the judge does."""

    clause: Any
    states: dict[str, KeyedState] = field(default_factory=dict)

    def receive(self, received: Input, watermark: int = STILL) -> None:
        """Judge it, and ask again as long as the clause wants that and it changes anything."""
        part = unjudged.part_of(self.clause, received)
        assert part is not None
        self._judge(part, received, watermark)
        before, state = None, self.states[part]
        while before != state and (state.wake is not None or (state.deadline or STILL) < watermark):
            self._judge(part, TimePassed(), watermark)
            before, state = state, self.states[part]

    def _judge(self, part: str, received: Input, watermark: int) -> None:
        state = self.states.get(part) or KeyedState(unjudged.kind_of(self.clause, part), SEAM.contract_version)
        moment = Moment(STILL + 100 * DAY, watermark, slice=part or None)
        if unjudged.is_part(part):
            judgement = unjudged.judge(self.clause, SEAM, state.of_clause, received, moment)
        else:
            judgement = self.clause.judge(SEAM, state.of_clause, received, moment)
        finder = Finder(BoundClause(self.clause, SEAM), at(), lambda _: False)
        found = follow(
            state.episodes,
            finder,
            judgement.findings,
            at(),
            Emitter(),
            lambda episode, _over: episode,
            climbs=True,
            spent=state.spent,
        )
        self.states[part] = state._replace(
            of_clause=judgement.state,
            episodes=found.episodes,
            spent=found.spent,
            deadline=judgement.deadline,
            wake=judgement.wake,
        )

    def size(self) -> int:
        """Bytes of the largest record."""
        return max(map(written, self.states.values()))


def written(state: KeyedState) -> int:
    value = write_state(state)
    assert read_state(value) == state
    return len(value)


def evidence(number: int, label: str | None = None) -> Evidence:
    topic = "seamwatch.tool_call"
    return Evidence(STILL + number, f"{number:08x}{ID[8:]}", topic, 11, 1_234_567_890, 0.123456789, label)


def fact(clause: Any, measure: Measure, number: int, part: str | None = None, events: int = 5) -> Fact:
    """What is measured in the ``number``-th window after the clock's, with as much in it as can be."""
    start = (STILL // measure.window + 1 + number) * measure.window
    label = "a" * 24 if measure.label or measure.matching else None
    shown = (
        ()
        if measure.breach is None
        else tuple(replace(evidence(n, label), event_time=start + n) for n in range(events))
    )
    bins = measure.histogram.bins if measure.histogram else 0
    return Fact(
        SEAM.contract, SEAM.contract_version, SEAM.contract_digest, clause.id, SEAM.system, part, start,
        measure.window, max(bins, 10) * COUNT, 10 * COUNT if shown else 0, start, start + events,
        total=0.1234567890, minimum=0.1, maximum=0.2, histogram=(COUNT,) * bins, evidence=shown,
        measure=measure.name, sums=(COUNT * 10**9 + 1,) * bins * len(measure.weigh),
        missing=(COUNT * (number + 1) % (10 * COUNT),) * (len(measure.missing) or len(measure.left_out)),
    )  # fmt: skip


Fed = Iterable[tuple[Input, int]]
"""Inputs, and where the clock stands when they come."""


def windows(
    clause: Any, *parts: str, many: int = MOST_WINDOWS, measures: int | None = None, judged: int = 0
) -> Iterator[tuple[Input, int]]:
    """All measures in more windows than may wait, of each part; ``judged`` more before them, whose time has come."""
    measured = clause.measures(SEAM)[:measures]
    for number in range(judged + many + 3):
        for measure in measured:
            for part in parts if measure.slice else (None,):
                told = fact(clause, measure, number, part, measure.evidence or 5)
                yield told, STILL + 30 * DAY if number < judged else STILL


def calls(clause: Any, judged: int, role: str) -> Iterator[tuple[Input, int]]:
    """Calls of one conversation whose time has come, then more than may wait."""
    measure = next(measure for measure in clause.measures(SEAM) if measure.name == role)
    for begun in range(0, judged + MOST_CALLS + 1_000, 1_000):
        told = tuple(evidence(n, f"{n:024}") for n in range(begun, begun + 1_000))
        yield replace(fact(clause, measure, 0, ID), evidence=told), STILL + HOUR if begun < judged else STILL


def event(record_type: str, number: int, **fields: Any) -> tuple[Input, int]:
    record = {"event_id": f"{number:08x}{ID[8:]}", "event_time": STILL - 40 * DAY + number, "system": SEAM.system}
    return ForwardedEvent(record_type, {**record, **fields}, f"seamwatch.{record_type}", 11, 1_234_567_890), STILL


def changes(_clause: Any) -> Fed:
    return (
        event("config_change", number, change_id=f"{CHANGE}{number}", announced_by=OWNER) for number in range(1_010)
    )


def refreshes(_clause: Any) -> Fed:
    sources = [f"source-of-some-length-{n}" for n in range(600)]
    return (event("dataset_refresh", number, sources=sources, attested_by=None) for number in range(5))


def attested(clause: Any) -> Fed:
    what = {"kind": clause.kind, "subject": clause.kind, "metric": "accuracy", "value": 0.123456789}
    return [event("attestation", 0, person=OWNER, key_id=None, signature=None, **what)]


COHORTS = {f"cohort-{n}": (0.9, 1) if n == 0 else (0.0, 0.001) for n in range(20)}
VERSIONS = [f"cohort-of-some-length/version-{n}" for n in range(16)]
SUBJECT = f"{ID}/{'e' * 64}/some use case"
WORST: dict[str, tuple[dict[str, Any], Callable[[Any], Fed]]] = {
    "approval": ({}, lambda clause: windows(clause, SUBJECT, measures=1)),
    "assertion": ({"must": "score > 0", "at_least": 0.9}, windows),
    "benchmark": ({"metric": "accuracy", "every": "1d", "min": 0.9}, attested),
    "calibration": ({"max_error": 0.05, "bins": 100, "by": "cohort"}, lambda c: windows(c, *VERSIONS, many=90)),
    "completeness": (
        {"fields": [f"attributes.name-{n}" for n in range(20)], "reference": {"first": "1h"}},
        lambda clause: windows(clause, judged=200),
    ),
    "coverage": ({"reviewer": OWNER, "after": "change"}, changes),
    "distribution": ({"reference": {"first": "1h"}, "bins": 200}, lambda clause: windows(clause, judged=100)),
    "escalation": ({"when": "tool = 'pay'", "within": 1_000}, lambda clause: calls(clause, 1_000, "other")),
    "freshness": ({"max_lag": "1h", "of": "inference"}, windows),
    "human_review": ({"below": 0.5}, lambda clause: windows(clause, ID)),
    "lineage": ({"include": ["x"], "attested": True, "refresh_every": "1d"}, refreshes),
    "precondition": (
        {"tool": "pay", "requires": "ask", "matching": ["id"]},
        lambda clause: calls(clause, 2_000, "requires"),
    ),
    "prohibition": ({"never": "tool = 'pay'"}, lambda clause: windows(clause, ID)),
    "range": ({"min": 0, "max": 1, "tolerate": 0.1}, windows),
    "rate": ({"max": 995, "per": "1m"}, lambda clause: windows(clause, many=11)),
    "representation": ({"shares": COHORTS, "of": "inference"}, lambda clause: windows(clause, many=70)),
    "review": ({"every": "1d"}, attested),
    "scope": ({"tools": [{"tool": "find"}]}, lambda clause: windows(clause, ID)),
    "signal": ({"signal": "latency", "max": 800}, windows),
    "signed": ({}, lambda clause: iter([(ForwardedEvent(IN_FORCE, {"event_time": at()}), STILL)])),
    "threshold": ({"decision": "yes", "when": "score > 0"}, windows),
    "volume": ({"max": 10, "of": "inference"}, windows),
}


# What would take too long to come to is made.


def made(kind: str, state: Any, episodes: int = 0, summary: str = "s" * 180) -> int:
    assert isinstance(state, kinds()[kind].state_type)
    found = Open("breach", "key", at(), summary, slice=ID, evidence=(evidence(0),))
    opened = tuple(open_episode(SEAM, CLAUSE, kind, found, at(), climbs=True) for _ in range(episodes))
    return written(KeyedState(kind, SEAM.contract_version, state, opened, deadline=at("1d")))


def said(many: int) -> tuple[Said, ...]:
    return tuple(Said(f"{CHANGE}{n}", f"{n:064}", OWNER, f"{CHANGE}{n}@{n:012}", at()) for n in range(many))


def announced() -> int:
    """Clocks that ran out, changes announced too late, and traffic that nobody announced, each with its episode."""
    clocks, changed = change_state.CLOCKS_KEPT, change_state.CHANGES_KEPT
    values = unannounced.VALUES_KEPT
    scope = kinds()["scope"].model_validate({"id": CLAUSE, "kind": "scope", "tools": [{"tool": "x"}]})
    seen = [Window(fact(scope, scope.measures(SEAM)[0], n, ID), STILL) for n in range(MOST_WINDOWS // values)]
    runs = Runs(Windows(tuple(seen)), Run(0, 0, HOUR, tuple(map(evidence, range(5))), open=True))
    state = ChangeNoticeState(
        tuple(
            Clock(
                f"{CHANGE}{n}",
                f"{CHANGE}{n}@{n:012}",
                "model",
                OWNER,
                at(),
                at("2d"),
                evidence(0),
                missed=True,
                objected=at(),
                by=OWNER,
                accepted=at(),
                digest=f"{n:064}",
            )
            for n in range(clocks)
        ),
        said(changed),
        (),
        (Answer(CHANGE, OWNER, "accept", at(), ID, "n" * 500, "d" * 64),) * change_state.EARLY_ANSWERS,
        tuple((unannounced.key_of("config_digest", f"{n:064}"), runs) for n in range(values)),
        tuple((f"{CHANGE}{n}@{n:012}", at()) for n in range(changed)),
        tuple(
            Announcement("config_digest", f"{n:064}", f"{CHANGE}{n}", f"{CHANGE}{n}@{n:012}", OWNER, at(), at(), at())
            for n in range(serving.ANNOUNCED_KEPT)
        ),
        tuple(unannounced.key_of("config_digest", f"{n:064}", declared=True) for n in range(unannounced.SERVING_KEPT)),
        (Withdrawal(f"{CHANGE}1", OWNER, at()),) * change_state.WITHDRAWALS_KEPT,
        ((f"withdrawal/{ID}/{CHANGE}1", at()),) * change_state.WITHDRAWALS_KEPT,
    )
    return made("change_notice", state, clocks + changed + values + change_state.WITHDRAWALS_KEPT)


def summed_up() -> int:
    owed, call = Owed(evidence(0), 1_000), Call(evidence(0), "due and made", at("1h"))
    talks = [Talk(f"{ID}{n}", Calls((call,), (at(), ID)), last=at()) for n in range(MOST_WAITING)]
    talks += [Talk(f"{ID}{n}", Calls(done=(at(), ID)), (owed,), at()) for n in range(MOST_OWED)]
    talks += [Talk(f"{ID}{n}", Calls(done=(at(), ID)), last=at()) for n in range(MOST_SILENT)]
    return made("escalation", EscalationState(handovers=Handovers(tuple(talks))))


def unsigned() -> int:
    kept = threshold._CHANGES_KEPT
    faults = (Fault("s" * 150, (evidence(n),), f"{CHANGE}{n}", "signature") for n in range(kept))
    return made("threshold", ThresholdState(newest=at(), faults=tuple(faults), announced=said(kept)), kept)


def followed_up() -> int:
    """Reviews and actions that are overdue, each with its episode, whatever was said too early, and what is done."""
    reviews = tuple(
        Review(f"{n:08x}{ID[8:]}", CLAUSE, at(), at("5d"), 1, missed=True, given=at("9d"), cause="c" * 200)
        for n in range(follow_up_state.REVIEWS_KEPT)
    )
    actions = tuple(
        Action(ID, f"{n}", CLAUSE, OWNER, "w" * 500, at(), at("5d"), evidence(n), 1, missed=True, closed=at("9d"))
        for n in range(follow_up_state.ACTIONS_KEPT)
    )
    early = Word("follow_up", ID, f"{SEAM.contract}#{CLAUSE}/{ID}", OWNER, at(), ID, "s" * MOST_BYTES)
    state = FollowUpState(
        reviews, actions, (early,) * follow_up_state.EARLY_KEPT, (ID,) * follow_up_state.DONE_KEPT, at("90d"), at()
    )
    return made("follow_up", state, len(reviews) + len(actions), "s" * 500)


def suspended() -> int:
    """All that was said of a system, and all that it did while event time stood still."""
    claims = tuple(
        Claim(at() + n, f"{ID[:-3]}{n:03}", None, f"tool-{n}", "suspended", OWNER, "r" * 500, None, at("2d"))
        for n in range(MOST_CLAIMS)
    )
    passed = tuple(
        Passed(
            "tool", f"tool-of-some-length-{n % 50}", at() + n * WINDOW, evidence(n), STILL, (Target(None, "tool-1"),)
        )
        for n in range(MOST_PASSED)
    )
    run = Run(at(), at(), HOUR, tuple(map(evidence, range(5))), open=True, offended=at())
    going_on = tuple(GoingOn(claim.suspension_id, Runs(run=run)) for claim in claims)
    return made("suspension", SuspensionState(claims, passed, going_on), MOST_CLAIMS)


def drilled() -> int:
    """An overdue drill, and one that is under way."""
    running = Running("d" * 110, OWNER, "t" * 150, at(), at("1d"), evidence(1))
    clock = Countdown(at(), evidence(2), out=True, out_at=at("90d"))
    return made("drill", DrillState(clock, True, at(), running), 2, "s" * 400)


def silenced() -> int:
    """As many silences as may be in force."""
    quiet = tuple(
        Quiet(f"{n:08x}{ID[8:]}", "c" * 100, OWNER, "r" * 500, at(), at("7d"), evidence(n)) for n in range(MOST)
    )
    return made("silence", SilenceState(quiet), len(quiet), "s" * 500)


def reevaluated() -> int:
    """Reasons that run and that wait, each value worse than agreed, and the changes that were announced."""
    reasons = [
        reevaluation.Reason("retrieval", f"{CHANGE}{n}@{n:012}", at(), at("14d"), evidence(n))
        for n in range(reevaluation.WAITING_KEPT)
    ]
    waiting = tuple(reevaluation.Noted(at(), "reason", reason.name, reason) for reason in reasons)
    faults = tuple(Fault("s" * 150, (evidence(n),), f"metric-{n}", "least", 0.123456789, 0.2) for n in range(20))
    state = reevaluation.ReevaluationState(
        at(), at(), tuple(reasons[: reevaluation.RUNNING_KEPT]), waiting,
        reevaluation.Overdue("k" * 30, at(), f"{CHANGE}1@{1:012}"), at(), at(), faults, faults, at(), said(1_000),
    )  # fmt: skip
    return made("reevaluation", state, 41)


def declared() -> int:
    """As many violations as are kept, of each as much as is heard, and both reports of each overdue."""
    words = tuple(
        incident_state.Word("declared", OWNER, at() + n, f"{n:08x}{ID[8:]}", "k" * 32, at(), at("15d"), evidence(n))
        for n in range(incident_state.WORDS_KEPT)
    )
    told = tuple(incident_state.Told(f"{what}/15", at("15d"), True, at("15d"), 3) for what in ("report", "complete"))
    cases = tuple(incident_state.Case(f"{n:08x}{ID[8:]}", words, told, at()) for n in range(incident_state.CASES_KEPT))
    return made("incident", incident_state.IncidentState(cases), 2 * len(cases), "s" * 400)


MADE = {
    "change_notice": announced,
    "drill": drilled,
    "escalation": summed_up,
    "follow_up": followed_up,
    "silence": silenced,
    "incident": declared,
    "reevaluation": reevaluated,
    "suspension": suspended,
    "threshold": unsigned,
}


def told_size(kind: str) -> float:
    """The bytes that the page of a kind says the largest record of its state takes."""
    text = " ".join((modules[kinds()[kind].__module__].__doc__ or "").split())
    told = re.search(r"At its largest it takes ([0-9.]+) (kB|MB)", text)
    assert told is not None, f"docs/clauses/{kind}.md says nowhere how large its state can be"
    return float(told[1]) * {"kB": 1e3, "MB": 1e6}[told[2]]


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_the_page_says_how_much_is_remembered_at_most(kind: str) -> None:
    assert kind in WORST or kind in MADE, f"say in WORST or MADE what makes the state of a {kind} clause its largest"
    measured = [MADE[kind]()] if kind in MADE else []
    if kind in WORST:
        says, feed = WORST[kind]
        kept = Kept(kinds()[kind].model_validate({"id": CLAUSE, "kind": kind, **says}))
        for received, watermark in feed(kept.clause):
            kept.receive(received, watermark)
        measured.append(kept.size())
    assert max(measured) <= told_size(kind) <= 1.15 * max(measured) + 1_000


def test_whether_there_is_anything_to_judge_takes_no_more_than_is_said() -> None:
    clause = kinds()["calibration"].model_validate({"id": CLAUSE, "kind": "calibration", "max_error": 0.05})
    kept = Kept(clause)
    for number in range(60):
        for measure in clause.all_measures(SEAM):
            if measure.name.startswith(UNJUDGED):
                kept.receive(replace(fact(clause, measure, number), count=10 * COUNT), STILL)
    said_in = (Path(__file__).parents[2] / "docs" / "time.md").read_text("utf-8")
    told = re.search(r"48 hours wait, and it takes ([0-9]+) kB at its largest", said_in)
    assert told is not None
    assert kept.size() <= float(told[1]) * 1e3 <= 1.15 * kept.size() + 1_000
