"""Writes `docs/configuration-vectors.json`: configurations, the digests of their parts, and the digest of the whole.

Run by `docs/check.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from seamwatch.configuration import digest_of_parts, part_digest

PAGE: Final = Path(__file__).parent / "configuration-vectors.json"

_CONFIGURATIONS: Final[tuple[dict[str, str], ...]] = (
    {"model": "example-model-2026-05"},
    {"model": "example-model-2026-05", "prompt": "You decide on claims.\n", "retrieval": "", "tools": "[]"},
    {"model": "example-model-2026-05", "prompt": "You decide on claims.\r\n", "retrieval": "", "tools": "[]"},
    {"prompt": "Prüfe den Antrag. 🙂", "x-limits_2": "{}", "tools": '[{"name":"refund"}]'},
)


def pages() -> dict[Path, str]:
    """The vectors, as the text of their file."""
    vectors = []
    for contents in _CONFIGURATIONS:
        parts = {name: part_digest(content) for name, content in contents.items()}
        vectors.append({"contents": contents, "config": parts, "config_digest": digest_of_parts(parts)})
    return {PAGE: json.dumps(vectors, indent=2, ensure_ascii=False) + "\n"}
