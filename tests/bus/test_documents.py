from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from bus.documents import ContractsFollower, publish_folder
from seamwatch.clock import ScaledClock, SystemClock
from seamwatch.documents import Contract, published
from seamwatch.documents.estate import BEGINNING
from seamwatch.documents.withdrawing import Withdrawer
from seamwatch.durations import HOUR, SECOND
from seamwatch.errors import DocumentError
from seamwatch.instants import format_instant
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from tests.streams.stages import PEOPLE, RANGE, Scene, contract
from tests.waiting import PATIENCE, wait_for


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
    wait_for(lambda: follower.poll(0.1) and len(follower.estate.contracts) == 1, "the contract")

    (folder / "people.yaml").write_text(PEOPLE.replace("Olive Owner", "Olive Other"))
    changed = publish_folder(scene.kafka, scene.prefix, folder)
    assert (changed.new, changed.changed, len(changed.same)) == ((), ("Person/owner@example.org",), 1)
    wait_for(lambda: follower.poll(0.1), "the change")
    assert follower.estate.persons["owner@example.org"].name == "Olive Other"

    (folder / "agreed.yaml").unlink()
    gone = publish_folder(scene.kafka, scene.prefix, folder)
    assert (gone.withdrawn, gone.gone) == ((), ("Contract/agreed@1",))
    assert not follower.poll(0.5)
    assert follower.estate.contracts
    gone = publish_folder(scene.kafka, scene.prefix, folder, withdraw=True)
    assert (gone.withdrawn, gone.gone) == (("Contract/agreed@1",), ())
    wait_for(lambda: follower.poll(0.1), "the withdrawal")
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
    assert publish_folder(scene.kafka, scene.prefix, folder, withdraw=True).withdrawn == ("Contract/agreed@2",)
    assert terms() == [("1", BEGINNING)]


def test_a_folder_with_errors_publishes_nothing(scene: Scene, folder: Path, follower: ContractsFollower) -> None:
    (folder / "wrong.yaml").write_text(contract("- {id: x, kind: rnage, min: 0}", version="3"))
    with pytest.raises(DocumentError):
        publish_folder(scene.kafka, scene.prefix, folder)
    assert not follower.poll(1.0)
    assert follower.messages == {}


def test_another_text_under_a_published_version_is_refused_and_nothing_is_published(
    scene: Scene, folder: Path, follower: ContractsFollower
) -> None:
    publish_folder(scene.kafka, scene.prefix, folder)
    wait_for(lambda: follower.poll(0.1) and len(follower.estate.contracts) == 1, "the contract")
    before = follower.messages
    (folder / "agreed.yaml").write_text(contract(RANGE.replace("max: 1}", "max: 2}")))
    (folder / "more.yaml").write_text(contract(RANGE).replace("id: agreed", "id: more"))
    with pytest.raises(DocumentError, match=r"agreed.yaml:4: version '1' of contract 'agreed' was published") as raised:
        publish_folder(scene.kafka, scene.prefix, folder)
    assert "give what is agreed anew another version" in str(raised.value)
    assert not follower.poll(1.0)
    assert follower.messages == before
    # Taken out and put back it is still another text.
    (folder / "agreed.yaml").unlink()
    assert publish_folder(scene.kafka, scene.prefix, folder, withdraw=True).withdrawn == ("Contract/agreed@1",)
    (folder / "agreed.yaml").write_text(contract(RANGE.replace("max: 1}", "max: 2}")))
    with pytest.raises(DocumentError, match="was published with another text"):
        publish_folder(scene.kafka, scene.prefix, folder)
    (folder / "agreed.yaml").write_text(contract(RANGE.replace("max: 1}", "max: 2}"), version="2"))
    assert publish_folder(scene.kafka, scene.prefix, folder).new == ("Contract/agreed@2",)


def test_what_somebody_wrote_over_a_version_is_told_and_the_first_is_put_back(
    scene: Scene, folder: Path, follower: ContractsFollower
) -> None:
    publish_folder(scene.kafka, scene.prefix, folder)
    wait_for(lambda: follower.poll(0.1) and len(follower.estate.contracts) == 1, "the contract")
    first = follower.messages["Contract/agreed@1"]
    other = Contract.model_validate({**follower.estate.contracts[0].written, "covers": ["nobody"]})
    ((key, value),) = published([other], SystemClock().now())
    scene.producer.produce(scene.topics.contracts, value, key.encode(), partition=0)
    assert scene.producer.flush(PATIENCE) == 0
    wait_for(lambda: follower.poll(0.1), "the other text")
    (agreed,) = follower.estate.contracts
    assert agreed.covers == ("*",)
    assert "the first holds" in follower.estate.problems[0]
    # A stage that starts now reads the same of the topic.
    later = ContractsFollower(scene.kafka, scene.prefix)
    later.close()
    assert (later.estate.contracts[0].covers, later.estate.problems) == (("*",), follower.estate.problems)

    done = publish_folder(scene.kafka, scene.prefix, folder)
    assert (done.restored, done.changed, done.new) == (("Contract/agreed@1",), (), ())
    wait_for(lambda: follower.poll(0.1), "the first text again")
    assert follower.messages["Contract/agreed@1"] == first
    assert follower.estate.problems == ()


def test_a_change_of_a_system_or_person_is_dated_by_its_own_publication(scene: Scene, folder: Path) -> None:
    def published_at() -> int:
        follower = ContractsFollower(scene.kafka, scene.prefix)
        follower.close()
        return int(json.loads(follower.messages["Person/owner@example.org"])["published_at"])

    publish_folder(scene.kafka, scene.prefix, folder, ScaledClock(1_000, 0, 0))
    (folder / "people.yaml").write_text(PEOPLE.replace("Olive", "Oliver"))
    publish_folder(scene.kafka, scene.prefix, folder, ScaledClock(2_000, 0, 0))
    assert published_at() == 2_000
    publish_folder(scene.kafka, scene.prefix, folder, ScaledClock(3_000, 0, 0))
    assert published_at() == 2_000


def test_an_empty_folder_publishes_nothing_and_withdraws_nothing(
    scene: Scene, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    publish_folder(scene.kafka, scene.prefix, folder)
    empty, half = tmp_path_factory.mktemp("empty"), tmp_path_factory.mktemp("half")
    with pytest.raises(DocumentError, match="there is no document in the folder"):
        publish_folder(scene.kafka, scene.prefix, empty)
    (half / "people.yaml").write_text((folder / "people.yaml").read_text())
    assert publish_folder(scene.kafka, scene.prefix, half).gone == ("Contract/agreed@1",)
    assert publish_folder(scene.kafka, scene.prefix, folder).gone == ()
    everything = publish_folder(scene.kafka, scene.prefix, empty, withdraw=True).withdrawn
    assert everything == ("Contract/agreed@1", "Person/owner@example.org")


def test_the_parties_of_what_is_withdrawn_are_told(scene: Scene, folder: Path) -> None:
    text = contract(RANGE).replace("consumer: {}", "consumer: {signatory: owner@example.org}")
    (folder / "agreed.yaml").write_text(text)
    publish_folder(scene.kafka, scene.prefix, folder)
    (folder / "agreed.yaml").unlink()
    assert publish_folder(scene.kafka, scene.prefix, folder).gone == ("Contract/agreed@1",)
    assert notices(scene, 0) == []
    for _ in range(2):  # the second time there is nothing left to withdraw
        publish_folder(scene.kafka, scene.prefix, folder, withdraw=True, by=Withdrawer("owner@example.org"))
    (told,) = notices(scene, 1)
    assert (told["person"], told["type"], told["kind"], told["clause"]) == (
        "owner@example.org", "summary", "withdrawn", ""
    )  # fmt: skip
    assert told["summary"].startswith("contract agreed was withdrawn by owner@example.org at ")
    last = read_all(scene, Topics(scene.prefix).contracts, 3)[-1]
    assert (last.key(), last.value()) == (b"Contract/agreed@1", None)
    assert dict(last.headers() or {})["withdrawn_by"] == b"owner@example.org"
    assert "and what was open of it is not resolved" in told["summary"]


def notices(scene: Scene, count: int) -> list[dict[str, Any]]:
    codec = Codec()
    found = read_all(scene, Topics(scene.prefix).notice, count)
    return [codec.decode("notice", value) for message in found if isinstance(value := message.value(), bytes)]


def read_all(scene: Scene, name: str, count: int) -> list[Message]:
    consumer = Consumer(
        {"bootstrap.servers": scene.kafka, "group.id": "reader", "auto.offset.reset": "earliest"},
    )
    numbers = consumer.list_topics(name, timeout=PATIENCE).topics[name].partitions
    consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in numbers])
    found: list[Message] = []
    until = time.monotonic() + (20 if count else 2)
    while time.monotonic() < until and (not count or len(found) < count):
        message = consumer.poll(0.2)
        if message is not None and not message.error():
            found.append(message)
    consumer.close()
    return found
