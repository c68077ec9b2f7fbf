"""Traffic that serves unannounced, before its time, or before it was answered: on what terms, and in which words.

One part of the clause `change_notice`; which traffic is seen is `seamwatch.judging.patterns.unannounced`. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from seamwatch.clauses.change_notice.state import ChangeNoticeState
from seamwatch.judging.model.facts import UNANNOUNCED
from seamwatch.judging.model.judgement import Finding, Open, Resolve
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.serving import Announcement, Terms
from seamwatch.judging.patterns.unannounced import VALUES_KEPT, Seen, value_of
from seamwatch.judging.patterns.wording import digest_text, moment_text


@dataclass(frozen=True, slots=True)
class Serving:
    """What is agreed of traffic, and by it what is told; fields as in the clause."""

    severity: Literal["warning", "breach"]
    answered_before_effect: bool

    def terms(self, state: ChangeNoticeState) -> Callable[[str], Terms]:
        """On what terms each value may serve, by its key and by what is known now."""
        named: dict[tuple[str, str], list[Announcement]] = {}
        for announcement in state.values:
            named.setdefault((announcement.field, announcement.value), []).append(announcement)
        announced = dict(state.announced)

        def terms_of(key: str) -> Terms:
            field, value, declared = value_of(key)
            before = (announced[value],) if value in announced else ()
            return Terms(tuple(named.get((field, value), ())), before, answered, declared)

        def answered(announcement: Announcement) -> int | None:
            return self._answered(state, announcement)

        return terms_of

    def _answered(self, state: ChangeNoticeState, announcement: Announcement) -> int | None:
        """When all who must answer had accepted a change; None while somebody has not."""
        if not self.answered_before_effect or not announcement.name:
            return announcement.at
        accepted = [announcement.at]
        for clock in state.clocks:
            if clock.name == announcement.name:
                if clock.accepted is None:
                    return None
                accepted.append(clock.accepted)
        return max(accepted)

    def finding(self, seam: Seam, state: ChangeNoticeState, seen: Seen) -> Finding:
        """What is told of traffic that may not serve, or may again."""
        finding = self._unannounced(seam, state, seen)
        if isinstance(finding, Resolve) and seen.evicted:
            name = digest_text(finding.slice or "")
            text = f"{seam.system}: {name!r} is followed no longer, {VALUES_KEPT:,} others came after it"
            return replace(finding, summary=text)
        return finding

    def _unannounced(self, seam: Seam, state: ChangeNoticeState, seen: Seen) -> Finding:
        change, value = seen.change, value_of(seen.key)[1]
        key = str(change.run.first)
        if change.what == "off":
            return Resolve(self.severity, key, change.at, slice=value)
        first = change.run.evidence[0]
        why = self._why_not(state, seen)
        summary = f"{seam.system} serves {digest_text(value)!r} since {moment_text(first.event_time)}, {why}"
        return Open(
            self.severity, key, change.at, summary, slice=value, since=first.event_time, unit=UNANNOUNCED,
            evidence=change.run.evidence,
        )  # fmt: skip

    def _why_not(self, state: ChangeNoticeState, seen: Seen) -> str:
        """What is wrong with it, by what had been announced when its first event came."""
        first = seen.change.run.evidence[0].event_time
        said = [a for a in self.terms(state)(seen.key).announcements if a.at <= first]
        standing = [a for a in said if a.stands_at(first)]
        if standing:
            for_when = min(standing, key=lambda a: (a.effective_at, a.at, a.change_id))
            if for_when.effective_at > first:
                return f"announced for {moment_text(for_when.effective_at)} (change {for_when.change_id})"
            waits = [
                clock.person
                for clock in state.clocks
                if clock.name == for_when.name and (clock.accepted is None or clock.accepted > first)
            ]
            return f"before {' and '.join(waits) or 'everybody'} accepted change {for_when.change_id}"
        if said:
            return f"although change {said[-1].change_id}, which announced it, was withdrawn"
        return "a version or configuration that nobody announced"
