"""Statistics behind the clauses: numbers in, numbers out. Whatever needs numpy or scipy, clauses import late."""
