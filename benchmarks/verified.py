"""One verification as `seamwatch verify` does it, in a process of its own: `benchmarks.verify` runs it and reads it.

    python -m benchmarks.verified URL PUBLIC-KEY

Prints one JSON object: the rows, the seconds, the peak memory of all its processes in MiB, and their processor time a
row in microseconds, without the store's. Ends with 1 when anything is found.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from multiprocessing import active_children

from seamwatch.clock import SystemClock
from seamwatch.wire.codec import Codec
from seamwatch.wire.topics import Topics
from sinks.decoding import Decode, decoding
from sinks.ledger.format.notes import VerifierKey
from sinks.ledger.verify.verifier import Verifier
from sinks.ledger.verify.workers import Workers
from sinks.store.client import Store

PREFIX = "bench"


def _decode() -> Decode:
    return decoding(Codec(), SystemClock())


def main() -> None:
    """Verify the store at a URL by a public key."""
    url, public = sys.argv[1:]
    begun, used = time.perf_counter(), time.process_time()
    with Store(url) as store, Workers(url, _decode, os.cpu_count() or 1) as workers:
        report = Verifier(store, [VerifierKey.parse(public)], Topics(PREFIX), workers).run()
        processes = len(active_children())
    took = time.perf_counter() - begun
    if report.findings:
        sys.exit("\n".join(map(str, report.findings)))
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    used = time.process_time() - used + others.ru_utime + others.ru_stime
    memory = (own.ru_maxrss + processes * others.ru_maxrss) // 1024
    print(json.dumps({"rows": report.rows, "seconds": took, "memory": memory, "processor": used / report.rows * 1e6}))


if __name__ == "__main__":
    main()
