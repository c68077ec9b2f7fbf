"""The benchmarks behind the figures in docs/performance.md; `make bench` runs them together."""
