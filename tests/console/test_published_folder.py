"""A folder that changed while the broker was away is published when it is back; one with an error is told of once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bus.documents import Publication
from console.published_folder import PublishedFolder
from seamwatch.errors import UnreachableError
from seamwatch.settings import Settings

PERSON = "apiVersion: seamwatch/v1\nkind: Person\nid: ann@example.org\nname: Ann\n"


def test_what_the_broker_could_not_take_is_published_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "people.yaml").write_text(PERSON)
    said: list[str] = []
    published: list[str] = []
    away = [True]

    def publish(follower: str, *_arguments: object, **_options: object) -> Publication:
        if away:
            raise UnreachableError("the broker does not answer")
        published.append(follower)
        return Publication()

    monkeypatch.setattr("bus.documents.ContractsFollower", lambda kafka, _prefix, **_: kafka)
    monkeypatch.setattr("bus.documents.publish", publish)
    now = [0.0]
    monkeypatch.setattr("console.published_folder.time.monotonic", lambda: now[0])
    folder = PublishedFolder(tmp_path, Settings(default_owner=None), said.append)
    for _ in range(40):  # changed once, before the first look
        now[0] += 1.0
        folder.look("kafka:1")
    assert published == []
    assert said == ["contracts not published, trying again: the broker does not answer"] * 2
    away.clear()
    for _ in range(40):
        now[0] += 1.0
        folder.look("kafka:1")
    assert published == ["kafka:1"]
    assert said[2:] == [f"contracts published again from {tmp_path}"]


def test_a_person_who_cannot_be_paged_for_want_of_a_variable_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "people.yaml").write_text(PERSON + 'channels: ["slack://${SEAMWATCH_CHANNEL_SLACK}"]\n')
    monkeypatch.setattr("bus.documents.ContractsFollower", lambda kafka, _prefix, **_: kafka)
    monkeypatch.setattr("bus.documents.publish", lambda *_, **__: Publication())
    said: list[str] = []
    PublishedFolder(tmp_path, Settings(default_owner=None), said.append).publish("kafka:1")
    assert said == [
        "ann@example.org cannot be paged by their slack channel: the environment has no SEAMWATCH_CHANNEL_SLACK"
    ]
    monkeypatch.setitem(os.environ, "SEAMWATCH_CHANNEL_SLACK", "hunter2")
    PublishedFolder(tmp_path, Settings(default_owner=None), said.append).publish("kafka:1")
    assert len(said) == 1


def test_what_is_gone_from_the_folder_is_told_once_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "people.yaml").write_text(PERSON)
    monkeypatch.setattr("bus.documents.ContractsFollower", lambda kafka, _prefix, **_: kafka)
    monkeypatch.setattr("bus.documents.publish", lambda *_, **__: Publication(gone=("Contract/agreed@1",)))
    said: list[str] = []
    folder = PublishedFolder(tmp_path, Settings(default_owner=None), said.append)
    for _ in range(2):
        folder.publish("kafka:1")
    (line,) = said
    assert "gone from" in line
    assert "in force still: Contract/agreed@1;" in line


def test_what_is_not_signed_is_told_when_it_is_another_than_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "people.yaml").write_text(PERSON)
    monkeypatch.setattr("bus.documents.ContractsFollower", lambda kafka, _prefix, **_: kafka)
    unsigned = [("line@1 (ann@example.org)",), ("line@1 (ann@example.org)",), (), ("line@2 (ann@example.org)",)]
    asked: list[object] = []

    def publish(*_: object, **options: object) -> Publication:
        asked.append(options["signed"])
        return Publication(unsigned=unsigned[len(asked) - 1])

    monkeypatch.setattr("bus.documents.publish", publish)
    said: list[str] = []
    folder = PublishedFolder(tmp_path, Settings(default_owner=None, signed="required"), said.append)
    for _ in unsigned:
        folder.publish("kafka:1")
    assert asked == [True] * 4
    assert [line.partition(";")[0] for line in said] == [
        "published, and not signed by all who must: line@1 (ann@example.org)",
        "published, and not signed by all who must: line@2 (ann@example.org)",
    ]
