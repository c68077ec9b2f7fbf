"""What a slice of the clause `approval` is of: the version, digest and use case that served, also in words. Pure."""

from __future__ import annotations

from typing import Final

from seamwatch.judging.model.seam import Seam
from seamwatch.judging.patterns.approved import Served
from seamwatch.judging.patterns.wording import digest_text

_PLAIN: Final = 3
"""The parts of a slice whose names hold no slashes."""


def named(seam: Seam, part: str, at: int) -> str:
    """What a slice is of, in words; a call has no use case, and not everything has a digest."""
    served = served_by(seam, part, at)
    if served is None:
        return digest_text(part.rstrip("/"))
    digest = "" if served.config_digest is None else f" (configuration {digest_text(served.config_digest)})"
    return f"version {served.version}{digest}" + (f" for {served.use_case}" if served.use_case else "")


def served_by(seam: Seam, part: str, at: int) -> Served | None:
    """What a slice is of (``version/digest/use case``, of a call ``version/digest``); None: it cannot be told."""
    fields = part.split("/")
    # There may be slashes in the names themselves (org/model-2): then the reading that has a declared version is meant.
    size = len(fields)
    cuts = [(n, m) for n in range(1, size) for m in range(n + 1, size)] + [(n, size) for n in range(1, size)]
    known = {declared.version: declared.config_digest for declared in seam.versions}
    readings = [
        ("/".join(fields[:n]), "/".join(fields[n:m]), None if m == size else "/".join(fields[m:])) for n, m in cuts
    ]
    likely = [reading for reading in readings if reading[0] in known] or readings[: 1 if size <= _PLAIN else 0]
    likely.sort(
        key=lambda reading: (reading[1] != (known.get(reading[0]) or ""), "/" in reading[1], reading[2] is None)
    )
    if not likely:
        return None
    version, digest, use_case = likely[0]
    return Served(version, digest or None, use_case, at)
