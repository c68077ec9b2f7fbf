"""However a process ends in order, its events are sent or on disk; what a kill takes is counted by whoever comes next.

The processes are real ones: of multiprocessing by each way of starting, of Gunicorn and of Celery. There is no broker,
so that everything which survives is in the spool, where it is counted.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from seamwatch import Emitter
from seamwatch.sdk.spool import Spool
from seamwatch.sdk.tally import Tally, lost_by_the_dead
from tests.waiting import PATIENCE, wait_for

NOWHERE = "127.0.0.1:1"
EACH = 50

CHILDREN = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
from seamwatch import Emitter

OURS = Emitter("{producer}", delivery_timeout=1)

def report(how):
    emitter = OURS if how.startswith("inherited") else Emitter("{producer}", delivery_timeout=1)
    for number in range({each}):
        emitter.inference(system="s", version="1", use_case=how)

if __name__ == "__main__":
    method = sys.argv[1]
    multiprocessing.set_start_method(method)
    if method == "fork":
        OURS.inference(system="s", version="1", use_case="parent")
    for how in ("inherited-process", "own-process"):
        children = [multiprocessing.Process(target=report, args=(how,)) for _ in range(2)]
        [child.start() for child in children]
        [child.join() for child in children]
        assert [child.exitcode for child in children] == [0, 0]
    with ProcessPoolExecutor(2) as executor:
        list(executor.map(report, ["inherited-executor", "own-executor"]))
    pool = multiprocessing.Pool(2)
    pool.map(report, ["inherited-pool", "own-pool"], chunksize=1)
    pool.close()
    pool.join()
"""

# Here nothing goes to disk before the process ends: no delivery fails until then.
WORKS = """
from celery import Celery
from seamwatch import Emitter

app = Celery("works", broker="filesystem://", broker_transport_options={{
    "data_folder_in": "{folder}/queue", "data_folder_out": "{folder}/queue", "control_folder": "{folder}/control",
}})
emitter = Emitter("{producer}", delivery_timeout=30)

@app.task
def report(number):
    emitter.inference(system="s", version="1", use_case=f"task-{{number}}")
"""

SERVICE = """
from seamwatch import Emitter

emitter = Emitter("{producer}", delivery_timeout=30)

def application(environment, start_response):
    emitter.inference(system="s", version="1", use_case=environment["PATH_INFO"])
    start_response("200 OK", [])
    return [b"decided"]
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of the processes: their spool is in the test's own folder."""
    return {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": NOWHERE,
        "SEAMWATCH_DATA": str(tmp_path / "data"),
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())]),
    }


def spooled(folder: Path) -> Counter[str]:
    """How many events are on disk, by their use case."""
    from seamwatch.wire.codec import Codec

    codec, spool, found = Codec(), Spool(folder, 1 << 30), Counter[str]()
    spool.adopt()
    while True:
        messages, file, head = spool.read(1_000)
        if file is None:
            return found
        found.update(str(codec.decode("inference", message.value)["use_case"]) for message in messages)
        file.advance(head)


def write(tmp_path: Path, name: str, program: str) -> Path:
    file = tmp_path / f"{name}.py"
    (tmp_path / "queue").mkdir(exist_ok=True)
    (tmp_path / "control").mkdir(exist_ok=True)
    file.write_text(program.format(producer="svc", each=EACH, folder=tmp_path))
    return file


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_children_of_multiprocessing_lose_nothing(tmp_path: Path, env: dict[str, str], method: str) -> None:
    program = write(tmp_path, "children", CHILDREN)
    subprocess.run([sys.executable, program, method], env=env, check=True, timeout=PATIENCE)
    ways = {"process": 2 * EACH, "executor": EACH, "pool": EACH}
    expected = {f"{whose}-{way}": count for way, count in ways.items() for whose in ("inherited", "own")}
    if method == "fork":
        expected["parent"] = 1
    assert spooled(tmp_path / "data" / "spool" / "svc") == expected
    assert lost_by_the_dead(tmp_path / "data" / "spool" / "svc") == 0


def test_workers_of_celery_lose_nothing(tmp_path: Path, env: dict[str, str]) -> None:
    write(tmp_path, "works", WORKS)
    send = "from works import report\nfor number in range(20): report.delay(number)"
    subprocess.run([sys.executable, "-c", send], env=env, check=True, timeout=PATIENCE)
    command = [sys.executable, "-m", "celery", "-A", "works", "worker", "--pool=prefork", "--concurrency=2",
               "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=INFO"]  # fmt: skip
    log = tmp_path / "celery.log"
    with log.open("wb") as out:
        worker = subprocess.Popen(command, env=env, cwd=tmp_path, stdout=out, stderr=out)
        try:
            wait_for(lambda: log.read_text().count("succeeded in") == 20, log.read_text)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(PATIENCE)
    assert spooled(tmp_path / "data" / "spool" / "svc") == {f"task-{number}": 1 for number in range(20)}


def test_workers_of_gunicorn_lose_nothing(tmp_path: Path, env: dict[str, str]) -> None:
    write(tmp_path, "service", SERVICE)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--workers=2",
        "--preload",
        f"--bind=127.0.0.1:{port}",
        "service:application",
    ]
    log = tmp_path / "gunicorn.log"
    with log.open("wb") as out:
        server = subprocess.Popen(command, env=env, cwd=tmp_path, stdout=out, stderr=out)
        try:
            wait_for(lambda: "Booting worker" in log.read_text() and answers(port), log.read_text)
            for number in range(20):
                assert get(port, f"/decision-{number}") == b"decided"
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE)
    found = spooled(tmp_path / "data" / "spool" / "svc")
    assert {f"/decision-{number}": 1 for number in range(20)}.items() <= found.items()


def test_what_a_kill_takes_is_counted_by_the_next_process(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    killed = (
        "import os, signal\nfrom seamwatch import Emitter\n"
        f"emitter = Emitter('svc', bootstrap='{NOWHERE}', spool='{tmp_path}', delivery_timeout=30)\n"
        "for _ in range(30): emitter.inference(system='s', version='1')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", killed], check=False, timeout=PATIENCE)
    assert done.returncode == -signal.SIGKILL
    with caplog.at_level(logging.WARNING), Emitter("svc", bootstrap=NOWHERE, spool=tmp_path) as after:
        after.start()
        wait_for(lambda: after.counts.lost == 30)
    assert "up to 30 events were lost" in caplog.text
    with Emitter("svc", bootstrap=NOWHERE, spool=tmp_path) as later:
        later.start()
        later.flush(0.1)
        assert later.counts.lost == 0  # told once


def test_a_child_does_not_hold_the_files_of_a_parent_that_is_gone(tmp_path: Path) -> None:
    program = (
        "import os, time\nfrom seamwatch import Emitter\n"
        f"emitter = Emitter('svc', bootstrap='{NOWHERE}', spool='{tmp_path}', delivery_timeout=1)\n"
        "for _ in range(7): emitter.inference(system='s', version='1', use_case='parent')\n"
        "while emitter.counts.spooled < 7: time.sleep(0.05)\n"
        "time.sleep(1)  # until the tally has it too: what it says of the dead is at most what was lost\n"
        "if os.fork() == 0: time.sleep(60)\n"
        "else: os.kill(os.getpid(), 9)"
    )
    with subprocess.Popen([sys.executable, "-c", program], start_new_session=True) as process:
        process.wait(PATIENCE)
        try:
            assert spooled(tmp_path) == {"parent": 7}
            assert lost_by_the_dead(tmp_path) == 0
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def test_an_event_that_is_seen_before_it_is_counted_ends_nothing(tmp_path: Path) -> None:
    # The sender's thread looks between an event's arrival and its count: none was counted, and one waits.
    tally = Tally(tmp_path)
    tally.settled(-1)
    tally.taken(1)
    tally.let_go()
    assert lost_by_the_dead(tmp_path) == 1


def test_a_disk_that_takes_no_tally_costs_the_tally_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    tally = Tally(tmp_path / "file")
    tally.taken(5)
    tally.settled(3)
    tally.close()
    assert lost_by_the_dead(tmp_path / "file") == 0


def get(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
        return bytes(answer.read())


def answers(port: int) -> bool:
    try:
        return get(port, "/ready") == b"decided"
    except OSError:
        return False
