"""Decoding, as the record does it: one bulk decoder a record type; what verifies a record decodes it the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from seamwatch.clock import Clock
from seamwatch.columnar.decode import Decoded, Decoder
from seamwatch.wire.codec import Codec


class Decode(Protocol):
    """Decodes values of one record type; ``broker_times`` are in milliseconds, and bound the event times."""

    def __call__(
        self,
        record_type: str,
        values: Sequence[bytes | None],
        broker_times: Sequence[int],
        /,
        *,
        earlier: bool = False,
    ) -> Decoded:
        """What the values hold: a frame, which values its rows are, and the others with reasons.

        ``earlier``: as earlier releases decoded them, which asked for no identities.
        """
        ...


def decoding(codec: Codec, clock: Clock) -> Decode:
    """The bulk decoding of every record type, its preparation kept from batch to batch; for one thread."""
    decoders: dict[tuple[str, bool], Decoder] = {}

    def decode(record_type: str, values: Any, broker_times: Any, /, *, earlier: bool = False) -> Decoded:
        decoder = decoders.get((record_type, earlier))
        if decoder is None:
            decoder = decoders[record_type, earlier] = Decoder(record_type, codec, clock=clock, earlier=earlier)
        return decoder.decode(values, broker_times)

    return decode
