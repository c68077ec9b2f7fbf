"""The way to Kafka, for every stage and command: nothing here knows what a stage does, or what a record says."""
