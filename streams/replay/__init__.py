"""Replay: a history judged offline, by the code of measure and judge. Begin at `replay`."""
