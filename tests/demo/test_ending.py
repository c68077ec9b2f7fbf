"""The ending of the demo: no drill while time is scaled, none where stories are missing, and over when all is told."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from console.demo import ending, timeline
from console.demo.drilling import Drilled
from console.demo.ending import Ending, Over, Play
from console.demo.sightings import Page, Sightings
from console.demo.stories import Story
from seamwatch.durations import DAY
from seamwatch.errors import SeamwatchError
from tests.demo.test_drilling import BEGAN, DRILL, ORIGIN
from tests.demo.test_sightings import EXPECTED, SEEN

STORY = Story("a story", "a cause", (EXPECTED,))
DONE = Drilled("seamwatch drill", 0, (), {}, "")


@dataclass
class Clock:
    time: int = ORIGIN

    def now(self) -> int:
        return self.time

    def setting(self) -> str:
        return "1,2,3,4"


@dataclass
class Pace:
    """Time in the test's hand."""

    clock: Clock = field(default_factory=Clock)
    is_slow: bool = False
    asked: int = 0

    def slow_down(self) -> None:
        self.asked += 1


@dataclass
class Command:
    """The drill's command, which ends when the test says so."""

    folder: Path
    environment: dict[str, str]
    done: Drilled | None = None

    def ended(self) -> Drilled | None:
        return self.done

    def close(self) -> None:
        pass


@dataclass
class Watching:
    error: BaseException | None = None


def ending_of(*stories: Story) -> Any:
    nothing: Any = None
    watcher: Any = Watching()
    pace: Any = Pace()
    play = Play(threading.Event(), [], watcher, nothing, [])
    return Ending(Path("nowhere"), ORIGIN, pace, play, Sightings(), stories)


@pytest.fixture(autouse=True)
def command(monkeypatch: pytest.MonkeyPatch) -> list[Command]:
    held: list[Command] = []

    def begin(folder: Path, environment: dict[str, str]) -> Command:
        held.append(Command(folder, environment))
        return held[-1]

    monkeypatch.setattr(ending, "Drilling", begin)
    return held


def test_a_drill_is_held_when_the_stories_were_seen_and_time_is_true(command: list[Command]) -> None:
    demo = ending_of(STORY)
    demo.sightings.see(SEEN, 130)
    demo.sightings.see_page(Page("v1", 0, "a@example.org", 140), "delivered")
    demo.look()
    assert demo.pace.asked == 0, "the history is not over"
    demo.pace.clock.time = timeline.at(ORIGIN, timeline.LENGTH_DAYS) + 1
    demo.look()
    demo.look()
    assert (demo.pace.asked, command, demo.play.stop.is_set()) == (1, [], False), "time is scaled still"
    demo.pace.clock.time, demo.pace.is_slow = BEGAN, True
    demo.look()
    demo.look()
    assert [each.environment for each in command] == [{"SEAMWATCH_CLOCK": "1,2,3,4"}]
    assert demo.play.stop.is_set()
    assert [story.name for story in demo.stories] == ["a story", "the drill"]
    command[0].done = DONE
    demo.look()
    demo.look()
    assert demo.drilled == DONE
    demo.sightings.see(replace(DRILL, violation_id="v2", state="resolved"), BEGAN)
    demo.sightings.see_page(Page("v2", 0, "order-desk@example.org", BEGAN), "delivered")
    with pytest.raises(Over):
        demo.look()


def test_none_is_held_where_a_story_stays_away(command: list[Command]) -> None:
    demo = ending_of(STORY)
    demo.pace.clock.time = timeline.at(ORIGIN, timeline.LENGTH_DAYS) + 5 * DAY
    demo.look()
    demo.pace.clock.time += 2 * DAY
    with pytest.raises(Over):
        demo.look()
    assert (demo.pace.asked, command, demo.drilled) == (1, [], None)


def test_what_ended_the_watcher_is_raised() -> None:
    demo = ending_of(STORY)
    demo.play.watcher.error = SeamwatchError("no broker")
    with pytest.raises(SeamwatchError, match="no broker"):
        demo.look()
