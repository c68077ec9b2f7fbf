"""Events as a producer without our checks writes them: framed bytes of any values that fit the Avro types."""

from __future__ import annotations

import io
from copy import deepcopy
from typing import Any

import fastavro

from seamwatch import testing
from seamwatch.wire.framing import single_object_header
from seamwatch.wire.schemas import plain, schema


def unchecked(record_type: str, **fields: Any) -> bytes:
    """The framed bytes of an event as `seamwatch.testing` builds it, these fields in it whatever they are."""
    form = schema(record_type)
    defaults = {field.name: field.default for field in form.fields if not field.required}
    stream = io.BytesIO()
    record = {**defaults, **getattr(testing, record_type)().record(), **fields}
    fastavro.schemaless_writer(stream, fastavro.parse_schema(deepcopy(plain(form.definition))), record)
    return single_object_header(form.fingerprint) + stream.getvalue()
