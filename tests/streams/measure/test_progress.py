"""Watermarks: nothing is said of time until something is known of every partition."""

from __future__ import annotations

from streams.measure.progress import Progress

DECISIONS, REFRESHES = ("seamwatch.inference", 0), ("seamwatch.dataset_refresh", 0)


def test_no_watermark_while_a_partition_with_a_backlog_has_not_been_read() -> None:
    progress = Progress(max_age=10)
    progress.assigned([DECISIONS, REFRESHES])
    progress.measured(DECISIONS, (100, 100), arrived=100)
    assert progress.watermarks({DECISIONS: 5}) == ()
    progress.received_ends(120, {DECISIONS: 5, REFRESHES: 3})
    assert progress.watermarks({DECISIONS: 5}) == ()
    progress.measured(REFRESHES, (50, 50), arrived=50)
    marks = progress.watermarks({DECISIONS: 5, REFRESHES: 1})
    assert {(mark.topic, mark.partition): mark.watermark for mark in marks} == {DECISIONS: 120, REFRESHES: 50}


def test_an_empty_partition_holds_nothing_up() -> None:
    progress = Progress(max_age=10)
    progress.assigned([DECISIONS, REFRESHES])
    progress.measured(DECISIONS, (100, 100), arrived=100)
    progress.received_ends(120, {DECISIONS: 5, REFRESHES: 0})
    assert [mark.watermark for mark in progress.watermarks({DECISIONS: 5})] == [120, 120]
