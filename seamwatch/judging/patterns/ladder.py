"""The ladder of an episode: who must act, in which order, and how long each has to acknowledge. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from seamwatch.judging.model.seam import Step


def ladder(
    escalation: tuple[Step, ...], person: str | None, said_by: str | None = None, signatories: Iterable[str] = ()
) -> tuple[Step, ...]:
    """Whom a finding names comes first (an acknowledger); then the contract's list, without who said it themselves.

    Where that leaves nobody, the ``signatories`` but them.
    """
    among = tuple(step for step in escalation if step.person != said_by)
    if not among and said_by is not None:
        among = tuple(Step(signatory) for signatory in signatories if signatory != said_by)
    if person is None:
        return among
    rest = tuple(step for step in among if step.person != person)
    first = next((s for s in among if s.person == person), None)
    return (first or Step(person, *(s.acknowledge_within for s in among[:1])), *rest)
