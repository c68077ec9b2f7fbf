"""The demo from beginning to end: the system, its producers and people on a scaled clock, and what came of it.

Always on servers of its own: a history in scaled time has no place on a broker that anybody else uses.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, Final

from console.demo import timeline
from console.demo.handing import Handed, handed
from console.demo.models import Models, train
from console.demo.people import People
from console.demo.player import Player, Record, Stage
from console.demo.producers import Producer, estate
from console.demo.sightings import Sighting, Sightings, unexpected, verdicts
from console.demo.stories import PLATFORM, Story, stories
from console.demo.watcher import Tell, Watcher
from console.system import System
from seamwatch.broker import Address, broker_at
from seamwatch.clauses import kinds
from seamwatch.clock import ScaledClock
from seamwatch.durations import SECOND, compact_duration
from seamwatch.errors import SeamwatchError
from seamwatch.sdk.emitter import Emitter
from seamwatch.settings import Settings, load_settings
from seamwatch.wire.events import Acknowledgement
from seamwatch.wire.topics import Topics
from sinks.store.client import Store
from sinks.store.questions.afterwards import ACCOUNT, QUESTIONS, Question, accounted, ask

RECORD_FILE: Final = "events.ndjson"
_LEAD_SECONDS: Final = 3.0
_PATIENCE_SECONDS: Final = 30.0
_STORE_PATIENCE_SECONDS: Final = 60.0


@dataclass(slots=True)
class Performance:
    """A demo over a data folder: what it knows while it runs, and what came of it.

    ``look`` is called about five times a second; ``tell`` with each piece of news, on another thread.
    """

    folder: Path
    origin: int
    stories: tuple[Story, ...]
    clock: ScaledClock | None = None
    sightings: Sightings = field(default_factory=Sightings)
    emitted: int = 0
    held_up: int = 0
    answers: list[tuple[Question, list[dict[str, Any]]]] = field(default_factory=list)
    handed: list[Handed] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    complete: bool = False

    @classmethod
    def prepare(cls, folder: Path) -> Performance:
        """A demo whose history ends before today, with its contracts written to the folder."""
        day = timeline.origin_day(datetime.now(UTC).date())
        contracts = folder / "contracts"
        contracts.mkdir()
        for file in (resources.files("console.demo") / "contracts").iterdir():
            (contracts / file.name).write_text(timeline.moved(file.read_text("utf-8"), day), "utf-8")
        origin = timeline.micros_of(day)
        return cls(folder, origin, stories(origin))

    @property
    def now(self) -> int:
        """The time of the history, in microseconds."""
        return self.clock.now() if self.clock is not None else self.origin

    @property
    def seen(self) -> list[Sighting]:
        """Every violation seen so far."""
        return self.sightings.all()

    @property
    def good(self) -> bool:
        """Whether what was expected came, and nothing else, every event is accounted for, and what is handed holds."""
        is_handed = bool(self.handed) and all(each.good for each in self.handed)
        return self.met and not unexpected(self.stories, self.seen) and self.complete and is_handed

    @property
    def met(self) -> bool:
        """Whether every expectation is met."""
        return not any(verdict.missing for verdict in verdicts(self.stories, self.seen))

    def run(
        self,
        progress: Callable[[str], None],
        look: Callable[[], None],
        tell: Tell,
        begun: Callable[[System], None] = lambda _system: None,
    ) -> None:
        """Start the system, play the history, ask the questions; ``begun`` is called once all of it runs.

        Raises what the system raises when it cannot start, and SeamwatchError when a producer fails.
        """
        models = _in_background(train)
        system = System(
            self._settings(),
            contracts=self.folder / "contracts",
            say=self.notes.append,
            environment=lambda: self._environment(models),
            pages=self.folder / "pages.txt",
        )
        with system:
            addresses = system.start(progress)
            begun(system)
            with self._playing(addresses.kafka, models.result(), tell) as play:
                with contextlib.suppress(_Over):
                    system.run(lambda: self._tick(play, look))
                play.stop.set()
            self._count(play)
            with Store(addresses.auditor, reading=True) as store:
                self._ask(store)
            progress("verifying the record, and writing what others are handed")
            # From here on time passes as it does for whoever is handed something.
            ended = ScaledClock(self.now, time.time_ns() // 1_000, 1.0)
            self.handed = list(handed(self.folder, self.origin, {"SEAMWATCH_CLOCK": ended.setting()}))

    def _settings(self) -> Settings:
        # Whatever the environment names belongs to somebody.
        return load_settings(data=self.folder).model_copy(
            update={
                "kafka": None,
                "clickhouse": None,
                "prefix": "seamwatch",
                "schema_registry_url": None,
                "default_owner": PLATFORM,
                "metrics_port": None,
                "board_port": 0,
                "board_url": None,
                "board_oidc_issuer": None,
                "board_store": None,
            }
        )

    def _environment(self, models: Future[Models]) -> dict[str, str]:
        # The clock starts when everything that comes before it is done; producers begin with it.
        models.result()
        wall = time.time_ns() // 1_000
        self.clock = ScaledClock(self.origin, wall + round(_LEAD_SECONDS * SECOND), timeline.RATE)
        return {
            "SEAMWATCH_CLOCK": self.clock.setting(),
            "SEAMWATCH_LATENESS": compact_duration(timeline.LATENESS),
            "SEAMWATCH_SETTLE": compact_duration(timeline.SETTLE),
            "SEAMWATCH_DEFAULT_OWNER": PLATFORM,
            "SEAMWATCH_PREFIX": "seamwatch",
            "SEAMWATCH_SCHEMA_REGISTRY_URL": "",
            "SEAMWATCH_METRICS_PORT": "",
        }

    @contextlib.contextmanager
    def _playing(self, kafka: Address, models: Models, tell: Tell) -> Iterator[_Play]:
        assert self.clock is not None
        broker = broker_at(kafka)
        stop = threading.Event()
        record = Record(self.folder / RECORD_FILE)
        stage = Stage(self.clock, record, stop)
        emitters: list[Emitter] = []

        def emitter(name: str) -> Emitter:
            spool = self.folder / "spool" / name
            emitters.append(
                Emitter(name, bootstrap=broker, prefix="seamwatch", spool=spool, clock=self.clock, strict=True)
            )
            return emitters[-1]

        def player(producer: Producer) -> Player:
            return Player(producer, emitter(producer.name), stage)

        desk = emitter("people")

        def acknowledge(answer: Acknowledgement) -> None:
            desk.emit(answer)
            record.write(answer)

        people = People(self.clock, acknowledge)
        watcher = Watcher(kafka, Topics("seamwatch"), kinds(), self.clock, self.sightings, people, tell)
        play = _Play(stop, [player(producer) for producer in estate(self.origin, models)], watcher, record, emitters)
        try:
            watcher.start()
            for each in play.players:
                each.start()
            yield play
        finally:
            stop.set()
            watcher.close()
            for each in play.players:
                each.join()
            for each_emitter in emitters:
                each_emitter.close()
            record.close()

    def _tick(self, play: _Play, look: Callable[[], None]) -> None:
        look()
        play.check()
        over_for = timeline.wall_seconds(self.now - timeline.at(self.origin, timeline.LENGTH_DAYS))
        if over_for > (0 if self.met else _PATIENCE_SECONDS):
            raise _Over

    def _count(self, play: _Play) -> None:
        play.check()
        self.emitted = play.record.count
        self.held_up = sum(player.held_up for player in play.players)
        lost = sum(emitter.counts.dropped + emitter.counts.refused for emitter in play.emitters)
        if lost:
            raise SeamwatchError(f"{lost} of {self.emitted} events were not published; see {self.folder / 'logs'}")

    def _ask(self, store: Store) -> None:
        deadline = time.monotonic() + _STORE_PATIENCE_SECONDS
        account = ask(store, ACCOUNT)
        while not accounted(account, self.emitted) and time.monotonic() < deadline:
            time.sleep(0.3)
            account = ask(store, ACCOUNT)
        self.complete = accounted(account, self.emitted)
        self.answers = [(question, ask(store, question)) for question in QUESTIONS] + [(ACCOUNT, account)]


class _Over(Exception):
    """The history has been played, and what had to come has come or will not."""


@dataclass(slots=True)
class _Play:
    stop: threading.Event
    players: list[Player]
    watcher: Watcher
    record: Record
    emitters: list[Emitter]

    def check(self) -> None:
        """Raise what ended a thread."""
        if self.watcher.error is not None:
            raise self.watcher.error
        for player in self.players:
            if player.error is not None:
                raise SeamwatchError(f"producer {player.name} failed: {player.error}") from player.error


def _in_background(work: Callable[[], Models]) -> Future[Models]:
    future: Future[Models] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks for the result
            future.set_exception(error)

    threading.Thread(target=run, name="demo-training", daemon=True).start()
    return future
