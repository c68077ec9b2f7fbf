"""Ready pieces for clauses: windows, countdowns, faults, runs, words. Know no engine."""
