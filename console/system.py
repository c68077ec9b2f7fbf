"""The whole system on this machine: servers, topics, tables, contracts, stages and board, under one supervisor.

What ``up`` runs, and what the demo runs beside its producers. A context manager that holds the data folder; ``start``
brings everything up, and all of it is gone within 10 s on exit. Use it in the main thread: the kernel ties the
processes to the thread that starts them.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

from board.addresses import address_of
from board.security.links import forget, new_link
from console.metrics_ports import metrics_ports
from console.published_folder import PublishedFolder, check_owner
from console.reach import LEDGER_KEY_FILE, NETRC_FILE
from seamwatch.broker import Broker
from seamwatch.connections import no_kafka_settings
from seamwatch.errors import LocalStackError, UsageError
from seamwatch.running import RUN_FILE
from seamwatch.settings import Settings
from stack.folder import DataFolder, write_private, write_private_text
from stack.kafka.server import KafkaServer
from stack.local import Addresses, LocalStack
from stack.room import Room
from stack.supervisor import Say, Stage, Supervisor, Unit

STAGES: Final = ("measure", "judge", "record", "page")
BOARD: Final = "board"
REPLIES: Final = "replies"
"""Runs where it is set as whom it relays."""

_OURS: Final = (*STAGES, REPLIES, BOARD)
_LOOK_EVERY: Final = 1.0
_END_SECONDS: Final = 4.0
_ASK_SECONDS: Final = 5.0
_AGAIN_SECONDS: Final = 0.2
_ANY_HOST: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what listens everywhere is asked here


class System:
    """A running system over a data folder.

    ``say`` is told what a person should know: a stage that died, contracts that changed. ``environment`` is asked,
    when the stages start, for variables of theirs beside our own; ``pages`` is a file for what they print (the pages
    of the console channel), our own standard output when it is None.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        contracts: Path | None = None,
        say: Say,
        environment: Callable[[], Mapping[str, str]] = dict,
        pages: Path | None = None,
    ) -> None:
        if contracts is not None and not contracts.is_dir():
            raise UsageError(
                f"--contracts {contracts}: not a folder; name one with contracts, systems and persons in YAML"
            )
        self._settings = settings
        self._say = say
        self._environment = environment
        self._pages = pages
        self._folder = DataFolder(settings.data)
        self._stack: LocalStack | None = None
        self._metrics: dict[str, str] = {}
        self._board = ""
        self._ports: dict[str, int] = {}
        self._stages = (*STAGES, REPLIES) if settings.relay is not None else STAGES
        self._room = Room(settings.data)
        self._supervisor = Supervisor(say, self._write_run_file, self._waits_for)
        self._next_look = 0.0
        self._is_written = True  # run.json says what runs
        self._contracts = PublishedFolder(contracts, settings, say) if contracts is not None else None
        self._addresses: Addresses | None = None
        self._broker = Broker("")

    @property
    def addresses(self) -> Addresses:
        """Where the broker and the store are."""
        assert self._addresses is not None
        return self._addresses

    @property
    def metrics(self) -> Mapping[str, str]:
        """Host and port of each stage's metrics; empty without."""
        return self._metrics

    @property
    def board(self) -> str:
        """The address of the board."""
        return self._board

    @property
    def replies(self) -> str | None:
        """Where the calls of other services are taken; None when no replies run."""
        port = self._ports.get(REPLIES)
        return None if port is None else address_of(self._settings.replies_host, port)

    def board_answers(self, seconds: float) -> bool:
        """Whether the board answers, within so many seconds."""
        until = time.monotonic() + seconds
        host, port = self._settings.board_host, self._ports[BOARD]
        while True:
            connection = http.client.HTTPConnection(_ANY_HOST.get(host, host), port, timeout=_ASK_SECONDS)
            try:
                connection.request("GET", "/sign-in", headers={"Host": "localhost"})
                if connection.getresponse().status == http.HTTPStatus.OK:
                    return True
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            if time.monotonic() >= until:
                return False
            time.sleep(_AGAIN_SECONDS)

    def sign_in_link(self) -> str:
        """A link into the board that serves once."""
        return new_link(self._settings.data, self._board)

    def __enter__(self) -> Self:
        """Hold the data folder. Raises LocalStackError that names the process which has it."""
        self._folder.hold()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def start(self, progress: Say = lambda _line: None) -> Addresses:
        """Bring everything up; ``progress`` is told what goes on.

        Raises LocalStackError, UnreachableError, StoreError or DocumentError when something cannot start.
        """
        if self._contracts is not None:
            self._contracts.check()  # a wrong document is better told now than when everything has started
        if REPLIES in self._stages:
            from replies.serving import demanded

            demanded(self._settings)
        self._metrics = metrics_ports(self._settings, (*STAGES, BOARD, *self._stages[len(STAGES) :]))
        (self._settings.data / RUN_FILE).unlink(missing_ok=True)
        self._stack = LocalStack(self._folder, self._settings, progress)
        self._addresses = addresses = self._stack.start()
        self._broker = self._settings.broker() or Broker(addresses.kafka)
        for server in self._stack.servers:
            self._supervisor.watch(server)
        progress("creating topics and tables")
        self._prepare(addresses)
        if self._contracts is not None:
            self._contracts.publish(self._broker)
        elif self._settings.default_owner is not None:
            check_owner(self._settings.default_owner, self._broker, self._settings.prefix)
        progress("starting the stages")
        environment = self._environment()
        self._ports[BOARD] = self._folder.port(BOARD, self._settings.board_port or None)
        if REPLIES in self._stages:
            self._ports[REPLIES] = self._folder.port(REPLIES, self._settings.replies_port or None)
        self._board = self._settings.board_url or address_of(self._settings.board_host, self._ports[BOARD])
        for name in (*self._stages, BOARD):
            self._supervisor.watch(self._stage(name, addresses, environment))
        write_private_text(self._settings.data / NETRC_FILE, _netrc(addresses.auditor))
        self._write_run_file(self._supervisor.pids())
        return addresses

    def run(self, tick: Callable[[], None] = lambda: None) -> None:
        """Keep everything running until an exception ends it; ``tick`` is called about five times a second."""
        self._supervisor.run(lambda: self._tick(tick))

    def _prepare(self, addresses: Addresses) -> None:
        from bus.topics import create_topics
        from sinks.store.migrate import migrate

        # Our own broker is ours to set up; another's topics are told of.
        own = self._settings.kafka is None
        for report in create_topics(self._broker, self._settings.prefix, self._settings.partitions, alter=own):
            if report.outcome in ("altered", "different"):
                did = "set as it must be" if report.outcome == "altered" else "left as it is"
                self._say(f"topic {report.name} had {', '.join(report.differences)}: {did}")
        migrate(addresses.clickhouse)

    def _stage(self, name: str, addresses: Addresses, further: Mapping[str, str]) -> Stage:
        environment = {
            **os.environ,
            # Our own broker lets in whoever is on this machine: what is said of another's does not go for it.
            **(no_kafka_settings() if self._settings.kafka is None else {}),
            "KAFKA_BOOTSTRAP_SERVERS": addresses.kafka,
            "CLICKHOUSE_URL": addresses.clickhouse,
            "SEAMWATCH_AUDITOR_URL": addresses.auditor,
            "SEAMWATCH_DATA": str(self._settings.data),
            "SEAMWATCH_LEDGER_KEY": str(_ledger_key(self._settings)),
            "SEAMWATCH_CONSOLE_READ": "1",  # what the pager prints comes out where `up` was started
            "PYTHONUNBUFFERED": "1",
            **further,
        }
        if name == "page":
            environment["CLICKHOUSE_URL"] = ""  # it reads only, for summaries: the auditor's address is enough
            environment.setdefault("SEAMWATCH_BOARD_URL", self._board)
        if name in self._ports:
            environment[f"SEAMWATCH_{name.upper()}_PORT"] = str(self._ports[name])
        if name in self._metrics:
            environment["SEAMWATCH_METRICS_PORT"] = self._metrics[name].rpartition(":")[2]
        command = [sys.executable, "-m", "console.app", "run", name]
        return Stage(name, command, environment, self._folder.logs / f"{name}.log", self._pages)

    def _tick(self, tick: Callable[[], None]) -> None:
        if self._contracts is not None:
            self._contracts.look(self._broker)
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LOOK_EVERY
            if (said := self._room.look()) is not None:
                self._say(said)
            if not self._is_written:
                self._write_run_file(self._supervisor.pids())
        tick()

    def _waits_for(self, unit: Unit) -> str | None:
        if unit.name == BOARD:
            return None  # it shows what it can without servers
        if unit.name in self._stages:
            # Without the broker it would fail, and again, and be slow to come back when there is one.
            servers = self._stack.servers if self._stack is not None else ()
            ended = [server.name for server in servers if isinstance(server, KafkaServer) and not server.runs]
            return f"{ended[0]} does not run" if ended else None
        # A server that starts on a full disk fails, and takes what is left.
        return f"the disk that {self._settings.data} lies on is full" if self._room.is_full else None

    def _write_run_file(self, pids: Mapping[str, int]) -> None:
        content: dict[str, Any] = {
            "pid": os.getpid(),
            "kafka": self.addresses.kafka,
            "clickhouse": self.addresses.clickhouse,
            "auditor": self.addresses.auditor,
            "prefix": self._settings.prefix,
            "board": self._board,
            "replies": self.replies,
            "stages": {name: pid for name, pid in pids.items() if name in _OURS},
            "servers": {name.lower(): pid for name, pid in pids.items() if name not in _OURS},
            "restarts": {name.lower(): times for name, times in self._supervisor.restarts().items()},
            "metrics": self._metrics,
        }
        try:
            write_private(self._settings.data / RUN_FILE, content)
        except LocalStackError as error:
            if self._is_written:
                self._say(f"{error}; until it can be, commands may not find what runs")
            self._is_written = False
        else:
            self._is_written = True

    def _end(self) -> None:
        if self._contracts is not None:
            self._contracts.close()
        forget(self._settings.data)
        for name in (RUN_FILE, NETRC_FILE):
            with contextlib.suppress(OSError):
                (self._settings.data / name).unlink(missing_ok=True)
        # Stages first: they commit what they have while the servers still answer.
        self._supervisor.end(_OURS, seconds=_END_SECONDS)
        if self._stack is not None:
            self._stack.stop()
        self._folder.release()


def _netrc(url: str) -> str:
    """What curl and the like read instead of a password on their command line."""
    store = urlsplit(url)
    if store.username is None:
        return ""
    password = unquote(store.password or "")
    return f"machine {store.hostname}\nlogin {unquote(store.username)}\npassword {password}\n"


def _ledger_key(settings: Settings) -> Path:
    """The key that signs the ledger: the one that is set, else the data folder's own, made once."""
    from sinks.ledger.format.keys import make_keys

    if settings.ledger_key is not None:
        return settings.ledger_key
    file = settings.data / LEDGER_KEY_FILE
    if not file.exists():
        make_keys(file, f"seamwatch.local/{secrets.token_hex(4)}")
    return file
