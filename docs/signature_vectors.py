"""Writes `docs/signature-vectors.json`: for everything that is signed, its fields, the exact bytes and a signature.

Run by `docs/check.py`. The private key of the vectors is published here and is worth nothing.
"""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seamwatch.documents import canonical_json, digest_of
from seamwatch.signatures import (
    acknowledgement_bytes,
    approval_bytes,
    attestation_bytes,
    change_bytes,
    change_digest,
    document_bytes,
    dossier_bytes,
    refresh_bytes,
    sign,
    suspension_bytes,
    withdrawal_bytes,
)

PAGE: Final = Path(__file__).parent / "signature-vectors.json"
KEY: Final = bytes(range(32))

_CONTRACT: Final = {
    "apiVersion": "seamwatch/v1",
    "kind": "Contract",
    "id": "credit-limits",
    "version": "2",
    "seam": "model-to-product",
    "covers": ["credit-model"],
    "parties": {
        "provider": {"team": "credit-models", "signatory": "lead@example.org"},
        "consumer": {"team": "Kreditprodukt für Österreich", "signatory": "product@example.org"},
    },
    "clauses": [
        {"id": "valid", "kind": "range", "min": 0, "max": 1.0, "nullable": False, "tolerate": 1e-3},
        {"id": "line", "kind": "threshold", "decision": "approve", "when": "score >= 0.62",
         "co_signers": ["lead@example.org"]},
    ],
}  # fmt: skip
_CHANGE: Final = {
    "system": "credit-model", "change_id": "CHG-7", "kind": "threshold", "from_value": "0.62", "to_value": "0.58",
    "config_digest": None, "effective_at": 1_772_616_600_000_000, "summary": "the line moves",
    "announced_by": "product@example.org", "environment": "production",
}  # fmt: skip
_MESSAGES: Final = (
    (
        "document",
        document_bytes,
        {
            "kind": "Contract", "id": "credit-limits", "version": "2", "digest": digest_of(_CONTRACT),
            "person": "lead@example.org", "key_id": "lead-2026", "signed_at": "2026-03-02T09:30:00Z",
        },
    ),
    (
        "approval",
        approval_bytes,
        {
            "system": "credit-model", "version": "2.1", "config_digest": "sha256:9a4be2710c53d866", "id": "CR-21",
            "use_case": "credit-limit", "approved_by": "lead@example.org", "approved_at": "2026-01-08",
            "expires": None, "evidence": None, "person": "lead@example.org", "key_id": "lead-2026",
        },
    ),
    (
        "dossier",
        dossier_bytes,
        {
            "system": "credit-model", "from": "2026-01-01T00:00:00.000000Z", "to": "2026-04-01T00:00:00.000000Z",
            "as_of": "2026-04-02T08:00:00.000000Z", "digest": digest_of(_CONTRACT), "person": "lead@example.org",
            "key_id": "lead-2026",
        },
    ),
    (
        "withdrawal",
        withdrawal_bytes,
        {
            "kind": "Contract", "id": "credit-limits", "version": "2", "digest": digest_of(_CONTRACT),
            "person": "lead@example.org", "withdrawn_at": "2026-03-02T09:30:00Z",
        },
    ),
    (
        "acknowledgement",
        acknowledgement_bytes,
        {
            "event_time": 1_772_443_800_000_000, "system": "credit-model", "of": "change", "reference": "CHG-7",
            "person": "lead@example.org", "answer": "accept", "note": "größer als „0,62“",
        },
    ),
    (
        "acknowledgement",
        acknowledgement_bytes,
        {
            "event_time": 1_772_443_800_000_000, "system": "credit-model", "of": "change", "reference": "CHG-7",
            "person": "lead@example.org", "answer": "accept", "note": None, "change_digest": change_digest(_CHANGE),
        },
    ),
    (
        "acknowledgement",
        acknowledgement_bytes,
        {
            "event_time": 1_772_443_800_000_000, "system": "credit-model", "of": "violation",
            "reference": "4f1c2a9be0d7", "person": "lead@example.org", "answer": "accept", "note": None,
            "relayed_by": "replies@example.org", "evidence": '{"event":{"event_type":"incident.acknowledged"}}',
        },
    ),
    (
        "attestation",
        attestation_bytes,
        {
            "event_time": 1_772_443_800_000_000, "system": "credit-model", "subject": "credit-limits#gini",
            "kind": "benchmark", "metric": "gini", "value": 0.61, "person": "lead@example.org", "evidence_uri": None,
        },
    ),
    (
        "attestation",
        attestation_bytes,
        {
            "event_time": 1_772_443_800_000_000, "system": "credit-model", "kind": "follow_up", "metric": None,
            "subject": "credit-limits#learn/a3506823-6d7d-8db3-b87e-d32a654ea33f", "value": None,
            "person": "lead@example.org", "evidence_uri": None,
            "statement": '{"actions":[],"cause":"größer","diverged":"b","implied":"a"}',
        },
    ),
    (
        "suspension",
        suspension_bytes,
        {
            "event_time": 1_772_443_800_000_000, "system": "order-agent", "version": None, "tool": "refund",
            "state": "suspended", "person": "lead@example.org", "reason": "it refunds twice", "evidence_uri": None,
            "until": 1_772_447_400_000_000,
        },
    ),
    (
        "dataset_refresh",
        refresh_bytes,
        {
            "event_time": 1_772_443_800_000_000, "system": "credit-features", "version": None,
            "data_as_of": 1_772_440_200_000_000, "row_count": 120_000, "sources": ["bureau-extract", "repayments"],
            "schema_digest": None, "attested_by": "lead@example.org",
        },
    ),
    (
        "config_change",
        change_bytes,
        {
            "system": "credit-model", "change_id": "CHG-7", "kind": "threshold", "from_value": "0.62",
            "to_value": "0.58", "config_digest": None, "effective_at": 1_772_616_600_000_000,
            "summary": "the line moves", "announced_by": "product@example.org",
        },
    ),
    (
        "config_change",
        change_bytes,
        {
            "system": "credit-model", "change_id": "CHG-7", "kind": "threshold", "from_value": "0.62",
            "to_value": "0.58", "config_digest": None, "effective_at": 1_772_616_600_000_000,
            "summary": "not before the audit", "announced_by": "lead@example.org", "withdrawn": True,
            "event_time": 1_772_530_200_000_000,
        },
    ),
)  # fmt: skip


def vectors() -> dict[str, Any]:
    """The vectors, as JSON values."""
    key = Ed25519PrivateKey.from_private_bytes(KEY)
    return {
        "private_key_hex": KEY.hex(),
        "public_key": b64encode(key.public_key().public_bytes_raw()).decode(),
        "document": {
            "content": _CONTRACT,
            "canonical": canonical_json(_CONTRACT).decode(),
            "sha256": digest_of(_CONTRACT),
        },
        "messages": [
            {
                "type": name,
                "fields": fields,
                "bytes": make(fields).decode(),
                "signature": b64encode(sign(make(fields), KEY)).decode(),
            }
            for name, make, fields in _MESSAGES
        ],
    }


def pages() -> dict[Path, str]:
    """The file, by its path."""
    return {PAGE: json.dumps(vectors(), indent=2, ensure_ascii=False) + "\n"}
