"""Arguments in bulk: what a column of JSON texts of tool calls holds at a path, with no Python for each row.

A JSON path query gives text, in which '5' may be a number or a string; so every string, keys too, is marked first. What
can be read is as `seamwatch.expressions.arguments` says, for each row alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import polars as pl

from seamwatch.expressions import typed
from seamwatch.expressions.arguments import arguments_or_none, value_at

MARK: Final = "~"
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_STRING: Final = r'"((?:[^"\\]|\\.)*)"'
_KEY: Final = rf"{_STRING}\s*:"
_LARGE: Final = rf"{_STRING}|([:,\[\s])(-?[1-9][0-9]{{15,}}(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
"""A string, or a long number, which is never inside one and always behind one of these."""
_NOTHING: Final = ("", "null", "{}")
_SPACE: Final = " \t\n\r"
_BEYOND: Final = 2.0**63
"""From here on polars has whole numbers as doubles; before, with their digits."""
_TEXT: Final = pl.col("arguments")
_TWICE: Final = "arguments.\x00twice"


def extractions(paths: Iterable[tuple[str, ...]]) -> list[pl.Expr]:
    """The columns that hold what is at some paths, to be added to a frame once."""
    wanted = sorted(set(paths))
    read = [_extraction(path).alias(column_name(path)) for path in wanted]
    return [_twice().alias(_TWICE), *read] if wanted else []


def argument_column(name: str) -> str | None:
    """The column of an argument (with dots: inside another) by its plain name: None for a name that is not plain.

    It has the value as JSON text, but a string without its quotes and behind a ``~``; null where there is none.
    """
    return column_name(tuple(name.split("."))) if _PLAIN_NAME.fullmatch(name) else None


class Arguments:
    """Reads arguments from the columns of `extractions`, or from the JSON text."""

    def __init__(self, *, extracted: bool) -> None:
        self._extracted = extracted

    def value(self, path: tuple[str, ...], kind: typed.ValueKind) -> pl.Expr:
        """The value at a path if it is of this kind; a large whole number as the nearest double."""
        marked = self._marked(path)
        if kind == "text":
            return pl.when(marked.str.starts_with(MARK)).then(marked.str.slice(1))
        if kind == "number":
            return marked.cast(pl.Float64, strict=False)
        return pl.when(marked == "true").then(statement=True).when(marked == "false").then(statement=False)

    def given(self, path: tuple[str, ...]) -> pl.Expr:
        """Whether there is a value at a path; NULL when the arguments cannot be read."""
        marked = self._marked(path)
        absent = pl.when(marked.is_null()).then(_TEXT)
        # Only what is read as a whole is known not to have it.
        bare = absent.str.strip_chars(_SPACE)
        whole = bare.str.starts_with("{") & absent.str.json_path_match("$").is_not_null() & ~self._twice()
        readable = (bare.is_in(_NOTHING) | whole).fill_null(value=False)
        return pl.when(marked.is_not_null()).then(statement=True).when(readable).then(statement=False)

    def length(self, path: tuple[str, ...]) -> pl.Expr:
        """How many items the list at a path holds."""

        # polars cannot count a JSON list of mixed items; this one form reads its rows in Python.
        def lengths(texts: pl.Series) -> pl.Series:
            found = (value_at(arguments_or_none(text) or {}, path) for text in texts)
            return pl.Series([len(v) if isinstance(v, list) else None for v in found], dtype=pl.Float64)

        return _TEXT.map_batches(lengths, return_dtype=pl.Float64)

    def digits(self, path: tuple[str, ...]) -> pl.Expr:
        """The digits of the number at a path, of 2^53 or beyond; NULL where it is not written as a whole number."""
        marked = self._marked(path)
        beyond = pl.when(marked.cast(pl.Float64, strict=False).abs() >= _BEYOND).then(_TEXT)
        # Behind the number here, so that it is not taken for a string.
        large = _query(beyond.str.replace_all(_LARGE, f'$2"$3{MARK}$1"'), path).str.strip_suffix(MARK)
        shown = pl.when(beyond.is_not_null()).then(large).otherwise(marked)
        return pl.when(shown.str.contains(r"^-?[0-9]+$")).then(shown)

    def _marked(self, path: tuple[str, ...]) -> pl.Expr:
        return pl.col(column_name(path)) if self._extracted else _extraction(path)

    def _twice(self) -> pl.Expr:
        return pl.col(_TWICE) if self._extracted else _twice()


def column_name(path: tuple[str, ...]) -> str:
    """The column of `extractions` for a path."""
    # No record type has a field of such a name.
    return "arguments." + ".".join(path)


def _extraction(path: tuple[str, ...]) -> pl.Expr:
    # The marked text and what is given twice are the same for all paths, and made once in a lazy frame.
    return pl.when(~_twice()).then(_query(_TEXT.str.replace_all(_STRING, f'"{MARK}$1"'), path))


def _query(text: pl.Expr, path: tuple[str, ...]) -> pl.Expr:
    return text.str.json_path_match("$" + "".join(f"['{MARK}{_escaped(key)}']" for key in path))


def _twice() -> pl.Expr:
    """Whether a key is given twice in one object."""
    keys = _TEXT.str.extract_all(_KEY)
    # Mostly no two of the keys are alike, wherever they stand; a key with an escape may be like one without.
    alike = keys.list.n_unique() < keys.list.len()
    escaped = pl.when(_TEXT.str.contains("\\", literal=True)).then(keys).list.join("")
    doubtful = pl.when(pl.any_horizontal(alike, escaped.str.contains("\\", literal=True))).then(_TEXT)
    # Read and written again, an object has the last of them only.
    left = doubtful.str.json_path_match("$").str.count_matches(_KEY)
    return (doubtful.str.count_matches(_KEY) > left).fill_null(value=False)


def _escaped(key: str) -> str:
    return key.replace("'", "\\'")
