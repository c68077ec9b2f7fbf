"""What hosts the clauses: state, timers, watermarks, versions, episodes. Begin at `judge`."""
