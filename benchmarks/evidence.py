"""What the evidence of one system takes over a record of millions: its card, its dossier, and the check of that.

    python -m benchmarks.evidence [--rows 3000000]

Records documents and decisions of forty systems through the recorder's own writer into a ClickHouse of its own in a
temporary folder, as `benchmarks.verify` does, and runs the commands as somebody types them, each a process of its own.
Beside each stands the ratio to the time in which the same client reads that system's decisions alone, whole.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from confluent_kafka import Message

from benchmarks import workload
from benchmarks.verify import SYSTEMS, TOPICS, fill, record
from bus.batches import PartitionMessages
from console.reach import LEDGER_KEY_FILE
from console.status import progress
from seamwatch.clock import SystemClock
from seamwatch.documents import documents_of, load_folder, published
from seamwatch.instants import format_instant
from seamwatch.settings import load_settings
from sinks.ledger.format.keys import make_keys, read_signer
from sinks.ledger.format.notes import SignerKey
from sinks.store.client import Store
from sinks.store.migrate import migrate
from stack.local import LocalStack

_ELSEWHERE: Final = "127.0.0.1:9"
_SYSTEM: Final = "system-7"
_DAY: Final = 86_400_000_000


def main() -> None:
    """Record, run each command, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_000_000)
    arguments = parser.parse_args()
    with progress() as say, tempfile.TemporaryDirectory(prefix="seamwatch-evidence-") as temporary:
        folder = Path(temporary)
        settings = load_settings(data=folder).model_copy(update={"kafka": _ELSEWHERE, "clickhouse": None})
        with LocalStack(folder, settings) as addresses:
            migrate(addresses.clickhouse)
            make_keys(folder / LEDGER_KEY_FILE, "ledger.example.org")
            key = read_signer(folder / LEDGER_KEY_FILE)
            say(f"recording {arguments.rows:,} decisions of {SYSTEMS} systems")
            _publish(addresses.clickhouse, key, folder)
            fill(addresses.clickhouse, key, arguments.rows, 50_000)
            say("reading one system's decisions")
            rows, plain = _plain(addresses.auditor)
            print(f"{rows:,} decisions of {_SYSTEM} among {arguments.rows:,}: read alone, whole, in {plain:.2f} s")
            begun = time.perf_counter()
            _run(folder, addresses.auditor, "--version")
            print(f"a command that does nothing: {time.perf_counter() - begun:.2f} s")
            for words, codes in _commands():
                say("seamwatch " + " ".join(words))
                begun = time.perf_counter()
                code = _run(folder, addresses.auditor, *words)
                took = time.perf_counter() - begun
                if code not in codes:
                    raise SystemExit(f"seamwatch {' '.join(words)}: exit {code}")
                print(f"seamwatch {' '.join(words[:3])}: {took:.2f} s, {took / plain:.1f} times that of reading them")


def _publish(url: str, key: SignerKey, folder: Path) -> None:
    """Record the documents, as the recorder does."""
    contracts = folder / "contracts"
    contracts.mkdir()
    workload.write(contracts)
    estate, problems = load_folder(contracts)
    assert estate is not None, problems
    now = SystemClock().now()
    messages = [
        Message(TOPICS.contracts, 0, number, key=name.encode(), value=value, timestamp=(1, now // 1000))
        for number, (name, value) in enumerate(published(documents_of(estate), now))
    ]
    place = (TOPICS.contracts, 0)
    record(url, key, [place], [PartitionMessages(*place, messages)])


def _plain(url: str) -> tuple[int, float]:
    """How many decisions the system has, and the seconds to read them whole."""
    begun = time.perf_counter()
    with Store(url) as store:
        read = store.frame("SELECT * FROM inference WHERE system = {system:String}", {"system": _SYSTEM})
    took = time.perf_counter() - begun
    if read.is_empty():
        raise AssertionError("its decisions are not on record")
    return len(read), took


def _commands() -> list[tuple[list[str], tuple[int, ...]]]:
    """Each command with the exit codes that are as they must be: nobody has answered for what is asked of them."""
    now = SystemClock().now()
    period = ["--from", format_instant(now - _DAY), "--to", format_instant(now + _DAY)]
    public = f"{LEDGER_KEY_FILE}.pub"
    return [
        (["card", _SYSTEM, "--out", "card.html"], (0,)),
        (["readiness", _SYSTEM], (0, 1)),
        (["unjudged", _SYSTEM], (0, 1)),
        (["evidence", "--system", _SYSTEM, *period, "--out", "dossier.zip"], (0, 1)),
        (["verify", "--bundle", "dossier.zip", "--key", public], (0,)),
    ]


def _run(folder: Path, url: str, *words: str) -> int:
    """Run a command in the folder, on its store alone; its exit code."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("SEAMWATCH_", "KAFKA_"))}
    done = subprocess.run(
        [sys.executable, "-m", "console.app", *words], cwd=folder, check=False, stdout=subprocess.DEVNULL,
        env={**own, "CLICKHOUSE_URL": url, "SEAMWATCH_DATA": str(folder), "SEAMWATCH_PREFIX": TOPICS.prefix},
    )  # fmt: skip
    return done.returncode


if __name__ == "__main__":
    main()
