"""Judging: from facts and events to violations. Pure; hosts are in `streams`."""
