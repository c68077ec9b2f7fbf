"""All figures of docs/performance.md in one run on this machine: `make bench`, or `python -m benchmarks`.

Starts a broker and a store of its own in a temporary folder, unless KAFKA_BOOTSTRAP_SERVERS and CLICKHOUSE_URL name
others; the latency is always measured on a whole system of its own. Takes about three minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import tempfile
from pathlib import Path

from benchmarks import latency, measure, record
from console.status import progress
from seamwatch.log import configure
from seamwatch.settings import load_settings
from stack.local import LocalStack


def main() -> None:
    """Run them one after another and print as each is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="events of the rates")
    parser.add_argument("--rate", type=int, default=20_000, help="events a second of the latency")
    parser.add_argument("--seconds", type=int, default=20, help="length of the latency")
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}", flush=True)
    # What the stages log in this process goes to stderr, and only what is wrong: stdout is the table's.
    configure(load_settings(log_level="warning"))
    with progress() as say:
        with contextlib.ExitStack() as ends:
            say("starting a broker and a store")
            folder = ends.enter_context(tempfile.TemporaryDirectory(prefix="seamwatch-bench-"))
            addresses = ends.enter_context(LocalStack(Path(folder), load_settings(data=Path(folder))))
            say("measure, beside a raw consumer, a plain loop and Faust")
            print(measure.measure(addresses.kafka, arguments.events), flush=True)
            say("record, with and without a ledger, beside a raw consumer")
            print(f"record: {record.measure(addresses.kafka, addresses.clickhouse, arguments.events)}", flush=True)
        say("from produce to violation, in a whole system")
        print(latency.measure(arguments.rate, arguments.seconds), flush=True)


if __name__ == "__main__":
    main()
