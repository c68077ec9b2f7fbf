"""The local servers, Kafka and ClickHouse on this machine, and the supervisor of the stages.

Knows neither ``streams`` nor ``sinks``: it gives addresses and starts processes.
"""
