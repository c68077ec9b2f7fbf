"""The local ClickHouse server, over the embedded engine."""
