"""The local Kafka."""
