"""Sense: clauses that cannot do what they say, though each of their parts is right.

An error is a condition or bound that no event can meet, whatever else the documents say: the clause would find nothing,
or everything. A warning is what may be meant: a condition past which NULL slips, a clause that lets everything pass, or
looks at what no covered system does, or asks for a word that nobody may give. Sound: what can be found is never accused
(`seamwatch.expressions.possible`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from seamwatch.clauses import Clause, kinds
from seamwatch.clauses.assertion import Assertion
from seamwatch.clauses.benchmark import Benchmark
from seamwatch.clauses.change_notice import ChangeNotice
from seamwatch.clauses.clause import Condition
from seamwatch.clauses.follow_up import FollowUp
from seamwatch.clauses.human_review import HumanReview
from seamwatch.clauses.lineage import Lineage
from seamwatch.clauses.reevaluation import Reevaluation
from seamwatch.clauses.representation import Representation
from seamwatch.clauses.review import Review
from seamwatch.clauses.signal import Signal
from seamwatch.clauses.volume import Volume
from seamwatch.documents.contract import Contract
from seamwatch.documents.models import System
from seamwatch.documents.problems import Problem
from seamwatch.documents.references import Read
from seamwatch.expressions.build import all_of
from seamwatch.expressions.possible import certain, contradiction
from seamwatch.expressions.slipping import passing
from seamwatch.judging.model.judgement import EXPECTED
from seamwatch.judging.patterns.spelling import difference, meant

_DECIDES: Final = frozenset({"inference", "outcome"})
_DOES: Final[Mapping[str, frozenset[str]]] = {
    "model": _DECIDES,
    "agent": _DECIDES | {"tool_call"},
    "dataset": frozenset({"dataset_refresh"}),
}
"""What systems of a type report; a pipeline may do anything."""
_SAID: Final[Mapping[str, str]] = {
    "inference": "decisions",
    "outcome": "outcomes of decisions",
    "tool_call": "tool calls",
    "dataset_refresh": "refreshes of a data set",
}

_EPISODES: Final[Mapping[str, str]] = {
    "distribution": "clause of kind 'distribution'",
    "unannounced": "'change_notice' with 'unannounced'",
}
"""By whose episodes a re-evaluation is asked for, in place of changes that are announced."""


def check_sense(documents: Sequence[Read]) -> Iterator[Problem]:
    """What makes no sense in the clauses of contracts that are right in themselves."""
    types = {read.document.id: read.document.type for read in documents if isinstance(read.document, System)}
    for read in documents:
        if isinstance(read.document, Contract):
            yield from _contract(read, read.document, types)


def _contract(read: Read, contract: Contract, types: Mapping[str, str]) -> Iterator[Problem]:
    for number, clause in enumerate(contract.clauses):
        place = ("clauses", number)
        name = f"clause {clause.id!r} ({clause.kind_name})"
        for condition in clause.conditions():
            where = (*place, *condition.place)
            if (never := _never(condition)) is not None:
                yield read.error(where, f"{name}: {never}")
                if condition.role == "selects":
                    break
            elif (slips := _slips(condition)) is not None:
                yield read.warning(where, f"{name}: {slips}")
        if isinstance(clause, Assertion) and clause.summary is None and certain(clause.must, clause.on):
            yield read.error((*place, "must"), f"{name}: every event meets {clause.must.shown}: it agrees nothing")
        if isinstance(clause, HumanReview):
            yield from _confidence(read, (*place, "below"), name, clause.below)
        if isinstance(clause, Representation) and (same := _alike(clause.shares)) is not None:
            yield read.warning((*place, "shares"), f"{name}: {same}")
        yield from _follows(read, place, name, clause, contract)
        if (nobody := _nobody(clause, contract)) is not None:
            yield read.warning((*place, "kind"), f"{name}: {nobody}")
        if (idle := _idle(clause)) is not None:
            yield read.warning((*place, "kind"), f"{name}: it lets everything pass: {idle}")
        if (elsewhere := _elsewhere(clause, contract, types)) is not None:
            yield read.warning((*place, "kind"), f"{name}: {elsewhere}")


def _never(condition: Condition) -> str | None:
    """Why no event meets a condition."""
    asked = condition.expression
    whole = asked if condition.within is None else all_of(condition.within, asked)
    reasons = [contradiction(whole, source) for source in condition.sources]
    why = next(iter(reasons), None)
    if why is None or None in reasons:
        return None
    said = {
        "selects": f"{asked.shown} selects no event",
        "offends": f"{asked.shown} can hold for no event",
        "meets": f"no event can meet {asked.shown}",
    }[condition.role]
    return f"{said}: {why}"


def _slips(condition: Condition) -> str | None:
    """What NULL slips past a condition that denies something."""
    if condition.role == "meets" or condition.lenient:
        return None
    asked = condition.expression
    names = list(dict.fromkeys(name for source in condition.sources for name in passing(asked, source)))
    if not names:
        return None
    what = "is left out by" if condition.role == "selects" else "does not meet"
    return (
        f"an event without {' or '.join(names)} {what} {asked.shown}, which is NULL then: say which is meant, by "
        f"{names[0]} IS NULL OR, or by {names[0]} IS NOT NULL AND"
    )


def _confidence(read: Read, place: tuple[str | int, ...], name: str, below: float) -> Iterator[Problem]:
    if below <= 0:
        yield read.error(place, f"{name}: no confidence is below {below:g}: it lies between 0 and 1")
    elif below > 1:
        yield read.error(place, f"{name}: every confidence is below {below:g}: it lies between 0 and 1")


def _idle(clause: Clause) -> str | None:
    """Why a clause finds nothing, whatever happens: its bounds let all pass."""
    match clause:
        case Volume(min=0, max=None):
            return "no number is below 0"
        case Signal(signal="accuracy" | "abuse" | "fallback", min=None | 0, max=None | 1):
            return "a share lies between 0 and 1"
        case Representation() if all(low <= 0 and high >= 1 for low, high in clause.shares.values()):
            return "a share lies between 0 and 1"
        case ChangeNotice(acknowledgers=(), notice_before=None, unannounced=False):
            return "no acknowledger, no notice before, and what is unannounced is fine"
        case _:
            return None


def _alike(names: Iterable[str]) -> str | None:
    """Two names that differ by their spelling alone, or one with blanks at its ends."""
    known: dict[str, str] = {}
    for name in names:
        if name != name.strip():
            return f"{name!r} has blanks at its ends"
        if (other := known.setdefault(meant(name), name)) != name:
            return f"{other!r} and {name!r} differ {difference(name, other)} alone, and are two cohorts"
    return None


def _nobody(clause: Clause, contract: Contract) -> str | None:
    """What a clause asks to be attested that nobody may attest (`seamwatch.clauses.attested`)."""
    match clause:
        case Review(by=()):
            asks = "a review, and its clock runs out"
        case Reevaluation(by=()):
            asks = "a re-evaluation, and its clock runs out"
        case Benchmark(by=()):
            asks = "a measurement, and none counts"
        case Lineage(attested=True, by=()):
            asks = "an attestation of each refresh, and none counts"
        case _:
            return None
    if contract.signatories:
        return None
    return f"it asks for {asks}: nobody may attest it; name persons in 'by', or signatories of the parties"


def _follows(
    read: Read, place: tuple[str | int, ...], name: str, clause: Clause, contract: Contract
) -> Iterator[Problem]:
    """What a clause says it follows that its contract does not have."""
    if (unheard := _unheard(clause, contract)) is not None:
        yield read.warning((*place, "after"), f"{name}: {unheard}")
    if not isinstance(clause, FollowUp):
        return
    others = [other for other in contract.clauses if not isinstance(other, FollowUp)]
    for parameter, said, known in (
        ("clauses", clause.clauses, {other.id for other in others}),
        ("kinds", clause.kinds, {other.kind_name for other in others}),
    ):
        for word in said:
            if word not in known:
                what = f"clause {word!r}" if parameter == "clauses" else f"clause of kind {word!r}"
                # What a kind is called may be foreseen; the id of a clause that is not there is a slip.
                tell = read.warning if parameter == "kinds" and word in kinds() else read.error
                yield tell((*place, parameter), f"{name}: the contract has no {what} to follow up on")
    if not any(clause.follows(_broken(other, severity)) for other in others for severity in ("warning", "breach")):
        yield read.warning((*place, "kind"), f"{name}: the contract has no clause that it follows up on")


def _broken(clause: Clause, severity: str) -> Mapping[str, str]:
    return {"clause": clause.id, "kind": clause.kind_name, "severity": severity}


def _unheard(clause: Clause, contract: Contract) -> str | None:
    """Why a re-evaluation is never asked for: all that asks is episodes of clauses that its contract does not have."""
    if not isinstance(clause, Reevaluation) or clause.every is not None or not set(clause.after) <= _EPISODES.keys():
        return None
    for other in contract.clauses:
        shifts = other.kind_name == "distribution" and "distribution" in clause.after
        if shifts or (isinstance(other, ChangeNotice) and other.unannounced and "unannounced" in clause.after):
            return None
    lacking = " and no ".join(_EPISODES[word] for word in clause.after)
    return f"nothing asks for an evaluation: the contract has no {lacking}"


def _elsewhere(clause: Clause, contract: Contract, types: Mapping[str, str]) -> str | None:
    """What a clause looks at that no system does which its contract covers."""
    covered = {system: types.get(system) for system in contract.covers}
    wants = clause.wants - {EXPECTED, *clause.spreads}
    asked = {*clause.sources(), *wants}
    # What is not declared, a glob among it, may be anything.
    if any(kind not in _DOES for kind in covered.values()) or not wants <= _SAID.keys():
        return None
    if not asked or any(asked & _DOES[str(kind)] for kind in covered.values()):
        return None
    these = ", ".join(f"{system} is a {kind}" for system, kind in list(covered.items())[:3])
    return f"it looks at {' and '.join(_SAID[each] for each in sorted(asked))}, and {these}, which has none"
