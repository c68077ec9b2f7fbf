"""Every expected violation, paged as expected, and no other: anything less is said by name."""

from __future__ import annotations

from dataclasses import replace

from console.demo.sightings import Page, Sightings, unexpected, verdicts
from console.demo.stories import Expected, Story
from seamwatch.judging.model.facts import Violation

EXPECTED = Expected("late", "feed", "fresh", "rows", due=100, person="a@example.org", slice="rows")
STORY = Story("a story", "a cause", (EXPECTED,))
SEEN = Violation(
    "v1",
    "feed",
    "1",
    "d",
    "fresh",
    "freshness",
    "rows",
    "rows",
    "breach",
    "open",
    1.0,
    1.0,
    "s",
    "late",
    100,
    50,
    120,
    "a@example.org",
)


def missing(sightings: Sightings, story: Story = STORY) -> list[str]:
    return [verdict.missing for verdict in verdicts([story], sightings.all())]


def test_nothing_seen_is_missing() -> None:
    assert missing(Sightings()) == ["not seen"]


def test_a_violation_without_a_page_is_not_enough() -> None:
    sightings = Sightings()
    sightings.see(SEEN, 130)
    assert missing(sightings) == ["nobody paged"]
    sightings.see_page(Page("v1", 0, "a@example.org", 140), "delivered")
    assert missing(sightings) == [""]


def test_a_failed_page_does_not_count() -> None:
    sightings = Sightings()
    sightings.see(SEEN, 130)
    assert not sightings.see_page(Page("v1", 0, "a@example.org", 140), "refused")
    assert missing(sightings) == ["nobody paged"]


def test_a_climb_needs_a_page_to_the_next_person() -> None:
    climbs = replace(STORY, expected=(replace(EXPECTED, climbs_to="b@example.org"),))
    sightings = Sightings()
    sightings.see(SEEN, 130)
    sightings.see_page(Page("v1", 0, "a@example.org", 140), "delivered")
    assert missing(sightings, climbs) == ["b@example.org not paged"]
    sightings.see_page(Page("v1", 1, "b@example.org", 180), "delivered")
    assert missing(sightings, climbs) == [""]


def test_an_episode_that_should_be_over_is_missed_while_it_is_open() -> None:
    over = replace(STORY, expected=(replace(EXPECTED, resolves=True),))
    sightings = Sightings()
    sightings.see(SEEN, 130)
    sightings.see_page(Page("v1", 0, "a@example.org", 140), "delivered")
    assert missing(sightings, over) == ["not over"]
    sightings.see(replace(SEEN, state="resolved"), 200)
    assert missing(sightings, over) == [""]


def test_another_slice_or_severity_is_unexpected_and_a_second_episode_is_not_the_same() -> None:
    sightings = Sightings()
    sightings.see(SEEN, 130)
    sightings.see(replace(SEEN, violation_id="v2", severity="warning"), 130)
    assert [s.first.violation_id for s in unexpected([STORY], sightings.all())] == ["v2"]
    sightings.see(replace(SEEN, violation_id="v3"), 130)
    assert missing(sightings) == ["seen 2 times"]


def test_the_first_person_counts_even_after_the_violation_has_climbed() -> None:
    sightings = Sightings()
    sightings.see(SEEN, 130)
    sightings.see(replace(SEEN, state="escalated", step=1, person="b@example.org"), 180)
    sightings.see_page(Page("v1", 0, "a@example.org", 140), "delivered")
    assert missing(sightings) == [""]
