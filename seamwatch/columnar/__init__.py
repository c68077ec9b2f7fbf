"""Columns: records in bulk as polars frames. Needs the platform extra; the language itself does not import it."""
