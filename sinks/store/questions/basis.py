"""Whether the basis of an approval was gone when it allowed something, and why: what changed and was not re-evaluated.

By what is on record: announced changes of what an approval rests on, those that served unannounced, shifts of the
scores, and the configuration that its baseline names. A re-evaluation covers what came before it, if it counts for a
clause of kind `reevaluation` in force; where none asks, if its person is of the documents and signed it where they have
keys. The approval stays in force: this says what it rests on no longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from seamwatch.clauses.attested import why_void
from seamwatch.clauses.reevaluation import Reevaluation
from seamwatch.engine.seams import Seams
from seamwatch.judging.model.facts import UNANNOUNCED
from seamwatch.judging.patterns.announcements import Announced, announced, withdrawn
from seamwatch.judging.patterns.wording import digest_text, moment_text
from seamwatch.signatures import attestation_counts
from sinks.store.questions.estate import estate_shown
from sinks.store.questions.rows import Micros, values_of

if TYPE_CHECKING:
    from seamwatch.documents import Estate
    from seamwatch.judging.model.seam import Approval, Seam
    from sinks.store.client import Store
    from sinks.store.questions.why import Decision

KINDS: Final = ("model", "prompt", "retrieval", "tools", "provider")
"""The kinds of changes of which an approval rests on the state before."""
_AT: Final = "fromUnixTimestamp64Micro({at:Int64}, 'UTC')"
_CHANGES: Final = f"""
SELECT event_time, system, change_id, kind, from_value, to_value, config_digest, effective_at, summary, announced_by,
    environment, withdrawn, signatures
FROM changes WHERE system = {{system:String}} AND kind IN {{kinds:Array(String)}} AND event_time <= {_AT}
ORDER BY event_time, event_id
"""
_SHIFTS: Final = f"""
SELECT violation_id, opened_at FROM violations
WHERE system = {{system:String}} AND kind = 'distribution' AND unit = 'share' AND opened_at <= {_AT}
ORDER BY opened_at, violation_id
"""
_SERVED: Final = f"""
SELECT violation_id, opened_at, slice AS served FROM violations
WHERE system = {{system:String}} AND kind = 'change_notice' AND unit = '{UNANNOUNCED}' AND opened_at <= {_AT}
    AND slice IN {{served:Array(String)}}
ORDER BY opened_at, violation_id
"""
_EVALUATIONS: Final = f"""
SELECT event_time, system, subject, kind, metric, value, person, evidence_uri, key_id, signature, statement
FROM attestations WHERE system = {{system:String}} AND kind = 'reevaluation' AND event_time <= {_AT}
ORDER BY event_time
"""


@dataclass(frozen=True, slots=True)
class Record:
    """What is on record of a system until a decision, oldest first, each as its topic has it.

    ``served``: the episodes in which what the decision came from served before it was announced and accepted.
    """

    changes: Sequence[Mapping[str, Any]] = ()
    shifts: Sequence[Mapping[str, Any]] = ()
    served: Sequence[Mapping[str, Any]] = ()
    evaluations: Sequence[Mapping[str, Any]] = ()


def gone(store: Store, found: Decision, approval: Approval | None, estate: Estate | None = None) -> tuple[str, ...]:
    """Why the basis of the approval that allowed a decision was gone by then, each in a sentence; empty if it was not.

    By the documents as they are published now: ``estate``, where the caller has it; else all of them are read where
    something that happened needs it.
    """
    if approval is None:
        return ()
    asked: dict[str, Any] = {"system": found.system, "at": str(found.event_time), "kinds": list(KINDS)}
    asked["served"] = [name for name in (found.version, found.config_digest) if name]
    known = Record(*(values_of(store, sql, asked) for sql in (_CHANGES, _SHIFTS, _SERVED, _EVALUATIONS)))
    if estate is None and (known.changes or known.evaluations):
        estate = estate_shown(store)
    return tuple(reasons(found, approval, known, estate))


def reasons(found: Decision, approval: Approval, known: Record, estate: Estate | None) -> Iterator[str]:
    """The same of what is known; without documents nobody's word counts."""
    name, pinned = approval.approval_id, approval.baseline
    people = None if estate is None else _People(Seams(estate), estate, found)
    if pinned is not None and pinned.config_digest not in (None, found.config_digest):
        served = digest_text(found.config_digest) if found.config_digest else "no configuration digest"
        yield f"approval {name} rests on configuration {digest_text(pinned.config_digest or '')}, and {served} served"
    since = approval.approved_at if pinned is None else pinned.evaluated_at
    last = max((at for at in (since, *_evaluated(known.evaluations, people)) if at is not None), default=None)
    after = (
        f"and nobody has re-evaluated it since {moment_text(last)}"
        if last is not None
        else (f"and approval {name} does not say when it was given")
    )
    for change in _standing(known.changes, people):
        if (last is None or change["event_time"] > last) and _is_of(change, found):
            at = moment_text(change["effective_at"])
            yield f"{change['kind']} change {change['change_id']} took effect at {at}, {after}"
    for shift in known.shifts:
        if last is None or shift["opened_at"] > last:
            at = moment_text(shift["opened_at"])
            yield f"scores shifted at {at} (violation {shift['violation_id'][:8]}…), {after}"
    for one in known.served:
        if last is None or one["opened_at"] > last:
            what, at = digest_text(one["served"]), moment_text(one["opened_at"])
            early = f"{what!r} served at {at} before it was announced and accepted"
            yield f"{early} (violation {one['violation_id'][:8]}…), {after}"


def _is_of(change: Mapping[str, Any], found: Decision) -> bool:
    """Whether a change had taken effect for what served, and was not to another version or configuration than that."""
    if change["effective_at"] > found.event_time:
        return False
    if change["kind"] == "model" and change["to_value"] not in (None, "", found.version):
        return False
    return change["config_digest"] in (None, "", found.config_digest)


def _standing(changes: Sequence[Mapping[str, Any]], people: _People | None) -> Iterator[Mapping[str, Any]]:
    """The changes that were not withdrawn by somebody who may."""
    known: Announced = ()
    said: dict[str, Mapping[str, Any]] = {}
    for change in changes:
        if not change["withdrawn"]:
            known, name = announced(known, change)
            if name is not None:
                said[name] = change
        elif people is not None and people.seam is not None:
            known, taken = withdrawn(people.seam, known, change)
            for one in taken:
                said.pop(one.called, None)
    yield from said.values()


def _evaluated(evaluations: Sequence[Mapping[str, Any]], people: _People | None) -> Iterator[Micros]:
    """When it was evaluated, by those whose word counts."""
    for one in evaluations:
        if people is not None and people.count(one):
            yield int(one["event_time"])


@dataclass(frozen=True)
class _People:
    """Whose word counts about the system of a decision."""

    seams: Seams
    estate: Estate
    found: Decision

    @cached_property
    def seam(self) -> Seam | None:
        """What any contract in force says of the system, for its people."""
        for contract in self.estate.contracts_for(self.found.system, self.found.event_time):
            for bound in self.seams.covering(contract, self.found.system).values():
                return bound.seam
        return None

    def count(self, evaluation: Mapping[str, Any]) -> bool:
        """Whether a re-evaluation counts."""
        wanting = self.seams.wanting("attestation", self.found.system, int(evaluation["event_time"]))
        asking = [bound for bound in wanting if isinstance(bound.clause, Reevaluation)]
        if asking:
            return any(bound.clause.why_void(bound.seam, evaluation) is None for bound in asking)
        person = evaluation["person"]
        return self.seam is not None and why_void(self.seam, evaluation, person, (person,), attestation_counts) is None
