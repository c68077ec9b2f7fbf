"""Who is on call by a rota at a time, until when, who follows, whose lists name it, and what of it would reach nobody.

Pure: it is handed the estate of documents, and reads no store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from seamwatch.channel_urls import scheme_of
from seamwatch.documents.rota import BEGINNING
from seamwatch.durations import DAY
from seamwatch.local_times import LAST, local_of, zone
from sinks.store.questions.names import unknown
from sinks.store.questions.rows import Micros, record, records

if TYPE_CHECKING:
    from seamwatch.documents import Estate, Rota
    from seamwatch.documents.rota import Shift

COMING: Final = 28 * DAY
"""So far the coming turns are told, where nobody says how far."""
NO_DOCUMENT: Final = "no document that can be used declares it: in its place the owner of each system is paged"
_EVER: Final = 2**62
_UNREAD: Final = re.compile(r"""['"]Rota/([^\s#]+?)['"]""")
"""How what is wrong with what was published names a rota."""
_STEP: Final = "rota "
"""What a step by a rota begins with in the columns ``escalation`` of views; no id holds a blank."""


@dataclass(frozen=True, slots=True)
class Turn:
    """From when to when a person is on call; None for what has no beginning or no end.

    ``why`` it is not their turn in the row of persons; None where it is.
    """

    rota: str
    person: str
    start: Micros | None
    end: Micros | None
    why: str | None


@dataclass(frozen=True, slots=True)
class OnCall:
    """A rota at a time: who is on call, who follows, which contracts in force name it, and what is wrong with it.

    ``person`` and what belongs to their turn are None where a contract names a rota of which no document can be used.
    ``since`` is None where it was always so, ``until`` where it has no end. ``problems`` are what
    could not be read, and who could not be told, in words.
    """

    rota: str
    title: str | None
    owner: str | None
    time_zone: str | None
    at: Micros
    person: str | None
    name: str | None
    reached_by: tuple[str, ...]
    since: Micros | None
    until: Micros | None
    why: str | None
    next_person: str | None
    next_until: Micros | None
    contracts: tuple[str, ...]
    problems: tuple[str, ...]

    def local(self, at: Micros | None) -> str:
        """A time as the rota's own clocks show it; a dash for none."""
        return "-" if at is None else local_text(at, self.time_zone or "UTC")


def standing(estate: Estate, at: Micros, only: Sequence[str] = ()) -> list[OnCall]:
    """Every rota that was published or that a contract in force names, or those of these ids, at a time, by id.

    Raises UnknownNameError for an id that is neither.
    """
    named = named_by(estate, at)
    known = sorted({*estate.rotas, *named, *(rota for why in estate.problems for rota in _UNREAD.findall(why))})
    for rota in only:
        if rota not in known:
            raise unknown("rota", rota, tuple(known))
    return [_standing(estate, rota, at, named.get(rota, ())) for rota in known if not only or rota in only]


def standing_by_id(estate: Estate, at: Micros) -> dict[str, OnCall]:
    """The same, by id."""
    return {one.rota: one for one in standing(estate, at)}


def turns(rota: Rota, start: Micros, end: Micros) -> list[Turn]:
    """Who is on call by a rota from a time until another, in order: each turn whole that is not over by the first."""
    began = _since(rota, start)
    found = takewhile(lambda each: each.start < end, rota.shifts(start if began is None else began, _EVER))
    told = [Turn(rota.id, each.person, each.start, _known(each.end), each.why) for each in found]
    return [replace(told[0], start=began), *told[1:]] if told else []


def rota_record(estate: Estate, one: OnCall, end: Micros) -> dict[str, Any]:
    """A rota as it stands, for JSON, with its turns from then until a time."""
    rota = estate.rotas.get(one.rota)
    return record(one) | {"turns": [] if rota is None else records(turns(rota, one.at, end))}


def may_be_called(rota: Rota, at: Micros) -> tuple[str, ...]:
    """Everybody who may be on call by a rota from a time on, each once: who is, who takes turns, and who stands in."""
    ahead = (each.person for each, (_, end) in zip(rota.instead, rota.spans, strict=True) if end > at)
    return tuple(dict.fromkeys((rota.on_call(at), *rota.persons, *ahead)))


def unreachable(estate: Estate, rota: Rota, at: Micros) -> Iterator[tuple[str, str]]:
    """Who may be on call by a rota and could not be told by a channel, and why, in words that follow their id."""
    for person in may_be_called(rota, at):
        known = estate.persons.get(person)
        if known is None:
            yield person, "has no Person document"
        elif not known.channels:
            yield person, "has no channel but the board"


def named_by(estate: Estate, at: Micros) -> Mapping[str, tuple[str, ...]]:
    """By rota, the contracts in force whose escalation list names it, as ``id@version``."""
    found: dict[str, list[str]] = {}
    for term in estate.terms:
        if term.valid_from <= at < term.valid_to:
            for rota in dict.fromkeys(step.rota for step in term.contract.escalation if step.rota is not None):
                found.setdefault(rota, []).append(f"{term.contract.id}@{term.contract.version}")
    return {rota: tuple(sorted(contracts)) for rota, contracts in found.items()}


def paged_text(steps: Sequence[str], estate: Callable[[], Estate], at: Micros) -> str:
    """An escalation list in a line, from the steps as columns ``escalation`` have them, with who is on call at a time.

    The estate is asked for only where a step is by a rota.
    """
    by_id = standing_by_id(estate(), at) if any(step.startswith(_STEP) for step in steps) else {}
    return " then ".join(step_text(step, by_id) for step in steps)


def step_text(step: str, by_id: Mapping[str, OnCall]) -> str:
    """A step as a column ``escalation`` has it, and who is on call where it is by a rota."""
    if not step.startswith(_STEP):
        return step
    return f"{step} ({now_text(by_id.get(step.removeprefix(_STEP)))})"


def who_text(one: OnCall | None) -> str:
    """Who is on call now, until when and who follows, in a few words."""
    follows = f", then {one.next_person}" if one is not None and one.next_person is not None else ""
    return now_text(one) + follows


def now_text(one: OnCall | None) -> str:
    """Who is on call now, and until when, in a few words."""
    if one is None or one.person is None:
        return "which no document declares; the owner of the system is paged"
    until = "" if one.until is None else f", until {one.local(one.until)}"
    return f"now {one.person}{until}"


def local_text(at: Micros, time_zone: str) -> str:
    """A time as the clocks of a zone show it, to the minute: ``Mon 2026-11-02 09:00 CET``."""
    return local_of(at, zone(time_zone)).strftime("%a %Y-%m-%d %H:%M %Z")


def _standing(estate: Estate, identity: str, at: Micros, contracts: tuple[str, ...]) -> OnCall:
    rota = estate.rotas.get(identity)
    if rota is None:
        problems = (*unread(estate, identity), NO_DOCUMENT)
        return OnCall(
            identity, None, None, None, at, None, None, (), None, None, None, None, None, contracts, problems
        )  # fmt: skip
    now, follows = _now_and_next(rota, at)
    person = estate.persons.get(now.person)
    return OnCall(
        rota=rota.id,
        title=rota.title,
        owner=rota.owner,
        time_zone=rota.time_zone,
        at=at,
        person=now.person,
        name=None if person is None else person.name,
        reached_by=() if person is None else tuple(scheme_of(url) or "a channel" for url in person.channels),
        since=_since(rota, at),
        until=_known(now.end),
        why=now.why,
        next_person=None if follows is None else follows.person,
        next_until=None if follows is None else _known(follows.end),
        contracts=contracts,
        problems=tuple(_problems(estate, rota, at)),
    )


def unread(estate: Estate, identity: str) -> list[str]:
    """What of a rota that was published cannot be used, and why."""
    return [why for why in estate.problems if identity in _UNREAD.findall(why)]


def _problems(estate: Estate, rota: Rota, at: Micros) -> Iterator[str]:
    yield from unread(estate, rota.id)
    for person, why in unreachable(estate, rota, at):
        yield f"{person} {why}"


def _now_and_next(rota: Rota, at: Micros) -> tuple[Shift, Shift | None]:
    """Who is on call, and who after them; of the first the beginning is not known."""
    coming = rota.shifts(at, _EVER)
    return next(coming), next(coming, None)


def _known(end: Micros) -> Micros | None:
    """The end of a turn; None where it has none."""
    return end if end < LAST else None


def _since(rota: Rota, at: Micros) -> Micros | None:
    """When the turn that holds at a time began; None where it was always so."""
    began = rota.shift_at(at).start
    return None if began == BEGINNING else began
