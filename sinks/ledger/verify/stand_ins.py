"""Stand-ins: how a table that is not as the migrations make it is read all the same, so that the rest can be verified.

A stand-in is a query that answers what the table should: its columns under their names and types, as far as they are
there and can be had so. Whatever is lacking is told by `sinks.store.definitions`; here it only must stop nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sinks.columns import POSITION_COLUMNS
from sinks.store.client import Store, quoted
from sinks.store.ddl import Column, Table
from sinks.store.definitions import Definitions, Shown
from sinks.store.refusals import StoreRefusedError

_PLACE: Final = frozenset({"topic", "partition", "offset"})
"""Without these a row of the record is nowhere, and so not read at all."""


def record_tables(made: Mapping[str, Table], *names: str) -> list[str]:
    """The tables of records among these, that have these columns too."""
    wanted = {*POSITION_COLUMNS, *names}
    return sorted(name for name, table in made.items() if wanted <= set(table.columns))


def stand_ins(store: Store, definitions: Definitions) -> dict[str, str]:
    """A query for each table whose columns are not all as they should be, or that is not there."""
    found = {}
    for name, made in definitions.made.items():
        # What is in another database are the shares of a cluster's nodes, which nobody reads directly.
        if isinstance(made, Table) and "." not in name:
            shown = definitions.table(name)
            if shown is None or shown.engine != made.engine or shown.columns != made.columns:
                found[name] = _stand_in(store, name, made, definitions)
    return found


def _stand_in(store: Store, name: str, made: Table, definitions: Definitions) -> str:
    source = f"{definitions.database}.{name}"
    is_record = set(POSITION_COLUMNS) <= set(made.columns)
    readable = _readable(store, source, made, definitions.shown.get(name), definitions.table(name))
    if not readable or (is_record and not readable.keys() >= _PLACE):
        return f"SELECT {', '.join(_nothing(*each) for each in made.columns.items())} WHERE 0"
    parts = [
        f"{readable[column]} AS `{column}`" if column in readable else _nothing(column, wanted)
        for column, wanted in made.columns.items()
        # A field that cannot be read is not compared; what a leaf is made of must be something.
        if column in readable or not is_record or column in POSITION_COLUMNS
    ]
    return f"SELECT {', '.join(parts)} FROM {source}"


def _readable(store: Store, source: str, made: Table, shown: Shown | None, table: Table | None) -> dict[str, str]:
    """What gives each column in the type that it should have, whatever is in it; without those that nothing gives."""
    types = {} if shown is None else shown.columns
    given = {
        name: f"`{name}`" if types[name] == wanted.type else f"CAST(`{name}`, {quoted([wanted.type])})"
        for name, wanted in made.columns.items()
        if name in types
    }
    as_made = {} if table is None or table.engine != made.engine else table.columns
    doubtful = [name for name in given if as_made.get(name) != made.columns[name]]
    if doubtful and not _is_answered(store, source, [given[name] for name in doubtful]):
        lacking = {name for name in doubtful if not _is_answered(store, source, [given[name]])}
        return {name: expression for name, expression in given.items() if name not in lacking}
    return given


def _is_answered(store: Store, source: str, expressions: Sequence[str]) -> bool:
    """Whether they can be had of every row: one value may be what cannot be cast, or what a view refuses."""
    try:
        store.rows(f"SELECT count() AS rows FROM {source} WHERE NOT ignore({', '.join(expressions)})")
    except StoreRefusedError:
        return False
    return True


def _nothing(column: str, wanted: Column) -> str:
    return f"defaultValueOfTypeName({quoted([wanted.type])}) AS `{column}`"
