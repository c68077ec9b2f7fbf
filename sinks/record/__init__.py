"""Record: every record of the topics into the store, each exactly once. Begin at `stage`."""
