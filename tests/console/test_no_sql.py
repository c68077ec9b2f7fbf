"""The console holds no SQL: what is asked of the store is a question of `sinks.store.questions`, or below."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = [name for name in ("console", "board", "replies") if (ROOT / name).is_dir()]
SQL = re.compile(
    r"\b(?:SELECT|INSERT INTO|ALTER TABLE|CREATE (?:TABLE|VIEW|OR REPLACE)|DROP (?:TABLE|VIEW|DATABASE)|DELETE FROM)\s"
    r"|\b(?:FROM|JOIN)\s+[a-z_{(]+|\bWHERE\s+\S+|\b(?:ORDER|GROUP) BY\s|\bUNION (?:ALL|DISTINCT)\b"
    r"|\{[\w{}]+:[A-Z]\w+[}(]"
)
ASKING = {"rows", "frame", "frames", "text", "command", "insert"}
"""The methods of a store that take SQL, or write."""

TYPED = {
    "console/commands/signals.py": ["`SELECT * FROM unmatched` lists them"],
    "console/commands/sql.py": ['such as seamwatch sql "SELECT 1"'],
}
"""Words that tell a person what they may type themselves."""
ASKED = {
    "console/commands/sql.py": {"text"},  # what a person types
    "console/commands/store_roles.py": {"command"},  # statements of `sinks.store.roles`
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield str(file.relative_to(ROOT)), ast.parse(file.read_text())


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text in a module but docstrings; what is spliced into one stands as {}."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                skipped.add(first.value)
        if isinstance(node, ast.JoinedStr):
            skipped |= set(node.values)
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped:
            yield node.value


def test_no_text_of_a_command_reads_like_sql() -> None:
    found = [
        (name, text)
        for name, tree in modules()
        for text in texts(tree)
        if SQL.search(text) and not any(words in text for words in TYPED.get(name, []))
    ]
    assert found == []


def test_no_command_asks_a_store_itself() -> None:
    asked: dict[str, set[str]] = {}
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKING:
                holder = node.func.value
                # Without an argument it is typer's: `store.command()` makes one of `seamwatch store`.
                if isinstance(holder, ast.Name) and holder.id == "store" and node.args:
                    asked.setdefault(name, set()).add(node.func.attr)
    assert asked == ASKED


@pytest.mark.parametrize(
    "source",
    [
        'rows = store.rows("SELECT 1")',
        'rows = store.rows(f"SELECT {columns} FROM violations")',
        'where = "WHERE system = {system:String} "',
        'order = "ORDER BY system"',
        'more = f"AND {name} = {{{name}:String}}"',
        'QUERY = """\nSELECT system\nFROM inventory\n"""',
        'part = " FROM decisions LIMIT 5"',
    ],
)
def test_sql_is_known_when_it_is_seen(source: str) -> None:
    assert any(SQL.search(text) for text in texts(ast.parse(source)))


@pytest.mark.parametrize(
    "source", ['"""SELECT 1 is what a docstring may say."""', 'columns = ("FROM", "TO")', "x = 'from a'"]
)
def test_what_is_none_is_not_taken_for_it(source: str) -> None:
    assert not any(SQL.search(text) for text in texts(ast.parse(source)))
