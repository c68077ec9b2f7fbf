"""Confluent framing with a registry: ids are asked for once, unknown ones and a silent registry tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seamwatch.errors import UndecodableRecord, UnreachableError, UsageError
from seamwatch.settings import load_settings
from seamwatch.testing import event_id, inference
from seamwatch.wire.codec import Codec, codec_of
from seamwatch.wire.framing import CONFLUENT_MAGIC, confluent_header
from seamwatch.wire.registry import SchemaRegistry
from tests.bus.authority import certificates
from tests.wire.registering import Registry, registering

RECORD = inference(event_id=event_id("e1")).record()


@pytest.fixture
def registry() -> Iterator[Registry]:
    with registering(Registry()) as server:
        yield server


def test_our_schemas_are_registered_and_records_framed_by_their_ids(registry: Registry) -> None:
    writer = Codec(SchemaRegistry(registry.url))
    assert writer.encode("inference", RECORD)[:1] != CONFLUENT_MAGIC
    writer.publish_schemas()
    values = [writer.encode("inference", RECORD) for _ in range(3)]
    assert values[0][:5] == confluent_header(100)
    assert registry.calls[0] == "/subjects/seamwatch.inference/versions"

    reader, asked = Codec(SchemaRegistry(registry.url)), len(registry.calls)
    assert [reader.decode("inference", value)["event_id"] for value in values] == [event_id("e1")] * 3
    assert registry.calls[asked:] == ["/schemas/ids/100"]


def test_an_unknown_id_is_a_reason_and_asked_once(registry: Registry) -> None:
    reader = Codec(SchemaRegistry(registry.url))
    for _ in range(3):
        with pytest.raises(UndecodableRecord, match="unknown schema id 9: the registry"):
            reader.decode("inference", confluent_header(9) + b"x")
    assert registry.calls == ["/schemas/ids/9"]


def test_a_registry_that_does_not_answer_is_no_fault_of_the_record() -> None:
    reader = Codec(SchemaRegistry("http://127.0.0.1:1", timeout=1))
    with pytest.raises(UnreachableError, match="cannot be reached"):
        reader.decode("inference", confluent_header(9) + b"x")


@pytest.mark.parametrize("address", ["registry:8081", "registry://user:s3cr3t@registry.example.org"])
def test_an_address_that_is_none_says_how_to_write_it(address: str) -> None:
    with pytest.raises(UsageError, match="write an address such as") as told:
        SchemaRegistry(address)
    assert "s3cr3t" not in str(told.value)


def test_who_asks_is_said_by_the_settings(registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret\n")
    monkeypatch.setenv("SEAMWATCH_SCHEMA_REGISTRY_URL", f"http://127.0.0.1:{registry.server_port}")
    monkeypatch.setenv("SEAMWATCH_SCHEMA_REGISTRY_USERNAME", "user")
    monkeypatch.setenv("SEAMWATCH_SCHEMA_REGISTRY_PASSWORD_FILE", str(tmp_path / "secret"))
    codec_of(load_settings()).publish_schemas()
    monkeypatch.delenv("SEAMWATCH_SCHEMA_REGISTRY_PASSWORD_FILE")
    with pytest.raises(UnreachableError, match="401"):
        codec_of(load_settings()).publish_schemas()


def test_one_over_tls_is_checked_by_certificates_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificates(tmp_path)
    with registering(Registry(), tmp_path / "server.pem") as server:
        monkeypatch.setenv("SEAMWATCH_SCHEMA_REGISTRY_URL", f"https://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("SEAMWATCH_SCHEMA_REGISTRY_USERNAME", "user")
        monkeypatch.setenv("SEAMWATCH_SCHEMA_REGISTRY_PASSWORD", "secret")
        with pytest.raises(UnreachableError, match="certificate"):
            codec_of(load_settings()).publish_schemas()
        monkeypatch.setenv("SEAMWATCH_SCHEMA_REGISTRY_CA", str(tmp_path / "ca.pem"))
        codec_of(load_settings()).publish_schemas()
        assert server.schemas
