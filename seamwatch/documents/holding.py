"""Holding: whether systems hold to their tier of the risk policy in force, and what each is short of.

One rule for `contracts check`, the gate, `seamwatch tiers` and the board. Whether an approval is enough at the time of
an event is judged by the clause `approval`, with the words of `seamwatch.documents.approving`. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from seamwatch.documents.approving import MORE, approval_of, falls_short, why_void
from seamwatch.documents.baselines import Exposure
from seamwatch.documents.estate import Estate
from seamwatch.documents.loading import estate_of_documents
from seamwatch.documents.models import Person, System
from seamwatch.documents.problems import Problem
from seamwatch.documents.reading import Place
from seamwatch.documents.references import Read
from seamwatch.documents.risk_policy import Tier
from seamwatch.documents.tiers import TierTerm, in_force, is_held, tier_terms
from seamwatch.durations import format_duration
from seamwatch.judging.patterns.approved import in_force as approval_in_force

State = Literal["held", "short", "without tier", "unknown"]


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that a system is short of: where in its document, why, and what to do."""

    word: Literal["tier", "prohibited", "exposure", "clauses", "review", "approvers"]
    place: Place
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a system stands to its tier; ``policies`` are those that hold it, each ``<id>@<version>``."""

    system: str
    owner: str | None
    tier: str | None
    ai_act: str | None
    policies: tuple[str, ...]
    state: State
    gaps: tuple[Gap, ...] = ()


def standings(estate: Estate, now: int, seen: Iterable[str] = ()) -> tuple[Standing, ...]:
    """How each system stands that is to have a tier at ``now`` (micros), by id; none while no policy is in force.

    ``seen``: systems that were seen in traffic. Of one that nobody declared the tier is unknown.
    """
    if not in_force(estate.policies, now):
        return ()
    declared = [_standing(estate, system, now) for system in estate.systems.values() if is_held(system)]
    strangers = [Standing(name, None, None, None, (), "unknown") for name in set(seen) - set(estate.systems)]
    return tuple(sorted((*declared, *strangers), key=lambda one: one.system))


def agreed_kinds(estate: Estate, system: str, now: int) -> frozenset[str]:
    """The kinds of the clauses that contracts in force agree on for a system."""
    return frozenset(clause.kind_name for c in estate.contracts_for(system, now) for clause in c.clauses)


def gaps(
    estate: Estate, system: System, now: int, kinds: frozenset[str] | None = None, *, approvals: bool = True
) -> Iterator[Gap]:
    """What a system is short of at ``now`` (micros).

    ``kinds`` are those that are agreed on for it; by default what the estate says. ``approvals``: also of those that
    are in force now and count.
    """
    policies = in_force(estate.policies, now)
    if not policies or not is_held(system):
        return
    terms = tier_terms(policies, system)
    if not terms:
        yield _untiered(system, [tier.tier for term in policies for tier in term.policy.tiers])
    agreed = agreed_kinds(estate, system.id, now) if kinds is None else kinds
    for term in terms:
        yield from _short_of(term, system, agreed)
        if approvals:
            yield from _approvals(term, system, estate.persons, now)


def policy_problems(reads: Sequence[Read], now: int) -> Iterator[Problem]:
    """The same of all systems of a folder as warnings; of documents that are right in themselves."""
    estate = estate_of_documents(read.document for read in reads if read.document is not None)
    for read in reads:
        if isinstance(read.document, System):
            for gap in gaps(estate, read.document, now):
                if gap.word != "tier" or read.document.risk_tier is None:  # an unknown one is an error of its own
                    yield read.warning(gap.place, f"system {read.id!r} {gap.reason}: {gap.remedy}")


def _standing(estate: Estate, system: System, now: int) -> Standing:
    terms = tier_terms(in_force(estate.policies, now), system)
    found = tuple(gaps(estate, system, now))
    state: State = "held" if terms else "without tier" if system.risk_tier is None else "unknown"
    if terms and found:
        state = "short"
    classes = dict.fromkeys(term.tier.ai_act for term in terms if term.tier.ai_act is not None)
    return Standing(
        system.id, system.owner, system.risk_tier, ", ".join(classes) or None,
        tuple(term.policy for term in terms), state, found,
    )  # fmt: skip


def _untiered(system: System, known: Sequence[str]) -> Gap:
    tiers = ", ".join(dict.fromkeys(known))
    if system.risk_tier is None:
        return Gap("tier", ("id",), "names no tier of the risk policy", f"give its 'risk_tier': one of {tiers}")
    reason = f"is of tier {system.risk_tier!r}, which no risk policy in force has"
    return Gap("tier", ("risk_tier",), reason, f"give one of {tiers}")


def _short_of(term: TierTerm, system: System, agreed: frozenset[str]) -> Iterator[Gap]:
    tier, held = term.tier, f"tier {term.tier.tier!r} of risk policy {term.policy}"
    if tier.ai_act == "prohibited":
        remedy = "take it out of service, or have its tier judged anew"
        yield Gap("prohibited", ("risk_tier",), f"is of {held}, which is prohibited", remedy)
    yield from _exposed(tier, held, system)
    if missing := [kind for kind in dict.fromkeys(tier.clauses) if kind not in agreed]:
        reason = f"has no clause of kind {', '.join(missing)} in any contract in force, which {held} asks for"
        yield Gap("clauses", ("risk_tier",), reason, f"agree on it (`seamwatch contracts new {missing[0]}`)")
    if tier.review_every is not None:
        asked = format_duration(tier.review_every)
        if system.review is None:
            reason = f"has no scheduled review, and {held} asks for one every {asked}"
            yield Gap("review", ("risk_tier",), reason, "give it as 'review': {every, by}")
        elif system.review.every > tier.review_every:
            reason = f"is reviewed every {format_duration(system.review.every)}, and {held} asks for every {asked}"
            yield Gap("review", ("review", "every"), reason, f"review it at least every {asked}")


def _exposed(tier: Tier, held: str, system: System) -> Iterator[Gap]:
    if tier.up_to is None:
        return
    if system.exposure is None:
        reason = f"does not say what is at stake, and {held} is for up to {tier.up_to}"
        yield Gap("exposure", ("risk_tier",), reason, "give it as 'exposure': {amount, currency, per}")
    elif not _comparable(system.exposure, tier.up_to):
        reason = f"has {system.exposure} at stake, which cannot be compared with the {tier.up_to} of {held}"
        yield Gap("exposure", ("exposure",), reason, f"give it in {tier.up_to.currency} per {tier.up_to.per}")
    elif system.exposure.amount > tier.up_to.amount:
        reason = f"has {system.exposure} at stake, and {held} is for up to {tier.up_to}"
        yield Gap("exposure", ("exposure",), reason, "put less at stake, or move it to a tier for as much")


def _comparable(one: Exposure, other: Exposure) -> bool:
    return (one.currency, one.per) == (other.currency, other.per)


def _approvals(term: TierTerm, system: System, persons: Mapping[str, Person], now: int) -> Iterator[Gap]:
    if term.tier.ai_act == "prohibited":
        return  # which is said of the system
    for v, version in enumerate(system.versions):
        for a, approval in enumerate(version.approvals):
            if not approval_in_force(approval_of(approval), now) or why_void(system, v, a, persons) is not None:
                continue
            short = falls_short(term.tier, term.policy, system, v, a, persons)
            if short is not None:
                place: Place = ("versions", v, "approvals", a, "id")
                yield Gap("approvers", place, f"has approval {approval.id}, which {short}", MORE)
