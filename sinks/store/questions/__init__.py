"""Questions: what is asked of the store, one module a question with its SQL, its typed rows and its words.

A question opens with what is asked. It is a function from a `sinks.store.client.Store`, which whoever asks opens as
the auditor, and typed parameters to rows: frozen dataclasses, whose fields are the columns that are selected. Times
are whole microseconds since 1970 in UTC (`rows.Micros`), in parameters and in rows; `rows.record` writes a row for
JSON, with RFC 3339. Parameters travel beside the SQL as ``{name:Type}`` and are never spliced into it. What a person
reads of a row, as a sentence, is with the row; tables, pages and JSON are the affair of whoever asks. A question that
takes several modules is a package (`lateness`).
"""
