"""Runs of the drift benchmark: stable lifetimes, shifts, and bursts of retries, judged by the clause's own code."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.drift_rivals import NAMES, Adwin, Hourly
from benchmarks.drift_streams import BINS, DAY, FINE, Counts, Shape, absent, coarse, normal, sample
from seamwatch.clauses.distribution import Distribution, DistributionState
from seamwatch.durations import MINUTE
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.judgement import Moment, Open
from seamwatch.judging.model.seam import Seam
from seamwatch.statistics import ecusum
from seamwatch.statistics.bands import bands_of, phase_of
from seamwatch.statistics.histograms import HOURS, Reference, Slice

ALPHA, FLOOR, DAYS = 0.01, 0.02, 30
_SETS = ecusum.sets_of(BINS) + ecusum.sets_of(2)
_SEAM = Seam("c", "1", "d", "scorer")


@dataclass
class Lifetimes:
    """Stable lifetimes: in how many of ours the alarm was raised; alarms of rivals and in how many lifetimes."""

    runs: int
    alarmed: int = 0
    rivals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    read: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))


def stable_lifetimes(
    rng: np.random.Generator,
    runs: int,
    a_window: int,
    reference: int,
    shape: Shape,
    *,
    adwin: int,
    traffic: Counts | None = None,
    missing: float = 0.0,
    bursts: bool = False,
) -> Lifetimes:
    """So many lifetimes of 30 days, each with a reference of its own, in which nothing shifts.

    ``adwin`` of them are read by ADWIN too; ``traffic`` gives scores a minute, and repeats when it is over; ``missing``
    is the share of decisions without a score, as in `absent`.
    """
    samples = [sample(rng, reference, a_window, shape, missing, bursts=bursts) for _ in range(runs)]
    by_hour = _by_hour([known for known, _ in samples])
    absences = _by_hour([known.absence for known, _ in samples if known.absence is not None])
    hourly, read = [Hourly(fine) for _, fine in samples], [Adwin(rng) for _ in range(adwin)]
    by_minute = np.broadcast_to(shape, (DAY, FINE))
    lifetime = DAYS * DAY
    bank = ecusum.Bank.fresh(_SETS, lifetime, (runs,))
    ever = np.zeros(runs, np.bool_)
    done = Lifetimes(runs, read={"ADWIN": adwin, "KS hourly": runs, "PSI hourly": runs})
    for start in range(0, lifetime, DAY // 4):
        minutes = np.arange(start, start + DAY // 4)
        scores = np.full(len(minutes), a_window) if traffic is None else traffic[minutes % len(traffic)]
        fine: Counts = rng.multinomial(scores[:, None], by_minute[minutes % DAY][:, None, :], (len(minutes), runs))
        folded = coarse(fine).astype(np.float64)
        present = folded.sum(axis=-1).astype(np.int64)
        both = np.stack([present, absent(rng, present, missing, bursts=bursts)], axis=-1).astype(np.float64)
        for at, minute in enumerate(minutes.tolist()):
            hour = minute % DAY // 60
            gain = [ecusum.gains(by_hour[hour], folded[at]), ecusum.gains(absences[hour], both[at])]
            bank = ecusum.grown(bank, np.concatenate(gain, axis=-2), minute, alpha=ALPHA, lifetime=lifetime)
            ever |= ecusum.alarmed(bank, ALPHA)
        for run, rule in enumerate(hourly):
            ks, psi = rule.alarms(fine[:, run].reshape(-1, 60, FINE).sum(axis=1))
            done.rivals["KS hourly"] += int(ks.sum())
            done.rivals["PSI hourly"] += int(psi.sum())
        for run, detector in enumerate(read):
            done.rivals["ADWIN"] += detector.feed(fine[:, run])
    done.alarmed = int(ever.sum())
    return done


def _by_hour(references: list[Reference]) -> list[ecusum.Band]:
    bands = [bands_of(known, floor=FLOOR, alpha=ALPHA, daily_cycle=True, sets=_SETS) for known in references]
    return [ecusum.Band.side_by_side([phase_of(each, hour) for each in bands]) for hour in range(HOURS)]


def vanished(seed: int, runs: int, a_window: int, reference: int, before: float, after: float) -> np.ndarray:
    """Delays in minutes, so many of them, until it is found that another share of the scores is missing."""
    delays = []
    for run in range(runs):
        rng = np.random.default_rng([seed, 4, run])
        known, _ = sample(rng, reference, a_window, normal(), before)
        change = 60 + int(rng.integers(60))
        shares = np.repeat([before, after], [change, DAY])
        present = rng.binomial(a_window, 1 - shares)
        stream: Counts = rng.multinomial(present, normal())
        opened = next(_opened(known, stream, change, a_window - present), None)
        delays.append(np.inf if opened is None else opened.opened_at // MINUTE - change)
    return np.array(delays)


@dataclass(frozen=True)
class Found:
    """Delays in minutes by detector (infinite where it was not found), and how far ours dated it wrongly."""

    by_name: dict[str, np.ndarray]
    since_error: np.ndarray
    horizon: int


@dataclass(frozen=True)
class Shifted:
    """Runs in which scores of one shape become those of another, an hour or two after the reference.

    Shapes are one, one for each minute of the day, or (after the change only) one for each minute since. Without
    ``rivals`` only ours is run.
    """

    seed: int
    a_window: int
    reference: int
    before: Shape
    after: Shape
    horizon: int = DAY
    rivals: bool = True

    def run(self, runs: int) -> Found:
        """So many of them. An alarm before the change counts for nobody: what counts is the first after it."""
        delays: dict[str, list[float]] = {name: [] for name in ("Seamwatch", *NAMES)}
        errors: list[float] = []
        for run in range(runs):
            rng = np.random.default_rng([self.seed, 2, run])
            known, fine = sample(rng, self.reference, self.a_window, self.before)
            change = 60 + int(rng.integers(DAY if self.before.ndim > 1 else 60))
            stream = self._stream(rng, change)
            opened = next(_opened(known, stream, change), None)
            delays["Seamwatch"].append(np.inf if opened is None else opened.opened_at // MINUTE - change)
            if opened is not None and opened.since is not None:
                errors.append(opened.since // MINUTE - change)
            others = self._rivals(rng, fine, stream, change) if self.rivals else (np.inf,) * len(NAMES)
            for name, delay in zip(NAMES, others, strict=True):
                delays[name].append(delay)
        return Found({name: np.array(values) for name, values in delays.items()}, np.array(errors), self.horizon)

    def _stream(self, rng: np.random.Generator, change: int) -> Counts:
        minutes = np.arange(change + self.horizon)
        before = np.broadcast_to(self.before, (DAY, FINE))[minutes[:change] % DAY]
        if len(self.after) == self.horizon and self.after.ndim > 1 and self.before.ndim == 1:
            after = self.after
        else:
            after = np.broadcast_to(self.after, (DAY, FINE))[minutes[change:] % DAY]
        counts: Counts = rng.multinomial(self.a_window, np.concatenate([before, after]))
        return counts

    def _rivals(self, rng: np.random.Generator, known: Counts, stream: Counts, change: int) -> tuple[float, ...]:
        adwin, rule = Adwin(rng), Hourly(known)
        # ADWIN has no reference: it comes in with the last hundred minutes of it, and what is stable.
        adwin.feed(rng.multinomial(self.a_window, known / known.sum(), min(1_000, known.sum() // self.a_window)))
        adwin.feed(stream[:change])
        read = next((float(at + 1) for at, minute in enumerate(stream[change:]) if adwin.feed(minute)), np.inf)
        whole = len(stream) // 60 * 60
        alarms = rule.alarms(stream[:whole].reshape(-1, 60, FINE).sum(axis=1))
        ends = np.arange(60, whole + 1, 60) - change
        late = [ends[alarm & (ends > 0)] for alarm in alarms]
        return read, *(float(found[0]) if len(found) else np.inf for found in late)


def _opened(reference: Reference, stream: Counts, change: int, missing: Counts | None = None) -> Iterator[Open]:
    """What the clause's judge opens after the change; one that it opened before is over with the next window.

    ``missing``: decisions without a score in each minute, beside those of the stream.
    """
    clause = Distribution.model_validate(
        {"id": "shape", "kind": "distribution", "reference": {"histograms": _file(reference)}}
    )
    state: DistributionState | None = None
    for minute, counts in enumerate(coarse(stream).tolist()):
        start = minute * MINUTE
        count = sum(counts) + (0 if missing is None else int(missing[minute]))
        fact = Fact("c", "1", "d", "shape", "scorer", None, start, MINUTE, count, 0, start, start + 1,
                    histogram=tuple(counts))  # fmt: skip
        judged = clause.judge(_SEAM, state, fact, Moment(start + MINUTE, start + MINUTE))
        state = judged.state
        for found in judged.findings:
            if isinstance(found, Open):
                if minute >= change:
                    yield found
                state = None


def _file(reference: Reference) -> dict[str, Any]:
    slices = [Slice.of(None, reference).model_dump(mode="json")]
    return {"kind": "Reference", "system": "scorer", "slices": slices}


_DOCUMENTS = """
kind: Person
id: owner@example.org
name: Example Owner
---
kind: Contract
id: scores
version: "1"
seam: model-to-product
covers: [scorer]
parties: {provider: {signatory: owner@example.org}, consumer: {signatory: owner@example.org}}
clauses:
- {id: shape, kind: distribution, reference: {period: {from: 1970-01-02, to: 1970-01-03}}, distinct: DISTINCT}
"""


def retried_bursts(seed: int, *, distinct: bool) -> bool:
    """Whether three days at 20 scores a minute raise an alarm: one of reference, two with bursts of retries.

    Four times an hour one request is sent up to 400 times within ten minutes, each time with the same score.
    """
    from seamwatch.documents import Estate
    from streams.replay.replay import replay

    rng = np.random.default_rng([seed, 3])
    scores, minutes = rng.normal(0.5, 0.15, (4 * DAY, 20)).clip(0, 1), np.arange(DAY, 4 * DAY)
    values = {int(minute): scores[minute].tolist() for minute in minutes}
    for start in rng.choice(np.arange(2 * DAY, 4 * DAY - 10), 2 * 24 * 4, replace=False).tolist():
        score, times = scores[start, 0], int(rng.integers(100, 400))
        for minute in start + np.arange(10):
            values[int(minute)] += [float(score)] * (times // 10)
    records = [
        ("inference", _record(minute, number, score))
        for minute, many in values.items()
        for number, score in enumerate(many)
    ]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "scores.yaml").write_text(_DOCUMENTS.replace("DISTINCT", str(distinct).lower()))
        estate = Estate.load(Path(folder))
    return bool(replay(estate, records))


def _record(minute: int, number: int, score: float) -> dict[str, Any]:
    return {
        "event_id": f"{minute:08x}-0000-7000-8000-{number:012x}", "event_time": minute * MINUTE + number * 1_000,
        "producer": "scoring", "environment": "production",
        "trace_id": None, "parent_id": None, "attributes": [], "system": "scorer",
        "version": "1", "config_digest": None, "use_case": "credit", "subject": "s", "score": score,
        "confidence": None, "decision": None, "latency_ms": None, "fallback": False, "abuse": False,
        "human_review": False, "data_as_of": None, "cohort": None, "approval_id": None, "input_digest": None,
    }  # fmt: skip
