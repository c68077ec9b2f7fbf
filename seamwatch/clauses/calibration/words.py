"""The sentences of the clause `calibration`: how far scores are off, over which outcomes, and where it is worst."""

from __future__ import annotations

from typing import NamedTuple

from seamwatch.clauses.calibration.state import EVER, Tally
from seamwatch.clauses.calibration.versions import approved_at
from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.newest import Some
from seamwatch.judging.patterns.wording import left_out_text, moment_text, number_text, share_text
from seamwatch.statistics.reliability import Reliability


class Words(NamedTuple):
    """What the sentences say of what is agreed; ``left_out`` is why outcomes are left out, in words, in order."""

    max_error: float
    range: tuple[float, float]
    bins: int
    left_out: tuple[str, ...]

    def over_all(self, seam: Seam, tally: Tally, cohort: str | None) -> str:
        """The error over all outcomes of a version."""
        approved = approved_at(seam, tally.version)
        since = f"since {moment_text(tally.first or 0)}"
        if tally.version and approved is not None and approved > -EVER:
            since = f"since version {tally.version} was approved at {moment_text(approved)}"
        elif tally.version:
            since = f"of version {tally.version}"
        beside = left_out_text(tally.left_out, self.left_out)
        over = f"{tally.reliability.size:,} outcomes{beside} {since}"
        return self._off(seam, tally.reliability, cohort, over)

    def over_newest(self, seam: Seam, tally: Tally, these: Some, cohort: str | None) -> str:
        """The error over the newest of them, beside that over all."""
        beside = left_out_text((these.odd,), self.left_out[:1])
        over = f"the newest {these.reliability.size:,} outcomes{beside} since {moment_text(these.first or 0)}"
        all_of_it = f"{share_text(tally.reliability.error())} over all {tally.reliability.size:,}"
        if tally.version:
            all_of_it += f" of version {tally.version}"
        return f"{self._off(seam, these.reliability, cohort, over)}; {all_of_it}"

    def _off(self, seam: Seam, reliability: Reliability, cohort: str | None, over: str) -> str:
        worst = reliability.worst()
        score, share = reliability.of_bin(worst)
        low, high = reliability.interval()
        width = (self.range[1] - self.range[0]) / self.bins
        start, end = self.range[0] + worst * width, self.range[0] + (worst + 1) * width
        said = self.range[0] + score * (self.range[1] - self.range[0])
        who = f"{seam.system} (cohort {cohort})" if cohort else seam.system
        error, agreed = (share_text(share, self.max_error) for share in (reliability.error(), self.max_error))
        return (
            f"{who}: scores are off by {error} (95 % sure: {share_text(low)} to "
            f"{share_text(high)}; chance alone would show {share_text(reliability.chance())}) over {over}; agreed at "
            f"most {agreed}; worst "
            f"between {number_text(start)} and {number_text(end)}: said {said:.2f}, happened {share:.2f}, "
            f"{reliability.counts[worst]:,} outcomes"
        )
