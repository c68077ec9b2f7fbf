"""The gate: whether a system may be deployed, and everything that stands against it. See docs/gate.md."""
