"""The ledger's forms: leaves, trees, notes, proofs and keys. Pure: knows no store."""
