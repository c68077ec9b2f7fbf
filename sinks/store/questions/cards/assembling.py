"""A card put together from the questions that there are, for one system and one time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from seamwatch.clauses.signal import Signal
from seamwatch.durations import DAY
from seamwatch.expressions import Expression
from sinks.store.questions import unjudged
from sinks.store.questions.approvals import ApprovalGiven, approvals, standing
from sinks.store.questions.cards.attested import attested
from sinks.store.questions.cards.basis import basis_of
from sinks.store.questions.cards.figures import approved, calibrations, figures
from sinks.store.questions.cards.happened import changes, incidents, suspended
from sinks.store.questions.cards.measuring import Decided, Measuring
from sinks.store.questions.cards.model import (
    Approval,
    Card,
    Counted,
    Drift,
    Limit,
    Signatory,
    Unjudged,
    Who,
)
from sinks.store.questions.cards.standing_on import decided_on, published, sources
from sinks.store.questions.drift import drift
from sinks.store.questions.rows import count
from sinks.store.questions.signatures import signatures
from sinks.store.questions.sources import WITHIN, values_of

if TYPE_CHECKING:
    from seamwatch.clauses import Clause
    from seamwatch.documents import Contract, Estate, System
    from seamwatch.documents.models import Approved
    from sinks.store.client import Store
    from sinks.store.questions.unjudged import Period

PERIOD: Final = 30 * DAY
"""Figures are of so long, unless something else is asked for."""
GOOD_FOR: Final = 7 * DAY
"""So long a card is good, unless something else is said."""
_RIGHT: Final = Expression.parse("abs(score - label) < 0.5")
_NAMED: Final = frozenset({"id", "kind", "severity"})
_COUNT: Final = f"SELECT count() FROM %s WHERE {WITHIN}"


def card(
    store: Store, estate: Estate, system: str, period: Period, good_until: int, *, everything: bool = True
) -> Card:
    """The card of a system as of the end of a time. ``everything``: as in `unjudged.looked`.

    Raises StoreError and UnreachableError. Of a system that nobody declared and nothing is known of it is empty.
    """
    declared = estate.systems.get(system)
    contracts = estate.contracts_for(system, period.until - 1)
    measuring, agreed = Measuring.of(store, system, period), approved(declared, contracts)
    correct = _correct(clause for contract in contracts for clause in contract.clauses)
    decided, known = measuring.decided(agreed.quantiles), measuring.known(correct, agreed.bins, *agreed.range)
    errors = calibrations(known, agreed.bins)
    who, given = _who(estate, declared, system), _approvals(store, declared, system, period)
    benchmarks = tuple(attested(store, declared, period.until))
    held = suspended(store, system, period.until)
    found, left_out = incidents(store, system, period)
    limits, signed = tuple(_limits(contracts)), tuple(_signatories(store, contracts))
    since = max((one.approved_at for one in given if one.standing == "in force" and one.approved_at), default=None)
    texts = published(store, system, (contract.id for contract in contracts), period.until)
    changed = changes(store, system, since, period.until, texts)
    drifts = next(iter(drift(store, system)), None)
    return Card(
        as_of=period.until,
        good_until=good_until,
        since=period.since,
        counted=_counted(store, system, period, decided, measuring.cohorts_left_out),
        who=who,
        suspended=tuple(held),
        approvals=given,
        figures=tuple(figures(decided, known, errors, agreed)),
        attested=benchmarks,
        calibration=tuple(errors),
        drift=None if drifts is None else _drift(drifts),
        incidents=tuple(found),
        incidents_left_out=left_out,
        sources=tuple(sources(store, estate, system, period)),
        decided_on=decided_on(store, system, period),
        limits=limits,
        signatories=signed,
        changed_since=since,
        changes=tuple(changed),
        unjudged=tuple(_unjudged(store, estate, system, period, everything=everything)),
        basis=basis_of(who, held, given, benchmarks, found, limits, signed, changed),
    )


def _correct(clauses: Iterator[Clause]) -> Expression:
    """What makes an outcome right: as a clause on accuracy agrees, else that the score is on the label's side."""
    return next((c.correct for c in clauses if isinstance(c, Signal) and c.signal == "accuracy"), _RIGHT)


def _who(estate: Estate, declared: System | None, system: str) -> Who:
    if declared is None:
        nothing: dict[str, Any] = dict.fromkeys(("type", "owner", "owner_name", "team", "purpose", "risk_tier"))
        return Who(system=system, not_for=(), use_cases=(), links={}, **nothing)
    person = estate.persons.get(declared.owner)
    links = {
        "runbook": declared.runbook,
        "registry entry": declared.registry_entry,
        "monitoring agreement": declared.monitoring_agreement,
        "lineage": ", ".join(declared.lineage) or None,
    }
    return Who(
        system=system,
        type=declared.type,
        owner=declared.owner,
        owner_name=None if person is None else person.name,
        team=declared.team,
        purpose=declared.purpose,
        not_for=declared.not_for,
        use_cases=declared.use_cases,
        risk_tier=declared.risk_tier,
        links={name: text for name, text in links.items() if text is not None},
    )


def _approvals(store: Store, declared: System | None, system: str, period: Period) -> tuple[Approval, ...]:
    written = {
        approval.id: approval for version in (declared.versions if declared else ()) for approval in version.approvals
    }
    return tuple(
        _approval(one, written.get(one.approval_id), standing(one, period.until)) for one in approvals(store, system)
    )


def _approval(one: ApprovalGiven, written: Approved | None, stands: str) -> Approval:
    """An approval, with what only its document says of what it rests on; nothing of that where it is listed no more."""
    baseline = None if written is None else written.baseline
    return Approval(
        approval_id=one.approval_id,
        version=one.version,
        config_digest=one.config_digest or None,
        use_case=one.use_case,
        approved_by=one.approved_by or None,
        approved_at=one.approved_at,
        expires=one.expires,
        standing=stands,
        evidence=None if written is None else written.evidence,
        co_approvers=() if written is None else written.co_approvers,
        evaluated_at=None if baseline is None else baseline.evaluated_at,
        baseline={} if baseline is None else baseline.metrics,
        signed_by=() if written is None else tuple(each.person for each in written.signatures),
        events=one.events,
    )


def _limits(contracts: Sequence[Contract]) -> Iterator[Limit]:
    for contract in contracts:
        for clause, written in zip(contract.clauses, contract.written["clauses"], strict=True):
            yield Limit(
                contract=contract.id,
                version=contract.version,
                clause=clause.id,
                kind=clause.kind_name,
                severity=clause.severity,
                terms={name: _brief(value) for name, value in written.items() if name not in _NAMED},
            )


def _brief(value: Any) -> Any:
    """A term as it is written, without the counts of approved scores, which nobody reads."""
    if isinstance(value, Mapping):
        return {name: "as counted" if name == "histograms" else _brief(each) for name, each in value.items()}
    return value


def _signatories(store: Store, contracts: Sequence[Contract]) -> Iterator[Signatory]:
    for one in signatures(store, [f"{contract.id}@{contract.version}" for contract in contracts]):
        yield Signatory(
            contract=one.contract,
            version=one.version,
            person=one.person,
            roles=one.roles,
            signed_at=one.signed_at if one.signed else None,
        )


def _drift(found: Any) -> Drift:
    return Drift(standing=found.drift, observed=found.observed, limit=found.limit, unit=found.unit, since=found.since)


def _counted(store: Store, system: str, period: Period, decided: Sequence[Decided], left_out: int) -> Counted:
    found = {
        name: count(store, _COUNT % name, values_of([system], period)) for name in ("calls", "outcomes", "refreshes")
    }
    decisions = sum(one.events for one in decided if one.overall)
    return Counted(decisions=decisions, cohorts_left_out=left_out, **found)


def _unjudged(store: Store, estate: Estate, system: str, period: Period, *, everything: bool) -> Iterator[Unjudged]:
    found = unjudged.looked(store, estate, period, [system], everything=everything)
    for one in unjudged.not_judged(found):
        if one.system == system:
            clause = None if one.clause is None else unjudged.standing(one)
            yield Unjudged(clause=clause, why=one.why, count=one.count, said=unjudged.sentence(one))
