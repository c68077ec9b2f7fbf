"""The demo: an estate of real producers with faults of real causes, watched end to end on this machine.

`timeline` says when things happen, `models` and `producers` what is served, `stories` what must be seen,
`player` and `people` drive it, `watcher`, `table` and `questions` show it; `performance` is the whole of it.
Nothing here is used outside `seamwatch demo`.
"""
