"""A full disk is waited for and told of: nothing that writes a file of the data folder ends because of it.

`make full-disk` fills a real one under a running system; here the system's answer is put in at each boundary.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, TextIO, cast

import pytest

from console.system import System
from seamwatch.errors import LocalStackError
from seamwatch.log import _Unfailing
from seamwatch.settings import load_settings
from stack.clickhouse.engine import Engine
from stack.clickhouse.process import ClickHouseServer
from stack.clickhouse.refusals import Refusal, of_engine
from stack.clickhouse.statement import insert_head
from stack.folder import DataFolder, write_private, write_private_text
from stack.kafka.server import KafkaServer
from stack.local import Addresses, LocalStack
from stack.room import ENOUGH_BYTES, FULL_BYTES, Room
from stack.supervisor import Stage, Supervisor
from tests.stack.test_supervisor import Enough, until


def no_room(*_arguments: Any, **_options: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def disk(monkeypatch: pytest.MonkeyPatch, free: int) -> Iterator[Callable[[int], None]]:
    """A disk with so much left; what is yielded changes it."""
    left = [free]

    def usage(_path: object) -> SimpleNamespace:
        return SimpleNamespace(free=left[0])

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", usage)
        yield lambda size: left.__setitem__(0, size)


def test_a_file_is_whole_or_as_it_was_and_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "run.json"
    write_private_text(file, "before")
    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(LocalStackError, match=rf"{file} cannot be written \(No space left on device\): make room"):
        write_private(file, {"pid": 1})
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


class Full:
    """A file on a full disk: everything but writing works."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, _text: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_a_folder_can_be_held_and_let_go_of_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open
    folder = DataFolder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda path, mode: Full(real(path, mode)))
        folder.hold()
        with pytest.raises(LocalStackError, match="is held by"):
            DataFolder(tmp_path).hold()
        folder.release()


@pytest.mark.parametrize("make", [
    lambda path: Stage("judge", [sys.executable, "-c", ""], os.environ, path / "judge.log"),
    lambda path: ClickHouseServer(path / "clickhouse", path, path / "secrets.json", 1),
    lambda path: KafkaServer(Path("java"), path, path / "kafka", path, 1, 2),
])  # fmt: skip
def test_a_part_that_cannot_be_started_for_want_of_room_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], Stage]
) -> None:
    part = make(tmp_path)
    monkeypatch.setattr(Path, "open", no_room)
    monkeypatch.setattr(Path, "write_text", no_room)
    with pytest.raises(LocalStackError, match=r"cannot be written \(No space left on device\): make room"):
        part.start()


def test_a_supervisor_waits_for_room_and_starts_again_at_once_when_there_is(tmp_path: Path) -> None:
    said: list[str] = []
    full = ["the disk is full"]
    supervisor = Supervisor(said.append, lambda _pids: None, lambda _unit: full[0] if full else None)
    unit = Stage("Kafka", [sys.executable, "-c", "import time; time.sleep(60)"], os.environ, tmp_path / "kafka.log")
    supervisor.watch(unit)
    assert unit.process is not None
    unit.process.kill()
    waited = time.monotonic() + 3

    def look() -> None:
        if full and time.monotonic() > waited:
            full.clear()
        if any("runs again" in line for line in said):
            raise Enough

    with pytest.raises(Enough):
        supervisor.run(look)
    supervisor.end(["Kafka"], seconds=2)
    assert time.monotonic() >= waited
    assert said.count("Kafka is started again when it can be: the disk is full") == 1


def test_restarts_are_counted_and_said_when_there_are_many(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append, lambda _pids: None)
    unit = Stage("judge", [sys.executable, "-c", "raise SystemExit(3)"], os.environ, tmp_path / "judge.log")
    supervisor.watch(unit)
    with pytest.raises(Enough):
        supervisor.run(until(lambda: any("5 times within 10 m" in line for line in said)))
    assert len(supervisor.restarts()["judge"]) == 5
    supervisor.end(["judge"], seconds=2)


def test_a_disk_is_told_when_it_is_full_and_when_it_has_room_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(tmp_path / "not" / "there" / "yet")
    with disk(monkeypatch, ENOUGH_BYTES) as leave:
        told = [room.look()]
        for free in (FULL_BYTES - 1, 0, FULL_BYTES, ENOUGH_BYTES - 1, ENOUGH_BYTES, ENOUGH_BYTES):
            leave(free)
            told.append(room.look())
    assert [line is not None for line in told] == [False, True, False, False, False, True, False]
    assert "is full, 16 MB left" in str(told[1])
    assert "has room again, 32 MB" in str(told[5])


def test_up_goes_on_without_its_files_and_writes_them_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    system = System(load_settings(data=tmp_path), say=said.append)
    system._addresses = Addresses("127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:2")
    with disk(monkeypatch, 0) as leave, monkeypatch.context() as patch:
        patch.setattr("os.fsync", no_room)
        system._write_run_file({"judge": 1})
        system._tick(lambda: None)
        system._next_look = 0.0
        system._tick(lambda: None)
        assert [line.partition(" (")[0] for line in said if "run.json" in line] == [
            f"{tmp_path / 'run.json'} cannot be written"
        ]
        assert any("is full, 0 kB left" in line for line in said)
        patch.undo()
        leave(ENOUGH_BYTES)
        system._next_look = 0.0
        system._tick(lambda: None)
    assert (tmp_path / "run.json").exists()
    assert any("has room again" in line for line in said)


def test_stages_are_not_started_again_while_the_own_broker_does_not_run(tmp_path: Path) -> None:
    system = System(load_settings(data=tmp_path), say=lambda _line: None)
    stage = Stage("judge", [], {}, tmp_path / "judge.log")
    assert system._waits_for(stage) is None  # the broker is another's: the stage itself says what it lacks
    kafka = KafkaServer(Path("java"), tmp_path, tmp_path / "kafka", tmp_path, 1, 2)
    system._stack = cast(LocalStack, SimpleNamespace(servers=[kafka]))
    assert system._waits_for(stage) == "Kafka does not run"
    kafka.process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert system._waits_for(stage) is None
    kafka.process.communicate()
    assert system._waits_for(stage) == "Kafka does not run"
    assert system._waits_for(kafka) is None


def test_a_log_that_takes_nothing_ends_nobody_and_says_afterwards_that_lines_were_lost() -> None:
    class Disk(io.StringIO):
        full = True

        def flush(self) -> None:
            if self.full:
                no_room()

    stream = Disk()
    log = _Unfailing(cast(TextIO, stream), console=True)
    assert log.write("lost\n") == 5
    stream.full = False
    log.write("kept\n")
    assert stream.getvalue().splitlines()[-2:] == ["up to 1 lines of the log were lost before this one", "kept"]


@pytest.mark.parametrize("said", [
    "Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)",
    "Code: 75. DB::Exception: Cannot write to file: , errno: 28, strerror: No space left on device. (CANNOT_WRITE)",
    "Code: 1001. DB::Exception: std::exception: filesystem error: in rename: No space left on device",
    "Code: 481. DB::Exception: Cannot create directory: errno: 122, strerror: Disk quota exceeded. (CANNOT_CREATE)",
    "std::__fs::filesystem::filesystem_error: No space left on device",
])  # fmt: skip
def test_a_full_disk_has_one_code_in_whatever_words_it_comes(said: str) -> None:
    refusal = of_engine(RuntimeError(said))
    assert refusal.code == 243
    assert refusal.body("1").count("NOT_ENOUGH_SPACE") == 1


def test_other_errors_keep_their_codes() -> None:
    assert of_engine(RuntimeError("Code: 60. DB::Exception: no table. (UNKNOWN_TABLE)")).code == 60
    assert of_engine(OSError(errno.EACCES, "Permission denied")).code == 1002


def test_the_data_of_an_insert_that_find_no_room_are_refused_with_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = insert_head(b"INSERT INTO t FORMAT TSV\n1\n")
    assert head is not None
    engine = Engine(tmp_path)
    try:
        with engine.session() as session:
            monkeypatch.setattr("stack.clickhouse.engine.tempfile.TemporaryFile", no_room)
            with pytest.raises(Refusal) as caught:
                session.insert(head, iter((b"1\n",)))
    finally:
        engine.close()
    assert caught.value.code == 243
