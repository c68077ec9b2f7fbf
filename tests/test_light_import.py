"""What is imported brings in no more than it needs: a producer the language alone, a command what it runs on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

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


def loaded_after(statement: str, heavy: Sequence[str] = HEAVY) -> set[str]:
    code = f"{statement}\nimport sys; print(*sorted(sys.modules.keys() & set({heavy!r})))"
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


def test_the_command_pulls_in_what_it_runs_on_when_it_runs() -> None:
    heavy = tuple({*HEAVY, "confluent_kafka", "pydantic_settings", "sqlglot", "yaml", "streams", "sinks"} - {"typer"})
    assert loaded_after("from console.app import build; build()", heavy) == set()
