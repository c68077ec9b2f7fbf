"""`seamwatch cat`: the messages of topics, decoded, as NDJSON."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bus.tail import Read
    from seamwatch.wire.codec import Codec
    from seamwatch.wire.topics import Topics


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(cat)


def cat(
    topics: Annotated[list[str], typer.Argument(help="topics, with or without prefix; violations for all kinds")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on with what comes, until Ctrl-C")] = False,
    limit: Annotated[int | None, typer.Option(help="end after so many messages", min=1)] = None,
    position: Annotated[bool, typer.Option(help="add topic, partition, offset and broker time to each")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Print the messages of topics from their beginning, decoded, one JSON object a line.

    A message that cannot be decoded is printed with its position, its bytes in base64 and the reason.

    Example: seamwatch cat violations --follow
    """
    from bus.tail import tail
    from console.reach import reach
    from seamwatch.settings import load_settings
    from seamwatch.wire.codec import codec_of
    from seamwatch.wire.topics import Topics

    system = reach(data)
    names = Topics(system.prefix)
    codec = codec_of(load_settings())
    try:
        for number, read in enumerate(tail(system.kafka, names, topics, follow=follow), 1):
            shown = _shown(read, names, codec)
            if position:
                shown = _place(read) | {"broker_time_ms": read.broker_time} | shown
            print(json.dumps(shown, ensure_ascii=False), flush=follow)
            if number == limit:
                break
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _shown(read: Read, topics: Topics, codec: Codec) -> dict[str, Any]:
    from seamwatch.errors import RecordError
    from seamwatch.wire.text import text_of

    record_type = topics.record_type(read.topic)
    try:
        if record_type is None:
            return _place(read) | {"key": _words(read.key), "value": _json(read.value)}
        return text_of(record_type, codec.decode(record_type, read.value or b""))
    except RecordError as error:
        return _place(read) | {"key": _words(read.key), "value": _base64(read.value), "reason": str(error)}


def _place(read: Read) -> dict[str, Any]:
    return {"topic": read.topic, "partition": read.partition, "offset": read.offset}


def _json(value: bytes | None) -> Any:
    try:
        return None if value is None else json.loads(value)
    except ValueError:
        return _base64(value)


def _words(key: bytes | None) -> str | None:
    return None if key is None else key.decode(errors="backslashreplace")


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode("ascii")
