"""How fast message values become columns: `python benchmarks/decode.py`.

Prints rows a second for batches of inferences: all columns, those that a measure asks for, with poison among them,
and the codec's one by one for comparison.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from seamwatch.columnar.decode import Decoder
from seamwatch.testing import T0, inference
from seamwatch.wire.codec import Codec

MEASURED = ("event_id", "event_time", "system", "score")
SECONDS = 1.0


def rate(decode: Callable[[Sequence[bytes | None]], Any], values: Sequence[bytes | None]) -> float:
    """Rows a second, the best of three runs of about ``SECONDS`` each."""
    decode(values)
    best = 0.0
    for _ in range(3):
        start, rounds = time.perf_counter(), 0
        while time.perf_counter() - start < SECONDS:
            decode(values)
            rounds += 1
        best = max(best, rounds * len(values) / (time.perf_counter() - start))
    return best


def events(count: int, codec: Codec) -> list[bytes | None]:
    """Framed inferences over eight systems."""
    return [
        codec.encode(
            "inference",
            inference(
                event_time=T0 + i, system=f"system-{i % 8}", score=random.random(), subject=f"subject-{i}",
                latency_ms=random.random() * 100, cohort="a" if i % 2 else "b", attributes={"channel": "web"},
            ).record(),
        )
        for i in range(count)
    ]  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000, help="values in a batch")
    rows = parser.parse_args().rows
    codec = Codec()
    values = events(rows, codec)
    poisoned: list[bytes | None] = [(value or b"")[:-2] if random.random() < 0.01 else value for value in values]
    few = Decoder("inference", codec, MEASURED)

    def each(some: Sequence[bytes | None]) -> None:
        for value in some[:2_000]:
            codec.decode("inference", value or b"")

    print(f"batches of {rows} inferences of {len(values[0] or b'')} bytes, rows a second")
    print(f"  all columns                {rate(Decoder('inference', codec).decode, values):>12,.0f}")
    print(f"  {len(MEASURED)} columns and bounds       {rate(few.decode, values):>12,.0f}")
    print(f"  the same, 1 % of it poison {rate(few.decode, poisoned):>12,.0f}")
    print(f"  one by one, by the codec   {rate(each, values) * min(2_000, rows) / rows:>12,.0f}")


if __name__ == "__main__":
    main()
