"""The ladder of an episode: who must act, in which order, and how long each has to acknowledge. Pure.

Who of a rota is asked follows from event time alone: so it is the same live and in a replay, and after a restart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from seamwatch.judging.model.seam import EscalationList, RotaStep, Step


def ladder(
    escalation: EscalationList, at: int, person: str | None, said_by: str | None = None, signatories: Iterable[str] = ()
) -> tuple[Step, ...]:
    """Whom a finding names comes first (an acknowledger); then the contract's list, without who said it themselves.

    Where that leaves nobody, the ``signatories`` but them. ``at``: the event time (micros) at which it opened.
    """
    without = () if said_by is None else (said_by,)
    among = _asked(escalation, at, without)
    if not among and said_by is not None:
        escalation = tuple(Step(signatory) for signatory in signatories if signatory != said_by)
        among = _asked(escalation, at, without)
    if person is None:
        return tuple(step for _, step in among)
    own = next(((place, step) for place, step in among if step.person == person), None)
    first = Step(person, *(step.acknowledge_within for _, step in among[:1])) if own is None else own[1]
    # Their own step is theirs, and whoever comes after them comes so much later.
    others = escalation if own is None else (*escalation[: own[0]], *escalation[own[0] + 1 :])
    return (first, *asked(others, at + first.acknowledge_within, (*without, person)))


def asked(escalation: EscalationList, at: int, without: Collection[str] = ()) -> tuple[Step, ...]:
    """Who is asked by a list from an event time (micros) on, if nobody answers; nobody of ``without`` is.

    A rota stands for who is on call when its step comes due: the first at once, each other when those before it have
    had their time. By a rota nobody is asked twice in a row.
    """
    return tuple(step for _, step in _asked(escalation, at, without))


def _asked(escalation: EscalationList, at: int, without: Collection[str]) -> list[tuple[int, Step]]:
    """The same, with the place of each in the list."""
    steps: list[tuple[int, Step]] = []
    for place, listed in enumerate(escalation):
        step = listed if isinstance(listed, Step) else Step(listed.rota.on_call(at), listed.acknowledge_within)
        if step.person in without:
            continue
        in_a_row = bool(steps) and steps[-1][1].person == step.person
        if in_a_row and (isinstance(listed, RotaStep) or isinstance(escalation[steps[-1][0]], RotaStep)):
            continue
        steps.append((place, step))
        at += step.acknowledge_within
    return steps


def members(escalation: EscalationList) -> tuple[str, ...]:
    """Everybody whom a list may ask, each once: of a rota all its members."""
    people = ((step.person,) if isinstance(step, Step) else step.rota.members for step in escalation)
    return tuple(dict.fromkeys(person for several in people for person in several))
