"""Examination: what `seamwatch doctor` finds of this machine, of the processes of a system and of its store.

What the broker tells of a system that runs is `console.health`'s.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from console.finding import Finding, Verdict
from console.health import broker
from seamwatch.durations import SECOND, format_duration
from seamwatch.errors import LocalStackError, SeamwatchError
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.outages import RESTARTS, RESTARTS_WITHIN
from seamwatch.settings import Settings
from stack.room import FULL_BYTES, free_bytes, full

if TYPE_CHECKING:
    from sinks.store.client import Store

_DIFFERENCES_TOLD: Final = 3


def findings(settings: Settings, data: Path | None) -> Iterator[Finding]:
    """Everything that there is to look at, in the order in which a reader wants it; ``data``: the folder named."""
    yield from _machine(settings)
    yield from _running(settings, data)


def _machine(settings: Settings) -> Iterator[Finding]:
    from stack.kafka.jars import KAFKA_VERSION, cached, user_cache
    from stack.kafka.java import find_java, java_version

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
    if (free := free_bytes(data)) is not None and free < FULL_BYTES:
        return Finding("data folder", "problem", f"{full(data, free)}: make room")
    secrets = data / "secrets.json"
    kept = f"; passwords of the local store are in {secrets}" if secrets.exists() else ""
    return Finding("data folder", "ok", f"{data}{kept}")


def _running(settings: Settings, data: Path | None) -> Iterator[Finding]:
    from console.reach import processes, reach
    from seamwatch.running import running

    found, status = reach(data), running(settings.data).told
    for name, process in processes(settings.data).items():
        yield _process(name, process, status.get("restarts", {}).get(name, []))
    if metrics := status.get("metrics"):
        shown = (f"{stage} http://{where}/metrics" for stage, where in metrics.items())
        yield Finding("metrics", "ok", ", ".join(shown))
    if "kafka" in found.known:
        yield from broker(found.kafka, found.prefix, settings)
    else:
        yield Finding("broker", "note", found.missing)
    if "auditor" in found.known:
        yield from _store(found.auditor, settings.cluster)
    else:
        yield Finding("store", "note", found.missing)


def _process(name: str, process: int, restarts: Sequence[float]) -> Finding:
    """A process of `up`, and how often it had to be started again: too often is a problem, though it lives just now."""
    if sys.platform == "linux" and not Path(f"/proc/{process}").exists():
        return Finding(name, "problem", f"process {process} is gone")
    if not restarts:
        return Finding(name, "ok", f"process {process}")
    last = moment_text(round(restarts[-1] * SECOND))
    lately = sum(at > time.time() - RESTARTS_WITHIN / SECOND for at in restarts)
    if lately >= RESTARTS:
        within = format_duration(RESTARTS_WITHIN)
        said = f"process {process}, started again {lately} times within {within}, the last time at {last}"
        return Finding(name, "problem", f"{said}: its log in logs/ says why it ends")
    times = "once" if len(restarts) == 1 else f"{len(restarts)} times"
    return Finding(name, "ok", f"process {process}, started again {times}, the last time at {last}")


def _store(url: str, cluster: str | None) -> Iterator[Finding]:
    from sinks.store.client import Store
    from sinks.store.questions.server import version

    shown = url.rpartition("@")[2]
    try:
        with Store(url, reading=True) as store:
            yield Finding("store", "ok", f"{shown}, ClickHouse {version(store)}")
            tables = _tables(store, url, cluster)
            yield tables
            if tables.verdict == "ok":
                yield from replies(store)
    except SeamwatchError as error:
        yield Finding("store", "problem", str(error))


def replies(store: Store) -> Iterator[Finding]:
    """When an answer that was given elsewhere was last relayed, where one ever was."""
    from sinks.store.questions.relayed import last_relayed

    last = last_relayed(store)
    if last is not None:
        said = f"the last one was relayed at {moment_text(last.recorded_at)} by {last.relayed_by}"
        yield Finding("replies", "ok", said)


def _tables(store: Store, url: str, cluster: str | None) -> Finding:
    from sinks.store.definitions import differences, read_definitions
    from sinks.store.migrate import cluster_of, is_empty

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
