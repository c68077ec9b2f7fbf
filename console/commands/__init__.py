"""The commands, one file each, every one with a ``register``."""
