"""Identities in bulk: the columns of a frame as `seamwatch.wire.identities` holds them, and the rows that lack one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from seamwatch.wire.identities import BLANKS, HELD, MAX, NIL, SPELT, identities, is_blank
from seamwatch.wire.schemas import Field

_LENGTH = 36
_HYPHENS = (8, 13, 18, 23)
_DIGITS = b"0123456789abcdef"
_PARTS = ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))


def required_identities(record_type: str) -> tuple[str, ...]:
    """The columns that must be there to tell whether a row has all that identifies it."""
    return tuple(field.name for field in identities(record_type) if field.required)


def identified(record_type: str, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series | None]:
    """The frame with its identities as they are held, and a mask of the rows that lack one; None when none does.

    Columns that the frame does not have are not asked about; a null identity is none that is wrong.
    """
    made: list[pl.Series] = []
    lacking: pl.Series | None = None
    for field in identities(record_type):
        if field.name not in frame.columns:
            continue
        column = frame[field.name]
        if column.dtype == pl.String:
            changed, bad = _own_ids(column) if field.identity == "uuid" else _names(field, column)
            if changed is not column:
                made.append(changed)
        else:
            bad = _nameless_members(field, column)
        if bad is not None:
            lacking = bad if lacking is None else lacking | bad
    return frame.with_columns(made) if made else frame, lacking


def _own_ids(column: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    if _all_held(column.drop_nulls() if column.null_count() else column):
        return column, None
    ids, bad = pl.DataFrame({"id": column}).select(_held(pl.col("id")).alias("id"), _bad(pl.col("id")).alias("bad"))
    return ids.alias(column.name), bad if bad.any() else None


def _all_held(column: pl.Series) -> bool:
    """Whether every text is a UUID as it is held: what most columns are, told at a third of what a pattern costs."""
    rows = len(column)
    if not rows:
        return True
    if not (column.str.len_bytes() == _LENGTH).all():
        return False
    joined = str(column.str.join("")[0]).encode()
    if joined.translate(None, _DIGITS) != b"-" * (len(_HYPHENS) * rows):
        return False
    letters = np.frombuffer(joined, np.uint8).reshape(rows, _LENGTH)
    placed = all((letters[:, place] == ord("-")).all() for place in _HYPHENS)
    return placed and not ((column == NIL).any() or (column == MAX).any())


def _held(text: pl.Expr) -> pl.Expr:
    """UUIDs as they are held; all else as it is."""
    digits = text.str.to_lowercase().str.replace_all("-", "", literal=True)
    hyphenated = pl.concat_str([digits.str.slice(start, length) for start, length in _PARTS], separator="-")
    return pl.when(text.str.contains(f"^(?:{SPELT})$")).then(hyphenated).otherwise(text)


def _bad(text: pl.Expr) -> pl.Expr:
    held = _held(text)
    wrong = ~held.str.contains(f"^{HELD}$") | held.is_in([NIL, MAX])
    return wrong.fill_null(value=False)


def _names(field: Field, column: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    blank = _blank(column)
    if blank is not None and field.required:
        return column, blank
    if blank is not None:
        column = column.to_frame().select(pl.when(~blank).then(column).otherwise(pl.lit(field.default))).to_series()
    if field.identity == "event" and _oddly_spelt(column):
        column = column.to_frame().select(_held(pl.col(column.name))).to_series().alias(column.name)
    return column, None


def _blank(column: pl.Series) -> pl.Series | None:
    """Which texts show nothing; None when all show something."""
    # Each such character sorts before the first that is seen, or behind the last of ASCII: most are passed over.
    if column.null_count() == len(column) or not ((column < "!").any() or (column >= "\x7f").any()):
        return None
    perhaps = ((column < "!") | (column >= "\x7f")).fill_null(value=False)
    blank = perhaps & (column.str.strip_chars(BLANKS) == "").fill_null(value=False)
    return blank if blank.any() else None


def _oddly_spelt(column: pl.Series) -> bool:
    lengths = column.str.len_bytes()
    odd = (lengths == _LENGTH - len(_HYPHENS)) | ((lengths == _LENGTH) & column.str.contains("[A-F]"))
    return bool(odd.any())


def _nameless_members(field: Field, column: pl.Series) -> pl.Series | None:
    """Which rows have a list with a name in it that shows nothing; row by row where there is one, which is rare."""
    items = column.drop_nulls().list.explode(empty_as_null=False)
    members = [member.name for member in field.members if member.identity]
    parts = [items.struct.field(name) for name in members] if members else [items]
    if all(_blank(part) is None for part in parts):
        return None
    named = [any(map(is_blank, _texts(row or (), members))) for row in column.to_list()]
    return pl.Series(named, dtype=pl.Boolean)


def _texts(items: Sequence[Any], members: Sequence[str]) -> Iterator[str]:
    for item in items:
        yield from (item[name] for name in members) if members else (item,)
