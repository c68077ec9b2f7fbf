"""What the services of the demo run with, and the digests by which they say so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

Configuration = Mapping[str, Any]

ELIGIBILITY: Final[Configuration] = {"threshold": 0.5, "features": "eligibility-features"}
CREDIT: Final[Configuration] = {"threshold": 0.50, "features": "credit-features"}
CREDIT_ANNOUNCED: Final[Configuration] = {"threshold": 0.60, "features": "credit-features"}
CREDIT_SLIPPED: Final[Configuration] = {"threshold": 0.35, "features": "credit-features"}
RENEWALS: Final[Configuration] = {"threshold": 0.4, "features": "renewals-features"}
ASSISTANT: Final[Configuration] = {"prompt": "Answer from the policy's text.", "model": "provider/large"}
ASSISTANT_ANNOUNCED: Final[Configuration] = {
    "prompt": "Answer from the policy's text, and name the clause.",
    "model": "provider/large",
}
AGENT: Final[Configuration] = {
    "tools": "order-desk/3",
    "prompt": "Help with orders; change only what the customer asks for.",
}


def digest(configuration: Configuration) -> str:
    """What a service reports as its configuration: SHA-256 over its canonical JSON, shortened for reading."""
    text = json.dumps(configuration, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()[:16]
