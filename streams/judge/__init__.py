"""Judge: hosts the judging of measurements, and keeps its state. Begin at `stage`."""
