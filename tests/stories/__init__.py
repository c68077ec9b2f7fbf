"""Stories: one estate runs for all of this package, and no longer."""
