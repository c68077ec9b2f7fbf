"""Backup and restore as docs/store.md prints them: what was backed up verifies, and the topics give what came after."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from console.app import main
from seamwatch.clock import SystemClock
from seamwatch.settings import load_settings
from sinks.decoding import decoding
from sinks.ledger.format.keys import make_keys, read_signer
from sinks.record.stage import Recorder
from stack.folder import DataFolder
from stack.local import LocalStack
from tests.sinks.estate import Estate, assert_recorded, committed, estate
from tests.sinks.mixed import Mixed
from tests.sinks.samples import CODEC
from tests.waiting import PATIENCE, wait_for

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "store.md").read_text("utf-8").partition("## Backup and restore")[2].partition("\n## ")[0]


@pytest.mark.timeout(600)
def test_a_store_restored_from_its_folder_verifies_and_catches_up_from_the_topics(
    kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, backup, key = tmp_path / "seamwatch", tmp_path / "backup", tmp_path / "ledger.key"
    make_keys(key, "ledger.example.org")
    settings = load_settings().model_copy(update={"kafka": kafka, "clickhouse": None})

    def emit(own: Estate, seed: int) -> int:
        """Records of every topic and partition, some of them no good."""
        return own.send(Mixed(own.topics, seed, partitions=2).every(5))

    def record(own: Estate, until: int) -> None:
        recorder = Recorder(kafka, own.url, own.topics, decoding(CODEC, SystemClock()), key=read_signer(key))
        thread = threading.Thread(target=recorder.run, daemon=True)
        thread.start()
        try:
            wait_for(lambda: committed(own) == until, "recording")
        finally:
            recorder.stop()
            thread.join(PATIENCE)

    def verified(own: Estate, *checkpoints: Path) -> dict[str, Any]:
        for variable, value in {"CLICKHOUSE_URL": own.url, "SEAMWATCH_PREFIX": own.topics.prefix}.items():
            monkeypatch.setenv(variable, value)
        kept = [word for file in checkpoints for word in ("--checkpoints", str(file))]
        with pytest.raises(SystemExit):
            main(["verify", "--key", f"{key}.pub", "--json", *kept])
        found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return found

    def checkpoints(own: Estate) -> Path:
        file = tmp_path / "checkpoints.txt"
        monkeypatch.setenv("CLICKHOUSE_URL", own.url)
        with pytest.raises(SystemExit) as ended:
            main(["checkpoints", "--key", f"{key}.pub", "--out", str(file)])
        assert not ended.value.code, capsys.readouterr().err
        capsys.readouterr()
        return file

    with DataFolder(data) as folder:
        stack = LocalStack(folder, settings)
        try:
            with estate(kafka, stack.start().clickhouse) as own:
                first = emit(own, 1)
                record(own, first)
                before_loss = _group_offset(own)
                stack.stop()
                assert "cp -a ~/.local/state/seamwatch /backup/seamwatch-2026-11-21" in PAGE
                subprocess.run(["cp", "-a", str(data), str(backup)], check=True)
                stack.start()
                every = first + emit(own, 2)
                record(own, every)
                newest = checkpoints(own)
                stack.stop()
                # The store is lost. What the broker knows, topics and the group's offsets, is ahead of the backup.
                assert _group_offset(own) > before_loss
                shutil.rmtree(data / "clickhouse")
                subprocess.run(["cp", "-a", str(backup / "clickhouse"), str(data / "clickhouse")], check=True)
                stack.start()
                # Of what was backed up nothing is wrong; checkpoints from after it say that the ends are missing.
                before = verified(own, newest)
                assert (before["rows"], {finding["what"] for finding in before["findings"]}) == (first, {"ahead"})
                ahead = {(finding["topic"], finding["partition"]) for finding in before["findings"]}
                assert ahead == {(each.topic, each.partition) for each in Mixed(own.topics, partitions=2).every(1)}
                record(own, every)
                assert_recorded(own)
                after = verified(own, newest)
                assert (after["rows"], after["findings"]) == (every, [])
        finally:
            stack.stop()


def _group_offset(own: Estate) -> int:
    consumer = Consumer({"bootstrap.servers": own.kafka, "group.id": f"{own.topics.prefix}.record"})
    places = [TopicPartition(own.topics.input("inference"), number) for number in range(2)]
    offsets = [place.offset for place in consumer.committed(places, timeout=PATIENCE)]
    consumer.close()
    return sum(offsets)


_SCRIPT = """
import sys, chdb
from sinks.store.migrate import everything
connection = chdb.connect(sys.argv[1])

def run(sql):
    return bytes(connection.query(sql, "TSVRaw").bytes()).decode()

database, *others = everything("seamwatch")
run(database)
run("USE seamwatch")
for statement in others:
    run(statement)
run("INSERT INTO inference SELECT * FROM generateRandom() LIMIT 5")
first, second, restore = sys.argv[2:]
run(first)
run("INSERT INTO outcome SELECT * FROM generateRandom() LIMIT 7")
tables = run("SELECT name FROM system.tables WHERE database = 'seamwatch' ORDER BY name").split()
held = [f"SELECT count(), sum(cityHash64(*)) FROM seamwatch.{table}" for table in ("inference", "outcome")]
before = [run(each) for each in held]
definitions = [run(f"SHOW CREATE TABLE seamwatch.{table}") for table in tables]
run(second)
run("DROP DATABASE seamwatch SYNC")
run(restore)
after = [run(each) for each in held]
assert after == before and before[0].startswith("5\\t") and before[1].startswith("7\\t"), (before, after)
assert [run(f"SHOW CREATE TABLE seamwatch.{table}") for table in tables] == definitions
print("restored", len(tables))
"""


def test_the_printed_sql_backs_up_and_restores_every_table_and_view(tmp_path: Path) -> None:
    printed = re.search(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    assert printed is not None
    statements = [each.strip() for each in printed[1].split(";") if each.strip()]
    # The embedded engine has no disk for backups.
    in_memory = [re.sub(r"Disk\('backups', ", "Memory(", each) for each in statements]
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(tmp_path / "engine"), *in_memory],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"restored \d+", done.stdout.strip())
