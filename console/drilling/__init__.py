"""Drills as whoever runs one holds them: the scenario, what is heard meanwhile, what is checked, and the report.

What a drill is to the judge is `seamwatch.clauses.drill`; what is signed and sent, `statements.drill`.
"""
