"""Under pressure: what the store cannot take for a while is waited out and shown; what it will never take is said."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from seamwatch.settings import load_settings
from sinks.decoding import decoding
from sinks.record.metrics import Metrics
from sinks.record.stage import Recorder
from sinks.store.refusals import StoreRefusedError
from tests.sinks.estate import Estate, Proxy, assert_recorded, committed, estate
from tests.sinks.samples import CODEC, encoded
from tests.waiting import PATIENCE, wait_for


@pytest.fixture
def own(kafka: str, clickhouse: str) -> Iterator[Estate]:
    with estate(kafka, clickhouse) as made:
        yield made


def fill(own: Estate, events: int) -> None:
    producer = own.producer()
    for number in range(events):
        producer.produce(own.topics.input("inference"), encoded(number=number))
    assert producer.flush(PATIENCE) == 0


@dataclass
class Watched:
    """A recorder in a thread of its own, and what it shows of itself."""

    own: Estate
    url: str
    port: int = field(default_factory=lambda: _free_port())
    ended: list[StoreRefusedError] = field(default_factory=list)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=PATIENCE) as answer:
            lines = answer.read().decode().splitlines()
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith(f"seamwatch_record_{name}") and all(label in line for label in wanted)
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        recorder = Recorder(
            self.own.kafka,
            self.url,
            self.own.topics,
            decoding(CODEC, load_settings().clock()),
            metrics=Metrics(self.port),
        )

        def run() -> None:
            try:
                recorder.run()
            except StoreRefusedError as error:
                self.ended.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            recorder.stop()
            thread.join(PATIENCE)
            assert not thread.is_alive()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("code", "setting"),
    [("243", "min_free_disk_bytes_to_perform_insert = 1000000000000000"), ("252", "max_parts_in_total = 1")],
    ids=["full disk", "too many parts"],
)
def test_what_passes_is_waited_out_and_seen_in_the_metrics(own: Estate, code: str, setting: str) -> None:
    watched = Watched(own, own.url)
    with watched.running():
        fill(own, 100)
        wait_for(lambda: committed(own) == 100, "recording")
        with own.store() as store:
            store.command(f"ALTER TABLE inference MODIFY SETTING {setting}")
        fill(own, 100)
        wait_for(lambda: watched.metric("retries_total", code=code) > 1, "a refusal")
        wait_for(lambda: watched.metric("lag", topic=own.topics.input("inference")) == 100, "the lag")
        assert committed(own) == 100
        with own.store() as store:
            store.command(f"ALTER TABLE inference RESET SETTING {setting.partition(' =')[0]}")
        wait_for(lambda: committed(own) == 200, "catching up")
        wait_for(lambda: watched.metric("lag") == 0, "no lag")
        assert watched.metric("rows_total") == 200
    assert_recorded(own)


def test_slow_inserts_hold_back_reading_and_lose_nothing(own: Estate) -> None:
    proxy = Proxy(own.url)
    watched = Watched(own, proxy.url)
    with watched.running():
        fill(own, 1_000)
        wait_for(lambda: committed(own) == 1_000, "recording")
        proxy.delay = 1.0
        for _ in range(3):
            fill(own, 500)
        wait_for(lambda: watched.metric("buffered_rows") > 0, "rows that wait")
        proxy.delay = 0.0
        wait_for(lambda: committed(own) == 2_500, "catching up")
        assert watched.metric("retries_total") == 0
    proxy.close()
    assert_recorded(own)


def test_a_block_that_is_refused_stops_it_with_a_way_out_and_goes_in_once_the_table_is_mended(own: Estate) -> None:
    watched = Watched(own, own.url)
    with own.store() as store:
        store.command("ALTER TABLE inference DROP COLUMN confidence")
    with watched.running():
        fill(own, 100)
        wait_for(lambda: bool(watched.ended), "its end")
    said = str(watched.ended[0])
    assert f"the store will not take block {own.topics.input('inference')}" in said
    assert "rows of inference" in said
    assert "nothing of it is lost" in said
    assert 'docs/store.md, "When the store refuses a block"' in said
    with own.store() as store:
        store.command("ALTER TABLE inference ADD COLUMN confidence Nullable(Float64) AFTER score")
    with Watched(own, own.url).running():
        wait_for(lambda: committed(own) == 100, "recording after all")
    assert_recorded(own)
