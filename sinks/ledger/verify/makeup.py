"""Makeup: findings about the tables and views themselves, and about the steps that made them, rather than about rows.

What is compared with what is `sinks.store.definitions`'s affair; here it becomes findings, and nothing here stops a
verification.
"""

from __future__ import annotations

from collections.abc import Iterator

from sinks.ledger.verify.findings import Finding
from sinks.store.client import Store
from sinks.store.definitions import Definitions, differences
from sinks.store.migrate import Made, made_views, migrations
from sinks.store.shipped import shipped_views


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


def view_findings(store: Store) -> Iterator[Finding]:
    """What is wrong with the list of the views that the store has; whether they are as they say is another question."""
    listed = made_views(store)
    digests = {view.name: view.digest for view in shipped_views()}
    for name in sorted(listed.keys() | digests.keys()):
        made = listed.get(name, Made("", ""))
        if made.digest == digests.get(name, ""):
            continue
        if not made.digest:
            yield _view(
                f"view {name} is not on the list: `seamwatch store migrate` makes it, unless somebody took it off"
            )
        else:
            yield _view(
                f"view {name} is on the list as seamwatch {made.version} made it, and this version makes it otherwise "
                "or not at all: `seamwatch store migrate` of the newer one makes it, unless somebody edited the list"
            )


def _step(message: str) -> Finding:
    return Finding("migration", None, None, message, table="migration")


def _view(message: str) -> Finding:
    return Finding("migration", None, None, message, table="shipped_view")
