"""Refusals: why a broker that is there does not let a client in, in the client's own words.

A call that fails says no more than that nobody answered; the reason goes to a callback of the client. Asked only once
something has failed.
"""

from __future__ import annotations

import time
from typing import Final

from seamwatch.broker import Address, is_refusal, not_let_in
from seamwatch.errors import UnreachableError

SECONDS: Final = 3.0
CONFIGURED: Final = "the configured address"
"""How the broker is named where it is not known."""


def why_refused(address: Address, seconds: float = SECONDS) -> str | None:
    """That nobody is let in, and why: the login, the certificate, or encryption on one side only.

    None where that is not it. Tries to connect, for so many seconds at most.
    """
    from confluent_kafka import KafkaError

    from bus import clients

    found: list[str] = []
    ended: list[bool] = []

    def on_error(error: KafkaError) -> None:
        if is_refusal(error):
            found.append(error.str())
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - public, whatever its name
            ended.append(True)

    client = clients.admin(address, {"error_cb": on_error})
    until = time.monotonic() + seconds
    while not (found or ended) and time.monotonic() < until:
        client.poll(0.1)
    return not_let_in(address, found[0]) if found else None


def unreachable(doing: str, address: Address | None, said: str) -> UnreachableError:
    """Our error for a broker of which nothing comes, with why where it lets nobody in; looks for that first.

    An ``address`` that is not known (None) is not asked.
    """
    refused = None if address is None else why_refused(address)
    if refused is not None:
        return UnreachableError(f"{doing}: {refused}")
    shown = CONFIGURED if address is None else address
    return UnreachableError(f"{doing}: Kafka at {shown} does not answer ({said}). Is it running?")
