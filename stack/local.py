"""The local stack: Kafka and ClickHouse on this machine, over one data folder.

Starts those servers that the settings do not name, side by side, and gives the addresses of all. What it started it
stops; the data stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from seamwatch.settings import Settings, load_settings
from stack.clickhouse.process import ClickHouseServer
from stack.folder import DataFolder
from stack.kafka.jars import Progress, kafka_jars, user_cache
from stack.kafka.java import find_java
from stack.kafka.server import KafkaServer
from stack.processes import end

DATABASE = "seamwatch"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the broker and the store are. The store's URLs carry their users' secrets."""

    kafka: str
    clickhouse: str
    auditor: str


def _silent(_line: str) -> None:
    pass


class LocalStack:
    """The servers over a data folder. A context manager: starts on entry, stops on exit.

    A folder given as a path is held for as long as the stack runs; a ``DataFolder`` is held already by its owner.
    Start it in a thread that lives as long as the servers should.
    """

    def __init__(self, data: Path | DataFolder, settings: Settings | None = None, progress: Progress = _silent) -> None:
        self._settings = settings if settings is not None else load_settings()
        self._folder = data if isinstance(data, DataFolder) else DataFolder(data)
        self._holds = not isinstance(data, DataFolder)
        self._progress = progress
        self._kafka: KafkaServer | None = None
        self._clickhouse: ClickHouseServer | None = None

    def __enter__(self) -> Addresses:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def servers(self) -> list[KafkaServer | ClickHouseServer]:
        """The servers that this stack started."""
        return [server for server in (self._kafka, self._clickhouse) if server is not None]

    def start(self) -> Addresses:
        """Start what is not named elsewhere and return when all of it answers.

        Raises LocalStackError that says what failed and what to try; then nothing is left running.
        """
        if self._holds:
            self._folder.hold()
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> Addresses:
        settings, folder = self._settings, self._folder
        if settings.clickhouse is None:
            self._clickhouse = ClickHouseServer(
                folder.path / "clickhouse",
                folder.logs,
                folder.secrets(),
                folder.port("clickhouse", settings.clickhouse_port),
            )
            self._clickhouse.start()
        if settings.kafka is None:
            self._kafka = KafkaServer(
                find_java(settings.java),
                kafka_jars(user_cache(settings.cache), self._progress),
                folder.path / "kafka",
                folder.logs,
                folder.port("kafka", settings.kafka_port),
                folder.port("kafka-controller", settings.kafka_controller_port),
            )
            self._progress("starting Apache Kafka")
            self._kafka.start()
        if self._clickhouse is not None:
            self._progress("starting ClickHouse")
            self._clickhouse.wait()
        if self._kafka is not None:
            self._progress("waiting for Apache Kafka to answer")
            self._kafka.wait()
        kafka = self._kafka.address if self._kafka is not None else settings.kafka
        assert kafka is not None
        if self._clickhouse is None:
            assert settings.clickhouse is not None
            return Addresses(kafka, settings.clickhouse, settings.auditor or settings.clickhouse)
        return Addresses(kafka, self._url("writer"), self._url("auditor"))

    def stop(self) -> None:
        """Stop what was started, side by side, and give the folder back. May be called twice."""
        end([server.process for server in self.servers if server.process is not None], seconds=4.0)
        self._kafka = self._clickhouse = None
        if self._holds:
            self._folder.release()

    def _url(self, user: str) -> str:
        assert self._clickhouse is not None
        return f"http://{user}:{quote(self._folder.password(user), safe='')}@{self._clickhouse.address}/{DATABASE}"
