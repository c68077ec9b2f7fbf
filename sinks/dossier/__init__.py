"""Dossiers: what is on record of one system in one time, with proofs, for somebody who has nothing but a public key.

`seamwatch evidence --system` writes one by `writing`, `seamwatch verify --bundle` checks one by `checking`, which asks
no store. What a dossier must show, `requirements` says; docs/dossiers.md has the format.
"""
