from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seamwatch.clock import SystemClock
from seamwatch.documents.estate import BEGINNING
from seamwatch.durations import HOUR, SECOND
from seamwatch.errors import DocumentError
from seamwatch.instants import format_instant
from streams.contracts import ContractsFollower, publish_folder
from tests.streams.stages import PEOPLE, RANGE, Scene, contract, wait_until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people.yaml").write_text(PEOPLE)
    (tmp_path / "agreed.yaml").write_text(contract(RANGE))
    return tmp_path


@pytest.fixture
def follower(scene: Scene) -> Iterator[ContractsFollower]:
    following = ContractsFollower(scene.kafka, scene.prefix)
    yield following
    following.close()


def test_a_folder_is_published_once_changed_and_withdrawn(
    scene: Scene, folder: Path, follower: ContractsFollower
) -> None:
    assert not follower.estate.contracts
    first = publish_folder(scene.kafka, scene.prefix, folder)
    assert (first.new, first.changed, first.withdrawn) == (("Person/owner@example.org", "Contract/agreed@1"), (), ())
    again = publish_folder(scene.kafka, scene.prefix, folder)
    assert (again.new, again.changed, again.withdrawn) == ((), (), ())
    assert len(again.same) == 2
    wait_until(lambda: follower.poll(0.1) and len(follower.estate.contracts) == 1, 10, "the contract")

    (folder / "agreed.yaml").write_text(contract(RANGE.replace("max: 1}", "max: 2}")))
    changed = publish_folder(scene.kafka, scene.prefix, folder)
    assert (changed.new, changed.changed) == ((), ("Contract/agreed@1",))
    wait_until(lambda: follower.poll(0.1), 10, "the change")
    (agreed,) = follower.estate.contracts
    assert agreed.clauses[0].model_dump()["max"] == 2

    (folder / "agreed.yaml").unlink()
    gone = publish_folder(scene.kafka, scene.prefix, folder)
    assert gone.withdrawn == ("Contract/agreed@1",)
    wait_until(lambda: follower.poll(0.1), 10, "the withdrawal")
    assert not follower.estate.contracts
    assert set(follower.estate.persons) == {"owner@example.org"}


def test_a_later_version_governs_from_its_publication(scene: Scene, folder: Path) -> None:
    publish_folder(scene.kafka, scene.prefix, folder)
    (folder / "agreed.yaml").write_text(contract(RANGE, version="2"))
    later = publish_folder(scene.kafka, scene.prefix, folder)
    assert (later.new, later.withdrawn) == (("Contract/agreed@2",), ())
    follower = ContractsFollower(scene.kafka, scene.prefix)
    (change,) = follower.estate.changes_for("system-1")
    assert [c.version for c in follower.estate.contracts_for("system-1", change - 1)] == ["1"]
    assert [c.version for c in follower.estate.contracts_for("system-1", change)] == ["2"]
    follower.close()


def test_what_is_published_ahead_governs_from_when_it_says_and_may_be_taken_back(scene: Scene, folder: Path) -> None:
    publish_folder(scene.kafka, scene.prefix, folder)
    ahead = SystemClock().now() // SECOND * SECOND + HOUR
    said = f"version: '2'\neffective_from: {format_instant(ahead)}"
    (folder / "coming.yaml").write_text(contract(RANGE).replace("version: '1'", said))
    coming = publish_folder(scene.kafka, scene.prefix, folder)
    assert (coming.new, coming.withdrawn) == (("Contract/agreed@2",), ())

    def terms() -> list[tuple[str, int]]:
        follower = ContractsFollower(scene.kafka, scene.prefix)
        follower.close()
        return [(term.contract.version, term.valid_from) for term in follower.estate.terms]

    # A stage that starts later learns of both, and so judges each event by the version of its time.
    assert terms() == [("1", BEGINNING), ("2", ahead)]
    (folder / "agreed.yaml").unlink()
    assert publish_folder(scene.kafka, scene.prefix, folder).withdrawn == ()
    assert terms() == [("1", BEGINNING), ("2", ahead)]
    (folder / "coming.yaml").unlink()
    (folder / "agreed.yaml").write_text(contract(RANGE))
    assert publish_folder(scene.kafka, scene.prefix, folder).withdrawn == ("Contract/agreed@2",)
    assert terms() == [("1", BEGINNING)]


def test_a_folder_with_errors_publishes_nothing(scene: Scene, folder: Path, follower: ContractsFollower) -> None:
    (folder / "wrong.yaml").write_text(contract("- {id: x, kind: rnage, min: 0}", version="3"))
    with pytest.raises(DocumentError):
        publish_folder(scene.kafka, scene.prefix, folder)
    assert not follower.poll(1.0)
    assert follower.messages == {}
