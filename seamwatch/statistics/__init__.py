"""Statistics behind the clauses: numbers in, numbers out. Needs numpy and scipy, so clauses import it late."""
