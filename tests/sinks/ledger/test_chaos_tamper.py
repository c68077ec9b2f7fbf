"""A few of the tries of `make chaos-tamper`: each found and named, nothing else accused."""

from __future__ import annotations

from benchmarks.chaos_tamper import chaos, wrong


def test_tampering_at_random_places_is_found_and_named_and_the_rest_is_not_accused(
    clickhouse: str, auditor_url: str
) -> None:
    with chaos(clickhouse, auditor_url, seed=7, partitions=12) as made:
        for done, found in made.rounds(1):
            assert set(found) <= set(done)
            faults = {place: wrong(each, found.get(place, [])) for place, each in done.items()}
            assert {place: fault for place, fault in faults.items() if fault is not None} == {}
            assert len({each.way for each in done.values()}) > 4
