"""What benchmarks feed is what real producers may send: of events that are refused nothing would be measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from benchmarks import decode, verify, workload
from seamwatch.clock import SystemClock
from seamwatch.wire.codec import Codec
from sinks.decoding import decoding

NOW = time.time_ns() // 1_000
COUNT = 300


@pytest.mark.parametrize(
    "samples",
    [
        lambda: verify.decisions(COUNT, NOW - 3_600_000_000),
        lambda: (value for _, value in workload.inferences(COUNT)),
        lambda: iter(decode.events(COUNT, Codec())),
    ],
)
def test_events_are_taken_each_under_an_id_of_its_own(samples: Callable[[], Iterator[bytes]]) -> None:
    values = list(islice(samples(), COUNT))
    found = decoding(Codec(), SystemClock())("inference", values, [NOW // 1_000] * len(values))
    assert found.rejects == []
    assert found.frame["event_id"].n_unique() == COUNT
