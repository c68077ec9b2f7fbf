"""Which version an outcome counts for, and until when the outcomes of a version are judged.

One part of the clause `calibration`. Pure: what is declared and what was counted in, names and times (micros) out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal
from urllib.parse import unquote

from seamwatch.clauses.calibration.state import EVER, Tally
from seamwatch.durations import DAY, format_duration
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Finding, Moment, Resolve
from seamwatch.judging.model.seam import Seam

OVERALL: Final = "overall"
"""The measure of all outcomes together."""
FORGOTTEN_AFTER: Final = 7 * DAY
_MOST_VERSIONS = 16


def cohort_and_version(fact: Fact) -> tuple[str, str]:
    """What a fact is of: the cohort ("" for all together, or none), and the version that decided ("" where unknown)."""
    if fact.measure == OVERALL:
        return "", unquote(fact.slice or "")
    # The version is quoted, so that the last stroke is the one between the two.
    cohort, _, version = (fact.slice or "").rpartition("/")
    return cohort, unquote(version)


def approved_at(seam: Seam, version: str) -> int | None:
    """When a version was first approved, as far back as can be for one without a date; None for never."""
    approvals = [a for declared in seam.versions if declared.version == version for a in declared.approvals]
    return min((-EVER if a.approved_at is None else a.approved_at for a in approvals), default=None)


def counts_for(seam: Seam, decided_by: str, at: int) -> str:
    """The version that an outcome at ``at`` counts for: that which decided, if it was approved, else the newest."""
    approved = [(approved_at(seam, v.version), n, v.version) for n, v in enumerate(seam.versions)]
    in_force = [(since, number, version) for since, number, version in approved if since is not None and since <= at]
    if any(version == decided_by for _, _, version in in_force):
        return decided_by
    return max(in_force)[2] if in_force else ""


def forgotten_at(seam: Seam, tally: Tally) -> int | None:
    """When a version that another one was approved after is judged no longer; None for not yet."""
    own = approved_at(seam, tally.version)
    approvals = [approved_at(seam, v.version) for v in seam.versions if v.version != tally.version]
    later = [since for since in approvals if since is not None and (own is None or since > own)]
    return max(tally.last + FORGOTTEN_AFTER, min(later)) if later and tally.last > -EVER else None


def remembered(
    seam: Seam,
    tallies: Sequence[Tally],
    moment: Moment,
    severity: Literal["warning", "breach"],
    findings: list[Finding],
) -> Iterator[Tally]:
    """What is still judged; what was open of the others is over, and says so.

    Versions that others followed are forgotten in time; the oldest at once when there are too many.
    """
    for number, tally in enumerate(tallies):
        end = forgotten_at(seam, tally)
        over = end is not None and moment.watermark >= end and not tally.windows.filling
        if moment.watermark == EVER or not (over or number < len(tallies) - _MOST_VERSIONS):
            yield tally
            continue
        for opened, key in ((tally.opened, tally.key), (tally.newest.opened, tally.key_of_newest)):
            if opened is None:
                continue
            at = end if end is not None and over else tally.last
            summary = _no_longer_judged(seam, tally, over=over)
            findings.append(Resolve(severity, key, at, slice=moment.slice, summary=summary))


def _no_longer_judged(seam: Seam, tally: Tally, *, over: bool) -> str:
    of = f"of version {tally.version}" if tally.version else "of a version that is not known"
    if not over:
        return f"{seam.system}: outcomes {of} are no longer judged: those of {_MOST_VERSIONS} others came after"
    own = approved_at(seam, tally.version)
    later = {v.version: approved_at(seam, v.version) for v in seam.versions if v.version != tally.version}
    since = {name: at for name, at in later.items() if at is not None and (own is None or at > own)}
    first = min(since, key=lambda name: (since[name], name))
    return (
        f"{seam.system}: outcomes {of} are no longer judged: none has come for {format_duration(FORGOTTEN_AFTER)} or "
        f"more, and version {first} has been approved since"
    )
