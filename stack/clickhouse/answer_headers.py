"""Headers that go with an answer of the local ClickHouse server: what it read and wrote, and of which type it is.

Those that name the server and the statement are the server's own.
"""

from __future__ import annotations

import json

from stack.clickhouse.engine import Answer


def summary(answer: Answer) -> dict[str, str]:
    """What the statement read and wrote, as ClickHouse counts it."""
    counts = {
        "read_rows": answer.read_rows,
        "read_bytes": answer.read_bytes,
        "written_rows": answer.written.rows,
        "written_bytes": answer.written.bytes,
        "result_rows": answer.rows,
        "result_bytes": 0,
    }
    return {"X-ClickHouse-Summary": json.dumps({name: str(count) for name, count in counts.items()})}


def content_type(output: str) -> dict[str, str]:
    """The type of an answer in this format."""
    if output in {"JSON", "JSONCompact", "JSONStrings"}:
        return {"Content-Type": "application/json; charset=UTF-8"}
    if output.endswith("EachRow"):
        return {"Content-Type": "application/x-ndjson; charset=UTF-8"}
    if output in {"Native", "Arrow", "ArrowStream", "Parquet", "RowBinary"}:
        return {"Content-Type": "application/octet-stream"}
    return {"Content-Type": "text/plain; charset=UTF-8"}
