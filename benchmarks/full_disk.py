"""A full disk under a running system: `seamwatch up` says so, lives, goes on when there is room, and has lost nothing.

    python -m benchmarks.full_disk [FOLDER] [--seconds 60]

FOLDER lies on a small file system of its own (a tmpfs of 260 MB will do); without one a tmpfs is mounted, which takes
root. The disk is filled while events come in, kept full for a while, and emptied; then every event must be on
record, and the ledger verified.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from seamwatch import Emitter

MIB = 1024 * 1024
PATIENCE_SECONDS = 240.0
EVENTS = 600


@contextlib.contextmanager
def small_disk() -> Iterator[Path]:
    """A tmpfs of 260 MB, mounted for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="seamwatch-full-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=260m", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def run(disk: Path, seconds: float) -> None:
    """Fill the disk under a system, and see it go on."""
    data, said = disk / "data", Path(tempfile.mkdtemp()) / "up.txt"
    environment = {
        name: value for name, value in os.environ.items()
        if name not in ("KAFKA_BOOTSTRAP_SERVERS", "CLICKHOUSE_URL") and not name.startswith("SEAMWATCH_")
    }  # fmt: skip
    with said.open("wb") as output:
        up = subprocess.Popen(
            [sys.executable, "-m", "console.app", "up", "--data", str(data)], stdout=output, stderr=output,
            env=environment,
        )  # fmt: skip
    spool = tempfile.mkdtemp(prefix="seamwatch-spool-")
    try:
        _wait(lambda: "everything is running" in said.read_text(), up, said)
        kafka = json.loads((data / "run.json").read_text())["kafka"]
        emitter = Emitter("full-disk", bootstrap=kafka, spool=Path(spool))
        _emit(emitter, EVENTS // 3)
        assert emitter.flush(30) == 0
        _fill(disk / "ballast")
        _emit(emitter, EVENTS // 3)
        print(f"disk full, {seconds:.0f} s with it", flush=True)
        time.sleep(seconds)
        assert up.poll() is None, said.read_text()
        (disk / "ballast").unlink()
        print("room again", flush=True)
        _emit(emitter, EVENTS // 3)
        _wait(lambda: emitter.flush(5) == 0, up, said)
        emitter.close()
        _wait(lambda: _recorded(data) >= EVENTS, up, said)
        verified = _command(data, "verify", "--json")
        assert verified.returncode == 0, verified.stdout
        rows, lost = _recorded(data, "count()"), EVENTS - _recorded(data)
        assert lost == 0, f"{lost} events are not recorded"
        _wait(lambda: not _problems(data), up, said)
        lines = [line for line in said.read_text().splitlines() if "disk" in line or "Kafka" in line]
        print("\n".join(lines), f"{EVENTS} events in {rows} rows; {verified.stdout.strip()}", sep="\n")
        up.send_signal(signal.SIGINT)
        assert up.wait(30) == 0, said.read_text()
    finally:
        up.kill()
        up.wait()


def _emit(emitter: Emitter, count: int) -> None:
    for _ in range(count):
        emitter.inference(
            system="full-disk", version="1", use_case="test", score=0.5, attributes={"pad": os.urandom(10_000).hex()}
        )


def _fill(ballast: Path) -> None:
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(MIB // 16))


def _command(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "console.app", words[0], "--data", str(data), *words[1:]]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _recorded(data: Path, what: str = "uniqExact(event_id)") -> int:
    answer = _command(data, "sql", f"SELECT {what} FROM inference", "--format", "TSV")
    return int(answer.stdout) if answer.returncode == 0 else 0


def _problems(data: Path) -> list[str]:
    """What is wrong still; that a stage had to be started again and again is told for ten minutes."""
    found = [json.loads(line) for line in _command(data, "doctor", "--json").stdout.splitlines()]
    wrong = [f"{one['subject']}: {one['found']}" for one in found if one["verdict"] == "problem"]
    return [problem for problem in wrong if "started again" not in problem] if found else ["doctor says nothing"]


def _wait(condition: Callable[[], bool], up: subprocess.Popen[bytes], said: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert up.poll() is None, f"up has ended: {said.read_text()}"
        assert time.monotonic() < until, f"it did not happen in time: {said.read_text()}"
        time.sleep(1)


def main() -> None:
    """Run it and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="folder on a small file system of its own, to be filled")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the disk stays full")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as ends:
        run(arguments.folder or ends.enter_context(small_disk()), arguments.seconds)


if __name__ == "__main__":
    main()
