"""Standing: what all that was said of a violation comes to: its clocks, and what each word counts for.

One part of the clause `incident`, used as well by whoever lists what is owed. It depends on the words alone, and not on
the order in which they were heard. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from seamwatch.clauses.incident.state import Word
from seamwatch.judging.patterns.wording import moment_text


@dataclass(frozen=True, slots=True)
class Clock:
    """Until when a report is due: ``set_at`` is the word that says so, ``ended`` the one that stopped it.

    Times are micros; ``since`` is when one became aware or, of the complete report, when the initial one was sent.
    """

    key: str
    what: Literal["report", "complete report"]
    since: int
    set_at: int
    due: int
    ended: Word | None = None

    @property
    def over_at(self) -> int | None:
        """When it was stopped."""
        return None if self.ended is None else self.ended.at

    def missed(self, until: int) -> bool:
        """Whether it is or was overdue, by event time ``until``."""
        return self.due <= until if self.ended is None else self.ended.at > self.due


@dataclass(frozen=True, slots=True)
class Round:
    """One declaration with its revisions, until it is withdrawn or the complete report was sent.

    ``kind`` is that of the latest word; ``initial``, ``complete`` and ``withdrawn`` are the words that say so.
    """

    number: int
    declared: Word
    kind: str
    report: Clock
    completing: Clock | None = None
    initial: Word | None = None
    complete: Word | None = None
    withdrawn: Word | None = None

    @property
    def over(self) -> bool:
        """Whether nothing is owed any more."""
        return self.complete is not None or self.withdrawn is not None

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """Its clocks."""
        return (self.report,) if self.completing is None else (self.report, self.completing)


@dataclass(frozen=True, slots=True)
class Standing:
    """The rounds of one violation, and by event_id what each word came to, as a word and a sentence."""

    rounds: tuple[Round, ...] = ()
    came: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def last(self) -> Round | None:
        """The round that stands."""
        return self.rounds[-1] if self.rounds else None

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """All clocks."""
        return tuple(clock for one in self.rounds for clock in one.clocks)


def standing_of(words: Iterable[Word]) -> Standing:
    """What words come to, in the order of their event times."""
    rounds: list[Round] = []
    came: dict[str, tuple[str, str]] = {}
    for word in sorted(words, key=lambda one: (one.at, one.event_id)):
        last = rounds[-1] if rounds else None
        if word.says == "declared" and (last is None or last.over):
            rounds.append(_begun(word, len(rounds) + 1))
            came[word.event_id] = "counts", f"{word.person} declares it an incident ({word.kind}){_until(rounds[-1])}"
        elif last is None:
            came[word.event_id] = "unknown", "it is not declared an incident so far; this waits for 30 days"
        else:
            rounds[-1], came[word.event_id] = _after(last, word)
    return Standing(tuple(rounds), came)


def _begun(word: Word, number: int) -> Round:
    key = "report" if number == 1 else f"report/{number}"
    due = word.at if word.due is None else word.due
    return Round(number, word, word.kind, Clock(key, "report", word.since, word.at, due))


def _after(last: Round, word: Word) -> tuple[Round, tuple[str, str]]:
    """A round after a further word about it, and what that came to."""
    if last.complete is not None:
        return last, ("over", f"its complete report is on record since {moment_text(last.complete.at)}")
    if last.withdrawn is not None:
        by, at = last.withdrawn.person, moment_text(last.withdrawn.at)
        return last, ("over", f"{by} has withdrawn at {at} that it is an incident")
    if word.says == "declared":
        return _revised(last, word)
    if word.says == "withdrawn":
        after = replace(_stopped(last, word), withdrawn=word)
        return after, ("counts", f"{word.person} withdraws that it is an incident")
    if word.says == "initial" and last.initial is not None:
        return last, ("over", f"its initial report is on record since {moment_text(last.initial.at)}")
    after = _stopped(last, word)
    if word.says == "complete":
        return replace(after, complete=word), ("counts", f"{word.person} has sent its complete report")
    completing = None
    if word.due is not None:
        name = f"complete{'' if last.number == 1 else f'/{last.number}'}"
        completing = Clock(name, "complete report", word.at, word.at, word.due)
    after = replace(after, initial=word, completing=completing)
    return after, ("counts", f"{word.person} has sent its initial report")


def _revised(last: Round, word: Word) -> tuple[Round, tuple[str, str]]:
    """Another kind, or since when one is aware: the clock of what is not reported yet ends earlier, and never later."""
    after = replace(last, kind=word.kind)
    if last.initial is None and word.due is not None and word.due < last.report.due:
        clock = replace(last.report, since=word.since, set_at=word.at, due=word.due)
        after = replace(after, report=clock)
    said = f"{word.person} declares it an incident ({word.kind}){_until(after)}"
    return after, ("counts", said)


def _until(one: Round) -> str:
    return f"; to be reported by {moment_text(one.report.due)}" if one.initial is None else ""


def _stopped(last: Round, word: Word) -> Round:
    report = last.report if last.report.ended is not None else replace(last.report, ended=word)
    completing = last.completing
    if completing is not None and completing.ended is None:
        completing = replace(completing, ended=word)
    return replace(last, report=report, completing=completing)
