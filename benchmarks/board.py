"""How quickly the board shows each page over a large store, and what open pages cost: `make bench-board`.

    python -m benchmarks.board [--decisions 100000000] [--systems 500] [--people 20] [--seconds 10] [--open 200]

Fills a store as `make bench-store` does, starts a broker with the documents and the open episodes of that store on its
topics and the board as `seamwatch run board` does, and has so many people ask for one page after the other, each of
another system, episode or decision. A page is what comes first; what it loads afterwards in its own fragments is
measured beside it. Then so many pages are held open, and the memory of the board is compared. The limit beside each
figure is the one the board is built for.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from statistics import quantiles
from typing import Final
from urllib.parse import urlsplit

from benchmarks.store import OPEN, documents, load, merged
from board.security.links import new_link
from bus import clients
from bus.documents import publish_folder
from bus.topics import create_topics
from console.status import progress
from seamwatch.judging.model.facts import Violation
from seamwatch.judging.records import violation_record
from seamwatch.settings import load_settings
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from sinks.store.client import Store
from sinks.store.migrate import migrate
from stack.local import LocalStack

_PAGE_LIMIT: Final = 0.3
_MEMORY_LIMIT: Final = 200e6
_FRAGMENT: Final = re.compile(r'hx-get="([^"]+)"[^>]*hx-trigger="load')
_START_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Served:
    """A board that runs: where, the process, and the cookie of somebody who is signed in."""

    host: str
    port: int
    process: subprocess.Popen[bytes]
    cookie: str

    def get(self, connection: http.client.HTTPConnection, path: str) -> str:
        """Ask for a path; its HTML. Raises RuntimeError for any other status than 200."""
        connection.request("GET", path, headers={"Cookie": self.cookie, "Host": f"{self.host}:{self.port}"})
        answer = connection.getresponse()
        body = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}: {body[-500:]}")
        return body


def main() -> None:
    """Load, serve, ask, hold open, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=100_000_000)
    parser.add_argument("--systems", type=int, default=500)
    parser.add_argument("--people", type=int, default=20, help="how many ask at once")
    parser.add_argument("--seconds", type=float, default=10, help="for how long each page is asked for")
    parser.add_argument("--open", type=int, default=200, help="how many pages are held open")
    arguments = parser.parse_args()
    with progress() as say, tempfile.TemporaryDirectory(prefix="seamwatch-bench-board-") as temporary:
        folder = Path(temporary)
        settings = load_settings(data=folder).model_copy(update={"kafka": None, "clickhouse": None})
        say("starting a broker and a store")
        with LocalStack(folder, settings) as addresses, Store(addresses.clickhouse, timeout=3600) as store:
            migrate(addresses.clickhouse)
            create_topics(addresses.kafka, settings.prefix, 1)
            publish_folder(addresses.kafka, settings.prefix, _folder(folder, arguments.systems))
            _open(addresses.kafka, Topics(settings.prefix), arguments.systems)
            say(f"loading {arguments.decisions:,} decisions")
            load(store, arguments.decisions, arguments.systems)
            merged(store)
            names = _names(store, arguments.systems)
            say("starting the board")
            with _board(folder, addresses.kafka, addresses.auditor) as served:
                _report(served, names, arguments.people, arguments.seconds)
                _report_open(served, arguments.open)


def _folder(data: Path, systems: int) -> Path:
    """The documents of the store, as files."""
    folder = data / "contracts"
    folder.mkdir()
    texts = (json.dumps(document) for document in documents(systems))
    (folder / "all.yaml").write_text("\n---\n".join(texts) + "\n", "utf-8")
    return folder


def _open(kafka: str, topics: Topics, systems: int) -> None:
    """The episodes that are open in the store, on the topic from which the board has them."""
    codec, producer, now = Codec(), clients.producer(kafka, {}), time.time_ns() // 1_000
    for number in range(OPEN):
        violation = Violation(
            violation_id=f"{number:08}-v", contract=f"seam-{number % systems:04}", contract_version="1",
            contract_digest="", clause="shape", kind="distribution", system=f"system-{number % systems:04}", slice=None,
            severity="breach", state="open", observed=0.071, limit=0.02, unit="share", summary="the scores have moved",
            opened_at=now, since=None, detected_at=now, person="owner@example.org",
        )  # fmt: skip
        value = codec.encode("violation", violation_record(violation))
        producer.produce(topics.violations("distribution"), value, violation.violation_id.encode())
    if producer.flush(30):
        raise RuntimeError("the broker does not take the episodes")


def _names(store: Store, systems: int) -> dict[str, list[str]]:
    """What pages are asked of, by page."""
    events = store.rows("SELECT event_id, trace_id FROM inference WHERE trace_id IS NOT NULL ORDER BY rand() LIMIT 200")
    numbers = range(systems)
    return {
        "on call": ["/?whose=all"],
        "episode": [f"/episodes/{number:08}-v" for number in range(OPEN)],
        "system": [f"/systems/system-{number:04}" for number in numbers],
        "contract": [f"/contracts/seam-{number:04}" for number in numbers],
        "inventory": ["/inventory"],
        "changes": ["/changes"],
        "drift": ["/drift"],
        "compliance": ["/compliance"],
        "audit": ["/audit"],
        "why": [f"/audit/why/{row['event_id']}" for row in events],
        "trail": [f"/audit/trail/{row['trace_id']}" for row in events],
    }


@contextmanager
def _board(data: Path, kafka: str, auditor: str) -> Iterator[Served]:
    environment = {
        **os.environ, "KAFKA_BOOTSTRAP_SERVERS": kafka, "SEAMWATCH_AUDITOR_URL": auditor, "CLICKHOUSE_URL": auditor,
        "SEAMWATCH_DATA": str(data), "SEAMWATCH_BOARD_PORT": str(_free()), "SEAMWATCH_LOG_FORMAT": "json",
    }  # fmt: skip
    port = int(environment["SEAMWATCH_BOARD_PORT"])
    with (data / "board.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "console.app", "run", "board"], env=environment, stderr=log)
    try:
        yield Served("127.0.0.1", port, process, _signed_in(data, port, process))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _free() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _signed_in(data: Path, port: int, process: subprocess.Popen[bytes]) -> str:
    link = urlsplit(new_link(data, f"http://127.0.0.1:{port}"))
    until = time.monotonic() + _START_SECONDS
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", f"{link.path}?{link.query}")
            cookie = connection.getresponse().getheader("set-cookie") or ""
            return cookie.partition(";")[0]
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((data / "board.log").read_text()) from None
            time.sleep(0.2)
        finally:
            connection.close()


def _report(served: Served, names: dict[str, list[str]], people: int, seconds: float) -> None:
    print(f"{'page, ' + str(people) + ' people at once':<32}{'asked':>8}{'p50':>10}{'p95':>10}{'limit':>10}")
    for name, paths in names.items():
        fragments = _fragments(served, paths[0])
        _line(name, _times(served, paths, people, seconds), _PAGE_LIMIT)
        for fragment in fragments:
            _line(f"  then {fragment.partition('?')[0]}", _times(served, [fragment], people, seconds / 2), None)


def _fragments(served: Served, path: str) -> list[str]:
    connection = http.client.HTTPConnection(served.host, served.port, timeout=120)
    try:
        return [unescape(found) for found in _FRAGMENT.findall(served.get(connection, path))]
    finally:
        connection.close()


def _times(served: Served, paths: Sequence[str], people: int, seconds: float) -> list[float]:
    """How long each answer took, of so many people who ask one after the other for so long; each at least once."""
    taken: list[float] = []
    failed: list[BaseException] = []
    end = time.monotonic() + seconds

    def person(number: int) -> None:
        source = random.Random(number)
        connection = http.client.HTTPConnection(served.host, served.port, timeout=120)
        try:
            while True:
                begun = time.monotonic()
                served.get(connection, source.choice(paths))
                taken.append(time.monotonic() - begun)
                if time.monotonic() > end:
                    return
        except (RuntimeError, OSError) as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=person, args=(number,)) for number in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return taken


def _line(name: str, seconds: list[float], limit: float | None) -> None:
    cuts = quantiles(seconds, n=20, method="inclusive")
    verdict = "" if limit is None else f"{limit * 1000:>7.0f} ms  {'met' if cuts[18] < limit else 'MISSED'}"
    print(f"{name:<32}{len(seconds):>8,}{cuts[9] * 1000:>7.0f} ms{cuts[18] * 1000:>7.0f} ms{verdict}", flush=True)


def _report_open(served: Served, number: int) -> None:
    before = _resident(served.process.pid)
    held = []
    for _ in range(number):
        connection = http.client.HTTPConnection(served.host, served.port, timeout=60)
        connection.request("GET", "/live", headers={"Cookie": served.cookie})
        answer = connection.getresponse()
        assert answer.readline().startswith(b"event: hello"), answer.status
        held.append(connection)
    cost = _resident(served.process.pid) - before
    verdict = "met" if cost < _MEMORY_LIMIT else "MISSED"
    print(f"{number} pages held open: {cost / 1e6:,.1f} MB more, limit {_MEMORY_LIMIT / 1e6:.0f} MB  {verdict}")
    for connection in held:
        connection.close()


def _resident(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
