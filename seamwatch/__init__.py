"""The language of Seamwatch: contracts, clauses, events, signatures and the producer's SDK."""
