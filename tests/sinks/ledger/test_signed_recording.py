"""Recording under a key made by command, through a kill -9: verified by its public half, until a row is changed."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from typer.testing import CliRunner

from console.app import build
from seamwatch.errors import UsageError
from sinks.ledger.format.keys import read_signer
from tests.sinks.estate import Estate, Stage, assert_recorded, committed, estate
from tests.sinks.samples import encoded
from tests.waiting import PATIENCE, wait_for

RECORD = "from seamwatch.settings import load_settings; from sinks.record.stage import run; run(load_settings())"


def test_a_key_is_made_once_for_its_owner_alone_and_its_public_half_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "ledger.key"
    made = CliRunner().invoke(build(), ["keys", "ledger", "ledger.example.org", "--out", str(file), "--json"])
    answer = json.loads(made.stdout)
    assert answer["public"] == str(read_signer(file).verifier) == Path(answer["file"]).read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for name, out in (("ledger.example.org", file), ("a name", tmp_path / "other.key")):
        again = CliRunner().invoke(build(), ["keys", "ledger", name, "--out", str(out)])
        assert isinstance(again.exception, UsageError)
    assert not (tmp_path / "other.key").exists()


def test_what_is_recorded_under_a_key_is_verified_by_command_until_a_row_is_changed(
    kafka: str, clickhouse: str, auditor_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, public = tmp_path / "ledger.key", tmp_path / "ledger.key.pub"
    CliRunner().invoke(build(), ["keys", "ledger", "ledger.example.org", "--out", str(key)], catch_exceptions=False)
    with estate(kafka, clickhouse) as own:
        recorder = Stage(RECORD, {**own.environment, "SEAMWATCH_LEDGER_KEY": str(key)})
        try:
            send(own, 0, 2_000)
            wait_for(lambda: committed(own) > 0, "the first commit")
            send(own, 2_000, 4_000)
            recorder.kill()
            send(own, 4_000, 5_000)
            recorder.start()
            wait_for(lambda: committed(own) == 5_000, "all of it")
        finally:
            recorder.end()
        assert_recorded(own)
        monkeypatch.setenv("CLICKHOUSE_URL", urlunsplit(urlsplit(auditor_url)._replace(path=urlsplit(own.url).path)))
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka)
        monkeypatch.setenv("SEAMWATCH_PREFIX", own.topics.prefix)
        command = ["verify", "--key", str(public), "--json"]
        clean = CliRunner().invoke(build(), command)
        assert clean.exit_code == 0, clean.output
        assert json.loads(clean.stdout)["rows"] == 5_000
        with own.store() as store:
            where = "partition = 1 AND offset = 17"
            store.command(f"ALTER TABLE inference UPDATE score = 0.5 WHERE {where} SETTINGS mutations_sync = 2")
        tampered = CliRunner().invoke(build(), command)
        assert tampered.exit_code == 1
        (finding,) = json.loads(tampered.stdout)["findings"]
        named = (finding["partition"], finding["offset"], finding["table"], finding["column"])
        assert named == (1, 17, "inference", "score")


def send(own: Estate, first: int, end: int) -> None:
    producer = own.producer()
    for number in range(first, end):
        producer.produce(own.topics.input("inference"), encoded(number=number, score=0.25), partition=number % 2)
    assert producer.flush(PATIENCE) == 0
