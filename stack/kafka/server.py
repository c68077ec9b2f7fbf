"""The local Kafka: Apache Kafka's own broker, KRaft, one node, on loopback.

Formats a folder once (its cluster id stays), starts the broker on it, waits for a real answer, stops it. Settings are
those of one node on one machine; a production broker needs others.
"""

from __future__ import annotations

import base64
import subprocess
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from seamwatch.errors import LocalStackError
from stack.folder import cannot_write
from stack.processes import end, last_lines, spawn

START_SECONDS: Final = 60.0
HEAP: Final = ("-Xmx512m", "-Xms128m", "-XX:+UseSerialGC")

PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
num.network.threads=2
num.io.threads=4
controlled.shutdown.max.retries=1
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
"""

LOGGING: Final = """\
log4j.rootLogger=WARN, file
log4j.logger.kafka.server.KafkaRaftServer=INFO
log4j.appender.file=org.apache.log4j.RollingFileAppender
log4j.appender.file.File={log}
log4j.appender.file.MaxFileSize=10MB
log4j.appender.file.MaxBackupIndex=3
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%d{{ISO8601}} %p %c: %m%n
"""


@dataclass(slots=True)
class KafkaServer:
    """One broker over one folder. ``start`` and ``wait`` are apart so that servers can start side by side."""

    java: Path
    jars: Path
    folder: Path
    logs: Path
    port: int
    controller_port: int
    name: str = field(default="Kafka", init=False)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def runs(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.poll() is None

    @property
    def address(self) -> str:
        """The bootstrap server."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """The file that the server logs to."""
        return self.logs / "kafka.log"

    def start(self) -> None:
        """Format the folder if it is new, and start the broker. Raises LocalStackError with the log's last lines."""
        try:
            self._start()
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self.folder / "server.properties"
        data = self.folder / "data"
        _keep(properties, PROPERTIES.format(port=self.port, controller_port=self.controller_port, data=data))
        _keep(self.folder / "log4j.properties", LOGGING.format(log=self.log))
        if not (data / "meta.properties").exists():
            self._format(properties)
        with (self.logs / "kafka.out").open("wb") as out:
            self.process = spawn(self._command("kafka.Kafka", str(properties)), stdout=out, stderr=out)

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Return when the broker answers a metadata request and has a controller. Raises LocalStackError."""
        from confluent_kafka import KafkaException

        from bus import clients

        assert self.process is not None
        deadline = time.monotonic() + seconds
        admin = clients.admin(self.address, {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 250})
        while True:
            if self.process.poll() is not None:
                raise self._failed(f"ended with status {self.process.returncode} before it answered")
            try:
                metadata = admin.list_topics(timeout=1.0)
            except KafkaException:
                metadata = None
            if metadata is not None and metadata.brokers and metadata.controller_id >= 0:
                return
            if time.monotonic() > deadline:
                self.stop()
                raise self._failed(f"did not answer on {self.address} within {seconds:.0f} s")

    def stop(self, seconds: float = 5.0) -> None:
        """End the server; kill it when it takes longer than ``seconds``."""
        if self.process is not None:
            end([self.process], seconds=seconds)
            self.process = None

    def _format(self, properties: Path) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # "=" because one id of 64 begins with "-", which would read as an option of its own.
        command = self._command(
            "kafka.tools.StorageTool", "format", "--standalone", f"--cluster-id={cluster}", "-c", str(properties)
        )
        answer = subprocess.run(command, capture_output=True, timeout=60, check=False)
        if answer.returncode != 0:
            (self.logs / "kafka.out").write_bytes(answer.stdout + answer.stderr)
            raise self._failed("could not format its folder")

    def _command(self, main: str, *arguments: str) -> list[str]:
        logging = f"-Dlog4j.configuration=file:{self.folder / 'log4j.properties'}"
        return [str(self.java), *HEAP, logging, "-cp", f"{self.jars}/*", main, *arguments]

    def _failed(self, what: str) -> LocalStackError:
        tail = last_lines(self.log) or last_lines(self.logs / "kafka.out")
        return LocalStackError(f"The local Kafka {what}. Its log is {self.log}; the last of it:\n{tail}")


def _keep(file: Path, text: str) -> None:
    """Write a file that does not say so already: on a full disk one that does must not be emptied."""
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
