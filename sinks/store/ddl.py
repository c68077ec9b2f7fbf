"""DDL: what statements make, told from their text as the store's own formatter writes it: tables, views, their parts.

The migrations say it step by step; followed from the first to the last they come to the tables and views that a store
must have, and the statement that a store shows for a table comes to what it has. Text in, values out; runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from seamwatch.errors import StoreError

_TOKEN: Final = re.compile(r"'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\"|\w+|->|[!<>=]=|\S", re.DOTALL)
_DEPTH: Final = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_PARTS: Final = ("INDEX", "PROJECTION", "CONSTRAINT")
_CLAUSES: Final = (
    *(("ENGINE",), ("PARTITION", "BY"), ("PRIMARY", "KEY"), ("ORDER", "BY"), ("SAMPLE", "BY")),
    *(("TTL",), ("SETTINGS",), ("COMMENT",)),
)
_OF_PACKING: Final = re.compile(r"\b(Delta|DoubleDelta|T64|Gorilla|FPC)\([^()]*\)")
"""Codecs whose arguments the store fills in by itself."""

Tokens = Sequence[str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its type, and ``modifiers``: where its values come from when none are given, how long they stay."""

    type: str
    modifiers: str = ""
    codec: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table. ``parts`` are its indexes, projections and constraints, by such names as ``INDEX by_offset``.

    ``clauses`` are what stands after its columns, but for the settings.
    """

    columns: Mapping[str, Column]
    parts: Mapping[str, str] = field(default_factory=dict)
    clauses: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def engine(self) -> str:
        """The engine, without its arguments; empty where it has none."""
        return self.clauses.get("ENGINE", "").partition("(")[0]


@dataclass(frozen=True, slots=True)
class View:
    """A view, by its query, whose words are in ``query`` and whose text in ``text``."""

    query: tuple[str, ...]
    text: str


Made = Table | View


def follow(statements: Iterable[str], database: str) -> dict[str, Made]:
    """What statements of migrations make, one after another, in this database; by name, with the database's of others.

    Raises StoreError for a statement of which it does not know what it makes.
    """
    made: dict[str, Made] = {}
    for statement in statements:
        words = tokens(statement, database)
        try:
            _apply(made, [*_without_cluster(words)], statement)
        except (IndexError, KeyError, ValueError) as error:
            raise StoreError(f"a migration has a statement that cannot be followed: {statement[:100]!r}") from error
    return made


def read_table(statement: str, database: str) -> Table | None:
    """The table that a store's CREATE statement shows; None where it shows none of ours, such as a view."""
    words = tokens(statement, database)
    try:
        name, rest = _name(words[words.index("TABLE") + 1 :])
        return _table(rest) if name and words[:1] == ["CREATE"] else None
    except (IndexError, ValueError):
        return None


def tokens(text: str, database: str) -> list[str]:
    """The words of a statement. The name of the database that is asked is left out: the store puts it before tables."""
    found: list[str] = _TOKEN.findall(text)
    kept = []
    at = 0
    while at < len(found):
        is_own = found[at].strip("`") == database and found[at + 1 : at + 2] == ["."] and found[at - 1 : at] != ["."]
        if is_own:
            at += 2
        else:
            kept.append(found[at])
            at += 1
    return kept


def text_of(words: Tokens) -> str:
    """Words as a person writes them."""
    text = ""
    for word in words:
        tight = not text or text[-1] in "(.[" or word in (",", ")", ".", "]") or (word == "(" and text[-1].isalnum())
        text += word if tight else f" {word}"
    return text


def _apply(made: dict[str, Made], words: list[str], statement: str) -> None:
    match words:
        case ["CREATE", "DATABASE", *_]:
            return
        case ["CREATE", "TABLE", *rest]:
            name, rest = _name(rest)
            made.setdefault(name, _table(rest) if rest[0] != "AS" else _copy(made, rest[1:]))
        case ["CREATE", "OR", "REPLACE", "VIEW", *rest]:
            name, rest = _name(rest)
            if rest[0] != "AS":
                raise ValueError
            made[name] = View(tuple(rest[1:]), statement.partition(" AS ")[2])
        case ["DROP", "TABLE" | "VIEW", *rest]:
            del made[_name(rest)[0]]
        case ["ALTER", "TABLE", *rest]:
            name, rest = _name(rest)
            table = made[name]
            assert isinstance(table, Table)
            for action in _split(rest):
                # Some versions of the store write each action in parentheses.
                table = _altered(table, action[1:-1] if action[0] == "(" else action)
            made[name] = table
        case _:
            raise ValueError


def _altered(table: Table, action: list[str]) -> Table:
    columns, parts, settings = dict(table.columns), dict(table.parts), dict(table.settings)
    match action:
        case ["ADD" | "MODIFY", "COLUMN", *rest]:
            name, rest = _name(rest)
            columns[name] = _column(_placed(rest))
        case ["DROP", "COLUMN", *rest]:
            columns.pop(_name(rest)[0], None)
        case ["RENAME", "COLUMN", *rest]:
            old, rest = _name(rest)
            columns = {_name(rest[1:])[0] if name == old else name: column for name, column in columns.items()}
        case ["ADD", "INDEX" | "PROJECTION" | "CONSTRAINT" as kind, *rest]:
            name, rest = _name(rest)
            parts.setdefault(f"{kind} {name}", text_of(_placed(rest)))
        case ["DROP", "INDEX" | "PROJECTION" | "CONSTRAINT" as kind, *rest]:
            parts.pop(f"{kind} {_name(rest)[0]}", None)
        case ["MODIFY", "SETTING", *rest]:
            settings |= _settings(rest)
        case ["MODIFY", "TTL", *rest]:
            return replace(table, clauses={**table.clauses, "TTL": text_of(rest)})
        case ["MATERIALIZE" | "CLEAR", *_]:
            pass  # of the rows that are there, not of what the table is
        case _:
            raise ValueError
    return replace(table, columns=columns, parts=parts, settings=settings)


def _table(words: Tokens) -> Table:
    """A table from what follows its name."""
    end = _closing(words)
    columns: dict[str, Column] = {}
    parts: dict[str, str] = {}
    for item in _split(words[1:end]):
        if item[0] in _PARTS:
            name, rest = _name(item[1:])
            parts[f"{item[0]} {name}"] = text_of(rest)
        else:
            name, rest = _name(item)
            columns[name] = _column(rest)
    clauses = dict(_clauses(words[end + 1 :]))
    settings = _settings(clauses.pop("SETTINGS", []))
    clauses.pop("COMMENT", None)
    return Table(columns, parts, {name: text_of(rest) for name, rest in clauses.items()}, settings)


def _copy(made: Mapping[str, Made], words: Tokens) -> Table:
    """A table that takes its columns from another, and nothing else of it."""
    name, rest = _name(words)
    table = made[name]
    assert isinstance(table, Table)
    return Table(table.columns, clauses={clause: text_of(each) for clause, each in _clauses(rest)})


def _column(words: Tokens) -> Column:
    """A column from what follows its name."""
    end = 1 if words[1:2] != ["("] else 2 + _closing(words[1:])
    kind, rest, modifiers, codec = text_of(words[:end]), list(words[end:]), [], ""
    while rest:
        if rest[0] in ("CODEC", "STATISTICS") and rest[1:2] == ["("]:
            end = 2 + _closing(rest[1:])
            codec = text_of(rest[:end]) if rest[0] == "CODEC" else codec
            rest = rest[end:]
        elif rest[0] == "COMMENT":
            rest = rest[2:]
        else:
            modifiers.append(rest.pop(0))
    return Column(kind, text_of(modifiers), _OF_PACKING.sub(r"\1", codec))


def _clauses(words: Tokens) -> Iterator[tuple[str, list[str]]]:
    """What stands after the columns, each by its first words."""
    name, rest, depth, at = "", [], 0, 0
    while at < len(words):
        begun = next((each for each in _CLAUSES if tuple(words[at : at + len(each)]) == each and not depth), None)
        if begun is None:
            depth += _DEPTH.get(words[at], 0)
            rest.append(words[at])
            at += 1
            continue
        if name:
            yield name, rest
        name, rest, at = " ".join(begun), [], at + len(begun)
        at += words[at : at + 1] == ["="]
    if name:
        yield name, rest


def _settings(words: Tokens) -> dict[str, str]:
    return {item[0]: text_of(item[2:]) for item in _split(words)}


def _name(words: Tokens) -> tuple[str, list[str]]:
    """The name at the beginning, after ``IF [NOT] EXISTS``, and what follows it."""
    at = 0
    while words[at] in ("IF", "NOT", "EXISTS"):
        at += 1
    name = words[at].strip("`")
    if words[at + 1 : at + 2] == ["."]:
        name, at = f"{name}.{words[at + 2].strip('`')}", at + 2
    return name, list(words[at + 1 :])


def _placed(words: Tokens) -> list[str]:
    """A definition without where it is to be put: ``FIRST`` or ``AFTER`` another."""
    words = list(words)
    if words[-1:] == ["FIRST"]:
        return words[:-1]
    return words[:-2] if words[-2:-1] == ["AFTER"] else words


def _without_cluster(words: list[str]) -> Iterator[str]:
    at = 0
    while at < len(words):
        if words[at : at + 2] == ["ON", "CLUSTER"]:
            at += 3
        else:
            yield words[at]
            at += 1


def _split(words: Tokens) -> Iterator[list[str]]:
    """The parts between the commas that are in no parentheses."""
    part: list[str] = []
    depth = 0
    for word in words:
        depth += _DEPTH.get(word, 0)
        if word == "," and not depth:
            yield part
            part = []
        else:
            part.append(word)
    if part:
        yield part


def _closing(words: Tokens) -> int:
    """Where the parenthesis closes that the words begin with. Raises ValueError where they begin with none."""
    depth = 0
    for at, word in enumerate(words):
        depth += _DEPTH.get(word, 0)
        if not depth:
            if words[0] != "(":
                raise ValueError
            return at
    raise ValueError
