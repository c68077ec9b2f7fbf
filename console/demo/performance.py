"""The demo from beginning to end: the system, its producers and people on a scaled clock, a drill, what came of it.

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
from console.demo.drilling import Drilled, enrol
from console.demo.ending import Ending, Over, Play
from console.demo.handing import Handed, handed
from console.demo.models import Models, train
from console.demo.pace import Pace, StagesRun, waiting_for_stages
from console.demo.people import People
from console.demo.player import Player, Record, Stage
from console.demo.producers import Producer, estate
from console.demo.sightings import Sighting, Sightings, unexpected, verdicts
from console.demo.stories import PLATFORM, Story, stories
from console.demo.watcher import Tell, Watcher
from console.system import System
from seamwatch.broker import Address, broker_at
from seamwatch.clauses import kinds
from seamwatch.durations import compact_duration
from seamwatch.errors import SeamwatchError
from seamwatch.sdk.emitter import Emitter
from seamwatch.settings import Settings, load_settings
from seamwatch.wire.events import Acknowledgement
from seamwatch.wire.topics import Topics
from sinks.store.client import Store
from sinks.store.questions.afterwards import ACCOUNT, QUESTIONS, Question, accounted, ask

RECORD_FILE: Final = "events.ndjson"
_STORE_PATIENCE_SECONDS: Final = 60.0


@dataclass(slots=True)
class Performance:
    """A demo over a data folder: what it knows while it runs, and what came of it.

    ``look`` is called about five times a second; ``tell`` with each piece of news, on another thread.
    """

    folder: Path
    origin: int
    stories: tuple[Story, ...]
    pace: Pace | None = None
    sightings: Sightings = field(default_factory=Sightings)
    emitted: int = 0
    held_up: int = 0
    answers: list[tuple[Question, list[dict[str, Any]]]] = field(default_factory=list)
    handed: list[Handed] = field(default_factory=list)
    drilled: Drilled | None = None
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
        (folder / "logs").mkdir(exist_ok=True)
        enrol(folder, day.isoformat())
        return cls(folder, origin, stories(origin))

    @property
    def now(self) -> int:
        """The time of the history, in microseconds."""
        return self.pace.clock.now() if self.pace is not None else self.origin

    @property
    def rate(self) -> float:
        """How many times as fast as the wall the history passes."""
        return timeline.RATE if self.pace is None else self.pace.rate

    @property
    def is_slow(self) -> bool:
        """Whether time passes as on the wall: the history is over."""
        return self.pace is not None and self.pace.is_slow

    @property
    def seen(self) -> list[Sighting]:
        """Every violation seen so far."""
        return self.sightings.all()

    @property
    def good(self) -> bool:
        """Whether all was as it must be: what came and what did not, the drill, the account, and what is handed."""
        is_handed = bool(self.handed) and all(each.good for each in self.handed)
        is_drilled = self.drilled is not None and not self.drilled.missing
        as_expected = self.met and not unexpected(self.stories, self.seen)
        return as_expected and is_drilled and self.complete and is_handed

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
        """Start the system, play the history, hold the drill, ask; ``begun`` is called once all of it runs.

        Raises what the system raises when it cannot start, and SeamwatchError when a producer fails.
        """
        since, models = time.monotonic(), _in_background(train)
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
            pace = self._begun(system, since, progress)
            with self._playing(addresses.kafka, models.result(), pace, tell) as play:
                ending = Ending(self.folder, self.origin, pace, play, self.sightings, self.stories)
                try:
                    with contextlib.suppress(Over):
                        system.run(lambda: self._tick(ending, look))
                finally:
                    ending.close()
            self._count(play)
            with Store(addresses.auditor, reading=True) as store:
                self._ask(store)
            progress("verifying the record, and writing what others are handed")
            environment = {"SEAMWATCH_CLOCK": pace.clock.setting()}
            self.handed = list(handed(self.folder, self.origin, timeline.whole_seconds(self.now), environment))

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
        # What takes the machine's time is done before the stages need it.
        models.result()
        self.pace = Pace(self.folder, self.origin)
        return {
            "SEAMWATCH_CLOCK": self.pace.setting,
            "SEAMWATCH_LATENESS": compact_duration(timeline.LATENESS),
            "SEAMWATCH_SETTLE": compact_duration(timeline.SETTLE),
            "SEAMWATCH_DEFAULT_OWNER": PLATFORM,
            "SEAMWATCH_PREFIX": "seamwatch",
            "SEAMWATCH_SCHEMA_REGISTRY_URL": "",
            "SEAMWATCH_METRICS_PORT": "",
        }

    def _begun(self, system: System, since: float, progress: Callable[[str], None]) -> Pace:
        """Wait until all stages run, and let the history begin; ``since``: when starting began (monotonic seconds)."""
        assert self.pace is not None
        progress("waiting for the stages")
        with contextlib.suppress(StagesRun):
            system.run(waiting_for_stages(broker_at(system.addresses.kafka), "seamwatch"))
        self.pace.begin(time.monotonic() - since)
        return self.pace

    @contextlib.contextmanager
    def _playing(self, kafka: Address, models: Models, pace: Pace, tell: Tell) -> Iterator[Play]:
        clock = pace.clock
        broker = broker_at(kafka)
        stop = threading.Event()
        record = Record(self.folder / RECORD_FILE)
        stage = Stage(clock, record, stop)
        emitters: list[Emitter] = []

        def emitter(name: str) -> Emitter:
            spool = self.folder / "spool" / name
            emitters.append(Emitter(name, bootstrap=broker, prefix="seamwatch", spool=spool, clock=clock, strict=True))
            return emitters[-1]

        def player(producer: Producer) -> Player:
            return Player(producer, emitter(producer.name), stage)

        desk = emitter("people")

        def acknowledge(answer: Acknowledgement) -> None:
            desk.emit(answer)
            record.write(answer)

        people = People(clock, acknowledge)
        watcher = Watcher(
            kafka, Topics("seamwatch"), kinds(), clock, self.sightings, people, tell,
            lambda attestation: record.write_record("attestation", attestation),
        )  # fmt: skip
        play = Play(stop, [player(producer) for producer in estate(self.origin, models)], watcher, record, emitters)
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

    def _tick(self, ending: Ending, look: Callable[[], None]) -> None:
        look()
        try:
            ending.look()
        finally:
            self.stories, self.drilled = ending.stories, ending.drilled

    def _count(self, play: Play) -> None:
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


def _in_background(work: Callable[[], Models]) -> Future[Models]:
    future: Future[Models] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks for the result
            future.set_exception(error)

    threading.Thread(target=run, name="demo-training", daemon=True).start()
    return future
