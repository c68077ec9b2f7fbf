"""`seamwatch doctor`: whether everything is there that Seamwatch needs, and whether what runs keeps up."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from seamwatch.errors import LocalStackError, SeamwatchError
from seamwatch.settings import Settings, load_settings

if TYPE_CHECKING:
    from sinks.store import Store

Verdict = Literal["ok", "note", "problem"]

_TIMEOUT_SECONDS = 5.0
_CLAUSES_TOLD = 3
_DIFFERENCES_TOLD = 3
_PRODUCERS_TOLD = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    verdict: Verdict
    found: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    data: Annotated[Path | None, typer.Option(help="data folder of the system to look at")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Look at what Seamwatch needs here, and at the system that runs.

    Its processes, how far behind each stage is, whether the store's tables and views are as the migrations make them;
    which clauses events came too late for, and which producers gave several events one id, today and yesterday (UTC).

    Exit 1 when there is a problem; a system that does not run is none.

    Example: seamwatch doctor --data ./data
    """
    settings = load_settings(data=data)
    findings = [*_machine(settings), *_running(settings, data)]
    for finding in findings:
        if as_json:
            print(json.dumps(asdict(finding)))
        else:
            print(f"{finding.verdict:<8} {finding.subject:<18} {finding.found}")
    raise typer.Exit(1 if any(finding.verdict == "problem" for finding in findings) else 0)


def _machine(settings: Settings) -> Iterator[Finding]:
    from stack.jars import KAFKA_VERSION, cached, user_cache
    from stack.java import find_java, java_version

    yield Finding("python", "ok", f"{platform.python_version()} ({sys.executable})")
    try:
        java = find_java(settings.java)
        yield Finding("java", "ok", f"{java_version(java)} ({java})")
    except LocalStackError as error:
        yield Finding("java", "problem" if settings.kafka is None else "note", str(error))
    cache = user_cache(settings.cache)
    if (jars := cached(cache)) is not None:
        yield Finding("kafka's jars", "ok", f"{KAFKA_VERSION} ({jars})")
    else:
        yield Finding("kafka's jars", "note", f"not in {cache} yet; the first start fetches them (45 MB)")
    try:
        import chdb

        yield Finding("chdb", "ok", f"ClickHouse {chdb.engine_version}")
    except ImportError:
        verdict: Verdict = "problem" if settings.clickhouse is None else "note"
        yield Finding("chdb", verdict, "missing: pip install 'seamwatch[local]', or set CLICKHOUSE_URL")
    yield _folder(settings.data)


def _folder(data: Path) -> Finding:
    nearest = next(path for path in (data, *data.parents) if path.exists())
    if not os.access(nearest, os.W_OK):
        return Finding("data folder", "problem", f"{data} cannot be written: name another with --data")
    secrets = data / "secrets.json"
    kept = f"; passwords of the local store are in {secrets}" if secrets.exists() else ""
    return Finding("data folder", "ok", f"{data}{kept}")


def _running(settings: Settings, data: Path | None) -> Iterator[Finding]:
    from console.reach import processes, reach

    found = reach(data)
    for name, process in processes(settings.data).items():
        alive = Path(f"/proc/{process}").exists() if sys.platform == "linux" else True
        yield Finding(name, "ok" if alive else "problem", f"process {process}" + ("" if alive else " is gone"))
    if "kafka" in found.known:
        yield from _broker(found.kafka, found.prefix)
    else:
        yield Finding("broker", "note", found.missing)
    if "auditor" in found.known:
        yield from _store(found.auditor, settings.cluster)
    else:
        yield Finding("store", "note", found.missing)


def _store(url: str, cluster: str | None) -> Iterator[Finding]:
    from sinks.store import Store

    shown = url.rpartition("@")[2]
    try:
        with Store(url, reading=True) as store:
            version = store.rows("SELECT version() AS version")[0]["version"]
            yield Finding("store", "ok", f"{shown}, ClickHouse {version}")
            yield _tables(store, url, cluster)
    except SeamwatchError as error:
        yield Finding("store", "problem", str(error))


def _tables(store: Store, url: str, cluster: str | None) -> Finding:
    from sinks.definitions import differences, read_definitions
    from sinks.migrate import cluster_of, is_empty

    if is_empty(store):
        return Finding("tables and views", "note", "none yet: `seamwatch store migrate` makes them")
    definitions = read_definitions(store, cluster_of(url, cluster))
    wrong = list(differences(store, definitions))
    if not wrong:
        return Finding("tables and views", "ok", f"{len(definitions.made)}, each as the migrations make it")
    named = [
        f"{each.table}{f', {each.part}' if each.part else ''}: {each.message}" for each in wrong[:_DIFFERENCES_TOLD]
    ]
    more = f", and {len(wrong) - len(named)} more" if len(wrong) > len(named) else ""
    remedy = "; `seamwatch store migrate` brings up to date what is only behind"
    return Finding("tables and views", "problem", f"not as the migrations make them: {'; '.join(named)}{more}{remedy}")


def _broker(bootstrap: str, prefix: str) -> Iterator[Finding]:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    from console.lag import lag
    from seamwatch.clauses import kinds
    from seamwatch.wire.topics import Topics

    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    try:
        metadata = admin.list_topics(timeout=_TIMEOUT_SECONDS)
    except KafkaException as error:
        yield Finding("broker", "problem", f"{bootstrap} does not answer ({error.args[0].str()})")
        return
    yield Finding("broker", "ok", f"{bootstrap}, {len(metadata.brokers)} broker(s)")
    wanted = {spec.name for spec in Topics(prefix).specs(kinds())}
    if absent := sorted(wanted - metadata.topics.keys()):
        yield Finding("topics", "note", f"not there: {', '.join(absent)}; `seamwatch topics create` makes them")
    else:
        yield Finding("topics", "ok", f"{len(wanted)} with the prefix {prefix}")
    for stage in ("measure", "judge", "record"):
        try:
            behind = lag(admin, f"{prefix}.{stage}")
        except KafkaException as error:
            yield Finding(f"lag of {stage}", "problem", error.args[0].str())
            continue
        if behind is None:
            yield Finding(f"lag of {stage}", "note", "it has committed nothing yet")
        else:
            yield Finding(f"lag of {stage}", "ok", f"{behind} records")
    for state, told in ((Topics(prefix).judge_state, _late), (Topics(prefix).measure_state, _reused)):
        if state in metadata.topics:
            yield told(bootstrap, state, list(metadata.topics[state].partitions))


def _late(bootstrap: str, state: str, partitions: list[int]) -> Finding:
    from seamwatch.clock import SystemClock
    from streams.late import OTHERS, read_late

    try:
        late = read_late(bootstrap, state, partitions, SystemClock().now(), _TIMEOUT_SECONDS)
    except SeamwatchError as error:
        return Finding("late events", "note", str(error))
    if not late:
        return Finding("late events", "ok", "no event came too late to be judged, today or yesterday")
    first = [(whose, number) for whose, number in late.most_common() if whose != OTHERS][:_CLAUSES_TOLD]
    told = [f"{number:,} for {whose.clause} of {whose.contract} ({whose.system})" for whose, number in first]
    if rest := late.total() - sum(number for _, number in first):
        told.append(f"{rest:,} for others")
    return Finding(
        "late events",
        "note",
        f"{late.total():,} events came too late to be judged, today and yesterday: {', '.join(told)}; "
        "a longer `lateness` of the contract allows for more",
    )


def _reused(bootstrap: str, state: str, partitions: list[int]) -> Finding:
    from seamwatch.clock import SystemClock
    from streams.reused import OTHERS, read_reused

    try:
        reused = read_reused(bootstrap, state, partitions, SystemClock().now(), _TIMEOUT_SECONDS)
    except SeamwatchError as error:
        return Finding("reused ids", "note", str(error))
    if not reused:
        return Finding("reused ids", "ok", "no event had the id of another, today or yesterday")
    first = [(producer, number) for producer, number in reused.most_common() if producer != OTHERS][:_PRODUCERS_TOLD]
    told = [f"{number:,} of {producer}" for producer, number in first]
    if rest := reused.total() - sum(number for _, number in first):
        told.append(f"{rest:,} of others")
    return Finding(
        "reused ids",
        "problem",
        f"{reused.total():,} events had the id of another event, today and yesterday, and were not judged: "
        f"{', '.join(told)}; only the first event of an id counts, so give each one of its own",
    )
