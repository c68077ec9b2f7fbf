"""Suspensions: who may say that something is suspended or resumed, and what is suspended when by what was said.

What is said is a claim; of a target (a system, one of its versions, one of its tools) the claims in the order of their
times say from when to when it is suspended, in whatever order they came. Verifies signatures; pure.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from seamwatch.durations import DAY, MINUTE, SECOND
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.wording import moment_text, quoted
from seamwatch.signatures import suspension_fault

MADE: Final = "suspended"
"""The type of an input by which the judge itself suspends, for a contract. No producer can send it."""

GRACE: Final = SECOND
"""So long after a person suspends, what is under way may still come: a guard hears of it within a second."""
GRACE_OF_CONTRACT: Final = MINUTE
"""The same after the breach for which a contract suspends: that is judged some seconds after it happened."""
AHEAD: Final = MINUTE
"""So far a claim may be dated ahead of its arrival; one from the future would outlast whoever resumes before then."""
LATE: Final = 5 * MINUTE
"""What arrives later after its time was put in later, as a history is: there event times alone tell what came first."""
MOST_CLAIMS: Final = 100
"""So many claims about one system are kept; the oldest that hold no longer go first."""
_LONGEST: Final = 500
"""So many characters of a reason, and of an address of evidence, are kept; the record has them whole."""


class Target(NamedTuple):
    """What of a system is suspended: one version, one tool, or with neither all that it does."""

    version: str | None
    tool: str | None

    def text(self, system: str) -> str:
        """In words."""
        if self.version is not None:
            return f"version {self.version} of {system}"
        return system if self.tool is None else f"tool {self.tool} of {system}"


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody with authority said of a target; ``person`` is None of a contract's own. Times in micros.

    ``arrived`` is when a person's word came, where that is known.
    """

    at: int
    suspension_id: str
    version: str | None
    tool: str | None
    state: Literal["suspended", "resumed"]
    person: str | None
    reason: str
    evidence_uri: str | None = None
    until: int | None = None
    contract: str | None = None
    violation_id: str | None = None
    arrived: int | None = None

    @property
    def put_in_later(self) -> bool:
        """Whether it came so long after its time that it belongs to a history."""
        return self.arrived is not None and self.arrived - self.at > LATE

    @property
    def effective(self) -> int:
        """From when on traffic is held to it: nobody can obey what has not arrived yet."""
        return self.at if self.arrived is None or self.put_in_later else max(self.at, self.arrived)

    @property
    def held_from(self) -> int:
        """The event time of the first traffic that is held against a suspension."""
        return self.effective + (GRACE if self.contract is None else GRACE_OF_CONTRACT)

    @property
    def target(self) -> Target:
        """What it is about."""
        return Target(self.version, self.tool)

    @property
    def place(self) -> tuple[int, str]:
        """Its place among others."""
        return self.at, self.suspension_id


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a target is suspended, and the claim that ended it if one did.

    ``by`` is the claim to which traffic is held first, ``latest`` the last; ``names`` are the ids of all of them.
    """

    by: Claim
    latest: Claim
    names: tuple[str, ...]
    ended: Claim | None = None

    @property
    def held_from(self) -> int:
        """The event time from which traffic is held against it."""
        return self.by.held_from

    @property
    def end(self) -> int | None:
        """When it ends; None while only a person could end it."""
        ended = None if self.ended is None else self.ended.effective
        return min((at for at in (self.latest.until, ended) if at is not None), default=None)


def claim_of(record: Mapping[str, Any], arrived: int | None) -> Claim:
    """The claim in a record of type ``suspension``, or in one that the judge made (which did not arrive)."""
    return Claim(
        int(record["event_time"]),
        record["event_id"],
        record.get("version"),
        record.get("tool"),
        record["state"],
        record["person"],
        record["reason"][:_LONGEST],
        None if record.get("evidence_uri") is None else record["evidence_uri"][:_LONGEST],
        record.get("until"),
        record.get("contract"),
        record.get("violation_id"),
        arrived,
    )


def why_void(seam: Seam, record: Mapping[str, Any], arrived: int | None) -> tuple[str, str] | None:
    """Why a record of type ``suspension`` counts for nothing, as a word and a sentence; None when it counts.

    It counts from who has the authority by the System document, signed where they have published keys.
    """
    person, at, until = record["person"], int(record["event_time"]), record.get("until")
    suspends = record["state"] == "suspended"
    may = seam.authority.suspend if suspends else seam.authority.resume
    verb = "suspend" if suspends else "resume"
    if record.get("contract") is not None:
        return "no_authority", "the judge alone suspends for a contract, and it does not ask for that by an event"
    if record.get("version") is not None and record.get("tool") is not None:
        return "no_target", "it names a version and a tool: one of them is suspended, or the whole system"
    if not may:
        return "no_authority", f"nobody may {verb} {seam.system}: no document declares it"
    if person not in may:
        return "no_authority", f"it is for {' or '.join(may)} to {verb} {seam.system}, not for {person}"
    if person not in seam.keys:
        return "no_authority", f"{person} is nobody that the documents know"
    if (fault := suspension_fault(record, seam.keys[person])) is not None:
        return fault
    if arrived is not None and at > arrived + AHEAD:
        return "too_early", f"it is dated {moment_text(at)}, which was still to come when it arrived"
    if until is not None and (not suspends or int(until) <= at):
        why = "it ends before it begins" if suspends else "a resumption has no end"
        return "no_target", why
    return None


def with_claim(claims: Sequence[Claim], claim: Claim) -> tuple[Claim, ...]:
    """The claims in order, with one more, or with another time of one that is known already."""
    kept = [other for other in claims if other.suspension_id != claim.suspension_id]
    insort(kept, claim, key=lambda each: each.place)
    if len(kept) > MOST_CLAIMS:
        standing = {latest.suspension_id for latest in _latest(kept).values()}
        gone = next((each for each in kept if each.suspension_id not in standing), kept[0])
        kept.remove(gone)
    return tuple(kept)


def pruned(claims: Sequence[Claim], watermark: int) -> tuple[Claim, ...]:
    """Without the claims of targets that have been resumed, or let run out, for a day."""
    gone = {
        target
        for target in targets(claims)
        if not any(span.end is None or span.end + DAY > watermark for span in spans(claims, target))
        and max(claim.at for claim in claims if claim.target == target) + DAY <= watermark
    }
    return tuple(claim for claim in claims if claim.target not in gone) if gone else tuple(claims)


def targets(claims: Sequence[Claim]) -> tuple[Target, ...]:
    """What the claims are about, each once."""
    return tuple(dict.fromkeys(claim.target for claim in claims))


def spans(claims: Sequence[Claim], target: Target) -> tuple[Span, ...]:
    """From when to when a target is suspended, in order."""
    return tuple(_spans(claims, target))


def _spans(claims: Sequence[Claim], target: Target) -> Iterator[Span]:
    span: Span | None = None
    for claim in claims:
        if claim.target != target:
            continue
        if span is not None and span.end is not None and span.end <= claim.at:
            yield span
            span = None
        if claim.state == "suspended":
            name = claim.suspension_id
            by = claim if span is None else min(span.by, claim, key=lambda each: (each.held_from, each.suspension_id))
            span = Span(by, claim, (name,) if span is None else (*span.names, name))
        elif span is not None:
            yield Span(span.by, span.latest, span.names, claim)
            span = None
    if span is not None:
        yield span


def effect_of(claims: Sequence[Claim], claim: Claim) -> tuple[str, str]:
    """What a valid claim came to among the others, itself among them, as a word and a sentence."""
    of_target = [other for other in claims if other.target == claim.target]
    later = [other for other in of_target if other.place > claim.place]
    if later:
        newest = later[-1]
        who = newest.person or newest.contract
        return "superseded", f"{who} said at {moment_text(newest.at)}, which is later, that it is {newest.state}"
    who = claim.person or claim.contract
    what = claim.tool or claim.version
    named = "it" if what is None else f"{'tool' if claim.tool is not None else 'version'} {what}"
    if claim.state == "suspended":
        until = "until it is resumed" if claim.until is None else f"until {moment_text(claim.until)}"
        return "counts", f"{who} suspends {named} {until}: {quoted(claim.reason)}"
    before = [other for other in of_target if other.place < claim.place]
    running = next(reversed(spans(before, claim.target)), None)
    if running is None or (running.end is not None and running.end <= claim.at):
        return "not_suspended", f"{named} is not suspended, so there is nothing to resume"
    return "counts", f"{who} resumes {named}: {quoted(claim.reason)}"


def standing(claims: Sequence[Claim], target: Target) -> Span | None:
    """The last time that a target was suspended; None where it never was."""
    return next(reversed(spans(claims, target)), None)


def _latest(claims: Sequence[Claim]) -> dict[Target, Claim]:
    return {claim.target: claim for claim in claims}
