"""The aftermath of a page: what those who were paged are still to be told, as the violation goes on and ends.

Whoever was told hears that the next person must act, that somebody does, and that it is over; the last person of a list
is told again until somebody has taken it on. Pure: it is handed violations as the desk accepts them, tellings, and the
time; it sends and reads nothing. It remembers what is open, and what is over until those who were told have heard it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from seamwatch.durations import DAY, MINUTE
from seamwatch.incidents import ACKNOWLEDGED, AGAIN, ESCALATED, RESOLVED, TRIGGER, News
from seamwatch.judging.model.facts import Violation
from seamwatch.paging import NOTICE
from streams.page.tellings import Telling

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
GIVE_UP_SECONDS = 86_400.0
"""For so long a channel is tried that does not take how something went on."""
RECENT = 7 * DAY
"""What was over longer ago when a pager starts, nobody is told any more."""
IN_HAND_SECONDS = 600.0
"""So long a page may be under way."""
EARLY_LIMIT = 10_000
_CLOCKS_APART = 10 * MINUTE

Place = tuple[str, int]
Way = tuple[str, str]
"""A person and the label of the channel that they were told by."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What one person is to be told by one channel; ``reference`` is the channel's name for what it told before."""

    violation: Violation
    person: str
    channel: str
    news: News
    reference: str | None

    @property
    def step(self) -> int:
        """The step that it is told of."""
        return self.violation.step

    @property
    def way(self) -> tuple[str, str, str, News]:
        """What is in hand while it is told."""
        return (self.violation.violation_id, self.person, self.channel, self.news)


@dataclass(frozen=True, slots=True)
class Acting:
    """Who was the first who had to act, where that is known, and since when who must now has to (micros)."""

    first: str | None
    since: int


@dataclass(slots=True)
class _Case:
    violation: Violation
    place: Place | None
    offset: int
    since: int
    acting_since: int
    first: str | None = None
    told: dict[Way, Telling] = field(default_factory=dict)
    said: dict[tuple[Way, str, int], int] = field(default_factory=dict)
    records: dict[bytes, tuple[str, int, int]] = field(default_factory=dict)
    over_since: float | None = None
    failed: dict[tuple[Way, str], tuple[int, float, float]] = field(default_factory=dict)
    """How often each failed, since when, and until when it is left alone (steady seconds)."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What the aftermath asks whoever asks it: of whose partitions, who wants to hear what, who is last, how often.

    ``again_every`` is in microseconds; None: nobody is told again.
    """

    mine: Callable[[str, int], bool]
    wants: Callable[[str, str, News], bool]
    is_last: Callable[[Violation], bool]
    again_every: int | None


class Aftermath:
    """What is still to be told of what somebody was paged about."""

    def __init__(self) -> None:
        self._cases: dict[str, _Case] = {}
        self._early: dict[str, list[Telling]] = {}
        self._in_hand: set[tuple[str, str, str, News]] = set()
        self._live = False

    def go_live(self) -> None:
        """All that was ever said has been received: of what is over, only what somebody was told of matters."""
        self._live = True
        for identity in [identity for identity, case in self._cases.items() if _is_over(case) and not case.told]:
            del self._cases[identity]

    def receive(self, violation: Violation, topic: str, partition: int, offset: int, *, said_at: int, now: int) -> None:
        """Take note of a state that the desk had not received before; ``said_at`` and ``now`` are of one clock."""
        if violation.severity == NOTICE:
            return
        case = self._cases.get(violation.violation_id)
        if case is None:
            is_over = violation.state == "resolved"
            if is_over and (self._live or now - said_at > RECENT):
                return
            since = violation.detected_at - _CLOCKS_APART
            case = _Case(violation, (topic, partition), offset, since, said_at, _first(violation))
            self._cases[violation.violation_id] = case
            for telling in self._early.pop(violation.violation_id, ()):
                _take(case, telling)
            return
        if violation.detected_at != case.violation.detected_at:
            case.told, case.said, case.failed, case.records = {}, {}, {}, {}
            case.since, case.over_since = violation.detected_at, None
            case.acting_since, case.first = said_at, _first(violation)
        elif case.violation.step != violation.step:
            case.acting_since = said_at
        case.violation, case.place, case.offset = violation, (topic, partition), offset

    def receive_telling(self, telling: Telling, of: Violation | None = None) -> None:
        """Take note of what came of telling somebody; ``of``: the violation, by who has told it just now."""
        if not telling.delivered:
            return
        case = self._cases.get(telling.violation_id)
        if case is None and of is not None and of.state == "resolved" and telling.news == TRIGGER:
            # Over before anybody was told, and told nonetheless: whoever has been told hears that it is over.
            case = self._cases[telling.violation_id] = _Case(
                of, None, -1, of.detected_at - _CLOCKS_APART, of.detected_at
            )
        if case is not None:
            _take(case, telling)
        elif self._live and telling.news == TRIGGER:
            # Another pager may have received, and told, before we have.
            self._early.setdefault(telling.violation_id, []).append(telling)
            if len(self._early) > EARLY_LIMIT:
                del self._early[next(iter(self._early))]

    def due(self, now: int, steady: float, asking: Asking) -> list[FollowUp]:
        """What is to be told now; ``now`` in microseconds of the stages' clock, ``steady`` in seconds of any."""
        found: list[FollowUp] = []
        for identity, case in list(self._cases.items()):
            if case.place is not None and not asking.mine(*case.place):
                continue
            left = list(self._wanted(case, now, asking))
            for follow_up in left:
                _, since, until = case.failed.get(_failing(follow_up), (0, steady, steady))
                if steady - since > GIVE_UP_SECONDS:
                    _remember_said(case, follow_up, now)
                elif steady >= until and follow_up.way not in self._in_hand:
                    found.append(follow_up)
            if not left and _is_over(case) and self._live:
                case.over_since = steady if case.over_since is None else case.over_since
                # Who is just being told of it is to hear that it is over.
                if case.told or steady - case.over_since > IN_HAND_SECONDS:
                    del self._cases[identity]
        return found

    def take(self, follow_ups: list[FollowUp]) -> list[FollowUp]:
        """Take them in hand, so that they are not due again until they are put back."""
        self._in_hand.update(each.way for each in follow_ups)
        return follow_ups

    def put_back(self, follow_up: FollowUp, *, delivered: bool, at: int, steady: float) -> None:
        """Say what came of one; what failed is due again after a pause that doubles up to 5 min."""
        self._in_hand.discard(follow_up.way)
        case = self._cases.get(follow_up.violation.violation_id)
        if case is None:
            return
        if delivered:
            _remember_said(case, follow_up, at)
            case.failed.pop(_failing(follow_up), None)
            return
        count, since, _ = case.failed.get(_failing(follow_up), (0, steady, steady))
        pause = min(FIRST_PAUSE_SECONDS * 2 ** min(count, 10), LONGEST_PAUSE_SECONDS)
        case.failed[_failing(follow_up)] = (count + 1, since, steady + pause)

    def acting(self, violation: Violation) -> Acting:
        """Who had to act first on a violation, and since when who must has to."""
        case = self._cases.get(violation.violation_id)
        if case is None:
            return Acting(_first(violation), violation.detected_at)
        told = next((person for (person, _), telling in case.told.items() if telling.step == 0), None)
        return Acting(case.first or told, case.acting_since)

    def open_by(self, mine: Callable[[str, int], bool]) -> dict[Way, list[Violation]]:
        """What is not over, by each way on which somebody was told of it."""
        found: dict[Way, list[Violation]] = {}
        for case in self._cases.values():
            if not _is_over(case) and case.place is not None and mine(*case.place):
                for way in case.told:
                    found.setdefault(way, []).append(case.violation)
        return found

    def needed(self) -> Iterator[tuple[str, int, int]]:
        """The topic, partition and offset of each record by which another pager would know what this one does."""
        for case in self._cases.values():
            if case.place is not None:
                yield (*case.place, case.offset)
            yield from case.records.values()

    @property
    def remembered(self) -> int:
        """Of how many violations anything is remembered."""
        return len(self._cases) + len(self._early)

    def _wanted(self, case: _Case, now: int, asking: Asking) -> Iterator[FollowUp]:
        violation = case.violation
        news = _news(violation)
        for (person, channel), telling in case.told.items():
            follows = news == ESCALATED and telling.step < violation.step and person != violation.person
            if (
                (follows or news in (ACKNOWLEDGED, RESOLVED))
                and not _was_said(case, (person, channel), news, violation.step, telling)
                and asking.wants(person, channel, news)
            ):
                yield FollowUp(violation, person, channel, news, telling.reference)
        if self._again_at(case, asking) <= now:
            for (person, channel), telling in case.told.items():
                if person == violation.person and asking.wants(person, channel, AGAIN):
                    yield FollowUp(violation, person, channel, AGAIN, telling.reference)

    def _again_at(self, case: _Case, asking: Asking) -> float:
        """When the person who must act is to be told again; never where somebody is after them, or has taken it."""
        violation = case.violation
        every = asking.again_every
        if every is None or violation.severity != "breach" or violation.state not in ("open", "escalated"):
            return float("inf")
        times = [telling.sent_at for (person, _), telling in case.told.items() if person == violation.person]
        if not times or not asking.is_last(violation):
            return float("inf")
        times += [
            at for ((person, _), news, step), at in case.said.items()
            if news == AGAIN and step == violation.step and person == violation.person
        ]  # fmt: skip
        return max(times) + every


def _first(violation: Violation) -> str | None:
    return violation.person if violation.step == 0 else None


def _news(violation: Violation) -> News:
    if violation.state == "resolved":
        return RESOLVED
    if violation.state == "acknowledged":
        return ACKNOWLEDGED
    return ESCALATED if violation.step else TRIGGER


def _take(case: _Case, telling: Telling) -> None:
    if telling.sent_at < case.since:
        return
    if telling.at is not None:
        case.records[telling.key] = telling.at
    way = (telling.person, telling.channel)
    if telling.news == TRIGGER:
        known = case.told.get(way)
        if known is None or telling.sent_at >= known.sent_at:
            # The message that was told first is the one that is kept up to date.
            reference = telling.reference if known is None or known.reference is None else known.reference
            case.told[way] = Telling(
                telling.violation_id, telling.step if known is None else min(known.step, telling.step), telling.person,
                telling.channel, telling.sent_at, telling.result, TRIGGER, reference,
            )  # fmt: skip
        return
    key = (way, telling.news, telling.step)
    case.said[key] = max(telling.sent_at, case.said.get(key, telling.sent_at))


def _was_said(case: _Case, way: Way, news: News, step: int, telling: Telling) -> bool:
    # What was said before they were told is of another episode of the same id.
    at = case.said.get((way, news, step))
    return at is not None and at >= telling.sent_at


def _remember_said(case: _Case, follow_up: FollowUp, at: int) -> None:
    case.said[(follow_up.person, follow_up.channel), follow_up.news, follow_up.step] = at


def _failing(follow_up: FollowUp) -> tuple[Way, str]:
    return ((follow_up.person, follow_up.channel), follow_up.news)


def _is_over(case: _Case) -> bool:
    return case.violation.state == "resolved"
