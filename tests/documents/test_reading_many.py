"""Many files read by several processes are what one process reads of them, whatever happens to the others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from seamwatch.documents import reading_many
from seamwatch.documents.loading import load
from seamwatch.documents.reading_many import MANY, read_files

ODD = (
    "kind: Person\nid: p{0}\nname: Someone\nchannel: mailto:p{0}@example.org\n",
    "kind: System\nid: s{0}\nowner: p0\nkind: System\n",
    "a: [1, 2\n",
    "- {0}\n- a: &b {{x: {0}}}\n  c: *b\n---\nkind: Nothing\n",
    "text: >\n  folded\n  {0}\n\u2028x: 1\n",
    "",
    "\x00",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(MANY + 60):
        text = ODD[number % len(ODD)].format(number)
        (tmp_path / f"{number:05}.yaml").write_bytes(text.encode() if number % 101 else b"\xff\xfe")
    (tmp_path / "02000.yaml").symlink_to(tmp_path / "gone.yaml")
    return tmp_path


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_many, "_processors", lambda: 2)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a command: the threads of the test runner hold no lock that reading needs."""
    monkeypatch.setattr(reading_many, "_forks_safely", lambda: True)


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[int]]:
    """The processes that read, as seen from here."""
    seen: set[int] = set()

    class Seen(ProcessPoolExecutor):
        def map(self, *arguments: Any, **more: Any) -> Iterator[Any]:
            for found in super().map(*arguments, **more):
                seen.update(child.pid for child in multiprocessing.active_children() if child.pid is not None)
                yield found

    monkeypatch.setattr(reading_many, "ProcessPoolExecutor", Seen)
    return lambda: seen


@pytest.mark.usefixtures("alone")
def test_several_processes_read_what_one_reads(folder: Path, forked: Callable[[], set[int]]) -> None:
    by_one = load(folder)
    assert forked() == set()
    by_several = load(folder, forks=True)
    assert len(forked()) == 2
    assert by_several.problems == by_one.problems
    assert len(by_one.problems) > MANY // 4
    assert [(read.written, read.written.lines) for read in by_several.reads] == [
        (read.written, read.written.lines) for read in by_one.reads
    ]


@pytest.mark.usefixtures("alone")
def test_a_process_that_is_ended_costs_no_file(folder: Path, forked: Callable[[], set[int]]) -> None:
    paths = sorted(folder.iterdir())
    expected = list(read_files(paths))
    found: list[object] = []
    for each in read_files(paths, forks=True):
        if not found:
            for child in forked():
                os.kill(child, signal.SIGKILL)
        found.append(each)
    assert forked()
    assert found == expected


def test_a_process_with_threads_is_not_forked(folder: Path, forked: Callable[[], set[int]]) -> None:
    ended = threading.Event()
    other = threading.Thread(target=ended.wait)
    other.start()
    try:
        assert len(list(read_files(sorted(folder.iterdir()), forks=True))) == MANY + 61
    finally:
        ended.set()
        other.join()
    assert forked() == set()
