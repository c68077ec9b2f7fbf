"""The producer's SDK: an emitter that never delays or fails the decision it reports."""
