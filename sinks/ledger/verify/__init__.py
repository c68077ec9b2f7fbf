"""The verifier: holds the rows of a store to the ledger. Begin at `verifier`."""
