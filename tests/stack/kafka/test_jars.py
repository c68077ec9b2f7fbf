"""Kafka's jars: never a half-done download, never a jar that is not the right one, and a clear word on failure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from seamwatch.errors import LocalStackError
from stack.kafka import jars

CONTENTS = {"a-1.jar": b"alpha", "b-2.jar": b"beta"}


@dataclass
class Central:
    """Stands for Maven Central: serves jars into a repository folder, or fails as it is told."""

    repository: Path
    name: str
    served: bytes | None
    fetched: list[str]

    def resolve(self) -> Path:
        path = self.repository / self.name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            if self.served is None:
                path.write_bytes(b"al")  # as jgo leaves it when the connection breaks
                raise ConnectionError("connection reset")
            self.fetched.append(self.name)
            path.write_bytes(self.served)
        return path


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lock = {name: jars.Jar(name, hashlib.sha256(text).hexdigest(), len(text)) for name, text in CONTENTS.items()}
    monkeypatch.setattr(jars, "locked_jars", lambda: lock)
    return []


def serve(monkeypatch: pytest.MonkeyPatch, fetched: list[str], **changed: bytes | None) -> None:
    contents: dict[str, bytes | None] = {**CONTENTS, **{f"{name}.jar": text for name, text in changed.items()}}
    contents = {name.replace("_", "-"): text for name, text in contents.items()}
    monkeypatch.setattr(
        jars, "resolve", lambda folder: [Central(folder, name, text, fetched) for name, text in contents.items()]
    )


def quiet(_line: str) -> None:
    pass


def test_jars_are_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetched: list[str]) -> None:
    serve(monkeypatch, fetched)
    assert jars.cached(tmp_path) is None
    folder = jars.kafka_jars(tmp_path, quiet)
    assert {path.name for path in folder.glob("*.jar")} == CONTENTS.keys()
    assert jars.kafka_jars(tmp_path, quiet) == folder == jars.cached(tmp_path)
    assert sorted(fetched) == sorted(CONTENTS)


def test_a_broken_download_says_what_to_try_and_goes_on_from_what_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetched: list[str]
) -> None:
    serve(monkeypatch, fetched, b_2=None)
    with pytest.raises(LocalStackError, match=r"could not be fetched: ConnectionError.*\n.*Try again") as failure:
        jars.kafka_jars(tmp_path, quiet)
    assert "KAFKA_BOOTSTRAP_SERVERS" in str(failure.value)
    assert jars.cached(tmp_path) is None
    serve(monkeypatch, fetched)
    assert (jars.kafka_jars(tmp_path, quiet) / "b-2.jar").read_bytes() == b"beta"
    assert fetched.count("a-1.jar") == 1


def test_a_jar_with_another_content_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetched: list[str]
) -> None:
    serve(monkeypatch, fetched, a_1=b"evil")
    with pytest.raises(LocalStackError, match=r"not what they should be: a-1\.jar"):
        jars.kafka_jars(tmp_path, quiet)
    assert jars.cached(tmp_path) is None
    assert not list(tmp_path.rglob("a-1.jar"))


def test_a_folder_without_its_marker_is_fetched_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetched: list[str]
) -> None:
    serve(monkeypatch, fetched)
    folder = jars.kafka_jars(tmp_path, quiet)
    (folder / "complete").unlink()
    (folder / "a-1.jar").write_bytes(b"half")
    assert (jars.kafka_jars(tmp_path, quiet) / "a-1.jar").read_bytes() == b"alpha"


def test_the_shipped_lock_names_kafka_itself() -> None:
    locked = jars.locked_jars()
    assert f"kafka_2.13-{jars.KAFKA_VERSION}.jar" in locked
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in locked.values())
