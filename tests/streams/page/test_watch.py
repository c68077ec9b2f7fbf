"""What is wrong with the stages is found from outside, told once, and told again when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from seamwatch.durations import MINUTE, SECOND
from seamwatch.outages import Fault, Outage, begun
from streams.page.watch import Book, Limits, Sight, StageSight, Waiting, Watch

START = 1_700_000_000 * SECOND
LIMITS = Limits()


@dataclass
class Scene:
    """Stages that are looked at every five seconds; the clock and what is seen are the test's."""

    watch: Watch = field(default_factory=lambda: Watch(LIMITS))
    book: Book = field(default_factory=lambda: Book(LIMITS))
    now: int = 0
    measured: int | None = 0
    stages: dict[str, StageSight] = field(default_factory=dict)
    said: list[Outage] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    measures: bool = True

    def look(self, seconds: int = 5, *, blind: bool = False) -> None:
        """Look every five seconds for so long."""
        for _ in range(seconds // 5):
            self.now += 5
            if self.measures and not blind:
                self.measured = self.now
            at = START + self.now * SECOND
            if blind:
                self.faults = self.watch.see_nothing(at, self.now)
            else:
                measured = None if self.measured is None else START + self.measured * SECOND
                self.faults = self.watch.see(Sight(at, measured, dict(self.stages)), self.now)
            doubtful = None if blind else self.watch.doubtful
            for outage in self.book.settle(self.faults, doubtful, at, self.now, "owner"):
                self.said.append(outage)
                self.book.receive(outage)

    def waits(self, stage: str, position: int, arrived: int, count: int = 7) -> None:
        """Records wait for a stage at a position, the first of which arrived then."""
        place = ("t", 0)
        self.stages[stage] = StageSight({place: Waiting(position, count, START + arrived * SECOND)}, {}, True)

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(outage.fault, outage.stage, outage.state) for outage in self.said]


def test_a_measure_that_is_gone_is_told_once_and_told_when_it_is_over() -> None:
    scene = Scene()
    scene.look(60)
    scene.measures = False
    scene.look(115)
    assert scene.told == []
    scene.look(600)
    assert scene.told == [("unwatched", "measure", "open")]
    (told,) = scene.said
    assert told.since == START + 60 * SECOND
    assert told.person == "owner"
    assert "Nothing has been watched since 2023-11-14 22:14:20 UTC" in told.summary
    scene.measures = True
    scene.look(180)
    assert scene.told[1:] == [("unwatched", "measure", "over")]
    over = scene.said[1]
    assert (over.outage_id, over.since, over.until) == (told.outage_id, told.since, START + 780 * SECOND)
    assert "from 2023-11-14 22:14:20 UTC to 2023-11-14 22:26:20 UTC (12 m)" in over.summary


def test_a_measure_that_never_ran_is_told_too() -> None:
    scene = Scene(measures=False, measured=None)
    scene.look(200)
    assert scene.told == [("unwatched", "measure", "open")]


def test_a_stage_that_stands_still_while_records_wait_is_told_though_it_lives() -> None:
    scene = Scene()
    scene.waits("judge", 100, arrived=3)
    scene.look(130)
    assert scene.told == [("stalled", "judge", "open")]
    assert "judge stage has stood still" in scene.said[0].summary
    assert "with 7 records waiting, the oldest since 2023-11-14 22:13:23 UTC" in scene.said[0].summary


def test_a_stage_that_goes_on_or_has_nothing_to_do_is_not_told() -> None:
    scene = Scene()
    for number in range(60):
        scene.waits("measure", 100 + number, arrived=0)  # catching up with an old backlog
        scene.look(5)
    scene.stages["measure"] = StageSight()
    scene.look(3_600)
    # What comes after an hour of silence has not waited for an hour.
    scene.waits("measure", 160, arrived=scene.now)
    scene.look(60)
    assert scene.told == []


def test_one_partition_that_stands_still_is_enough() -> None:
    scene = Scene()
    for number in range(30):
        stuck, moving = Waiting(5, 2, START), Waiting(number, 3, START)
        scene.stages["measure"] = StageSight({("t", 0): stuck, ("t", 1): moving}, {}, True)
        scene.look(5)
    assert scene.told == [("stalled", "measure", "open")]
    assert "with 2 records waiting" in scene.said[0].summary


def test_a_recorder_may_wait_for_its_store_for_a_while_and_not_for_long() -> None:
    scene = Scene()
    scene.waits("record", 100, arrived=0)
    scene.look(14 * 60)
    assert scene.told == []
    for number in range(60):
        scene.waits("record", 101 + number, arrived=0)  # it goes on, and is behind all the same
        scene.look(5)
    assert scene.told == [("behind", "record", "open")]


def test_what_starts_over_and_over_is_told_though_measurements_come() -> None:
    scene = Scene()
    for number in range(6):
        scene.stages["judge"] = StageSight({}, {"host": f"member-{number}", "other": "same"}, True)
        scene.look(30)
    assert scene.told == [("restarting", "judge", "open")]
    assert "5 times since" in scene.said[0].summary
    scene.look(900)
    assert scene.told == [("restarting", "judge", "open"), ("restarting", "judge", "over")]


def test_restarts_within_an_outage_that_was_told_are_not_told_when_it_is_over() -> None:
    scene = Scene(measures=False)
    scene.look(60)
    for number in range(12):
        scene.stages["measure"] = StageSight({}, {"host": f"member-{number}"}, True)
        scene.look(20)
    scene.measures = True
    scene.look(600)
    assert scene.told == [("unwatched", "measure", "open"), ("unwatched", "measure", "over")]
    for number in range(12, 20):  # and of what begins anew it is told
        scene.stages["measure"] = StageSight({}, {"host": f"member-{number}"}, True)
        scene.look(20)
    assert scene.told[2:] == [("restarting", "measure", "open")]


def test_new_instances_and_a_single_restart_each_are_no_restarts_over_and_over() -> None:
    scene = Scene()
    for number in range(40):
        scene.stages["judge"] = StageSight({}, {f"host-{number}": "a", "steady": f"m{number // 20}"}, True)
        scene.look(30)
    assert scene.told == []


def test_each_restart_is_counted_once_by_its_stage() -> None:
    scene, counted = Scene(), []
    for member in ("a", "a", "b", "b", "c"):
        scene.stages["judge"] = StageSight({}, {"host": member, "other": "same"}, True)
        scene.look()
        counted.append(list(scene.watch.restarted))
    assert counted == [[], [], ["judge"], [], ["judge"]]
    scene.look(blind=True)
    assert scene.watch.restarted == []


def test_the_graver_of_two_faults_of_a_stage_is_told_alone() -> None:
    scene = Scene(measures=False)
    scene.waits("measure", 1, arrived=0)
    scene.look(600)
    assert scene.told == [("unwatched", "measure", "open")]
    assert "7 records wait" in scene.said[0].summary


def test_a_broker_that_does_not_answer_is_told_and_ends_nothing_that_cannot_be_seen() -> None:
    scene = Scene()
    scene.look(10)
    scene.waits("judge", 1, arrived=0)
    scene.look(150)
    scene.look(600, blind=True)
    assert scene.told == [("stalled", "judge", "open"), ("unreachable", "broker", "open")]
    # What was cut off as well is given time to come back.
    scene.measures = False
    scene.stages = {}
    scene.look(100)
    scene.measures = True
    scene.look(200)
    assert scene.told[2:] == [("stalled", "judge", "over"), ("unreachable", "broker", "over")]


def test_a_machine_that_slept_is_no_outage() -> None:
    watch = Watch(LIMITS)
    assert watch.see(Sight(START, START, {}), 10.0) == []
    later = START + 600 * MINUTE
    assert watch.see(Sight(later, START, {}), 15.0) == []


def test_what_was_told_before_a_restart_is_not_told_again_and_ends_all_the_same() -> None:
    before = Scene(measures=False)
    before.look(600)
    after = Scene(measures=False, now=before.now, measured=before.measured)
    after.book.receive(before.said[0])
    after.look(600)
    assert after.told == []
    after.measures = True
    after.look(200)
    assert after.told == [("unwatched", "measure", "over")]
    assert after.said[0].outage_id == before.said[0].outage_id


def test_what_flaps_is_one_outage() -> None:
    scene = Scene(measures=False)
    scene.look(300)
    for _ in range(20):
        scene.measures = True
        scene.look(30)
        scene.measures = False
        scene.look(150)
    assert scene.told == [("unwatched", "measure", "open")]


@pytest.mark.parametrize("kind", ["unwatched", "stalled", "behind", "restarting", "unreachable"])
def test_each_fault_is_told_in_words_with_its_time(kind: str) -> None:
    outage = begun(Fault(kind, "judge", START, 3, START, 5), START + 125 * SECOND, None)  # type: ignore[arg-type]
    assert "2023-11-14 22:13:20 UTC" in outage.summary
    assert outage.outage_id == f"outage/{kind}/judge/2023-11-14T22:13:20Z"
