"""The usual drift rules, on the same streams: ADWIN on every score, Kolmogorov-Smirnov and PSI once an hour.

Each is set as people run it: river's ADWIN as it comes (delta 0.002), the two-sample test at p < 0.05, a population
stability index above 0.2 over the reference's deciles.
"""

from __future__ import annotations

import numpy as np
from river.drift import ADWIN
from scipy.special import kolmogorov

from benchmarks.drift_streams import FINE, Counts

NAMES = ("ADWIN", "KS hourly", "PSI hourly")
_CENTRES = (np.arange(FINE) + 0.5) / FINE


class Adwin:
    """River's ADWIN, fed every score in the order of a shuffle within its minute."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._detector, self._rng = ADWIN(), rng  # type: ignore[no-untyped-call]

    def feed(self, minute: Counts) -> int:
        """How many alarms the scores of one or more minutes, of fine counts (…, FINE), raise."""
        alarms = 0
        for counts in minute.reshape(-1, FINE):
            scores = np.repeat(_CENTRES, counts)
            self._rng.shuffle(scores)
            for score in scores.tolist():
                self._detector.update(score)  # type: ignore[no-untyped-call]
                alarms += self._detector.drift_detected
        return alarms


class Hourly:
    """Both hourly rules against one reference of fine counts."""

    def __init__(self, reference: Counts) -> None:
        self._size = float(reference.sum())
        self._pass_rates = np.cumsum(reference) / self._size
        # Deciles as fine bins allow them; equal neighbours fall together.
        cuts = np.unique(np.searchsorted(self._pass_rates, np.arange(1, 10) / 10) + 1)
        self._starts = np.concatenate([[0], cuts[cuts < FINE]])
        self._expected = self._by_decile(reference[None])[0]

    def alarms(self, hours: Counts) -> tuple[np.ndarray, np.ndarray]:
        """Whether KS and PSI alarm, for each hour of fine counts of shape (hours, FINE)."""
        sizes = hours.sum(axis=1)
        apart = np.abs(np.cumsum(hours, axis=1) / sizes[:, None] - self._pass_rates).max(axis=1)
        p = kolmogorov(np.sqrt(sizes * self._size / (sizes + self._size)) * apart)
        shares = self._by_decile(hours)
        index = ((shares - self._expected) * np.log(shares / self._expected)).sum(axis=1)
        return p < 0.05, index > 0.2

    def _by_decile(self, counts: Counts) -> np.ndarray:
        summed = np.add.reduceat(counts, self._starts, axis=1)
        shares: np.ndarray = np.maximum(summed / counts.sum(axis=1, keepdims=True), 1e-4)
        return shares
