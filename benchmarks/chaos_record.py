"""kill -9 of recorders, broker and store, over and over in the middle of a run, and then an account of every record.

    python -m benchmarks.chaos_record [--events 2000000] [--kills 60] [--seed 1]

Two recorders share the partitions of a broker and a store of their own. While events, poison, repeated events and
aborted transactions are produced, the recorders are killed at random instants, one in every few is stopped for longer
than the session time-out and wakes up stale, the broker and the store are killed and started again, and answers of
the store are cut off. At last a recorder is killed before each of its steps, and before the answer to each. The store
must have each record of the topics as one row, with its bytes, and nothing else; the commits must tile the offsets;
the ledger must verify with the public key. Exits 1 when anything does not add up.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from benchmarks.record_account import account
from benchmarks.workload import inferences
from bus import clients
from seamwatch.clauses import kinds
from seamwatch.settings import load_settings
from seamwatch.wire.topics import Topics
from sinks.ledger.format.keys import make_keys, public_file
from sinks.store.migrate import migrate
from stack.clickhouse.process import ClickHouseServer
from stack.kafka.server import KafkaServer
from stack.local import LocalStack
from tests.sinks.estate import Estate, Proxy, Stage, committed
from tests.sinks.store.steps import STEPS, Nursery, killed_at
from tests.waiting import wait_for

PARTITIONS = 4
RECORD = "from seamwatch.settings import load_settings; from sinks.record.stage import run; run(load_settings())"
VERIFY = [sys.executable, "-c", "from console.app import main; main()", "verify"]
STALE_SECONDS = 12.0  # the group's session time-out is 10 s
CATCH_UP_SECONDS = 300.0


@dataclass
class Done:
    """What was done to the run."""

    kills: int = 0
    in_open_range: int = 0
    stops: int = 0
    broker: int = 0
    store: int = 0
    answers_cut: int = 0
    steps: int = 0
    records: int = 0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills of a recorder ({self.in_open_range} in an open range), {self.stops} stopped for "
            f"{STALE_SECONDS:.0f} s, {self.broker} of the broker, {self.store} of the store, "
            f"{self.answers_cut} answers cut off, {self.steps} kills at each step in turn"
        )


@dataclass
class Feed:
    """Produces events, some of them twice, with poison and aborted transactions among them; from one thread."""

    kafka: str
    topics: Topics
    chance: random.Random
    events: Iterator[tuple[bytes, bytes]]
    sent: int = 0
    _producer: Producer = field(init=False)
    _aborting: Producer = field(init=False)

    def __post_init__(self) -> None:
        own = {"linger.ms": 20, "enable.idempotence": True, "log_level": 0}
        self._producer = clients.producer(self.kafka, {**own, "queue.buffering.max.messages": 2_000_000})
        self._aborting = clients.producer(self.kafka, {**own, "transactional.id": f"{self.topics.prefix}-aborting"})
        self._aborting.init_transactions(30)

    def send(self, events: int) -> None:
        """Produce so many records that count, and a transaction that does not."""
        topic, chance = self.topics.input("inference"), self.chance
        poison = [b"junk", b"", b"\xc3\x01" + b"\0" * 30]
        left = events
        while left:
            key, value = next(self.events)
            drawn = chance.random()
            if drawn < 0.002:
                value = chance.choice([*poison, value + value, value[:-3]])
            for _ in range(min(left, 2 if drawn > 0.99 else 1)):  # an event that its producer sends twice is two
                self._producer.produce(topic, value, key=key, partition=left % PARTITIONS)
                left -= 1
            if not left % 5_000:
                self._producer.poll(0)
        self.sent += events
        self._aborting.begin_transaction()
        for partition in range(PARTITIONS):
            self._aborting.produce(topic, b"aborted", partition=partition)
        self._aborting.flush(5)
        self._aborting.abort_transaction(30)

    def finish(self) -> None:
        """Return when all of it has arrived."""
        left = self._producer.flush(120)
        assert not left, f"{left} records never arrived"


class Recorders:
    """Two recorder processes, each started again when it ends by itself, as a supervisor does."""

    def __init__(self, estate: Estate, key: Path) -> None:
        self._stages = {
            name: Stage(RECORD, {**estate.environment, "SEAMWATCH_INSTANCE": name, "SEAMWATCH_LEDGER_KEY": str(key)})
            for name in "ab"
        }
        self._stopped: set[str] = set()

    def look(self) -> None:
        """Start again what has ended by itself."""
        for stage in self._stages.values():
            if stage.process.poll() is not None:
                stage.start()

    def kill(self, names: str) -> None:
        """End these by kill -9, and start them again."""
        for name in names:
            self._stages[name].kill()
            self._stopped.discard(name)
        for name in names:
            self._stages[name].start()

    def stop_for_a_while(self, name: str) -> None:
        """SIGSTOP, and SIGCONT after its partitions have gone to the other."""
        process = self._stages[name].process
        process.send_signal(signal.SIGSTOP)
        self._stopped.add(name)

        def wake() -> None:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
            self._stopped.discard(name)

        threading.Timer(STALE_SECONDS, wake).start()

    @property
    def awake(self) -> list[str]:
        """Those that are not stopped."""
        return [name for name in self._stages if name not in self._stopped]

    def end(self) -> None:
        """SIGTERM to all of them."""
        for stage in self._stages.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                stage.process.send_signal(signal.SIGCONT)
                stage.end()


def run(events: int, kills: int, seed: int) -> Done:
    """Do it, and raise AssertionError with what does not add up."""
    chance, done = random.Random(seed), Done()
    with contextlib.ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="seamwatch-chaos-")))
        stack = LocalStack(folder, load_settings(data=folder, kafka=None, clickhouse=None))
        addresses = ends.enter_context(stack)
        broker = next(server for server in stack.servers if isinstance(server, KafkaServer))
        store = next(server for server in stack.servers if isinstance(server, ClickHouseServer))
        topics = Topics("chaos")
        create_topics(addresses.kafka, topics)
        migrate(addresses.clickhouse)
        make_keys(folder / "ledger.key", "chaos.example.org/ledger")
        proxy = Proxy(addresses.clickhouse)
        ends.callback(proxy.close)
        estate = Estate(addresses.kafka, addresses.clickhouse, topics)
        feed = Feed(addresses.kafka, topics, chance, inferences(10**9, seed))
        recorders = Recorders(Estate(addresses.kafka, proxy.url, topics), folder / "ledger.key")
        ends.callback(recorders.end)
        begun = time.monotonic()
        for turn in range(kills):
            feed.send(events // kills if turn else events - events // kills * (kills - 1))
            proxy.delay = chance.choice([0.0, 0.02, 0.1])
            _turn(turn, chance, done, recorders, estate, proxy, broker, store)
            if turn % 10 == 9:
                print(f"{turn + 1} of {kills} turns, {feed.sent:,} events, {_took(begun)}", flush=True)
        proxy.delay = 0.0
        feed.finish()
        _settle(estate, recorders, feed.sent)
        recorders.end()
        done.answers_cut = proxy.cut
        print(f"all recorded after {_took(begun)}; comparing row by row", flush=True)
        account(estate)
        _verify(estate, public_file(folder / "ledger.key"))
        done.steps = _every_step(estate, feed, folder / "ledger.key")
        account(estate)
        _verify(estate, public_file(folder / "ledger.key"))
        done.records = feed.sent
    return done


def _every_step(estate: Estate, feed: Feed, key: Path) -> int:
    """Kill a recorder before each of its steps, and before the answer to each; returns how many times."""
    nursery, killed = Nursery(estate, SEAMWATCH_LEDGER_KEY=str(key)), 0
    for step, mark in STEPS.items():
        for answered in (False, True):
            feed.send(4_000)
            feed.finish()
            killed_at(estate, nursery, mark, answered=answered, events=feed.sent)
            killed += 1
            print(f"killed at: {step}{', its answer' if answered else ''}", flush=True)
    nursery.close()
    return killed


def _turn(
    turn: int,
    chance: random.Random,
    done: Done,
    recorders: Recorders,
    estate: Estate,
    proxy: Proxy,
    broker: KafkaServer,
    store: ClickHouseServer,
) -> None:
    """One kill at an instant of chance, and now and then something worse."""
    recorders.look()
    if turn % 12 == 5:
        recorders.stop_for_a_while(chance.choice(recorders.awake))
        done.stops += 1
    if turn % 10 == 3:
        proxy.cut_answers = 3
    if turn % 15 == 7:
        _killed(broker)
        broker.start()
        broker.wait()
        done.broker += 1
    if turn % 15 == 11:
        _killed(store)
        time.sleep(chance.random() * 4)
        store.start()
        store.wait()
        done.store += 1
    until = time.monotonic() + 4
    if turn % 3:  # aim at an open range; otherwise wherever it happens to be: starting, joining, idle
        while not (hit := _is_open(estate)) and time.monotonic() < until:
            recorders.look()
        time.sleep(chance.random() * 0.1)
    else:
        time.sleep(chance.random() * 3)
        hit = _is_open(estate)
    awake = recorders.awake
    victims = "".join(awake) if turn % 5 == 4 else chance.choice(awake)
    recorders.kill(victims)
    done.kills += len(victims)
    done.in_open_range += hit


def create_topics(kafka: str, topics: Topics) -> None:
    """Make every topic of a prefix."""
    admin = clients.admin(kafka)
    specs = topics.specs(kinds(), PARTITIONS)
    for future in admin.create_topics([NewTopic(s.name, s.partitions, 1, config=s.settings) for s in specs]).values():
        future.result(30)


def _killed(server: KafkaServer | ClickHouseServer) -> None:
    assert server.process is not None
    server.process.kill()
    server.process.wait(10)


def _is_open(estate: Estate) -> bool:
    ends = "(SELECT topic, partition, max(next_offset) AS at FROM {} GROUP BY topic, partition) AS {}"
    intended, done = ends.format("ledger_intent", "intended"), ends.format("ledger_commit", "done")
    joined = f"{intended} LEFT JOIN {done} USING (topic, partition)"
    return bool(estate.rows(f"SELECT count() AS open FROM {joined} WHERE intended.at > done.at")[0]["open"])


def _settle(estate: Estate, recorders: Recorders, events: int) -> None:
    def all_of_it() -> bool:
        recorders.look()
        time.sleep(0.2)
        return committed(estate) >= events

    wait_for(all_of_it, f"recording {events:,} records", patience=CATCH_UP_SECONDS)


def _verify(estate: Estate, key: Path) -> None:
    environment = {**os.environ, **estate.environment}
    answer = subprocess.run(
        [*VERIFY, "--key", str(key)], env=environment, capture_output=True, text=True, timeout=1200, check=False
    )
    assert answer.returncode == 0, f"the ledger does not verify: {answer.stdout}{answer.stderr}"
    print(answer.stdout.strip(), flush=True)


def _took(begun: float) -> str:
    return f"{time.monotonic() - begun:.0f} s"


def main() -> None:
    """Run it and say what was accounted for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--kills", type=int, default=60, help="turns of the run; each kills one recorder or both")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10_000)
    arguments = parser.parse_args()
    print(f"{arguments.events:,} events, {arguments.kills} turns, seed {arguments.seed}", flush=True)
    done = run(arguments.events, arguments.kills, arguments.seed)
    print(f"{done.records:,} records, each one row with its bytes, through {done}")


if __name__ == "__main__":
    main()
