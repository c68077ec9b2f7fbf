"""kill -9 of measure and judge, over and over in the middle of a run, and then an account of every event.

    python -m benchmarks.chaos [--events 200000] [--kills 20] [--seed 1]

The short one of `make test` (tests/streams/test_chaos.py), longer: each event must be in the facts exactly once,
each breach too, and each violation opened once. Starts a broker of its own unless KAFKA_BOOTSTRAP_SERVERS names one.
Exits 1, with what does not add up, when it does not.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from pathlib import Path

from seamwatch.settings import load_settings
from stack.local import LocalStack
from tests.streams.stages import PEOPLE, RANGE, Scene, contract
from tests.streams.test_chaos import account, feed


def main() -> None:
    """Run it and say what was accounted for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10_000)
    arguments = parser.parse_args()
    settings = load_settings()
    with contextlib.ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="seamwatch-chaos-")))
        wanted = load_settings(data=folder, clickhouse="127.0.0.1:9")
        kafka = settings.kafka or ends.enter_context(LocalStack(folder, wanted)).kafka
        scene = Scene(kafka, folder / "documents")
        ends.callback(scene.close)
        ends.callback(scene.end)
        scene.publish(PEOPLE, contract(RANGE))
        scene.start("measure")
        scene.start("judge")
        time.sleep(3)
        print(f"{arguments.events:,} events, {arguments.kills} kills, seed {arguments.seed}", flush=True)
        feed(scene, arguments.events, arguments.kills, [("measure", "a"), ("judge", "a")], arguments.seed)
        scene.caught_up("measure")
        account(scene, arguments.events)
    print("every event, breach and violation accounted for, once each")


if __name__ == "__main__":
    main()
