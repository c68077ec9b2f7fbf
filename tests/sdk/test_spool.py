"""The spool keeps what it is given, in order, whatever ends the process that wrote it."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from seamwatch.sdk.delivery import Message
from seamwatch.sdk.spool import Spool, left_in

LIMIT = 1_000_000


def messages(start: int, end: int) -> list[Message]:
    return [Message("t.inference", b"key", bytes([i % 256]) * 50, f"e{i}") for i in range(start, end)]


def ids(spool: Spool) -> list[str]:
    """Everything in it, drained."""
    found: list[str] = []
    while True:
        some, file, head = spool.read(7)
        if file is None:
            return found
        found += [message.event_id for message in some]
        file.advance(head)


def test_messages_come_back_whole_and_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path, LIMIT)
    assert spool.append(messages(0, 10))
    assert spool.append(messages(10, 20))
    some, _, _ = spool.read(1)
    assert some == messages(0, 1)
    assert ids(spool) == [f"e{i}" for i in range(20)]
    assert not spool
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_process_left_is_adopted_once_it_is_gone_and_drained_first(tmp_path: Path) -> None:
    first, second = Spool(tmp_path, LIMIT), Spool(tmp_path, LIMIT)
    first.append(messages(0, 5))
    some, file, head = first.read(2)
    assert file is not None
    file.advance(head)
    assert second.adopt() == 0
    first.close()
    second.append(messages(5, 7))
    assert second.adopt() == 3
    assert ids(second) == ["e2", "e3", "e4", "e5", "e6"]
    second.close()
    assert len(some) == 2


def test_an_entry_cut_short_by_a_crash_ends_the_file_and_no_more(tmp_path: Path) -> None:
    spool = Spool(tmp_path, LIMIT)
    spool.append(messages(0, 3))
    spool.close()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    again = Spool(tmp_path, LIMIT)
    again.adopt()
    assert again.read(10)[0] == messages(0, 2)
    assert again.append(messages(7, 8))
    assert ids(again) == ["e0", "e1", "e7"]
    again.close()


def test_its_size_is_bounded(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1_000)
    assert spool.append(messages(0, 5))
    assert not spool.append(messages(5, 100))
    assert len(ids(spool)) == 5
    spool.close()


def test_a_folder_that_cannot_be_written_is_no_exception(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert not Spool(tmp_path / "file", LIMIT).append(messages(0, 1))


def test_a_disk_that_takes_names_and_no_bytes_is_not_filled_with_empty_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    spool = Spool(tmp_path, 10_000)
    with monkeypatch.context() as patch:
        patch.setattr("seamwatch.sdk.spool.os.pwrite", full)
        assert [spool.append(messages(number, number + 1)) for number in range(5)] == [False] * 5
    assert list(tmp_path.glob("*.spool")) == []
    assert spool.append(messages(9, 10))


def test_what_is_delivered_on_a_full_disk_is_at_worst_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, 10_000)
    assert spool.append(messages(1, 3))
    some, file, head = spool.read(1)
    assert file is not None
    with monkeypatch.context() as patch:
        patch.setattr("seamwatch.sdk.spool.os.pwrite", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        file.advance(head)
    assert len(some) == 1
    assert ids(spool) == ["e2"]


def test_what_is_left_is_told_without_touching_it(tmp_path: Path) -> None:
    owned, gone = Spool(tmp_path, LIMIT), Spool(tmp_path, LIMIT)
    owned.append(messages(0, 3))
    gone.append(messages(3, 8))
    gone.close()
    (tmp_path / "z-notes.spool").write_text("somebody's own notes, longer than a header")
    (tmp_path / "z-empty.spool").touch()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert [(left.events, left.owned) for left in left_in(tmp_path)] == [(3, True), (5, False), (None, False)]
    assert left_in(tmp_path)[0].since > 1_700_000_000_000_000
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert owned.adopt() == 5  # and it is still there to be adopted, while what is no spool is left alone
    assert before[tmp_path / "z-notes.spool"] == (tmp_path / "z-notes.spool").read_bytes()
    owned.close()
