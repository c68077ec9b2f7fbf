"""The ledger: one Merkle tree a topic partition over everything that was recorded, signed heads, and their verifier."""
