"""Comparing: what the raw bytes of rows say, decoded again, with the typed columns that the store shows for them."""

from __future__ import annotations

import polars as pl

from sinks.blocks import Decode
from sinks.columns import columns
from sinks.ledger.findings import Report
from sinks.ledger.rows import DEAD_LETTER
from sinks.published import published
from sinks.reading import Place

_REASON_OF_CLOCK = "out of bounds: event_time"


def compare(report: Report, place: Place, record_type: str, table: str, rows: pl.DataFrame, decode: Decode) -> None:
    """Decode the raw bytes of rows of one table again and note the first that differs, of each column."""
    if not len(rows):
        return
    values = rows["raw"].to_list()
    times = rows["broker_time"].dt.epoch("ms").to_list()
    decoded = (
        published(rows["key"].to_list(), values) if record_type == "document" else decode(record_type, values, times)
    )
    rejected = dict(decoded.rejects)
    if table == DEAD_LETTER:
        _compare_dead(report, place, record_type, rows, rejected)
        return
    for index, reason in decoded.rejects:
        # How far ahead an event may be is a matter of the clock that the recorder ran by.
        if not reason.startswith(_REASON_OF_CLOCK):
            report.add("column", place, f"raw is no {record_type}: {reason}", **_row(table, rows, index), column="raw")
            return
    stored = rows[decoded.rows] if decoded.rejects else rows
    for name, expected in decoded.frame.with_columns(_types(record_type, decoded.frame)).to_dict().items():
        shown = _as(stored[name], expected.dtype)
        if shown is None or not shown.equals(expected, null_equal=True):
            index = _first(shown, expected)
            message = f"the column is not what raw says: {_short(stored[name][index])} for {_short(expected[index])}"
            report.add("column", place, message, **_row(table, stored, index), column=name)
            return


def _compare_dead(report: Report, place: Place, record_type: str, rows: pl.DataFrame, rejected: dict[int, str]) -> None:
    for index, (reason, kind) in enumerate(zip(rows["reason"].to_list(), rows["record_type"].to_list(), strict=True)):
        column, message = "", ""
        if kind.decode(errors="replace") != record_type:
            column, message = "record_type", f"a record of this topic is a {record_type}"
        elif index not in rejected:
            column, message = "raw", f"this is no dead letter: it decodes, and belongs in {record_type}"
        elif reason.decode(errors="replace") != rejected[index]:
            column, message = "reason", f"the reason is not why it was rejected: {rejected[index]}"
        if column:
            report.add("column", place, message, **_row(DEAD_LETTER, rows, index), column=column)
            return


def _types(record_type: str, frame: pl.DataFrame) -> list[pl.Expr]:
    if record_type == "document":
        return [pl.col(name) for name in frame.columns]
    return [pl.col(name).cast(kind) for name, kind in columns(record_type).items()]


def _as(shown: pl.Series, kind: pl.DataType) -> pl.Series | None:
    """A column of the store, whose texts came as bytes, in the type that it should have; None when it cannot be."""
    try:
        return shown.cast(kind)
    except pl.exceptions.PolarsError:
        return None


def _first(shown: pl.Series | None, expected: pl.Series) -> int:
    if shown is None:
        return 0
    pairs = zip(shown.to_list(), expected.to_list(), strict=True)
    return next((i for i, (a, b) in enumerate(pairs) if a != b and not (a != a and b != b)), 0)


def _row(table: str, rows: pl.DataFrame, index: int) -> dict[str, object]:
    event = rows["event_id"][index] if "event_id" in rows.columns else None
    return {
        "table": table,
        "offset": rows["offset"][index],
        "event_id": event.decode(errors="replace") if isinstance(event, bytes) else event,
    }


def _short(value: object) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return repr(text if len(text) <= 60 else text[:57] + "…")
