"""A producer service installs and imports the language alone: nothing of the platform comes with it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "polars",
    "numpy",
    "scipy",
    "pyarrow",
    "chdb",
    "faust",
    "jgo",
    "apprise",
    "clickhouse_connect",
    "structlog",
    "typer",
)


def loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print(*sorted(sys.modules.keys() & set({HEAVY!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_language_pulls_in_nothing_of_the_platform() -> None:
    assert loaded_after("import seamwatch") == set()


def test_the_clause_kinds_pull_in_nothing_of_the_platform() -> None:
    assert loaded_after("from seamwatch.clauses import kinds; kinds()") == set()


def test_documents_expressions_and_the_wire_pull_in_nothing_of_the_platform() -> None:
    assert (
        loaded_after("import seamwatch.documents, seamwatch.expressions, seamwatch.wire.codec, seamwatch.settings")
        == set()
    )
