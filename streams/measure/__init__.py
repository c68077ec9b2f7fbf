"""Measure: reads every input topic, counts what the clauses want counted, and tells the judges. Begin at `stage`."""
