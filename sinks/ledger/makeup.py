"""Makeup: findings about the tables and views themselves, and about the steps that made them, rather than about rows.

What is compared with what is `sinks.definitions`'s affair; here it becomes findings, and nothing here stops a
verification.
"""

from __future__ import annotations

from collections.abc import Iterator

from sinks.definitions import Definitions, differences
from sinks.ledger.findings import Finding
from sinks.migrate import migrations
from sinks.store import Store


def definition_findings(store: Store, definitions: Definitions) -> Iterator[Finding]:
    """What of the tables and views is not as the migrations make it."""
    for each in differences(store, definitions):
        yield Finding("definition", None, None, each.message, table=each.table, column=each.part)


def step_findings(store: Store) -> Iterator[Finding]:
    """What is wrong with the list of the migrations that the store has had."""
    had = {
        (row["number"], row["digest"])
        for row in store.rows("SELECT DISTINCT number, digest FROM migration ORDER BY number, digest")
    }
    known = {step.number: step for step in migrations()}
    for number, digest in sorted(had):
        if number not in known:
            yield _step(
                f"step {number} is none that this version knows: the store is a newer seamwatch's, or it was put in"
            )
        elif known[number].digest != digest:
            yield _step(
                f"step {number:04d}_{known[number].name} is not on the list as it was taken: its digest is another"
            )
    for step in known.values():
        if step.number not in {number for number, _ in had}:
            yield _step(
                f"step {step.number:04d}_{step.name} is not on the list: `seamwatch store migrate` takes it, unless "
                "somebody took it off"
            )


def _step(message: str) -> Finding:
    return Finding("migration", None, None, message, table="migration")
