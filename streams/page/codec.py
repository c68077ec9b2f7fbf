"""Violations and pages for Faust: our Avro as a codec of its own, so that any Faust app can read the violation topics.

    app = faust.App("our-agents", broker="kafka://localhost:9092", topic_disable_leader=True)
    violations = violation_topic(app, "freshness")

    @app.agent(violations)
    async def tell_the_feed_team(stream):
        async for violation in stream:
            ...

Values are `seamwatch.judging.model.facts.Violation`; a value that is none raises Faust's own ValueDecodeError.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import faust
from faust.serializers import codecs

from seamwatch.judging.model.facts import Notice, Violation
from seamwatch.judging.records import violation_of, violation_record
from seamwatch.notices import notice_as_due
from seamwatch.outages import Outage
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import DEFAULT_PREFIX, Topics


class ViolationCodec(codecs.Codec):
    """Avro to Violation and back, in both framings."""

    def __init__(self, codec: Codec | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._codec = codec or Codec()

    def _loads(self, s: bytes) -> Violation:
        return violation_of(self._codec.decode("violation", s))

    def _dumps(self, s: Violation) -> bytes:
        return self._codec.encode("violation", violation_record(s))


class NoticeCodec(codecs.Codec):
    """Avro to a notice, in the form in which the pager keeps what is due."""

    def __init__(self, codec: Codec | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._codec = codec or Codec()

    def _loads(self, s: bytes) -> Violation:
        return notice_as_due(Notice(**self._codec.decode("notice", s)))


class OutageCodec(codecs.Codec):
    """Avro to an outage and back."""

    def __init__(self, codec: Codec | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._codec = codec or Codec()

    def _loads(self, s: bytes) -> Outage:
        return Outage(**self._codec.decode("outage", s))

    def _dumps(self, s: Outage) -> bytes:
        return self._codec.encode("outage", asdict(s))


class PageCodec(codecs.Codec):
    """Avro to the page record as a dict and back."""

    def __init__(self, codec: Codec | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._codec = codec or Codec()

    def _loads(self, s: bytes) -> dict[str, Any]:
        return self._codec.decode("page", s)

    def _dumps(self, s: dict[str, Any]) -> bytes:
        return self._codec.encode("page", s)


def violation_topic(app: faust.App, kind: str, prefix: str = DEFAULT_PREFIX) -> Any:
    """The Faust topic of one clause kind's violations, for ``@app.agent``; it is never created by Faust."""
    return app.topic(
        Topics(prefix).violations(kind), key_serializer="raw", key_type=bytes, value_serializer=ViolationCodec()
    )
