"""The rule of what is approved is one: its Python, the clause's conditions, the gate and the store's views agree."""

from __future__ import annotations

import json
import random
import uuid
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import polars as pl
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from console.gate.agreed import agreed, case_of
from console.gate.findings import Deployed
from seamwatch.columnar.expressions import polars_expression
from seamwatch.documents import Person, System
from seamwatch.documents.approving import approval_statement, declared_versions
from seamwatch.documents.loading import read_folder
from seamwatch.durations import HOUR, MINUTE
from seamwatch.expressions.build import any_of
from seamwatch.instants import format_instant, parse_instant
from seamwatch.judging.patterns.approved import Served, allowing, conditions, why_not
from seamwatch.signatures import approval_bytes, sign
from sinks.store.client import Store
from sinks.store.questions.approved import Publications
from sinks.store.questions.why import decisions
from tests.databases import migrated

T0 = parse_instant("2026-03-02T09:30:00Z")
KEY = bytes(range(32))
PUBLIC = b64encode(Ed25519PrivateKey.from_private_bytes(KEY).public_key().public_bytes_raw()).decode()
SYSTEMS = 20


@pytest.fixture(scope="module")
def store(clickhouse: str) -> Iterator[Store]:
    name = f"approved_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrated(url)
    with Store(url) as opened:
        yield opened
        opened.command(f"DROP DATABASE IF EXISTS {name}")


def person(chance: random.Random, name: str) -> dict[str, Any]:
    keys = [{"key_id": "k", "public": PUBLIC}] if chance.random() < 0.3 else []
    return {"kind": "Person", "id": name, "name": name, "keys": keys}


def moment(chance: random.Random) -> str:
    return format_instant(T0 + chance.randrange(-6, 6) * HOUR + chance.choice([0, 0, 1, -1, 30 * MINUTE]))


def approval(chance: random.Random, number: int) -> dict[str, Any]:
    times = {name: moment(chance) for name in ("approved_at", "expires", "revoked_at") if chance.random() < 0.25}
    if times.get("expires", "z") <= times.get("approved_at", ""):
        del times["expires"]
    by = (
        {"approved_by": chance.choice(["owner", "ann", "ann", "ben", "ben", "stranger"])}
        if chance.random() < 0.95
        else {}
    )
    return {"id": f"A{number}", "use_case": chance.choice(["triage", "other"]), **by, **times}


def system(chance: random.Random, name: str) -> dict[str, Any]:
    versions: list[dict[str, Any]] = []
    for version in chance.sample(["v1", "org/v2", "3"], 2):
        digest = {"config_digest": chance.choice(["d1", "d2"])} if chance.random() < 0.6 else {}
        given = [approval(chance, len(versions) * 5 + n) for n in range(chance.randrange(0, 6))]
        versions.append({"version": version, **digest, "approvals": given})
    approvers = {"approvers": chance.sample(["owner", "ann", "ben"], 2)} if chance.random() < 0.5 else {}
    written = {"kind": "System", "id": name, "type": "model", "owner": "owner", **approvers, "versions": versions}
    document = System.model_validate(written)
    for v, each in enumerate(document.versions):
        for a, one in enumerate(each.approvals):
            if one.approved_by is not None and chance.random() < 0.7:
                said = approval_statement(document, each, one, versions[v]["approvals"][a], one.approved_by, "k")
                signature = b64encode(sign(approval_bytes(said), KEY)).decode()
                entry = {"person": one.approved_by, "key_id": "k", "signature": signature}
                versions[v]["approvals"][a]["signatures"] = [entry]
    return written


def served(chance: random.Random, system: str, number: int) -> dict[str, Any]:
    arrived = T0 + chance.randrange(-7, 7) * HOUR + chance.randrange(3) * 1_000
    call = chance.random() < 0.2
    return {
        "event_id": f"e{number}", "type": "tool_call" if call else "inference", "system": system,
        "event_time": arrived - chance.choice([0, 0, 1, -1, 5 * MINUTE]),
        "version": chance.choice(["v1", "org/v2", "3"]), "config_digest": chance.choice([None, "d1", "d2"]),
        "use_case": None if call else chance.choice(["triage", "other"]), "arrived": arrived,
    }  # fmt: skip


def time(micros: int) -> str:
    return f"fromUnixTimestamp64Micro({micros}, 'UTC')"


def text(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


Sent = tuple[str, str, dict[str, Any] | None, int]


@pytest.fixture(scope="module")
def history(store: Store) -> tuple[list[Sent], list[dict[str, Any]]]:
    """Documents as they were published, some edited, withdrawn or not there at first, and what was served."""
    chance = random.Random(7)
    sent: list[Sent] = []
    names = [f"s{n}" for n in range(SYSTEMS)]
    for name in (*names, "owner", "ann", "ben"):
        kind, make = ("System", system) if name in names else ("Person", person)
        hours = sorted(chance.sample(range(-8, 7), 3))
        for turn, hour in enumerate(hours):
            gone = turn == 1 and chance.random() < 0.2
            sent.append(
                (kind, name, None if gone else make(chance, name), T0 + hour * HOUR + chance.randrange(3) * 1_000)
            )
    sent.sort(key=lambda each: each[3])
    events = [served(chance, chance.choice([*names, "stranger"]), number) for number in range(2_000)]
    rows = ", ".join(
        f"({text(kind)}, {text(name)}, {text('' if body is None else json.dumps(body))}, {body is None}, {offset}, "
        f"{time(at)})"
        for offset, (kind, name, body, at) in enumerate(sent)
    )
    store.command(f"INSERT INTO document (kind, id, document, retired, offset, broker_time) VALUES {rows}")
    for kind in ("inference", "tool_call"):
        columns = "event_id, event_time, system, version, config_digest, broker_time, topic, offset"
        rows = ", ".join(
            f"({text(e['event_id'])}, {time(e['event_time'])}, {text(e['system'])}, {text(e['version'])}, "
            f"{text(e['config_digest'])}, {time(e['arrived'])}, {text(kind)}, {n}"
            + (f", {text(e['use_case'])})" if kind == "inference" else ")")
            for n, e in enumerate(events)
            if e["type"] == kind
        )
        more = ", use_case" if kind == "inference" else ""
        store.command(f"INSERT INTO {kind} ({columns}{more}) VALUES {rows}")
    return sent, events


def as_of(sent: list[Sent], at: int | None) -> tuple[dict[str, System], dict[str, Person]]:
    latest = {(kind, name): body for kind, name, body, when in sent if at is None or when <= at}
    systems = {n: System.model_validate(b) for (kind, n), b in latest.items() if kind == "System" and b is not None}
    persons = {n: Person.model_validate(b) for (kind, n), b in latest.items() if kind == "Person" and b is not None}
    return systems, persons


def of(event: Mapping[str, Any]) -> Served:
    return Served(event["version"], event["config_digest"], event["use_case"], event["event_time"])


def expected(sent: list[Sent], event: Mapping[str, Any]) -> str | None:
    systems, persons = as_of(sent, event["arrived"])
    declared = systems.get(event["system"])
    found = None if declared is None else allowing(declared_versions(declared, persons), of(event))
    return None if found is None else found.approval_id


def test_why_is_the_rule_by_the_documents_of_when_it_came(
    store: Store, history: tuple[list[Sent], list[dict[str, Any]]]
) -> None:
    sent, events = history
    right = {event["event_id"]: expected(sent, event) for event in events}
    told = store.rows("SELECT * FROM why")
    assert len(told) == len(events)
    assert {row["event_id"]: row["approval_id"] for row in told} == right
    assert 150 < sum(name is not None for name in right.values()) < 1_500
    rows = decisions(store, [row["event_id"] for row in told[:200]])
    published = Publications(store, [row.system for row in rows])
    assert len(rows) == 200
    for row in rows:
        allowed = published.allowed(row)
        assert (None if allowed.approval is None else allowed.approval.approval_id) == right[row.event_id]
        assert (allowed.approval is None) == bool(allowed.why_not)


def test_approvals_counts_what_why_says(store: Store, history: tuple[list[Sent], list[dict[str, Any]]]) -> None:
    sent, events = history
    right = Counter((e["system"], e["version"], expected(sent, e)) for e in events)
    rows = store.rows("SELECT * FROM approvals")
    told = Counter[tuple[str, str, str]]()
    for row in rows:
        told[row["system"], row["version"], row["approval_id"]] += row["events"]
    assert {key: count for key, count in told.items() if count} == {k: n for k, n in right.items() if k[2] is not None}
    systems, _ = as_of(sent, None)
    listed = {(s.id, v.version, a.id, a.use_case) for s in systems.values() for v in s.versions for a in v.approvals}
    named = {(r["system"], r["version"], r["approval_id"], r["use_case"]) for r in rows if r["in_documents"]}
    assert named == listed


def test_the_clause_asks_the_same_of_columns(history: tuple[list[Sent], list[dict[str, Any]]]) -> None:
    sent, events = history
    systems, persons = as_of(sent, None)
    asked = 0
    for declared in systems.values():
        versions = declared_versions(declared, persons)
        for source in ("inference", "tool_call"):
            those = [event for event in events if event["type"] == source]
            frame = pl.DataFrame(
                {name: [e[name] for e in those] for name in ("version", "config_digest", "use_case")},
                schema=dict.fromkeys(("version", "config_digest", "use_case"), pl.String),
            ).with_columns(pl.Series("event_time", [e["event_time"] for e in those]).cast(pl.Datetime("us", "UTC")))
            permitted = conditions(versions, source)
            if permitted:
                found = frame.select(polars_expression(any_of(*permitted), source, "boolean").fill_null(value=False))
                right = [allowing(versions, of(event)) is not None for event in those]
                assert found.to_series().to_list() == right
                asked += 1
    assert asked > SYSTEMS


def test_the_gate_lets_through_what_the_rule_allows(
    history: tuple[list[Sent], list[dict[str, Any]]], tmp_path: Path
) -> None:
    sent, _ = history
    systems, persons = as_of(sent, None)
    keys = [{"key_id": "k", "public": PUBLIC}]
    people = [{"kind": "Person", "id": name, "name": name, "keys": keys} for name in persons]
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all([*people, *(dict(s.written) for s in systems.values())]))
    reads, problems = read_folder(tmp_path)
    known = {each.id: each for each in map(Person.model_validate, people)}
    passed = 0
    for declared in systems.values():
        versions = declared_versions(declared, known)
        for version in ("v1", "org/v2", "3"):
            for digest in ("d1", "d2"):
                for at in (T0 - 2 * HOUR, T0 + 3 * HOUR):
                    case = case_of(declared.id, reads, at)
                    assert case is not None
                    found = agreed(case, problems, [Deployed(version, digest, "triage")])
                    refused = [f for f in found if f.rule.startswith("approval-") and f.refuses]
                    allowed = allowing(versions, Served(version, digest, "triage", at))
                    assert (allowed is not None) == (not refused), (refused, allowed)
                    assert allowed is not None or why_not(versions, Served(version, digest, "triage", at))
                    passed += allowed is not None
    assert passed > 5
