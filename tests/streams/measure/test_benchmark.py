"""The rates of docs/performance.md can still be taken: on few events, and with nothing said of how fast."""

from __future__ import annotations

from benchmarks.measure import PARTITIONS, measure_rate, prepared, raw_rate


def test_a_plain_consumer_and_the_stage_read_all_of_a_topic_to_its_end(kafka: str) -> None:
    with prepared(kafka, PARTITIONS * 1_000) as (settings, size):
        assert size > 100
        assert raw_rate(settings, PARTITIONS * 1_000) > 0
        assert measure_rate(settings, PARTITIONS * 1_000) > 0
