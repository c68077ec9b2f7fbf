"""Documents: persons, systems, contracts, risk policies and rotas, and the estate they make.

They are read from YAML or from the contracts topic, which nothing here reads. See docs/documents.md, and
docs/signatures.md for who signs what.
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
from seamwatch.documents.rota import Rota
from seamwatch.documents.signing_verdicts import unsigned_contracts

__all__ = [
    "Contract",
    "Document",
    "Estate",
    "Person",
    "Problem",
    "RiskPolicy",
    "Rota",
    "System",
    "Term",
    "canonical_json",
    "digest_of",
    "documents_of",
    "load_folder",
    "published",
    "unsigned_contracts",
]
