"""Definitions: what a store's tables and views are, held to what the migrations make of them.

SELECT only, so that an auditor can ask. Both sides are written by the store's own formatter, whichever version it is;
what a table must be follows from the steps of the migrations alone, and what a view must ask from its file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from seamwatch.errors import StoreError
from sinks.store.client import Store, quoted
from sinks.store.cluster import LOCAL, Cluster
from sinks.store.ddl import Column, Made, Table, View, follow, read_table, text_of, tokens
from sinks.store.migrate import everything
from sinks.store.refusals import StoreRefusedError
from sinks.store.shipped import read_by, shipped_views
from sinks.store.view_answers import view_answers

_AT_ONCE: Final = 60_000
"""Characters of statements in one question: a store takes 262,144 unless it is told otherwise."""
_FILLED_IN: Final = frozenset({"index_granularity"})
_SHOWN: Final = 60
_UNKNOWN_FUNCTION: Final = 46


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not what the migrations make: a table, or a column, index or clause of it."""

    table: str
    part: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a store shows of a table or view; ``query`` is that of a view."""

    engine: str
    statement: str
    query: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Definitions:
    """What the migrations make, and what the store shows, by name; that of another database with its name."""

    database: str
    made: Mapping[str, Made]
    shown: Mapping[str, Shown]

    def table(self, name: str) -> Table | None:
        """A table as the store shows it; None where there is none of this name, or something else than a table."""
        shown = self.shown.get(name)
        return None if shown is None else read_table(shown.statement, self.database)


def read_definitions(store: Store, cluster: Cluster | None = None) -> Definitions:
    """What the tables and views must be, and what they are."""
    database = store.address.database
    made = follow(_formatted(store, everything(database, cluster)), database)
    databases = [database] if cluster is None else [database, database + LOCAL]
    where = f"database IN ({quoted(databases)})"
    columns: dict[str, dict[str, str]] = {}
    for row in store.rows(f"SELECT database, table, name, type FROM system.columns WHERE {where} ORDER BY position"):
        columns.setdefault(_named(row, "table", database), {})[row["name"]] = _type(row["type"])
    rows = store.rows(
        f"SELECT database, name, engine, create_table_query, as_select FROM system.tables WHERE {where} ORDER BY name"
    )
    shown = {
        (name := _named(row, "name", database)): Shown(
            row["engine"], row["create_table_query"], row["as_select"], columns.get(name, {})
        )
        for row in rows
    }
    return Definitions(database, made, shown)


def differences(store: Store, definitions: Definitions) -> Iterator[Difference]:
    """What of the store is not as the migrations make it. What it has beside that is nobody's affair here."""
    same: list[tuple[str, View, Shown]] = []
    wrong: set[str] = set()
    for name, made in sorted(definitions.made.items()):
        shown = definitions.shown.get(name)
        if shown is None:
            found: Iterable[Difference] = [Difference(name, None, f"this {_kind(made)} is not there")]
        elif isinstance(made, Table):
            found = _of_table(definitions, name, made, shown)
        elif not (found := [*_of_query(definitions, name, made, shown)]):
            same.append((name, made, shown))
        for each in found:
            wrong.add(name)
            yield each
    doubtful = _readers(wrong)
    for name, made, shown in same:
        # Where all that it reads is as it is made to be, what it answers is known; unless the engine shows otherwise.
        if name not in doubtful and shown.columns == view_answers().get(name):
            continue
        # What a view reads may be told to be wrong already; then that it cannot be asked is no news.
        yield from (each for each in _of_answer(store, name, made, shown) if not (each.part is None and wrong))


def _readers(names: Iterable[str]) -> set[str]:
    """These tables and views, and the shipped views that read any of them, or a view that does."""
    found = set(names)
    for view in shipped_views():  # each comes after those that it reads
        if read_by(view.query) & found:
            found.add(view.name)
    return found


def _of_query(definitions: Definitions, name: str, made: View, shown: Shown) -> Iterator[Difference]:
    if shown.engine != "View":
        yield Difference(name, None, f"this is no view, but {_a(shown.engine)}")
        return
    query = tokens(shown.query, definitions.database)
    if tuple(query) != made.query:
        at = next((i for i, (a, b) in enumerate(zip(query, made.query, strict=False)) if a != b), None)
        at = min(len(query), len(made.query)) if at is None else at
        message = f"this view asks for {_from(query, at)} where the migrations make it ask for {_from(made.query, at)}"
        yield Difference(name, None, message)


def _of_answer(store: Store, name: str, made: View, shown: Shown) -> Iterator[Difference]:
    """A list of columns before the query of a view would turn what it answers into other types."""
    try:
        types = answered(store, made)
    except StoreRefusedError as error:
        yield Difference(name, None, f"this view cannot be asked: {error}")
        return
    for column in [*types, *(each for each in shown.columns if each not in types)]:
        if types.get(column) != shown.columns.get(column):
            shows, answers = _a(shown.columns.get(column)), _a(types.get(column))
            yield Difference(name, column, f"this view shows {shows} where its query answers {answers}")


def answered(store: Store, made: View) -> dict[str, str]:
    """The columns that a view's query answers with, and their types, as the engine tells them when it is asked."""
    return {row["name"]: _type(row["type"]) for row in store.rows(f"DESCRIBE TABLE ({made.text})")}


def _of_table(definitions: Definitions, name: str, made: Table, shown: Shown) -> Iterator[Difference]:
    found = read_table(shown.statement, definitions.database)
    if found is None or found.engine != made.engine:
        yield Difference(name, None, f"this is {_a(shown.engine)}, and the migrations make {_a(made.engine)}")
        if found is None or not found.engine.endswith("MergeTree"):
            return  # another thing altogether: of its parts there is nothing to say
    yield from _of_columns(name, made.columns, found.columns)
    if made.engine != "Distributed":
        yield from _of_parts(name, made.parts, found.parts)
    clauses = [{key: _plain_engine(value) for key, value in each.items()} for each in (made.clauses, found.clauses)]
    if found.engine != made.engine:
        clauses = [{key: value for key, value in each.items() if key != "ENGINE"} for each in clauses]
    yield from _of_parts(name, *clauses)
    for setting, value in made.settings.items():
        if (own := found.settings.get(setting)) != value:
            yield Difference(name, setting, f"this setting is {own or 'not set'}, and the migrations make it {value}")


def _of_columns(name: str, made: Mapping[str, Column], found: Mapping[str, Column]) -> Iterator[Difference]:
    for column in [*made, *(each for each in found if each not in made)]:
        ours, theirs = made.get(column), found.get(column)
        if theirs is None:
            yield Difference(name, column, "this column is not there")
        elif ours is None:
            yield Difference(name, column, "no migration makes this column")
        elif ours.type != theirs.type:
            yield Difference(
                name, column, f"this column is {_a(theirs.type)}, and the migrations make it {_a(ours.type)}"
            )
        elif ours.modifiers != theirs.modifiers:
            yield Difference(name, column, _instead(theirs.modifiers, ours.modifiers))
        elif ours.codec != theirs.codec:
            yield Difference(name, column, _instead(theirs.codec, ours.codec))


def _of_parts(name: str, made: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Difference]:
    for part in [*made, *(each for each in found if each not in made)]:
        if part not in found:
            yield Difference(name, part, f"not there; the migrations make it {_short(made[part])}")
        elif part not in made:
            yield Difference(name, part, f"no migration makes this: {_short(found[part])}")
        elif made[part] != found[part]:
            yield Difference(name, part, _instead(found[part], made[part]))


def _formatted(store: Store, statements: Sequence[str]) -> list[str]:
    """The statements as the store writes them."""
    formatted: list[str] = []
    for some in _batches(statements):
        try:
            rows = store.rows(f"SELECT arrayMap(each -> formatQuerySingleLine(each), [{quoted(some)}]) AS statements")
        except StoreRefusedError as error:
            if error.code != _UNKNOWN_FUNCTION:
                raise
            raise StoreError(
                f"the store at {store.address} is too old to say what its tables and views are: it lacks "
                "formatQuerySingleLine, which ClickHouse has had since 23.10"
            ) from error
        formatted += rows[0]["statements"]
    return formatted


def _batches(statements: Iterable[str]) -> Iterator[list[str]]:
    some: list[str] = []
    size = 0
    for statement in statements:
        if some and size + len(statement) > _AT_ONCE:
            yield some
            some, size = [], 0
        some.append(statement)
        size += len(statement)
    if some:
        yield some


def _kind(made: Made) -> str:
    return "view" if isinstance(made, View) else "table"


def _type(text: str) -> str:
    """A type as it is written here, however the store breaks its lines."""
    return text_of(tokens(text, ""))


def _named(row: Mapping[str, str], key: str, database: str) -> str:
    return row[key] if row["database"] == database else f"{row['database']}.{row[key]}"


def _plain_engine(clause: str) -> str:
    """A clause without where replicas keep what they share, which the store fills in."""
    return clause.partition("(")[0] if clause.startswith("Replicated") else clause


def _instead(found: str, made: str) -> str:
    return f"{_short(found) or 'nothing'} instead of {_short(made) or 'nothing'}"


def _from(words: Sequence[str], at: int) -> str:
    return repr(_short(text_of(words[max(0, at - 3) : at + 20]))) if at < len(words) else "no more"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _a(kind: str | None) -> str:
    return "nothing" if not kind else f"{'an' if kind[0] in 'AEIO' else 'a'} {kind}"
