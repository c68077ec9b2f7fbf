"""Outages: times in which Seamwatch did not do its own work, and the words in which somebody is told of one.

Values and words only. What is seen of the stages is `streams.page.lookout`'s, what is wrong with that
`streams.page.watch`'s. All times are microseconds, by the machines' clocks and never by that of the events.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from seamwatch.durations import MINUTE, format_duration
from seamwatch.judging.patterns.wording import moment_text

Kind = Literal["unwatched", "stalled", "behind", "restarting", "unreachable"]

GRAVITY: Final[tuple[Kind, ...]] = ("restarting", "stalled", "behind", "unwatched", "unreachable")
"""The kinds of fault; one that stands later says all that those of the same stage before it say."""


RESTARTS: Final = 5
RESTARTS_WITHIN: Final = 10 * MINUTE
"""A process that starts again so often within this time starts over and over."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a stage, or a server, as it is now.

    ``waiting`` is how many records wait for it; what happened ``times`` times happened for the ``latest`` time then.
    """

    kind: Kind
    stage: str
    since: int
    waiting: int = 0
    oldest: int | None = None
    times: int = 0
    latest: int | None = None

    @property
    def key(self) -> tuple[Kind, str]:
        """What it is, whenever it began."""
        return (self.kind, self.stage)


@dataclass(frozen=True, slots=True)
class Outage:
    """One state of an outage, as it goes to its topic; fields as in `schemas/avro/outage.avsc`."""

    outage_id: str
    fault: str
    stage: str
    state: Literal["open", "over"]
    since: int
    until: int | None
    detected_at: int
    person: str | None
    summary: str


def begun(fault: Fault, now: int, person: str | None) -> Outage:
    """The outage that a fault is, as it is told first."""
    stamp = moment_text(fault.since).removesuffix(" UTC").replace(" ", "T")
    identity = f"outage/{fault.kind}/{fault.stage}/{stamp}Z"
    return Outage(identity, fault.kind, fault.stage, "open", fault.since, None, now, person, fault_text(fault, now))


def ended(outage: Outage, until: int, now: int) -> Outage:
    """The same outage, as it is told when it is over."""
    length = format_duration(max(0, until - outage.since))
    lasted = f"from {moment_text(outage.since)} to {moment_text(until)} ({length})"
    said = {
        "unwatched": f"Nothing was watched {lasted}; it is again. What waited is judged now, by its own times.",
        "stalled": f"The {outage.stage} stage stood still {lasted}; it goes on again.",
        "behind": f"The record was behind {lasted}; it has caught up.",
        "restarting": f"The {outage.stage} stage started over and over {lasted}; it stays up now.",
        "unreachable": f"The broker did not answer {lasted}; it does again.",
    }
    return replace(outage, state="over", until=until, detected_at=now, summary=said[outage.fault])


def fault_text(fault: Fault, now: int) -> str:
    """What is wrong, since when and what to look at, in a sentence or two."""
    since, lasts = moment_text(fault.since), format_duration(max(0, now - fault.since))
    waiting = f"{fault.waiting:,} record{'s' if fault.waiting != 1 else ''}"
    oldest = "" if fault.oldest is None else f", the oldest since {moment_text(fault.oldest)}"
    match fault.kind:
        case "unwatched":
            wait = f"; {waiting} wait{oldest}" if fault.waiting else ""
            return (
                f"Nothing has been watched since {since} ({lasts}): no measurement has come, so that no breach and no "
                f"silence is found{wait}. Is measure running?"
            )
        case "stalled":
            return (
                f"The {fault.stage} stage has stood still since {since} ({lasts}), with {waiting} waiting{oldest}. "
                f"End it, so that its supervisor starts it again; its log may say why."
            )
        case "behind":
            return (
                f"The record is behind: {waiting} wait{oldest} ({lasts}). Nothing is lost while the topics keep it. "
                "Does the recorder run, and does the store answer and have room?"
            )
        case "restarting":
            times = f"{fault.times} times since {since}"
            return f"The {fault.stage} stage starts over and over: {times}. Its log says why it ends."
        case "unreachable":
            return (
                f"The broker has not answered since {since} ({lasts}): nothing is watched, judged or recorded, and no "
                "breach is paged, until it does."
            )
