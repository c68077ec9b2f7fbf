"""History: what lies in files and tables, read in bulk and put in event-time order on disk, for a replay."""
