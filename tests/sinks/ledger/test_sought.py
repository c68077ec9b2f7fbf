"""Anything that is on record can be proven, by what people call it: events, violations, notices, pages, documents."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from console.app import build
from seamwatch.errors import SeamwatchError, UsageError
from seamwatch.judging.records import violation_record
from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.framing import confluent_header
from seamwatch.wire.schemas import schema
from seamwatch.wire.writers import Writers
from sinks.ledger import sought
from sinks.ledger.evidence import evidence_of
from sinks.ledger.format.leaves import Entry, entry_bytes
from sinks.ledger.format.merkle import leaf_hash, root_of
from sinks.ledger.format.notes import Checkpoint
from sinks.ledger.format.proofs import Proof, canonical_schema, prove, read_proof
from sinks.store.client import Store
from tests.sinks.ledger.copies import KEY, TOPICS, Original, original
from tests.sinks.mixed import Sent
from tests.sinks.samples import CODEC, NOW, violation

SPECIAL = "t.violations.range"


@pytest.fixture(scope="module")
def made(clickhouse: str, auditor_url: str) -> Iterator[Original]:
    with original(clickhouse, auditor_url) as made:
        states = [
            violation(7, kind="range", state=state, summary=f"it is {state}") for state in ("open", "escalated", "open")
        ]
        made.book.write([sent(SPECIAL, violation_record(each), "violation") for each in states])
        pages = [("email", 0, "no route"), ("chat", 0, "delivered"), ("chat", 1, "delivered"), ("phone", 2, "busy")]
        made.book.write(
            [
                sent("t.page", {"violation_id": "v0007", "step": step, "person": "ann", "channel": channel,
                                "sent_at": NOW + number, "result": result}, "page")
                for number, (channel, step, result) in enumerate(pages)
            ]
        )  # fmt: skip
        made.book.write([document("Contract/a@b@1", 1), document("Contract/a@b@2", 2), document("Contract/a@b@2", 3)])
        made.book.write([document("Person/o'brien@example.org", 4), document("Person/o'brien@example.org", None)])
        made.book.write([document("System/gone", None)])
        yield made


def sent(topic: str, record: dict[str, Any], record_type: str) -> Sent:
    return Sent(topic, 0, b"k", CODEC.encode(record_type, record), [], True)


def document(key: str, number: int | None) -> Sent:
    said = {"document": {"id": key, "number": number}, "digest": f"d{number}", "published_at": NOW}
    return Sent("t.contracts", 0, key.encode(), None if number is None else json.dumps(said).encode(), [], True)


@pytest.fixture
def reader(made: Original) -> Iterator[Store]:
    with Store(made.auditor.rpartition("/")[0] + f"/{made.name}") as reader:
        yield reader


def test_a_record_of_every_partition_can_be_proven_dead_letters_too(made: Original, reader: Store) -> None:
    chance, definitions = random.Random(1), Writers().definition
    proven_types: dict[str, int] = {}
    for topic, partition in made.book.at:
        for table in ("dead_letter", TOPICS.record_type(topic) or "document"):
            where = f"topic = '{topic}' AND partition = {partition}"
            for row in reader.rows(
                f"SELECT offset, hex(raw) AS raw FROM {table} WHERE {where} ORDER BY cityHash64(offset) LIMIT 1"
            ):
                at = f"{topic}/{partition}/{row['offset']}"
                text = evidence_of(reader, sought.record(reader, at), definitions).text
                proven = prove(read_proof(text.encode()), [KEY.verifier])
                assert (proven.entry.topic, proven.entry.partition, proven.entry.offset) == (
                    topic,
                    partition,
                    row["offset"],
                )
                assert (proven.entry.value or b"").hex().upper() == (row["raw"] or "")
                assert (proven.record is None) <= (table == "dead_letter")
                assert proven.record_type in (table, None) or table == "dead_letter"
                proven_types[table] = proven_types.get(table, 0) + 1
                shaken = bytearray(text.encode())
                shaken[chance.randrange(60, len(shaken) - 1)] ^= 1
                with pytest.raises((SeamwatchError, UsageError)):
                    prove(read_proof(bytes(shaken)), [KEY.verifier])
    outputs = {"violation", "verdict", "suspended", "notice", "page", "outage", "erasure"}
    assert set(proven_types) == {*INPUT_TYPES, *outputs, "document", "dead_letter"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--violation", "v0007"], {"state": "open", "summary": "it is open"}),
        (["--violation", "v0007", "--state", "escalated"], {"summary": "it is escalated"}),
        (["--page", "v0007"], {"channel": "chat", "step": 0}),
        (["--page", "v0007", "--step", "1"], {"channel": "chat", "step": 1}),
        (["--page", "v0007", "--step", "2"], {"channel": "phone", "result": "busy"}),
        (["--document", "Contract/a@b@2"], {"kind": "Contract", "id": "a@b", "version": "2", "digest": "d3"}),
        (["--document", "Contract/a@b"], {"version": "2", "digest": "d3"}),
        (["--document", "Contract/a@b@1"], {"version": "1", "digest": "d1"}),
        (["--document", "Person/o'brien@example.org"], {"id": "o'brien@example.org", "digest": "d4"}),
        (["--document", "System/gone"], {"id": "gone", "retired": True, "published_at": None}),
    ],
)  # fmt: skip
def test_what_people_name_is_found_and_proven_by_the_command(
    made: Original, asked: list[str], said: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = proven_by_command(made, asked, tmp_path, monkeypatch)
    assert {name: answer["record"][name] for name in said} == said


def test_events_and_notices_are_found_by_their_ids(
    made: Original, reader: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for table, option, name in (
        ("notice", "--notice", "notice_id"),
        ("tool_call", "--event", "event_id"),
        ("attestation", "--event", "event_id"),
    ):
        (row,) = reader.rows(f"SELECT {name} AS id FROM {table} ORDER BY id LIMIT 1")
        answer = proven_by_command(made, [option, row["id"]], tmp_path, monkeypatch)
        assert (answer["type"], answer["record"][name]) == (table, row["id"])


def proven_by_command(
    made: Original, asked: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    key, file = folder / "ledger.pub", folder / "x.tlog-proof"
    key.write_text(f"{KEY.verifier}\n")
    monkeypatch.setenv("CLICKHOUSE_URL", made.auditor.rpartition("/")[0] + f"/{made.name}")
    monkeypatch.setenv("SEAMWATCH_PREFIX", "t")
    run = CliRunner()
    assert run.invoke(build(), ["evidence", *asked, "--out", str(file)], catch_exceptions=False).exit_code == 0
    monkeypatch.setenv("CLICKHOUSE_URL", "http://nobody:x@127.0.0.1:9/none")
    check = ["verify", "--proof", str(file), "--key", str(key)]
    assert run.invoke(build(), check, catch_exceptions=False).exit_code == 0
    answer: dict[str, Any] = json.loads(run.invoke(build(), [*check, "--json"], catch_exceptions=False).stdout)
    return answer


@pytest.mark.parametrize(
    "asked",
    [
        [], ["--event", "a", "--notice", "b"], ["--event", "a", "--state", "open"], ["--violation", "a", "--step", "0"],
        ["--document", "credit"], ["--document", "Contract/"], ["--record", "t.inference/0"], ["--record", "t/0/-1"],
        ["--record", "t/0/9999999999999999999"],
    ],
)  # fmt: skip
def test_what_names_nothing_or_two_things_is_used_wrongly(
    made: Original, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", made.auditor.rpartition("/")[0] + f"/{made.name}")
    assert isinstance(CliRunner().invoke(build(), ["evidence", *asked]).exception, UsageError)


@pytest.mark.parametrize(
    ("seek", "name"),
    [
        (sought.event, "x'; --"), (sought.violation, "nobody"), (sought.notice, ""), (sought.page, "nobody"),
        (sought.document, "Contract/nobody@1"), (sought.record, "t.inference/0/12345"),
        (sought.record, "t.nothing/0/1"),
    ],
)  # fmt: skip
def test_what_is_not_on_record_is_said_so(reader: Store, seek: Any, name: str) -> None:
    with pytest.raises(SeamwatchError, match="is on record: it may not have arrived yet"):
        seek(reader, name)


def test_a_violation_in_a_registrys_framing_is_read_by_our_schema() -> None:
    value = confluent_header(7) + CODEC.encode("violation", violation_record(violation()))[10:]
    entry = Entry("seamwatch.violations.freshness", 0, 0, 0, b"k", value)
    root = root_of([leaf_hash(entry_bytes(entry))])
    note = KEY.sign(Checkpoint(f"{KEY.name}/{entry.topic}/0", 1, root))
    form = canonical_schema(schema("violation").definition)
    assert prove(Proof(entry, form, 0, [], note), [KEY.verifier]).record_type == "violation"
