"""Whatever values a writer puts anywhere, a verification ends, and accuses nothing that is as it was."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from sinks.store.client import Store
from sinks.store.refusals import StoreRefusedError
from tests.sinks.ledger.copies import Original, original

LEDGER = ("ledger_commit", "checkpoint", "ledger_intent", "ledger_tile", "retention", "ledger_dropped")
RECORD = ("inference", "violation", "document", "dead_letter")
TEXTS = (
    "'\\xff\\xfe'",
    "'\\0'",
    "''",
    "'t.inference'",
    "'t.checkpoint'",
    "'t.nothing'",
    "'\\'; --'",
    "repeat('x', 70000)",
)
BYTES = ("'x'", "''", "repeat('\\xff', 31)", "repeat('\\0', 32 * 300)", "'\\n\\n\\n'", "'—  x\\n\\n— x x\\n'")
SEEDS = range(2)
NUMBERS = {
    "UInt8": ("0", "255"),
    "Int32": ("-1", "-2147483648", "2147483647"),
    "UInt32": ("0", "4294967295"),
    "Int64": ("-9223372036854775808", "9223372036854775807", "-1", "4611686018427387904"),
    "UInt64": ("0", "18446744073709551615", "9223372036854775808"),
}


@pytest.fixture(scope="module")
def made(clickhouse: str, auditor_url: str) -> Iterator[Original]:
    with original(clickhouse, auditor_url) as made:
        yield made


@pytest.mark.parametrize("seed", SEEDS)
def test_a_verification_ends_whatever_is_in_the_ledgers_own_tables(made: Original, seed: int) -> None:
    chance = random.Random(seed)
    with made.copy() as copy:
        touched = set()
        with Store(copy.writer) as store:
            for table in chance.sample(LEDGER, 4):
                touched |= garbled(store, table, chance, 12)
        report = copy.verified()
    assert report.findings
    # Rows of topics that nobody has are accused where they say they are; of the others only those that were touched.
    accused = {(each.topic, each.partition) for each in report.findings if (each.topic, each.partition) in made.book.at}
    assert accused <= touched, touched


@pytest.mark.parametrize("seed", SEEDS)
def test_a_verification_ends_whatever_is_in_the_rows(made: Original, seed: int) -> None:
    chance = random.Random(seed)
    with made.copy() as copy:
        touched = set()
        with Store(copy.writer) as store:
            for table in RECORD:
                touched |= garbled(store, table, chance, 4)
        report = copy.verified()
    accused = {(each.topic, each.partition) for each in report.findings if (each.topic, each.partition) in made.book.at}
    assert accused
    assert accused <= touched, touched


def garbled(store: Store, table: str, chance: random.Random, rows: int) -> set[tuple[str | None, int | None]]:
    """Put rows in anew with some of their values extreme; the topic partitions that they were of, or now are of."""
    columns = store.rows(
        f"SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = '{table}'"
    )
    touched: set[tuple[str | None, int | None]] = set()
    places = store.rows(f"SELECT DISTINCT topic, partition FROM {table} ORDER BY ALL")
    for place in chance.choices(places, k=rows):
        made = {
            column["name"]: extreme(column["type"], chance)
            for column in chance.sample(columns, chance.choice([1, 2, 4]))
        }
        changed = ", ".join(f"{value} AS `{name}`" for name, value in made.items())
        of = f"topic = '{place['topic']}' AND partition = {place['partition']}"
        source = f"SELECT * REPLACE ({changed}) FROM (SELECT * FROM {table} WHERE {of} LIMIT 1)"
        try:
            found = store.rows(f"SELECT topic, partition FROM ({source})")
            store.command(f"INSERT INTO {table} {source} SETTINGS insert_deduplicate = 0")
        except StoreRefusedError:
            continue  # what the column does not take at all
        touched |= {(row["topic"], row["partition"]) for row in found}
    return touched


def extreme(kind: str, chance: random.Random) -> str:
    inner = kind.removeprefix("LowCardinality(").removeprefix("Nullable(").removesuffix(")").removesuffix(")")
    if inner in NUMBERS:
        return f"CAST({chance.choice(NUMBERS[inner])}, '{inner}')"
    if inner.startswith("Array(Int64"):
        return "CAST([5, -1, 9223372036854775807], 'Array(Int64)')"
    if inner.startswith("Array(UInt64"):
        return "CAST([18446744073709551615, 0, 7], 'Array(UInt64)')"
    if inner.startswith("Array(Tuple(key"):
        return "[('\\xff', '\\xfe'), ('', '')]"
    if inner.startswith("DateTime64"):
        return chance.choice(["toDateTime64('1900-01-01', 6, 'UTC')", "toDateTime64('2299-12-31 23:59:59', 6, 'UTC')"])
    if inner.startswith("String"):
        return chance.choice(TEXTS + BYTES)
    return "defaultValueOfTypeName('" + kind.replace("'", "\\'") + "')"
