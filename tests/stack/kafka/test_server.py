"""The local broker's own folder. What the broker does once it runs, every test on a broker shows."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from seamwatch.settings import load_settings
from stack.kafka.jars import kafka_jars, user_cache
from stack.kafka.java import find_java
from stack.kafka.server import KafkaServer


def test_an_id_that_begins_with_a_dash_formats_the_folder_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    jars = kafka_jars(user_cache(settings.cache), print)
    server = KafkaServer(find_java(settings.java), jars, tmp_path / "kafka", tmp_path, port=1, controller_port=2)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(bytes=b"\xfb" * 16))
    try:
        server.start()
    finally:
        server.stop()
    assert "cluster.id=-" in (tmp_path / "kafka" / "data" / "meta.properties").read_text()
