"""Documents: persons, systems, contracts and risk policies, from YAML or the contracts topic, and the estate they make.

See docs/documents.md, and docs/signatures.md for who signs what. Nothing here reads a topic.
"""

from __future__ import annotations

from seamwatch.documents.canonical import canonical_json, digest_of
from seamwatch.documents.contract import Contract
from seamwatch.documents.estate import Estate, Term
from seamwatch.documents.loading import load_folder
from seamwatch.documents.models import Document, Person, System
from seamwatch.documents.problems import Problem
from seamwatch.documents.publishing import documents_of, published
from seamwatch.documents.risk_policy import RiskPolicy
from seamwatch.documents.signing_verdicts import unsigned_contracts

__all__ = [
    "Contract",
    "Document",
    "Estate",
    "Person",
    "Problem",
    "RiskPolicy",
    "System",
    "Term",
    "canonical_json",
    "digest_of",
    "documents_of",
    "load_folder",
    "published",
    "unsigned_contracts",
]
