"""Comparing: what the raw bytes of rows say, decoded again, with the typed columns that the store shows for them."""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl

from seamwatch.record_types import INPUT_TYPES
from sinks.columns import columns
from sinks.decoding import Decode
from sinks.ledger.rows import DEAD_LETTER
from sinks.ledger.verify.findings import Finding
from sinks.published import published

_RAW = "raw"
_REASON_OF_CLOCK = "out of bounds: event_time"
_Wrong = tuple[int, str, str]
"""The index of a row, the column that is wrong, and what is wrong with it."""


def compare(
    record_type: str, table: str, rows: pl.DataFrame, values: list[bytes | None], decode: Decode
) -> list[Finding]:
    """Decode the raw bytes of rows of one table again and compare; the first that differs of each topic partition.

    ``values`` are those of the column raw.
    """
    wrong = _wrong(record_type, table, rows, values, decode)
    if wrong and record_type in INPUT_TYPES:
        wrong = _by_no_release(record_type, table, rows, values, decode, wrong)
    return _findings(table, rows, wrong)


def _by_no_release(
    record_type: str, table: str, rows: pl.DataFrame, values: list[bytes | None], decode: Decode, wrong: list[_Wrong]
) -> list[_Wrong]:
    """What is wrong of those rows that earlier releases, which asked for no identities, would not have made either."""
    suspect = sorted({index for index, _, _ in wrong})
    earlier = _wrong(
        record_type, table, rows[suspect], [values[index] for index in suspect], partial(decode, earlier=True)
    )
    altered = {suspect[index]: (suspect[index], column, message) for index, column, message in reversed(earlier)}
    # Of a row that is none by the rules of today, what was altered is what differs by those of its own time.
    return [altered[index] if column == _RAW else (index, column, message) for index, column, message in wrong
            if index in altered]  # fmt: skip


def _wrong(
    record_type: str, table: str, rows: pl.DataFrame, values: list[bytes | None], decode: Decode
) -> list[_Wrong]:
    times = rows["broker_time"].dt.epoch("ms").to_list()
    decoded = (
        published(rows["key"].to_list(), values) if record_type == "document" else decode(record_type, values, times)
    )
    if table == DEAD_LETTER:
        return _wrong_letters(record_type, rows, dict(decoded.rejects))
    # How far ahead an event may be is a matter of the clock that the recorder ran by.
    wrong = [
        (index, _RAW, f"raw is no {record_type}: {reason}")
        for index, reason in decoded.rejects
        if not reason.startswith(_REASON_OF_CLOCK)
    ]
    stored = rows[decoded.rows] if decoded.rejects else rows
    for name, decoded_column in decoded.frame.with_columns(_types(record_type, decoded.frame)).to_dict().items():
        if name not in stored.columns:  # the table lacks it, which is told of the table
            continue
        # As bytes, which texts of the store are: whoever edits one may write what is no text.
        expected = decoded_column.cast(_of_bytes(decoded_column.dtype))
        shown = _as(stored[name], expected.dtype)
        if shown is None or not _same(shown, expected):
            wrong += [
                (
                    decoded.rows[at],
                    name,
                    f"the column is not what raw says: {_short(stored[name][at])} for {_short(said)}",
                )
                for at, said in _differing(shown, expected)
            ]
    return wrong


def _wrong_letters(record_type: str, rows: pl.DataFrame, rejected: dict[int, str]) -> list[_Wrong]:
    wrong = []
    for index, (reason, kind) in enumerate(zip(_texts(rows, "reason"), _texts(rows, "record_type"), strict=True)):
        if kind not in (record_type, None):
            wrong.append((index, "record_type", f"a record of this topic is a {record_type}"))
        elif index not in rejected:
            wrong.append((index, "raw", f"this is no dead letter: it decodes, and belongs in {record_type}"))
        elif reason not in (rejected[index], None):
            wrong.append((index, "reason", f"the reason is not why it was rejected: {rejected[index]}"))
    return wrong


def _texts(rows: pl.DataFrame, name: str) -> list[str | None]:
    """A column's texts; None for each where the table lacks it, which is told of the table."""
    return [_text(value) for value in rows[name].to_list()] if name in rows.columns else [None] * len(rows)


def _types(record_type: str, frame: pl.DataFrame) -> list[pl.Expr]:
    if record_type == "document":
        return [pl.col(name) for name in frame.columns]
    return [pl.col(name).cast(kind) for name, kind in columns(record_type).items()]


def _of_bytes(kind: Any) -> Any:
    """A type with bytes for texts, within lists and structs too."""
    if isinstance(kind, pl.List):
        return pl.List(_of_bytes(kind.inner))
    if isinstance(kind, pl.Struct):
        return pl.Struct({field.name: _of_bytes(field.dtype) for field in kind.fields})
    return pl.Binary() if kind == pl.String else kind


def _as(shown: pl.Series, kind: pl.DataType) -> pl.Series | None:
    """A column of the store in the type that it should have; None when it cannot be."""
    try:
        return shown.cast(kind)
    except pl.exceptions.PolarsError:
        return None


def _same(shown: pl.Series, expected: pl.Series) -> bool:
    if not isinstance(expected.dtype, pl.List):
        return shown.equals(expected, null_equal=True)
    # Most lists are empty; comparing them as lists takes as long as reading everything else.
    lengths = shown.list.len()
    if not lengths.equals(expected.list.len(), null_equal=True):
        return False
    some = lengths > 0
    return shown.filter(some).explode().equals(expected.filter(some).explode(), null_equal=True)


def _differing(shown: pl.Series | None, expected: pl.Series) -> list[tuple[int, Any]]:
    """Index and right value of the rows that differ; of all of them where that cannot be told."""
    said = expected.to_list()
    if shown is None:
        return list(enumerate(said))
    pairs = enumerate(zip(shown.to_list(), said, strict=True))
    return [(at, b) for at, (a, b) in pairs if a != b and not (a != a and b != b)]


def _findings(table: str, rows: pl.DataFrame, wrong: list[_Wrong]) -> list[Finding]:
    """The first of each topic partition."""
    if not wrong:
        return []
    found: dict[tuple[Any, int], Finding] = {}
    names = ["topic", "partition", "offset", *(["event_id"] if "event_id" in rows.columns else [])]
    places = rows.select(names)[[index for index, _, _ in wrong]].rows(named=True)
    for row, (_, column, message) in sorted(
        zip(places, wrong, strict=True), key=lambda each: (each[0]["offset"], each[1][0])
    ):
        topic, event = (_text(row.get(name)) for name in ("topic", "event_id"))
        named = {"table": table, "offset": row["offset"], "event_id": event, "column": column}
        found.setdefault((topic, row["partition"]), Finding("column", str(topic), row["partition"], message, **named))
    return list(found.values())


def _text(value: object) -> str | None:
    return value.decode(errors="replace") if isinstance(value, bytes) else None if value is None else str(value)


def _short(value: object) -> str:
    text = str(_plain(value))
    return repr(text if len(text) <= 60 else text[:57] + "…")


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | pl.Series) else value
